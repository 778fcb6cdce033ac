import { describe, expect, it } from "vitest";
import type { Tree } from "../../model.ts";
import { scoreMatrix } from "../../score-estimator.ts";
import { type EnsembleNode, treesByTarget } from "./trees-by-target.ts";

const INPUT = { isRounded: true, columns: 2 };

const leaf = (value: number): EnsembleNode => ({
  mode: "LEAF",
  feature: -1,
  value: 0,
  whenTrue: -1,
  whenFalse: -1,
  missingIsTrue: false,
  members: [],
  weights: new Map([[0, value]]),
});

type Split = Pick<EnsembleNode, "mode" | "feature" | "value" | "whenTrue" | "whenFalse"> & Partial<EnsembleNode>;

const split = (node: Split): EnsembleNode => ({ ...leaf(0), weights: new Map(), ...node });

const equality = (value: number, whenTrue: number, whenFalse: number, more: Partial<EnsembleNode> = {}): EnsembleNode =>
  split({ mode: "BRANCH_EQ", feature: 0, value, whenTrue, whenFalse, ...more });

function onlyTree(nodes: readonly EnsembleNode[]): Tree {
  const [{ tree }, ...others] = treesByTarget({ nodes, roots: [0] }, 1, INPUT);
  expect(others).toEqual([]);
  return tree;
}

/** What the tree says of rows that have these values in column 0 and nothing in column 1. */
function scores(tree: Tree, values: readonly number[]): number[] {
  const columns = [Float64Array.from(values), new Float64Array(values.length)];
  const estimator = { kind: "trees", link: "identity", base: new Float64Array(1), trees: [tree] } as const;
  return Array.from(scoreMatrix(estimator, { rows: values.length, columns }));
}

const invalid = expect.objectContaining({ code: "TRAIN_ONNX_INVALID" });
const unsupported = expect.objectContaining({ code: "TRAIN_ONNX_UNSUPPORTED" });

describe("equalities that lead to one node", () => {
  it("are one split for the set of their codes", () => {
    const tree = onlyTree([equality(3, 3, 1), equality(40, 3, 2), equality(5, 3, 4), leaf(1), leaf(2)]);
    expect(tree.feature).toEqual(Int32Array.of(0, -1, -1));
    expect(tree.categorical?.words).toEqual(Uint32Array.of((1 << 3) | (1 << 5), 1 << 8));
    expect(scores(tree, [3, 5, 40, 4, 8, 0, Number.NaN])).toEqual([1, 1, 1, 2, 2, 2, 2]);
  });

  it("share a subtree that has a set of its own", () => {
    const tree = onlyTree([
      ...[equality(1, 2, 1), equality(2, 2, 6)],
      ...[equality(2, 4, 3, { feature: 1 }), equality(0, 4, 5, { feature: 1 })],
      ...[leaf(1), leaf(2), leaf(3)],
    ]);
    expect(tree.feature).toEqual(Int32Array.of(0, 1, -1, -1, -1));
    expect(scores(tree, [1, 2, 3])).toEqual([1, 1, 3]);
  });

  it("send a missing value where any of them does", () => {
    const nodes = [equality(3, 2, 1), equality(5, 2, 3, { missingIsTrue: true }), leaf(1), leaf(2)];
    expect(scores(onlyTree(nodes), [3, 5, 4, Number.NaN])).toEqual([1, 1, 2, 1]);
  });

  it("stay splits of their own where they lead to nodes of their own", () => {
    const tree = onlyTree([equality(3, 2, 1), equality(5, 3, 4), leaf(1), leaf(2), leaf(3)]);
    expect(tree.feature).toEqual(Int32Array.of(0, -1, 0, -1, -1));
    expect(scores(tree, [3, 5, 4])).toEqual([1, 2, 3]);
  });

  it("are refused where they ask different columns, which is no set", () => {
    const shared = 9;
    const chain = Array.from({ length: shared }, (_, index) => equality(1, shared, index + 1, { feature: index % 2 }));
    expect(() => onlyTree([...chain, equality(0, 10, 11), leaf(1), leaf(2)])).toThrow(invalid);
  });

  it("may be as many as there are codes", () => {
    const count = 100_000;
    const chain = Array.from({ length: count }, (_, code) => equality(code, count, code + 1));
    // The last one leads to the leaf after the shared one.
    chain[count - 1] = equality(count - 1, count, count + 1);
    const tree = onlyTree([...chain, leaf(1), leaf(2)]);
    expect(scores(tree, [0, count - 1, count])).toEqual([1, 1, 2]);
  });
});

describe("nodes that would be walked for ever, or copied more often than memory lasts", () => {
  it("are refused where they go in circles", () => {
    expect(() => onlyTree([equality(1, 2, 1), equality(2, 2, 0), leaf(1)])).toThrow(invalid);
    expect(() => onlyTree([equality(1, 1, 0), leaf(1)])).toThrow(invalid);
    expect(() => onlyTree([equality(1, 0, 1), leaf(1)])).toThrow(invalid);
  });

  it("are refused where each level leads to the next one twice", () => {
    const levels = Array.from({ length: 60 }, (_, level) =>
      split({ mode: "BRANCH_LEQ", feature: 0, value: 0, whenTrue: level + 1, whenFalse: level + 1 }),
    );
    expect(() => onlyTree([...levels, leaf(1)])).toThrow(invalid);
  });

  it("are refused where many trees begin within one long chain", () => {
    const count = 50_000;
    const chain = Array.from({ length: count }, (_, code) => equality(code, count, code + 1));
    const nodes = [...chain, leaf(1), leaf(2)];
    const roots = Array.from({ length: count }, (_, index) => index);
    expect(() => treesByTarget({ nodes, roots }, 1, INPUT)).toThrow(invalid);
  });

  it("are refused where their sets of codes are larger than memory", () => {
    // Each asks for the largest code, and leads to a leaf of its own.
    const count = 3_000;
    const chain = Array.from({ length: count }, (_, index) => equality(2 ** 20 - 1, count + index, index + 1));
    const leaves = Array.from({ length: count }, () => leaf(1));
    chain[count - 1] = equality(0, 2 * count - 1, 2 * count);
    expect(() => onlyTree([...chain, ...leaves, leaf(2)])).toThrow(unsupported);
  });
});
