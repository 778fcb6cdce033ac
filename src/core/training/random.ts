import { trainErrors } from "./errors.ts";

/** A stream of pseudo-random numbers; the same seed gives the same stream on every machine. */
export interface RandomStream {
  /** Uniform over the 32-bit unsigned integers. */
  uint32(): number;
  /** Uniform over 0 … bound - 1; bound up to 2^32. */
  below(bound: number): number;
}

/**
 * sfc32 (Chris Doty-Humphrey, PractRand), seeded by one whole number; the first rounds are thrown away to mix the seed in.
 * @throws TRAIN_PARAMETER_INVALID for a seed that is no whole number or has more than 53 bits
 */
export function seededRandom(seed: number): RandomStream {
  if (!Number.isSafeInteger(seed)) {
    throw trainErrors.TRAIN_PARAMETER_INVALID(`the seed is ${seed}, not a whole number`, {
      hint: "Give a whole number as seed.",
    });
  }
  let a = 0x9e3779b9 | 0;
  let b = seed | 0;
  let c = Math.floor(seed / 2 ** 32) | 0;
  let counter = 1;
  const uint32 = () => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + t) | 0;
    return t >>> 0;
  };
  for (let round = 0; round < 15; round++) uint32();
  return { uint32, below: (bound) => Math.floor((uint32() / 2 ** 32) * bound) };
}
