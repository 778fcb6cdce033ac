import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { logisticRegression, randomForest } from "../../definitions/index.ts";
import type { FeatureValue } from "../../features/index.ts";
import { type Dataset, encode, goesLeft, predict, trainCandidate } from "../../training/index.ts";
import { syntheticDataset, syntheticSplit, trainingOptions, trainOn } from "../explain.fixture.ts";
import { nearestRows } from "./nearest-rows.ts";
import { prototypeRows } from "./prototype-rows.ts";
import { rowDistance } from "./row-distance.ts";

const dataset = syntheticDataset(3_000);
const split = syntheticSplit(dataset);
const model = trainOn(dataset).package;
const reference = { dataset, rows: split.train };
const code = (name: string) => expect.objectContaining({ code: name });

const valuesOf = (row: number): FeatureValue[] =>
  dataset.features.map((column) =>
    column.kind === "categorical"
      ? column.categories[column.codes[row]]
      : Number.isNaN(column.values[row])
        ? null
        : column.values[row],
  );

describe("the distance between rows", () => {
  it("is 0 to itself, the same both ways, and the sum of the features' parts", () => {
    const distance = rowDistance(dataset, split.train);
    const row = fc.integer({ min: 0, max: split.train.length - 1 });
    fc.assert(
      fc.property(row, row, (a, b) => {
        const [there, back] = [distance.from(a)[b], distance.from(b)[a]];
        expect(there).toBeCloseTo(back, 12);
        expect(distance.from(a)[a]).toBe(0);
        expect(distance.parts(a, b).reduce((sum, part) => sum + part, 0)).toBeCloseTo(there, 12);
      }),
      { numRuns: 50 },
    );
  });

  it("counts standard deviations of numbers, other categories as 1, and known against missing as 1", () => {
    const made: Dataset = {
      ...dataset,
      rows: 4,
      features: [
        { kind: "numeric", id: "x", values: Float64Array.of(0, 2, 0, Number.NaN) },
        { kind: "categorical", id: "c", codes: Int32Array.of(0, 0, 1, -1), categories: ["a", "b"] },
      ],
    };
    const sd = Math.sqrt(8 / 9);
    const distances = rowDistance(made, Uint32Array.of(0, 1, 2, 3)).from(0);
    expect(Array.from(distances)).toEqual([0, 2 / sd / 2, 0.5, 1]);
    expect(Array.from(rowDistance(made, Uint32Array.of(0, 1, 2, 3), { c: 2 }).from(0))).toEqual([0, 0, 1, 1]);
  });

  it("does not break on huge numbers", () => {
    const values = Float64Array.of(1e300, -1e300, 5);
    const made: Dataset = { ...dataset, rows: 3, features: [{ kind: "numeric", id: "x", values }] };
    const distances = rowDistance(made, Uint32Array.of(0, 1, 2)).from(0);
    expect(distances[1]).toBeGreaterThan(distances[2]);
    expect(distances.every(Number.isFinite)).toBe(true);
  });
});

