import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Tree } from "../../training/index.ts";
import { createTreeShap, treeOutput } from "./tree-shap.ts";

interface Shape {
  column: number;
  threshold: number;
  missingLeft: boolean;
  value: number;
  rows: number;
  left?: Shape;
  right?: Shape;
}

const shape = (columns: number, depth: number): fc.Arbitrary<Shape> => {
  const leaf = fc.record({
    column: fc.constant(-1),
    threshold: fc.constant(0),
    missingLeft: fc.constant(false),
    value: fc.double({ min: -2, max: 2, noNaN: true }),
    rows: fc.integer({ min: 1, max: 50 }),
  });
  if (depth === 0) return leaf;
  const inner = fc.record({
    column: fc.integer({ min: 0, max: columns - 1 }),
    threshold: fc.integer({ min: -2, max: 2 }),
    missingLeft: fc.boolean(),
    value: fc.constant(0),
    rows: fc.constant(0),
    left: shape(columns, depth - 1),
    right: shape(columns, depth - 1),
  });
  return fc.oneof({ weight: 1, arbitrary: leaf }, { weight: 4, arbitrary: inner });
};

/** Flat arrays in pre-order; a node's cover is the sum of its leaves' rows. */
function toTree(root: Shape): Tree {
  const nodes: {
    column: number;
    threshold: number;
    missingLeft: number;
    left: number;
    right: number;
    value: number;
    cover: number;
  }[] = [];
  const add = (s: Shape): number => {
    const node = {
      column: s.column,
      threshold: s.threshold,
      missingLeft: s.missingLeft ? 1 : 0,
      left: -1,
      right: -1,
      value: s.value,
      cover: s.rows,
    };
    const index = nodes.push(node) - 1;
    if (s.left && s.right) {
      node.left = add(s.left);
      node.right = add(s.right);
      node.cover = (nodes[node.left]?.cover ?? 0) + (nodes[node.right]?.cover ?? 0);
    }
    return index;
  };
  add(root);
  return {
    feature: Int32Array.from(nodes, (n) => n.column),
    threshold: Float64Array.from(nodes, (n) => n.threshold),
    left: Int32Array.from(nodes, (n) => n.left),
    right: Int32Array.from(nodes, (n) => n.right),
    missingLeft: Uint8Array.from(nodes, (n) => n.missingLeft),
    value: Float64Array.from(nodes, (n) => n.value),
    cover: Float64Array.from(nodes, (n) => n.cover),
  };
}

/** Output when only the columns in `known` (a bit set) are known: unknown splits average both sides by cover. */
function conditional(tree: Tree, row: Float64Array, known: number, node = 0): number {
  const column = tree.feature[node] ?? -1;
  if (column < 0) return tree.value[node] ?? 0;
  const left = tree.left[node] ?? 0;
  const right = tree.right[node] ?? 0;
  if (known & (1 << column)) {
    const value = row[column] ?? Number.NaN;
    const goesLeft = Number.isNaN(value) ? tree.missingLeft[node] === 1 : value <= (tree.threshold[node] ?? 0);
    return conditional(tree, row, known, goesLeft ? left : right);
  }
  const share = (tree.cover[left] ?? 0) / (tree.cover[node] ?? 1);
  return share * conditional(tree, row, known, left) + (1 - share) * conditional(tree, row, known, right);
}

const factorial = (n: number): number => (n <= 1 ? 1 : n * factorial(n - 1));
const bits = (set: number): number => (set === 0 ? 0 : (set & 1) + bits(set >> 1));

/** Shapley's formula over all subsets. */
function bruteForce(trees: readonly Tree[], row: Float64Array, columns: number): number[] {
  const value = (known: number) => trees.reduce((sum, tree) => sum + conditional(tree, row, known), 0);
  return Array.from({ length: columns }, (_, column) => {
    let phi = 0;
    for (let set = 0; set < 1 << columns; set++) {
      if (set & (1 << column)) continue;
      const size = bits(set);
      phi += ((factorial(size) * factorial(columns - size - 1)) / factorial(columns)) * (value(set | (1 << column)) - value(set));
    }
    return phi;
  });
}

const rowOf = (columns: number) =>
  fc
    .array(
      fc.oneof({ weight: 5, arbitrary: fc.integer({ min: -3, max: 3 }) }, { weight: 1, arbitrary: fc.constant(Number.NaN) }),
      {
        minLength: columns,
        maxLength: columns,
      },
    )
    .map((values) => Float64Array.from(values));

