import { type SplitDefinition, splitProblems } from "../../definitions/index.ts";
import type { Micros } from "../../time.ts";
import type { Dataset, DatasetSplit } from "../dataset.ts";
import { trainErrors } from "../errors.ts";
import { splitAtRandom } from "./split-at-random.ts";
import { splitByTime, splitSince } from "./split-by-time.ts";

export interface SplitOptions {
  /** The model's seed, where the split says none. */
  readonly seed: number;
  /** The last prediction time for which every label was due by `asOf`; later ones are a biased sample and left out. */
  readonly maturedUntil?: Micros;
  /** When something broke: candidates are to be selected and tested only on predictions made after it. */
  readonly since?: Micros;
}

/**
 * Divides a dataset into the parts that train, select, calibrate and test, as a model's definition says.
 * @throws TRAIN_TOO_FEW_ROWS, TRAIN_EMPTY_SPLIT, TRAIN_ONE_CLASS, TRAIN_PARAMETER_INVALID
 */
export function splitDataset(dataset: Dataset, split: SplitDefinition, asOf: Micros, options: SplitOptions): DatasetSplit {
  const problems = splitProblems(split);
  if (problems.length > 0) {
    throw trainErrors.TRAIN_PARAMETER_INVALID(`the split: ${problems.join("; ")}`, {
      details: { problems },
      hint: "Give test and validation a share above 0 each, below 1 together; by time, durations above 0.",
    });
  }
  if (split.kind !== "time") return splitAtRandom(dataset, split, asOf, options);
  const { since, maturedUntil = asOf } = options;
  return since === undefined
    ? splitByTime(dataset, split, asOf, { maturedUntil })
    : splitSince(dataset, split, asOf, since, { maturedUntil });
}
