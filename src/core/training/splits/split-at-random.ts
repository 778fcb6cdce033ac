import type { GroupedSplit, RandomSplit, StratifiedSplit } from "../../definitions/index.ts";
import { formatTimestamp, type Micros } from "../../time.ts";
import type { Dataset, DatasetSplit, RowSelection } from "../dataset.ts";
import { trainErrors } from "../errors.ts";
import { type RandomStream, seededRandom } from "../random.ts";
import { denseGroups } from "./folds.ts";
import { groupsOf } from "./groups.ts";
import { requireClasses } from "./require-classes.ts";
import { shuffle } from "./shuffle.ts";
import { requireParts } from "./split-by-time.ts";

export interface RandomSplitOptions {
  /** Where the split itself says none. */
  readonly seed: number;
  readonly maturedUntil?: Micros;
  /** Only rows after this moment select, calibrate and test; all before train. */
  readonly since?: Micros;
}

/**
 * Splits at random, by class or by group. Rows whose label was not known at `asOf`, or was not due (`maturedUntil`), are purged. Of the
 * others, the test and validation parts get their shares, rounded up; half of validation selects, the other half calibrates. What is
 * after `since` is halved into validation and test, but neither part gets larger than the split says.
 *
 * Nothing keeps a random split from training on the day after the one it tests on: what holds in time is shown by `splitByTime` only.
 *
 * @param split whose shares have been checked
 * @throws TRAIN_PARAMETER_INVALID for a group that there is not, TRAIN_TOO_FEW_ROWS, TRAIN_EMPTY_SPLIT, TRAIN_ONE_CLASS (in training or selection)
 */
export function splitAtRandom(
  dataset: Dataset,
  split: RandomSplit | StratifiedSplit | GroupedSplit,
  asOf: Micros,
  { seed, maturedUntil = asOf, since = Number.NEGATIVE_INFINITY }: RandomSplitOptions,
): DatasetSplit {
  const { test, validation } = split;
  const { at, labelAt } = dataset;
  const known = everyRow(dataset).filter((row) => labelAt[row] <= asOf && at[row] <= maturedUntil);
  if (known.length === 0) {
    throw trainErrors.TRAIN_TOO_FEW_ROWS(`none of ${dataset.rows} rows has a label that was known at ${formatTimestamp(asOf)}`);
  }
  const dealt = known.filter((row) => at[row] > since);
  const most = dealt.length === 0 ? 0 : known.length / dealt.length;
  const shares = { test: Math.min(0.5, test * most), validation: Math.min(0.5, validation * most) };
  const parts = deal(
    dataset,
    dealt,
    split,
    since === Number.NEGATIVE_INFINITY ? split : shares,
    seededRandom(split.seed ?? seed),
  );
  const train = ascending([...known.filter((row) => at[row] <= since), ...parts.train]);
  requireParts(dataset, { ...parts, train }, () => `of ${known.length} rows`);
  const labelCutoff = [train, parts.select, parts.calibrate].reduce(
    (latest, rows) => rows.reduce((later, row) => Math.max(later, labelAt[row]), latest),
    Number.NEGATIVE_INFINITY,
  );
  return { ...parts, train, labelCutoff, purged: dataset.rows - known.length };
}

type Parts = Pick<DatasetSplit, "train" | "select" | "calibrate" | "test">;

interface Shares {
  readonly test: number;
  readonly validation: number;
}

function deal(
  dataset: Dataset,
  rows: RowSelection,
  split: RandomSplit | StratifiedSplit | GroupedSplit,
  shares: Shares,
  random: RandomStream,
): Parts {
  switch (split.kind) {
    case "random":
      return dealUnits(
        rows,
        rows.map((_, position) => position),
        shares,
        random,
      );
    case "grouped": {
      const { groupOfRow } = denseGroups(groupsOf(dataset, rows, split.by));
      return dealUnits(rows, groupOfRow, shares, random);
    }
    case "stratified":
      requireClasses(dataset, "a stratified split");
      return dealClasses(
        rows,
        Array.from(rows, (row) => dataset.label[row]),
        shares,
        random,
      );
  }
}

