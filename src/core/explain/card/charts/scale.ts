/** From the figures' range to places in a drawing. */
export interface Scale {
  readonly low: number;
  readonly high: number;
  /** Rounded to a tenth of a pixel. */
  at(value: number): number;
}

/** Less cannot be divided. */
const LEAST_SPAN = 1e-290;

/** Covers all values; a range of nothing becomes one of a little around its value. */
export function scaleOver(values: Iterable<number>, from: number, to: number): Scale {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) [low, high] = [0, 1];
  if (high / 2 - low / 2 < LEAST_SPAN) {
    const margin = Math.max(Math.abs(low), Math.abs(high)) < LEAST_SPAN ? 0.5 : Math.abs(low) / 10;
    [low, high] = [Math.max(-Number.MAX_VALUE, low - margin), Math.min(Number.MAX_VALUE, high + margin)];
  }
  // Halves first: the difference of two huge numbers is infinite.
  const span = high / 2 - low / 2;
  return { low, high, at: (value) => Math.round(10 * (from + ((value / 2 - low / 2) / span) * (to - from))) / 10 };
}

/** Round numbers (1, 2 or 5 times a power of ten apart) within a scale, about `count` of them. */
export function ticksOf({ low, high }: Pick<Scale, "low" | "high">, count: number): number[] {
  const rough = (high / 2 - low / 2) / (count / 2);
  const power = Math.floor(Math.log10(rough));
  const unit = 10 ** power;
  const step = [1, 2, 5, 10].find((factor) => factor * unit >= rough) ?? 10;
  const first = Math.ceil(low / unit / step);
  const last = Math.floor(high / unit / step);
  // Parsed rather than multiplied: 3 * 0.1 is not 0.3.
  return Array.from({ length: Math.min(20, last - first + 1) }, (_, i) => Number(`${(first + i) * step}e${power}`));
}
