import { trainErrors } from "../errors.ts";
import type { Kernel } from "../kernels/load-kernel.ts";
import type { Matrix, Target } from "../matrix.ts";
import type { Tree, TreesEstimator } from "../model.ts";
import { type RandomStream, seededRandom } from "../random.ts";
import { type CheckedTarget, checkMatrix, checkTarget, checkVariety } from "./boosting-input.ts";
import { boostingKernel, cellBytesOf, startBoostingKernel } from "./boosting-kernel.ts";
import { BOOSTING_DEFAULTS, type BoostingParams, checkBoostingParams, checkThreads } from "./boosting-params.ts";
import { hireCrew } from "./crew.ts";
import { drawColumns, drawShare } from "./draw-share.ts";
import { createTreeGrower, type GrownTree, type TreeGround, type TreeGrower } from "./grow-tree.ts";
import { completeGroups } from "./interactions.ts";
import { createJudge, type Judge } from "./judge.ts";
import { leafQuantile } from "./leaf-quantile.ts";
import { createObjective, type Objective, outputsOf } from "./objective.ts";
import { prepareRows } from "./prepare-rows.ts";
import { recordUnits, type WeightUnits, weightUnits } from "./record-units.ts";
import { createTasks } from "./tasks.ts";
import { LEAF_FIELDS } from "./workspace.ts";

/** How boosting went on the rows that stop it early. */
export interface BoostingHistory {
  /** The objective's mean loss on the validation rows after 0, 1, 2 … rounds; empty without early stopping. */
  readonly loss: readonly number[];
  /** Rounds kept: those up to the least loss, or all without early stopping. A round is one tree, or one a class. */
  readonly bestRounds: number;
  /** Why plain TypeScript had to do; null where WebAssembly did the work. */
  readonly withoutKernel: string | null;
}

export interface BoostingOptions {
  readonly seed: number;
  /** Rows that stop boosting early; the same columns as the training matrix. */
  readonly validation?: { readonly matrix: Matrix; readonly target: Target };
  /** Classes of the multiclass objective, where the last may have no rows; the largest index in training and one unless said otherwise. */
  readonly classes?: number;
  /** Threads that share the work; the model is the same for any number. Worth it from about 300,000 rows on. 1 unless said otherwise. */
  readonly threads?: number;
  /** Bytes that may be taken besides the matrix; what is available unless said otherwise. */
  readonly memoryLimit?: number;
  /** Does without WebAssembly, which takes several times as long and gives the same model. */
  readonly plain?: boolean;
  /** Called after each round with the share done (0…1). */
  readonly onDone?: (done: number) => void;
}

/**
 * Histogram gradient boosting: at most 255 bins a column, trees grown leaf by leaf, Newton leaf values with penalties, missing values
 * sent to the side where they gain more, categories split by sets (Friedman 2001; Chen, Guestrin 2016; Ke et al., LightGBM, 2017).
 *
 * Gradients and hessians are whole numbers of a unit that is a 2^50th of their largest sum, so that all sums are exact: the model does not
 * depend on the order of rows, on threads or on whether WebAssembly is there, and a row of weight 2 is two rows (up to 200,000 rows,
 * from which on bins are made from a sample; and while no share of the rows is drawn). The same seed gives the same model.
 *
 * @param params what is left out is taken from BOOSTING_DEFAULTS
 * @throws TRAIN_PARAMETER_INVALID, TRAIN_NO_FEATURES, TRAIN_TOO_FEW_ROWS, TRAIN_COLUMN_INVALID, TRAIN_TARGET_INVALID,
 *   TRAIN_WEIGHTS_INVALID, TRAIN_ONE_CLASS, TRAIN_MEMORY_WOULD_NOT_SUFFICE
 */
export function fitGradientBoosting(
  matrix: Matrix,
  target: Target,
  params: Partial<BoostingParams>,
  {
    seed,
    validation,
    classes,
    threads = 1,
    memoryLimit = process.availableMemory(),
    plain = false,
    onDone = () => {},
  }: BoostingOptions,
): { estimator: TreesEstimator; history: BoostingHistory } {
  checkMatrix(matrix);
  checkThreads(threads);
  const columnCount = matrix.columns.length;
  const asked = { ...BOOSTING_DEFAULTS, ...params };
  checkBoostingParams(asked, columnCount, (column) => (matrix.categories?.[column] ?? 0) > 0);
  const all: BoostingParams = { ...asked, interactions: completeGroups(asked.interactions, columnCount) };
  const known = checkTarget(target, matrix.rows, all.objective);
  checkVariety(known, all.objective);
  const judge = createJudge(all, matrix, validation);

  const found: Kernel = plain ? { available: false, reason: "plain TypeScript was asked for" } : boostingKernel();
  const module = found.available ? found.module : null;
  const choice = { objective: all.objective, quantile: all.quantile, classes: Math.max(known.classes, classes ?? 0) };
  const shape = { outputs: outputsOf(choice), threads, cellBytes: cellBytesOf(module) };
  checkTreeMemory(all, matrix.rows, shape.outputs, memoryLimit);
  const prepared = prepareRows(matrix, known, judge?.matrix ?? null, all, shape, memoryLimit);
  const { memory, workspace, views, columns } = prepared;
  const kernel = startBoostingKernel(module, memory);
  const objective = createObjective(choice, kernel);
  const tasks = createTasks(kernel, workspace, views, objective);
  const crew = hireCrew({ memory, module, workspace, objective: choice }, views, tasks);
  try {
    crew.run("layRowsOut", matrix.rows);
    const ground: TreeGround = { kernel, crew, workspace, views, columns, params: all, mostStep: objective.mostStep };
    const { estimator, history } = boost(ground, objective, known, judge, seededRandom(seed), onDone);
    return { estimator, history: { ...history, withoutKernel: found.available ? null : found.reason } };
  } finally {
    crew.dismiss();
  }
}

