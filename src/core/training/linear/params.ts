import { trainErrors } from "../errors.ts";
import type { StoppingRule } from "./solution.ts";

/** When an iterative fit stops. */
export interface IterationParams {
  /** Largest gradient component that counts as none; 1e-10 unless given. */
  readonly tolerance?: number;
  readonly maxIterations?: number;
}

/** @throws TRAIN_PARAMETER_INVALID */
export function stoppingRule(name: string, { tolerance = 1e-10, maxIterations = 200 }: IterationParams): StoppingRule {
  if (!(tolerance > 0 && Number.isFinite(tolerance))) {
    throw trainErrors.TRAIN_PARAMETER_INVALID(`${name}: tolerance is ${tolerance}, not above 0`);
  }
  if (!(Number.isInteger(maxIterations) && maxIterations > 0)) {
    throw trainErrors.TRAIN_PARAMETER_INVALID(`${name}: maxIterations is ${maxIterations}, not 1 or more`);
  }
  return { tolerance, maxIterations };
}

/** @throws TRAIN_PARAMETER_INVALID unless alpha is finite and at least 0 */
export function checkedAlpha(name: string, alpha: number): number {
  if (alpha >= 0 && Number.isFinite(alpha)) return alpha;
  throw trainErrors.TRAIN_PARAMETER_INVALID(`${name}: alpha is ${alpha}, not 0 or more`);
}
