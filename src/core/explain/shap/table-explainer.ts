import {
  BLOCK,
  createKernelMemory,
  createKernelRanker,
  createPlainRanker,
  groupTrees,
  type Kernel,
  type KernelMemory,
  loadKernel,
  type Matrix,
  type MemoryPlan,
  placeRanks,
  planMemory,
  type RankedSplits,
  type RankPlace,
  type RowRanker,
  rankSplits,
  startKernel,
  type Tree,
  writeRankTables,
} from "../../training/index.ts";
import type { LeafPath } from "./leaf-paths.ts";
import { fillTable, tableSize, type Unit } from "./pattern-tables.ts";

const UNIT_BYTES = 24;
const CONDITION_BYTES = 8;
/** Rows that the kernel takes at a time. */
const ROWS = 64;
const BIAS = 128;

/** A tree that is explained by tables. */
export interface TabledTree {
  readonly tree: Tree;
  readonly output: number;
  readonly units: readonly Unit[];
}

interface PlacedUnit {
  readonly unit: Unit;
  readonly tree: Tree;
  /** Position in the group. */
  readonly t: number;
  readonly output: number;
  readonly conditions: number;
  readonly columns: number;
  readonly table: number;
}

interface PlacedGroup {
  readonly splits: RankedSplits;
  readonly ranks: RankPlace;
  readonly units: readonly PlacedUnit[];
  readonly records: number;
}

export interface TableExplainer {
  /** Adds the trees' SHAP values to `phi`: rows x outputs x columns, row by row. */
  addTo(phi: Float64Array, matrix: Matrix): void;
}

/** Kernels of ranks and of tables; where one is missing, plain TypeScript gives the same figures, to the last bit. */
export interface ShapKernels {
  readonly score: Kernel;
  readonly shap: Kernel;
}

export const shapKernels = (): ShapKernels => ({
  score: loadKernel(new URL("../../training/kernels/score.wasm", import.meta.url)),
  shap: loadKernel(new URL("../../training/kernels/shap.wasm", import.meta.url)),
});

/**
 * Fills the tables of all units and explains matrices with them, block by block.
 * @param columns of the matrix
 * @param leafTable see `fillTable`
 */
export function createTableExplainer(
  trees: readonly TabledTree[],
  outputs: number,
  columns: number,
  leafTable: (tree: Tree, leaf: LeafPath) => Float64Array,
  kernels: ShapKernels,
): TableExplainer {
  const plan = planMemory();
  const groups = placeGroups(plan, trees);
  const width = outputs * columns;
  const sumsAt = plan.place(8 * BLOCK * width);
  const patternsAt = plan.place(2 * ROWS);
  const memory = createKernelMemory(plan.bytes);
  for (const group of groups) writeGroup(memory, group, columns, leafTable);
  const sums = new Float64Array(memory.buffer, sumsAt, BLOCK * width);
  const workers = groups.map((group) => createGroupWorker(group, memory, kernels, { columns, sumsAt, patternsAt }));

  return {
    addTo(phi, matrix) {
      for (let from = 0; from < matrix.rows; from += BLOCK) {
        const inBlock = Math.min(BLOCK, matrix.rows - from);
        sums.fill(0);
        for (const work of workers) work(matrix.columns, from, inBlock);
        for (let at = 0; at < width; at++) {
          for (let row = 0; row < inBlock; row++) phi[(from + row) * width + at] += sums[at * BLOCK + row];
        }
      }
    },
  };
}

function placeGroups(plan: MemoryPlan, trees: readonly TabledTree[]): PlacedGroup[] {
  let first = 0;
  return groupTrees(trees.map(({ tree }) => tree)).map((group) => {
    const members = trees.slice(first, first + group.length);
    first += group.length;
    const splits = rankSplits(group);
    const units = members.flatMap(({ tree, output, units: own }, t) =>
      own.map((unit) => ({
        unit,
        tree,
        t,
        output,
        conditions: plan.place(CONDITION_BYTES * unit.conditions.length),
        columns: plan.place(4 * unit.columns.length),
        table: plan.place(8 * tableSize(unit)),
      })),
    );
    return { splits, ranks: placeRanks(plan, splits), units, records: plan.place(UNIT_BYTES * units.length) };
  });
}

