import type { Cells, Histogram } from "./cells.ts";

/** Rows of a tree in the order that its nodes hold them; position i of every array belongs together. */
export interface Sample {
  readonly rows: Uint32Array;
  /** Times the row was drawn x its weight. */
  readonly weights: Float64Array;
  /** Class index; or the value, as a whole number (see `variance`). */
  readonly targets: Float64Array;
}

/** The best place found to cut a column's cells in two. */
export interface Cut {
  /** What both children explain together; comparable between columns of one node. */
  score: number;
  /** Cells 0 … `last` go left; -1 where no cut is allowed. */
  last: number;
  missingLeft: boolean;
}

/**
 * How splits are judged, by statistics that add up over rows. All criteria are maximised in the form "sum over both children",
 * which orders a node's splits as the decrease of impurity does.
 */
export interface Criterion {
  /** Statistics a bin. */
  readonly size: number;
  addRows(sample: Sample, start: number, end: number, bins: Uint8Array, histogram: Histogram): void;
  /** Statistics of a node, and whether its rows are all of one target. */
  summarize(
    sample: Sample,
    start: number,
    end: number,
    total: Float64Array,
  ): { readonly weight: number; readonly isPure: boolean };
  /** What a node explains unsplit. */
  score(total: Float64Array): number;
  /**
   * The best of the cuts after cells `first` … `last`, with missing values on either side (a cut after the last cell parts them
   * from the rest). Both children must weigh `minWeight` and more than nothing.
   */
  bestCut(cells: Cells, total: Float64Array, first: number, last: number, minWeight: number, cut: Cut): void;
  /** By which categories are put in order, so that the best sets of them are found among the cuts of that order. */
  categoryKeys(cells: Cells, keys: Float64Array): void;
}
