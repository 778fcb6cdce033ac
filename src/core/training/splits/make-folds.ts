import type { FoldDefinition, GroupKFold, KFold, NestedFolds, StratifiedKFold } from "../../definitions/index.ts";
import type { Dataset, RowSelection } from "../dataset.ts";
import { trainErrors } from "../errors.ts";
import { labelsOf } from "../labels.ts";
import { seededRandom } from "../random.ts";
import {
  assignGroupKFold,
  assignKFold,
  assignStratifiedKFold,
  type Fold,
  type FoldAssignment,
  type FoldOptions,
  foldsOf,
} from "./folds.ts";
import { groupsOf } from "./groups.ts";
import { requireClasses } from "./require-classes.ts";
import { timeSeriesFolds } from "./time-folds.ts";

/** An outer fold, and the folds of its training rows. */
export interface NestedFold extends Fold {
  readonly inner: readonly Fold[];
}

/**
 * The folds of some rows of a dataset as a definition says; what they hold are rows of the dataset, ascending.
 * @param seed where the definition says none
 * @throws TRAIN_PARAMETER_INVALID, TRAIN_TOO_FEW_ROWS
 */
export function makeFolds(definition: FoldDefinition, dataset: Dataset, rows: RowSelection, seed: number): Fold[] {
  return positionFolds(definition, dataset, rows, seed).map(({ train, test }) => ({
    train: train.map((position) => rows[position]).sort(),
    test: test.map((position) => rows[position]).sort(),
  }));
}

/** @throws TRAIN_PARAMETER_INVALID, TRAIN_TOO_FEW_ROWS */
export function makeNestedFolds({ outer, inner }: NestedFolds, dataset: Dataset, rows: RowSelection, seed: number): NestedFold[] {
  return makeFolds(outer, dataset, rows, seed).map((fold) => ({
    ...fold,
    inner: makeFolds(inner, dataset, fold.train, seed),
  }));
}

function positionFolds(definition: FoldDefinition, dataset: Dataset, rows: RowSelection, modelSeed: number): Fold[] {
  switch (definition.kind) {
    case "time-folds": {
      const at = Float64Array.from(rows, (row) => dataset.at[row]);
      const labelAt = Float64Array.from(rows, (row) => dataset.labelAt[row]);
      return timeSeriesFolds(at, labelAt, definition);
    }
    case "repeated": {
      if (!Number.isInteger(definition.times) || definition.times < 1) {
        throw trainErrors.TRAIN_PARAMETER_INVALID(`repeated() needs 1 time or more, not ${definition.times}`);
      }
      const seeds = seededRandom(definition.folds.seed ?? modelSeed);
      return Array.from({ length: definition.times }, () => {
        const once = { ...definition.folds, shuffle: true, seed: seeds.uint32() };
        return positionFolds(once, dataset, rows, modelSeed);
      }).flat();
    }
    case "k-fold":
    case "stratified-k-fold":
    case "group-k-fold": {
      const options = { folds: definition.folds, seed: definition.shuffle ? (definition.seed ?? modelSeed) : null };
      return foldsOf(assign(definition, options, dataset, rows), options.folds);
    }
  }
}

function assign(
  definition: KFold | StratifiedKFold | GroupKFold,
  options: FoldOptions,
  dataset: Dataset,
  rows: RowSelection,
): FoldAssignment {
  switch (definition.kind) {
    case "k-fold":
      return assignKFold(rows.length, options);
    case "stratified-k-fold":
      requireClasses(dataset, "a stratified fold");
      return assignStratifiedKFold(labelsOf(dataset, rows), options);
    case "group-k-fold":
      return assignGroupKFold(groupsOf(dataset, rows, definition.by), options);
  }
}
