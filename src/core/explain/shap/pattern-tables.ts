import type { Tree } from "../../training/index.ts";
import { type LeafPath, type Player, type Step, stepped } from "./leaf-paths.ts";

/**
 * A unit is a part of a tree (a subtree, often of several leaves) whose SHAP values depend on a few yes-or-no outcomes: for each
 * column that the path to it split on, whether the row strays from the path there, and for each split inside, whether the row goes
 * right. All values of a unit stand in a table by the pattern of these outcomes, so that explaining a row means finding a row of
 * each table and adding it up. (Yang, "Fast TreeSHAP", 2021, has such tables for single leaves.)
 */
export interface Unit {
  /** Pattern bit by position; a bit is set where any of its conditions holds. */
  readonly conditions: readonly Condition[];
  /** Low bits are the columns of the path, in the order of the leaves' first players; high bits the splits inside. */
  readonly pathBits: number;
  readonly insideBits: number;
  /** Columns that the unit's leaves depend on, in the table's order. */
  readonly columns: readonly number[];
  readonly leaves: readonly UnitLeaf[];
}

/** Inside the unit a row takes the branches of the leaf's player k when `(inside bits & masks[k]) === wanted[k]`. */
interface UnitLeaf {
  readonly path: LeafPath;
  readonly masks: Int32Array;
  readonly wanted: Int32Array;
}

/** Holds for a row that goes right at the node, or that does not. */
export interface Condition {
  readonly node: number;
  readonly right: boolean;
  readonly bit: number;
}

/** Outcomes of a unit: larger tables take longer to make and to find rows in than walking to their leaves does. */
const MOST_BITS = 10;

export interface UnitsOfTree {
  readonly units: readonly Unit[];
  /** Nodes (1) on the way to leaves that depend on more columns than a table can hold; null where there are none. */
  readonly rest: Uint8Array | null;
}

export function unitsOf(tree: Tree): UnitsOfTree {
  const inside = innerNodesBelow(tree);
  const units: Unit[] = [];
  const rest = new Uint8Array(tree.feature.length);
  const visit = (node: number, path: readonly Player[]): void => {
    if (path.length + inside[node] <= MOST_BITS) {
      units.push(unitAt(tree, node, path));
    } else if (tree.feature[node] < 0) {
      rest[node] = 1;
    } else {
      const [left, right] = [tree.left[node], tree.right[node]];
      visit(left, stepped(tree, path, node, false));
      visit(right, stepped(tree, path, node, true));
      rest[node] = rest[left] | rest[right];
    }
  };
  visit(0, []);
  return { units, rest: rest[0] === 1 ? rest : null };
}

/** Doubles in a unit's table. */
export const tableSize = ({ pathBits, insideBits, columns }: Unit): number => columns.length * 2 ** (pathBits + insideBits);

/**
 * A unit's table, pattern by pattern.
 * @param leafTable SHAP values of one leaf by the set of its players that stray (bit k for player k) and by player
 */
export function fillTable(unit: Unit, leafTable: (leaf: LeafPath) => Float64Array, table: Float64Array): void {
  const { pathBits, insideBits } = unit;
  const width = unit.columns.length;
  for (const { path, masks, wanted } of unit.leaves) {
    const values = leafTable(path);
    const count = masks.length;
    const places = Int32Array.from(path.players, ({ column }) => unit.columns.indexOf(column));
    for (let inside = 0; inside < 2 ** insideBits; inside++) {
      let strayInside = 0;
      for (let k = 0; k < count; k++) if ((inside & masks[k]) !== wanted[k]) strayInside |= 1 << k;
      for (let before = 0; before < 2 ** pathBits; before++) {
        const from = (before | strayInside) * count;
        const to = ((inside << pathBits) | before) * width;
        for (let k = 0; k < count; k++) table[to + places[k]] += values[from + k];
      }
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

function unitAt(tree: Tree, root: number, path: readonly Player[]): Unit {
  // Straying from the path at any of a column's splits sets the column's bit.
  const conditions: Condition[] = path.flatMap(({ steps }, bit) =>
    steps.map(({ node, right }) => ({ node, right: !right, bit })),
  );
  const bitOfNode = new Map<number, number>();
  const leaves: LeafPath[] = [];
  const visit = (node: number, players: readonly Player[]): void => {
    if (tree.feature[node] < 0) {
      leaves.push({ node, players });
      return;
    }
    const bit = bitOfNode.size;
    bitOfNode.set(node, bit);
    conditions.push({ node, right: true, bit: path.length + bit });
    visit(tree.left[node], stepped(tree, players, node, false));
    visit(tree.right[node], stepped(tree, players, node, true));
  };
  visit(root, path);
  return {
    conditions,
    pathBits: path.length,
    insideBits: bitOfNode.size,
    columns: [...new Set(leaves.flatMap(({ players }) => players.map(({ column }) => column)))],
    leaves: leaves.map((leaf) => unitLeaf(leaf, bitOfNode)),
  };
}

function unitLeaf(path: LeafPath, bitOfNode: ReadonlyMap<number, number>): UnitLeaf {
  const bitsOf = (steps: readonly Step[]): number =>
    steps.reduce((bits, { node }) => {
      const bit = bitOfNode.get(node);
      return bit === undefined ? bits : bits | (1 << bit);
    }, 0);
  return {
    path,
    masks: Int32Array.from(path.players, ({ steps }) => bitsOf(steps)),
    wanted: Int32Array.from(path.players, ({ steps }) => bitsOf(steps.filter(({ right }) => right))),
  };
}