/** Deals out units (rows, or groups of them), of which `unitOfRow` tells each row's. */
function dealUnits(rows: RowSelection, unitOfRow: ArrayLike<number>, shares: Shares, random: RandomStream): Parts {
  const units = Array.from(unitOfRow).reduce((highest, unit) => Math.max(highest, unit), -1) + 1;
  const order = shuffle(
    Uint32Array.from({ length: units }, (_, unit) => unit),
    random,
  );
  const [testEnd, selectEnd, calibrateEnd] = partEnds(units, shares);
  const place = new Uint32Array(units);
  order.forEach((unit, position) => {
    place[unit] = position;
  });
  const between = (from: number, to: number) =>
    rows.filter((_, position) => place[unitOfRow[position]] >= from && place[unitOfRow[position]] < to);
  return {
    test: between(0, testEnd),
    select: between(testEnd, selectEnd),
    calibrate: between(selectEnd, calibrateEnd),
    train: between(calibrateEnd, units),
  };
}

/** Deals out the rows of each class, so that the parts' sizes are those of a plain split, and the classes' shares as equal as can be. */
function dealClasses(rows: RowSelection, labels: readonly number[], shares: Shares, random: RandomStream): Parts {
  const classes = [...new Set(labels)].sort((a, b) => a - b);
  const shuffled = classes.map((label) =>
    shuffle(
      rows.filter((_, position) => labels[position] === label),
      random,
    ),
  );
  const [testEnd, selectEnd, calibrateEnd] = partEnds(rows.length, shares);
  const [test, rest] = divideClasses(shuffled, testEnd);
  const [validation, train] = divideClasses(rest, calibrateEnd - testEnd);
  const [select, calibrate] = divideClasses(validation, selectEnd - testEnd);
  const joined = (byClass: readonly RowSelection[]) => ascending(byClass.flatMap((own) => [...own]));
  return { test: joined(test), select: joined(select), calibrate: joined(calibrate), train: joined(train) };
}

/** The first `size` rows, of each class in proportion, and the others. */
function divideClasses(byClass: readonly RowSelection[], size: number): [taken: RowSelection[], left: RowSelection[]] {
  const counts = proportionalCounts(
    byClass.map((own) => own.length),
    size,
  );
  return [byClass.map((own, index) => own.subarray(0, counts[index])), byClass.map((own, index) => own.subarray(counts[index]))];
}

/** Where the test, select and calibrate parts end; sizes are rounded up, as scikit-learn does. */
function partEnds(units: number, { test, validation }: Shares): [testEnd: number, selectEnd: number, calibrateEnd: number] {
  const testEnd = Math.min(units, Math.ceil(test * units));
  const validationSize = Math.min(units - testEnd, Math.ceil(validation * units));
  return [testEnd, testEnd + Math.ceil(validationSize / 2), testEnd + validationSize];
}

/** `size` divided in proportion to `counts`: rounded down, and what is left over to the largest remainders. */
export function proportionalCounts(counts: readonly number[], size: number): number[] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const exact = counts.map((count) => (total === 0 ? 0 : (count / total) * size));
  const whole = exact.map(Math.floor);
  const left = size - whole.reduce((sum, count) => sum + count, 0);
  const byRemainder = Array.from(counts.keys()).sort((a, b) => exact[b] - whole[b] - (exact[a] - whole[a]) || a - b);
  for (const index of byRemainder.slice(0, left)) whole[index] += 1;
  return whole;
}

const everyRow = ({ rows }: Dataset): RowSelection => Uint32Array.from({ length: rows }, (_, row) => row);
const ascending = (rows: readonly number[]): RowSelection => Uint32Array.from(rows).sort();
