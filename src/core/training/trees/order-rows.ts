const DIGIT_BITS = 11;
const DIGITS = 3;
const BUCKETS = 1 << DIGIT_BITS;

/**
 * Rows in ascending order of their values; missing values and rows that `leaveOut` names are not among them.
 *
 * A radix sort of the values' upper 32 bits (sign, exponent, 20 bits of the mantissa), which leaves only values that agree in these to be
 * put in order one by one.
 *
 * @param stride takes every so manieth row only
 */
export function orderRows(values: Float64Array, stride = 1, leaveOut: (row: number) => boolean = () => false): Uint32Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, 2 * values.length);
  let keys = new Uint32Array(Math.ceil(values.length / stride));
  let order = new Uint32Array(keys.length);
  let count = 0;
  for (let row = 0; row < values.length; row += stride) {
    if (Number.isNaN(values[row]) || leaveOut(row)) continue;
    keys[count] = ascendingKey(words[2 * row + 1]);
    order[count++] = row;
  }
  keys = keys.subarray(0, count);
  order = order.subarray(0, count);
  let sortedKeys = new Uint32Array(count);
  let sortedOrder = new Uint32Array(count);
  for (let digit = 0; digit < DIGITS; digit++) {
    sortByDigit(keys, order, digit * DIGIT_BITS, sortedKeys, sortedOrder);
    [keys, sortedKeys] = [sortedKeys, keys];
    [order, sortedOrder] = [sortedOrder, order];
  }
  orderWithinKeys(values, keys, order);
  return order;
}

/**
 * Ascends with the number.
 * @param highWord upper 32 bits of a double
 */
export const ascendingKey = (highWord: number): number => (highWord ^ ((highWord >> 31) | 0x80000000)) >>> 0;

/** One pass of a radix sort: stable, by 11 bits from `shift` on. */
function sortByDigit(
  keys: Uint32Array,
  order: Uint32Array,
  shift: number,
  sortedKeys: Uint32Array,
  sortedOrder: Uint32Array,
): void {
  const places = new Uint32Array(BUCKETS + 1);
  for (let i = 0; i < keys.length; i++) places[((keys[i] >>> shift) & (BUCKETS - 1)) + 1]++;
  for (let bucket = 0; bucket < BUCKETS; bucket++) places[bucket + 1] += places[bucket];
  for (let i = 0; i < keys.length; i++) {
    const place = places[(keys[i] >>> shift) & (BUCKETS - 1)]++;
    sortedKeys[place] = keys[i];
    sortedOrder[place] = order[i];
  }
}

function orderWithinKeys(values: Float64Array, keys: Uint32Array, order: Uint32Array): void {
  let start = 0;
  for (let end = 1; end <= keys.length; end++) {
    if (end < keys.length && keys[end] === keys[start]) continue;
    // Most runs hold one value, however long they are.
    if (!isAscending(values, order, start, end)) order.subarray(start, end).sort((a, b) => values[a] - values[b] || a - b);
    start = end;
  }
}

function isAscending(values: Float64Array, order: Uint32Array, start: number, end: number): boolean {
  for (let i = start + 1; i < end; i++) if (values[order[i - 1]] > values[order[i]]) return false;
  return true;
}