function writeGroup(
  memory: KernelMemory,
  group: PlacedGroup,
  columns: number,
  leafTable: (tree: Tree, leaf: LeafPath) => Float64Array,
): void {
  writeRankTables(memory, group.splits, group.ranks);
  group.units.forEach((placed, index) => {
    writeUnit(memory, group, placed, group.records + UNIT_BYTES * index, columns);
    const table = new Float64Array(memory.buffer, placed.table, tableSize(placed.unit));
    fillTable(placed.unit, (leaf) => leafTable(placed.tree, leaf), table);
  });
}

interface Sums {
  readonly columns: number;
  readonly sumsAt: number;
  readonly patternsAt: number;
}

function createGroupWorker(group: PlacedGroup, memory: KernelMemory, { score, shap }: ShapKernels, at: Sums): RowRanker {
  const { splits, ranks, units, records } = group;
  if (score.available && shap.available) {
    const rank = createKernelRanker(startKernel(score.module, memory), memory, splits, ranks);
    const addUnits = startKernel(shap.module, memory)("addUnits");
    return (columns, first, rows) => {
      rank(columns, first, rows);
      addUnits(records, units.length, ranks.ranks, Math.ceil(rows / ROWS) * ROWS, at.sumsAt, at.patternsAt);
    };
  }
  const rank = createPlainRanker(memory, splits, ranks);
  const addUnit = createPlainAdder(group, memory, at);
  return (columns, first, rows) => {
    rank(columns, first, rows);
    for (const unit of units) addUnit(unit, rows);
  };
}

/** What the kernel `addUnits` does, without it. */
function createPlainAdder({ splits, ranks }: PlacedGroup, { buffer }: KernelMemory, { columns, sumsAt }: Sums) {
  const slots = new Int8Array(buffer, ranks.ranks, splits.slots * BLOCK);
  const sums = new Float64Array(buffer, sumsAt);
  return ({ unit, t, output, table }: PlacedUnit, rows: number): void => {
    const width = unit.columns.length;
    const values = new Float64Array(buffer, table, tableSize(unit));
    for (let row = 0; row < rows; row++) {
      let pattern = 0;
      for (const { node, right, bit } of unit.conditions) {
        const goesRight = slots[splits.slotOf[t][node] * BLOCK + row] > splits.rankOf[t][node] - BIAS;
        if (goesRight === right) pattern |= 1 << bit;
      }
      for (let j = 0; j < width; j++) sums[(output * columns + unit.columns[j]) * BLOCK + row] += values[pattern * width + j];
    }
  };
}

function writeUnit({ buffer }: KernelMemory, { splits }: PlacedGroup, placed: PlacedUnit, record: number, columns: number): void {
  const { unit, t, output } = placed;
  const view = new DataView(buffer);
  const low = unit.conditions.filter(({ bit }) => bit < 8);
  const high = unit.conditions.filter(({ bit }) => bit >= 8);
  [...low, ...high].forEach(({ node, right, bit }, index) => {
    const at = placed.conditions + CONDITION_BYTES * index;
    view.setUint32(at, splits.slotOf[t][node] * BLOCK, true);
    view.setInt8(at + 4, splits.rankOf[t][node] - BIAS);
    view.setUint8(at + 5, right ? 0 : 255);
    view.setUint8(at + 6, 1 << (bit % 8));
  });
  const middle = placed.conditions + CONDITION_BYTES * low.length;
  const end = middle + CONDITION_BYTES * high.length;
  const columnsEnd = placed.columns + 4 * unit.columns.length;
  [placed.conditions, middle, end, placed.columns, columnsEnd, placed.table].forEach((word, index) => {
    view.setUint32(record + 4 * index, word, true);
  });
  unit.columns.forEach((column, index) => {
    view.setUint32(placed.columns + 4 * index, 8 * BLOCK * (output * columns + column), true);
  });
}
