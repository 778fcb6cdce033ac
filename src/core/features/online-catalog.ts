import {
  type ColumnType,
  type FeatureReference,
  type FeatureViewDefinition,
  type ProjectDefinition,
  storedView,
  viewFeatures,
} from "../definitions/index.ts";
import type { OnlineStore } from "../ports/index.ts";
import type { Scope } from "../scope.ts";
import { compileFeaturePlan } from "./compile-plan.ts";
import { featureErrors } from "./errors.ts";
import { referencesOf } from "./feature-references.ts";
import type { ColumnTypes, FeaturePlan, PlannedFeature, PlannedOnDemand, PlannedView } from "./plan.ts";

/**
 * A view as it is asked for: under its own name, or under another one with fields of its own. It holds no definitions' hashes: unlike a
 * model, who asks for a feature by its name takes it as it is now.
 */
export interface CatalogView extends Omit<PlannedView, "definitions"> {
  readonly types: ColumnTypes;
  readonly seasonal: readonly string[];
  readonly source: string;
}

export interface CatalogService {
  readonly name: string;
  readonly version: number;
  /** Ids of features, in order. */
  readonly features: readonly string[];
}

/**
 * What can be asked of an online store, written into it: who reads features there needs no project. JSON.
 * On-demand functions come after those that they read.
 */
export interface OnlineCatalog {
  readonly formatVersion: 1;
  readonly views: readonly CatalogView[];
  readonly onDemand: readonly PlannedOnDemand[];
  readonly services: readonly CatalogService[];
}

const FORMAT_VERSION = 1;

/** No view's key begins like this. */
export const catalogKey = ({ workspace, project }: Scope): string => `${JSON.stringify([workspace, project])}:catalog`;

/** Everything that a project's views, services and models can be asked for. */
export function catalogOf({
  features,
  services,
  models,
}: Pick<ProjectDefinition, "features" | "services" | "models">): OnlineCatalog {
  const views = new Map<string, CatalogView>();
  const onDemand = new Map<string, PlannedOnDemand>();
  const note = (reference: FeatureReference): void => {
    const { from } = reference;
    if (from.kind === "feature-view") {
      if (!views.has(from.name)) views.set(from.name, catalogView(from));
      return;
    }
    from.inputs.forEach(note);
    if (onDemand.has(from.name)) return;
    const planned = compileFeaturePlan({ name: from.name, features: [reference] }).onDemand.find(
      ({ name }) => name === from.name,
    );
    if (planned !== undefined) onDemand.set(from.name, planned);
  };
  for (const view of features) views.set(view.name, catalogView(view));
  for (const each of [...services, ...models]) each.features.forEach(note);
  return {
    formatVersion: FORMAT_VERSION,
    views: [...views.values()],
    onDemand: [...onDemand.values()],
    services: services.map(({ name, version, features }) => ({ name, version, features: features.map(({ id }) => id) })),
  };
}

function catalogView(view: FeatureViewDefinition): CatalogView {
  const [{ definitions: _, ...planned }] = compileFeaturePlan({
    name: storedView(view).name,
    features: referencesOf(view),
  }).views;
  return { ...planned, types: Object.fromEntries(viewFeatures(view)), seasonal: view.seasonal, source: view.source.name };
}

/** Writes the catalog where it is another than the one that is there. */
export async function writeCatalog(online: OnlineStore, scope: Scope, catalog: OnlineCatalog): Promise<void> {
  const key = catalogKey(scope);
  const bytes = Buffer.from(JSON.stringify(catalog));
  const [before] = await online.getMany([key]);
  if (before === null || before === undefined || Buffer.compare(before, bytes) !== 0) await online.putMany([[key, bytes]]);
}

/**
 * What can be asked of the store, and the bytes that say so; null where nothing has been materialized yet.
 * @throws FEATURE_RECORD_CORRUPT
 */
