import { goesLeft, type Tree } from "../../training/index.ts";

/** Output of a tree when only the columns in `known` are known: other splits average both sides by cover. */
export function conditional(tree: Tree, row: ArrayLike<number>, known: ReadonlySet<number>, node = 0): number {
  const column = tree.feature[node];
  if (column < 0) return tree.value[node];
  const [left, right] = [tree.left[node], tree.right[node]];
  if (known.has(column)) return conditional(tree, row, known, goesLeft(tree, node, row[column]) ? left : right);
  const share = tree.cover[left] / tree.cover[node];
  return (
    (share > 0 ? share * conditional(tree, row, known, left) : 0) +
    (share < 1 ? (1 - share) * conditional(tree, row, known, right) : 0)
  );
}

const factorial = (n: number): number => (n <= 1 ? 1 : n * factorial(n - 1));

/** Sets of players as bit sets, with each player's membership. */
const members = (set: number, players: number): Set<number> =>
  new Set(Array.from({ length: players }, (_, player) => player).filter((player) => (set >> player) & 1));

/** Shapley values of a game by their definition: over all sets of the others. */
export function shapleyValues(players: number, value: (known: ReadonlySet<number>) => number): number[] {
  const values = Array.from({ length: 2 ** players }, (_, set) => value(members(set, players)));
  return Array.from({ length: players }, (_, player) => {
    let phi = 0;
    for (let set = 0; set < values.length; set++) {
      if ((set >> player) & 1) continue;
      const size = members(set, players).size;
      const weight = (factorial(size) * factorial(players - size - 1)) / factorial(players);
      phi += weight * (values[set | (1 << player)] - values[set]);
    }
    return phi;
  });
}

/** SHAP interaction values by their definition (Lundberg et al. 2020, equations 8 to 10), players x players. */
export function interactionValues(players: number, value: (known: ReadonlySet<number>) => number): number[] {
  const values = Array.from({ length: 2 ** players }, (_, set) => value(members(set, players)));
  const phi = shapleyValues(players, value);
  const result = new Array<number>(players * players).fill(0);
  for (let i = 0; i < players; i++) {
    for (let j = 0; j < players; j++) {
      if (i === j) continue;
      for (let set = 0; set < values.length; set++) {
        if ((set >> i) & 1 || (set >> j) & 1) continue;
        const size = members(set, players).size;
        const weight = (factorial(size) * factorial(players - size - 2)) / (2 * factorial(players - 1));
        const [both, onlyI, onlyJ] = [set | (1 << i) | (1 << j), set | (1 << i), set | (1 << j)];
        result[i * players + j] += weight * (values[both] - values[onlyI] - values[onlyJ] + values[set]);
      }
    }
    result[i * players + i] = phi[i] - result.slice(i * players, (i + 1) * players).reduce((sum, each) => sum + each, 0);
  }
  return result;
}

/** Greatest distance between two lists of numbers. */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let most = 0;
  for (let i = 0; i < a.length; i++)
    most = Math.max(most, Number.isNaN(a[i] - b[i]) ? Number.POSITIVE_INFINITY : Math.abs(a[i] - b[i]));
  return most;
}
