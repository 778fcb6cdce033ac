import { MULTICLASS_METRICS, type MulticlassMetric } from "../../definitions/index.ts";
import { trainErrors } from "../errors.ts";
import { ratio } from "./confusion.ts";
import { definedMetrics } from "./metrics.ts";
import { type ClassRanking, multiclassAreas, rankClasses } from "./multiclass-areas.ts";
import { logLossOf } from "./probability-metrics.ts";
import { checkWeights } from "./rank-rows.ts";
import { denseUnits, type Resampled, weightsOfRows } from "./resampling.ts";

export { MULTICLASS_METRICS } from "../../definitions/index.ts";

/** Rows of several classes, ready to be measured under any weights. */
export interface ScoredClasses {
  readonly classes: number;
  /** By row: its class. */
  readonly label: Int32Array;
  /** By row: the most probable class; of equal ones the first. */
  readonly predicted: Int32Array;
  /** Rows x classes, row by row. */
  readonly probability: Float64Array;
  /** By row: how many classes come before its own by probability (of equal ones the later comes first, as in scikit-learn). */
  readonly place: Int32Array;
  readonly weight: Float64Array | null;
  readonly rankings: readonly ClassRanking[];
}

/**
 * @param labels class of each row, 0 … classes - 1; a class may have no rows
 * @param probabilities rows x classes, row by row
 * @throws TRAIN_EVALUATION_INVALID when lengths differ, a label is no class or a probability not in 0…1
 */
export function scoreClasses(
  labels: ArrayLike<number>,
  probabilities: Float64Array,
  classes: number,
  weights?: Float64Array,
): ScoredClasses {
  checkClasses(labels, probabilities, classes);
  checkWeights(weights, labels.length);
  const label = Int32Array.from(labels);
  const predicted = new Int32Array(label.length);
  const place = new Int32Array(label.length);
  for (let row = 0; row < label.length; row++) {
    const at = row * classes;
    const own = probabilities[at + label[row]];
    for (let k = 0; k < classes; k++) {
      const p = probabilities[at + k];
      if (p > probabilities[at + predicted[row]]) predicted[row] = k;
      if (p > own || (p === own && k > label[row])) place[row]++;
    }
  }
  return {
    classes,
    label,
    predicted,
    probability: probabilities,
    place,
    weight: weights ?? null,
    rankings: rankClasses(label, probabilities, classes),
  };
}

function checkClasses(labels: ArrayLike<number>, probabilities: Float64Array, classes: number): void {
  if (!(Number.isInteger(classes) && classes >= 2) || probabilities.length !== labels.length * classes) {
    throw trainErrors.TRAIN_EVALUATION_INVALID(
      `${labels.length} labels, ${probabilities.length} probabilities, ${classes} classes`,
    );
  }
  for (let row = 0; row < labels.length; row++) {
    const label = labels[row];
    if (!(Number.isInteger(label) && label >= 0 && label < classes)) {
      throw trainErrors.TRAIN_EVALUATION_INVALID(`the label of row ${row} is ${label}, and there are ${classes} classes`);
    }
  }
  const wrong = probabilities.findIndex((p) => !(p >= 0 && p <= 1));
  if (wrong >= 0) {
    throw trainErrors.TRAIN_EVALUATION_INVALID(
      `${probabilities[wrong]} (row ${Math.floor(wrong / classes)}) is not a probability`,
    );
  }
}

/** `cells[truth * classes + predicted]`: rows by their weights. */
export interface ConfusionMatrix {
  readonly classes: number;
  readonly cells: Float64Array;
}

/** Rows by their class and the class predicted. */
export function confusionMatrix(
  labels: ArrayLike<number>,
  predicted: ArrayLike<number>,
  classes: number,
  weights: Float64Array | null = null,
): ConfusionMatrix {
  const cells = new Float64Array(classes * classes);
  for (let row = 0; row < labels.length; row++) {
    cells[labels[row] * classes + predicted[row]] += weights === null ? 1 : weights[row];
  }
  return { classes, cells };
}

interface Marginals {
  readonly total: number;
  readonly hits: Float64Array;
  readonly truth: Float64Array;
  readonly predicted: Float64Array;
}

function marginalsOf({ classes, cells }: ConfusionMatrix): Marginals {
  const hits = new Float64Array(classes);
  const truth = new Float64Array(classes);
  const predicted = new Float64Array(classes);
  let total = 0;
  for (let t = 0; t < classes; t++) {
    hits[t] = cells[t * classes + t];
    for (let p = 0; p < classes; p++) {
      truth[t] += cells[t * classes + p];
      predicted[p] += cells[t * classes + p];
      total += cells[t * classes + p];
    }
  }
  return { total, hits, truth, predicted };
}

/** One figure by class; `undefined` where its denominator is 0: no row predicted (precision), no row (recall), neither (F1). */
export interface ClassMetrics {
  readonly precision: readonly (number | undefined)[];
  readonly recall: readonly (number | undefined)[];
  readonly f1: readonly (number | undefined)[];
  /** Rows of the class by their weights. */
  readonly support: Float64Array;
}

export function classMetrics(matrix: ConfusionMatrix): ClassMetrics {
  const { hits, truth, predicted } = marginalsOf(matrix);
  const each = Array.from(hits.keys());
  return {
    precision: each.map((k) => ratio(hits[k], predicted[k])),
    recall: each.map((k) => ratio(hits[k], truth[k])),
    f1: each.map((k) => ratio(2 * hits[k], truth[k] + predicted[k])),
    support: truth,
  };
}

