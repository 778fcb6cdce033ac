import { BINS, type BinnedMatrix } from "./binning.ts";

/**
 * A histogram holds, for each column and bin, three integers: sum of gradients in 1/1024, sum of hessians in 1/2048, rows. While
 * rows are added the three travel in one double, which makes one addition of three: gradient * 2^31 + hessian * 2^11 + 1.
 * Within a block of 2016 rows no field can overflow into the next, and all sums stay below 2^53: they are exact, whatever
 * the order of the rows, and so is a histogram that is the difference of two others.
 */
export const GRADIENT_STEPS = 1024;
export const HESSIAN_STEPS = 2048;
const GRADIENT_UNIT = 2 ** 31;
const HESSIAN_UNIT = 2 ** 11;
const BLOCK = 2016;
const TOUCH = 32;
/** Numbers a bin holds: gradient, hessian, rows. */
export const CELL = 3;

/**
 * Each row's gradient (-1…1) and hessian (0…0.25) of the log loss as one addend. Rounded up or down at random in proportion, so
 * that sums over many rows are unbiased, as in Shi et al., "Quantized Training of Gradient Boosting Decision Trees", 2022.
 */
export function packGradients(gradients: Float64Array, hessians: Float64Array, seed: number, packed: Float64Array): void {
  let state = seed | 0;
  for (let row = 0; row < packed.length; row++) {
    // Marsaglia's xorshift32: inline, because this runs once for each row and tree.
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    const steps = Math.floor(gradients[row] * GRADIENT_STEPS + (state & 0xffff) / 0x10000);
    const curvature = Math.floor(hessians[row] * HESSIAN_STEPS + (state >>> 16) / 0x10000);
    packed[row] = steps * GRADIENT_UNIT + curvature * HESSIAN_UNIT + 1;
  }
}

export const histogramLength = (matrix: BinnedMatrix): number => matrix.wordsPerRow * 4 * BINS * CELL;

/** Scratch space for `fillHistogram`. */
export const blockLength = (matrix: BinnedMatrix): number => matrix.wordsPerRow * 4 * BINS;

/** Replaces `histogram` by that of the rows `index[start…end - 1]`. `block` must be all zeros and is left so. */
export function fillHistogram(
  matrix: BinnedMatrix,
  packed: Float64Array,
  index: Uint32Array,
  start: number,
  end: number,
  block: Float64Array,
  histogram: Float64Array,
): void {
  const { byRow, wordsPerRow } = matrix;
  histogram.fill(0);
  for (let blockStart = start; blockStart < end; blockStart += BLOCK) {
    const blockEnd = Math.min(end, blockStart + BLOCK);
    for (let touchStart = blockStart; touchStart < blockEnd; touchStart += TOUCH) {
      const touchEnd = Math.min(blockEnd, touchStart + TOUCH);
      touchRows(byRow, wordsPerRow, index, touchStart, touchEnd);
      for (let i = touchStart; i < touchEnd; i++) {
        const row = index[i];
        const addend = packed[row];
        const first = row * wordsPerRow;
        for (let word = 0, cell = 0; word < wordsPerRow; word++, cell += 4 * BINS) {
          const bins = byRow[first + word];
          block[cell + (bins & 255)] += addend;
          block[cell + BINS + ((bins >>> 8) & 255)] += addend;
          block[cell + 2 * BINS + ((bins >>> 16) & 255)] += addend;
          block[cell + 3 * BINS + (bins >>> 24)] += addend;
        }
      }
    }
    unpackBlock(block, histogram);
  }
}

const touched = new Int32Array(1);

/** Reads the first and last word of some rows before they are used, so that the waits for memory overlap. */
function touchRows(byRow: Uint32Array, wordsPerRow: number, index: Uint32Array, start: number, end: number): void {
  let sum = 0;
  for (let i = start; i < end; i++) {
    const first = index[i] * wordsPerRow;
    sum = (sum + byRow[first] + byRow[first + wordsPerRow - 1]) | 0;
  }
  // Stored, or the optimiser would drop the loop.
  touched[0] = sum;
}

function unpackBlock(block: Float64Array, histogram: Float64Array): void {
  for (let cell = 0; cell < block.length; cell++) {
    const sum = block[cell];
    if (sum === 0) continue;
    const gradient = Math.floor(sum / GRADIENT_UNIT);
    const rest = (sum - gradient * GRADIENT_UNIT) | 0;
    histogram[CELL * cell] += gradient;
    histogram[CELL * cell + 1] += rest >>> 11;
    histogram[CELL * cell + 2] += rest & (HESSIAN_UNIT - 1);
    block[cell] = 0;
  }
}

/** parent -= child: what is left is the histogram of the other child. */
export function subtractHistogram(parent: Float64Array, child: Float64Array): void {
  for (let i = 0; i < parent.length; i++) parent[i] -= child[i];
}
