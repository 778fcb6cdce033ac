import { trainErrors } from "../errors.ts";
import { seededRandom } from "../random.ts";
import { type Design, takeColumns } from "./design.ts";
import { minimizeByLbfgs } from "./lbfgs.ts";
import type { LossFamily } from "./loss-family.ts";
import { factorCurvature, minimizeByNewton } from "./newton.ts";
import { createObjective } from "./objective.ts";
import { minimizeByProximalNewton } from "./proximal-newton.ts";
import { subgradientNorm } from "./quadratic-lasso.ts";
import type { Solution, StoppingRule } from "./solution.ts";

/** Up to so many parameters the matrix of second derivatives is worth its size. */
const NEWTON_LIMIT = 700;
/** Parameters that a model with an absolute penalty may keep: each costs a row of that matrix. */
const ACTIVE_LIMIT = 4000;
/** One row in so many is fitted first, and of those again, as long as that leaves rows enough. */
const SAMPLE_STRIDE = 8;
const FEWEST_SAMPLE_ROWS = 2000;
const FEWEST_SAMPLE_ROWS_PER_PARAMETER = 10;
const SAMPLE_STOPPING: StoppingRule = { tolerance: 1e-4, maxIterations: 20 };
/** Keeps penalties of columns with tiny units finite. */
const LARGEST_PENALTY = 1e250;
/** L-BFGS steps are cheaper than Newton's and it takes more of them. */
const LBFGS_PATIENCE = 20;

/** Penalties on coefficients by the matrix's own units, beside the mean loss: l1 |w| + l2 w^2 / 2. */
export interface Penalties {
  readonly l1: number;
  readonly l2: number;
}

export interface Coefficients {
  readonly intercepts: Float64Array;
  /** outputs x columns of the matrix; 0 for columns that do not vary. */
  readonly coefficients: Float64Array;
}

export interface GeneralizedProblem {
  readonly design: Design;
  readonly targets: ArrayLike<number>;
  readonly family: LossFamily;
  readonly penalties: Penalties;
  /** The best intercepts without any column. */
  readonly intercepts: readonly number[];
}

/**
 * Minimises mean loss + penalties: Newton's method, proximal where coefficients may be driven to 0, or L-BFGS where there are too
 * many parameters. With many rows a sample's minimum is the start, and its second derivatives serve while they shrink the
 * gradient.
 *
 * @param name for messages
 * @throws TRAIN_NOT_CONVERGED, TRAIN_TOO_MANY_COLUMNS
 */
export function fitGeneralized(problem: GeneralizedProblem, stopping: StoppingRule, name: string): Coefficients {
  const { design, family, intercepts } = problem;
  const width = design.columns.length + 1;
  const withoutColumns = new Float64Array(family.outputs * width);
  intercepts.forEach((intercept, k) => {
    withoutColumns[k * width] = intercept;
  });
  const solution = solve(problem, withoutColumns, stopping);
  if (!solution.converged) {
    throw trainErrors.TRAIN_NOT_CONVERGED(
      `${name}: after ${solution.iterations} steps the gradient is ${solution.gradientNorm.toExponential(1)}, not ${stopping.tolerance}`,
    );
  }
  return inMatrixUnits(design, family.outputs, solution.parameters);
}

function solve(problem: GeneralizedProblem, start: Float64Array, stopping: StoppingRule): Solution {
  const sample = sampleOf(problem, start.length);
  const from = sample === undefined ? start : minimumOf(sample, start);
  const isSmall = start.length <= NEWTON_LIMIT;
  if (problem.penalties.l1 > 0) return (isSmall ? solveProximal : solveByWorkingSets)(problem, from, stopping);
  const objective = objectiveOf(problem);
  if (isSmall) return minimizeByNewton(objective, from, stopping, sample && factorCurvature(objectiveOf(sample), from));
  // Columns have variance 1, and no loss of ours curves much more than that at its start.
  const scale = objective.penalty.map((penalty) => penalty + 1);
  return minimizeByLbfgs(objective, from, scale, { ...stopping, maxIterations: stopping.maxIterations * LBFGS_PATIENCE });
}

function minimumOf(sample: GeneralizedProblem, start: Float64Array): Float64Array {
  const { converged, parameters } = solve(sample, start, SAMPLE_STOPPING);
  return converged ? parameters : start;
}

/** One row of each so many at random: rows may come in cycles that even distances would miss. */
function sampleOf(problem: GeneralizedProblem, parameters: number): GeneralizedProblem | undefined {
  const { design, targets } = problem;
  const rows = Math.floor(design.rows / SAMPLE_STRIDE);
  if (rows < Math.max(FEWEST_SAMPLE_ROWS, FEWEST_SAMPLE_ROWS_PER_PARAMETER * parameters)) return undefined;
  const random = seededRandom(rows);
  const drawn = Uint32Array.from({ length: rows }, (_, i) => SAMPLE_STRIDE * i + random.below(SAMPLE_STRIDE));
  const take = (values: ArrayLike<number>) => {
    const taken = new Float64Array(rows);
    for (let i = 0; i < rows; i++) taken[i] = values[drawn[i]];
    return taken;
  };
  const weights = design.weights && take(design.weights);
  const totalWeight = weights === undefined ? rows : weights.reduce((sum, weight) => sum + weight, 0);
  if (totalWeight === 0) return undefined;
  const sample = { ...design, rows, columns: design.columns.map(take), totalWeight, ...(weights && { weights }) };
  return { ...problem, design: sample, targets: take(targets) };
}