/**
 * macro: mean over the classes for which it is defined; weighted: by the classes' rows. (scikit-learn's average with
 * zero_division=nan. The micro average of one label a row is the accuracy.)
 */
export function averageOver(values: readonly (number | undefined)[], weights?: ArrayLike<number>): number | undefined {
  let sum = 0;
  let total = 0;
  values.forEach((value, k) => {
    if (value === undefined) return;
    const weight = weights === undefined ? 1 : weights[k];
    sum += weight * value;
    total += weight;
  });
  return ratio(sum, total);
}

/**
 * Cohen's kappa: agreement beyond chance, by what a confusion of two classes costs: none 1, linear |i - j|, quadratic (i - j)^2 (for
 * ordered classes). `undefined` where chance alone would agree.
 */
export function cohenKappa(matrix: ConfusionMatrix, cost: "none" | "linear" | "quadratic" = "none"): number | undefined {
  const { classes, cells } = matrix;
  const { total, truth, predicted } = marginalsOf(matrix);
  let observed = 0;
  let expected = 0;
  for (let t = 0; t < classes; t++) {
    for (let p = 0; p < classes; p++) {
      const distance = Math.abs(t - p);
      const weight = cost === "none" ? Math.min(1, distance) : cost === "linear" ? distance : distance * distance;
      observed += weight * cells[t * classes + p];
      expected += (weight * truth[t] * predicted[p]) / total;
    }
  }
  return expected > 0 ? 1 - observed / expected : undefined;
}

/** Matthews' correlation of several classes (Gorodkin 2004); `undefined` where labels or predictions are all of one class. */
export function matthewsCorrelation(matrix: ConfusionMatrix): number | undefined {
  const { total, hits, truth, predicted } = marginalsOf(matrix);
  const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, each, k) => sum + each * b[k], 0);
  const correct = hits.reduce((sum, each) => sum + each, 0);
  const covariance = correct * total - dot(truth, predicted);
  return ratio(covariance, Math.sqrt(total * total - dot(predicted, predicted)) * Math.sqrt(total * total - dot(truth, truth)));
}

/** Share of rows whose class is among the `k` most probable; `undefined` for no rows. */
export function topKAccuracy({ place, weight }: Pick<ScoredClasses, "place" | "weight">, k: number): number | undefined {
  let hits = 0;
  let total = 0;
  for (let row = 0; row < place.length; row++) {
    const count = weight === null ? 1 : weight[row];
    total += count;
    if (place[row] < k) hits += count;
  }
  return ratio(hits, total);
}

/** Mean log loss, and mean squared distance of the probabilities from the outcome, summed over classes (Brier 1950). */
function lossesOf({ classes, label, probability, weight }: ScoredClasses): { log_loss?: number; brier?: number } {
  let logLoss = 0;
  let squares = 0;
  let total = 0;
  for (let row = 0; row < label.length; row++) {
    const count = weight === null ? 1 : weight[row];
    total += count;
    logLoss += count * logLossOf(1, probability[row * classes + label[row]]);
    for (let k = 0; k < classes; k++) {
      const difference = probability[row * classes + k] - (label[row] === k ? 1 : 0);
      squares += count * difference * difference;
    }
  }
  return total > 0 ? { log_loss: logLoss / total, brier: squares / total } : {};
}

/**
 * Every defined metric of the rows. Those of the decision take the most probable class. balanced_accuracy is the mean recall of
 * the classes that have rows. ROC AUC: see `multiclassAreas`. top_k is absent where there are no more than k classes.
 * @param weights by row, in place of the rows' own
 */
export function multiclassValues(
  scored: ScoredClasses,
  weights: Float64Array | null = scored.weight,
): Partial<Record<MulticlassMetric, number>> {
  const weighted = { ...scored, weight: weights };
  const matrix = confusionMatrix(scored.label, scored.predicted, scored.classes, weights);
  const { precision, recall, f1, support } = classMetrics(matrix);
  const { total, hits } = marginalsOf(matrix);
  if (total === 0) return {};
  return definedMetrics(MULTICLASS_METRICS, {
    accuracy: hits.reduce((sum, each) => sum + each, 0) / total,
    balanced_accuracy: averageOver(recall),
    top_2_accuracy: scored.classes > 2 ? topKAccuracy(weighted, 2) : undefined,
    top_3_accuracy: scored.classes > 3 ? topKAccuracy(weighted, 3) : undefined,
    precision_macro: averageOver(precision),
    precision_weighted: averageOver(precision, support),
    recall_macro: averageOver(recall),
    recall_weighted: averageOver(recall, support),
    f1_macro: averageOver(f1),
    f1_weighted: averageOver(f1, support),
    ...lossesOf(weighted),
    mcc: matthewsCorrelation(matrix),
    kappa: cohenKappa(matrix),
    quadratic_kappa: cohenKappa(matrix, "quadratic"),
    ...multiclassAreas(scored.rankings, scored.label, scored.classes, weights),
  });
}

/** For `estimateMetrics` and `compareCandidates`. @param units day, group or number of each row */
export function resampledClasses(scored: ScoredClasses, units: Int32Array): Resampled<MulticlassMetric> {
  const { count, index } = denseUnits(units);
  return {
    names: MULTICLASS_METRICS,
    units: count,
    measure: (weights) => multiclassValues(scored, weightsOfRows(index, weights, scored.weight)),
  };
}
