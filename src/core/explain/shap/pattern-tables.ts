import type { Tree } from "../../training/index.ts";

/**
 * A unit is a part of a tree (a subtree, often of several leaves) whose SHAP values depend on a few yes-or-no outcomes: for each
 * column that the path to it split on, whether the row strays from the path there, and for each split inside, whether the row goes
 * right. All values of a unit stand in a table by the pattern of these outcomes, so that explaining a row means finding a row of
 * each table and adding it up. (Yang, "Fast TreeSHAP", 2021, has such tables for single leaves.)
 */
export interface Unit {
  /** Pattern bit by position; a bit is set where any of its conditions holds. */
  readonly conditions: readonly Condition[];
  readonly bits: number;
  /** Columns that the unit's leaves depend on, in the table's order. */
  readonly columns: readonly number[];
  readonly leaves: readonly UnitLeaf[];
}

/** Holds for a row that goes right at the node, or that does not. */
export interface Condition {
  readonly node: number;
  readonly right: boolean;
  readonly bit: number;
}

export interface UnitLeaf {
  readonly node: number;
  /** One for each distinct column of the path from the root. */
  readonly players: readonly Player[];
}

/** A column on the path to a leaf. The row takes the path's branches there when `(pattern & mask) === wanted`. */
export interface Player {
  readonly column: number;
  readonly mask: number;
  readonly wanted: number;
  /** Share of the training rows that take the path's branches, split by split. */
  readonly zero: number;
  readonly steps: readonly Step[];
}

export interface Step {
  readonly node: number;
  readonly right: boolean;
}

/** Subtrees are joined into one unit up to so many outcomes. */
const JOINED_BITS = 10;
/** A single leaf may depend on so many; its table has 2^12 rows. */
const MOST_BITS = 12;

/** The units of a tree; null where a leaf depends on more columns than a table can hold. */
export function unitsOf(tree: Tree): Unit[] | null {
  const inside = innerNodesBelow(tree);
  const units: Unit[] = [];
  const visit = (node: number, path: readonly Player[]): boolean => {
    const bits = path.length + inside[node];
    const isLeaf = tree.feature[node] < 0;
    if (bits <= JOINED_BITS || (isLeaf && bits <= MOST_BITS)) {
      units.push(unitAt(tree, node, path));
      return true;
    }
    if (isLeaf) return false;
    return visit(tree.left[node], stepped(tree, path, node, false)) && visit(tree.right[node], stepped(tree, path, node, true));
  };
  return visit(0, []) ? units : null;
}

/** Doubles in a unit's table. */
export const tableSize = ({ bits, columns }: Unit): number => columns.length * 2 ** bits;

/**
 * A unit's table, pattern by pattern.
 * @param leafTable SHAP values of one leaf by the set of its players that take its path (bit k for player k) and player
 */
export function fillTable(unit: Unit, leafTable: (leaf: UnitLeaf) => Float64Array, table: Float64Array): void {
  const width = unit.columns.length;
  const patterns = 2 ** unit.bits;
  for (const leaf of unit.leaves) {
    const { players } = leaf;
    const count = players.length;
    const values = leafTable(leaf);
    const masks = Int32Array.from(players, ({ mask }) => mask);
    const wanted = Int32Array.from(players, (player) => player.wanted);
    const places = Int32Array.from(players, ({ column }) => unit.columns.indexOf(column));
    for (let pattern = 0; pattern < patterns; pattern++) {
      let set = 0;
      for (let k = 0; k < count; k++) if ((pattern & masks[k]) === wanted[k]) set |= 1 << k;
      for (let k = 0; k < count; k++) table[pattern * width + places[k]] += values[set * count + k];
    }
  }
}

function innerNodesBelow(tree: Tree): Uint32Array {
  const counts = new Uint32Array(tree.feature.length);
  const count = (node: number): number => {
    if (tree.feature[node] >= 0) counts[node] = 1 + count(tree.left[node]) + count(tree.right[node]);
    return counts[node];
  };
  count(0);
  return counts;
}

/** The players of a path that goes on from a node; bits of the pattern are given when the unit is made. */
function stepped(tree: Tree, path: readonly Player[], node: number, right: boolean): Player[] {
  const column = tree.feature[node];
  const share = tree.cover[right ? tree.right[node] : tree.left[node]] / tree.cover[node];
  const known = path.find((player) => player.column === column);
  if (known === undefined) return [...path, { column, mask: 0, wanted: 0, zero: share, steps: [{ node, right }] }];
  const longer = { ...known, zero: known.zero * share, steps: [...known.steps, { node, right }] };
  return path.map((player) => (player === known ? longer : player));
}

function unitAt(tree: Tree, root: number, path: readonly Player[]): Unit {
  // Straying from the path at any of a column's splits sets the column's bit.
  const conditions: Condition[] = path.flatMap(({ steps }, bit) =>
    steps.map(({ node, right }) => ({ node, right: !right, bit })),
  );
  const leaves: UnitLeaf[] = [];
  let bits = path.length;
  const visit = (node: number, players: readonly Player[]): void => {
    if (tree.feature[node] < 0) {
      leaves.push({ node, players });
      return;
    }
    const bit = bits++;
    conditions.push({ node, right: true, bit });
    for (const right of [false, true]) {
      const next = stepped(tree, players, node, right).map((player) =>
        player.column === tree.feature[node]
          ? { ...player, mask: player.mask | (1 << bit), wanted: player.wanted | (right ? 1 << bit : 0) }
          : player,
      );
      visit(right ? tree.right[node] : tree.left[node], next);
    }
  };
  visit(
    root,
    path.map((player, bit) => ({ ...player, mask: 1 << bit })),
  );
  const columns = [...new Set(leaves.flatMap(({ players }) => players.map(({ column }) => column)))];
  return { conditions, bits, columns, leaves };
}
