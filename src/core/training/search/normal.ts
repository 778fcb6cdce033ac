import type { RandomStream } from "../random.ts";

/** Uniform over [0, 1) in steps of 2^-53. */
export function uniform(random: RandomStream): number {
  const high = random.uint32() >>> 5;
  const low = random.uint32() >>> 6;
  return (high * 2 ** 26 + low) / 2 ** 53;
}

/** Standard normal, by Marsaglia's polar method (SIAM Review 6, 1964). */
export function drawNormal(random: RandomStream): number {
  for (;;) {
    const x = 2 * uniform(random) - 1;
    const y = 2 * uniform(random) - 1;
    const square = x * x + y * y;
    if (square < 1 && square > 0) return x * Math.sqrt((-2 * Math.log(square)) / square);
  }
}

/** Below this the series for erf needs fewer terms than the continued fraction for erfc. */
const SERIES_LIMIT = 2.2;
/** From here on erfc is 0 in double precision. */
const ZERO_LIMIT = 27.3;

/**
 * 1 - erf(x) for x >= 0: the Maclaurin series (Abramowitz & Stegun 7.1.6) and Laplace's continued fraction (7.1.14), with as many
 * terms as make the relative error less than 1e-12.
 */
function erfc(x: number): number {
  if (x > ZERO_LIMIT) return 0;
  const scale = Math.exp(-x * x) / Math.sqrt(Math.PI);
  if (x < SERIES_LIMIT) {
    let term = 2 * x;
    let sum = term;
    for (let n = 1; term > 1e-17 * sum; n++) {
      term *= (2 * x * x) / (2 * n + 1);
      sum += term;
    }
    return 1 - scale * sum;
  }
  let fraction = x;
  for (let n = Math.ceil(4 + 160 / (x * x)); n > 0; n--) fraction = x + n / 2 / fraction;
  return scale / fraction;
}

/** P(a < Z < b) of a standard normal Z, for a <= b; keeps its relative accuracy in the tails. */
export function normalMass(a: number, b: number): number {
  if (a > 0) return normalMass(-b, -a);
  if (b <= 0) return (erfc(-b * Math.SQRT1_2) - erfc(-a * Math.SQRT1_2)) / 2;
  return 1 - (erfc(-a * Math.SQRT1_2) + erfc(b * Math.SQRT1_2)) / 2;
}
