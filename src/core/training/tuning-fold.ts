import type { FoldDefinition, SplitDefinition } from "../definitions/index.ts";
import type { Dataset, RowSelection } from "./dataset.ts";
import type { Fold } from "./splits/folds.ts";
import { makeFolds } from "./splits/make-folds.ts";

/** One part in five of the training rows judges. */
const PARTS = 5;

/**
 * Divides training rows for a search: trials are fitted on `train` and judged on `test`, so that the selection part of validation,
 * on which the searched candidate then has to stand beside the others, has not been chosen by. Follows the model's split: by time the latest
 * fifth judges.
 *
 * @throws TRAIN_TOO_FEW_ROWS, TRAIN_PARAMETER_INVALID
 */
export function tuningFold(split: SplitDefinition, dataset: Dataset, rows: RowSelection, seed: number): Fold {
  const folds = makeFolds(foldsLike(split, dataset), dataset, rows, seed);
  return folds[folds.length - 1];
}

function foldsLike(split: SplitDefinition, { task }: Dataset): FoldDefinition {
  switch (split.kind) {
    case "time":
      // So many folds divide the period into one part more, and the last fold trains on all parts but the last.
      return { kind: "time-folds", folds: PARTS - 1, test: null, gap: 0 };
    case "grouped":
      return { kind: "group-k-fold", folds: PARTS, shuffle: true, by: split.by };
    case "stratified":
      return { kind: "stratified-k-fold", folds: PARTS, shuffle: true };
    case "random":
      return { kind: task === "regression" ? "k-fold" : "stratified-k-fold", folds: PARTS, shuffle: true };
  }
}
