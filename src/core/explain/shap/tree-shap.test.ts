import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type RandomTreeOptions, randomColumns, randomTree } from "../../../../test/fixtures/random-trees.ts";
import { createTreesScorer, type RandomStream, seededRandom, type Tree, type TreesEstimator } from "../../training/index.ts";
import { createPathWalk } from "./path-walk.ts";
import { conditional, distance, shapleyValues } from "./shapley.fixture.ts";
import { shapKernels } from "./table-explainer.ts";
import { createTreeShap } from "./tree-shap.ts";

const none = { available: false, reason: "not wanted here" } as const;
/** From here on matrices are explained by tables. */
const ROWS = 200;

const estimatorOf = (trees: readonly Tree[], base = Float64Array.of(0.25)): TreesEstimator => ({
  kind: "trees",
  link: "identity",
  base,
  trees,
});

const rowOf = (columns: readonly Float64Array[], row: number): Float64Array =>
  Float64Array.from(columns, (column) => column[row]);

const shapes = fc.record({
  seed: fc.integer(),
  columns: fc.integer({ min: 1, max: 6 }),
  categoricalColumns: fc.integer({ min: 0, max: 2 }),
  splits: fc.integer({ min: 0, max: 40 }),
});

const forestOf = (random: RandomStream, options: RandomTreeOptions, trees: number, outputs: number): TreesEstimator =>
  estimatorOf(
    Array.from({ length: trees * outputs }, () => randomTree(random, options)),
    Float64Array.from({ length: outputs }, (_, k) => k - 0.5),
  );

