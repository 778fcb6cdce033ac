import { z } from "zod";
import { auditRoutes, tokenRoutes, userRoutes } from "./access-routes.ts";
import { dataRoutes } from "./data-routes.ts";
import * as entities from "./entities.ts";
import { erasureRoutes } from "./erasure-routes.ts";
import { garbageRoutes } from "./garbage-routes.ts";
import { modelRoutes } from "./model-routes.ts";
import type { Permission } from "./permissions.ts";
import { sourceRoutes } from "./push-routes.ts";
import { artifactRoutes, experimentRoutes, loggedModelRoutes, runRoutes } from "./tracking-routes.ts";
import { trainingSetRoutes } from "./training-sets.ts";

export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Below /api/v1/:workspace/:project, with :names for params. */
  readonly path: string;
  readonly permission: Permission;
  /** False where what changes names its author itself: a run's metrics are no news one by one. */
  readonly audited?: false;
  readonly summary: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  readonly response: z.ZodType;
}

const page = z.object({ limit: z.coerce.number().int().min(1).max(1_000).default(100), cursor: z.string().optional() });
const paged = <T extends z.ZodType>(item: T) => z.object({ items: z.array(item), nextCursor: z.string().nullable() });
const byId = z.object({ id: z.string() });
const byName = z.object({ name: z.string() });
const done = z.object({ ok: z.literal(true) });

