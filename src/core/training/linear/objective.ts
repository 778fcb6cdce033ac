import type { BlockKernel } from "./block-kernel.ts";
import type { Design } from "./design.ts";
import type { LossFamily } from "./loss-family.ts";
import { createBlockKernel } from "./simd-block-kernel.ts";

/**
 * What a solver minimises: mean loss + sum of penalty[i] * parameter[i]^2 / 2. Parameters lie output by output, in each the
 * intercept first and then one by column of the design.
 */
export interface Objective {
  readonly size: number;
  readonly outputs: number;
  readonly penalty: Float64Array;
  evaluate(parameters: Float64Array): Evaluation;
  /** Lower triangle of the matrix of second derivatives, row-major. */
  curvature(parameters: Float64Array): Float64Array;
}

export interface Evaluation {
  readonly value: number;
  readonly gradient: Float64Array;
}

/** @param penalty by parameter; 0 for intercepts */
export function createObjective(
  design: Design,
  targets: ArrayLike<number>,
  family: LossFamily,
  penalty: Float64Array,
  createKernel: typeof createBlockKernel = createBlockKernel,
): Objective {
  const { outputs } = family;
  const width = design.columns.length + 1;
  const size = outputs * width;
  const pairs = (outputs * (outputs + 1)) / 2;
  let light: BlockKernel | undefined;
  let heavy: BlockKernel | undefined;

  const evaluate = (parameters: Float64Array): Evaluation => {
    light ??= createKernel({ width, outputs, pairs: 0 });
    const kernel = light;
    kernel.gradient.fill(0);
    let value = 0;
    forEachBlock(kernel, design, targets, family, parameters, (rows, loss) => {
      value += loss;
      for (let k = 0; k < outputs; k++) kernel.project(k, rows);
    });
    value /= design.totalWeight;
    const gradient = new Float64Array(size);
    for (let i = 0; i < size; i++) {
      const sum = kernel.gradient[Math.floor(i / width) * kernel.width + (i % width)];
      gradient[i] = sum / design.totalWeight + penalty[i] * parameters[i];
      value += (penalty[i] * parameters[i] ** 2) / 2;
    }
    return { value, gradient };
  };

  const curvature = (parameters: Float64Array): Float64Array => {
    heavy ??= createKernel({ width, outputs, pairs });
    const kernel = heavy;
    kernel.grams.fill(0);
    forEachBlock(kernel, design, targets, family, parameters, (rows) => {
      for (let a = 0, pair = 0; a < outputs; a++) {
        for (let b = 0; b <= a; b++, pair++) {
          family.curvature(kernel, rows, a, b);
          kernel.gram(pair, rows);
        }
      }
    });
    return assemble(kernel, width, design.totalWeight, penalty);
  };

  return { size, outputs, penalty, evaluate, curvature };
}

function forEachBlock(
  kernel: BlockKernel,
  design: Design,
  targets: ArrayLike<number>,
  family: LossFamily,
  parameters: Float64Array,
  visit: (rows: number, loss: number) => void,
): void {
  const width = design.columns.length + 1;
  for (let k = 0; k < family.outputs; k++) {
    kernel.parameters.set(parameters.subarray(k * width, (k + 1) * width), k * kernel.width);
  }
  for (let start = 0; start < design.rows; start += kernel.capacity) {
    const rows = loadBlock(kernel, design, targets, start);
    for (let k = 0; k < family.outputs; k++) kernel.score(k, rows);
    visit(rows, family.losses(kernel, rows));
  }
}

/** Returns the rows loaded, filled up to a multiple of 4 with average rows of weight 0. */
function loadBlock(kernel: BlockKernel, design: Design, targets: ArrayLike<number>, start: number): number {
  const { capacity, columns } = kernel;
  const rows = Math.min(capacity, design.rows - start);
  const padded = (rows + 3) & ~3;
  columns.fill(1, 0, padded);
  design.columns.forEach((column, index) => {
    const at = (index + 1) * capacity;
    const mean = design.means[index];
    columns.set(column.subarray(start, start + rows), at);
    columns.fill(mean, at + rows, at + padded);
    kernel.standardize(index + 1, padded, mean, 1 / design.scales[index]);
  });
  for (let row = 0; row < rows; row++) kernel.targets[row] = targets[start + row];
  if (design.weights === undefined) kernel.weights.fill(1, 0, rows);
  else kernel.weights.set(design.weights.subarray(start, start + rows));
  kernel.targets.fill(0, rows, padded);
  kernel.weights.fill(0, rows, padded);
  return padded;
}

/** Grams of the pairs of outputs (0,0), (1,0), (1,1), (2,0) … to one lower triangle over all parameters. */
function assemble(kernel: BlockKernel, width: number, totalWeight: number, penalty: Float64Array): Float64Array {
  const { grams, outputs } = kernel;
  const size = outputs * width;
  const matrix = new Float64Array(size * size);
  for (let a = 0, pair = 0; a < outputs; a++) {
    for (let b = 0; b <= a; b++, pair++) {
      for (let i = 0; i < width; i++) {
        for (let j = 0; j < (a === b ? i + 1 : width); j++) {
          const cell = (pair * kernel.width + Math.max(i, j)) * kernel.width + Math.min(i, j);
          matrix[(a * width + i) * size + b * width + j] = grams[cell] / totalWeight;
        }
      }
    }
  }
  for (let i = 0; i < size; i++) matrix[i * size + i] += penalty[i];
  return matrix;
}

/**
 * Makes second derivatives definite along column j where softmax does not change: its classes' scores can all move alike.
 * Gradients have no part in that direction, so Newton steps stay the same and their sum over the outputs is 0.
 */
export function joinOutputs(matrix: Float64Array, outputs: number, width: number, j: number): void {
  if (outputs === 1) return;
  const size = outputs * width;
  const own = matrix[j * size + j];
  for (let a = 0; a < outputs; a++) for (let b = 0; b <= a; b++) matrix[(a * width + j) * size + b * width + j] += own;
}
