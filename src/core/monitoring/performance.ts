import type { Micros } from "../time.ts";
import { type Decision, type Evaluation, evaluate, type ResamplingOptions } from "../training/index.ts";
import { monitorErrors } from "./errors.ts";

/** Predictions of a window with what became of them; every array has one element a prediction, in the same order. */
export interface Cohort {
  readonly start: Micros;
  readonly end: Micros;
  /** Calibrated probabilities. */
  readonly probability: Float64Array;
  /** Day of the labelled event (days since 1970). */
  readonly day: Int32Array;
  /** 0 or 1; NaN while it is not known. */
  readonly label: Float64Array;
  /** 1 where the ground truth ought to be known by now. */
  readonly due: Uint8Array;
  /** 1 where there will never be a label. */
  readonly censored: Uint8Array;
}

export interface PerformanceReport {
  readonly start: Micros;
  readonly end: Micros;
  readonly predictions: number;
  /** Predictions whose label is due, without censored ones; those of them that have it. */
  readonly due: number;
  readonly labelled: number;
  /** labelled / due; null while none is due. */
  readonly coverage: number | null;
  readonly censored: number;
  /** Of labelled, due predictions; null without any. */
  readonly evaluation: Evaluation | null;
}

/**
 * Scores the matured part of a window: predictions whose label is due. Labels that came early are left out, because early
 * outcomes are not a fair sample (a late flight lands later). Intervals resample days.
 * @throws MONITOR_COLUMNS_MISMATCH, MONITOR_WINDOW_INVALID
 */
export function performanceReport(cohort: Cohort, decision: Decision, options: ResamplingOptions = {}): PerformanceReport {
  const { start, end, probability, day, label, due, censored } = cohort;
  if (!(end > start)) throw monitorErrors.MONITOR_WINDOW_INVALID(`The window ends at ${end}, not after ${start}`);
  for (const column of [day, label, due, censored]) {
    if (column.length !== probability.length) {
      throw monitorErrors.MONITOR_COLUMNS_MISMATCH(`A column of the cohort has ${column.length} of ${probability.length} rows`);
    }
  }
  const rows = Array.from(probability.keys());
  const matured = rows.filter((row) => due[row] === 1 && censored[row] === 0);
  const scored = matured.filter((row) => !Number.isNaN(label[row]));
  return {
    start,
    end,
    predictions: probability.length,
    due: matured.length,
    labelled: scored.length,
    coverage: matured.length === 0 ? null : scored.length / matured.length,
    censored: censored.reduce((sum, one) => sum + one, 0),
    evaluation:
      scored.length === 0
        ? null
        : evaluate(
            Uint8Array.from(scored, (row) => label[row]),
            Float64Array.from(scored, (row) => probability[row]),
            Int32Array.from(scored, (row) => day[row]),
            decision,
            options,
          ),
  };
}

/** What performance would be if the calibrated probabilities were true. */
export interface EstimatedPerformance {
  readonly rows: number;
  readonly rocAuc: number | null;
  readonly payoffPerDecision: number | null;
  readonly assumption: string;
}

/**
 * Confidence-based performance estimation (as NannyML 0.13): every prediction counts as positive with its own calibrated
 * probability. ROC AUC is the area under the expected curve with ties at their middle; payoff is the expected one of acting from
 * the threshold on. It assumes that the relation of features to label stands still: it sees covariate shift, no concept drift.
 */
export function estimatedPerformance(probability: Float64Array, { threshold, payoff }: Decision): EstimatedPerformance {
  const sorted = Float64Array.from(probability).sort();
  const rows = sorted.length;
  const positives = sorted.reduce((sum, p) => sum + p, 0);
  const negatives = rows - positives;
  let negativesBelow = 0;
  let ordered = 0;
  for (let first = 0; first < rows; ) {
    let last = first;
    while (last < rows && sorted[last] === sorted[first]) last++;
    const tied = last - first;
    const p = sorted[first];
    ordered += tied * p * (negativesBelow + (tied * (1 - p)) / 2);
    negativesBelow += tied * (1 - p);
    first = last;
  }
  let expected = 0;
  for (const p of probability) {
    expected +=
      p >= threshold
        ? p * payoff.truePositive + (1 - p) * payoff.falsePositive
        : p * payoff.falseNegative + (1 - p) * (payoff.trueNegative ?? 0);
  }
  return {
    rows,
    rocAuc: positives > 0 && negatives > 0 ? ordered / (positives * negatives) : null,
    payoffPerDecision: rows === 0 ? null : expected / rows,
    assumption: "Assumes that calibration holds and that the relation of features to label stands still.",
  };
}
