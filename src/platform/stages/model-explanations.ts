import type { MetricName } from "../../core/definitions/index.ts";
import {
  accumulatedEffects,
  type CardDependence,
  type FairnessReport,
  fairnessReport,
  type PermutationImportance,
  partialDependence,
  permutationImportance,
  predictionOf,
  type SegmentResult,
  type ShapSummary,
  type SurrogateTree,
  segmentResults,
  summarizeShap,
  surrogateTree,
  viewGroups,
} from "../../core/explain/index.ts";
import { binaryLabels, type Dataset, type ModelPackage, predict, type RowSelection } from "../../core/training/index.ts";
import { whereSupported } from "./where-supported.ts";

/** Artifact `explanation.json` of a model's run; everything on the selection part of validation. What is optional was not made by earlier versions. */
export interface StoredExplanation {
  readonly formatVersion: 1;
  readonly shap: ShapSummary;
  readonly permutation: PermutationImportance;
  readonly segments: readonly SegmentResult[];
  readonly dependence?: CardDependence;
  readonly surrogate?: SurrogateTree;
  /** null where no protected column is named, or the task has no decision. */
  readonly fairness?: FairnessReport | null;
  /** What the explanation cannot say, as sentences for the card. */
  readonly limits?: readonly string[];
}

export interface ExplanationScope {
  readonly select: MetricName;
  /** Names of segments by which nobody shall be treated worse. */
  readonly protected: readonly string[];
  /** The charter's target: what the curves are of, in words. */
  readonly target: string;
}

/** Positive labels below which a segment is not judged. */
export const MIN_POSITIVES = 100;
/** Models that are explained by sampling cost thousands of predictions a row. */
const KERNEL = { maxRows: 40, evaluations: 256 };
const PERMUTATIONS = { repeats: 2, maxRows: 3_000, resamples: 60 };
/** Features whose curves are drawn: the most important ones. */
const CURVES = 6;
const DEPENDENCE_ROWS = 500;
const SURROGATE_ROWS = 5_000;
const FAIRNESS_RESAMPLES = 200;

/** What is said about a model as a whole, on rows that it was not trained on. */
export function explainModel(
  model: ModelPackage,
  dataset: Dataset,
  rows: RowSelection,
  { select, protected: protectedBy, target }: ExplanationScope,
): StoredExplanation {
  const limits: string[] = [];
  const permutation = permutationImportance(model, dataset, rows, { metric: select, groups: viewGroups(model), ...PERMUTATIONS });
  const leading = permutation.features.slice(0, CURVES).map(({ feature }) => feature);
  const segments = whereSupported("results by segment", limits, () =>
    segmentResults(model, dataset, rows, { minPositives: MIN_POSITIVES }),
  );
  // Of several classes the most frequent one is explained.
  const output = model.task === "multiclass" ? mostFrequent(dataset, rows, model.classes.length) : 0;
  if (model.task === "multiclass") {
    limits.push(`SHAP values and curves are those of the class "${model.classes[output]}", the most frequent one.`);
  }
  return {
    formatVersion: 1,
    shap: summarizeShap(model, dataset, rows, { output, ...(model.background.length > 0 && KERNEL) }),
    permutation,
    segments: segments ?? [],
    dependence: { predicts: inWords(model, target, output), ...curves(model, dataset, rows, leading, output) },
    surrogate: surrogateTree(model, dataset, rows, { maxRows: SURROGATE_ROWS }),
    fairness: fairness(model, dataset, rows, protectedBy),
    limits,
  };
}

function inWords({ task, classes }: ModelPackage, target: string, output: number): string {
  if (task === "regression") return target;
  return task === "binary" ? `probability of ${target}` : `probability of ${target} ${classes[output]}`;
}

function mostFrequent(dataset: Dataset, rows: RowSelection, classes: number): number {
  const counts = new Float64Array(classes);
  for (const row of rows) counts[dataset.label[row]] += 1;
  return counts.indexOf(Math.max(...counts));
}

function curves(model: ModelPackage, dataset: Dataset, rows: RowSelection, features: readonly string[], output: number) {
  const f = predictionOf(model, output);
  const hasValue = (id: string) => {
    const column = dataset.features.find((each) => each.id === id);
    if (column === undefined) return false;
    return column.kind === "categorical"
      ? rows.some((row) => column.codes[row] >= 0)
      : rows.some((row) => Number.isFinite(column.values[row]));
  };
  const isNumeric = (id: string) => dataset.features.some((column) => column.id === id && column.kind === "numeric");
  const known = features.filter(hasValue);
  return {
    partial: known.map((feature) => partialDependence(f, dataset, rows, feature, { maxRows: DEPENDENCE_ROWS })),
    effects: known.filter(isNumeric).map((feature) => accumulatedEffects(f, dataset, rows, feature)),
  };
}

function fairness(
  model: ModelPackage,
  dataset: Dataset,
  rows: RowSelection,
  protectedBy: readonly string[],
): FairnessReport | null {
  if (protectedBy.length === 0 || model.task !== "binary") return null;
  return fairnessReport(
    {
      labels: binaryLabels(dataset, rows),
      probabilities: predict(model, dataset, rows).prediction,
      days: Int32Array.from(rows, (row) => dataset.day[row]),
      decision: model.decision,
      protectedColumns: dataset.segments.filter(({ id }) => protectedBy.includes(id)),
      rows,
    },
    { resamples: FAIRNESS_RESAMPLES },
  );
}
