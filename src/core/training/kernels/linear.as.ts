// Kernels of generalised linear models over a block of rows: float64 in pairs. Columns are `stride` bytes apart and padded with
// columns of zeros to a multiple of 4, so that four can always be taken together; a count of rows is a multiple of 4.

const VECTOR: usize = 16;

@inline
function sumLanes(pair: v128): f64 {
  return f64x2.extract_lane(pair, 0) + f64x2.extract_lane(pair, 1);
}

@inline
function addTo(at: usize, pair: v128): void {
  store<f64>(at, load<f64>(at) + sumLanes(pair));
}

/** x = (x - mean) * factor */
export function standardize(column: usize, rows: i32, mean: f64, factor: f64): void {
  const end = column + (<usize>rows << 3);
  const means = f64x2.splat(mean);
  const factors = f64x2.splat(factor);
  for (; column < end; column += VECTOR) {
    v128.store(column, f64x2.mul(f64x2.sub(v128.load(column), means), factors));
  }
}

/** scores = columns times parameters */
export function score(columns: usize, stride: usize, width: i32, parameters: usize, rows: i32, scores: usize): void {
  const bytes = <usize>rows << 3;
  memory.fill(scores, 0, bytes);
  for (let j = 0; j < width; j += 4) {
    const f0 = v128.load64_splat(parameters, 0);
    const f1 = v128.load64_splat(parameters, 8);
    const f2 = v128.load64_splat(parameters, 16);
    const f3 = v128.load64_splat(parameters, 24);
    for (let at: usize = 0; at < bytes; at += VECTOR) {
      const x = columns + at;
      const low = f64x2.add(f64x2.mul(f0, v128.load(x)), f64x2.mul(f1, v128.load(x + stride)));
      const high = f64x2.add(f64x2.mul(f2, v128.load(x + 2 * stride)), f64x2.mul(f3, v128.load(x + 3 * stride)));
      v128.store(scores + at, f64x2.add(v128.load(scores + at), f64x2.add(low, high)));
    }
    columns += 4 * stride;
    parameters += 32;
  }
}

/**
 * e^x for x <= 0. x = k ln 2 + r with |r| <= ln 2 / 2, e^r by its Taylor series to r^13 (error below 2^-57), 2^k by its exponent
 * bits.
 */
@inline
function expOfNegative(x0: v128): v128 {
  const x = f64x2.max(x0, f64x2.splat(-708));
  // Adding 1.5 * 2^52 rounds to a whole number and leaves it in the lowest bits.
  const shifted = f64x2.add(f64x2.mul(x, f64x2.splat(1.4426950408889634)), f64x2.splat(6755399441055744));
  const k = f64x2.sub(shifted, f64x2.splat(6755399441055744));
  let r = f64x2.sub(x, f64x2.mul(k, f64x2.splat(6.93147180369123816490e-1)));
  r = f64x2.sub(r, f64x2.mul(k, f64x2.splat(1.90821492927058770002e-10)));
  let sum = f64x2.splat(1.0 / 6227020800.0);
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1.0 / 479001600.0));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1.0 / 39916800.0));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1.0 / 3628800.0));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1.0 / 362880.0));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1.0 / 40320.0));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1.0 / 5040.0));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1.0 / 720.0));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1.0 / 120.0));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1.0 / 24.0));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1.0 / 6.0));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(0.5));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1));
  sum = f64x2.add(f64x2.mul(sum, r), f64x2.splat(1));
  return f64x2.mul(sum, i64x2.shl(i64x2.add(shifted, i64x2.splat(1023)), 52));
}

/**
 * ln(1 + z) for z in 0 … 1: with t = z / (2 + z) it is 2 (t + t^3 / 3 + t^5 / 5 + …); t <= 1/3, and 16 terms leave less than
 * 2^-55.
 */
@inline
function logOfOnePlus(z: v128): v128 {
  const t = f64x2.div(z, f64x2.add(z, f64x2.splat(2)));
  const square = f64x2.mul(t, t);
  let sum = f64x2.splat(2.0 / 31.0);
  sum = f64x2.add(f64x2.mul(sum, square), f64x2.splat(2.0 / 29.0));
  sum = f64x2.add(f64x2.mul(sum, square), f64x2.splat(2.0 / 27.0));
  sum = f64x2.add(f64x2.mul(sum, square), f64x2.splat(2.0 / 25.0));
  sum = f64x2.add(f64x2.mul(sum, square), f64x2.splat(2.0 / 23.0));
  sum = f64x2.add(f64x2.mul(sum, square), f64x2.splat(2.0 / 21.0));
  sum = f64x2.add(f64x2.mul(sum, square), f64x2.splat(2.0 / 19.0));
  sum = f64x2.add(f64x2.mul(sum, square), f64x2.splat(2.0 / 17.0));
  sum = f64x2.add(f64x2.mul(sum, square), f64x2.splat(2.0 / 15.0));
  sum = f64x2.add(f64x2.mul(sum, square), f64x2.splat(2.0 / 13.0));
  sum = f64x2.add(f64x2.mul(sum, square), f64x2.splat(2.0 / 11.0));
  sum = f64x2.add(f64x2.mul(sum, square), f64x2.splat(2.0 / 9.0));
  sum = f64x2.add(f64x2.mul(sum, square), f64x2.splat(2.0 / 7.0));
  sum = f64x2.add(f64x2.mul(sum, square), f64x2.splat(2.0 / 5.0));
  sum = f64x2.add(f64x2.mul(sum, square), f64x2.splat(2.0 / 3.0));
  sum = f64x2.add(f64x2.mul(sum, square), f64x2.splat(2));
  return f64x2.mul(sum, t);
}

