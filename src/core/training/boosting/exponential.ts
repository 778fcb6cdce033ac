/** Of a double's powers of two, the least that has all its bits. */
const LEAST_POWER = -1022;
const POWERS = Float64Array.from({ length: 2046 }, (_, i) => 2 ** (i + LEAST_POWER));

/** Added and taken away again, it rounds to a whole number. */
const ROUNDING = 1.5 * 2 ** 52;

/**
 * e^x for -708 … 709, and the ends' values beyond; relative error below 1e-11. A Taylor series of e^r for |r| <= ln(2) / 2, times a
 * power of two: the same steps as boosting.as.ts takes, so that either path of a training has the same bits.
 */
export function exponential(x: number): number {
  const within = x < -708 ? -708 : x > 709 ? 709 : x;
  const power = within * Math.LOG2E + ROUNDING - ROUNDING;
  // ln(2) in two parts, so that a whole number of the first is exact.
  const r = within - power * 6.9314718036912382e-1 - power * 1.9082149292705877e-10;
  let sum = 1 / 362_880;
  sum = sum * r + 1 / 40_320;
  sum = sum * r + 1 / 5_040;
  sum = sum * r + 1 / 720;
  sum = sum * r + 1 / 120;
  sum = sum * r + 1 / 24;
  sum = sum * r + 1 / 6;
  sum = sum * r + 0.5;
  sum = sum * r + 1;
  sum = sum * r + 1;
  return sum * POWERS[power - LEAST_POWER];
}
