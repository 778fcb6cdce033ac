import type { Tree } from "../../training/index.ts";

export interface LeafPath {
  readonly node: number;
  /** One for each distinct column that the path from the root splits on. */
  readonly players: readonly Player[];
}

/** A column on the path to a leaf. */
export interface Player {
  readonly column: number;
  /** The path's branches at the splits on the column. */
  readonly steps: readonly Step[];
  /** Share of the training rows that take them, split by split. */
  readonly zero: number;
}

export interface Step {
  readonly node: number;
  readonly right: boolean;
}

export function leafPathsOf(tree: Tree): LeafPath[] {
  const leaves: LeafPath[] = [];
  const visit = (node: number, players: readonly Player[]): void => {
    if (tree.feature[node] < 0) {
      leaves.push({ node, players });
      return;
    }
    visit(tree.left[node], stepped(tree, players, node, false));
    visit(tree.right[node], stepped(tree, players, node, true));
  };
  visit(0, []);
  return leaves;
}

/** The players of a path that goes on from a node. */
export function stepped(tree: Tree, players: readonly Player[], node: number, right: boolean): Player[] {
  const column = tree.feature[node];
  const share = tree.cover[right ? tree.right[node] : tree.left[node]] / tree.cover[node];
  const known = players.find((player) => player.column === column);
  if (known === undefined) return [...players, { column, zero: share, steps: [{ node, right }] }];
  const longer = { ...known, zero: known.zero * share, steps: [...known.steps, { node, right }] };
  return players.map((player) => (player === known ? longer : player));
}
