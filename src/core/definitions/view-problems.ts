import type { ColumnType } from "./columns.ts";
import { type FeatureViewDefinition, noEntity, viewFeatures } from "./features.ts";

/** What is wrong with a feature view, to be said of it: `Feature view "x" …`. */
export interface ViewProblem {
  readonly kind: "view-name" | "name" | "twice" | "none" | "key" | "column" | "window" | "time";
  readonly message: string;
  /** Where the kind alone does not tell what to do. */
  readonly hint?: string;
}

const KEY_TYPES: readonly ColumnType[] = ["string", "int32", "int64", "bool", "timestamp"];
/** Rules and training sets name on-demand features by these. */
const RESERVED = ["on-demand", "on_demand"];

/** What can be said against a view without data and without reading its SQL. */
export function viewProblems(view: FeatureViewDefinition): ViewProblem[] {
  const { name, source, features } = view;
  const names = viewFeatures(view).map(([feature]) => feature);
  const isNone = (each: string) => each === "" || each.includes(".");
  const problems = names
    .filter(isNone)
    .map((each): ViewProblem => ({ kind: "name", message: `"${each}" cannot be a name in feature view "${name}"` }));
  if (isNone(name)) problems.push({ kind: "view-name", message: `"${name}" cannot be the name of a feature view` });
  if (RESERVED.includes(name.toLowerCase())) problems.push({ kind: "name", message: `A feature view cannot be named "${name}"` });
  const lower = names.map((each) => each.toLowerCase());
  const twice = names.find((_, index) => lower.indexOf(lower[index]) !== index);
  if (twice !== undefined) problems.push({ kind: "twice", message: `Feature view "${name}" has two features named "${twice}"` });
  if (names.length === 0)
    problems.push({
      kind: "none",
      message: `Feature view "${name}" has no features`,
      hint: "Give it features, expressions or aggregates.",
    });
  for (const column of features)
    if (source.contracts[column] === undefined)
      problems.push({
        kind: "column",
        message: `Feature view "${name}" reads "${column}", which source "${source.name}" does not have`,
      });
  return [...problems, ...keyProblems(view), ...timeProblems(view)];
}

function keyProblems({ entity, source }: FeatureViewDefinition): ViewProblem[] {
  const keys = Object.entries(entity.keys);
  if (keys.length === 0 && entity.name !== noEntity.name)
    return [
      {
        kind: "key",
        message: `Entity "${entity.name}" has no keys`,
        hint: "Give it keys, or leave the view's entity out: then its features describe everything at once.",
      },
    ];
  return keys.flatMap(([key, type]): ViewProblem[] => {
    const found = source.contracts[key]?.type;
    if (found === type && KEY_TYPES.includes(type)) return [];
    const there = `is ${found ?? "absent"} in source "${source.name}"`;
    return [{ kind: "key", message: `Key "${key}" (${type}) of entity "${entity.name}" ${there}` }];
  });
}

function timeProblems({ name, source, aggregates, ttl, freshWithin }: FeatureViewDefinition): ViewProblem[] {
  const windows = [...Object.values(aggregates).map(({ window }) => window), ...(ttl === undefined ? [] : [ttl])];
  const problems: ViewProblem[] = [];
  if (freshWithin !== undefined && !(freshWithin > 0))
    problems.push({ kind: "window", message: `Feature view "${name}" can never be fresh within no time` });
  if (windows.some((window) => !(window > 0)))
    problems.push({ kind: "window", message: `Feature view "${name}" has a window of no length` });
  if (windows.length > 0 && source.eventTime === undefined)
    problems.push({
      kind: "time",
      message: `Feature view "${name}" looks back in time over "${source.name}", which has no eventTime`,
    });
  return problems;
}