describe("the nearest training rows", () => {
  it("begin with the row itself where it is one of them, with its label and times", () => {
    const row = split.train[321];
    const { rows, searched } = nearestRows(model, valuesOf(row), reference);
    expect(searched).toBe(split.train.length);
    expect(rows).toHaveLength(5);
    expect(rows[0]).toMatchObject({
      row,
      distance: 0,
      label: dataset.label[row],
      at: dataset.at[row],
      labelAt: dataset.labelAt[row],
      differences: [],
    });
    expect(rows[0].prediction).toBe(predict(model, dataset, Uint32Array.of(row)).prediction[0]);
  });

  it("are nearest first, as many as asked for, and none is left out that is nearer", () => {
    const asked = split.test[5];
    const { rows } = nearestRows(model, valuesOf(asked), reference, { count: 12 });
    const all = Uint32Array.of(...split.train);
    const distances = [...rowDistance(dataset, all).from(asked)].sort((a, b) => a - b);
    expect(rows).toHaveLength(12);
    rows.forEach(({ distance, differences }, i) => {
      expect(distance).toBeCloseTo(distances[i], 12);
      expect(differences.length).toBeLessThanOrEqual(3);
    });
  });

  it("by leaves are those that share most leaves, counted by hand", () => {
    const asked = split.test[9];
    const { rows } = nearestRows(model, valuesOf(asked), reference, { by: "leaves", count: 4 });
    const { estimator, preparation } = model;
    if (estimator.kind !== "trees") throw new Error("no trees");
    const leaves = (row: number) => {
      const { columns } = encode(preparation, dataset, Uint32Array.of(row));
      return estimator.trees.map((tree) => {
        let node = 0;
        while (tree.feature[node] >= 0) {
          node = goesLeft(tree, node, columns[tree.feature[node]][0]) ? tree.left[node] : tree.right[node];
        }
        return node;
      });
    };
    const own = leaves(asked);
    const shared = (row: number) => leaves(row).filter((leaf, t) => leaf === own[t]).length / own.length;
    const best = Math.max(...Array.from(split.train, shared));
    expect(1 - rows[0].distance).toBeCloseTo(best, 12);
    for (const { row, distance } of rows) expect(1 - distance).toBeCloseTo(shared(row), 12);
  });

  it("name the classes of several", () => {
    const label = Int32Array.from({ length: dataset.rows }, (_, row) => row % 3);
    const several: Dataset = { ...dataset, task: "multiclass", classes: ["x", "y", "z"], label };
    const options = { ...trainingOptions(randomForest({ trees: 5 })), select: "log_loss" } as const;
    const of = trainCandidate(several, split, options).package;
    const { rows } = nearestRows(of, valuesOf(3), { dataset: several, rows: split.train });
    for (const { row, label: name, prediction } of rows) {
      expect(name).toBe(["x", "y", "z"][row % 3]);
      expect(["x", "y", "z"]).toContain(prediction);
    }
  });

  it("can be asked for a row with everything missing, or a category that nobody has seen", () => {
    for (const values of [
      [null, null, null, null],
      [1e300, -1e300, "never seen", Number.NaN],
    ]) {
      const { rows } = nearestRows(model, values, reference, { count: 2 });
      expect(rows.every(({ distance }) => distance > 0 && Number.isFinite(distance))).toBe(true);
    }
    expect(nearestRows(model, valuesOf(0), { dataset, rows: split.train.subarray(0, 1) }).rows).toHaveLength(1);
  });

  it("are refused where there are none, or no leaves, or weights make no sense", () => {
    const linear = trainOn(dataset, logisticRegression()).package;
    expect(() => nearestRows(model, valuesOf(0), { dataset, rows: new Uint32Array(0) })).toThrow(code("EXPLAIN_NO_ROWS"));
    expect(() => nearestRows(model, [1], reference)).toThrow(code("EXPLAIN_FEATURES_MISMATCH"));
    expect(() => nearestRows(linear, valuesOf(0), reference, { by: "leaves" })).toThrow(code("EXPLAIN_TREES_NEEDED"));
    const weighted = (weights: Record<string, number>) => () => nearestRows(model, valuesOf(0), reference, { weights });
    expect(weighted({ "weather.snow": 1 })).toThrow(code("EXPLAIN_FEATURE_UNKNOWN"));
    expect(weighted({ "weather.wind": 0 })).toThrow(code("EXPLAIN_WEIGHTS_INVALID"));
    expect(weighted({ "weather.wind": -1, "weather.rain": 2 })).toThrow(code("EXPLAIN_WEIGHTS_INVALID"));
  });
});

describe("prototypes", () => {
  it("find the middles of clouds, and say how much of the data each stands for", () => {
    const centre = (row: number) => (row % 10 < 6 ? 0 : row % 10 < 9 ? 10 : 20);
    const values = Float64Array.from({ length: 500 }, (_, row) => centre(row) + Math.sin(row) / 10);
    const made: Dataset = { ...dataset, rows: 500, features: [{ kind: "numeric", id: "x", values }] };
    const found = prototypeRows(made, Uint32Array.from(values.keys()), { count: 3 });
    expect(found.map(({ row }) => centre(row))).toEqual([0, 10, 20]);
    expect(found.map(({ share }) => share)).toEqual([0.6, 0.3, 0.1]);
  });

  it("are no more than there are different rows", () => {
    const made: Dataset = { ...dataset, rows: 4, features: [{ kind: "numeric", id: "x", values: Float64Array.of(1, 1, 2, 2) }] };
    expect(prototypeRows(made, Uint32Array.of(0, 1, 2, 3))).toHaveLength(2);
    const flat: Dataset = { ...dataset, rows: 2, features: [{ kind: "numeric", id: "x", values: Float64Array.of(1, 1) }] };
    expect(prototypeRows(flat, Uint32Array.of(0, 1))).toEqual([{ row: 0, share: 1 }]);
    expect(() => prototypeRows(made, new Uint32Array(0))).toThrow(code("EXPLAIN_NO_ROWS"));
  });
});