describe("TreeSHAP, path-dependent", () => {
  it("equals Shapley values by their definition, over all sets of columns, to 1e-9", () => {
    fc.assert(
      fc.property(shapes, ({ seed, ...options }) => {
        const random = seededRandom(seed);
        const estimator = forestOf(random, options, 2, 1);
        const row = rowOf(randomColumns(random, 1, options), 0);
        const phi = new Float64Array(options.columns);
        createTreeShap(estimator, options.columns).explainRow(row, phi);
        const expected = shapleyValues(options.columns, (known) =>
          estimator.trees.reduce((sum, tree) => sum + conditional(tree, row, known), 0),
        );
        expect(distance(phi, expected)).toBeLessThan(1e-9);
      }),
      { numRuns: 100 },
    );
  });

  it("explains many rows by tables as it explains one by walking, to 1e-9, and without kernels to the last bit", () => {
    fc.assert(
      fc.property(shapes, fc.integer({ min: 1, max: 3 }), ({ seed, ...options }, outputs) => {
        const random = seededRandom(seed);
        const estimator = forestOf(random, options, 3, outputs);
        const columns = randomColumns(random, ROWS, options);
        const shap = createTreeShap(estimator, options.columns);
        const phi = shap.explainMatrix({ rows: ROWS, columns });
        const plain = createTreeShap(estimator, options.columns, { kernels: { score: none, shap: none } });
        expect(plain.explainMatrix({ rows: ROWS, columns })).toEqual(phi);
        const width = outputs * options.columns;
        const [one, plainOne] = [new Float64Array(width), new Float64Array(width)];
        for (let row = 0; row < ROWS; row += 7) {
          shap.explainRow(rowOf(columns, row), one);
          plain.explainRow(rowOf(columns, row), plainOne);
          expect(plainOne).toEqual(one);
          expect(distance(phi.subarray(row * width, (row + 1) * width), one)).toBeLessThan(1e-9);
        }
      }),
      { numRuns: 40 },
    );
  });

  it("adds up: base and SHAP values are the raw output, to 1e-9", () => {
    fc.assert(
      fc.property(
        fc.record({ seed: fc.integer(), columns: fc.integer({ min: 1, max: 30 }), splits: fc.integer({ min: 0, max: 120 }) }),
        fc.integer({ min: 1, max: 3 }),
        ({ seed, ...options }, outputs) => {
          const random = seededRandom(seed);
          const estimator = forestOf(random, options, 4, outputs);
          const columns = randomColumns(random, ROWS, options);
          const shap = createTreeShap(estimator, options.columns);
          const phi = shap.explainMatrix({ rows: ROWS, columns });
          const raw = createTreesScorer(estimator).scoreMatrix({ rows: ROWS, columns });
          const sums = raw.map((_, i) => {
            const values = phi.subarray(i * options.columns, (i + 1) * options.columns);
            return values.reduce((sum, value) => sum + value, shap.base[i % outputs]);
          });
          expect(distance(sums, raw)).toBeLessThan(1e-9);
        },
      ),
      { numRuns: 40 },
    );
  });

  it("walks trees that tables cannot hold: too many columns on a path, too many leaves, no room left", () => {
    const chain = chainOf(40);
    const bushy = randomTree(seededRandom(4), { columns: 40, splits: 400, thresholds: 1_001 });
    const small = randomTree(seededRandom(5), { columns: 40, splits: 10 });
    const columns = randomColumns(seededRandom(6), ROWS, { columns: 40 });
    const estimator = estimatorOf([small, chain, bushy, small]);
    const phi = createTreeShap(estimator, 40).explainMatrix({ rows: ROWS, columns });
    const withoutRoom = createTreeShap(estimator, 40, { tableBytes: 0 }).explainMatrix({ rows: ROWS, columns });
    const plain = createTreeShap(estimator, 40, { kernels: { score: none, shap: none } });
    expect(plain.explainMatrix({ rows: ROWS, columns })).toEqual(phi);
    expect(distance(phi, withoutRoom)).toBeLessThan(1e-9);
    const raw = createTreesScorer(estimator).scoreMatrix({ rows: ROWS, columns });
    const { base } = createTreeShap(estimator, 40);
    const sums = raw.map((_, row) => phi.subarray(row * 40, (row + 1) * 40).reduce((sum, value) => sum + value, base[0]));
    expect(distance(sums, raw)).toBeLessThan(1e-9);
  });

  it("makes the factors of a forest that is too large to keep for some trees at a time, with the same result", () => {
    const random = seededRandom(12);
    const trees = Array.from({ length: 9 }, () => ({ tree: randomTree(random, { columns: 6, splits: 30 }), output: 0 }));
    const rows = Array.from({ length: 5 }, () => rowOf(randomColumns(random, 1, { columns: 6 }), 0));
    const size = { outputs: 1, columns: 6, distinct: 6 };
    const [kept, remade] = [new Float64Array(30), new Float64Array(30)];
    createPathWalk(trees, size, none)(rows, kept);
    createPathWalk(trees, size, none, 50_000)(rows, remade);
    expect(distance(kept, remade)).toBeLessThan(1e-12);
    expect(kept.every((value) => value !== 0)).toBe(true);
  });

  it("agrees with tables of more than eight outcomes a unit", () => {
    const estimator = estimatorOf([chainOf(11), chainOf(12)]);
    const columns = randomColumns(seededRandom(7), ROWS, { columns: 12, thresholds: 3 });
    expect(shapKernels().shap).toMatchObject({ available: true });
    const phi = createTreeShap(estimator, 12).explainMatrix({ rows: ROWS, columns });
    const walked = createTreeShap(estimator, 12, { tableBytes: 0 }).explainMatrix({ rows: ROWS, columns });
    expect(distance(phi, walked)).toBeLessThan(1e-9);
  });

  it("keeps weights apart from rows: twice the cover everywhere changes nothing", () => {
    const tree = randomTree(seededRandom(8), { columns: 5, splits: 20 });
    const doubled = { ...tree, cover: tree.cover.map((cover) => 2 * cover) };
    const row = rowOf(randomColumns(seededRandom(9), 1, { columns: 5 }), 0);
    const [a, b] = [new Float64Array(5), new Float64Array(5)];
    createTreeShap(estimatorOf([tree]), 5).explainRow(row, a);
    createTreeShap(estimatorOf([doubled]), 5).explainRow(row, b);
    expect(distance(a, b)).toBeLessThan(1e-12);
  });

  it("gives nothing to columns that no tree splits on", () => {
    const shap = createTreeShap(estimatorOf([stump([-1, 3], [30, 10])], Float64Array.of(0)), 3);
    const phi = new Float64Array(3);
    shap.explainRow(Float64Array.of(5, 1, 5), phi);
    // The mean output is (30 * -1 + 10 * 3) / 40 = 0 and the row gets 3.
    expect([...shap.base]).toEqual([0]);
    expect([phi[0], phi[2]]).toEqual([0, 0]);
    expect(phi[1]).toBeCloseTo(3, 12);
  });

  it("explains trees of a single leaf, and no trees, by the base alone", () => {
    const leaf = randomTree(seededRandom(1), { columns: 1, splits: 0 });
    const shap = createTreeShap(estimatorOf([leaf], Float64Array.of(1)), 1);
    expect(shap.base[0]).toBe(1 + leaf.value[0]);
    expect([...shap.explainMatrix({ rows: 1, columns: [Float64Array.of(1)] })]).toEqual([0]);
    const nothing = createTreeShap(estimatorOf([], Float64Array.of(1)), 2);
    const columns = [new Float64Array(ROWS), new Float64Array(ROWS)];
    expect(nothing.explainMatrix({ rows: ROWS, columns })).toEqual(new Float64Array(2 * ROWS));
    expect(nothing.explainMatrix({ rows: 0, columns: [new Float64Array(0), new Float64Array(0)] })).toHaveLength(0);
  });

  it("stays finite where the row takes a branch without training rows", () => {
    const shap = createTreeShap(estimatorOf([stump([1, 5], [20, 0])], Float64Array.of(0)), 2);
    const phi = new Float64Array(2);
    shap.explainRow(Float64Array.of(0, 2), phi);
    expect([shap.base[0], phi[0]]).toEqual([1, 0]);
    expect(phi[1]).toBeCloseTo(4, 12);
    shap.explainRow(Float64Array.of(0, -2), phi);
    expect([...phi]).toEqual([0, 0]);
    const columns = [new Float64Array(ROWS), new Float64Array(ROWS).fill(2)];
    expect(distance(shap.explainMatrix({ rows: ROWS, columns }).subarray(0, 2), [0, 4])).toBeLessThan(1e-12);
  });

  it.each([
    ["a cycle", { left: Int32Array.of(0, -1, -1) }, /twice/],
    ["a child out of range", { right: Int32Array.of(9, -1, -1) }, /node 9 of 3/],
    ["a column that is not there", { feature: Int32Array.of(4, -1, -1) }, /column 4 of 2/],
    ["no cover", { cover: Float64Array.of(0, 0, 0) }, /no cover/],
  ])("refuses a tree with %s", (_, damage, message) => {
    const tree = { ...stump([1, 2], [4, 6]), ...damage };
    expect(() => createTreeShap(estimatorOf([tree]), 2)).toThrow(message);
    expect(() => createTreeShap(estimatorOf([tree]), 2)).toThrow(expect.objectContaining({ code: "EXPLAIN_TREE_INVALID" }));
  });
});

