import { type Evaluation, joinOutputs, type Objective } from "./objective.ts";
import { minimizeQuadraticLasso, subgradientNorm } from "./quadratic-lasso.ts";
import { dot, type Solution, type StoppingRule } from "./solution.ts";

const SUFFICIENT_DECREASE = 1e-4;
const VISIBLE_GAIN = 1e-10;
const ROUNDING = 1e-15;
/** A step is worked out so much more precisely than the point it starts from. */
const STEP_PRECISION = 1e-3;

/**
 * Minimises objective + sum of l1 |parameter| by proximal Newton steps (Lee, Sun and Saunders 2014): the objective's quadratic
 * model with the penalty kept as it is, then step halving.
 */
export function minimizeByProximalNewton(
  objective: Objective,
  l1: Float64Array,
  start: Float64Array,
  { tolerance, maxIterations }: StoppingRule,
): Solution {
  let parameters = start;
  let current = objective.evaluate(parameters);
  for (let iteration = 0; ; iteration++) {
    const gradientNorm = subgradientNorm(parameters, current.gradient, l1);
    const converged = gradientNorm <= tolerance;
    if (converged || iteration >= maxIterations) return { parameters, converged, gradientNorm, iterations: iteration };
    const target = minimizeQuadraticLasso(
      { size: objective.size, curvature: fullCurvature(objective, parameters), gradient: current.gradient, at: parameters, l1 },
      Math.max(tolerance, gradientNorm) * STEP_PRECISION,
    );
    const next = takeStep(objective, l1, parameters, current, target);
    if (next.isLost) return { parameters, converged: next.isAtLimit, gradientNorm, iterations: iteration };
    parameters = next.parameters;
    current = next;
  }
}

type Step =
  | ({ readonly isLost: false; readonly parameters: Float64Array } & Evaluation)
  | { readonly isLost: true; readonly isAtLimit: boolean };

function takeStep(objective: Objective, l1: Float64Array, from: Float64Array, at: Evaluation, target: Float64Array): Step {
  const direction = target.map((value, i) => value - from[i]);
  const penaltyHere = penaltyOf(from, l1);
  const total = at.value + penaltyHere;
  const expected = -dot(at.gradient, direction) - penaltyOf(target, l1) + penaltyHere;
  const isVisible = expected > VISIBLE_GAIN * Math.abs(total);
  const norm = subgradientNorm(from, at.gradient, l1);
  for (let length = 1; length > 1e-10; length /= 2) {
    const parameters = length === 1 ? target : from.map((value, i) => value + length * direction[i]);
    const next = objective.evaluate(parameters);
    const isBetter = isVisible
      ? next.value + penaltyOf(parameters, l1) <= total - SUFFICIENT_DECREASE * length * expected
      : subgradientNorm(parameters, next.gradient, l1) < norm;
    if (isBetter) return { ...next, parameters, isLost: false };
  }
  return { isLost: true, isAtLimit: Math.abs(expected) <= ROUNDING * Math.abs(total) };
}

function penaltyOf(parameters: Float64Array, l1: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < l1.length; i++) sum += l1[i] * Math.abs(parameters[i]);
  return sum;
}

/** Both triangles; intercepts are joined, since only they go unpenalised. */
function fullCurvature(objective: Objective, parameters: Float64Array): Float64Array {
  const { size, outputs } = objective;
  const matrix = objective.curvature(parameters);
  joinOutputs(matrix, outputs, size / outputs, 0);
  for (let i = 0; i < size; i++) for (let j = 0; j < i; j++) matrix[j * size + i] = matrix[i * size + j];
  return matrix;
}
