/**
 * The inner loops of generalised linear models over a block of rows small enough to stay in the processor's cache. Column 0 of a
 * block is all ones, for the intercept; columns and outputs lie one after another, `capacity` numbers apart. A count of rows is
 * always a multiple of 4: rows of weight 0 fill the last block up.
 */
export interface BlockKernel {
  readonly capacity: number;
  /** Columns, the one of ones included; those that a kernel adds to fill up are 0. */
  readonly width: number;
  readonly outputs: number;
  /** width x capacity */
  readonly columns: Float64Array;
  readonly targets: Float64Array;
  readonly weights: Float64Array;
  /** outputs x width; set by the caller. */
  readonly parameters: Float64Array;
  /** outputs x capacity: the linear predictors, then in their place the expected values. */
  readonly scores: Float64Array;
  /** outputs x capacity: weighted derivatives of the loss by the linear predictors. */
  readonly residuals: Float64Array;
  /** Weighted second derivatives of the loss, of the pair of outputs at hand. */
  readonly curvature: Float64Array;
  /** outputs x width: sums over blocks; reset by the caller. */
  readonly gradient: Float64Array;
  /** pairs x width x width, lower triangles: sums over blocks; reset by the caller. */
  readonly grams: Float64Array;

  /** Replaces a column x by (x - mean) * factor. */
  standardize(column: number, rows: number, mean: number, factor: number): void;
  /** Linear predictor of one output. */
  score(output: number, rows: number): void;
  /**
   * Of output 0, with a logistic link: expected values in place of scores, residuals, and the sum of weighted log losses as
   * result.
   */
  logisticLosses(rows: number): number;
  /** Adds the block's part of one output's gradient: products of residuals and columns. */
  project(output: number, rows: number): void;
  /** Adds the block's part of the sums of curvature x column x column to gram `pair`. */
  gram(pair: number, rows: number): void;
}

export interface BlockShape {
  /** Columns, the one of ones included. */
  readonly width: number;
  readonly outputs: number;
  /** Grams that are summed at once; 0 where none is asked for. */
  readonly pairs: number;
}

/** Rows of a block: as many as keep it within about 512 kB; a multiple of 4 that spreads columns over the cache's sets. */
export function blockCapacity(width: number): number {
  const rows = Math.max(64, Math.min(1024, Math.floor(65_536 / width)));
  return (rows & ~7) - 4;
}

/** In plain TypeScript. */
export function createPlainBlockKernel({ width, outputs, pairs }: BlockShape): BlockKernel {
  const capacity = blockCapacity(width);
  const columns = new Float64Array(width * capacity);
  const targets = new Float64Array(capacity);
  const weights = new Float64Array(capacity);
  const parameters = new Float64Array(outputs * width);
  const scores = new Float64Array(outputs * capacity);
  const residuals = new Float64Array(outputs * capacity);
  const curvature = new Float64Array(capacity);
  const gradient = new Float64Array(outputs * width);
  const grams = new Float64Array(pairs * width * width);
  const weighted = new Float64Array(capacity);

  return {
    capacity,
    width,
    outputs,
    columns,
    targets,
    weights,
    parameters,
    scores,
    residuals,
    curvature,
    gradient,
    grams,
    standardize(column, rows, mean, factor) {
      const start = column * capacity;
      for (let i = start; i < start + rows; i++) columns[i] = (columns[i] - mean) * factor;
    },
    score(output, rows) {
      const into = scores.subarray(output * capacity, output * capacity + rows);
      into.fill(0);
      let j = 0;
      for (; j + 3 < width; j += 4) addFour(into, columns, j * capacity, capacity, parameters, output * width + j);
      for (; j < width; j++) addOne(into, columns, j * capacity, parameters[output * width + j]);
    },
    logisticLosses(rows) {
      let loss = 0;
      for (let row = 0; row < rows; row++) {
        const score = scores[row];
        const small = Math.exp(-Math.abs(score));
        const mean = score >= 0 ? 1 / (1 + small) : small / (1 + small);
        loss += weights[row] * (Math.max(score, 0) + Math.log1p(small) - targets[row] * score);
        scores[row] = mean;
        residuals[row] = weights[row] * (mean - targets[row]);
      }
      return loss;
    },
    project(output, rows) {
      const factors = residuals.subarray(output * capacity, output * capacity + rows);
      addDots(gradient, output * width, factors, columns, width, capacity);
    },
    gram(pair, rows) {
      for (let j = 0; j < width; j++) {
        for (let row = 0, at = j * capacity; row < rows; row++, at++) weighted[row] = curvature[row] * columns[at];
        addDots(grams, (pair * width + j) * width, weighted.subarray(0, rows), columns, j + 1, capacity);
      }
    },
  };
}

function addOne(into: Float64Array, columns: Float64Array, start: number, factor: number): void {
  for (let row = 0; row < into.length; row++) into[row] += factor * columns[start + row];
}

/** Four columns in one pass: a sum is loaded and stored a quarter as often. */
function addFour(
  into: Float64Array,
  columns: Float64Array,
  start: number,
  stride: number,
  factors: Float64Array,
  at: number,
): void {
  const f0 = factors[at];
  const f1 = factors[at + 1];
  const f2 = factors[at + 2];
  const f3 = factors[at + 3];
  const second = start + stride;
  const third = second + stride;
  const fourth = third + stride;
  for (let row = 0; row < into.length; row++) {
    into[row] +=
      f0 * columns[start + row] + f1 * columns[second + row] + (f2 * columns[third + row] + f3 * columns[fourth + row]);
  }
}

/** sums[at + j] += the scalar product of `factors` and column j, for the first `count` columns. */
function addDots(
  sums: Float64Array,
  at: number,
  factors: Float64Array,
  columns: Float64Array,
  count: number,
  stride: number,
): void {
  let j = 0;
  for (; j + 3 < count; j += 4) {
    const first = j * stride;
    const second = first + stride;
    const third = second + stride;
    const fourth = third + stride;
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    for (let row = 0; row < factors.length; row++) {
      const factor = factors[row];
      s0 += factor * columns[first + row];
      s1 += factor * columns[second + row];
      s2 += factor * columns[third + row];
      s3 += factor * columns[fourth + row];
    }
    sums[at + j] += s0;
    sums[at + j + 1] += s1;
    sums[at + j + 2] += s2;
    sums[at + j + 3] += s3;
  }
  for (; j < count; j++) {
    let sum = 0;
    for (let row = 0, x = j * stride; row < factors.length; row++, x++) sum += factors[row] * columns[x];
    sums[at + j] += sum;
  }
}
