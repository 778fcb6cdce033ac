import { type PreparationStep, stepApplies, stepProblems } from "../../definitions/index.ts";
import { checkWeights } from "../check-target.ts";
import type { Dataset, RowSelection } from "../dataset.ts";
import { trainErrors } from "../errors.ts";
import type { Matrix, Target } from "../matrix.ts";
import type { Task } from "../model.ts";
import { applyStep } from "./apply-step.ts";
import { createColumnRoom } from "./column-room.ts";
import { scaledWeights } from "./column-sample.ts";
import { draftsOf } from "./draft-column.ts";
import { describeColumns } from "./encode.ts";
import { type FinishedColumn, finishLinear, finishTree } from "./finish-columns.ts";
import type { FitContext } from "./fit-context.ts";
import type { CategoryEncoding, ColumnFormula, EncodedColumn, FittedPreparation } from "./fitted-preparation.ts";

/** Linear estimators take finite numbers only; trees take NaN and categories. */
export type EstimatorFamily = "linear" | "tree";

export interface PreparationOptions {
  readonly steps: readonly PreparationStep[];
  readonly family: EstimatorFamily;
  /** Of the rows that are given, in their order. Weights count in all that is learned here. */
  readonly target: Target;
  readonly task: Task;
  /** For the folds of target encoding. */
  readonly seed: number;
  /** Ids of features to leave out. */
  readonly exclude?: readonly string[];
  /** Ids of the features that hold Micros: what dateParts() works on unless it names features. */
  readonly timestamps?: readonly string[];
  /** What trees get for categories that no step encodes: codes for native splits, or ranks of their smoothed target mean. */
  readonly treeCategories?: "native" | "rank";
  /** Bytes that the matrix may take; what the process may have unless said. */
  readonly memoryLimit?: number;
}

export interface FittedColumns {
  readonly preparation: FittedPreparation;
  /** Of the rows that it was fitted on: as `encode` gives it, but for target encoding, which is out of fold. */
  readonly matrix: Matrix;
}

/**
 * Learns from `rows` of `dataset` how features become the estimator's columns, and from nothing else.
 *
 * The steps work in their order, each on the columns that the last one left. Then, for linear estimators, what no step took care of:
 * missing numbers become the mean, categories one-hot, and columns that are the same in all rows are left out. For trees, categories stay
 * categories and numbers may be missing. A feature without a value in `rows` is left out. Infinite numbers count as missing. Rows are
 * not looked at in any order: permuted rows give the same preparation, up to rounding, but for the folds of target encoding.
 *
 * @throws TRAIN_NO_FEATURES, TRAIN_TOO_MANY_COLUMNS (over 2,000), TRAIN_MEMORY_WOULD_NOT_SUFFICE, TRAIN_PARAMETER_INVALID,
 *   TRAIN_WEIGHTS_INVALID, TRAIN_TOO_FEW_ROWS (fewer than folds)
 */
export function fitPreparation(dataset: Dataset, rows: RowSelection, options: PreparationOptions): FittedColumns {
  const { family, exclude = [], target, timestamps = [], treeCategories = "native" } = options;
  if (target.values.length !== rows.length) {
    throw trainErrors.TRAIN_PARAMETER_INVALID(`there are ${target.values.length} targets for ${rows.length} rows`);
  }
  checkWeights(target.weights, rows.length);
  checkSteps(options.steps);
  const context: FitContext = {
    target,
    task: options.task,
    weights: scaledWeights(target.weights),
    seed: options.seed,
    encodings: [],
    requireRoom: createColumnRoom(rows.length, options.memoryLimit ?? process.availableMemory()),
  };
  context.requireRoom(dataset.features.length - exclude.length, "the features as they are");
  let drafts = draftsOf(dataset, rows, exclude, context.weights);
  for (const step of options.steps) {
    if (!stepApplies(step, family)) continue;
    drafts = applyStep(step, drafts, dataset, timestamps, context);
  }
  const columns = family === "linear" ? finishLinear(drafts, context) : finishTree(drafts, context, treeCategories);
  if (columns.length === 0) {
    const lacks = family === "linear" ? "values that differ" : "a usable value";
    throw trainErrors.TRAIN_NO_FEATURES(`no feature has ${lacks} in the ${rows.length} training rows`);
  }
  context.requireRoom(columns.length, "the whole preparation");
  const preparation = withUsedEncodings(columns.map(toColumn), context.encodings);
  const matrix = { rows: rows.length, columns: columns.map(({ values }) => values), ...describeColumns(preparation) };
  return { preparation, matrix };
}

/** Definitions come as JSON, where types have not seen to it. */
function checkSteps(steps: readonly PreparationStep[]): void {
  for (const step of steps) {
    const problems = stepProblems(step);
    if (problems.length === 0) continue;
    throw trainErrors.TRAIN_PARAMETER_INVALID(`the step ${step?.kind}: ${problems.join("; ")}`, {
      hint: "Correct the model's preparation.",
      details: { problems },
    });
  }
}

const toColumn = ({ name, categories, source, maps }: FinishedColumn): EncodedColumn => ({ name, categories, source, maps });

/** Leaves out encodings whose columns were not selected. */
function withUsedEncodings(columns: readonly EncodedColumn[], encodings: readonly CategoryEncoding[]): FittedPreparation {
  const used = new Map<number, number>();
  const renumbered = <F extends ColumnFormula>(formula: F): F => {
    const { source } = formula;
    if (source.kind === "number") return formula;
    if (source.kind === "product") {
      return { ...formula, source: { ...source, of: [renumbered(source.of[0]), renumbered(source.of[1])] } };
    }
    const encoding = used.get(source.encoding) ?? used.size;
    used.set(source.encoding, encoding);
    return { ...formula, source: { ...source, encoding } };
  };
  const rewritten = columns.map(renumbered);
  return { columns: rewritten, encodings: Array.from(used.keys(), (encoding) => encodings[encoding]) };
}
