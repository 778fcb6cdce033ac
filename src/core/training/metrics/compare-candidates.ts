import { higherIsBetter, type MetricName } from "../../definitions/index.ts";
import { trainErrors } from "../errors.ts";
import type { MetricEstimate } from "../model.ts";
import { intervalOf, type Resampled, type ResamplingOptions, unitResamples } from "./resampling.ts";

export interface PairedBootstrap {
  /** metric(A) - metric(B), with the interval of the difference. */
  readonly difference: MetricEstimate;
  /**
   * Two-sided: twice the smaller share of resamples on either side of 0, each counted with one more (Davison and Hinkley 1997,
   * section 4.2), so that it is never below 2 / (resamples + 1). 1 without resamples.
   */
  readonly pValue: number;
}

/**
 * The difference of a metric between two models on the same rows: every resample of units is taken for both, so what makes units easy
 * or hard for both drops out. `null` where the metric is undefined for either.
 * @throws TRAIN_EVALUATION_INVALID when the two have not the same units
 */
export function pairedBootstrap<N extends MetricName>(
  a: Resampled<N>,
  b: Resampled<N>,
  metric: NoInfer<N>,
  options: ResamplingOptions = {},
): PairedBootstrap | null {
  if (a.units !== b.units) {
    throw trainErrors.TRAIN_EVALUATION_INVALID(`one model was scored on ${a.units} units, the other on ${b.units}`, {
      hint: "Compare models on the same rows.",
    });
  }
  const differenceFor = (weights: Float64Array | null): number | undefined => {
    const [valueA, valueB] = [a.measure(weights, metric)[metric], b.measure(weights, metric)[metric]];
    return valueA === undefined || valueB === undefined ? undefined : valueA - valueB;
  };
  const value = differenceFor(null);
  if (value === undefined) return null;
  const resampled: number[] = [];
  for (const weights of unitResamples(a.units, options)) {
    const difference = differenceFor(weights);
    if (difference !== undefined) resampled.push(difference);
  }
  const { interval: _, ...percentile } = options;
  return { difference: intervalOf(value, resampled, [], percentile), pValue: bootstrapPValue(resampled) };
}

function bootstrapPValue(differences: readonly number[]): number {
  const atMost = differences.filter((each) => each <= 0).length;
  const atLeast = differences.filter((each) => each >= 0).length;
  return Math.min(1, (2 * (Math.min(atMost, atLeast) + 1)) / (differences.length + 1));
}

export type Verdict = "better" | "worse" | "not-distinguishable" | "undefined";

export interface Comparison {
  readonly metric: MetricName;
  /** What A is against B. */
  readonly verdict: Verdict;
  /** metric(A) - metric(B); `null` where the metric is undefined for either. */
  readonly difference: MetricEstimate | null;
  readonly pValue: number | null;
  readonly units: number;
  readonly resamples: number;
  /** Differences no greater than this are of no use to anyone. */
  readonly margin: number;
}

export interface ComparisonOptions extends ResamplingOptions {
  /** In the metric's own units, at least 0; 0 unless said. */
  readonly margin?: number;
}

/** Enough for a p-value of 0.002. */
const COMPARISON_RESAMPLES = 1000;

/**
 * Whether A is better than B by more than chance and by more than `margin`: the whole interval of the difference must lie beyond it.
 * "not-distinguishable" says that these rows do not tell, not that the models are equal. "undefined": the metric is, or
 * there are fewer than two units or no resamples to learn the spread from.
 * @throws TRAIN_EVALUATION_INVALID, TRAIN_PARAMETER_INVALID
 */
export function compareCandidates<N extends MetricName>(
  a: Resampled<N>,
  b: Resampled<N>,
  metric: NoInfer<N>,
  { margin = 0, resamples = COMPARISON_RESAMPLES, ...options }: ComparisonOptions = {},
): Comparison {
  if (!(margin >= 0)) {
    throw trainErrors.TRAIN_PARAMETER_INVALID(`a margin of ${margin}`, { hint: "Give a margin of at least 0." });
  }
  const found = pairedBootstrap(a, b, metric, { ...options, resamples });
  const measured = found !== null && a.units >= 2 && resamples > 0;
  return {
    metric,
    verdict: measured ? verdictOf(found.difference, margin, higherIsBetter(metric)) : "undefined",
    difference: found?.difference ?? null,
    pValue: measured ? found.pValue : null,
    units: a.units,
    resamples,
    margin,
  };
}

function verdictOf({ low, high }: MetricEstimate, margin: number, moreIsBetter: boolean): Verdict {
  if (low > margin) return moreIsBetter ? "better" : "worse";
  if (high < -margin) return moreIsBetter ? "worse" : "better";
  return "not-distinguishable";
}

/**
 * p-values corrected for how many there are (Holm 1979), in the order given: below 0.05 together they are wrong once in twenty times
 * at most, however many candidates are compared.
 */
export function adjustPValues(pValues: readonly number[]): number[] {
  const order = Array.from(pValues.keys()).sort((i, j) => pValues[i] - pValues[j]);
  const adjusted = new Array<number>(pValues.length);
  let greatest = 0;
  order.forEach((index, rank) => {
    greatest = Math.max(greatest, Math.min(1, (pValues.length - rank) * pValues[index]));
    adjusted[index] = greatest;
  });
  return adjusted;
}
