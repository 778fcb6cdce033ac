import { checkMatrix } from "../check-matrix.ts";
import { checkTarget, requireTwoClasses } from "../check-target.ts";
import { trainErrors } from "../errors.ts";
import type { Matrix, Target } from "../matrix.ts";
import type { Tree, TreesEstimator } from "../model.ts";
import { type RandomStream, seededRandom } from "../random.ts";
import { binMatrix } from "../trees/binning.ts";
import type { Criterion, Sample } from "./criterion.ts";
import { forestMemory } from "./forest-memory.ts";
import { checkForestParams, type ForestParams, forestDefaults, triedColumns } from "./forest-params.ts";
import { gini } from "./gini.ts";
import { createTreeGrower, emptySample, type LeafWriter } from "./grow-tree.ts";
import { createOutOfBag, type OutOfBag } from "./out-of-bag.ts";
import { variance, wholeTargets } from "./variance.ts";

export interface ForestOptions {
  /** Extra trees draw one threshold a column at random and take the best of those. */
  readonly kind: "random-forest" | "extra-trees";
  /** How many classes the target's indexes stand for; 0 for regression. */
  readonly classes: number;
  readonly seed: number;
  /** Predict every row by the trees that did not draw it; needs `bootstrap`. */
  readonly outOfBag?: boolean;
  /** Bytes that training may take; what this machine or container has left unless given. */
  readonly memoryLimit?: number;
  /** Called as trees are grown, with the share done (0…1). */
  readonly onDone?: (done: number) => void;
}

export interface FittedForest {
  /**
   * Its raw output is the mean over trees: a value, the positive class's probability, or one probability a class. Trees t of the
   * mean for class k are those with t % classes = k; they share all their arrays but `value`.
   */
  readonly estimator: TreesEstimator;
  readonly outOfBag: OutOfBag | null;
}

/**
 * Random forests (Breiman 2001) and extremely randomised trees (Geurts, Ernst and Wehenkel 2006) on values in at most 255 bins a
 * column. Missing values go to the side where they serve best; categories are split into sets. The same seed gives the same
 * forest; without bootstrap, the order of rows makes no difference where weights are whole numbers, and weight 2 is the same as
 * two equal rows.
 *
 * @param target class indexes 0 … classes - 1, or finite values
 * @param params what is left out is taken from `forestDefaults`
 * @throws TRAIN_PARAMETER_INVALID, TRAIN_TOO_FEW_ROWS, TRAIN_NO_FEATURES, TRAIN_COLUMN_INVALID, TRAIN_TARGET_INVALID, TRAIN_WEIGHTS_INVALID,
 * TRAIN_ONE_CLASS, TRAIN_MEMORY_WOULD_NOT_SUFFICE
 */
export function fitForest(matrix: Matrix, target: Target, params: Partial<ForestParams>, options: ForestOptions): FittedForest {
  const { classes, onDone = () => {} } = options;
  const settings = { ...forestDefaults(options.kind), ...params };
  checkForestParams(settings);
  if (options.outOfBag && !settings.bootstrap) {
    throw trainErrors.TRAIN_PARAMETER_INVALID("forest: without bootstrap no row is out of bag");
  }
  checkMatrix(matrix, "a forest");
  const summary = checkTarget(matrix.rows, target, classes);
  if (classes > 0) requireTwoClasses(summary);
  const memory = forestMemory(matrix, settings, classes, options.memoryLimit);
  const binned = binMatrix(matrix, undefined, target.weights);
  const isRegression = classes === 0;
  const targets = isRegression
    ? wholeTargets(target.values, summary.mean, summary.totalWeight)
    : Float64Array.from(target.values);
  const criterion: Criterion = isRegression ? variance : gini(classes);
  const outputs = classes > 2 ? classes : 1;
  const grow = createTreeGrower(binned, criterion, outputs, {
    tried: triedColumns(settings.maxFeatures, matrix.columns.length, classes),
    minWeight: settings.minLeafRows > 1 ? settings.minLeafRows : 0,
    minSplitWeight: settings.minSplitRows > 2 ? settings.minSplitRows : 0,
    maxDepth: settings.maxDepth,
    maxLeaves: settings.maxLeaves,
    randomThresholds: options.kind === "extra-trees",
  });
  const outOfBag = options.outOfBag ? createOutOfBag(matrix, target, classes) : null;
  const counting = Uint32Array.from(target.values.keys()).filter(
    (row) => target.weights === undefined || target.weights[row] > 0,
  );
  const seeds = seededRandom(options.seed);
  const trees: Tree[] = [];
  for (let t = 0; t < settings.trees; t++) {
    const random = seededRandom(seeds.uint32());
    const draws = settings.bootstrap ? drawRows(counting, matrix.rows, random) : undefined;
    const sample = takeSample(targets, target.weights, draws);
    const writeLeaf = isRegression
      ? meanWriter(sample, target.values, settings.trees)
      : shareWriter(sample, classes, settings.trees);
    const store = grow(sample, writeLeaf, random);
    memory.addTree(store.bytes, settings.trees - t - 1);
    const grown = store.outputs();
    if (outOfBag !== null && draws !== undefined) outOfBag.addTree(grown, draws, settings.trees);
    trees.push(...grown);
    onDone((t + 1) / settings.trees);
  }
  return {
    estimator: { kind: "trees", link: "identity", base: new Float64Array(outputs), trees },
    outOfBag: outOfBag === null ? null : outOfBag.result(),
  };
}

/** How often each of `rows` rows was drawn; only those that count are. */
function drawRows(counting: Uint32Array, rows: number, random: RandomStream): Uint32Array {
  const draws = new Uint32Array(rows);
  for (let i = 0; i < counting.length; i++) draws[counting[random.below(counting.length)]]++;
  return draws;
}

/** Rows that count, in their order. */
function takeSample(targets: Float64Array, weights: Float64Array | undefined, draws: Uint32Array | undefined): Sample {
  const rows = targets.length;
  const taken = emptySample(rows);
  let count = 0;
  for (let row = 0; row < rows; row++) {
    const weight = (weights === undefined ? 1 : weights[row]) * (draws === undefined ? 1 : draws[row]);
    if (weight === 0) continue;
    taken.rows[count] = row;
    taken.weights[count] = weight;
    taken.targets[count++] = targets[row];
  }
  return {
    rows: taken.rows.subarray(0, count),
    weights: taken.weights.subarray(0, count),
    targets: taken.targets.subarray(0, count),
  };
}

const meanWriter =
  ({ rows, weights }: Sample, values: ArrayLike<number>, trees: number): LeafWriter =>
  (store, node, start, end) => {
    // From the first value on: a leaf of equal values then holds exactly that one.
    const origin = values[rows[start]];
    let weight = 0;
    let sum = 0;
    for (let i = start; i < end; i++) {
      weight += weights[i];
      sum += weights[i] * (values[rows[i]] - origin);
    }
    store.setValue(node, 0, (origin + sum / weight) / trees);
  };

function shareWriter({ weights, targets }: Sample, classes: number, trees: number): LeafWriter {
  const sums = new Float64Array(classes);
  return (store, node, start, end) => {
    sums.fill(0);
    let weight = 0;
    for (let i = start; i < end; i++) {
      sums[targets[i]] += weights[i];
      weight += weights[i];
    }
    if (classes === 2) store.setValue(node, 0, sums[1] / weight / trees);
    else for (let k = 0; k < classes; k++) store.setValue(node, k, sums[k] / weight / trees);
  };
}
