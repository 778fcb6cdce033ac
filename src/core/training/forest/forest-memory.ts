import { trainErrors } from "../errors.ts";
import type { Matrix } from "../matrix.ts";
import type { ForestParams } from "./forest-params.ts";
import { NODE_BYTES, OUTPUT_BYTES } from "./node-store.ts";

export interface ForestMemory {
  /** Counts a grown tree, and refuses when the `remaining` ones, as large as the largest so far, would not fit. */
  addTree(bytes: number, remaining: number): void;
}

/** Row, weight and target in a tree's sample and in its scratch copy, and the target once more. */
const ROW_BYTES = 2 * (4 + 8 + 8) + 8;

/**
 * Estimates what a forest takes before anything is allocated: binned columns, histograms, the rows' order, and the first tree at
 * its largest. How large trees become is known after the first one.
 *
 * @throws TRAIN_MEMORY_WOULD_NOT_SUFFICE, TRAIN_PARAMETER_INVALID for a limit that is no number above 0
 */
export function forestMemory(
  { rows, columns }: Matrix,
  { maxLeaves, maxDepth, minLeafRows }: ForestParams,
  classes: number,
  limit = process.availableMemory(),
): ForestMemory {
  if (!(limit > 0)) throw trainErrors.TRAIN_PARAMETER_INVALID(`forest: memoryLimit is ${limit}, not a number of bytes above 0`);
  const histograms = 2 * 256 * 8 * Math.max(2, classes);
  const working = rows * (columns.length + ROW_BYTES) + histograms;
  const leaves = Math.min(rows / Math.max(1, minLeafRows), maxLeaves || rows, maxDepth === 0 ? rows : 2 ** maxDepth);
  const largestTree = 2 * leaves * (NODE_BYTES + OUTPUT_BYTES * Math.max(1, classes));
  refuseAbove(limit, working + largestTree, `${rows} rows x ${columns.length} columns`);
  let grown = 0;
  let largest = 0;
  let trees = 0;
  return {
    addTree(bytes, remaining) {
      grown += bytes;
      largest = Math.max(largest, bytes);
      trees++;
      refuseAbove(limit, working + grown + remaining * largest, `${trees + remaining} trees of ${megabytes(largest)} each`);
    },
  };
}

function refuseAbove(limit: number, bytes: number, what: string): void {
  if (bytes <= limit) return;
  throw trainErrors.TRAIN_MEMORY_WOULD_NOT_SUFFICE(
    `a forest of ${what} takes ${megabytes(bytes)}; there are ${megabytes(limit)}`,
    {
      details: { bytes, limit },
      hint: "Raise minLeafRows, set maxDepth or maxLeaves, grow fewer trees, or train on fewer rows.",
    },
  );
}

const megabytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20)} MB`;
