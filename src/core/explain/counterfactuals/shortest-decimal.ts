/** The number with the fewest decimals from `low` to `high`; `low` itself where none is shorter. Both finite, low <= high. */
export function shortestDecimal(low: number, high: number): number {
  if (low <= 0 && high >= 0) return 0;
  const largest = Math.max(Math.abs(low), Math.abs(high));
  for (let power = Math.ceil(Math.log10(largest)); power > -300; power--) {
    const multiple = Math.ceil(low / 10 ** power);
    if (Math.abs(multiple) > Number.MAX_SAFE_INTEGER) return low;
    // Parsed rather than multiplied: 3 * 0.1 is not 0.3.
    const value = Number(`${multiple}e${power}`);
    if (value >= low && value <= high) return value;
  }
  return low;
}