/** Every route of the API, once: validation, OpenAPI and the typed client are made from this table. */
export const routes = {
  loop: {
    get: { method: "GET", path: "/loop", permission: "read", summary: "The state of the whole loop", response: entities.loop },
  },
  data: dataRoutes,
  sources: sourceRoutes,
  features: {
    list: {
      method: "GET",
      path: "/features",
      permission: "read",
      summary: "Feature views and how fresh they are",
      response: z.object({ items: z.array(entities.featureView) }),
    },
    statistics: {
      method: "GET",
      path: "/features/:name/statistics",
      permission: "read",
      summary: "What each materialization of a feature view wrote, newest first, with its features' values then",
      params: byName,
      query: z.object({ limit: z.coerce.number().int().min(1).max(1_000).default(50) }),
      response: z.object({ items: z.array(entities.viewStatistics) }),
    },
    versions: {
      method: "GET",
      path: "/features/:name/versions",
      permission: "read",
      summary: "Versions of a feature view that can be read online, the current one first, and which deployed models read them",
      params: byName,
      response: z.object({ items: z.array(entities.viewVersion) }),
    },
    materialize: {
      method: "POST",
      path: "/features/materialize",
      permission: "run",
      summary: "Take in what arrived and bring the online store up to now",
      body: z.object({}),
      response: z.object({ views: z.array(entities.materializedView) }),
    },
    lineage: {
      method: "GET",
      path: "/features/lineage",
      permission: "read",
      summary: "From columns of sources to features, and on to model versions and endpoints",
      query: z.object({
        /** Only what has to do with this source, "source.column", view, feature, model or endpoint. */
        of: z.string().optional(),
      }),
      response: z.object({ items: z.array(entities.featureLineage) }),
    },
    consistency: {
      method: "GET",
      path: "/features/consistency",
      permission: "read",
      summary: "Reports of how feature values agree with the offline ones, newest first",
      query: z.object({ limit: z.coerce.number().int().min(1).max(100).default(10) }),
      response: z.object({ items: z.array(entities.consistencyReport) }),
    },
    checkConsistency: {
      method: "POST",
      path: "/features/consistency",
      permission: "run",
      summary: "Compare reads of the online store and logged predictions with the offline values as of then",
      body: z.object({
        sample: z.number().int().min(1).max(100_000).optional(),
        since: entities.timestamp.optional(),
      }),
      response: entities.consistencyReport,
    },
  },
  trainingSets: trainingSetRoutes,
  experiments: experimentRoutes,
  runs: runRoutes,
  artifacts: artifactRoutes,
  loggedModels: loggedModelRoutes,
  models: modelRoutes,
  pipelines: {
    list: {
      method: "GET",
      path: "/pipelines",
      permission: "read",
      summary: "Pipelines of the project",
      response: z.object({
        items: z.array(
          z.object({
            name: z.string(),
            schedule: z.string().nullable(),
            stages: z.array(z.string()),
            triggers: z.array(z.string()),
          }),
        ),
      }),
    },
    runs: {
      method: "GET",
      path: "/pipeline-runs",
      permission: "read",
      summary: "Pipeline runs, newest first",
      query: page.extend({ pipeline: z.string().optional() }),
      response: paged(entities.pipelineRunSummary),
    },
    run: {
      method: "GET",
      path: "/pipeline-runs/:id",
      permission: "read",
      summary: "One pipeline run with its steps",
      params: byId,
      response: entities.pipelineRun,
    },
    start: {
      method: "POST",
      path: "/pipelines/:name/start",
      permission: "run",
      summary: "Start a pipeline; the same dedupeKey starts one run",
      params: byName,
      body: z.object({
        dedupeKey: z.string().min(1).max(200).optional(),
        stages: z.array(z.string()).optional(),
        reason: z.string().default("asked for"),
      }),
      response: z.object({ runId: z.string() }),
    },
    cancel: {
      method: "POST",
      path: "/pipeline-runs/:id/cancel",
      permission: "run",
      summary: "Cancel a pipeline run",
      params: byId,
      response: done,
    },
  },
  endpoints: {
    list: {
      method: "GET",
      path: "/endpoints",
      permission: "read",
      summary: "Endpoints and what they serve",
      response: z.object({ items: z.array(entities.endpoint) }),
    },
    predictions: {
      method: "GET",
      path: "/endpoints/:name/predictions",
      permission: "read",
      summary: "Logged predictions, newest first",
      params: byName,
      query: z.object({ limit: z.coerce.number().int().min(1).max(1_000).default(50) }),
      response: z.object({ items: z.array(entities.prediction) }),
    },
    predict: {
      method: "POST",
      path: "/endpoints/:name/predict",
      permission: "predict",
      summary: "Ask an endpoint through the control plane, for trying it out; traffic goes to the endpoint's own url",
      params: byName,
      body: z.object({ instances: z.array(z.record(z.string(), z.unknown())).min(1).max(100) }),
      response: z.object({ predictions: z.array(entities.answer) }),
    },
  },
  predictions: {
    get: {
      method: "GET",
      path: "/predictions/:id",
      permission: "read",
      summary: "One logged prediction",
      params: byId,
      response: entities.prediction,
    },
    explain: {
      method: "GET",
      path: "/predictions/:id/explanation",
      permission: "read",
      summary: "SHAP values of one prediction",
      params: byId,
      response: entities.explanation,
    },
    counterfactuals: {
      method: "GET",
      path: "/predictions/:id/counterfactuals",
      permission: "read",
      summary: "What would have got another decision: the smallest changes to one prediction's features",
      params: byId,
      response: entities.counterfactuals,
    },
  },
  monitoring: {
    get: {
      method: "GET",
      path: "/endpoints/:name/monitoring",
      permission: "read",
      summary: "Drift, performance and alerts by window",
      params: byName,
      response: entities.monitoring,
    },
    alerts: {
      method: "GET",
      path: "/alerts",
      permission: "read",
      summary: "Alerts, newest first",
      query: z.object({ status: z.enum(["open", "acknowledged", "resolved"]).optional() }),
      response: z.object({ items: z.array(entities.alert) }),
    },
    acknowledge: {
      method: "POST",
      path: "/alerts/:id/acknowledge",
      permission: "run",
      summary: "Acknowledge an alert",
      params: byId,
      response: entities.alert,
    },
  },
  clock: {
    advance: {
      method: "POST",
      path: "/clock/advance",
      permission: "run",
      summary: "Move a virtual clock and do everything that falls due on the way",
      body: z.object({ to: entities.timestamp }),
      response: z.object({ now: entities.timestamp, pipelineRuns: z.array(z.string()) }),
    },
  },
  system: {
    get: {
      method: "GET",
      path: "/system",
      permission: "read",
      summary: "Machine, processes and state folder",
      response: entities.system,
    },
  },
  garbage: garbageRoutes,
  erasures: erasureRoutes,
  users: userRoutes,
  tokens: tokenRoutes,
  audit: auditRoutes,
} as const satisfies Record<string, Record<string, Route>>;

export type Routes = typeof routes;
export const API_PREFIX = "/api/v1";
