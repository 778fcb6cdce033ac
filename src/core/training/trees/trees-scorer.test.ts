import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomColumns, randomTree } from "../../../../test/fixtures/random-trees.ts";
import { loadKernel } from "../kernels/load-kernel.ts";
import type { Tree, TreesEstimator } from "../model.ts";
import { seededRandom } from "../random.ts";
import { goesLeft } from "./goes-left.ts";
import { createNodeWalk } from "./node-walk.ts";
import { groupTrees } from "./ranked-splits.ts";
import { createTreesScorer } from "./trees-scorer.ts";

const compiled = loadKernel(new URL("../kernels/score.wasm", import.meta.url));
const none = { available: false, reason: "not wanted here" } as const;

const forest = (trees: readonly Tree[], base = Float64Array.of(0.1)): TreesEstimator => ({
  kind: "trees",
  link: "identity",
  base,
  trees,
});

const leafTree = (value: number): Tree => ({
  feature: Int32Array.of(-1),
  threshold: Float64Array.of(0),
  left: Int32Array.of(0),
  right: Int32Array.of(0),
  missingLeft: Uint8Array.of(0),
  value: Float64Array.of(value),
  cover: Float64Array.of(1),
});

/** x <= threshold ? -1 : 1 */
const stump = (threshold: number, missingLeft = 0): Tree => ({
  feature: Int32Array.of(0, -1, -1),
  threshold: Float64Array.of(threshold, 0, 0),
  left: Int32Array.of(1, 0, 0),
  right: Int32Array.of(2, 0, 0),
  missingLeft: Uint8Array.of(missingLeft, 0, 0),
  value: Float64Array.of(0, -1, 1),
  cover: Float64Array.of(2, 1, 1),
});

/** One row at a time, by the definition of a tree. */
function bySteps({ base, trees }: TreesEstimator, columns: readonly Float64Array[], rows: number): Float64Array {
  const raw = new Float64Array(rows * base.length);
  for (let row = 0; row < rows; row++) {
    raw.set(base, row * base.length);
    trees.forEach((tree, t) => {
      let node = 0;
      while (tree.feature[node] >= 0) {
        node = goesLeft(tree, node, columns[tree.feature[node]][row]) ? tree.left[node] : tree.right[node];
      }
      raw[row * base.length + (t % base.length)] += tree.value[node];
    });
  }
  return raw;
}

/** The outputs of single rows. */
function rowByRow(estimator: TreesEstimator, columns: readonly Float64Array[], rows: number, kernel = compiled): Float64Array {
  const scorer = createTreesScorer(estimator, kernel);
  const outputs = estimator.base.length;
  const raw = new Float64Array(rows * outputs);
  for (let row = 0; row < rows; row++) {
    scorer.scoreRow(
      Float64Array.from(columns, (column) => column[row]),
      raw.subarray(row * outputs, (row + 1) * outputs),
    );
  }
  return raw;
}

