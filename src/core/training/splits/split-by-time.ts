import type { TimeSplit } from "../../definitions/index.ts";
import { formatTimestamp, type Micros } from "../../time.ts";
import type { Dataset, DatasetSplit, RowSelection } from "../dataset.ts";
import { trainErrors } from "../errors.ts";

/** Fewer rows than this train nothing worth keeping. */
const MIN_TRAINING_ROWS = 20;

/**
 * Splits by prediction time: the last `split.test` before the newest matured prediction tests, the `split.validation` before it
 * validates, the rest trains. A row whose label became known only when the next part had begun (for the test part: after `asOf`)
 * is purged, because at that moment nobody could have used it. Validation's days alternate between selection and calibration.
 *
 * Late outcomes become known late, so the newest predictions whose labels are known are a biased sample of all of them: give
 * `maturedUntil` (the last prediction time for which every label was due by `asOf`) to leave them out; they count as purged.
 *
 * @throws TRAIN_TOO_FEW_ROWS (fewer than 20 to train on), TRAIN_EMPTY_SPLIT, TRAIN_ONE_CLASS (in training or selection)
 */
export function splitByTime(
  dataset: Dataset,
  split: TimeSplit,
  asOf: Micros,
  { maturedUntil = asOf }: { maturedUntil?: Micros } = {},
): DatasetSplit {
  const { rows, at, labelAt, day } = dataset;
  let newest = Number.NEGATIVE_INFINITY;
  for (let row = 0; row < rows; row++) {
    if (labelAt[row] <= asOf && at[row] <= maturedUntil && at[row] > newest) newest = at[row];
  }
  if (newest === Number.NEGATIVE_INFINITY) {
    throw trainErrors.TRAIN_TOO_FEW_ROWS(`none of ${rows} rows has a label that was known at ${formatTimestamp(asOf)}`);
  }
  const testStart = newest - split.test;
  const validationStart = testStart - split.validation;

  const train: number[] = [];
  const select: number[] = [];
  const calibrate: number[] = [];
  const test: number[] = [];
  let purged = 0;
  let labelCutoff = Number.NEGATIVE_INFINITY;
  for (let row = 0; row < rows; row++) {
    const part = at[row] > testStart ? test : at[row] <= validationStart ? train : day[row] % 2 === 0 ? select : calibrate;
    const late =
      part === test ? labelAt[row] > asOf || at[row] > newest : labelAt[row] >= (part === train ? validationStart : testStart);
    if (late) {
      purged += 1;
      continue;
    }
    part.push(row);
    if (part !== test && labelAt[row] > labelCutoff) labelCutoff = labelAt[row];
  }

  const parts = {
    train: Uint32Array.from(train),
    select: Uint32Array.from(select),
    calibrate: Uint32Array.from(calibrate),
    test: Uint32Array.from(test),
  };
  const oldest = at.reduce((least, time) => Math.min(least, time), Number.POSITIVE_INFINITY);
  const periods: Readonly<Record<PartName, readonly [from: number, to: number]>> = {
    train: [oldest, validationStart],
    select: [validationStart, testStart],
    calibrate: [validationStart, testStart],
    test: [testStart, newest],
  };
  requireParts(dataset, parts, (part) => {
    const [from, to] = periods[part];
    const period = from < to ? `${formatTimestamp(from)} to ${formatTimestamp(to)}` : `before ${formatTimestamp(to)}`;
    return `(${period}; ${purged} rows purged)`;
  });
  return { ...parts, labelCutoff, purged };
}

/**
 * Splits so that candidates are selected and tested only on predictions made after `since` (when something broke): the period from
 * then to the newest matured prediction is halved into validation and test, but neither part gets longer than `split` says.
 *
 * @throws as `splitByTime`
 */
export function splitSince(
  dataset: Dataset,
  split: TimeSplit,
  asOf: Micros,
  since: Micros,
  options: { maturedUntil?: Micros } = {},
): DatasetSplit {
  const { labelAt, at } = dataset;
  const until = Math.min(asOf, options.maturedUntil ?? asOf);
  const newest = at.reduce(
    (latest, time, row) => (time <= until && labelAt[row] <= asOf && time > latest ? time : latest),
    since,
  );
  const half = Math.floor((newest - since) / 2);
  const parts = { ...split, test: Math.min(split.test, half), validation: Math.min(split.validation, half) };
  return splitByTime(dataset, parts, asOf, options);
}

type PartName = "train" | "select" | "calibrate" | "test";
const PART_NAMES: readonly PartName[] = ["train", "select", "calibrate", "test"];

/**
 * Every part has rows, training enough of them, and training and selection two classes at least, where there are classes.
 * @param where added to the message about an empty part
 * @throws TRAIN_EMPTY_SPLIT, TRAIN_TOO_FEW_ROWS, TRAIN_ONE_CLASS
 */
export function requireParts(
  dataset: Dataset,
  parts: Readonly<Record<PartName, RowSelection>>,
  where: (part: PartName) => string,
): void {
  const empty = PART_NAMES.find((name) => parts[name].length === 0);
  if (empty !== undefined) throw trainErrors.TRAIN_EMPTY_SPLIT(`the ${empty} part has no rows ${where(empty)}`);
  if (parts.train.length < MIN_TRAINING_ROWS) {
    throw trainErrors.TRAIN_TOO_FEW_ROWS(`the train part has ${parts.train.length} rows, fewer than ${MIN_TRAINING_ROWS}`);
  }
  requireBothClasses(dataset, parts.train, "train");
  requireBothClasses(dataset, parts.select, "select");
}

/** Where the target is one of several classes, the rows are of two at least. @throws TRAIN_ONE_CLASS */
export function requireBothClasses({ task, label, classes }: Dataset, rows: RowSelection, part: string): void {
  const [first] = rows;
  if (task === "regression" || rows.some((row) => label[row] !== label[first])) return;
  const named = task === "multiclass" ? `of class ${classes[label[first]]}` : label[first] === 1 ? "positive" : "negative";
  throw trainErrors.TRAIN_ONE_CLASS(`all ${rows.length} rows of the ${part} part are ${named}`);
}
