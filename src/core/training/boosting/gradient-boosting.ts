import type { GradientBoostingParams } from "../../definitions/index.ts";
import { trainErrors } from "../errors.ts";
import type { Tree, TreesEstimator } from "../model.ts";
import { seededRandom } from "../random.ts";
import { type BinnedMatrix, binMatrix } from "./binning.ts";
import { addTree } from "../trees/trees.ts";
import { createTreeGrower } from "./grow-tree.ts";
import { packGradients } from "./histogram.ts";

/** How boosting went on the rows that stop it early. */
export interface BoostingHistory {
  /** Log loss on the selection part after 0, 1, 2 … trees. */
  readonly logLoss: readonly number[];
  /** Trees kept: those up to the least log loss, or all without early stopping. */
  readonly bestTrees: number;
}

export interface BoostingOptions {
  readonly seed: number;
  /** Rows that stop boosting early; the same columns as the training matrix. */
  readonly validation: { readonly columns: readonly Float64Array[]; readonly labels: Uint8Array };
  /** Called after each tree with the share done (0…1). */
  readonly onDone?: (done: number) => void;
}

/**
 * Histogram gradient boosting of the log loss: 255 quantile bins a column, trees grown leaf by leaf, Newton leaf values with an
 * L2 penalty, missing values sent to the side where they gain more (Friedman 2001; Ke et al., LightGBM, 2017). Gradients are
 * rounded to choose splits, leaf values are computed from exact ones. The same seed gives the same trees.
 *
 * @param columns column-major matrix; NaN for missing
 * @throws TRAIN_PARAMETER_INVALID, TRAIN_ONE_CLASS
 */
export function fitGradientBoosting(
  columns: readonly Float64Array[],
  labels: Uint8Array,
  params: GradientBoostingParams,
  { seed, validation, onDone = () => {} }: BoostingOptions,
): { estimator: TreesEstimator; history: BoostingHistory } {
  checkParams(params);
  const rows = labels.length;
  const positives = labels.reduce((sum, label) => sum + label, 0);
  if (positives === 0 || positives === rows) throw trainErrors.TRAIN_ONE_CLASS(`all ${rows} training rows have one label`);
  const matrix: BinnedMatrix = binMatrix(columns);
  const grow = createTreeGrower(matrix, params);
  const random = seededRandom(seed);
  const baseScore = Math.log(positives / (rows - positives));
  const scores = new Float64Array(rows).fill(baseScore);
  const gradients = new Float64Array(rows);
  const hessians = new Float64Array(rows);
  const packed = new Float64Array(rows);

  const stopsEarly = params.earlyStopping > 0 && validation.labels.length > 0;
  const validationScores = new Float64Array(validation.labels.length).fill(baseScore);
  const logLoss = stopsEarly ? [meanLogLoss(validationScores, validation.labels)] : [];
  let bestTrees = 0;
  const trees: Tree[] = [];
  while (trees.length < params.trees) {
    for (let row = 0; row < rows; row++) {
      const probability = 1 / (1 + Math.exp(-scores[row]));
      gradients[row] = probability - labels[row];
      hessians[row] = probability * (1 - probability);
    }
    packGradients(gradients, hessians, random.uint32() | 1, packed);
    const tree = grow(gradients, hessians, packed, scores);
    // A tree without a split says that nothing is left to gain.
    if (tree.feature.length === 1) break;
    trees.push(tree);
    onDone(trees.length / params.trees);
    if (!stopsEarly) {
      bestTrees = trees.length;
      continue;
    }
    addTree(tree, validation.columns, validationScores);
    logLoss.push(meanLogLoss(validationScores, validation.labels));
    if (logLoss[trees.length] < logLoss[bestTrees]) bestTrees = trees.length;
    else if (trees.length - bestTrees >= params.earlyStopping) break;
  }
  onDone(1);
  return {
    estimator: { kind: "trees", link: "logit", base: Float64Array.of(baseScore), trees: trees.slice(0, bestTrees) },
    history: { logLoss, bestTrees },
  };
}

function meanLogLoss(scores: Float64Array, labels: Uint8Array): number {
  let sum = 0;
  for (let row = 0; row < scores.length; row++) {
    const score = scores[row];
    sum += Math.max(score, 0) + Math.log1p(Math.exp(-Math.abs(score))) - labels[row] * score;
  }
  return sum / scores.length;
}

function checkParams({ trees, leaves, rate, l2, minLeafRows, earlyStopping }: GradientBoostingParams): void {
  const wrong = (name: string, value: number, wanted: string) =>
    trainErrors.TRAIN_PARAMETER_INVALID(`gradient boosting: ${name} is ${value}, not ${wanted}`);
  if (!(Number.isInteger(trees) && trees >= 1)) throw wrong("trees", trees, "a whole number from 1 on");
  if (!(Number.isInteger(leaves) && leaves >= 2)) throw wrong("leaves", leaves, "a whole number from 2 on");
  if (!(rate > 0 && rate <= 1)) throw wrong("rate", rate, "above 0 and at most 1");
  if (!(l2 >= 0 && Number.isFinite(l2))) throw wrong("l2", l2, "0 or more");
  if (!(Number.isInteger(minLeafRows) && minLeafRows >= 1)) throw wrong("minLeafRows", minLeafRows, "a whole number from 1 on");
  if (!(Number.isInteger(earlyStopping) && earlyStopping >= 0)) {
    throw wrong("earlyStopping", earlyStopping, "a whole number from 0 on");
  }
}
