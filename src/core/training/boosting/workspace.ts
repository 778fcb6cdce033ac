import { type KernelMemory, type MemoryPlan, planMemory } from "../kernels/kernel-memory.ts";
import type { BoostedRows } from "./objective.ts";

/** Rows whose gradients are computed at a time: they stay in the nearest memory until their records are made. */
export const PAIR_BLOCK = 1_024;
/** Numbers in the leaf table for each leaf: start, end, riders' start, riders' end, value. */
export const LEAF_FIELDS = 5;
/** Most arguments of a task. */
const TASK_ARGUMENTS = 16;

/** Neighbouring columns whose cells 16 bits can number. */
export interface ColumnGroup {
  readonly first: number;
  readonly columns: number;
  /** Of its first column. */
  readonly firstCell: number;
}

const MOST_CELLS = 2 ** 16;

/** @param cells by column */
export function groupColumns(cells: readonly number[]): readonly ColumnGroup[] {
  const groups: ColumnGroup[] = [];
  let group: ColumnGroup = { first: 0, columns: 0, firstCell: 0 };
  let cell = 0;
  cells.forEach((own, column) => {
    if (cell + own - group.firstCell > MOST_CELLS) {
      groups.push(group);
      group = { first: column, columns: 0, firstCell: cell };
    }
    group = { ...group, columns: group.columns + 1 };
    cell += own;
  });
  return [...groups, group];
}

/** Sizes from which the memory of one training follows. */
export interface WorkspaceShape {
  /** Rows that are trained on. */
  readonly rows: number;
  /** These, and validation rows after them. */
  readonly allRows: number;
  readonly columns: number;
  readonly outputs: number;
  readonly weighted: boolean;
  /** Of all columns together: bins of values, and one a column for missing ones. */
  readonly cells: number;
  readonly groups: readonly ColumnGroup[];
  readonly leaves: number;
  readonly threads: number;
  readonly cellBytes: number;
}

/** Where everything stands in the memory that threads share; plain numbers, so that another thread can be told. */
export interface Workspace extends WorkspaceShape {
  readonly bytes: number;
  /** Bins, column after column, of all rows. */
  readonly bins: number;
  /**
   * Of each training row its record, and behind it, as 16-bit numbers, the cell of each column: what is read together stands together, and
   * nothing has to be computed to find a cell.
   */
  readonly rowsAt: number;
  /** What a row takes there: whole doubles. */
  readonly rowBytes: number;
  /** Of all rows, output after output. */
  readonly scores: number;
  readonly targets: number;
  /** 0 where rows have no weights. */
  readonly weights: number;
  readonly shared: number;
  /** Rows in the order of the leaves that hold them: first those that the tree grows on, then those that only ride along. */
  readonly index: number;
  readonly rightRows: number;
  /** The index that a round's trees start from. */
  readonly order: number;
  /** A column's first cell. */
  readonly offsets: number;
  /** As many histograms as there are leaves. */
  readonly histograms: number;
  /** One histogram and one block of pairs for each thread. */
  readonly threadHistograms: number;
  readonly pairs: number;
  readonly sums: number;
  readonly goesLeft: number;
  /** What a scan over columns of numbers is told and answers. */
  readonly candidates: number;
  readonly scanAnswer: number;
  readonly leafTable: number;
  /** Signals between threads, then what a task is told, then what parts answer. */
  readonly signals: number;
  readonly arguments: number;
  readonly answers: number;
}

export function planWorkspace(shape: WorkspaceShape): Workspace {
  const plan: MemoryPlan = planMemory();
  const { rows, allRows, columns, outputs, cells, cellBytes, threads, leaves } = shape;
  const rowBytes = 8 * Math.ceil((cellBytes + 2 * columns) / 8);
  const positions = {
    bins: plan.place(columns * allRows),
    rowsAt: plan.place(rowBytes * rows),
    scores: plan.place(8 * outputs * allRows),
    targets: plan.place(8 * rows),
    weights: shape.weighted ? plan.place(8 * rows) : 0,
    shared: plan.place(outputs > 1 ? 8 * rows : 0),
    index: plan.place(4 * allRows),
    rightRows: plan.place(4 * allRows),
    order: plan.place(4 * allRows),
    offsets: plan.place(4 * columns),
    histograms: plan.place(leaves * cells * cellBytes),
    threadHistograms: plan.place(threads * cells * cellBytes),
    pairs: plan.place(threads * PAIR_BLOCK * 16),
    sums: plan.place(24 * cells),
    goesLeft: plan.place(256),
    candidates: plan.place(8 * columns),
    scanAnswer: plan.place(24),
    leafTable: plan.place(8 * LEAF_FIELDS * leaves),
    signals: plan.place(4 * (2 + 2 * threads)),
    arguments: plan.place(8 * TASK_ARGUMENTS),
    answers: plan.place(8 * 2 * threads),
  };
  return { ...shape, ...positions, rowBytes, bytes: plan.bytes };
}

/** Typed arrays over the workspace's positions. */
export interface WorkspaceViews extends BoostedRows {
  readonly bytes: Uint8Array;
  readonly shorts: Uint16Array;
  readonly index: Uint32Array;
  readonly order: Uint32Array;
  readonly offsets: Uint32Array;
  readonly sums: Float64Array;
  readonly goesLeft: Uint8Array;
  readonly candidates: Uint32Array;
  readonly scanAnswer: Float64Array;
  readonly leafTable: Float64Array;
  readonly signals: Int32Array;
  readonly arguments: Float64Array;
  readonly answers: Float64Array;
}

export function viewWorkspace({ buffer }: KernelMemory, workspace: Workspace): WorkspaceViews {
  const { rows, allRows, columns, outputs, cells, leaves, threads } = workspace;
  const doubles = (position: number, length: number): Float64Array => new Float64Array(buffer, position, length);
  return {
    bytes: new Uint8Array(buffer),
    shorts: new Uint16Array(buffer),
    scores: Array.from({ length: outputs }, (_, output) => doubles(workspace.scores + 8 * output * allRows, allRows)),
    targets: doubles(workspace.targets, rows),
    weights: workspace.weights === 0 ? null : doubles(workspace.weights, rows),
    shared: doubles(workspace.shared, outputs > 1 ? rows : 0),
    index: new Uint32Array(buffer, workspace.index, allRows),
    order: new Uint32Array(buffer, workspace.order, allRows),
    offsets: new Uint32Array(buffer, workspace.offsets, columns),
    sums: doubles(workspace.sums, 3 * cells),
    goesLeft: new Uint8Array(buffer, workspace.goesLeft, 256),
    candidates: new Uint32Array(buffer, workspace.candidates, 2 * columns),
    scanAnswer: doubles(workspace.scanAnswer, 3),
    leafTable: doubles(workspace.leafTable, LEAF_FIELDS * leaves),
    signals: new Int32Array(buffer, workspace.signals, 2 + 2 * threads),
    arguments: doubles(workspace.arguments, TASK_ARGUMENTS),
    answers: doubles(workspace.answers, 2 * threads),
  };
}