function solveProximal(problem: GeneralizedProblem, start: Float64Array, stopping: StoppingRule): Solution {
  return minimizeByProximalNewton(objectiveOf(problem), l1Of(problem), start, stopping);
}

/**
 * Most coefficients end at 0: solves for a few columns, adds those whose gradient the penalty does not hold, and again, until it
 * holds all of them.
 */
function solveByWorkingSets(problem: GeneralizedProblem, start: Float64Array, stopping: StoppingRule): Solution {
  const { design, family } = problem;
  const { outputs } = family;
  const width = design.columns.length + 1;
  const objective = objectiveOf(problem);
  const l1 = l1Of(problem);
  const parameters = start.slice();
  const chosen = new Set<number>();
  for (let j = 1; j < width; j++) for (let k = 0; k < outputs; k++) if (start[k * width + j] !== 0) chosen.add(j - 1);
  let batch = Math.max(10, Math.floor(NEWTON_LIMIT / outputs / 2));

  for (let round = 0; ; round++) {
    const { gradient } = objective.evaluate(parameters);
    const gradientNorm = subgradientNorm(parameters, gradient, l1);
    const candidates = violations(parameters, gradient, l1, outputs).filter(
      ({ index, excess }) => !chosen.has(index) && excess > stopping.tolerance,
    );
    if (round > 0 && candidates.length === 0) {
      return { parameters, converged: gradientNorm <= stopping.tolerance, gradientNorm, iterations: round };
    }
    for (const { index } of candidates.slice(0, batch)) chosen.add(index);
    batch *= 2;
    if ((chosen.size + 1) * outputs > ACTIVE_LIMIT) {
      throw trainErrors.TRAIN_TOO_MANY_COLUMNS(
        `${chosen.size} of ${design.width} columns keep a coefficient; at most ${Math.floor(ACTIVE_LIMIT / outputs) - 1} may`,
        { hint: "Raise the penalty, so that more coefficients become 0, or lower l1Ratio to 0." },
      );
    }
    const indexes = [...chosen].sort((a, b) => a - b);
    const places = Array.from({ length: outputs }, (_, k) => [
      k * width,
      ...indexes.map((index) => k * width + index + 1),
    ]).flat();
    const part = solveProximal(
      { ...problem, design: takeColumns(design, indexes) },
      Float64Array.from(places, (place) => parameters[place]),
      stopping,
    );
    if (!part.converged) return { ...part, parameters };
    places.forEach((place, i) => {
      parameters[place] = part.parameters[i];
    });
  }
}

/** Columns by how far their worst coefficient is from a minimum's condition, worst first. */
function violations(parameters: Float64Array, gradient: Float64Array, l1: Float64Array, outputs: number) {
  const width = parameters.length / outputs;
  const excesses = Array.from({ length: width - 1 }, (_, index) => {
    let excess = 0;
    for (let place = index + 1; place < parameters.length; place += width) {
      excess = Math.max(excess, Math.abs(gradient[place]) - l1[place]);
    }
    return { index, excess };
  });
  return excesses.sort((a, b) => b.excess - a.excess);
}

const objectiveOf = ({ design, targets, family, penalties }: GeneralizedProblem) =>
  createObjective(
    design,
    targets,
    family,
    byParameter(design, family.outputs, (scale) => penalties.l2 / scale / scale),
  );

const l1Of = ({ design, family, penalties }: GeneralizedProblem) =>
  byParameter(design, family.outputs, (scale) => penalties.l1 / scale);

/** A penalty of each coefficient in the design's units; 0 for intercepts. */
function byParameter(design: Design, outputs: number, penaltyOf: (scale: number) => number): Float64Array {
  const width = design.columns.length + 1;
  return Float64Array.from({ length: outputs * width }, (_, place) => {
    const j = place % width;
    return j === 0 ? 0 : Math.min(penaltyOf(design.scales[j - 1]), LARGEST_PENALTY);
  });
}

function inMatrixUnits(design: Design, outputs: number, parameters: Float64Array): Coefficients {
  const width = design.columns.length + 1;
  const intercepts = new Float64Array(outputs);
  const coefficients = new Float64Array(outputs * design.width);
  for (let k = 0; k < outputs; k++) {
    intercepts[k] = parameters[k * width];
    design.positions.forEach((position, index) => {
      const coefficient = parameters[k * width + index + 1] / design.scales[index];
      coefficients[k * design.width + position] = coefficient;
      intercepts[k] -= coefficient * design.means[index];
    });
  }
  return { intercepts, coefficients };
}
