import type { Evaluation, Objective } from "./objective.ts";
import { dot, largest, type Solution, type StoppingRule } from "./solution.ts";

const MEMORY = 20;
const DECREASE = 1e-4;
const CURVATURE = 0.9;
/**
 * Differences below this share of the value are rounding; derivatives decide there (Hager and Zhang 2005, approximate Wolfe
 * conditions).
 */
const ROUNDING = 1e-12;

/**
 * Limited-memory BFGS (Nocedal and Wright, Numerical Optimization, 2006, algorithm 7.5) for objectives with too many parameters
 * for their second derivatives. `scale` is a guess of those by parameter: penalties of columns with small units are large.
 */
export function minimizeByLbfgs(
  objective: Objective,
  start: Float64Array,
  scale: Float64Array,
  { tolerance, maxIterations }: StoppingRule,
): Solution {
  const pairs: Pair[] = [];
  let parameters = start;
  let current = objective.evaluate(parameters);
  for (let iteration = 0; ; iteration++) {
    const gradientNorm = largest(current.gradient);
    const converged = gradientNorm <= tolerance;
    if (converged || iteration >= maxIterations) return { parameters, converged, gradientNorm, iterations: iteration };
    const next = searchLine(objective, parameters, current, directionOf(current.gradient, pairs, scale));
    if (next === undefined) {
      if (pairs.length === 0) return { parameters, converged, gradientNorm, iterations: iteration };
      // What was remembered may be what misleads: start again from here.
      pairs.length = 0;
      continue;
    }
    const step = next.parameters.map((value, i) => value - parameters[i]);
    const change = next.gradient.map((value, i) => value - current.gradient[i]);
    const product = dot(step, change);
    if (product > 0) pairs.push({ step, change, product });
    if (pairs.length > MEMORY) pairs.shift();
    parameters = next.parameters;
    current = next;
  }
}

interface Pair {
  readonly step: Float64Array;
  readonly change: Float64Array;
  readonly product: number;
}

/** Minus the approximate inverse of the second derivatives times the gradient. */
function directionOf(gradient: Float64Array, pairs: readonly Pair[], scale: Float64Array): Float64Array {
  const direction = gradient.map((value) => -value);
  const shares = new Float64Array(pairs.length);
  for (let i = pairs.length - 1; i >= 0; i--) {
    shares[i] = dot(pairs[i].step, direction) / pairs[i].product;
    addScaled(direction, pairs[i].change, -shares[i]);
  }
  const last = pairs.at(-1);
  let unit = 1;
  if (last !== undefined) {
    let squares = 0;
    for (let i = 0; i < scale.length; i++) squares += last.change[i] ** 2 / scale[i];
    unit = last.product / squares;
  }
  for (let i = 0; i < direction.length; i++) direction[i] *= unit / scale[i];
  pairs.forEach(({ step, change, product }, i) => {
    addScaled(direction, step, shares[i] - dot(change, direction) / product);
  });
  return direction;
}

function addScaled(to: Float64Array, values: Float64Array, factor: number): void {
  for (let i = 0; i < to.length; i++) to[i] += factor * values[i];
}

interface Point extends Evaluation {
  readonly parameters: Float64Array;
}

/** A step that satisfies the Wolfe conditions, by widening and then bisecting a bracket; nothing where none is found. */
function searchLine(objective: Objective, from: Float64Array, at: Evaluation, direction: Float64Array): Point | undefined {
  const slope = dot(direction, at.gradient);
  if (!(slope < 0)) return undefined;
  const slack = ROUNDING * Math.abs(at.value);
  let low = 0;
  let high = Number.POSITIVE_INFINITY;
  let length = 1;
  for (let trial = 0; trial < 60; trial++) {
    const parameters = from.map((value, i) => value + length * direction[i]);
    const point = { ...objective.evaluate(parameters), parameters };
    const slopeThere = dot(direction, point.gradient);
    const isTooHigh = !(point.value <= at.value + DECREASE * length * slope + slack) || slopeThere > -CURVATURE * slope;
    if (isTooHigh) high = length;
    else if (slopeThere < CURVATURE * slope) low = length;
    else return point;
    length = high === Number.POSITIVE_INFINITY ? length * 4 : (low + high) / 2;
  }
  return undefined;
}