const leafTree = (value: number): Tree => toTree({ column: -1, threshold: 0, missingLeft: false, value, rows: 3 });

describe("TreeSHAP", () => {
  it("equals Shapley values by brute force over all subsets, to 1e-9", () => {
    const columns = 5;
    fc.assert(
      fc.property(fc.array(shape(columns, 6).map(toTree), { minLength: 1, maxLength: 3 }), rowOf(columns), (trees, row) => {
        const phi = new Float64Array(columns);
        createTreeShap(trees, columns).addTo(phi, row);
        const expected = bruteForce(trees, row, columns);
        for (let column = 0; column < columns; column++)
          expect(Math.abs((phi[column] ?? 0) - (expected[column] ?? 0))).toBeLessThan(1e-9);
      }),
      { numRuns: 150 },
    );
  });

  it("adds up: base and contributions are the output, to 1e-9", () => {
    const columns = 12;
    fc.assert(
      fc.property(fc.array(shape(columns, 7).map(toTree), { minLength: 1, maxLength: 10 }), rowOf(columns), (trees, row) => {
        const phi = new Float64Array(columns);
        const shap = createTreeShap(trees, columns);
        shap.addTo(phi, row);
        const output = trees.reduce((sum, tree) => sum + treeOutput(tree, row), 0);
        const sum = phi.reduce((a, b) => a + b, shap.base);
        expect(Math.abs(sum - output)).toBeLessThan(1e-9);
      }),
      { numRuns: 150 },
    );
  });

  it("gives nothing to columns that no tree splits on", () => {
    const tree = toTree({
      column: 1,
      threshold: 0,
      missingLeft: true,
      value: 0,
      rows: 0,
      left: { column: -1, threshold: 0, missingLeft: false, value: -1, rows: 30 },
      right: { column: -1, threshold: 0, missingLeft: false, value: 3, rows: 10 },
    });
    const shap = createTreeShap([tree], 3);
    const phi = new Float64Array(3);
    shap.addTo(phi, Float64Array.of(5, 1, 5));
    // The mean output is (30 * -1 + 10 * 3) / 40 = 0 and the row gets 3.
    expect(shap.base).toBe(0);
    expect([...phi]).toEqual([0, 3, 0]);
  });

  it("explains a tree that is a single leaf by its base alone", () => {
    const shap = createTreeShap([leafTree(0.7)], 1);
    const phi = new Float64Array(1);
    shap.addTo(phi, Float64Array.of(1));
    expect([shap.base, phi[0]]).toEqual([0.7, 0]);
  });

  it("stays finite where the row takes a branch without training rows", () => {
    const tree = toTree({
      column: 0,
      threshold: 0,
      missingLeft: false,
      value: 0,
      rows: 0,
      left: { column: -1, threshold: 0, missingLeft: false, value: 1, rows: 20 },
      right: { column: -1, threshold: 0, missingLeft: false, value: 5, rows: 0 },
    });
    const shap = createTreeShap([tree], 1);
    const phi = new Float64Array(1);
    shap.addTo(phi, Float64Array.of(2));
    expect([shap.base, phi[0]]).toEqual([1, 4]);
    phi.fill(0);
    shap.addTo(phi, Float64Array.of(-2));
    expect(phi[0]).toBe(0);
  });

  it.each([
    ["a cycle", { left: Int32Array.of(0, -1, -1) }, /twice/],
    ["a child out of range", { right: Int32Array.of(9, -1, -1) }, /node 9 of 3/],
    ["a column that is not there", { feature: Int32Array.of(4, -1, -1) }, /column 4 of 2/],
    ["no cover", { cover: Float64Array.of(0, 0, 0) }, /no cover/],
  ])("refuses a tree with %s", (_, damage, message) => {
    const tree: Tree = {
      feature: Int32Array.of(0, -1, -1),
      threshold: Float64Array.of(0, 0, 0),
      left: Int32Array.of(1, -1, -1),
      right: Int32Array.of(2, -1, -1),
      missingLeft: new Uint8Array(3),
      value: Float64Array.of(0, 1, 2),
      cover: Float64Array.of(10, 4, 6),
      ...damage,
    };
    expect(() => createTreeShap([tree], 2)).toThrow(message);
  });
});
