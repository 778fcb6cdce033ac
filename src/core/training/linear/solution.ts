/** Where a solver stopped. */
export interface Solution {
  readonly parameters: Float64Array;
  readonly converged: boolean;
  /** Largest component of the gradient of the mean loss and its penalties, by columns of mean 0 and variance 1. */
  readonly gradientNorm: number;
  readonly iterations: number;
}

/** When a solver stops. */
export interface StoppingRule {
  /** The largest gradient component that is accepted. */
  readonly tolerance: number;
  readonly maxIterations: number;
}

export function largest(values: Float64Array): number {
  let norm = 0;
  for (const value of values) if (!(Math.abs(value) <= norm)) norm = Math.abs(value);
  return norm;
}

export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
