// Inner loops of gradient boosting. A row's record and a histogram's cell are two 64-bit integers: gradients, and hessians above
// weights. Sums of integers are exact, so that neither the order of rows nor the number of threads can change a tree.

/** Of rows that stand close together, one so many ahead is touched before each is added. */
const AHEAD: usize = 16;
/** Of rows that stand far apart, so many are touched before they are added, so that the waits for them overlap. */
const BLOCK: usize = 32;
/** Rows stand close together where on average at least one in so many is among them. */
const CLOSE: usize = 4;

/**
 * Adds the records of `count` rows to their cells, for columns whose cells are numbered from one on.
 * @param rows `rowBytes` each: first the record
 * @param cellsAt where in a row the numbers of its cells stand: 16 bits a column
 * @param index the rows: 32-bit numbers, ascending
 * @param histogram the cell that is number 0
 * @returns nothing of use: it keeps the touching loads from being optimised away
 */
export function fillHistogram(
  rows: usize,
  rowBytes: usize,
  cellsAt: usize,
  columns: usize,
  index: usize,
  count: usize,
  histogram: usize,
): u32 {
  if (count === 0) return 0;
  const end = index + (count << 2);
  const span = <usize>load<u32>(end - 4) - <usize>load<u32>(index);
  return span < count * CLOSE
    ? fillFromClose(rows, rowBytes, cellsAt, columns, index, end, histogram)
    : fillFromFar(rows, rowBytes, cellsAt, columns, index, end, histogram);
}

function fillFromClose(
  rows: usize,
  rowBytes: usize,
  cellsAt: usize,
  columns: usize,
  index: usize,
  end: usize,
  histogram: usize,
): u32 {
  let touched: u32 = 0;
  for (; index < end; index += 4) {
    touched += touch(rows + <usize>load<u32>(min(end - 4, index + (AHEAD << 2))) * rowBytes, rowBytes);
    addRow(rows + <usize>load<u32>(index) * rowBytes, cellsAt, columns, histogram);
  }
  return touched;
}

function fillFromFar(
  rows: usize,
  rowBytes: usize,
  cellsAt: usize,
  columns: usize,
  index: usize,
  end: usize,
  histogram: usize,
): u32 {
  let touched: u32 = 0;
  while (index < end) {
    const blockEnd = min(end, index + (BLOCK << 2));
    for (let ahead = index; ahead < blockEnd; ahead += 4) {
      touched += touch(rows + <usize>load<u32>(ahead) * rowBytes, rowBytes);
    }
    for (; index < blockEnd; index += 4) addRow(rows + <usize>load<u32>(index) * rowBytes, cellsAt, columns, histogram);
  }
  return touched;
}

@inline
function touch(row: usize, rowBytes: usize): u32 {
  return load<u8>(row) + load<u8>(row + rowBytes - 1);
}

@inline
function addRow(row: usize, cellsAt: usize, columns: usize, histogram: usize): void {
  const record = v128.load(row);
  let cell = row + cellsAt;
  const last = cell + (columns << 1);
  for (const fours = cell + ((columns & ~3) << 1); cell < fours; cell += 8) {
    addTo(histogram + (<usize>load<u16>(cell) << 4), record);
    addTo(histogram + (<usize>load<u16>(cell, 2) << 4), record);
    addTo(histogram + (<usize>load<u16>(cell, 4) << 4), record);
    addTo(histogram + (<usize>load<u16>(cell, 6) << 4), record);
  }
  for (; cell < last; cell += 2) addTo(histogram + (<usize>load<u16>(cell) << 4), record);
}

@inline
function addTo(cell: usize, record: v128): void {
  v128.store(cell, i64x2.add(v128.load(cell), record));
}

/** Typed arrays do this an element at a time where memory is shared. */
export function copyBytes(target: usize, source: usize, bytes: usize): void {
  memory.copy(target, source, bytes);
}

export function clearBytes(target: usize, bytes: usize): void {
  memory.fill(target, 0, bytes);
}

/** target += source, cell by cell. */
export function addHistogram(target: usize, source: usize, bytes: usize): void {
  for (let at: usize = 0; at < bytes; at += 16) {
    v128.store(target + at, i64x2.add(v128.load(target + at), v128.load(source + at)));
  }
}

/** parent -= child, cell by cell: what is left is the histogram of the other child. */
export function subtractHistogram(parent: usize, child: usize, bytes: usize): void {
  for (let at: usize = 0; at < bytes; at += 16) {
    v128.store(parent + at, i64x2.sub(v128.load(parent + at), v128.load(child + at)));
  }
}

