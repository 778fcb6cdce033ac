import type { MetricName, Payoff } from "../../definitions/index.ts";
import { trainErrors } from "../errors.ts";

/** Act from this probability on; what each outcome of acting is worth. */
export interface Decision {
  readonly threshold: number;
  readonly payoff: Payoff;
}

export const METRIC_NAMES = [
  "roc_auc",
  "pr_auc",
  "log_loss",
  "brier",
  "f1",
  "precision",
  "recall",
  "ece",
  "payoff_per_decision",
] as const satisfies readonly MetricName[];

/** A metric is absent where it is undefined: ranking metrics with one class, precision with nothing predicted positive. */
export type MetricValues = Partial<Record<MetricName, number>>;

/** Metrics for which less is better. */
const LOSSES: ReadonlySet<MetricName> = new Set(["log_loss", "brier", "ece"]);
export const higherIsBetter = (metric: MetricName): boolean => !LOSSES.has(metric);

const LOG_LOSS_CLIP = 1e-15;
const ECE_BINS = 10;

/** Sums that the metrics without a ranking are made of; kept for each day so that a resample of days only adds them up. */
const SUMS = { rows: 0, positives: 1, logLoss: 2, squares: 3, truePositives: 4, falsePositives: 5 } as const;
const BIN_SUMS_AT = 6;
const SUMS_PER_DAY = BIN_SUMS_AT + ECE_BINS;

/** Rows sorted once by probability, and the sums of each day; every resample of days reads them with other weights. */
export interface ScoredRows {
  readonly days: number;
  /** The distinct days, ascending. */
  readonly dayNumbers: Int32Array;
  /** By probability, descending: the day's index of each row. */
  readonly day: Int32Array;
  readonly label: Uint8Array;
  /** 1 in the last row of those that share a probability. */
  readonly lastOfTie: Uint8Array;
  readonly sums: Float64Array;
  readonly decision: Decision;
}

/**
 * @param days the day of each row: the unit by which intervals are resampled
 * @throws TRAIN_EVALUATION_INVALID when lengths differ or a probability is not in 0…1
 */
export function scoreRows(labels: Uint8Array, probabilities: Float64Array, days: Int32Array, decision: Decision): ScoredRows {
  const rows = labels.length;
  if (probabilities.length !== rows || days.length !== rows) {
    throw trainErrors.TRAIN_EVALUATION_INVALID(`${rows} labels, ${probabilities.length} probabilities, ${days.length} days`);
  }
  const wrong = probabilities.find((p) => !(p >= 0 && p <= 1));
  if (wrong !== undefined) throw trainErrors.TRAIN_EVALUATION_INVALID(`${wrong} is not a probability`);

  const dayNumbers = Int32Array.from(new Set(days)).sort();
  const indexOf = new Map(Array.from(dayNumbers, (day, index) => [day, index]));
  const dayIndex = Int32Array.from(days, (day) => indexOf.get(day) ?? 0);
  const order = Uint32Array.from(labels, (_, row) => row).sort((a, b) => probabilities[b] - probabilities[a]);
  return {
    days: dayNumbers.length,
    dayNumbers,
    day: Int32Array.from(order, (row) => dayIndex[row]),
    label: Uint8Array.from(order, (row) => labels[row]),
    lastOfTie: Uint8Array.from(order, (row, i) => (i + 1 < rows && probabilities[order[i + 1]] === probabilities[row] ? 0 : 1)),
    sums: sumsByDay(labels, probabilities, dayIndex, dayNumbers.length, decision.threshold),
    decision,
  };
}

