import { type ColumnType, type FeatureViewDefinition, noEntity, viewFeatures } from "../definitions/index.ts";
import { featureErrors } from "./errors.ts";

const KEY_TYPES: readonly ColumnType[] = ["string", "int32", "int64", "bool", "timestamp"];
const RESERVED = ["on-demand", "on_demand"];

/**
 * What can be said about a view without data; gives it back.
 * @throws FEATURE_NAME_INVALID, FEATURE_KEY_INVALID, FEATURE_COLUMN_UNKNOWN, FEATURE_DUPLICATE, FEATURE_TIME_MISSING, FEATURE_WINDOW_INVALID
 */
export function checkView(view: FeatureViewDefinition): FeatureViewDefinition {
  const { name, entity, source, features, aggregates, ttl } = view;
  const names = viewFeatures(view).map(([feature]) => feature);
  for (const each of [name, ...names]) {
    if (each === "" || each.includes("."))
      throw featureErrors.FEATURE_NAME_INVALID(`"${each}" cannot be a name in feature view "${name}"`);
  }
  if (RESERVED.includes(name)) throw featureErrors.FEATURE_NAME_INVALID(`A feature view cannot be named "${name}"`);
  const twice = names.find((each, index) => names.findIndex((other) => other.toLowerCase() === each.toLowerCase()) !== index);
  if (twice !== undefined) throw featureErrors.FEATURE_DUPLICATE(`Feature view "${name}" has two features named "${twice}"`);
  if (names.length === 0)
    throw featureErrors.FEATURE_NONE(`Feature view "${name}" has no features`, {
      hint: "Give it features, expressions or aggregates.",
    });
  const keys = Object.entries(entity.keys);
  if (keys.length === 0 && entity.name !== noEntity.name)
    throw featureErrors.FEATURE_KEY_INVALID(`Entity "${entity.name}" has no keys`, {
      hint: "Give it keys, or leave the view's entity out: then its features describe everything at once.",
    });
  for (const [key, type] of keys) {
    const found = source.contracts[key]?.type;
    if (found !== type || !KEY_TYPES.includes(type)) {
      throw featureErrors.FEATURE_KEY_INVALID(
        `Key "${key}" (${type}) of entity "${entity.name}" is ${found ?? "absent"} in source "${source.name}"`,
      );
    }
  }
  for (const column of features) {
    if (source.contracts[column] === undefined) {
      throw featureErrors.FEATURE_COLUMN_UNKNOWN(
        `Feature view "${name}" reads "${column}", which source "${source.name}" does not have`,
      );
    }
  }
  const windows = [...Object.values(aggregates).map(({ window }) => window), ...(ttl === undefined ? [] : [ttl])];
  if (windows.some((window) => !(window > 0)))
    throw featureErrors.FEATURE_WINDOW_INVALID(`Feature view "${name}" has a window of no length`);
  if (windows.length > 0 && source.eventTime === undefined) {
    throw featureErrors.FEATURE_TIME_MISSING(
      `Feature view "${name}" looks back in time over "${source.name}", which has no eventTime`,
    );
  }
  return view;
}
