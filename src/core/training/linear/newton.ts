import { type CholeskyFactor, factorize } from "./cholesky.ts";
import { type Evaluation, joinOutputs, type Objective } from "./objective.ts";
import { dot, largest, type Solution, type StoppingRule } from "./solution.ts";

/** Second derivatives are kept while steps by them shrink the gradient at least so much: a pass without them costs a fraction. */
const GOOD_CONTRACTION = 0.1;
const SUFFICIENT_DECREASE = 1e-4;
const SHORTEST_STEP = 2 ** -33;
/** Below this share of the value an expected gain is lost in rounding, and the gradient decides alone. */
const VISIBLE_GAIN = 1e-10;
/** Where rounding keeps the gradient from falling, an expected gain of this share of the value is as good as none. */
const ROUNDING = 1e-15;

/**
 * Newton's method with step halving for a smooth convex objective (Nocedal and Wright, Numerical Optimization, 2006, ch. 3); the
 * factor of the second derivatives is used again while it serves.
 *
 * @param startingFactor of second derivatives that are about right at the start
 */
export function minimizeByNewton(
  objective: Objective,
  start: Float64Array,
  { tolerance, maxIterations }: StoppingRule,
  startingFactor?: CholeskyFactor,
): Solution {
  let parameters = start;
  let current = objective.evaluate(parameters);
  let norm = largest(current.gradient);
  let factor = startingFactor;
  let isFresh = false;

  for (let iteration = 0; iteration < maxIterations; iteration++) {
    if (norm <= tolerance) return { parameters, converged: true, gradientNorm: norm, iterations: iteration };
    if (factor === undefined) {
      factor = factorCurvature(objective, parameters);
      isFresh = true;
    }
    const direction = factor.solve(current.gradient);
    // By old second derivatives only a full step is worth trying.
    const next = takeStep(objective, parameters, current, direction, isFresh ? SHORTEST_STEP : 1);
    if (next === undefined) {
      const isAtLimit = Math.abs(dot(direction, current.gradient)) <= ROUNDING * Math.abs(current.value);
      if (isFresh) return { parameters, converged: isAtLimit, gradientNorm: norm, iterations: iteration };
      factor = undefined;
      continue;
    }
    const nextNorm = largest(next.gradient);
    if (next.length < 1 || nextNorm > GOOD_CONTRACTION * norm) factor = undefined;
    isFresh = false;
    parameters = next.parameters;
    current = next;
    norm = nextNorm;
  }
  return { parameters, converged: norm <= tolerance, gradientNorm: norm, iterations: maxIterations };
}

interface Step extends Evaluation {
  readonly parameters: Float64Array;
  readonly length: number;
}

function takeStep(
  objective: Objective,
  from: Float64Array,
  at: Evaluation,
  direction: Float64Array,
  shortest: number,
): Step | undefined {
  const slope = dot(direction, at.gradient);
  if (!(slope > 0)) return undefined;
  const isVisible = slope > VISIBLE_GAIN * Math.abs(at.value);
  for (let length = 1; length >= shortest; length /= 2) {
    const parameters = from.map((value, i) => value - length * direction[i]);
    const next = objective.evaluate(parameters);
    const isBetter = isVisible
      ? next.value <= at.value - SUFFICIENT_DECREASE * length * slope
      : largest(next.gradient) < largest(at.gradient);
    if (isBetter) return { ...next, parameters, length };
  }
  return undefined;
}

export function factorCurvature(objective: Objective, parameters: Float64Array): CholeskyFactor {
  const matrix = objective.curvature(parameters);
  const width = objective.size / objective.outputs;
  for (let j = 0; j < width; j++) if (objective.penalty[j] === 0) joinOutputs(matrix, objective.outputs, width, j);
  return factorize(matrix, objective.size);
}