describe("scoring trees", () => {
  it("has its kernel", () => {
    expect(compiled).toMatchObject({ available: true });
  });

  it("gives the same figures to the last bit in batch, row by row, and without a kernel", () => {
    fc.assert(
      fc.property(
        fc.record({
          seed: fc.integer(),
          columns: fc.integer({ min: 1, max: 7 }),
          categoricalColumns: fc.integer({ min: 0, max: 2 }),
          outputs: fc.integer({ min: 1, max: 3 }),
          rounds: fc.integer({ min: 0, max: 5 }),
          splits: fc.integer({ min: 0, max: 60 }),
          rows: fc.integer({ min: 0, max: 700 }),
        }),
        ({ seed, outputs, rounds, splits, rows, ...options }) => {
          const random = seededRandom(seed);
          const trees = Array.from({ length: rounds * outputs }, () => randomTree(random, { ...options, splits }));
          const estimator = forest(
            trees,
            Float64Array.from({ length: outputs }, (_, k) => k / 3),
          );
          const columns = randomColumns(random, rows, options);
          const expected = bySteps(estimator, columns, rows);
          expect(createTreesScorer(estimator).scoreMatrix({ rows, columns })).toEqual(expected);
          expect(createTreesScorer(estimator, none).scoreMatrix({ rows, columns })).toEqual(expected);
          if (!compiled.available) throw new Error(compiled.reason);
          expect(createNodeWalk(estimator, compiled.module).scoreMatrix({ rows, columns })).toEqual(expected);
          expect(rowByRow(estimator, columns, rows)).toEqual(expected);
          expect(rowByRow(estimator, columns, rows, none)).toEqual(expected);
        },
      ),
      { numRuns: 60 },
    );
  });

  it.each([
    ["256 leaves, the most that fit a byte", 255],
    ["257 leaves", 256],
    ["5,000 leaves", 4_999],
  ])("takes trees of %s", (_, splits) => {
    const random = seededRandom(splits);
    const options = { columns: 3, thresholds: 1_001 };
    const estimator = forest(Array.from({ length: 3 }, () => randomTree(random, { ...options, splits })));
    const columns = randomColumns(random, 500, options);
    expect(createTreesScorer(estimator).scoreMatrix({ rows: 500, columns })).toEqual(bySteps(estimator, columns, 500));
  });

  it("takes a column with more thresholds than ranks fit a byte", () => {
    const estimator = forest(Array.from({ length: 1_000 }, (_, i) => stump((i * 7919) % 1_000)));
    expect(groupTrees(estimator.trees)).toHaveLength(4);
    const column = Float64Array.from({ length: 1_002 }, (_, i) => i - 1);
    expect(createTreesScorer(estimator).scoreMatrix({ rows: 1_002, columns: [column] })).toEqual(
      bySteps(estimator, [column], 1_002),
    );
  });

  it("compares doubles, where float32 would not tell them apart", () => {
    const next = (x: number): number => x * (1 + Number.EPSILON);
    const column = Float64Array.of(0.1, next(0.1), 1e300, -1e300, 5e-324, 0, -0, Number.MAX_VALUE, Number.NaN);
    for (const threshold of [0.1, next(0.1), 1e300, 0, -0, 5e-324]) {
      const estimator = forest([stump(threshold), stump(threshold, 1)], Float64Array.of(0, 0));
      const expected = bySteps(estimator, [column], column.length);
      expect(createTreesScorer(estimator).scoreMatrix({ rows: column.length, columns: [column] })).toEqual(expected);
      expect(rowByRow(estimator, [column], column.length)).toEqual(expected);
    }
  });

  it("adds leaves in the trees' order, which decides the last bits", () => {
    const values = [1e16, 1, -1e16, 1, 3];
    const estimator = forest(values.map(leafTree), Float64Array.of(0));
    expect(createTreesScorer(estimator).scoreMatrix({ rows: 1, columns: [] })[0]).toBe(
      values.reduce((sum, value) => sum + value, 0),
    );
  });

  it("says the base where there are no trees, and nothing of no rows", () => {
    const scorer = createTreesScorer(forest([], Float64Array.of(1, 2)));
    expect([...scorer.scoreMatrix({ rows: 2, columns: [] })]).toEqual([1, 2, 1, 2]);
    expect(scorer.scoreMatrix({ rows: 0, columns: [] })).toHaveLength(0);
    const out = new Float64Array(2);
    scorer.scoreRow(new Float64Array(0), out);
    expect([...out]).toEqual([1, 2]);
  });

  it("takes codes that no training row had, and codes that are none", () => {
    const random = seededRandom(5);
    const options = { columns: 1, categoricalColumns: 1 };
    const estimator = forest(Array.from({ length: 20 }, () => randomTree(random, { ...options, splits: 6 })));
    const column = Float64Array.of(0, 31, 32, 63, 64, 100_000, 2 ** 31, 2 ** 40, -1, Number.NaN);
    const expected = bySteps(estimator, [column], column.length);
    expect(createTreesScorer(estimator).scoreMatrix({ rows: column.length, columns: [column] })).toEqual(expected);
    expect(rowByRow(estimator, [column], column.length)).toEqual(expected);
    expect(createTreesScorer(estimator, none).scoreMatrix({ rows: column.length, columns: [column] })).toEqual(expected);
  });
});
