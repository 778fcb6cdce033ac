import type { BoostingKernel } from "./boosting-kernel.ts";
import type { Crew } from "./crew.ts";
import type { Split } from "./split.ts";
import { shareOf } from "./tasks.ts";
import type { Workspace, WorkspaceViews } from "./workspace.ts";

/** Where the rows of a node stand in the index. */
export interface RowRange {
  readonly start: number;
  readonly end: number;
  /** Rows that the tree does not grow on: left out of the round's sample, or for validation. */
  readonly ridersStart: number;
  readonly ridersEnd: number;
}

export interface SortGround {
  readonly kernel: BoostingKernel;
  readonly crew: Crew;
  readonly workspace: Workspace;
  readonly views: WorkspaceViews;
}

/**
 * Sorts a node's rows by the side they go to, in their old order; fills `histogram`, where it is not 0, from those on one side.
 * @returns where the left and the right rows stand
 */
export function sortRows(
  ground: SortGround,
  { start, end, ridersStart, ridersEnd }: RowRange,
  split: Split,
  histogram: number,
  fillsLeft: boolean,
): readonly [RowRange, RowRange] {
  ground.views.goesLeft.set(split.goesLeft);
  const told = [start, end, ridersStart, ridersEnd, split.column, histogram, fillsLeft ? 1 : 0];
  const parts = ground.crew.run("splitNode", end - start + ridersEnd - ridersStart, ...told);
  if (histogram !== 0) addParts(ground, histogram, parts);
  const middle = joinParts(ground, start, end, parts, 0);
  const ridersMiddle = joinParts(ground, ridersStart, ridersEnd, parts, 1);
  return [
    { start, end: middle, ridersStart, ridersEnd: ridersMiddle },
    { start: middle, end, ridersStart: ridersMiddle, ridersEnd },
  ];
}

/** Sums up what each part of a task has put into a histogram of its own. */
export function addParts({ kernel, workspace }: SortGround, histogram: number, parts: number): void {
  const { threadHistograms, cells, cellBytes } = workspace;
  for (let part = 1; part < parts; part++) kernel.addHistogram(histogram, threadHistograms + part * cells * cellBytes, cells);
}

/**
 * Each part has put its left rows first and copied its right rows aside; brings all left rows to the front and the right ones behind them.
 * @param answer which of a part's two answers says how many went left
 * @returns where the right rows begin
 */
function joinParts({ kernel, workspace, views }: SortGround, start: number, end: number, parts: number, answer: 0 | 1): number {
  const { index, rightRows } = workspace;
  const move = (source: number, from: number, at: number, rows: number) =>
    kernel.copyBytes(index + 4 * at, source + 4 * from, 4 * rows);
  let middle = start;
  for (let part = 0; part < parts; part++) {
    const [from] = shareOf(start, end, { part, parts });
    const left = views.answers[2 * part + answer];
    if (from !== middle) move(index, from, middle, left);
    middle += left;
  }
  let at = middle;
  for (let part = 0; part < parts; part++) {
    const [from, to] = shareOf(start, end, { part, parts });
    const right = to - from - views.answers[2 * part + answer];
    move(rightRows, from, at, right);
    at += right;
  }
  return middle;
}
