import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { randomColumns, randomTree } from "../../../../test/fixtures/random-trees.ts";
import { createTreesScorer, seededRandom, type TreesEstimator } from "../../training/index.ts";
import { createInterventionalShap } from "./interventional-shap.ts";
import { distance, shapleyValues } from "./shapley.fixture.ts";

const none = { available: false, reason: "not wanted here" } as const;
const ROWS = 200;

const shapes = fc.record({
  seed: fc.integer(),
  columns: fc.integer({ min: 1, max: 6 }),
  categoricalColumns: fc.integer({ min: 0, max: 2 }),
  splits: fc.integer({ min: 0, max: 30 }),
  outputs: fc.integer({ min: 1, max: 2 }),
});

function arbitraryModel({ seed, outputs, splits, ...options }: typeof shapes extends fc.Arbitrary<infer S> ? S : never) {
  const random = seededRandom(seed);
  const trees = Array.from({ length: 2 * outputs }, () => randomTree(random, { ...options, splits }));
  const estimator: TreesEstimator = { kind: "trees", link: "identity", base: new Float64Array(outputs).fill(0.5), trees };
  const background = { rows: 7, columns: randomColumns(random, 7, options) };
  const matrix = { rows: ROWS, columns: randomColumns(random, ROWS, options) };
  return { estimator, background, matrix };
}

describe("TreeSHAP, interventional", () => {
  it("equals Shapley values by their definition: unknown columns come from each background row, to 1e-9", () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const { estimator, background, matrix } = arbitraryModel(shape);
        const { columns } = shape;
        const row = Float64Array.from(matrix.columns, (column) => column[0]);
        const phi = new Float64Array(shape.outputs * columns);
        createInterventionalShap(estimator, background).explainRow(row, phi);
        const scorer = createTreesScorer(estimator);
        for (let output = 0; output < shape.outputs; output++) {
          const expected = shapleyValues(columns, (known) => {
            const mixed = background.columns.map((column, j) => (known.has(j) ? column.map(() => row[j]) : column));
            const raw = scorer.scoreMatrix({ rows: background.rows, columns: mixed });
            return raw.reduce((sum, value, i) => sum + (i % shape.outputs === output ? value : 0), 0) / background.rows;
          });
          expect(distance(phi.subarray(output * columns, (output + 1) * columns), expected)).toBeLessThan(1e-9);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("explains many rows by tables as it explains one by walking, to 1e-9, and without kernels to the last bit", () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const { estimator, background, matrix } = arbitraryModel(shape);
        const shap = createInterventionalShap(estimator, background);
        const phi = shap.explainMatrix(matrix);
        const plain = createInterventionalShap(estimator, background, { kernels: { score: none, shap: none } });
        expect(plain.explainMatrix(matrix)).toEqual(phi);
        const width = shape.outputs * shape.columns;
        const one = new Float64Array(width);
        for (let row = 0; row < ROWS; row += 9) {
          shap.explainRow(
            Float64Array.from(matrix.columns, (column) => column[row]),
            one,
          );
          expect(distance(phi.subarray(row * width, (row + 1) * width), one)).toBeLessThan(1e-9);
        }
      }),
      { numRuns: 40 },
    );
  });

  it("adds up: the background's mean and SHAP values are the raw output, to 1e-9", () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const { estimator, background, matrix } = arbitraryModel(shape);
        const shap = createInterventionalShap(estimator, background);
        const phi = shap.explainMatrix(matrix);
        const raw = createTreesScorer(estimator).scoreMatrix(matrix);
        const sums = raw.map((_, i) =>
          phi
            .subarray(i * shape.columns, (i + 1) * shape.columns)
            .reduce((sum, value) => sum + value, shap.base[i % shape.outputs]),
        );
        expect(distance(sums, raw)).toBeLessThan(1e-9);
      }),
      { numRuns: 40 },
    );
  });

  it("gives nothing where row and background agree", () => {
    const { estimator, matrix } = arbitraryModel({ seed: 1, columns: 4, categoricalColumns: 1, splits: 12, outputs: 1 });
    const same = { rows: 1, columns: matrix.columns.map((column) => column.subarray(0, 1)) };
    const phi = new Float64Array(4).fill(9);
    createInterventionalShap(estimator, same).explainRow(
      Float64Array.from(matrix.columns, (column) => column[0]),
      phi,
    );
    expect([...phi]).toEqual([0, 0, 0, 0]);
  });

  it("refuses an empty background", () => {
    const { estimator } = arbitraryModel({ seed: 1, columns: 2, categoricalColumns: 0, splits: 2, outputs: 1 });
    const empty = { rows: 0, columns: [new Float64Array(0), new Float64Array(0)] };
    expect(() => createInterventionalShap(estimator, empty)).toThrow(expect.objectContaining({ code: "EXPLAIN_NO_ROWS" }));
  });
});
