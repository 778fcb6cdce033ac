import type { Tree } from "../model.ts";

/**
 * Most thresholds that a column may have in a group of trees: a rank, which is the number of thresholds below a value, then fits a
 * byte.
 */
export const MOST_THRESHOLDS = 255;
/** Keeps a block's ranks in the nearest memory; a tree that needs more by itself gets them. */
const MOST_SLOTS = 256;

/**
 * The splits of some trees as comparisons of bytes. A row is ranked once: a slot holds, of one column, how many of its thresholds are
 * below the row's value. A split on the i-th threshold then sends the row right exactly when the rank is above i, whatever doubles
 * the values and thresholds are. A split on categories has a slot of its own for its set, 0 for left and 1 for right, and i = 0.
 */
export interface RankedSplits {
  readonly slots: number;
  readonly columns: readonly RankedColumn[];
  readonly lookups: readonly CategoryLookup[];
  /** By tree and node; leaves have 0. */
  readonly slotOf: readonly Int32Array[];
  readonly rankOf: readonly Uint8Array[];
}

export interface RankedColumn {
  readonly column: number;
  /** Ascending and distinct, 1 to 255 of them. */
  readonly thresholds: Float64Array;
  /** Slot of the splits that send missing values left (their rank is 0), and of those that send them right (255); -1: none does. */
  readonly missingLeft: number;
  readonly missingRight: number;
}

export interface CategoryLookup {
  readonly column: number;
  readonly slot: number;
  /** 1 where a code goes right. Codes past the table go right. */
  readonly goesRight: Uint8Array;
  readonly missingGoesRight: 0 | 1;
}

/** Whether a tree has at most 255 thresholds a column, so that its splits can be ranked. Trees of at most 256 leaves do. */
export function hasRanks(tree: Tree): boolean {
  const thresholds = new Map<number, Set<number>>();
  for (const node of innerNodes(tree)) {
    if (isCategorical(tree, node)) continue;
    const ofColumn = thresholds.get(tree.feature[node]) ?? new Set();
    thresholds.set(tree.feature[node], ofColumn.add(tree.threshold[node]));
    if (ofColumn.size > MOST_THRESHOLDS) return false;
  }
  return true;
}

/**
 * Cuts trees, in their order, into the longest groups whose splits can be ranked together.
 * @param trees that have ranks
 */
export function groupTrees(trees: readonly Tree[]): Tree[][] {
  const groups: Tree[][] = [];
  let counts = createSplitCounts();
  for (const tree of trees) {
    if (groups.length === 0 || !counts.takes(tree)) {
      counts = createSplitCounts();
      counts.takes(tree);
      groups.push([]);
    }
    groups[groups.length - 1].push(tree);
  }
  return groups;
}

/** Adds a tree's splits to a group's, unless that makes too many. */
function createSplitCounts(): { takes(tree: Tree): boolean } {
  const thresholds = new Map<number, Set<number>>();
  const slots = new Set<string>();
  return {
    takes(tree) {
      let fits = true;
      for (const node of innerNodes(tree)) {
        slots.add(slotKey(tree, node));
        if (isCategorical(tree, node)) continue;
        const column = tree.feature[node];
        const ofColumn = thresholds.get(column) ?? new Set();
        thresholds.set(column, ofColumn.add(tree.threshold[node]));
        fits &&= ofColumn.size <= MOST_THRESHOLDS;
      }
      return fits && slots.size <= MOST_SLOTS;
    },
  };
}

/** @param trees one group of `groupTrees` */
export function rankSplits(trees: readonly Tree[]): RankedSplits {
  const thresholds = new Map<number, Set<number>>();
  const slots = new Map<string, number>();
  const lookups: CategoryLookup[] = [];
  const slotOf = trees.map((tree) => new Int32Array(tree.feature.length));
  trees.forEach((tree, t) => {
    for (const node of innerNodes(tree)) {
      const key = slotKey(tree, node);
      const column = tree.feature[node];
      let slot = slots.get(key);
      if (slot === undefined) {
        slot = slots.size;
        slots.set(key, slot);
        if (isCategorical(tree, node)) lookups.push({ column, slot, ...lookupOf(tree, node) });
      }
      slotOf[t][node] = slot;
      if (!isCategorical(tree, node)) thresholds.set(column, (thresholds.get(column) ?? new Set()).add(tree.threshold[node]));
    }
  });
  const columns = [...thresholds].map(([column, distinct]) => ({
    column,
    thresholds: Float64Array.from(distinct).sort(),
    missingLeft: slots.get(numberKey(column, 1)) ?? -1,
    missingRight: slots.get(numberKey(column, 0)) ?? -1,
  }));
  // Those of one column follow each other, so that its numbers are fetched once.
  lookups.sort((a, b) => a.column - b.column);
  return { slots: slots.size, columns, lookups, slotOf, rankOf: ranksOf(trees, columns) };
}

function ranksOf(trees: readonly Tree[], columns: readonly RankedColumn[]): Uint8Array[] {
  const ranks = new Map(
    columns.map(({ column, thresholds }) => [column, new Map(Array.from(thresholds, (threshold, rank) => [threshold, rank]))]),
  );
  return trees.map((tree) => {
    const rankOf = new Uint8Array(tree.feature.length);
    for (const node of innerNodes(tree)) {
      if (!isCategorical(tree, node)) rankOf[node] = ranks.get(tree.feature[node])?.get(tree.threshold[node]) ?? 0;
    }
    return rankOf;
  });
}

const numberKey = (column: number, missingLeft: number): string => `${column} ${missingLeft}`;

/** Splits with the same key share a slot. */
function slotKey(tree: Tree, node: number): string {
  const key = numberKey(tree.feature[node], tree.missingLeft[node]);
  return isCategorical(tree, node) ? `${key} ${setOf(tree, node).join(",")}` : key;
}

const isCategorical = ({ categorical }: Tree, node: number): boolean => categorical !== undefined && categorical.start[node] >= 0;

function setOf({ categorical }: Tree, node: number): Uint32Array {
  if (categorical === undefined) return new Uint32Array(0);
  const start = categorical.start[node];
  return categorical.words.subarray(start, start + categorical.length[node]);
}

function lookupOf(tree: Tree, node: number): Pick<CategoryLookup, "goesRight" | "missingGoesRight"> {
  const set = setOf(tree, node);
  return {
    goesRight: Uint8Array.from({ length: 32 * set.length }, (_, code) => 1 - ((set[code >> 5] >>> (code & 31)) & 1)),
    missingGoesRight: tree.missingLeft[node] === 1 ? 0 : 1,
  };
}

function* innerNodes({ feature }: Tree): Generator<number> {
  for (let node = 0; node < feature.length; node++) if (feature[node] >= 0) yield node;
}