/** Splits column 1 at 0. */
function stump([left, right]: readonly [number, number], [leftCover, rightCover]: readonly [number, number]): Tree {
  return {
    feature: Int32Array.of(1, -1, -1),
    threshold: Float64Array.of(0, 0, 0),
    left: Int32Array.of(1, -1, -1),
    right: Int32Array.of(2, -1, -1),
    missingLeft: Uint8Array.of(1, 0, 0),
    value: Float64Array.of(0, left, right),
    cover: Float64Array.of(leftCover + rightCover, leftCover, rightCover),
  };
}

/** One path that splits on `columns` columns, each with a leaf on its left. */
function chainOf(columns: number): Tree {
  const nodes = 2 * columns + 1;
  const split = (node: number): boolean => node % 2 === 0 && node < 2 * columns;
  return {
    feature: Int32Array.from({ length: nodes }, (_, node) => (split(node) ? node / 2 : -1)),
    threshold: new Float64Array(nodes),
    left: Int32Array.from({ length: nodes }, (_, node) => (split(node) ? node + 1 : 0)),
    right: Int32Array.from({ length: nodes }, (_, node) => (split(node) ? node + 2 : 0)),
    missingLeft: new Uint8Array(nodes),
    value: Float64Array.from({ length: nodes }, (_, node) => (split(node) ? 0 : Math.cos(node))),
    cover: Float64Array.from({ length: nodes }, (_, node) => (node % 2 === 0 ? 3 * (columns + 1) - node : 2)),
  };
}
