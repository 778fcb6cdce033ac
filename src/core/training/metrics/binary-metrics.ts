import { trainErrors } from "../errors.ts";
import { type RankedRows, rankRows } from "./rank-rows.ts";

/**
 * Area under the ROC curve: the share of (positive, negative) pairs in the right order, ties counting half (Mann-Whitney).
 * `undefined` with one class.
 * @param scores any finite numbers, higher for the positive class
 * @throws TRAIN_EVALUATION_INVALID
 */
export function rocAuc(labels: Uint8Array, scores: Float64Array, weights?: Float64Array): number | undefined {
  return areaUnderRoc(rankRows(labels, scores, weights));
}

/** The area alone takes half as long as all of `rankingMetrics`. */
function areaUnderRoc({ rows, label, weight, lastOfTie }: RankedRows): number | undefined {
  let above = 0;
  let negatives = 0;
  let tiedPositives = 0;
  let tiedNegatives = 0;
  let orderedPairs = 0;
  for (let place = 0; place < rows; place++) {
    const count = weight === null ? 1 : weight[place];
    const positive = count * label[place];
    tiedPositives += positive;
    tiedNegatives += count - positive;
    if (lastOfTie[place] === 0) continue;
    orderedPairs += tiedNegatives * (above + tiedPositives / 2);
    above += tiedPositives;
    negatives += tiedNegatives;
    tiedPositives = 0;
    tiedNegatives = 0;
  }
  return above > 0 && negatives > 0 ? orderedPairs / (above * negatives) : undefined;
}

/**
 * Area under the precision-recall curve as average precision: the sum of precision times the step in recall over distinct scores,
 * without interpolation. `undefined` with one class.
 * @throws TRAIN_EVALUATION_INVALID
 */
export function averagePrecision(labels: Uint8Array, scores: Float64Array, weights?: Float64Array): number | undefined {
  return rankingMetrics(rankRows(labels, scores, weights))?.pr_auc;
}

/**
 * Kolmogorov-Smirnov distance: the greatest difference of true and false positive rate over all thresholds. `undefined` with one class.
 * @throws TRAIN_EVALUATION_INVALID
 */
export function kolmogorovSmirnov(labels: Uint8Array, scores: Float64Array, weights?: Float64Array): number | undefined {
  return rankingMetrics(rankRows(labels, scores, weights))?.ks;
}

export interface RankingMetrics {
  readonly roc_auc: number;
  readonly pr_auc: number;
  readonly ks: number;
}

/** The three from one pass; `undefined` with one class. */
export function rankingMetrics(ranked: RankedRows): RankingMetrics | undefined {
  const { rows, label, weight, lastOfTie } = ranked;
  const { positives, negatives } = classWeights(ranked);
  if (positives === 0 || negatives === 0) return undefined;
  let above = 0;
  let negativesAbove = 0;
  let tiedPositives = 0;
  let tiedNegatives = 0;
  let orderedPairs = 0;
  let precisionSteps = 0;
  let widest = 0;
  for (let place = 0; place < rows; place++) {
    const count = weight === null ? 1 : weight[place];
    if (label[place] === 1) tiedPositives += count;
    else tiedNegatives += count;
    if (lastOfTie[place] === 0) continue;
    orderedPairs += tiedNegatives * (above + tiedPositives / 2);
    above += tiedPositives;
    negativesAbove += tiedNegatives;
    if (tiedPositives > 0) precisionSteps += tiedPositives * (above / (above + negativesAbove));
    widest = Math.max(widest, Math.abs(above * negatives - negativesAbove * positives));
    tiedPositives = 0;
    tiedNegatives = 0;
  }
  const pairs = positives * negatives;
  return { roc_auc: orderedPairs / pairs, pr_auc: precisionSteps / positives, ks: widest / pairs };
}

/** Weights of both classes. */
export function classWeights({ rows, label, weight }: RankedRows): { readonly positives: number; readonly negatives: number } {
  let positives = 0;
  let negatives = 0;
  for (let place = 0; place < rows; place++) {
    const count = weight === null ? 1 : weight[place];
    if (label[place] === 1) positives += count;
    else negatives += count;
  }
  return { positives, negatives };
}

/** What acting on the highest scores brings. */
export interface TopMetrics {
  /** Share of positives among the rows acted on. */
  readonly precision: number;
  /** Share of all positives that they are; `undefined` without positives. */
  readonly recall: number | undefined;
  /** Precision over the share of positives in all rows: how many times better than acting at random. `undefined` without positives. */
  readonly lift: number | undefined;
}

/**
 * Acts on the highest scores until their weights sum to `count`. Rows that share the last score are taken in part: each
 * counts with the same fraction, which is what choosing among them at random gives on average.
 * `undefined` for no rows.
 * @param count above 0 and at most the weight of all rows
 * @throws TRAIN_PARAMETER_INVALID
 */
export function topMetrics(ranked: RankedRows, count: number): TopMetrics | undefined {
  const { positives, negatives } = classWeights(ranked);
  const total = positives + negatives;
  if (total === 0) return undefined;
  if (!(count > 0 && count <= total)) {
    throw trainErrors.TRAIN_PARAMETER_INVALID(`${count} of ${total} rows are to be taken`, {
      hint: "Take more than none and at most all of the rows.",
    });
  }
  const hits = positivesAmongTop(ranked, count);
  const precision = hits / count;
  if (positives === 0) return { precision, recall: undefined, lift: undefined };
  return { precision, recall: hits / positives, lift: precision / (positives / total) };
}

/**
 * Lift at a share of the rows: `topMetrics` for the share (above 0, at most 1) with the highest scores.
 * @throws TRAIN_PARAMETER_INVALID
 */
export function liftAt(ranked: RankedRows, share: number): number | undefined {
  const { positives, negatives } = classWeights(ranked);
  return topMetrics(ranked, share * (positives + negatives))?.lift;
}

function positivesAmongTop({ rows, label, weight, lastOfTie }: RankedRows, count: number): number {
  let taken = 0;
  let hits = 0;
  let tied = 0;
  let tiedPositives = 0;
  for (let place = 0; place < rows; place++) {
    const own = weight === null ? 1 : weight[place];
    tied += own;
    tiedPositives += own * label[place];
    if (lastOfTie[place] === 0) continue;
    if (taken + tied >= count) return hits + (tied === 0 ? 0 : tiedPositives * ((count - taken) / tied));
    taken += tied;
    hits += tiedPositives;
    tied = 0;
    tiedPositives = 0;
  }
  return hits;
}