/** Scores become probabilities; residuals = weight (probability - target); returns the sum of weighted log losses. */
export function logisticLosses(scores: usize, targets: usize, weights: usize, residuals: usize, rows: i32): f64 {
  const bytes = <usize>rows << 3;
  const zero = f64x2.splat(0);
  const one = f64x2.splat(1);
  let loss = zero;
  for (let at: usize = 0; at < bytes; at += VECTOR) {
    const s = v128.load(scores + at);
    const y = v128.load(targets + at);
    const w = v128.load(weights + at);
    const small = expOfNegative(f64x2.neg(f64x2.abs(s)));
    const mean = f64x2.div(v128.bitselect(one, small, f64x2.ge(s, zero)), f64x2.add(one, small));
    const each = f64x2.sub(f64x2.add(f64x2.max(s, zero), logOfOnePlus(small)), f64x2.mul(y, s));
    loss = f64x2.add(loss, f64x2.mul(w, each));
    v128.store(scores + at, mean);
    v128.store(residuals + at, f64x2.mul(w, f64x2.sub(mean, y)));
  }
  return sumLanes(loss);
}

/** sums[j] += residuals times column j */
export function project(columns: usize, stride: usize, width: i32, residuals: usize, rows: i32, sums: usize): void {
  const bytes = <usize>rows << 3;
  for (let j = 0; j < width; j += 4) {
    let s0 = f64x2.splat(0);
    let s1 = f64x2.splat(0);
    let s2 = f64x2.splat(0);
    let s3 = f64x2.splat(0);
    for (let at: usize = 0; at < bytes; at += VECTOR) {
      const r = v128.load(residuals + at);
      const x = columns + at;
      s0 = f64x2.add(s0, f64x2.mul(r, v128.load(x)));
      s1 = f64x2.add(s1, f64x2.mul(r, v128.load(x + stride)));
      s2 = f64x2.add(s2, f64x2.mul(r, v128.load(x + 2 * stride)));
      s3 = f64x2.add(s3, f64x2.mul(r, v128.load(x + 3 * stride)));
    }
    addTo(sums, s0);
    addTo(sums + 8, s1);
    addTo(sums + 16, s2);
    addTo(sums + 24, s3);
    columns += 4 * stride;
    sums += 32;
  }
}

/**
 * sums[j][l] += curvature times column j times column l, at least for l <= j; rows of `sums` are `width` numbers. Two columns j
 * at a time, times the curvature, against four l: eight sums for six loads.
 */
export function gram(columns: usize, stride: usize, width: i32, curvature: usize, rows: i32, weighted: usize, sums: usize): void {
  const bytes = <usize>rows << 3;
  const second = weighted + bytes;
  const rowBytes = <usize>width << 3;
  for (let j = 0; j < width; j += 2) {
    const own = columns + <usize>j * stride;
    for (let at: usize = 0; at < bytes; at += VECTOR) {
      const c = v128.load(curvature + at);
      v128.store(weighted + at, f64x2.mul(c, v128.load(own + at)));
      v128.store(second + at, f64x2.mul(c, v128.load(own + stride + at)));
    }
    const into = sums + <usize>j * rowBytes;
    for (let l = 0; l <= j + 1; l += 4) {
      const other = columns + <usize>l * stride;
      let s0 = f64x2.splat(0);
      let s1 = f64x2.splat(0);
      let s2 = f64x2.splat(0);
      let s3 = f64x2.splat(0);
      let t0 = f64x2.splat(0);
      let t1 = f64x2.splat(0);
      let t2 = f64x2.splat(0);
      let t3 = f64x2.splat(0);
      for (let at: usize = 0; at < bytes; at += VECTOR) {
        const a = v128.load(weighted + at);
        const b = v128.load(second + at);
        const x0 = v128.load(other + at);
        const x1 = v128.load(other + stride + at);
        const x2 = v128.load(other + 2 * stride + at);
        const x3 = v128.load(other + 3 * stride + at);
        s0 = f64x2.add(s0, f64x2.mul(a, x0));
        s1 = f64x2.add(s1, f64x2.mul(a, x1));
        s2 = f64x2.add(s2, f64x2.mul(a, x2));
        s3 = f64x2.add(s3, f64x2.mul(a, x3));
        t0 = f64x2.add(t0, f64x2.mul(b, x0));
        t1 = f64x2.add(t1, f64x2.mul(b, x1));
        t2 = f64x2.add(t2, f64x2.mul(b, x2));
        t3 = f64x2.add(t3, f64x2.mul(b, x3));
      }
      const cell = into + (<usize>l << 3);
      addTo(cell, s0);
      addTo(cell + 8, s1);
      addTo(cell + 16, s2);
      addTo(cell + 24, s3);
      addTo(cell + rowBytes, t0);
      addTo(cell + rowBytes + 8, t1);
      addTo(cell + rowBytes + 16, t2);
      addTo(cell + rowBytes + 24, t3);
    }
  }
}
