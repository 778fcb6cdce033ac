import { trainErrors } from "../errors.ts";
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
/** A sample of so many rows is fitted first, where that is a small part of all. */
const SAMPLE_ROWS = 40_000;
const SAMPLE_ROWS_PER_PARAMETER = 100;
const SMALLEST_SAMPLE_STRIDE = 4;
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
 * many parameters. With many rows a sample's minimum is the start.
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
  const isSmall = start.length <= NEWTON_LIMIT;
  if (problem.penalties.l1 > 0) {
    const solveL1 = isSmall ? solveProximal : solveByWorkingSets;
    return solveL1(problem, sample === undefined ? start : afterSample(solveL1(sample, start, SAMPLE_STOPPING), start), stopping);
  }
  const objective = objectiveOf(problem);
  if (isSmall) {
    if (sample === undefined) return minimizeByNewton(objective, start, stopping);
    const sampleObjective = objectiveOf(sample);
    const from = afterSample(minimizeByNewton(sampleObjective, start, SAMPLE_STOPPING), start);
    return minimizeByNewton(objective, from, stopping, factorCurvature(sampleObjective, from));
  }
  // Columns have variance 1, and no loss of ours curves much more than that at its start.
  const scale = objective.penalty.map((penalty) => penalty + 1);
  return minimizeByLbfgs(objective, start, scale, { ...stopping, maxIterations: stopping.maxIterations * LBFGS_PATIENCE });
}

/** Rows at even distances, where that is a small part of all. */
function sampleOf(problem: GeneralizedProblem, parameters: number): GeneralizedProblem | undefined {
  const { design, targets } = problem;
  const stride = Math.floor(design.rows / Math.max(SAMPLE_ROWS, SAMPLE_ROWS_PER_PARAMETER * parameters));
  if (stride < SMALLEST_SAMPLE_STRIDE) return undefined;
  const rows = Math.floor(design.rows / stride);
  const every = (values: ArrayLike<number>) => {
    const taken = new Float64Array(rows);
    for (let row = 0; row < rows; row++) taken[row] = values[row * stride];
    return taken;
  };
  const weights = design.weights && every(design.weights);
  const totalWeight = weights === undefined ? rows : weights.reduce((sum, weight) => sum + weight, 0);
  if (totalWeight === 0) return undefined;
  const sample = { ...design, rows, columns: design.columns.map(every), totalWeight, ...(weights && { weights }) };
  return { ...problem, design: sample, targets: every(targets) };
}

const afterSample = ({ converged, parameters }: Solution, start: Float64Array) => (converged ? parameters : start);

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
