import { checkMatrix } from "../check-matrix.ts";
import { checkTarget, requireTwoClasses } from "../check-target.ts";
import { type ForestOptions, fitForest } from "../forest/fit-forest.ts";
import { type Matrix, type Target, takeRows } from "../matrix.ts";
import type { TreesEstimator } from "../model.ts";
import { seededRandom } from "../random.ts";
import { leafOf } from "../trees/goes-left.ts";

export interface BestFeatureOptions {
  /** How many classes the target's indexes stand for; 0 for regression. */
  readonly classes: number;
  /** Deals rows to folds. */
  readonly seed: number;
}

export interface BestFeature {
  readonly estimator: TreesEstimator;
  /** Position of the one column that it reads. */
  readonly column: number;
  /** Mean squared error (of probabilities, over the classes) of each column's tree on rows that it was not grown on. */
  readonly errors: Float64Array;
}

const FOLDS = 5;
const MAX_DEPTH = 3;
/** A leaf holds at least so many rows, or such a share of them. */
const LEAST_LEAF_ROWS = 5;
const LEAST_LEAF_SHARE = 0.01;
/** Columns are compared on at most so many rows, evenly chosen; the tree that is kept is grown on all. */
const COMPARED_ROWS = 50_000;

/**
 * The baseline of a single question: a tree of depth 3 on the one column that predicts best alone in five-fold cross-validation.
 * Of columns that are equally good, the first.
 *
 * @throws what fitForest throws
 */
export function fitBestFeature(matrix: Matrix, target: Target, { classes, seed }: BestFeatureOptions): BestFeature {
  checkMatrix(matrix, "the best feature");
  const summary = checkTarget(matrix.rows, target, classes);
  if (classes > 0) requireTwoClasses(summary);
  const stride = Math.ceil(matrix.rows / COMPARED_ROWS);
  const compared = Array.from({ length: Math.ceil(matrix.rows / stride) }, (_, i) => i * stride);
  const folds = dealFolds(compared, target, classes, seed);
  const errors = Float64Array.from(matrix.columns, (_, column) =>
    crossValidate(oneColumn(matrix, column), target, classes, folds),
  );
  const column = errors.indexOf(errors.reduce((least, error) => Math.min(least, error)));
  const { estimator } = growOne(oneColumn(matrix, column), target, classes);
  const trees = estimator.trees.map((tree) => ({
    ...tree,
    feature: tree.feature.map((feature) => (feature < 0 ? feature : column)),
  }));
  return { estimator: { ...estimator, trees }, column, errors };
}

const oneColumn = ({ rows, columns, categories }: Matrix, column: number): Matrix => ({
  rows,
  columns: [columns[column]],
  ...(categories && { categories: [categories[column]] }),
});

function growOne(matrix: Matrix, target: Target, classes: number) {
  const minLeafRows = Math.max(LEAST_LEAF_ROWS, LEAST_LEAF_SHARE * matrix.rows);
  const options: ForestOptions = { kind: "random-forest", classes, seed: 0 };
  return fitForest(matrix, target, { trees: 1, maxDepth: MAX_DEPTH, minLeafRows, maxFeatures: "all", bootstrap: false }, options);
}

/** Rows in random order, dealt class by class, so that a class is in every fold as far as it has rows. */
function dealFolds(rows: readonly number[], { values }: Target, classes: number, seed: number): number[][] {
  const random = seededRandom(seed);
  const shuffled = rows.map((row) => ({ row, key: random.uint32() }));
  shuffled.sort((a, b) => (classes > 0 ? values[a.row] - values[b.row] : 0) || a.key - b.key || a.row - b.row);
  return Array.from({ length: FOLDS }, (_, fold) => shuffled.filter((_, i) => i % FOLDS === fold).map(({ row }) => row));
}

function crossValidate(matrix: Matrix, target: Target, classes: number, folds: readonly (readonly number[])[]): number {
  let error = 0;
  let weight = 0;
  for (const [fold, held] of folds.entries()) {
    const known = folds.flatMap((rows, other) => (other === fold ? [] : rows)).sort((a, b) => a - b);
    const part = takeTarget(target, known);
    if (!canLearn(part, classes)) continue;
    const { estimator } = growOne(takeRows(matrix, known), part, classes);
    for (const row of held) {
      const own = target.weights === undefined ? 1 : target.weights[row];
      error += own * squaredError(estimator, matrix, row, target.values[row]);
      weight += own;
    }
  }
  return weight === 0 ? Number.POSITIVE_INFINITY : error / weight;
}

function takeTarget({ values, weights }: Target, rows: readonly number[]): Target {
  const taken = Float64Array.from(rows, (row) => values[row]);
  return weights === undefined ? { values: taken } : { values: taken, weights: Float64Array.from(rows, (row) => weights[row]) };
}

/** Few rows may leave a fold without weight, or without a second class. */
function canLearn({ values, weights }: Target, classes: number): boolean {
  const seen = new Set<number>();
  values.forEach((value, row) => {
    if (weights === undefined || weights[row] > 0) seen.add(value);
  });
  return seen.size >= (classes > 0 ? 2 : 1);
}

function squaredError({ base, trees }: TreesEstimator, matrix: Matrix, row: number, truth: number): number {
  const leaf = leafOf(trees[0], matrix.columns, row);
  if (base.length === 1) return (trees[0].value[leaf] - truth) ** 2;
  return trees.reduce((sum, tree, k) => sum + (tree.value[leaf] - (k === truth ? 1 : 0)) ** 2, 0);
}
