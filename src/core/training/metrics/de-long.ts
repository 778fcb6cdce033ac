import { trainErrors } from "../errors.ts";
import type { MetricEstimate } from "../model.ts";
import { normalQuantile } from "../preparation/normal-quantile.ts";
import { normalTwoSided } from "./distributions.ts";
import { type RankedRows, rankRows } from "./rank-rows.ts";

export interface DeLongTest {
  /** 95% intervals by the normal approximation, cut at 0 and 1. */
  readonly a: MetricEstimate;
  readonly b: MetricEstimate;
  /** ROC AUC(A) - ROC AUC(B), with its interval. */
  readonly difference: MetricEstimate;
  readonly standardError: number;
  /** Two-sided; 1 where the two rank every pair alike. */
  readonly pValue: number;
}

/**
 * DeLong's test (DeLong, DeLong and Clarke-Pearson 1988) of equal ROC AUC on the same rows, from placements by one sort a model
 * (as Sun and Xu 2014). Rows must be independent: where they come in days or groups, use the paired bootstrap over those.
 * `null` with fewer than two rows of either class.
 * @throws TRAIN_EVALUATION_INVALID
 */
export function deLongTest(labels: Uint8Array, scoresA: Float64Array, scoresB: Float64Array): DeLongTest | null {
  if (scoresA.length !== scoresB.length) {
    throw trainErrors.TRAIN_EVALUATION_INVALID(`${scoresA.length} scores of one model, ${scoresB.length} of the other`);
  }
  const [a, b] = [scoresA, scoresB].map((scores) => placements(rankRows(labels, scores)));
  const positives = labels.reduce((sum, label) => sum + label, 0);
  const negatives = labels.length - positives;
  if (positives < 2 || negatives < 2) return null;
  const count = { positives, negatives };
  const [areaA, areaB] = [a, b].map((placement) => meanOf(placement, labels, 1, positives));
  const covariance = (left: Float64Array, right: Float64Array) => covarianceOf(left, right, labels, areaA, areaB, count);
  const [varianceA, varianceB] = [
    covarianceOf(a, a, labels, areaA, areaA, count),
    covarianceOf(b, b, labels, areaB, areaB, count),
  ];
  const standardError = Math.sqrt(Math.max(0, varianceA + varianceB - 2 * covariance(a, b)));
  const difference = areaA - areaB;
  return {
    a: area(areaA, varianceA),
    b: area(areaB, varianceB),
    difference: around(difference, standardError),
    standardError,
    pValue: standardError > 0 ? normalTwoSided(difference / standardError) : difference === 0 ? 1 : 0,
  };
}

/**
 * By row, the share of the other class's rows that it is on the right side of: of a positive the share of negatives below it, of a
 * negative the share of positives above it, ties counting half.
 */
function placements({ rows, order, label, lastOfTie }: RankedRows): Float64Array {
  const placed = new Float64Array(rows);
  const positives = label.reduce((sum, each) => sum + each, 0);
  const negatives = rows - positives;
  let positivesAbove = 0;
  let negativesAbove = 0;
  for (let first = 0; first < rows; ) {
    let end = first;
    let tiedPositives = 0;
    do tiedPositives += label[end];
    while (lastOfTie[end++] === 0);
    const tiedNegatives = end - first - tiedPositives;
    const ofPositive = (negatives - negativesAbove - tiedNegatives / 2) / negatives;
    const ofNegative = (positivesAbove + tiedPositives / 2) / positives;
    for (let place = first; place < end; place++) placed[order[place]] = label[place] === 1 ? ofPositive : ofNegative;
    positivesAbove += tiedPositives;
    negativesAbove += tiedNegatives;
    first = end;
  }
  return placed;
}

function meanOf(placed: Float64Array, labels: Uint8Array, label: number, count: number): number {
  let sum = 0;
  for (let row = 0; row < placed.length; row++) if (labels[row] === label) sum += placed[row];
  return sum / count;
}

/** Covariance of two areas: that of the placements within each class, over the class's rows. */
function covarianceOf(
  a: Float64Array,
  b: Float64Array,
  labels: Uint8Array,
  areaA: number,
  areaB: number,
  { positives, negatives }: { readonly positives: number; readonly negatives: number },
): number {
  let amongPositives = 0;
  let amongNegatives = 0;
  for (let row = 0; row < a.length; row++) {
    const product = (a[row] - areaA) * (b[row] - areaB);
    if (labels[row] === 1) amongPositives += product;
    else amongNegatives += product;
  }
  return amongPositives / (positives - 1) / positives + amongNegatives / (negatives - 1) / negatives;
}

const Z = normalQuantile(0.975);
const around = (value: number, error: number): MetricEstimate => ({ value, low: value - Z * error, high: value + Z * error });

function area(value: number, variance: number): MetricEstimate {
  const { low, high } = around(value, Math.sqrt(Math.max(0, variance)));
  return { value, low: Math.max(0, low), high: Math.min(1, high) };
}
