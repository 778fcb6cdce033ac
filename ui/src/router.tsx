import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { ErrorNotice } from "./components/error-notice.tsx";
import { Frame } from "./components/frame.tsx";
import { Empty } from "./components/loaded.tsx";
import { readExperimentsSearch } from "./features/experiments/prepare.ts";
import { readModelSearch, readModelsSearch } from "./features/models/address.ts";
import { readCompareSearch, readRunSearch, readRunsSearch } from "./features/runs/address.ts";
import { pageOfMlflowLink } from "./features/runs/mlflow-links.ts";
import { readSettingsSearch } from "./features/settings/address.ts";
import { readProjectAddress } from "./project-address.ts";

const root = createRootRoute({
  component: Frame,
  // A run's address as MLflow's clients print it.
  beforeLoad: ({ location: { hash } }) => {
    const href = pageOfMlflowLink(`#${hash}`);
    if (href !== null) throw redirect({ href, replace: true });
  },
  notFoundComponent: () => <Empty title="There is no such page">The rail at the left lists every page.</Empty>,
  errorComponent: ({ error }) => <ErrorNotice error={error} onRetry={() => location.reload()} />,
});

const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);

const home = createRoute({
  getParentRoute: () => root,
  path: "/",
  component: lazyRouteComponent(() => import("./features/home/page.tsx"), "HomePage"),
});
const data = createRoute({
  getParentRoute: () => root,
  path: "/data",
  validateSearch: (search): { source?: string } => omitUndefined({ source: text(search.source) }),
  component: lazyRouteComponent(() => import("./features/data/page.tsx"), "DataPage"),
});
const features = createRoute({
  getParentRoute: () => root,
  path: "/features",
  component: lazyRouteComponent(() => import("./features/features/page.tsx"), "FeaturesPage"),
});
const experiments = createRoute({
  getParentRoute: () => root,
  path: "/experiments",
  validateSearch: readExperimentsSearch,
  component: lazyRouteComponent(() => import("./features/experiments/page.tsx"), "ExperimentsPage"),
});
const runs = createRoute({
  getParentRoute: () => root,
  path: "/runs",
  validateSearch: readRunsSearch,
  component: lazyRouteComponent(() => import("./features/runs/page.tsx"), "RunsPage"),
});
const compare = createRoute({
  getParentRoute: () => root,
  path: "/runs/compare",
  validateSearch: readCompareSearch,
  component: lazyRouteComponent(() => import("./features/runs/compare-page.tsx"), "ComparePage"),
});
const run = createRoute({
  getParentRoute: () => root,
  path: "/runs/$id",
  validateSearch: readRunSearch,
  component: lazyRouteComponent(() => import("./features/runs/run-page.tsx"), "RunPage"),
});
const models = createRoute({
  getParentRoute: () => root,
  path: "/models",
  validateSearch: readModelsSearch,
  component: lazyRouteComponent(() => import("./features/models/page.tsx"), "ModelsPage"),
});
const model = createRoute({
  getParentRoute: () => root,
  path: "/models/$name",
  validateSearch: readModelSearch,
  component: lazyRouteComponent(() => import("./features/models/model-page.tsx"), "ModelPage"),
});
const pipelines = createRoute({
  getParentRoute: () => root,
  path: "/pipelines",
  component: lazyRouteComponent(() => import("./features/pipelines/page.tsx"), "PipelinesPage"),
});
const pipelineRun = createRoute({
  getParentRoute: () => root,
  path: "/pipelines/runs/$id",
  component: lazyRouteComponent(() => import("./features/pipelines/run-page.tsx"), "PipelineRunPage"),
});
const endpoints = createRoute({
  getParentRoute: () => root,
  path: "/endpoints",
  component: lazyRouteComponent(() => import("./features/endpoints/page.tsx"), "EndpointsPage"),
});
const monitoring = createRoute({
  getParentRoute: () => root,
  path: "/monitoring",
  validateSearch: (search): { endpoint?: string } => omitUndefined({ endpoint: text(search.endpoint) }),
  component: lazyRouteComponent(() => import("./features/monitoring/page.tsx"), "MonitoringPage"),
});
const predictions = createRoute({
  getParentRoute: () => root,
  path: "/predictions",
  validateSearch: (search): { endpoint?: string } => omitUndefined({ endpoint: text(search.endpoint) }),
  component: lazyRouteComponent(() => import("./features/predictions/page.tsx"), "PredictionsPage"),
});
const prediction = createRoute({
  getParentRoute: () => root,
  path: "/predictions/$id",
  component: lazyRouteComponent(() => import("./features/predictions/prediction-page.tsx"), "PredictionPage"),
});
const system = createRoute({
  getParentRoute: () => root,
  path: "/system",
  component: lazyRouteComponent(() => import("./features/system/page.tsx"), "SystemPage"),
});
const settings = createRoute({
  getParentRoute: () => root,
  path: "/settings",
  validateSearch: readSettingsSearch,
  component: lazyRouteComponent(() => import("./features/settings/page.tsx"), "SettingsPage"),
});

/** Under exactOptionalPropertyTypes an absent search parameter is a missing property, not an undefined one. */
function omitUndefined<T extends object>(search: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  const kept = Object.entries(search).filter(([, value]) => value !== undefined);
  // The entries are T's own, less the undefined ones.
  return Object.fromEntries(kept) as { [Key in keyof T]?: Exclude<T[Key], undefined> };
}

export const router = createRouter({
  routeTree: root.addChildren([
    home,
    data,
    features,
    experiments,
    runs,
    compare,
    run,
    models,
    model,
    pipelines,
    pipelineRun,
    endpoints,
    monitoring,
    predictions,
    prediction,
    system,
    settings,
  ]),
  basepath: readProjectAddress(location.pathname).base,
  defaultPreload: "intent",
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
