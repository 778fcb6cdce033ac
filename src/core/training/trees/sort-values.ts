const DIGIT_BITS = 11;
const DIGITS = 3;
const BUCKETS = 1 << DIGIT_BITS;

/** Values in ascending order, and the row that each comes from. */
export interface SortedValues {
  readonly values: Float64Array;
  readonly rows: Uint32Array;
}

/**
 * Values in ascending order; missing ones and rows that `leaveOut` names are not among them.
 *
 * A radix sort by the values' upper 32 bits (sign, exponent, 20 bits of the mantissa), which leaves only values that agree in these to be
 * put in order one by one.
 *
 * @param stride takes every so manieth row only
 */
export function sortValues(column: Float64Array, stride = 1, leaveOut: (row: number) => boolean = () => false): SortedValues {
  let { values, rows } = gather(column, stride, leaveOut);
  let spareValues = new Float64Array(values.length);
  let spareRows = new Uint32Array(rows.length);
  for (let digit = 0; digit < DIGITS; digit++) {
    sortByDigit(values, rows, digit * DIGIT_BITS, spareValues, spareRows);
    [values, spareValues] = [spareValues, values];
    [rows, spareRows] = [spareRows, rows];
  }
  sortWithinKeys(values, rows);
  return { values, rows };
}

function gather(column: Float64Array, stride: number, leaveOut: (row: number) => boolean) {
  const values = new Float64Array(Math.ceil(column.length / stride));
  const rows = new Uint32Array(values.length);
  let count = 0;
  for (let row = 0; row < column.length; row += stride) {
    if (Number.isNaN(column[row]) || leaveOut(row)) continue;
    values[count] = column[row];
    rows[count++] = row;
  }
  return { values: values.slice(0, count), rows: rows.slice(0, count) };
}

/**
 * Ascends with the number.
 * @param highWord upper 32 bits of a double
 */
export const ascendingKey = (highWord: number): number => (highWord ^ ((highWord >> 31) | 0x80000000)) >>> 0;

/** One pass of a radix sort: stable, by 11 bits of the keys from `shift` on. */
function sortByDigit(
  values: Float64Array,
  rows: Uint32Array,
  shift: number,
  sortedValues: Float64Array,
  sortedRows: Uint32Array,
): void {
  const words = new Uint32Array(values.buffer);
  const places = new Uint32Array(BUCKETS + 1);
  for (let i = 0; i < values.length; i++) places[((ascendingKey(words[2 * i + 1]) >>> shift) & (BUCKETS - 1)) + 1]++;
  for (let bucket = 0; bucket < BUCKETS; bucket++) places[bucket + 1] += places[bucket];
  for (let i = 0; i < values.length; i++) {
    const place = places[(ascendingKey(words[2 * i + 1]) >>> shift) & (BUCKETS - 1)]++;
    sortedValues[place] = values[i];
    sortedRows[place] = rows[i];
  }
}

function sortWithinKeys(values: Float64Array, rows: Uint32Array): void {
  const words = new Uint32Array(values.buffer);
  let start = 0;
  for (let end = 1; end <= values.length; end++) {
    if (end < values.length && words[2 * end + 1] === words[2 * start + 1]) continue;
    // Most runs hold one value, however long they are.
    if (!isAscending(values, start, end)) sortRun(values.subarray(start, end), rows.subarray(start, end));
    start = end;
  }
}

function isAscending(values: Float64Array, start: number, end: number): boolean {
  for (let i = start + 1; i < end; i++) if (values[i - 1] > values[i]) return false;
  return true;
}

function sortRun(values: Float64Array, rows: Uint32Array): void {
  const order = Uint32Array.from(values.keys()).sort((a, b) => values[a] - values[b] || a - b);
  values.set(Float64Array.from(order, (i) => values[i]));
  rows.set(Uint32Array.from(order, (i) => rows[i]));
}
