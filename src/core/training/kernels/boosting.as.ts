// Inner loops of gradient boosting. A row's record and a histogram's cell are two 64-bit integers: gradients, and hessians above
// weights. Sums of integers are exact, so that neither the order of rows nor the number of threads can change a tree.

/** Rows whose memory is touched before they are added: their waits for memory overlap. */
const AHEAD: usize = 64;

/**
 * Adds the records of `count` rows to the cells of their bins.
 * @param byRow bins, `columns` bytes a row
 * @param index the rows: 32-bit numbers
 * @param offsets by column, which cell of the histogram is its first: 32-bit
 * @returns nothing of use: it keeps the touching loads from being optimised away
 */
export function fillHistogram(
  byRow: usize,
  columns: usize,
  index: usize,
  count: usize,
  records: usize,
  offsets: usize,
  histogram: usize,
): u32 {
  const end = index + (count << 2);
  const fours = columns & ~3;
  let touched: u32 = 0;
  while (index < end) {
    const blockEnd = min(end, index + (AHEAD << 2));
    for (let ahead = index; ahead < blockEnd; ahead += 4) {
      const row = <usize>load<u32>(ahead);
      const bins = byRow + row * columns;
      touched += load<u8>(bins) + load<u8>(bins + columns - 1) + load<u8>(records + (row << 4));
    }
    for (; index < blockEnd; index += 4) {
      const row = <usize>load<u32>(index);
      const bins = byRow + row * columns;
      const record = v128.load(records + (row << 4));
      let column: usize = 0;
      for (; column < fours; column += 4) {
        const four = load<u32>(bins + column);
        const offset = offsets + (column << 2);
        addTo(histogram + ((<usize>load<u32>(offset) + (four & 255)) << 4), record);
        addTo(histogram + ((<usize>load<u32>(offset, 4) + ((four >> 8) & 255)) << 4), record);
        addTo(histogram + ((<usize>load<u32>(offset, 8) + ((four >> 16) & 255)) << 4), record);
        addTo(histogram + ((<usize>load<u32>(offset, 12) + (four >> 24)) << 4), record);
      }
      for (; column < columns; column++) {
        addTo(histogram + ((<usize>load<u32>(offsets + (column << 2)) + <usize>load<u8>(bins + column)) << 4), record);
      }
    }
  }
  return touched;
}

function addTo(cell: usize, record: v128): void {
  v128.store(cell, i64x2.add(v128.load(cell), record));
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
 * Makes records of rows' gradients and hessians (pairs of doubles), all of weight 1.
 * @param records where the first row's is to stand
 */
export function recordRows(
  pairs: usize,
  count: usize,
  gradientScale: f64,
  hessianScale: f64,
  weightBits: i32,
  records: usize,
): void {
  const end = pairs + (count << 4);
  for (; pairs < end; pairs += 16) {
    store<i64>(records, <i64>nearest<f64>(load<f64>(pairs) * gradientScale));
    store<i64>(records, ((<i64>nearest<f64>(load<f64>(pairs, 8) * hessianScale)) << (<i64>weightBits)) + 1, 8);
    records += 16;
  }
}

/** As `recordRows`, for rows that have weights (doubles). The row of weight 1 is rounded first, so that weight 2 is exactly twice it. */
export function recordWeightedRows(
  pairs: usize,
  count: usize,
  gradientScale: f64,
  hessianScale: f64,
  weightBits: i32,
  weightScale: f64,
  weights: usize,
  records: usize,
): void {
  const end = pairs + (count << 4);
  for (; pairs < end; pairs += 16) {
    const weight = load<f64>(weights);
    const gradient = nearest<f64>(nearest<f64>(load<f64>(pairs) * gradientScale) * weight);
    const hessian = nearest<f64>(nearest<f64>(load<f64>(pairs, 8) * hessianScale) * weight);
    store<i64>(records, <i64>gradient);
    store<i64>(records, ((<i64>hessian) << (<i64>weightBits)) + <i64>nearest<f64>(weight * weightScale), 8);
    records += 16;
    weights += 8;
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
