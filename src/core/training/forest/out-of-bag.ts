import type { Matrix, Target } from "../matrix.ts";
import type { Tree } from "../model.ts";
import { leafOf } from "../trees/goes-left.ts";

export interface OutOfBag {
  /** rows x outputs (one, or one a class), row by row; NaN for a row that every tree drew. */
  readonly predictions: Float64Array;
  /** Weighted accuracy for classes, R2 for regression, over the rows that have a prediction. */
  readonly score: number;
}

export interface OutOfBagCollector {
  /** @param outputs one tree an output, leaves divided by `trees` */
  addTree(outputs: readonly Tree[], draws: Uint32Array, trees: number): void;
  result(): OutOfBag;
}

/** Predicts each row by the trees that did not draw it (Breiman 2001, 3.1). */
export function createOutOfBag(matrix: Matrix, target: Target, classes: number): OutOfBagCollector {
  const outputs = classes > 2 ? classes : 1;
  const sums = new Float64Array(matrix.rows * outputs);
  const votes = new Uint32Array(matrix.rows);
  return {
    addTree(grown, draws, trees) {
      for (let row = 0; row < matrix.rows; row++) {
        if (draws[row] > 0) continue;
        const leaf = leafOf(grown[0], matrix.columns, row);
        for (let k = 0; k < outputs; k++) sums[row * outputs + k] += grown[k].value[leaf] * trees;
        votes[row]++;
      }
    },
    result() {
      const predictions = sums.map((sum, i) => sum / votes[Math.floor(i / outputs)]);
      return { predictions, score: classes === 0 ? r2(predictions, target) : accuracy(predictions, outputs, target) };
    },
  };
}

function accuracy(predictions: Float64Array, outputs: number, { values, weights }: Target): number {
  let right = 0;
  let all = 0;
  for (let row = 0; row < values.length; row++) {
    const own = predictions.subarray(row * outputs, (row + 1) * outputs);
    if (Number.isNaN(own[0])) continue;
    const weight = weights === undefined ? 1 : weights[row];
    const answer = outputs === 1 ? Number(own[0] > 0.5) : own.indexOf(own.reduce((most, each) => Math.max(most, each)));
    all += weight;
    if (answer === values[row]) right += weight;
  }
  return right / all;
}

function r2(predictions: Float64Array, { values, weights }: Target): number {
  let weight = 0;
  let mean = 0;
  let squares = 0;
  let errors = 0;
  for (let row = 0; row < values.length; row++) {
    const own = weights === undefined ? 1 : weights[row];
    if (own === 0 || Number.isNaN(predictions[row])) continue;
    weight += own;
    const before = values[row] - mean;
    mean += (own / weight) * before;
    squares += own * before * (values[row] - mean);
    errors += own * (values[row] - predictions[row]) ** 2;
  }
  return 1 - errors / squares;
}
