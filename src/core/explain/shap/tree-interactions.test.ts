import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomColumns, randomTree } from "../../../../test/fixtures/random-trees.ts";
import { seededRandom, type TreesEstimator } from "../../training/index.ts";
import { conditional, distance, interactionValues } from "./shapley.fixture.ts";
import { createTreeInteractions } from "./tree-interactions.ts";
import { createTreeShap } from "./tree-shap.ts";

const shapes = fc.record({
  seed: fc.integer(),
  columns: fc.integer({ min: 1, max: 5 }),
  categoricalColumns: fc.integer({ min: 0, max: 2 }),
  splits: fc.integer({ min: 0, max: 30 }),
});

const estimatorOf = (seed: number, options: { columns: number; splits: number }, outputs = 1): TreesEstimator => {
  const random = seededRandom(seed);
  const trees = Array.from({ length: 2 * outputs }, () => randomTree(random, options));
  return { kind: "trees", link: "identity", base: new Float64Array(outputs), trees };
};

const rowOf = (seed: number, options: { columns: number }): Float64Array =>
  Float64Array.from(randomColumns(seededRandom(seed + 1), 1, options), (column) => column[0]);

describe("SHAP interaction values", () => {
  it("equal their definition, over all sets of columns, to 1e-9", () => {
    fc.assert(
      fc.property(shapes, ({ seed, ...options }) => {
        const estimator = estimatorOf(seed, options);
        const row = rowOf(seed, options);
        const phi = new Float64Array(options.columns ** 2);
        createTreeInteractions(estimator, options.columns).explainRow(row, phi);
        const expected = interactionValues(options.columns, (known) =>
          estimator.trees.reduce((sum, tree) => sum + conditional(tree, row, known), 0),
        );
        expect(distance(phi, expected)).toBeLessThan(1e-9);
      }),
      { numRuns: 80 },
    );
  });

  it("are symmetric, and each row of them sums to the column's SHAP value, to 1e-9, for every output", () => {
    const options = { columns: 15, splits: 80 };
    const estimator = estimatorOf(3, options, 2);
    const row = rowOf(3, options);
    const phi = new Float64Array(2 * 15 * 15);
    createTreeInteractions(estimator, 15).explainRow(row, phi);
    const shap = new Float64Array(2 * 15);
    createTreeShap(estimator, 15).explainRow(row, shap);
    const sums = shap.map((_, i) => phi.subarray(i * 15, (i + 1) * 15).reduce((sum, value) => sum + value, 0));
    expect(distance(sums, shap)).toBeLessThan(1e-9);
    for (let output = 0; output < 2; output++) {
      for (let i = 0; i < 15; i++) {
        for (let j = 0; j < i; j++) {
          expect(Math.abs(phi[output * 225 + i * 15 + j] - phi[output * 225 + j * 15 + i])).toBeLessThan(1e-12);
        }
      }
    }
  });
});
