const bytes = new DataView(new ArrayBuffer(8));
const SIGN_64 = 1n << 63n;
const SIGN_32 = 0x80000000;

/** The greatest double below `value`; -Infinity and NaN stay as they are. */
export function previousDouble(value: number): number {
  if (Number.isNaN(value) || value === Number.NEGATIVE_INFINITY) return value;
  if (value === 0) return -Number.MIN_VALUE;
  bytes.setFloat64(0, value);
  const bits = bytes.getBigUint64(0);
  bytes.setBigUint64(0, (bits & SIGN_64) === 0n ? bits - 1n : bits + 1n);
  return bytes.getFloat64(0);
}

/** The greatest float32 below `value`, which is a float32; what is below -3.4e38 is -Infinity. */
export function previousFloat(value: number): number {
  if (Number.isNaN(value) || value === Number.NEGATIVE_INFINITY) return value;
  bytes.setFloat32(0, value === 0 ? -0 : value);
  const bits = bytes.getUint32(0);
  bytes.setUint32(0, (bits & SIGN_32) === 0 ? bits - 1 : bits + 1);
  return bytes.getFloat32(0);
}

/** The least float32 above `value`, which is a float32. */
export const nextFloat = (value: number): number => -previousFloat(-value);

/**
 * The double T for which `x <= T` says of every double x what `float32(x) <= threshold` says, where x is rounded to the nearest
 * float32 (ties to even), as libraries that read float32 do. `threshold` is a float32.
 *
 * T is half way to the next float32, or just below it where that number itself is rounded up.
 */
export function thresholdForRounded(threshold: number): number {
  if (!Number.isFinite(threshold)) return threshold === Number.NEGATIVE_INFINITY ? largestRoundedToMinusInfinity : threshold;
  const above = nextFloat(threshold);
  const middle =
    above === Number.POSITIVE_INFINITY ? threshold + (threshold - previousFloat(threshold)) / 2 : threshold / 2 + above / 2;
  return Math.fround(middle) <= threshold ? middle : previousDouble(middle);
}

const MAX_FLOAT = 3.4028234663852886e38;
/** -2^128 + 2^103 and below become -Infinity as float32. */
const largestRoundedToMinusInfinity = -(MAX_FLOAT + (MAX_FLOAT - previousFloat(MAX_FLOAT)) / 2);
