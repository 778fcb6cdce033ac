import { classWeights } from "./binary-metrics.ts";
import type { RankedRows } from "./rank-rows.ts";

/** What acting from each distinct score on means; highest score first. */
export interface Cumulated {
  readonly threshold: Float64Array;
  /** Weights of the positives and negatives acted on. */
  readonly truePositives: Float64Array;
  readonly falsePositives: Float64Array;
  readonly positives: number;
  readonly negatives: number;
}

/** A point for each distinct score of a row that counts. */
export function cumulate(ranked: RankedRows): Cumulated {
  const { rows, score, label, weight, lastOfTie } = ranked;
  const points = lastOfTie.reduce((sum, last) => sum + last, 0);
  const threshold = new Float64Array(points);
  const truePositives = new Float64Array(points);
  const falsePositives = new Float64Array(points);
  let point = 0;
  let above = 0;
  let negativesAbove = 0;
  for (let place = 0; place < rows; place++) {
    const count = weight === null ? 1 : weight[place];
    if (label[place] === 1) above += count;
    else negativesAbove += count;
    if (lastOfTie[place] === 0) continue;
    const before = point === 0 ? 0 : truePositives[point - 1] + falsePositives[point - 1];
    if (above + negativesAbove === before) continue;
    threshold[point] = score[place];
    truePositives[point] = above;
    falsePositives[point] = negativesAbove;
    point++;
  }
  return {
    threshold: threshold.subarray(0, point),
    truePositives: truePositives.subarray(0, point),
    falsePositives: falsePositives.subarray(0, point),
    ...classWeights(ranked),
  };
}

export interface RocCurve {
  /** Acts from here on; descending. The first is Infinity: on nothing. */
  readonly threshold: Float64Array;
  readonly falsePositiveRate: Float64Array;
  readonly truePositiveRate: Float64Array;
}

/** All points of the ROC curve, those on a straight line too. `undefined` with one class. */
export function rocCurve(ranked: RankedRows): RocCurve | undefined {
  const { threshold, truePositives, falsePositives, positives, negatives } = cumulate(ranked);
  if (positives === 0 || negatives === 0) return undefined;
  return {
    threshold: withFirst(Number.POSITIVE_INFINITY, threshold),
    falsePositiveRate: withFirst(0, shareOf(falsePositives, negatives)),
    truePositiveRate: withFirst(0, shareOf(truePositives, positives)),
  };
}

export interface PrecisionRecallCurve {
  /** Acts from here on; descending. */
  readonly threshold: Float64Array;
  readonly precision: Float64Array;
  readonly recall: Float64Array;
}

/** A point for each distinct score. Acting on nothing has no precision and is left out. `undefined` without positives. */
export function precisionRecallCurve(ranked: RankedRows): PrecisionRecallCurve | undefined {
  const { threshold, truePositives, falsePositives, positives } = cumulate(ranked);
  if (positives === 0) return undefined;
  return {
    threshold,
    precision: truePositives.map((hits, point) => hits / (hits + falsePositives[point])),
    recall: shareOf(truePositives, positives),
  };
}

export interface GainCurve {
  /** Acts from here on; descending. */
  readonly threshold: Float64Array;
  /** Share of the rows acted on. */
  readonly share: Float64Array;
  /** Share of the positives among them: the cumulative gain. */
  readonly gain: Float64Array;
  /** gain / share. */
  readonly lift: Float64Array;
}

/** A point for each distinct score. `undefined` without positives. */
export function gainCurve(ranked: RankedRows): GainCurve | undefined {
  const { threshold, truePositives, falsePositives, positives, negatives } = cumulate(ranked);
  if (positives === 0) return undefined;
  const share = truePositives.map((hits, point) => (hits + falsePositives[point]) / (positives + negatives));
  const gain = shareOf(truePositives, positives);
  return { threshold, share, gain, lift: gain.map((each, point) => each / share[point]) };
}

/** At most `most` (two at least) of a curve's points, evenly by position, the first and the last among them: enough to draw. */
export function thinCurve<C extends Readonly<Record<keyof C, Float64Array>>>(curve: C, most: number): C {
  const thinned = { ...curve };
  for (const name in curve) Object.assign(thinned, { [name]: evenlyTaken(curve[name], most) });
  return thinned;
}

function evenlyTaken(values: Float64Array, most: number): Float64Array {
  const points = Math.min(values.length, Math.max(2, most));
  if (points < 2) return values;
  return Float64Array.from({ length: points }, (_, i) => values[Math.round((i * (values.length - 1)) / (points - 1))]);
}

const shareOf = (values: Float64Array, whole: number): Float64Array => values.map((value) => value / whole);

function withFirst(first: number, rest: Float64Array): Float64Array {
  const all = new Float64Array(rest.length + 1);
  all[0] = first;
  all.set(rest, 1);
  return all;
}
