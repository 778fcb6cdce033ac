/**
 * The triangle R of an orthogonal decomposition that rows are added to block by block: of the rows so far, R keeps all scalar
 * products of columns, without squaring their condition as those products would (Golub and Van Loan, Matrix Computations, 2013,
 * 5.2; Demmel et al. 2012 for the blocks). size x size, row-major; entries below the diagonal are not used.
 */
export interface Triangle {
  readonly size: number;
  readonly values: Float64Array;
}

export function emptyTriangle(size: number): Triangle {
  return { size, values: new Float64Array(size * size) };
}

/**
 * Adds rows by Householder reflections, each of which meets one row of R and the whole block.
 *
 * @param block column-major, columns `stride` apart; destroyed
 */
export function appendRows({ size, values }: Triangle, block: Float64Array, rows: number, stride: number): void {
  for (let j = 0; j < size; j++) {
    const own = j * stride;
    let squares = 0;
    for (let row = own; row < own + rows; row++) squares += block[row] * block[row];
    if (squares === 0) continue;
    const pivot = values[j * size + j];
    const norm = Math.sqrt(pivot * pivot + squares);
    const reflected = pivot > 0 ? -norm : norm;
    const head = pivot - reflected;
    // Of the reflection 1 - v v' / (v' v / 2), v' v / 2 is norm^2 - pivot * reflected = -reflected * head.
    const half = -reflected * head;
    values[j * size + j] = reflected;
    for (let k = j + 1; k < size; k++) {
      const other = k * stride;
      let product = head * values[j * size + k];
      for (let row = 0; row < rows; row++) product += block[own + row] * block[other + row];
      if (product === 0) continue;
      const factor = product / half;
      values[j * size + k] -= factor * head;
      for (let row = 0; row < rows; row++) block[other + row] -= factor * block[own + row];
    }
  }
}

/**
 * The shortest of all x that minimise |A x - b|, where rows of [A b] were added to the triangle (b is its last column). A column
 * counts as dependent on others when what they leave of it is no more than `resolutions[j]` of its length; "shortest" is meant in
 * the units of `units[j] * x[j]`.
 */
export function leastSquares(triangle: Triangle, units: Float64Array, resolutions: Float64Array): Float64Array {
  const count = triangle.size - 1;
  const { order, rank, values } = pivoted(triangle, resolutions);
  const width = count + 1;
  if (rank === count) {
    const solved = backSubstitute(values, width, rank);
    const x = new Float64Array(count);
    order.forEach((column, place) => {
      x[column] = solved[place];
    });
    return x;
  }
  return shortest(values, width, rank, order, units);
}

interface Pivoted {
  /** Column by place. */
  readonly order: number[];
  readonly rank: number;
  /** Row-major, as wide as the triangle; upper triangular in the new order, the right side in the last column. */
  readonly values: Float64Array;
}

/** Householder reflections with the column first of which most is left. */
function pivoted({ size, values: source }: Triangle, resolutions: Float64Array): Pivoted {
  const count = size - 1;
  const values = source.slice();
  for (let i = 0; i < size; i++) values.fill(0, i * size, i * size + i);
  const order = Array.from({ length: count }, (_, j) => j);
  const negligible = order.map((j) => resolutions[j] * lengthFrom(values, size, j, 0));
  for (let place = 0; place < count; place++) {
    let longest = place;
    let remaining = 1;
    for (let j = place; j < count; j++) {
      const share = lengthFrom(values, size, j, place) / negligible[j];
      if (share > remaining) [longest, remaining] = [j, share];
    }
    if (remaining === 1) return { order, rank: place, values };
    if (longest !== place) {
      [order[place], order[longest]] = [order[longest], order[place]];
      [negligible[place], negligible[longest]] = [negligible[longest], negligible[place]];
      for (let row = 0; row < size; row++) {
        const a = row * size + place;
        const b = row * size + longest;
        [values[a], values[b]] = [values[b], values[a]];
      }
    }
    reflect(values, size, size, place);
  }
  return { order, rank: count, values };
}

function lengthFrom(values: Float64Array, width: number, column: number, from: number): number {
  let squares = 0;
  for (let row = from; row < width; row++) squares += values[row * width + column] ** 2;
  return Math.sqrt(squares);
}

/** Makes column j zero below row j. */
function reflect(values: Float64Array, height: number, width: number, j: number): void {
  let squares = 0;
  for (let row = j; row < height; row++) squares += values[row * width + j] ** 2;
  if (squares === 0) return;
  const pivot = values[j * width + j];
  const reflected = pivot > 0 ? -Math.sqrt(squares) : Math.sqrt(squares);
  const head = pivot - reflected;
  const half = -reflected * head;
  values[j * width + j] = head;
  for (let k = j + 1; k < width; k++) {
    let product = 0;
    for (let row = j; row < height; row++) product += values[row * width + j] * values[row * width + k];
    const factor = product / half;
    for (let row = j; row < height; row++) values[row * width + k] -= factor * values[row * width + j];
  }
  values[j * width + j] = reflected;
  for (let row = j + 1; row < height; row++) values[row * width + j] = 0;
}

/** Solves R x = b with R the first `rank` rows and columns and b the last column. */
function backSubstitute(values: Float64Array, width: number, rank: number): Float64Array {
  const x = new Float64Array(rank);
  for (let i = rank - 1; i >= 0; i--) {
    let sum = values[i * width + width - 1];
    for (let j = i + 1; j < rank; j++) sum -= values[i * width + j] * x[j];
    x[i] = sum / values[i * width + i];
  }
  return x;
}

/**
 * The shortest solution of the `rank` independent equations R x = b. With y = units * x and A = R / units it is y = A' (A A')^-1
 * b; the decomposition A' = Q T gives y = Q T'^-1 b, found by reflecting [A'] and then undoing the reflections.
 */
function shortest(
  values: Float64Array,
  width: number,
  rank: number,
  order: readonly number[],
  units: Float64Array,
): Float64Array {
  const count = width - 1;
  // Rows of `transposed` are unknowns, columns equations; further columns hold the identity, which becomes Q'.
  const wide = rank + count;
  const transposed = new Float64Array(count * wide);
  for (let place = 0; place < count; place++) {
    for (let i = 0; i < rank; i++) transposed[place * wide + i] = values[i * width + place] / units[order[place]];
    transposed[place * wide + rank + place] = 1;
  }
  for (let j = 0; j < rank; j++) reflect(transposed, count, wide, j);
  const z = new Float64Array(rank);
  for (let i = 0; i < rank; i++) {
    let sum = values[i * width + width - 1];
    for (let j = 0; j < i; j++) sum -= transposed[j * wide + i] * z[j];
    z[i] = sum / transposed[i * wide + i];
  }
  const x = new Float64Array(count);
  for (let place = 0; place < count; place++) {
    let y = 0;
    for (let j = 0; j < rank; j++) y += transposed[j * wide + rank + place] * z[j];
    x[order[place]] = y / units[order[place]];
  }
  return x;
}
