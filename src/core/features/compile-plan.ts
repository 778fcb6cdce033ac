import {
  type ColumnType,
  type FeatureReference,
  type FeatureViewDefinition,
  keyFields,
  type ModelDefinition,
  type OnDemandDefinition,
  refuseOnDemandCycles,
  storedView,
} from "../definitions/index.ts";
import { checkView } from "./check-view.ts";
import { featureErrors } from "./errors.ts";
import { checkSelfContained, codeHash, onDemandCode } from "./on-demand.ts";
import { featureDefinition } from "./online-view.ts";
import type { FeaturePlan, PlannedFeature, PlannedOnDemand, PlannedView } from "./plan.ts";

/**
 * What a model's features need, as JSON: views with the features to read, on-demand functions (those that others read come
 * first) with their code, and the fields that a request carries.
 * @throws FEATURE_NONE, FEATURE_DUPLICATE, FEATURE_NAME_INVALID, FEATURE_KEY_INVALID, FEATURE_REQUEST_TYPE, FEATURE_COLUMN_UNKNOWN,
 * FEATURE_TIME_MISSING, FEATURE_WINDOW_INVALID, FEATURE_ON_DEMAND_…, DEFINITION_FEATURE_CYCLE
 */
export function compileFeaturePlan(model: Pick<ModelDefinition, "name" | "features">): FeaturePlan {
  if (model.features.length === 0) throw featureErrors.FEATURE_NONE(`Model "${model.name}" has no features`);
  refuseDuplicates(model.features);
  refuseOnDemandCycles(model.features);

  const views = new Map<string, { definition: FeatureViewDefinition; features: Set<string> }>();
  const onDemand = new Map<string, PlannedOnDemand>();
  const keys: Record<string, ColumnType> = {};
  const request: Record<string, ColumnType> = {};

  const need = ({ from, name }: FeatureReference): void => {
    if (from.kind === "feature-view") {
      const known = views.get(from.name) ?? { definition: checkView(from), features: new Set() };
      if (known.definition !== from) throw featureErrors.FEATURE_DUPLICATE(`Two feature views are named "${from.name}"`);
      views.set(from.name, known);
      known.features.add(name);
      return;
    }
    for (const input of from.inputs) need(input);
    const planned = planOnDemand(from);
    const known = onDemand.get(from.name);
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(planned)) {
      throw featureErrors.FEATURE_DUPLICATE(`Two on-demand features are named "${from.name}"`);
    }
    if (known !== undefined) return;
    onDemand.set(from.name, planned);
    for (const [field, type] of Object.entries(from.request)) {
      const before = request[field] ?? type;
      if (before !== type) throw featureErrors.FEATURE_REQUEST_TYPE(`Request field "${field}" is ${before} and ${type}`);
      request[field] = type;
    }
  };
  for (const feature of model.features) need(feature);

  for (const { definition } of views.values()) {
    for (const [key, type] of Object.entries(fieldTypes(definition))) {
      const before = keys[key] ?? request[key] ?? type;
      if (before !== type) throw featureErrors.FEATURE_KEY_INVALID(`Entity key "${key}" is ${before} and ${type}`);
      keys[key] = type;
    }
  }
  for (const planned of onDemand.values()) checkSelfContained(planned);
  return {
    formatVersion: 1,
    features: model.features.map(planFeature),
    views: [...views.values()].map(({ definition, features }) => planView(definition, features)),
    onDemand: [...onDemand.values()],
    keys,
    request: Object.fromEntries(Object.entries(request).filter(([field]) => keys[field] === undefined)),
  };
}

/** DuckDB's column names know no letter case, so neither do ids. */
function refuseDuplicates(features: readonly FeatureReference[]): void {
  const seen = new Set<string>();
  for (const { id } of features) {
    if (seen.has(id.toLowerCase())) throw featureErrors.FEATURE_DUPLICATE(`Feature "${id}" stands twice in the model`);
    seen.add(id.toLowerCase());
  }
}

const planFeature = ({ id, name, type, seasonal, from }: FeatureReference): PlannedFeature => ({
  id,
  type,
  seasonal,
  origin: from.kind === "feature-view" ? { kind: "view", view: from.name, feature: name } : { kind: "on-demand", name },
  source: from.kind === "feature-view" ? from.source.name : null,
});

/** Type of each field that a view's keys are asked by. */
const fieldTypes = (view: FeatureViewDefinition): Record<string, ColumnType> =>
  Object.fromEntries(Object.entries(keyFields(view)).map(([key, field]) => [field, view.entity.keys[key]]));

const planView = (view: FeatureViewDefinition, features: ReadonlySet<string>): PlannedView => ({
  name: view.name,
  ...(view.alias === undefined ? {} : { stored: storedView(view).name }),
  keys: Object.values(keyFields(view)),
  keyTypes: fieldTypes(view),
  features: [...features],
  ttl: view.ttl ?? null,
  definitions: Object.fromEntries([...features].map((name) => [name, featureDefinition(view, name)])),
});

function planOnDemand(definition: OnDemandDefinition): PlannedOnDemand {
  const { name, inputs, request, returns, compute } = definition;
  if (name === "" || name.includes(".")) throw featureErrors.FEATURE_NAME_INVALID(`"${name}" cannot name an on-demand feature`);
  const names = [...inputs.map((input) => input.name), ...Object.keys(request)];
  const twice = names.find((argument, index) => names.indexOf(argument) !== index);
  if (twice !== undefined)
    throw featureErrors.FEATURE_ON_DEMAND_INPUTS(`On-demand feature "${name}" has two inputs named "${twice}"`);
  const code = onDemandCode(name, compute);
  return {
    name,
    inputs: inputs.map((input) => ({ name: input.name, id: input.id, type: input.type })),
    request,
    returns,
    code,
    sha256: codeHash(code),
  };
}
