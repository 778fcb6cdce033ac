import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { goldenData, numericColumns } from "../../../../test/fixtures/golden-data.ts";
import type { Dataset, FeatureColumn } from "../../training/index.ts";
import { accumulatedEffects } from "./accumulated-effects.ts";
import { centredCurves, pairDependence, partialDependence } from "./partial-dependence.ts";
import type { RowFunction } from "./row-function.ts";

interface Golden {
  readonly one: readonly { feature: string; grid: number[]; mean: number[]; curves: number[][] }[];
  readonly pair: { features: [string, string]; grids: [number[], number[]]; mean: number[][] };
}
const golden: Golden = JSON.parse(readFileSync(new URL("../../../../test/golden/dependence.json", import.meta.url), "utf8"));

function datasetOf(features: readonly FeatureColumn[], rows: number): Dataset {
  const numbers = new Float64Array(rows);
  const flags = new Uint8Array(rows);
  return {
    rows,
    task: "binary",
    classes: [],
    features,
    label: flags,
    at: numbers,
    labelAt: numbers,
    day: new Int32Array(rows),
    rule: flags,
    segments: [],
  };
}

const numericFeature = (id: string, values: Float64Array): FeatureColumn => ({ kind: "numeric", id, values });
const diabetes = goldenData("diabetes");
const dataset = datasetOf(
  numericColumns(diabetes).map((values, index) => numericFeature(diabetes.names[index], values)),
  diabetes.rows,
);
const all = Uint32Array.from({ length: dataset.rows }, (_, row) => row);

function numbers({ features }: Dataset, id: string): Float64Array {
  const column = features.find((each) => each.id === id);
  if (column?.kind !== "numeric") throw new Error(`${id} is not numeric`);
  return column.values;
}

const replaced = (of: Dataset, id: string, values: Float64Array): Dataset => ({
  ...of,
  features: of.features.map((column) => (column.id === id ? numericFeature(id, values) : column)),
});

/** The formula of make-dependence.py. */
const formula: RowFunction = (of) => {
  const [age, bmi, bp, s5] = ["age", "bmi", "bp", "s5"].map((id) => numbers(of, id));
  return age.map((value, row) => Math.sin(20 * bmi[row]) + 30 * bp[row] * value + Math.abs(s5[row]));
};

describe("partial dependence", () => {
  it.each(golden.one)(
    "and single rows' curves are scikit-learn's on its grid, to 1e-12 ($feature)",
    ({ feature, ...expected }) => {
      const found = partialDependence(formula, dataset, all, feature, { grid: expected.grid, curves: dataset.rows });
      found.points.forEach(({ value, mean }, i) => {
        expect(value).toBe(expected.grid[i]);
        expect(Math.abs(mean - expected.mean[i])).toBeLessThan(1e-12);
      });
      expected.curves.forEach((curve, row) => {
        curve.forEach((value, i) => {
          expect(Math.abs(found.curves[row][i] - value)).toBeLessThan(1e-12);
        });
      });
    },
  );

  it("of two features is scikit-learn's, to 1e-12", () => {
    const { features, grids, mean } = golden.pair;
    // With these values in the two columns the grids are scikit-learn's; the other columns are as it saw them.
    const coarse = features.reduce(
      (of, id, at) =>
        replaced(
          of,
          id,
          numbers(of, id).map((_, row) => grids[at][row % 4]),
        ),
      dataset,
    );
    const found = pairDependence(formula, coarse, all, features, { points: 4, maxRows: dataset.rows });
    expect([found.first, found.second].map((points) => points.map(({ value }) => value))).toEqual(grids);
    found.mean.forEach((line, i) => {
      line.forEach((value, j) => {
        expect(Math.abs(value - mean[i][j])).toBeLessThan(1e-12);
      });
    });
  });

  it("tells a pair that acts together from one that adds up", () => {
    const options = { points: 6, maxRows: 400 };
    expect(pairDependence(formula, dataset, all, ["age", "bp"], options).interaction).toBeGreaterThan(0.5);
    expect(pairDependence(formula, dataset, all, ["bmi", "s5"], options).interaction).toBeLessThan(1e-12);
    expect(pairDependence(formula, dataset, all, ["s1", "s2"], options).interaction).toBeNull();
  });

  it("of an additive function is the feature's own part, whatever the rows", () => {
    const value = fc.double({ min: -100, max: 100, noNaN: true });
    fc.assert(
      fc.property(fc.array(fc.tuple(value, value), { minLength: 2, maxLength: 40 }), (cells) => {
        const x = Float64Array.from(cells, ([a]) => a);
        const z = Float64Array.from(cells, ([, b]) => b);
        const made = datasetOf([numericFeature("x", x), numericFeature("z", z)], cells.length);
        const f: RowFunction = (of) => numbers(of, "x").map((a, row) => a * a + 3 * numbers(of, "z")[row]);
        const found = partialDependence(f, made, Uint32Array.from(cells.keys()), "x");
        const own = found.points.map(({ value: at }) => Number(at) ** 2 - Number(found.points[0].value) ** 2);
        found.points.forEach(({ mean }, i) => {
          expect(mean - found.points[0].mean).toBeCloseTo(own[i], 6);
        });
        for (const curve of centredCurves(found))
          curve.forEach((at, i) => {
            expect(at).toBeCloseTo(own[i], 6);
          });
        expect(found.points.reduce((sum, point) => sum + point.rows, 0)).toBe(cells.length);
      }),
    );
  });

  it("covers categories, rarest last, and says how many rows stand behind each point", () => {
    const column: FeatureColumn = { kind: "categorical", id: "c", codes: Int32Array.of(0, 1, 1, -1), categories: ["a", "b"] };
    const f: RowFunction = ({ features: [only] }) =>
      only.kind === "categorical" ? Float64Array.from(only.codes, (code) => 10 * code) : only.values;
    const { points } = partialDependence(f, datasetOf([column], 4), Uint32Array.of(0, 1, 2, 3), "c");
    expect(points.map(({ value, rows, mean }) => [value, rows, mean])).toEqual([
      ["b", 2, 10],
      ["a", 1, 0],
    ]);
    const unseen = partialDependence(f, datasetOf([column], 4), Uint32Array.of(0, 1), "c", { grid: ["never seen"] });
    expect(unseen.points).toMatchObject([{ value: "never seen", rows: 0, mean: 20 }]);
  });
});

