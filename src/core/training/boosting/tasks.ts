import type { BoostingKernel, RecordUnits } from "./boosting-kernel.ts";
import type { Objective } from "./objective.ts";
import { type ColumnGroup, LEAF_FIELDS, PAIR_BLOCK, type Workspace, type WorkspaceViews } from "./workspace.ts";

/** One part of the rows: `part` of `parts`, counted from 0. */
export interface Share {
  readonly part: number;
  readonly parts: number;
}

/** A task reads what it is told from the shared arguments, does its share, and leaves answers there. */
export type Task = (share: Share) => void;

/** By name, in the order by which threads call them. */
export const TASK_NAMES = ["layRowsOut", "beginRound", "recordRows", "fillHistogram", "splitNode", "addLeaves"] as const;
export type TaskName = (typeof TASK_NAMES)[number];

/** The first and the last (exclusive) of a share's positions between `start` and `end`. */
export function shareOf(start: number, end: number, { part, parts }: Share): readonly [number, number] {
  const size = end - start;
  return [start + Math.floor((size * part) / parts), start + Math.floor((size * (part + 1)) / parts)];
}

/** What each thread can do. Sums are exact, so that how rows are shared out cannot be seen in the result. */
export function createTasks(
  kernel: BoostingKernel,
  workspace: Workspace,
  views: WorkspaceViews,
  objective: Objective,
): Record<TaskName, Task> {
  const { rows, allRows, cells, cellBytes, groups, rowsAt, rowBytes } = workspace;
  const { bytes, shorts } = views;
  const histogramBytes = cells * cellBytes;

  const fill = (index: number, count: number, histogram: number) => {
    for (const { first, columns, firstCell } of groups) {
      const cellsAt = cellBytes + 2 * first;
      kernel.fillHistogram(rowsAt, rowBytes, cellsAt, columns, index, count, histogram + firstCell * cellBytes);
    }
  };
  /** The first part writes where the sum is wanted, the others beside it. */
  const ownHistogram = (target: number, { part }: Share) =>
    part === 0 ? target : workspace.threadHistograms + part * histogramBytes;

  /** A block of rows is written column by column while it is in the nearest memory. */
  function layBlockOut({ first, columns, firstCell }: ColumnGroup, start: number, end: number): void {
    for (let column = first; column < first + columns; column++) {
      const bins = workspace.bins + column * allRows;
      const offset = views.offsets[column] - firstCell;
      let at = (rowsAt + start * rowBytes + cellBytes) / 2 + column;
      for (let row = start; row < end; row++, at += rowBytes / 2) shorts[at] = offset + bytes[bins + row];
    }
  }

  return {
    layRowsOut(share) {
      const [from, to] = shareOf(0, rows, share);
      for (let start = from; start < to; start += PAIR_BLOCK) {
        for (const group of groups) layBlockOut(group, start, Math.min(to, start + PAIR_BLOCK));
      }
    },

    beginRound(share) {
      objective.beginRound?.(views, ...shareOf(0, rows, share));
    },

    // A histogram, where one is given, is filled while a block's records are in the nearest memory.
    recordRows(share) {
      const [output, gradient, hessian, weight, weightBits, histogram] = views.arguments;
      const units: RecordUnits = { gradient, hessian, weight, weightBits };
      const [from, to] = shareOf(0, rows, share);
      const pairs = workspace.pairs + share.part * PAIR_BLOCK * 16;
      const target = ownHistogram(histogram, share);
      if (histogram !== 0) kernel.clearBytes(target, histogramBytes);
      const pairNumbers = new Float64Array(bytes.buffer, pairs, 2 * PAIR_BLOCK);
      for (let start = from; start < to; start += PAIR_BLOCK) {
        const end = Math.min(to, start + PAIR_BLOCK);
        objective.writePairs(views, output, start, end, pairNumbers);
        const weights = workspace.weights === 0 ? 0 : workspace.weights + 8 * start;
        kernel.recordRows(pairs, end - start, units, weights, rowsAt + start * rowBytes, rowBytes);
        if (histogram !== 0) fill(workspace.index + 4 * start, end - start, target);
      }
    },

    fillHistogram(share) {
      const [start, end, histogram] = views.arguments;
      const [from, to] = shareOf(start, end, share);
      const target = ownHistogram(histogram, share);
      kernel.clearBytes(target, histogramBytes);
      fill(workspace.index + 4 * from, to - from, target);
    },

    splitNode(share) {
      const [start, end, ridersStart, ridersEnd, column, histogram, fillsLeft] = views.arguments;
      const bins = workspace.bins + column * allRows;
      const partition = (from: number, to: number) =>
        kernel.partitionRows(bins, workspace.index + 4 * from, to - from, workspace.goesLeft, workspace.rightRows + 4 * from);
      const [from, to] = shareOf(start, end, share);
      const left = partition(from, to);
      views.answers[2 * share.part] = left;
      views.answers[2 * share.part + 1] = partition(...shareOf(ridersStart, ridersEnd, share));
      if (histogram === 0) return;
      const target = ownHistogram(histogram, share);
      kernel.clearBytes(target, histogramBytes);
      if (fillsLeft === 1) fill(workspace.index + 4 * from, left, target);
      else fill(workspace.rightRows + 4 * from, to - from - left, target);
    },

    addLeaves(share) {
      const [output, leaves] = views.arguments;
      const scores = workspace.scores + 8 * output * allRows;
      const [from, to] = shareOf(0, allRows, share);
      const add = (start: number, end: number, value: number) => {
        const first = Math.max(start, from);
        const last = Math.min(end, to);
        if (first < last) kernel.addToScores(scores, workspace.index + 4 * first, last - first, value);
      };
      for (let leaf = 0; leaf < leaves; leaf++) {
        const [start, end, ridersStart, ridersEnd, value] = views.leafTable.subarray(
          LEAF_FIELDS * leaf,
          LEAF_FIELDS * (leaf + 1),
        );
        add(start, end, value);
        add(ridersStart, ridersEnd, value);
      }
    },
  };
}