export async function readCatalog(
  online: OnlineStore,
  scope: Scope,
): Promise<{ readonly catalog: OnlineCatalog; readonly bytes: Uint8Array } | null> {
  const [bytes] = await online.getMany([catalogKey(scope)]);
  if (bytes === null || bytes === undefined) return null;
  const parsed = parse(bytes);
  if (parsed.formatVersion === FORMAT_VERSION) return { catalog: parsed, bytes };
  throw featureErrors.FEATURE_RECORD_CORRUPT("The catalog of the online store was written by another version of Orrery");
}

function parse(bytes: Uint8Array): OnlineCatalog {
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8")) as OnlineCatalog;
  } catch (cause) {
    throw featureErrors.FEATURE_RECORD_CORRUPT("The catalog of the online store cannot be read", { cause });
  }
}

const ON_DEMAND = "on-demand.";

/**
 * The plan of some features, by their ids ("view.feature", "on-demand.name"), in their order.
 * @throws FEATURE_VIEW_UNKNOWN, FEATURE_UNKNOWN, FEATURE_NONE, FEATURE_DUPLICATE, FEATURE_KEY_INVALID where views need one field with
 * different types
 */
export function planOfCatalog({ views, onDemand }: OnlineCatalog, ids: readonly string[]): FeaturePlan {
  if (ids.length === 0) throw featureErrors.FEATURE_NONE("No features are asked for");
  const wanted = new Map<CatalogView, Set<string>>();
  const functions = new Set<PlannedOnDemand>();
  const keys: Record<string, ColumnType> = {};
  const request: Record<string, ColumnType> = {};
  const take = (fields: Record<string, ColumnType>, more: ColumnTypes) => {
    for (const [field, type] of Object.entries(more)) {
      const before = keys[field] ?? request[field] ?? type;
      if (before !== type) throw featureErrors.FEATURE_KEY_INVALID(`The field "${field}" would be ${before} and ${type}`);
      fields[field] = type;
    }
  };
  const need = (id: string): PlannedFeature => {
    if (id.startsWith(ON_DEMAND)) {
      const name = id.slice(ON_DEMAND.length);
      const found = onDemand.find((each) => each.name === name);
      if (found === undefined) throw featureErrors.FEATURE_UNKNOWN(`There is no on-demand feature "${name}"`);
      for (const input of found.inputs) need(input.id);
      functions.add(found);
      take(request, found.request);
      return { id, type: found.returns, seasonal: false, origin: { kind: "on-demand", name }, source: null };
    }
    const dot = id.indexOf(".");
    const [name, feature] = [id.slice(0, dot), id.slice(dot + 1)];
    const view = views.find((each) => each.name === name);
    if (dot < 0 || view === undefined)
      throw featureErrors.FEATURE_VIEW_UNKNOWN(`There is no feature view "${dot < 0 ? id : name}"`, { details: { view: name } });
    if (!Object.hasOwn(view.types, feature))
      throw featureErrors.FEATURE_UNKNOWN(`Feature view "${name}" has no feature "${feature}"`);
    const features = wanted.get(view) ?? new Set();
    wanted.set(view, features);
    features.add(feature);
    take(keys, view.keyTypes);
    const seasonal = view.seasonal.includes(feature);
    return { id, type: view.types[feature], seasonal, origin: { kind: "view", view: name, feature }, source: view.source };
  };
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined) throw featureErrors.FEATURE_DUPLICATE(`Feature "${twice}" is asked for twice`);
  const features = ids.map(need);
  return {
    formatVersion: 1,
    features,
    views: [...wanted].map(([{ types: _types, seasonal: _seasonal, source: _source, ...view }, asked]) => ({
      ...view,
      features: [...asked],
    })),
    onDemand: onDemand.filter((each) => functions.has(each)),
    keys,
    request: Object.fromEntries(Object.entries(request).filter(([field]) => keys[field] === undefined)),
  };
}
