import { aboveZero, optional, type ValueRules, wholeFrom } from "../../definitions/index.ts";
import type { StoppingRule } from "./solution.ts";

/** When an iterative fit stops. */
export interface IterationParams {
  /** Largest gradient component that counts as none; 1e-10 unless given. */
  readonly tolerance?: number;
  readonly maxIterations?: number;
}

export const ITERATION_RULES: ValueRules = { tolerance: optional(aboveZero), maxIterations: optional(wholeFrom(1)) };

export const stoppingRule = ({ tolerance = 1e-10, maxIterations = 200 }: IterationParams): StoppingRule => ({
  tolerance,
  maxIterations,
});
