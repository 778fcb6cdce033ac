/**
 * A threshold that sends `a` left (x <= threshold) and `b` right, and that single precision cannot turn around: where a and b differ
 * as float32, there is a float32 t with float32(a) <= t < float32(b), and the answer is the largest double that rounds to t. Then
 * x <= threshold equals float32(x) <= t for every double x, so that a runtime which rounds its input (ONNX) sends each row the same
 * way; t is float32(threshold). Where a and b are one float32 the answer is a plain double between them.
 *
 * @param a less than b; neither is NaN
 * @returns at least a, less than b, never -0
 */
export function thresholdBetween(a: number, b: number): number {
  const low = Math.fround(a);
  const high = Math.fround(b);
  if (!(low < high)) return middle(a, b) + 0;
  const highest = nextFloat(high, -1);
  const wanted = Math.fround(middle(a, b));
  return largestRoundingTo(Math.min(Math.max(wanted, low, -FLOAT_MAX), highest));
}

const FLOAT_MAX = (2 - 2 ** -23) * 2 ** 127;

const float = new Float32Array(1);
const floatBits = new Int32Array(float.buffer);
const double = new Float64Array(1);
const doubleBits = new BigInt64Array(double.buffer);

/** Halved before they are added: the sum of two large numbers may overflow. Where rounding gives b, a is taken. */
function middle(a: number, b: number): number {
  if (a === Number.NEGATIVE_INFINITY && b === Number.POSITIVE_INFINITY) return 0;
  const half = a / 2 + b / 2;
  return half >= a && half < b ? half : a;
}

/** The float32 after (step 1) or before (step -1) one that is not the last in that direction. */
function nextFloat(x: number, step: 1 | -1): number {
  if (x === 0) return step * 2 ** -149;
  float[0] = x;
  floatBits[0] += x > 0 ? step : -step;
  return float[0];
}

/** @param t a float32 below infinity */
function largestRoundingTo(t: number): number {
  // Half way to the next one, where a tie goes to the float32 whose last bit is 0.
  const tie = (withoutInfinity(t) + withoutInfinity(nextFloat(t, 1))) / 2;
  return Math.fround(tie) === t ? tie : previousDouble(tie);
}

/** Rounding to float32 takes infinity for the number after the largest. */
const withoutInfinity = (x: number): number => Math.max(-(2 ** 128), Math.min(2 ** 128, x));

/** @param x not 0: ties of float32 never are */
function previousDouble(x: number): number {
  double[0] = x;
  doubleBits[0] += x > 0 ? -1n : 1n;
  return double[0];
}