function sumsByDay(
  labels: Uint8Array,
  probabilities: Float64Array,
  day: Int32Array,
  days: number,
  threshold: number,
): Float64Array {
  const sums = new Float64Array(days * SUMS_PER_DAY);
  for (let row = 0; row < labels.length; row++) {
    const label = labels[row];
    const p = probabilities[row];
    const clipped = Math.min(1 - LOG_LOSS_CLIP, Math.max(LOG_LOSS_CLIP, p));
    const at = day[row] * SUMS_PER_DAY;
    sums[at + SUMS.rows] += 1;
    sums[at + SUMS.positives] += label;
    sums[at + SUMS.logLoss] -= Math.log(label === 1 ? clipped : 1 - clipped);
    sums[at + SUMS.squares] += (p - label) ** 2;
    if (p >= threshold) sums[at + (label === 1 ? SUMS.truePositives : SUMS.falsePositives)] += 1;
    sums[at + BIN_SUMS_AT + Math.min(ECE_BINS - 1, Math.floor(p * ECE_BINS))] += p - label;
  }
  return sums;
}

/**
 * Every defined metric of the rows, each counted as often as `weights` says of its day (absent: once).
 *
 * roc_auc: Mann-Whitney with ties at midrank. pr_auc: average precision, the sum of precision times the step in recall over
 * distinct scores (scikit-learn's average_precision_score). log_loss: natural logarithm, probabilities clipped at 1e-15.
 * ece: the mean over 10 equal-width bins of |mean probability - share of positives|, weighted by rows (Naeini, Cooper,
 * Hauskrecht 2015). payoff_per_decision: mean payoff of acting from the threshold on.
 */
export function metricValues(scored: ScoredRows, weights: Float64Array | null = null): MetricValues {
  const total = new Float64Array(SUMS_PER_DAY);
  for (let day = 0; day < scored.days; day++) {
    const weight = weights === null ? 1 : weights[day];
    if (weight === 0) continue;
    for (let sum = 0; sum < SUMS_PER_DAY; sum++) total[sum] += weight * scored.sums[day * SUMS_PER_DAY + sum];
  }
  const rows = total[SUMS.rows];
  if (rows === 0) return {};
  const positives = total[SUMS.positives];
  const truePositives = total[SUMS.truePositives];
  const falsePositives = total[SUMS.falsePositives];
  const falseNegatives = positives - truePositives;
  const trueNegatives = rows - positives - falsePositives;
  const predicted = truePositives + falsePositives;
  const { payoff } = scored.decision;
  const paid =
    truePositives * payoff.truePositive +
    falsePositives * payoff.falsePositive +
    falseNegatives * payoff.falseNegative +
    trueNegatives * (payoff.trueNegative ?? 0);
  return {
    ...(positives === 0 || positives === rows ? {} : rankingMetrics(scored, weights, positives, rows - positives)),
    log_loss: total[SUMS.logLoss] / rows,
    brier: total[SUMS.squares] / rows,
    ...(positives + predicted === 0 ? {} : { f1: (2 * truePositives) / (positives + predicted) }),
    ...(predicted === 0 ? {} : { precision: truePositives / predicted }),
    ...(positives === 0 ? {} : { recall: truePositives / positives }),
    ece: total.subarray(BIN_SUMS_AT).reduce((sum, gap) => sum + Math.abs(gap), 0) / rows,
    payoff_per_decision: paid / rows,
  };
}

function rankingMetrics(
  { day, label, lastOfTie }: ScoredRows,
  weights: Float64Array | null,
  positives: number,
  negatives: number,
): { roc_auc: number; pr_auc: number } {
  let above = 0;
  let rowsAbove = 0;
  let tiedPositives = 0;
  let tiedRows = 0;
  let orderedPairs = 0;
  let averagePrecision = 0;
  for (let i = 0; i < label.length; i++) {
    const weight = weights === null ? 1 : weights[day[i]];
    tiedRows += weight;
    tiedPositives += weight * label[i];
    if (lastOfTie[i] === 0) continue;
    orderedPairs += (tiedRows - tiedPositives) * (above + tiedPositives / 2);
    above += tiedPositives;
    rowsAbove += tiedRows;
    if (tiedPositives > 0) averagePrecision += tiedPositives * (above / rowsAbove);
    tiedPositives = 0;
    tiedRows = 0;
  }
  return { roc_auc: orderedPairs / (positives * negatives), pr_auc: averagePrecision / positives };
}
