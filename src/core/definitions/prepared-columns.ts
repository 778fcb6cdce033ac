import type { PreparationStep } from "./preparation-steps.ts";

/** What a column holds while steps work on it. An indicator is 0 or 1 by what it is, and steps for numbers leave it alone. */
export type ColumnKind = "category" | "number" | "timestamp" | "indicator";

/** Steps that say nothing to trees, which split alike before and after a monotone map, and take missing values and categories as they are. */
const FOR_LINEAR: ReadonlySet<PreparationStep["kind"]> = new Set([
  "impute",
  "standard-scale",
  "min-max-scale",
  "robust-scale",
  "quantile-scale",
  "log-transform",
  "power-transform",
  "one-hot",
]);

/** Whether a step is for estimators of a family. */
export function stepApplies(step: PreparationStep, family: "linear" | "tree"): boolean {
  const steps = step.for ?? (FOR_LINEAR.has(step.kind) ? "linear" : "all");
  return steps === "all" || steps === family;
}

/** Whether a step does something to a column of a kind. */
export function worksOn(step: PreparationStep, column: ColumnKind): boolean {
  switch (step.kind) {
    case "one-hot":
    case "ordinal":
    case "frequency-encode":
    case "target-encode":
      return column === "category";
    case "impute":
      return column !== "indicator" && imputes(step, column);
    case "date-parts":
      return column === "timestamp";
    case "products":
      return column !== "category";
    case "select-features":
      return true;
    default:
      return column === "number" || column === "timestamp";
  }
}

/** Whether imputing has something to put into a column. */
function imputes({ strategy, value }: Extract<PreparationStep, { kind: "impute" }>, column: ColumnKind): boolean {
  if (strategy === "mostFrequent") return true;
  if (strategy === "constant") return (typeof value === "string") === (column === "category");
  return column !== "category";
}

/** What a step makes of a column of a kind: one kind for each column that may come of it. */
export function columnsAfter(step: PreparationStep, column: ColumnKind): readonly ColumnKind[] {
  if (!worksOn(step, column)) return [column];
  switch (step.kind) {
    case "one-hot":
      return ["indicator"];
    case "impute":
      return step.indicator ? [column, "indicator"] : [column];
    case "clip":
    case "select-features":
      return [column];
    case "products":
      return [column, "number"];
    case "date-parts":
      return step.keep ? ["number", "indicator", column] : ["number", "indicator"];
    default:
      return ["number"];
  }
}
