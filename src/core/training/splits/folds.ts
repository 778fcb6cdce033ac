import type { RowSelection } from "../dataset.ts";
import { trainErrors } from "../errors.ts";
import { seededRandom } from "../random.ts";
import { shuffle } from "./shuffle.ts";

/** Positions 0 … rows - 1, ascending: what is trained on, and what is tested on. */
export interface Fold {
  readonly train: RowSelection;
  readonly test: RowSelection;
}

/** By row, the fold that tests it. */
export type FoldAssignment = Int32Array;

export interface FoldOptions {
  readonly folds: number;
  /** `null`: not shuffled. */
  readonly seed: number | null;
}

/**
 * Folds of nearly equal size, the first ones larger by one: runs of rows in their order, or of shuffled rows.
 * @throws TRAIN_PARAMETER_INVALID for fewer than 2 folds, TRAIN_TOO_FEW_ROWS for more folds than rows
 */
export function assignKFold(rows: number, { folds, seed }: FoldOptions): FoldAssignment {
  requireFolds(folds, rows, "rows");
  const assignment = new Int32Array(rows);
  const order = Uint32Array.from({ length: rows }, (_, row) => row);
  if (seed !== null) shuffle(order, seededRandom(seed));
  const small = Math.floor(rows / folds);
  const larger = rows % folds;
  let next = 0;
  for (let fold = 0; fold < folds; fold++) {
    const end = next + small + (fold < larger ? 1 : 0);
    for (; next < end; next++) assignment[order[next]] = fold;
  }
  return assignment;
}

/**
 * Folds with nearly the same share of each class. Rows sorted by class are dealt out to the folds in turn, which says how many rows
 * of each class every fold gets: its rows in their order, or shuffled. Classes are whole numbers.
 * @throws TRAIN_PARAMETER_INVALID, TRAIN_TOO_FEW_ROWS when no class has as many rows as there are folds
 */
export function assignStratifiedKFold(classes: ArrayLike<number>, { folds, seed }: FoldOptions): FoldAssignment {
  requireFolds(folds, classes.length, "rows");
  const rowsByClass = rowsOfEach(classes);
  const largest = Math.max(...rowsByClass.map((rows) => rows.length));
  if (largest < folds) {
    throw trainErrors.TRAIN_TOO_FEW_ROWS(`no class has the ${folds} rows that ${folds} folds need; the largest has ${largest}`);
  }
  const assignment = new Int32Array(classes.length);
  const random = seed === null ? null : seededRandom(seed);
  let dealt = 0;
  for (const rows of rowsByClass) {
    const counts = new Int32Array(folds);
    for (let i = 0; i < rows.length; i++) counts[(dealt + i) % folds] += 1;
    dealt += rows.length;
    const foldsOfClass = Int32Array.from([...counts].flatMap((count, fold) => new Array<number>(count).fill(fold)));
    if (random !== null) shuffle(foldsOfClass, random);
    rows.forEach((row, index) => {
      assignment[row] = foldsOfClass[index];
    });
  }
  return assignment;
}

/** Rows by class, in the order in which the classes first appear. */
function rowsOfEach(classes: ArrayLike<number>): number[][] {
  const rows = new Map<number, number[]>();
  for (let row = 0; row < classes.length; row++) {
    const known = rows.get(classes[row]);
    if (known === undefined) rows.set(classes[row], [row]);
    else known.push(row);
  }
  return [...rows.values()];
}

/**
 * Folds of whole groups. Unless shuffled, the largest groups first, each into the fold with fewest rows so far; shuffled, nearly
 * equally many groups a fold. A group below 0 stands for a row of no group, which is a group of its own.
 * @throws TRAIN_PARAMETER_INVALID, TRAIN_TOO_FEW_ROWS for more folds than groups
 */
export function assignGroupKFold(groups: ArrayLike<number>, { folds, seed }: FoldOptions): FoldAssignment {
  const { groupOfRow, sizes } = denseGroups(groups);
  requireFolds(folds, sizes.length, "groups");
  const foldOfGroup = seed === null ? balancedFolds(sizes, folds) : assignKFold(sizes.length, { folds, seed });
  return groupOfRow.map((group) => foldOfGroup[group]);
}

/** Groups as 0, 1, 2 … in ascending order of their ids, and how many rows each has. */
export function denseGroups(groups: ArrayLike<number>): { readonly groupOfRow: Int32Array; readonly sizes: Int32Array } {
  const ids = [...new Set(Array.from(groups))].filter((id) => id >= 0).sort((a, b) => a - b);
  const numberOf = new Map(ids.map((id, index) => [id, index]));
  let next = ids.length;
  const groupOfRow = Int32Array.from(groups, (id) => numberOf.get(id) ?? next++);
  const sizes = new Int32Array(next);
  for (const group of groupOfRow) sizes[group] += 1;
  return { groupOfRow, sizes };
}

function balancedFolds(sizes: Int32Array, folds: number): FoldAssignment {
  const largestFirst = Array.from(sizes.keys()).sort((a, b) => sizes[b] - sizes[a] || b - a);
  const rowsOfFold = new Float64Array(folds);
  const foldOfGroup = new Int32Array(sizes.length);
  for (const group of largestFirst) {
    const lightest = rowsOfFold.indexOf(Math.min(...rowsOfFold));
    rowsOfFold[lightest] += sizes[group];
    foldOfGroup[group] = lightest;
  }
  return foldOfGroup;
}

/** Each fold tests the rows assigned to it and trains on all others. */
export function foldsOf(assignment: FoldAssignment, folds: number): Fold[] {
  const sizes = new Uint32Array(folds);
  for (const fold of assignment) sizes[fold] += 1;
  return Array.from(sizes, (size, fold) => {
    const test = new Uint32Array(size);
    const train = new Uint32Array(assignment.length - size);
    let [tested, trained] = [0, 0];
    for (let row = 0; row < assignment.length; row++) {
      if (assignment[row] === fold) test[tested++] = row;
      else train[trained++] = row;
    }
    return { train, test };
  });
}

function requireFolds(folds: number, available: number, what: "rows" | "groups"): void {
  if (!Number.isInteger(folds) || folds < 2) {
    throw trainErrors.TRAIN_PARAMETER_INVALID(`there must be 2 folds or more, not ${folds}`);
  }
  if (folds > available) throw trainErrors.TRAIN_TOO_FEW_ROWS(`${available} ${what} cannot make ${folds} folds`);
}