describe("accumulated local effects", () => {
  it("are what the definition says, by brute force", () => {
    const { points, rows } = accumulatedEffects(formula, dataset, all, "bp", { intervals: 8 });
    const bp = numbers(dataset, "bp");
    const edges = points.map(({ value }) => value);
    expect([edges[0], edges.at(-1)]).toEqual([Math.min(...bp), Math.max(...bp)]);
    const predictedAt = edges.map((edge) => formula(replaced(dataset, "bp", new Float64Array(dataset.rows).fill(edge))));
    const raw = [0];
    let weighted = 0;
    for (let k = 1; k < edges.length; k++) {
      const inside = [...bp.keys()].filter((row) => bp[row] <= edges[k] && (k === 1 || bp[row] > edges[k - 1]));
      expect(points[k].rows).toBe(inside.length);
      const total = inside.reduce((sum, row) => sum + predictedAt[k][row] - predictedAt[k - 1][row], 0);
      raw.push(raw[k - 1] + total / inside.length);
      weighted += (inside.length * (raw[k - 1] + raw[k])) / 2;
    }
    points.forEach(({ effect }, k) => {
      expect(Math.abs(effect - (raw[k] - weighted / rows))).toBeLessThan(1e-12);
    });
  });

  it("of a feature that the function ignores are 0, and of a constant feature too", () => {
    expect(accumulatedEffects(formula, dataset, all, "s1").points.every(({ effect }) => effect === 0)).toBe(true);
    const constant = datasetOf([numericFeature("x", new Float64Array(5).fill(3))], 5);
    const { points } = accumulatedEffects((of) => numbers(of, "x"), constant, Uint32Array.of(0, 1, 2, 3, 4), "x");
    expect(points).toEqual([{ value: 3, rows: 0, effect: 0, low: 0, high: 0 }]);
  });

  it("keep apart what partial dependence mixes up: of two features that go together, only the one that acts has an effect", () => {
    const x = Float64Array.from({ length: 400 }, (_, i) => i / 400);
    const z = x.map((value, i) => value + 0.01 * Math.sin(7 * i));
    const made = datasetOf([numericFeature("x", x), numericFeature("z", z)], 400);
    const rows = Uint32Array.from(x.keys());
    // Beyond the data, where x and z differ, the function does something else.
    const f: RowFunction = (of) => numbers(of, "x").map((a, row) => (Math.abs(a - numbers(of, "z")[row]) > 0.2 ? 50 : a));
    const range = (values: readonly number[]) => Math.max(...values) - Math.min(...values);
    expect(range(accumulatedEffects(f, made, rows, "z").points.map(({ effect }) => effect))).toBeLessThan(1e-12);
    expect(range(accumulatedEffects(f, made, rows, "x").points.map(({ effect }) => effect))).toBeCloseTo(x[399], 1);
    expect(range(partialDependence(f, made, rows, "z").points.map(({ mean }) => mean))).toBeGreaterThan(5);
  });
});

describe("bad input", () => {
  const code = (expected: string) => expect.objectContaining({ code: expected });
  it("is an error with a code: unknown features, no rows, no values, categories for local effects", () => {
    expect(() => partialDependence(formula, dataset, all, "wind")).toThrow(code("EXPLAIN_FEATURE_UNKNOWN"));
    expect(() => partialDependence(formula, dataset, new Uint32Array(0), "bmi")).toThrow(code("EXPLAIN_NO_ROWS"));
    const empty = datasetOf([numericFeature("x", Float64Array.of(Number.NaN, Number.POSITIVE_INFINITY))], 2);
    expect(() => partialDependence(formula, empty, Uint32Array.of(0, 1), "x")).toThrow(code("EXPLAIN_FEATURE_EMPTY"));
    expect(() => accumulatedEffects(formula, empty, Uint32Array.of(0, 1), "x")).toThrow(code("EXPLAIN_FEATURE_EMPTY"));
    const text = datasetOf([{ kind: "categorical", id: "c", codes: Int32Array.of(0), categories: ["a"] }], 1);
    expect(() => accumulatedEffects(formula, text, Uint32Array.of(0), "c")).toThrow(code("EXPLAIN_FEATURE_CATEGORICAL"));
  });

  it("takes one row", () => {
    const { points } = partialDependence(formula, dataset, Uint32Array.of(7), "bmi");
    expect(points).toHaveLength(1);
    expect(points[0].low).toBe(points[0].high);
  });
});