/** Writes each cell as three doubles: gradient, hessian, weight. */
export function unpackHistogram(
  histogram: usize,
  cells: usize,
  weightBits: i32,
  gradientUnit: f64,
  hessianUnit: f64,
  weightUnit: f64,
  sums: usize,
): void {
  const mask = ((<i64>1) << (<i64>weightBits)) - 1;
  for (let cell: usize = 0; cell < cells; cell++) {
    const both = load<i64>(histogram + (cell << 4), 8);
    const sum = sums + cell * 24;
    store<f64>(sum, <f64>load<i64>(histogram + (cell << 4)) * gradientUnit);
    store<f64>(sum, <f64>(both >> <i64>weightBits) * hessianUnit, 8);
    store<f64>(sum, <f64>(both & mask) * weightUnit, 16);
  }
}

/**
 * Finds the edge that gains most among columns of numbers, with missing values on either side: the largest
 * GL^2 / (HL + l2) + GR^2 / (HR + l2). Fractions are compared by cross-multiplying, as a division would take longer than all the rest.
 * plain-kernel.ts takes the same steps in the same order.
 * @param candidates of each column two 32-bit numbers: its first cell, and how many bins of values it has; one of missing values follows
 * @param least what must be surpassed
 * @param answer three doubles: gain, bin, and 1 where missing values go left; unchanged where nothing surpasses `least`
 * @returns the candidate's position, or -1
 */
export function scanNumbers(
  histogram: usize,
  candidates: usize,
  count: i32,
  weightBits: i32,
  gradientUnit: f64,
  hessianUnit: f64,
  weightUnit: f64,
  gradient: f64,
  hessian: f64,
  weight: f64,
  l1: f64,
  l2: f64,
  minLeafRows: f64,
  minHessian: f64,
  least: f64,
  answer: usize,
): i32 {
  const mask = ((<i64>1) << (<i64>weightBits)) - 1;
  // All in the cells' units, which are powers of two: nothing is rounded by that.
  const allGradient = gradient / gradientUnit;
  const allHessian = <i64>(hessian / hessianUnit);
  const allWeight = <i64>(weight / weightUnit);
  const leastHessian = <i64>ceil(minHessian / hessianUnit);
  const leastWeight = max<i64>(1, <i64>ceil(minLeafRows / weightUnit));
  const threshold = l1 / gradientUnit;
  const penalty = l2 / hessianUnit;
  const gainUnit = (gradientUnit * gradientUnit) / hessianUnit;
  let mostNumerator = least / gainUnit;
  let mostDenominator: f64 = 1;
  let best = -1;
  for (let candidate = 0; candidate < count; candidate++) {
    const cells = histogram + ((<usize>load<u32>(candidates + ((<usize>candidate) << 3))) << 4);
    const missing = cells + ((<usize>load<u32>(candidates + ((<usize>candidate) << 3), 4)) << 4);
    const sides = (load<i64>(missing, 8) & mask) === 0 ? 1 : 2;
    for (let side = 0; side < sides; side++) {
      let gradients: i64 = side === 0 ? 0 : load<i64>(missing);
      let others: i64 = side === 0 ? 0 : load<i64>(missing, 8);
      for (let cell = cells; cell < missing; cell += 16) {
        const added = load<i64>(cell, 8);
        // An empty bin's edge splits the rows as the one before it does.
        if ((added & mask) === 0) continue;
        gradients += load<i64>(cell);
        others += added;
        const leftWeight = others & mask;
        const leftHessian = others >> <i64>weightBits;
        if (leftWeight < leastWeight || leftHessian < leastHessian) continue;
        const rightHessian = allHessian - leftHessian;
        if (allWeight - leftWeight < leastWeight || rightHessian < leastHessian) break;
        const leftGradient = <f64>gradients;
        const rightGradient = allGradient - leftGradient;
        const leftPull = threshold === 0 ? leftGradient : softThreshold(leftGradient, threshold);
        const rightPull = threshold === 0 ? rightGradient : softThreshold(rightGradient, threshold);
        const leftCurvature = <f64>leftHessian + penalty;
        const rightCurvature = <f64>rightHessian + penalty;
        const numerator = leftPull * leftPull * rightCurvature + rightPull * rightPull * leftCurvature;
        const denominator = leftCurvature * rightCurvature;
        if (numerator * mostDenominator <= mostNumerator * denominator) continue;
        mostNumerator = numerator;
        mostDenominator = denominator;
        best = candidate;
        store<f64>(answer, (numerator / denominator) * gainUnit);
        store<f64>(answer, <f64>((cell - cells) >> 4), 8);
        store<f64>(answer, <f64>side, 16);
      }
    }
  }
  return best;
}

function softThreshold(gradient: f64, l1: f64): f64 {
  return gradient > l1 ? gradient - l1 : gradient < -l1 ? gradient + l1 : 0;
}

