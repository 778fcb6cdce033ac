import { BINARY_METRICS, type MetricName, type Payoff } from "../../definitions/index.ts";
import { trainErrors } from "../errors.ts";
import { rankingMetrics } from "./binary-metrics.ts";
import { equalWidthBin } from "./calibration-error.ts";
import { type Confusion, decisionMetrics, totalPayoff } from "./confusion.ts";
import { checkProbabilities, logLossOf } from "./probability-metrics.ts";
import { type RankedRows, rankRows } from "./rank-rows.ts";
import { denseUnits, weightsOfRows } from "./resampling.ts";

/** Act from this probability on; what each outcome of acting is worth. */
export interface Decision {
  readonly threshold: number;
  readonly payoff: Payoff;
}

/** What `evaluate` measures of a classifier of two classes. */
export const METRIC_NAMES = BINARY_METRICS;

/** A metric is absent where it is undefined: ranking metrics with one class, precision with nothing predicted positive. */
export type MetricValues = Partial<Record<MetricName, number>>;

const RANKING: readonly MetricName[] = ["roc_auc", "pr_auc", "ks"];
const LOSS: readonly MetricName[] = ["log_loss", "brier", "ece", "mce"];
const BINS = 10;

/** Rows sorted once by probability; every resample of units reads them with other weights. */
export interface ScoredRows {
  /** Distinct units: days, or whatever is resampled as a whole. */
  readonly units: number;
  /** By place in the ranking: the index of each row's unit, 0 … units - 1, in the units' ascending order. */
  readonly unit: Int32Array;
  readonly ranked: RankedRows;
  /** By place: the row's log loss. */
  readonly loss: Float64Array;
  readonly decision: Decision;
}

/**
 * @param units of each row: the day, group or row number by which intervals are resampled
 * @throws TRAIN_EVALUATION_INVALID when lengths differ, a label is not 0 or 1, or a probability not in 0…1
 */
export function scoreRows(
  labels: Uint8Array,
  probabilities: Float64Array,
  units: Int32Array,
  decision: Decision,
  weights?: Float64Array,
): ScoredRows {
  if (units.length !== labels.length) {
    throw trainErrors.TRAIN_EVALUATION_INVALID(`${labels.length} labels, ${units.length} days`);
  }
  checkProbabilities(probabilities);
  const ranked = rankRows(labels, probabilities, weights);
  const { count, index } = denseUnits(units);
  return {
    units: count,
    unit: Int32Array.from(ranked.order, (row) => index[row]),
    ranked,
    loss: ranked.score.map((probability, place) => logLossOf(ranked.label[place], probability)),
    decision,
  };
}

/**
 * Every defined metric of the rows, each counted as often as `weights` says of its unit (absent: once).
 *
 * roc_auc, pr_auc, ks: see `rankingMetrics`. log_loss: natural logarithm, probabilities clipped as scikit-learn clips them. ece, mce:
 * over 10 equal-width bins, see `calibrationError`. Those of the decision act from the threshold on, see `decisionMetrics`;
 * payoff_per_decision is their mean payoff.
 *
 * @param only spares the passes over the rows that this metric does not need; some others may still be there
 */
export function metricValues(scored: ScoredRows, weights: Float64Array | null = null, only?: MetricName): MetricValues {
  const { unit, ranked, loss, decision } = scored;
  const weighted = { ...ranked, weight: weightsOfRows(unit, weights, ranked.weight) };
  const confusion = confusionFrom(weighted, decision.threshold);
  const rows = confusion.truePositives + confusion.falsePositives + confusion.falseNegatives + confusion.trueNegatives;
  if (rows === 0) return {};
  const wants = (metrics: readonly MetricName[]) => only === undefined || metrics.includes(only);
  const values: Record<string, number | undefined> = {
    ...(wants(RANKING) ? rankingMetrics(weighted) : {}),
    ...(wants(LOSS) ? lossMetrics(weighted, loss, rows) : {}),
    ...decisionMetrics(confusion),
    payoff_per_decision: totalPayoff(confusion, decision.payoff) / rows,
  };
  return definedMetrics(METRIC_NAMES, values);
}

/** Those that have a value, in the order of `names`. */
export function definedMetrics<N extends MetricName>(
  names: readonly N[],
  values: Readonly<Record<string, number | undefined>>,
): Partial<Record<N, number>> {
  const defined: Partial<Record<N, number>> = {};
  for (const name of names) {
    const value = values[name];
    if (value !== undefined) defined[name] = value;
  }
  return defined;
}

function confusionFrom({ rows, score, label, weight }: RankedRows, threshold: number): Confusion {
  let truePositives = 0;
  let falsePositives = 0;
  let falseNegatives = 0;
  let trueNegatives = 0;
  for (let place = 0; place < rows; place++) {
    const count = weight === null ? 1 : weight[place];
    const positive = label[place] === 1;
    if (score[place] >= threshold) {
      if (positive) truePositives += count;
      else falsePositives += count;
    } else if (positive) falseNegatives += count;
    else trueNegatives += count;
  }
  return { truePositives, falsePositives, falseNegatives, trueNegatives };
}

function lossMetrics({ score, label, weight }: RankedRows, loss: Float64Array, rows: number) {
  let logLoss = 0;
  let squares = 0;
  const gap = new Float64Array(BINS);
  const inBin = new Float64Array(BINS);
  for (let place = 0; place < label.length; place++) {
    const count = weight === null ? 1 : weight[place];
    const difference = score[place] - label[place];
    logLoss += count * loss[place];
    squares += count * difference * difference;
    const bin = equalWidthBin(score[place], BINS);
    gap[bin] += count * difference;
    inBin[bin] += count;
  }
  return {
    log_loss: logLoss / rows,
    brier: squares / rows,
    ece: gap.reduce((sum, each) => sum + Math.abs(each), 0) / rows,
    mce: gap.reduce((most, each, bin) => (inBin[bin] > 0 ? Math.max(most, Math.abs(each) / inBin[bin]) : most), 0),
  };
}
