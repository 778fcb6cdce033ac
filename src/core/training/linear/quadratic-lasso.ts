import { factorize } from "./cholesky.ts";

const MAX_ROUNDS = 1000;
/** Sweeps over the parameters that are not 0, between two over all. */
const ACTIVE_SWEEPS = 10;

export interface QuadraticLasso {
  readonly size: number;
  /** Symmetric, row-major, full. */
  readonly curvature: Float64Array;
  /** At `at`. */
  readonly gradient: Float64Array;
  readonly at: Float64Array;
  /** Strength of the absolute value's penalty, by parameter. */
  readonly l1: Float64Array;
}

/**
 * Minimises gradient (u - at) + (u - at) curvature (u - at) / 2 + sum of l1 |u| by cyclic coordinate descent (Friedman, Hastie
 * and Tibshirani 2010). Once the signs have settled, the equations they imply are solved at once: descent alone is slow where
 * columns are alike. Stops when no subgradient is above `tolerance`, or after many rounds with the best it has.
 */
export function minimizeQuadraticLasso(problem: QuadraticLasso, tolerance: number): Float64Array {
  const { size, l1 } = problem;
  const u = problem.at.slice();
  const slope = problem.gradient.slice();
  let signs = "";
  for (let round = 0; round < MAX_ROUNDS; round++) {
    for (let j = 0; j < size; j++) descend(problem, u, slope, j);
    for (let sweep = 0; sweep < ACTIVE_SWEEPS; sweep++) {
      for (let j = 0; j < size; j++) if (u[j] !== 0) descend(problem, u, slope, j);
    }
    const now = u.map(Math.sign).join();
    if (now === signs) solveActive(problem, u, slope);
    signs = now;
    if (subgradientNorm(u, slope, l1) <= tolerance) break;
  }
  return u;
}

/**
 * Largest distance from a minimum's conditions: the gradient's with the penalty's sign, or what exceeds the penalty where a
 * parameter is 0.
 */
export function subgradientNorm(parameters: Float64Array, gradient: Float64Array, l1: Float64Array): number {
  let norm = 0;
  for (let j = 0; j < parameters.length; j++) {
    const excess = parameters[j] === 0 ? Math.abs(gradient[j]) - l1[j] : Math.abs(gradient[j] + l1[j] * Math.sign(parameters[j]));
    if (!(excess <= norm)) norm = excess;
  }
  return norm;
}

/** The minimum along parameter j; `slope` is the quadratic's gradient at u. */
function descend({ size, curvature, l1 }: QuadraticLasso, u: Float64Array, slope: Float64Array, j: number): void {
  const own = curvature[j * size + j];
  if (!(own > 0)) return;
  const pull = own * u[j] - slope[j];
  const next = Math.abs(pull) <= l1[j] ? 0 : (pull - l1[j] * Math.sign(pull)) / own;
  move(curvature, size, u, slope, j, next - u[j]);
  u[j] = next;
}

function move(curvature: Float64Array, size: number, u: Float64Array, slope: Float64Array, j: number, change: number): void {
  if (change === 0) return;
  u[j] += change;
  for (let i = 0, at = j * size; i < size; i++) slope[i] += change * curvature[at + i];
}

/** Solves for the parameters that are not 0 with their signs given; leaves all as they are where a sign would change. */
function solveActive({ size, curvature, l1 }: QuadraticLasso, u: Float64Array, slope: Float64Array): void {
  const active = Array.from(u.keys()).filter((j) => u[j] !== 0 && curvature[j * size + j] > 0);
  const count = active.length;
  const matrix = new Float64Array(count * count);
  active.forEach((j, a) => {
    for (let b = 0; b <= a; b++) matrix[a * count + b] = curvature[j * size + active[b]];
  });
  const residual = Float64Array.from(active, (j) => slope[j] + l1[j] * Math.sign(u[j]));
  const step = factorize(matrix, count).solve(residual);
  if (active.some((j, a) => l1[j] > 0 && Math.sign(u[j] - step[a]) !== Math.sign(u[j]))) return;
  active.forEach((j, a) => {
    move(curvature, size, u, slope, j, -step[a]);
  });
}