/**
 * Gradients and hessians of the log loss, as pairs of doubles: p - y and p(1 - p), where p is the sigmoid of the score. plain-kernel.ts
 * takes the same steps in the same order, and so gives the same bits.
 * @param count rows; where it is odd, one more pair is written
 */
export function logLossPairs(scores: usize, targets: usize, count: usize, pairs: usize): void {
  const one = f64x2.splat(1);
  const end = scores + (count << 3);
  for (; scores < end; scores += 16) {
    const probability = f64x2.div(one, f64x2.add(one, exponential(f64x2.neg(v128.load(scores)))));
    const gradient = f64x2.sub(probability, v128.load(targets));
    const hessian = f64x2.mul(probability, f64x2.sub(one, probability));
    v128.store(pairs, v128.shuffle<f64>(gradient, hessian, 0, 2));
    v128.store(pairs, v128.shuffle<f64>(gradient, hessian, 1, 3), 16);
    targets += 16;
    pairs += 32;
  }
}

/** Added to numbers below 2^51 it leaves their nearest whole number in the lowest bits; taken away again, that number as a double. */
const WHOLE: f64 = 6755399441055744;

/** e^x within -708 … 709: a Taylor series of e^r for |r| <= ln(2) / 2, times a power of two. */
function exponential(x: v128): v128 {
  const whole = f64x2.splat(WHOLE);
  const within = f64x2.pmax(f64x2.pmin(x, f64x2.splat(709)), f64x2.splat(-708));
  const shifted = f64x2.add(f64x2.mul(within, f64x2.splat(Math.LOG2E)), whole);
  const power = f64x2.sub(shifted, whole);
  // ln(2) in two parts, so that a whole number of the first is exact.
  const high = f64x2.sub(within, f64x2.mul(power, f64x2.splat(6.9314718036912382e-1)));
  const r = f64x2.sub(high, f64x2.mul(power, f64x2.splat(1.9082149292705877e-10)));
  let sum = f64x2.splat(1.0 / 362880.0);
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
 * Makes records of rows' gradients and hessians (pairs of doubles).
 * @param weights doubles, or 0: all weigh 1. The row of weight 1 is rounded first, so that weight 2 is exactly twice it.
 * @param rows where the first row's record is to stand; the next one's is `rowBytes` behind it
 */
export function recordRows(
  pairs: usize,
  count: usize,
  gradientScale: f64,
  hessianScale: f64,
  weightBits: i32,
  weightScale: f64,
  weights: usize,
  rows: usize,
  rowBytes: usize,
): void {
  const scales = f64x2.replace_lane(f64x2.splat(gradientScale), 1, hessianScale);
  const whole = f64x2.splat(WHOLE);
  let weight = i64x2.replace_lane(i64x2.splat(0), 1, 1);
  const end = pairs + (count << 4);
  for (; pairs < end; pairs += 16) {
    let steps = f64x2.nearest(f64x2.mul(v128.load(pairs), scales));
    if (weights !== 0) {
      const each = load<f64>(weights);
      steps = f64x2.nearest(f64x2.mul(steps, f64x2.splat(each)));
      weight = i64x2.replace_lane(weight, 1, <i64>nearest<f64>(each * weightScale));
      weights += 8;
    }
    const integers = i64x2.sub(f64x2.add(steps, whole), whole);
    const shifted = i64x2.shl(integers, weightBits);
    v128.store(rows, i64x2.add(v128.shuffle<i64>(integers, shifted, 0, 3), weight));
    rows += rowBytes;
  }
}

/**
 * Moves the rows whose bin goes left to the front, in their old order, and copies the others to `right`.
 * @param bins by row, one column's
 * @param goesLeft by bin: 1 or 0
 * @returns how many go left
 */
export function partitionRows(bins: usize, index: usize, count: usize, goesLeft: usize, right: usize): u32 {
  const end = index + (count << 2);
  const first = index;
  let left = index;
  for (; index < end; index += 4) {
    const row = load<u32>(index);
    const isLeft = <usize>load<u8>(goesLeft + <usize>load<u8>(bins + row));
    // Both places are written and one advances: a branch here would be mispredicted every other row.
    store<u32>(left, row);
    store<u32>(right, row);
    left += isLeft << 2;
    right += (1 - isLeft) << 2;
  }
  return <u32>((left - first) >> 2);
}

/** Adds a leaf's value to the scores (doubles) of its rows. */
export function addToScores(scores: usize, index: usize, count: usize, value: f64): void {
  const end = index + (count << 2);
  for (; index < end; index += 4) {
    const score = scores + ((<usize>load<u32>(index)) << 3);
    store<f64>(score, load<f64>(score) + value);
  }
}
