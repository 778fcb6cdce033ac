import type { RecordUnits } from "./boosting-kernel.ts";
import type { GradientBounds } from "./objective.ts";

/** Sums of gradients stay below 2^50 units, so that a double holds them, too. */
const SUM_BITS = 50;
/** A cell's second integer: hessians above weights. */
const SHARED_BITS = 62;
/** Weights that are not whole numbers are kept to a sixteenth of the mean weight, or finer. */
const WEIGHT_BITS_BELOW_MEAN = 4;

export interface WeightUnits {
  readonly unit: number;
  /** Bits of the sum of all weights in units. */
  readonly bits: number;
  readonly total: number;
}

/** Whole weights, and so their sums, are exact while they sum to less than 2^31. */
export function weightUnits(weights: Float64Array | null, rows: number): WeightUnits {
  if (weights === null) return { unit: 1, bits: bitsOf(rows), total: rows };
  let total = 0;
  for (let row = 0; row < rows; row++) total += weights[row];
  if (total < 2 ** 31 && weights.every(Number.isInteger)) return { unit: 1, bits: bitsOf(total), total };
  const bits = bitsOf(rows) + WEIGHT_BITS_BELOW_MEAN;
  // One bit more, because each row's rounding may add half a unit.
  return { unit: 2 ** (Math.ceil(Math.log2(total)) - bits), bits: bits + 1, total };
}

/** The finest units in which no sum over all rows can overflow. */
export function recordUnits({ gradient, hessian }: GradientBounds, { unit, bits, total }: WeightUnits): RecordUnits {
  const rows = Math.max(1, total);
  return {
    gradient: finestUnit(gradient * rows, SUM_BITS),
    hessian: finestUnit(hessian * rows, Math.min(SUM_BITS, SHARED_BITS - bits)),
    weight: unit,
    weightBits: bits,
  };
}

/** The smallest power of two (from 2^-960 on: its inverse must be a number, too) of which `most` takes no more than 2^bits. */
const finestUnit = (most: number, bits: number): number =>
  most > 0 ? 2 ** Math.max(-960, Math.ceil(Math.log2(most)) - bits) : 1;

const bitsOf = (count: number): number => Math.floor(Math.log2(count)) + 1;