function boost(
  ground: TreeGround,
  objective: Objective,
  target: CheckedTarget,
  judge: Judge | null,
  random: RandomStream,
  onDone: (done: number) => void,
): { estimator: TreesEstimator; history: Omit<BoostingHistory, "withoutKernel"> } {
  const { workspace, views, params } = ground;
  const { rows } = workspace;
  const base = objective.base(target.values, target.weights);
  base.forEach((value, output) => void views.scores[output].fill(value));
  const validationScores = views.scores.map((scores) => scores.subarray(rows));
  const loss = judge === null ? [] : [judge.loss(objective, validationScores)];
  const weights = weightUnits(target.weights, rows);
  const grow = createTreeGrower(ground);
  const isSampled = params.rowShare < 1 || params.columnShare < 1;
  const trees: Tree[] = [];
  let bestRounds = 0;
  for (let round = 1; round <= params.trees; round++) {
    const grown = growRound(ground, objective, grow, weights, random);
    // Trees without a split say that nothing is left to gain, unless another sample may say more.
    if (!isSampled && grown.every((tree) => tree.feature.length === 1)) break;
    trees.push(...grown);
    onDone(round / params.trees);
    if (judge === null) {
      bestRounds = round;
      continue;
    }
    loss.push(judge.loss(objective, validationScores));
    if (loss[round] < loss[bestRounds]) bestRounds = round;
    else if (round - bestRounds >= params.earlyStopping) break;
  }
  onDone(1);
  const kept = trees.slice(0, bestRounds * base.length);
  return { estimator: { kind: "trees", link: objective.link, base, trees: kept }, history: { loss, bestRounds } };
}

/** One tree for each output; all of them start from the same scores and see the same rows. */
function growRound(
  ground: TreeGround,
  objective: Objective,
  grow: TreeGrower,
  weights: WeightUnits,
  random: RandomStream,
): Tree[] {
  const { crew, workspace, views, params, columns } = ground;
  const { rows } = workspace;
  const units = recordUnits(objective.bounds(views), weights);
  const sampled = params.rowShare < 1 ? drawShare(views.order.subarray(0, rows), params.rowShare, random) : rows;
  const all = new Uint8Array(columns.length).fill(1);
  crew.run("beginRound", rows);
  return views.scores.map((_, output) => {
    const usable = params.columnShare < 1 ? drawColumns(columns.length, params.columnShare, random) : all;
    const grown = grow(output, units, sampled, usable);
    return addTree(ground, grown, output);
  });
}

/** Settles the leaves' values and adds them to the scores. A tree that could not split adds nothing. */
function addTree({ crew, workspace, views, params }: TreeGround, { draft, leaves }: GrownTree, output: number): Tree {
  if (leaves.length === 1) return draft.finish();
  leaves.forEach((leaf, position) => {
    const isQuantile = params.objective === "quantile";
    const step = isQuantile ? leafQuantile(views, views.index, leaf, params.quantile) : leaf.output;
    const value = params.rate * step;
    draft.setValue(leaf.node, value);
    const { start, end, ridersStart, ridersEnd } = leaf;
    views.leafTable.set([start, end, ridersStart, ridersEnd, value], LEAF_FIELDS * position);
  });
  crew.run("addLeaves", workspace.allRows, output, leaves.length);
  return draft.finish();
}

/** What a node takes in the arrays of a tree. */
const NODE_BYTES = 3 * Int32Array.BYTES_PER_ELEMENT + 3 * Float64Array.BYTES_PER_ELEMENT + 1;

/** Early stopping may keep far fewer trees, but what was asked for has to fit. */
function checkTreeMemory({ trees, leaves }: BoostingParams, rows: number, outputs: number, limit: number): void {
  const nodes = 2 * Math.min(leaves, rows) - 1;
  const bytes = trees * outputs * nodes * NODE_BYTES;
  if (bytes <= limit) return;
  const megabytes = (count: number) => Math.ceil(count / 2 ** 20);
  throw trainErrors.TRAIN_MEMORY_WOULD_NOT_SUFFICE(
    `${trees * outputs} trees of ${nodes} nodes take ${megabytes(bytes)} MB; ${megabytes(limit)} MB may be taken`,
    { details: { bytes, limit } },
  );
}
