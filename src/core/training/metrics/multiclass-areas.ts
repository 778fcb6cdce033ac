import { rowsByScore } from "./rank-rows.ts";

/** The rows by the probability of one class, highest first. */
export interface ClassRanking {
  readonly order: Uint32Array;
  /** 1 in the last place of those that share a probability. */
  readonly lastOfTie: Uint8Array;
}

/** One sort a class. @param probabilities rows x classes, row by row */
export function rankClasses(labels: Int32Array, probabilities: Float64Array, classes: number): ClassRanking[] {
  const rows = labels.length;
  return Array.from({ length: classes }, (_, k) => {
    const scores = new Float64Array(rows);
    for (let row = 0; row < rows; row++) scores[row] = probabilities[row * classes + k];
    const order = rowsByScore(scores);
    const lastOfTie = new Uint8Array(rows);
    for (let place = 0; place < rows; place++) {
      lastOfTie[place] = place + 1 < rows && scores[order[place]] === scores[order[place + 1]] ? 0 : 1;
    }
    return { order, lastOfTie };
  });
}

export interface MulticlassAreas {
  /** Mean over classes of the ROC AUC of one against the rest, each class alike. */
  readonly roc_auc_ovr: number;
  /** … by the classes' rows. */
  readonly roc_auc_ovr_weighted: number;
  /** Mean over pairs of classes, each alike (Hand and Till 2001): insensitive to how frequent classes are. */
  readonly roc_auc_ovo: number;
  /** … by the pairs' rows. */
  readonly roc_auc_ovo_weighted: number;
}

/** ROC AUC of several classes; nothing where a class has no rows. @param weights by row */
export function multiclassAreas(
  rankings: readonly ClassRanking[],
  labels: Int32Array,
  classes: number,
  weights: Float64Array | null,
): MulticlassAreas | undefined {
  const support = new Float64Array(classes);
  labels.forEach((label, row) => {
    support[label] += weights === null ? 1 : weights[row];
  });
  if (support.some((each) => each === 0)) return undefined;
  // ordered[a][b]: pairs of a row of a and one of b, of which the first has the higher probability of a.
  const ordered = rankings.map((ranking, k) => pairsInOrder(ranking, labels, k, classes, weights));
  const total = support.reduce((sum, each) => sum + each, 0);
  const ovr = ordered.map((pairs, k) => pairs.reduce((sum, each) => sum + each, 0) / (support[k] * (total - support[k])));
  let pairs = 0;
  let ovo = 0;
  let ovoWeighted = 0;
  let pairWeights = 0;
  for (let a = 0; a < classes; a++) {
    for (let b = a + 1; b < classes; b++) {
      const area = (ordered[a][b] + ordered[b][a]) / 2 / (support[a] * support[b]);
      pairs += 1;
      ovo += area;
      ovoWeighted += area * (support[a] + support[b]);
      pairWeights += support[a] + support[b];
    }
  }
  return {
    roc_auc_ovr: ovr.reduce((sum, each) => sum + each, 0) / classes,
    roc_auc_ovr_weighted: ovr.reduce((sum, each, k) => sum + each * support[k], 0) / total,
    roc_auc_ovo: ovo / pairs,
    roc_auc_ovo_weighted: ovoWeighted / pairWeights,
  };
}

/** By other class: weighted pairs in which a row of class `own` is ranked above one of it, ties counting half; 0 for `own` itself. */
function pairsInOrder(
  { order, lastOfTie }: ClassRanking,
  labels: Int32Array,
  own: number,
  classes: number,
  weights: Float64Array | null,
): Float64Array {
  const pairs = new Float64Array(classes);
  const tied = new Float64Array(classes);
  const inTie: number[] = [];
  let above = 0;
  for (let place = 0; place < order.length; place++) {
    const row = order[place];
    const label = labels[row];
    const count = weights === null ? 1 : weights[row];
    if (count > 0 && tied[label] === 0) inTie.push(label);
    tied[label] += count;
    if (lastOfTie[place] === 0) continue;
    for (const other of inTie) if (other !== own) pairs[other] += tied[other] * (above + tied[own] / 2);
    above += tied[own];
    for (const other of inTie) tied[other] = 0;
    inTie.length = 0;
  }
  return pairs;
}
