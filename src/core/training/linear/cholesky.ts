/**
 * Solves H x = b for a symmetric positive semidefinite H, given by its lower triangle (row-major, size x size). H is scaled to a
 * unit diagonal first; where it is not definite in 64-bit arithmetic, a ridge is added, which leaves directions without curvature
 * alone.
 */
export interface CholeskyFactor {
  readonly size: number;
  solve(b: Float64Array): Float64Array;
}

export function factorize(matrix: Float64Array, size: number): CholeskyFactor {
  const scale = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    const diagonal = matrix[i * size + i];
    scale[i] = diagonal > 0 ? 1 / Math.sqrt(diagonal) : 0;
  }
  const factor = new Float64Array(size * size);
  for (let ridge = 0; ; ridge = Math.max(1e-14, ridge * 100)) {
    for (let i = 0; i < size; i++) {
      for (let j = 0; j <= i; j++) factor[i * size + j] = matrix[i * size + j] * scale[i] * scale[j];
      // A parameter that nothing depends on gets a row of the identity, and so a step of 0.
      factor[i * size + i] = scale[i] === 0 ? 1 : factor[i * size + i] + ridge;
    }
    if (decomposeInPlace(factor, size) || ridge > 1) return { size, solve: (b) => solve(factor, scale, b) };
  }
}

function solve(factor: Float64Array, scale: Float64Array, b: Float64Array): Float64Array {
  const size = scale.length;
  const x = b.map((value, i) => value * scale[i]);
  for (let i = 0; i < size; i++) {
    let sum = x[i];
    for (let j = 0, at = i * size; j < i; j++) sum -= factor[at + j] * x[j];
    x[i] = sum / factor[i * size + i];
  }
  for (let i = size - 1; i >= 0; i--) {
    const value = x[i] / factor[i * size + i];
    x[i] = value;
    for (let j = 0, at = i * size; j < i; j++) x[j] -= factor[at + j] * value;
  }
  return x.map((value, i) => value * scale[i]);
}

/** Replaces the lower triangle by its Cholesky factor; false where a pivot is lost to rounding. */
function decomposeInPlace(matrix: Float64Array, size: number): boolean {
  for (let i = 0; i < size; i++) {
    const row = i * size;
    for (let j = 0; j < i; j++) matrix[row + j] = (matrix[row + j] - dot(matrix, row, j * size, j)) / matrix[j * size + j];
    const pivot = matrix[row + i] - dot(matrix, row, row, i);
    if (!(pivot > size * Number.EPSILON)) return false;
    matrix[row + i] = Math.sqrt(pivot);
  }
  return true;
}

/** Four sums at a time: one alone would wait for each addition. */
function dot(values: Float64Array, a: number, b: number, length: number): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let k = 0;
  for (; k + 3 < length; k += 4) {
    s0 += values[a + k] * values[b + k];
    s1 += values[a + k + 1] * values[b + k + 1];
    s2 += values[a + k + 2] * values[b + k + 2];
    s3 += values[a + k + 3] * values[b + k + 3];
  }
  for (; k < length; k++) s0 += values[a + k] * values[b + k];
  return s0 + s1 + (s2 + s3);
}
