import {
  createKernelMemory,
  goesLeft,
  type Kernel,
  type KernelMemory,
  type MemoryPlan,
  planMemory,
  startKernel,
  type Tree,
} from "../../training/index.ts";
import type { TreeWalk, WalkedTree } from "./column-shap.ts";
import { gaussLegendre } from "./quadrature.ts";

const NODE_BYTES = 24;
/** Whether the row strays above, here, or takes the branch. */
const STATES = 3;
const GROUP_BYTES = 256 * 2 ** 20;

/**
 * Path-dependent SHAP values of one row in one walk through trees of any size.
 *
 * On a path to a leaf with value v, let a column's zero fraction z be the share of rows that flow on when it is not known, and its one
 * fraction o (0 or 1) whether this row flows on when it is (Lundberg et al., Nature Machine Intelligence 2, 2020). Shapley's weight of
 * a set of s out of D - 1 columns is the integral of t^s (1 - t)^(D - 1 - s) over 0 … 1 (Owen, "Multilinear Extensions of Games",
 * 1972), so that the sum over all sets becomes one integral of a product over the other columns:
 *
 *     phi_j = v (o_j - z_j) ∫ ∏ k≠j (t o_k + (1 - t) z_k) dt
 *
 * The product is a polynomial of degree D - 1, for which Gauss-Legendre with D / 2 nodes is exact; all its factors and weights are
 * positive, so that nothing cancels. Products are built on the way down and leaves are summed on the way up; at each split the sum
 * below, times what the split's own column has in place of its factor, is what the column gains. Time is O(nodes x D) a row.
 *
 * @param distinct most columns on one path
 * @param kernel `shap.wasm`; where it is missing, plain TypeScript gives the same figures, to the last bit
 * @param groupBytes factors that are kept; of a larger forest they are made for some trees at a time, at each call
 */
export function createPathWalk(
  trees: readonly WalkedTree[],
  { outputs, columns, distinct }: { readonly outputs: number; readonly columns: number; readonly distinct: number },
  kernel: Kernel,
  groupBytes = GROUP_BYTES,
): TreeWalk {
  const bytesOf = ({ tree }: WalkedTree): number => tree.feature.length * (NODE_BYTES + 2 * STATES * 8 * pointsFor(distinct));
  const groups = groupBySize(trees, bytesOf, groupBytes);
  if (groups.length === 1) return createGroupWalk(groups[0], outputs, columns, kernel);
  return (rows, phi) => {
    for (const group of groups) createGroupWalk(group, outputs, columns, kernel)(rows, phi);
  };
}

function groupBySize<T>(all: readonly T[], sizeOf: (each: T) => number, most: number): T[][] {
  const groups: T[][] = [];
  let room = 0;
  for (const each of all) {
    const size = sizeOf(each);
    if (groups.length === 0 || size > room) {
      groups.push([]);
      room = most;
    }
    groups[groups.length - 1].push(each);
    room -= size;
  }
  return groups;
}

/** Nodes of the quadrature for so many columns on a path: an even number, because they are taken two at a time. */
const pointsFor = (distinct: number): number => 2 * Math.max(1, Math.ceil(distinct / 4));

function createGroupWalk(trees: readonly WalkedTree[], outputs: number, columns: number, kernel: Kernel): TreeWalk {
  const width = outputs * columns;
  const plan = planMemory();
  const paths = trees.map(({ tree, only }) => pathsOf(tree, only));
  const places = paths.map((each) => placePaths(plan, each));
  const work = placeWork(plan, paths, width);
  const memory = createKernelMemory(plan.bytes);
  paths.forEach((each, t) => {
    writePaths(memory, each, places[t], trees[t].output * columns);
  });
  const right = new Uint8Array(memory.buffer, work.right);
  const sums = new Float64Array(memory.buffer, work.phi, width);
  const walk = kernel.available ? startKernel(kernel.module, memory)("walkPaths") : createPlainWalk(memory);
  const rootProduct = new Float64Array(memory.buffer, work.products);
  // Every row comes by the root.
  new Uint8Array(memory.buffer, work.states, 1).fill(2);

  const { products, states } = work;
  const walkTree = (t: number, row: Float64Array): void => {
    const { tree, nodes, points } = paths[t];
    for (let i = 0; i < nodes.length; i++) {
      const { node } = nodes[i];
      const column = tree.feature[node];
      right[i] = column >= 0 && !goesLeft(tree, node, row[column]) ? 1 : 0;
    }
    rootProduct.fill(1, 0, points);
    walk(places[t].nodes, nodes.length, 8 * points, places[t].factors, work.right, states, products, work.sums, work.phi);
  };
  return (rows, phi) => {
    rows.forEach((row, i) => {
      sums.fill(0);
      for (let t = 0; t < paths.length; t++) walkTree(t, row);
      for (let at = 0; at < width; at++) phi[i * width + at] += sums[at];
    });
  };
}

/** The nodes to walk, parents first. */
interface Paths {
  readonly tree: Tree;
  readonly nodes: readonly PathNode[];
  /** Nodes of the quadrature. */
  readonly points: number;
}

/** A node with the branch that leads to it. */
interface PathNode {
  readonly node: number;
  /** Positions in the list: of the parent, and of the last node above whose branch splits the same column (0: none). */
  readonly parent: number;
  readonly before: number;
  readonly column: number;
  readonly isRight: boolean;
  /** The column's zero fraction, this branch included. */
  readonly zero: number;
}

