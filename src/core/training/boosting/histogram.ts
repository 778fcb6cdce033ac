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
const PER_GRADIENT_UNIT = 2 ** -31;
const HESSIAN_UNIT = 2 ** 11;
const BLOCK = 2016;
const TILE = 504;
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

export const histogramLength = (matrix: BinnedMatrix): number => matrix.columns * BINS * CELL;

/** Scratch space for `fillHistogram`. */
export const blockLength = (matrix: BinnedMatrix): number => matrix.columns * BINS;

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
  histogram.fill(0);
  for (let blockStart = start; blockStart < end; blockStart += BLOCK) {
    const blockEnd = Math.min(end, blockStart + BLOCK);
    for (let tileStart = blockStart; tileStart < blockEnd; tileStart += TILE) {
      addTile(matrix, packed, index, tileStart, Math.min(blockEnd, tileStart + TILE), block);
    }
    unpackBlock(block, histogram);
  }
}

const tileAddends = new Float64Array(TILE);
const tileWords = new Uint32Array(TILE);

/**
 * Four columns at a time for a few hundred rows: the rows' bins, addends and the four columns' cells stay in the first-level cache
 * together. Gathering addends and positions first lets the waits for scattered rows overlap.
 */
function addTile(
  { byRow, wordsPerRow, columns }: BinnedMatrix,
  packed: Float64Array,
  index: Uint32Array,
  start: number,
  end: number,
  block: Float64Array,
): void {
  const size = end - start;
  for (let i = 0; i < size; i++) {
    const row = index[start + i];
    tileAddends[i] = packed[row];
    tileWords[i] = row * wordsPerRow;
  }
  const wholeWords = columns >> 2;
  for (let word = 0; word < wholeWords; word++) {
    const first = word * 4 * BINS;
    const second = first + BINS;
    const third = second + BINS;
    const fourth = third + BINS;
    for (let i = 0; i < size; i++) {
      const bins = byRow[tileWords[i] + word];
      const addend = tileAddends[i];
      block[first + (bins & 255)] += addend;
      block[second + ((bins >>> 8) & 255)] += addend;
      block[third + ((bins >>> 16) & 255)] += addend;
      block[fourth + (bins >>> 24)] += addend;
    }
  }
  for (let column = wholeWords * 4; column < columns; column++) {
    const shift = (column & 3) * 8;
    const cell = column * BINS;
    for (let i = 0; i < size; i++) block[cell + ((byRow[tileWords[i] + wholeWords] >>> shift) & 255)] += tileAddends[i];
  }
}

function unpackBlock(block: Float64Array, histogram: Float64Array): void {
  for (let cell = 0; cell < block.length; cell++) {
    const sum = block[cell];
    if (sum === 0) continue;
    const gradient = Math.floor(sum * PER_GRADIENT_UNIT);
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
