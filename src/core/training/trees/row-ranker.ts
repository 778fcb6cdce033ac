import type { KernelMemory, MemoryPlan } from "../kernels/kernel-memory.ts";
import type { KernelFunction } from "../kernels/load-kernel.ts";
import type { CategoryLookup, RankedColumn, RankedSplits } from "./ranked-splits.ts";

/** Rows that are ranked and scored together: their ranks stay in the nearest memory. A multiple of 64, as the kernels want it. */
export const BLOCK = 256;
const MISSING_RIGHT = 255;
/** Ranks are kept less 128, because machines compare signed bytes. */
const BIAS = 128;

/** Where a group's tables and one block's ranks stand in a kernel's memory. */
export interface RankPlace {
  /** BLOCK doubles: one column of the block. */
  readonly numbers: number;
  /** By column: its thresholds, filled up with infinity to one less than a power of two. */
  readonly thresholds: readonly number[];
  /** By lookup: its table, then a byte for codes past it, then one for missing codes. */
  readonly tables: readonly number[];
  /** BLOCK signed bytes a slot. */
  readonly ranks: number;
}

export function placeRanks(plan: MemoryPlan, splits: RankedSplits): RankPlace {
  return {
    numbers: plan.place(8 * BLOCK),
    thresholds: splits.columns.map((column) => plan.place(searchBytes(column))),
    tables: splits.lookups.map(({ goesRight }) => plan.place(goesRight.length + 2)),
    ranks: plan.place(splits.slots * BLOCK),
  };
}

/** Eight bytes a threshold and one more: a power of two. */
const searchBytes = ({ thresholds }: RankedColumn): number => 8 * 2 ** Math.ceil(Math.log2(thresholds.length + 1));

export function writeRankTables({ buffer }: KernelMemory, splits: RankedSplits, place: RankPlace): void {
  splits.columns.forEach((column, index) => {
    const padded = new Float64Array(buffer, place.thresholds[index], searchBytes(column) / 8).fill(Number.POSITIVE_INFINITY);
    padded.set(column.thresholds);
  });
  splits.lookups.forEach(({ goesRight, missingGoesRight }, index) => {
    const biased = (right: number): number => right - BIAS;
    const table = new Int8Array(buffer, place.tables[index], goesRight.length + 2);
    table.set(Int8Array.from(goesRight, biased));
    table.set([biased(1), biased(missingGoesRight)], goesRight.length);
  });
}

/** Ranks rows `first` … `first + rows - 1` of a column-major matrix; the rest of the block keeps what it held. */
export type RowRanker = (columns: readonly Float64Array[], first: number, rows: number) => void;

export function createKernelRanker(
  kernel: (name: string) => KernelFunction,
  { buffer }: KernelMemory,
  splits: RankedSplits,
  place: RankPlace,
): RowRanker {
  const rankColumn = kernel("rankColumn");
  const lookUpColumn = kernel("lookUpColumn");
  const numbers = new Float64Array(buffer, place.numbers, BLOCK);
  const slotAt = (slot: number): number => (slot < 0 ? 0 : place.ranks + slot * BLOCK);
  return (columns, first, rows) => {
    const wholeFours = (rows + 3) & ~3;
    splits.columns.forEach((ranked, index) => {
      numbers.set(columns[ranked.column].subarray(first, first + rows));
      const size = searchBytes(ranked);
      rankColumn(
        place.numbers,
        wholeFours,
        place.thresholds[index],
        size,
        slotAt(ranked.missingLeft),
        slotAt(ranked.missingRight),
      );
    });
    splits.lookups.forEach(({ column, slot, goesRight }, index) => {
      if (splits.lookups[index - 1]?.column !== column) numbers.set(columns[column].subarray(first, first + rows));
      lookUpColumn(place.numbers, rows, place.tables[index], goesRight.length, slotAt(slot));
    });
  };
}

/** The same ranks without a kernel. */
export function createPlainRanker({ buffer }: KernelMemory, splits: RankedSplits, place: RankPlace): RowRanker {
  const slotAt = (slot: number): Int8Array => new Int8Array(buffer, place.ranks + slot * BLOCK, slot < 0 ? 0 : BLOCK);
  return (columns, first, rows) => {
    for (const ranked of splits.columns) rankPlainly(ranked, columns[ranked.column], first, rows, slotAt);
    for (const lookup of splits.lookups) lookUpPlainly(lookup, columns[lookup.column], first, rows, slotAt(lookup.slot));
  };
}

function rankPlainly(
  { thresholds, missingLeft, missingRight }: RankedColumn,
  column: Float64Array,
  first: number,
  rows: number,
  slotAt: (slot: number) => Int8Array,
): void {
  const whenLeft = slotAt(missingLeft);
  const whenRight = slotAt(missingRight);
  for (let row = 0; row < rows; row++) {
    const x = column[first + row];
    const rank = countBelow(thresholds, x);
    whenLeft[row] = rank - BIAS;
    whenRight[row] = (Number.isNaN(x) ? MISSING_RIGHT : rank) - BIAS;
  }
}

function countBelow(thresholds: Float64Array, x: number): number {
  let low = 0;
  let high = thresholds.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (thresholds[middle] < x) low = middle + 1;
    else high = middle;
  }
  return low;
}

function lookUpPlainly(
  { goesRight, missingGoesRight }: CategoryLookup,
  column: Float64Array,
  first: number,
  rows: number,
  slot: Int8Array,
) {
  for (let row = 0; row < rows; row++) {
    const x = column[first + row];
    slot[row] = (Number.isNaN(x) ? missingGoesRight : (goesRight[Math.trunc(x)] ?? 1)) - BIAS;
  }
}