function pathsOf(tree: Tree, only: Uint8Array | undefined): Paths {
  const nodes: PathNode[] = [{ node: 0, parent: 0, before: 0, column: 0, isRight: false, zero: 1 }];
  /** By column, the last node on the present path whose branch splits it. */
  const last = new Map<number, number>();
  let most = 0;
  const visit = (parent: number): void => {
    const { node } = nodes[parent];
    const column = tree.feature[node];
    if (column < 0) {
      most = Math.max(most, last.size);
      return;
    }
    const before = last.get(column);
    for (const isRight of [false, true]) {
      const child = isRight ? tree.right[node] : tree.left[node];
      if (only !== undefined && only[child] === 0) continue;
      const zero = ((before === undefined ? 1 : nodes[before].zero) * tree.cover[child]) / tree.cover[node];
      last.set(column, nodes.length);
      visit(nodes.push({ node: child, parent, before: before ?? 0, column, isRight, zero }) - 1);
    }
    if (before === undefined) last.delete(column);
    else last.set(column, before);
  };
  visit(0);
  return { tree, nodes, points: pointsFor(most) };
}

interface PathsPlace {
  readonly nodes: number;
  readonly factors: number;
}

function placePaths(plan: MemoryPlan, { nodes, points }: Paths): PathsPlace {
  return { nodes: plan.place(NODE_BYTES * nodes.length), factors: plan.place(2 * STATES * 8 * points * nodes.length) };
}

/** What all trees work in, one after the other. */
function placeWork(plan: MemoryPlan, paths: readonly Paths[], width: number) {
  const nodes = paths.reduce((most, each) => Math.max(most, each.nodes.length), 1);
  const vectors = paths.reduce((most, each) => Math.max(most, each.nodes.length * each.points), 2);
  return {
    right: plan.place(nodes),
    states: plan.place(nodes),
    products: plan.place(8 * vectors),
    sums: plan.place(8 * vectors),
    phi: plan.place(8 * width),
  };
}

function writePaths({ buffer }: KernelMemory, { tree, nodes, points }: Paths, place: PathsPlace, offset: number): void {
  const view = new DataView(buffer);
  const rule = gaussLegendre(points);
  nodes.forEach(({ node, parent, before, column, isRight, zero }, i) => {
    const record = place.nodes + NODE_BYTES * i;
    [parent, before, 8 * (offset + column), isRight ? 1 : 0].forEach((word, w) => {
      view.setUint32(record + 4 * w, word, true);
    });
    view.setFloat64(record + 16, tree.feature[node] < 0 ? tree.value[node] : 0, true);
    const zeroBefore = before === 0 ? 1 : nodes[before].zero;
    for (let state = 0; state < STATES; state++) {
      const oneBefore = state === 0 ? 0 : 1;
      const oneAfter = state === 2 ? 1 : 0;
      const factors = new Float64Array(buffer, place.factors + (2 * STATES * i + state) * 8 * points, points);
      const worths = new Float64Array(buffer, place.factors + (2 * STATES * i + STATES + state) * 8 * points, points);
      for (let q = 0; q < points; q++) {
        const t = rule.nodes[q];
        const factorBefore = t * oneBefore + (1 - t) * zeroBefore;
        const factorAfter = t * oneAfter + (1 - t) * zero;
        // Where neither the row nor any training row passes, there is nothing to share and nothing to divide by.
        factors[q] = factorBefore === 0 ? 0 : factorAfter / factorBefore;
        const shareBefore = factorBefore === 0 ? 0 : (oneBefore - zeroBefore) / factorBefore;
        const shareAfter = factorAfter === 0 ? 0 : (oneAfter - zero) / factorAfter;
        worths[q] = rule.weights[q] * (shareAfter - shareBefore);
      }
    }
  });
}

/** The kernel `walkPaths` without it: two sums side by side as there. */
function createPlainWalk({ buffer }: KernelMemory) {
  const bytes = new Uint8Array(buffer);
  const words = new Uint32Array(buffer);
  const numbers = new Float64Array(buffer);
  return (...places: readonly number[]): void => {
    const [nodesAt, count, size, factorsAt, rightAt, statesAt, productsAt, sumsAt, phiAt] = places;
    const points = size / 8;
    const [factors, products, sums] = [factorsAt / 8, productsAt / 8, sumsAt / 8];
    for (let node = 1; node < count; node++) {
      const record = (nodesAt + NODE_BYTES * node) / 4;
      const parent = words[record];
      const takes = bytes[rightAt + parent] === words[record + 3] ? 1 : 0;
      const state = bytes[statesAt + words[record + 1]] === 2 ? 1 + takes : 0;
      bytes[statesAt + node] = state;
      const factor = factors + (2 * STATES * node + state) * points;
      const value = numbers[record / 2 + 2];
      for (let q = 0; q < points; q++) {
        const product = numbers[products + parent * points + q] * numbers[factor + q];
        numbers[products + node * points + q] = product;
        numbers[sums + node * points + q] = value * product;
      }
    }
    for (let node = count - 1; node > 0; node--) {
      const record = (nodesAt + NODE_BYTES * node) / 4;
      const worth = factors + (2 * STATES * node + STATES + bytes[statesAt + node]) * points;
      const into = sums + words[record] * points;
      let [even, odd] = [0, 0];
      for (let q = 0; q < points; q += 2) {
        const [a, b] = [numbers[sums + node * points + q], numbers[sums + node * points + q + 1]];
        numbers[into + q] += a;
        numbers[into + q + 1] += b;
        even += a * numbers[worth + q];
        odd += b * numbers[worth + q + 1];
      }
      numbers[(phiAt + words[record + 2]) / 8] += even + odd;
    }
  };
}
