import { nearestName } from "../core/data/index.ts";
import { featureErrors, featureOrigins, featuresOfPlan, projectReferences } from "../core/features/index.ts";
import { readCurrent } from "../core/serving/index.ts";
import { unpackModel } from "../core/training/index.ts";
import type { Platform } from "./platform.ts";

/** From columns of sources to a feature, and on to the model versions and endpoints that read it. */
export interface FeatureLineage {
  readonly feature: string;
  /** "source.column". */
  readonly columns: readonly string[];
  /** Other features that it is computed from. */
  readonly inputs: readonly string[];
  /** Versions that have an alias or are served; those of other tools say nothing of their features. */
  readonly versions: readonly { readonly model: string; readonly version: number; readonly aliases: readonly string[] }[];
  /** Endpoints that answer with one of these now. */
  readonly endpoints: readonly string[];
}

type Rooms = Pick<Platform, "project" | "paths" | "registry" | "artifacts" | "engine">;

/**
 * Every feature of the project with what it comes from and what depends on it; with `of`, only those that have to do with this source,
 * "source.column", view, feature, model or endpoint.
 * @throws FEATURE_LINEAGE_UNKNOWN, DATA_EXPRESSION_INVALID, and what unpackModel throws
 */
export async function featureLineage(rooms: Rooms, of?: string): Promise<FeatureLineage[]> {
  const engine = await rooms.engine();
  const readers = await versionsRead(rooms);
  const lineage: FeatureLineage[] = [];
  for (const reference of projectReferences(rooms.project).values()) {
    const { feature, columns, inputs } = await featureOrigins(engine, reference);
    const reading = readers.filter(({ features }) => features.has(feature));
    lineage.push({
      feature,
      columns,
      inputs,
      versions: reading.map(({ model, version, aliases }) => ({ model, version, aliases })),
      endpoints: [...new Set(reading.flatMap(({ endpoints }) => endpoints))].sort(),
    });
  }
  if (of === undefined) return lineage;
  const concerned = lineage.filter((each) => concerns(each, of));
  if (concerned.length === 0) refuseUnknown(rooms.project, lineage, of);
  return concerned;
}

/** What the project has and no feature comes from or goes to is no mistake. @throws FEATURE_LINEAGE_UNKNOWN */
function refuseUnknown(
  { sources, features, models, endpoints }: Rooms["project"],
  lineage: readonly FeatureLineage[],
  of: string,
) {
  const names = new Set([
    ...sources.flatMap(({ name, contracts }) => [name, ...Object.keys(contracts).map((column) => `${name}.${column}`)]),
    ...[...features, ...models, ...endpoints].map(({ name }) => name),
    ...lineage.flatMap(({ feature, inputs }) => [feature, ...inputs]),
  ]);
  if (names.has(of)) return;
  const nearest = nearestName(of, [...names]);
  throw featureErrors.FEATURE_LINEAGE_UNKNOWN(
    `Nothing of the project is called "${of}"${nearest === null ? "" : `; did you mean "${nearest}"?`}`,
  );
}

const beforeDot = (name: string): string => name.slice(0, name.indexOf("."));

function concerns({ feature, columns, inputs, versions, endpoints }: FeatureLineage, of: string): boolean {
  const features = [feature, ...inputs];
  return (
    features.includes(of) ||
    features.some((each) => beforeDot(each) === of) ||
    columns.includes(of) ||
    columns.some((column) => beforeDot(column) === of) ||
    versions.some(({ model }) => model === of) ||
    endpoints.includes(of)
  );
}

/** What each version reads that somebody may ask. */
async function versionsRead({ project, paths, registry, artifacts }: Rooms) {
  const routes = project.endpoints.flatMap(({ name, model }) =>
    (readCurrent(paths.deployment(name))?.routes ?? []).map((route) => ({ ...route, endpoint: name, model: model.name })),
  );
  const found = [];
  for (const { name: model, aliases } of await registry.models()) {
    const served = routes.filter((route) => route.model === model);
    const numbers = new Set([...Object.values(aliases), ...served.map(({ version }) => version)]);
    for (const version of [...numbers].sort((one, other) => one - other)) {
      const { artifact } = await registry.version(model, version);
      if (artifact === null || !(await artifacts.has(artifact))) continue;
      found.push({
        model,
        version,
        aliases: Object.keys(aliases).filter((alias) => aliases[alias] === version),
        endpoints: served.filter((route) => route.version === version).map(({ endpoint }) => endpoint),
        features: featuresOfPlan(unpackModel(await artifacts.read(artifact)).plan),
      });
    }
  }
  return found;
}
