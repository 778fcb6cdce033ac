import { BINS, type BinnedMatrix, MISSING_BIN } from "./binning.ts";
import { CELL, GRADIENT_STEPS, HESSIAN_STEPS } from "./histogram.ts";

export interface Split {
  /** Fall of the objective (twice of it, as usual). */
  readonly gain: number;
  readonly column: number;
  /** Rows in bins up to this one go left. */
  readonly bin: number;
  readonly missingLeft: boolean;
}

export interface SplitLimits {
  readonly l2: number;
  readonly minLeafRows: number;
}

/** A child whose hessians sum to less has too little curvature for a Newton step (scikit-learn's limit). */
const MIN_HESSIAN = 1e-3 * HESSIAN_STEPS;
const MIN_GAIN = 1e-9;

/**
 * The split of a node with the largest gain GL^2/(HL+l2) + GR^2/(HR+l2) - G^2/(H+l2) (Chen, Guestrin 2016, equation 7); missing
 * values are tried on both sides. A column that had none in training sends them, should they come, to the larger child.
 * @returns null when no split within the limits gains anything
 */
export function bestSplit(matrix: BinnedMatrix, histogram: Float64Array, { l2, minLeafRows }: SplitLimits): Split | null {
  // In the histogram's steps throughout: the ratio of its units turns gradients squared over hessians into gain.
  const penalty = l2 * HESSIAN_STEPS;
  let G = 0;
  let H = 0;
  let rows = 0;
  for (let bin = 0; bin < BINS; bin++) {
    G += histogram[CELL * bin];
    H += histogram[CELL * bin + 1];
    rows += histogram[CELL * bin + 2];
  }
  const unsplit = (G * G) / (H + penalty);
  let best = unsplit + MIN_GAIN * ((GRADIENT_STEPS * GRADIENT_STEPS) / HESSIAN_STEPS);
  let column = -1;
  let splitBin = 0;
  let missingLeft = false;

  for (let candidate = 0; candidate < matrix.columns; candidate++) {
    const base = candidate * BINS * CELL;
    const missingAt = base + MISSING_BIN * CELL;
    const missingRows = histogram[missingAt + 2];
    const missingG = histogram[missingAt];
    const missingH = histogram[missingAt + 1];
    const last = matrix.edges[candidate].length;
    let leftG = 0;
    let leftH = 0;
    let leftRows = 0;
    for (let bin = 0; bin <= last; bin++) {
      const cell = base + bin * CELL;
      leftG += histogram[cell];
      leftH += histogram[cell + 1];
      leftRows += histogram[cell + 2];
      // The last bin leaves only missing values for the right side.
      if (bin === last && missingRows === 0) break;
      const rightRows = rows - leftRows;
      if (leftRows >= minLeafRows && rightRows >= minLeafRows) {
        const rightH = H - leftH;
        if (leftH >= MIN_HESSIAN && rightH >= MIN_HESSIAN) {
          const rightG = G - leftG;
          const gain = (leftG * leftG) / (leftH + penalty) + (rightG * rightG) / (rightH + penalty);
          if (gain > best) {
            best = gain;
            column = candidate;
            splitBin = bin;
            missingLeft = missingRows === 0 && leftRows > rightRows;
          }
        }
      }
      if (missingRows === 0 || bin === last) continue;
      const withRows = leftRows + missingRows;
      const withH = leftH + missingH;
      if (withRows < minLeafRows || rows - withRows < minLeafRows || withH < MIN_HESSIAN || H - withH < MIN_HESSIAN) continue;
      const withG = leftG + missingG;
      const gain = (withG * withG) / (withH + penalty) + ((G - withG) * (G - withG)) / (H - withH + penalty);
      if (gain > best) {
        best = gain;
        column = candidate;
        splitBin = bin;
        missingLeft = true;
      }
    }
  }
  return column < 0 ? null : { gain: best - unsplit, column, bin: splitBin, missingLeft };
}
