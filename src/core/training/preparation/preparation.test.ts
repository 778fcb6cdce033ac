import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { categoricalColumn, datasetOf, flightsLike, numericColumn } from "../../../../test/fixtures/training-data.ts";
import type { PreparationStep } from "../../definitions/index.ts";
import type { FeatureValue } from "../../features/index.ts";
import type { Dataset, FeatureColumn } from "../dataset.ts";
import { encode, encodeRow } from "./encode.ts";
import { fitPreparation } from "./preparation.ts";

const steps: PreparationStep[] = [
  { kind: "impute", strategy: "median" },
  { kind: "standard-scale" },
  { kind: "one-hot", rare: 0.2 },
];

const allRows = (dataset: Dataset) => Uint32Array.from({ length: dataset.rows }, (_, row) => row);
const small = (features: FeatureColumn[], label: number[]) => datasetOf({ features, label: Uint8Array.from(label) });
const valuesOfRow = (dataset: Dataset, row: number): FeatureValue[] =>
  dataset.features.map((feature) => {
    if (feature.kind === "numeric") return Number.isNaN(feature.values[row]) ? null : feature.values[row];
    return feature.codes[row] < 0 ? null : (feature.categories[feature.codes[row]] ?? null);
  });

describe("preparation for linear estimators", () => {
  it("imputes the median, marks what was missing, then scales the imputed column", () => {
    const dataset = small([numericColumn("a.x", [1, 2, 6, Number.NaN])], [0, 1, 0, 1]);
    const preparation = fitPreparation(dataset, allRows(dataset), steps, "linear");
    const [x, missing] = encode(preparation, dataset, allRows(dataset));
    // Imputed: 1, 2, 6, 2 with mean 2.75 and variance (1.75^2 + 0.75^2 + 3.25^2 + 0.75^2) / 4.
    const deviation = Math.sqrt((3.0625 + 0.5625 + 10.5625 + 0.5625) / 4);
    expect([...(x ?? [])]).toEqual([1, 2, 6, 2].map((value) => (value - 2.75) / deviation));
    expect([...(missing ?? [])]).toEqual([0, 0, 0, 1]);
  });

  it("learns from the given rows only", () => {
    const dataset = small([numericColumn("a.x", [1, 3, 1_000, -7])], [0, 1, 0, 1]);
    const { columns } = fitPreparation(dataset, Uint32Array.of(0, 1), steps, "linear");
    expect(columns).toEqual([{ kind: "number", feature: 0, fill: 2, mean: 2, scale: 1 }]);
  });

  it("gives rare categories one column, and puts unseen ones there too", () => {
    const carrier = categoricalColumn("a.carrier", ["AA", "AA", "AA", "UA", "UA", "UA", "HA", null]);
    const dataset = small([carrier], [0, 1, 0, 1, 0, 1, 0, 1]);
    const preparation = fitPreparation(dataset, allRows(dataset), steps, "linear");
    expect(preparation.columns.map((column) => (column.kind === "category" ? column.category : column.kind))).toEqual([
      "AA",
      "UA",
      null,
      "missing",
    ]);
    expect([...encodeRow(preparation, ["UA"])]).toEqual([0, 1, 0, 0]);
    expect([...encodeRow(preparation, ["HA"])]).toEqual([0, 0, 1, 0]);
    expect([...encodeRow(preparation, ["never seen"])]).toEqual([0, 0, 1, 0]);
    expect([...encodeRow(preparation, [null])]).toEqual([0, 0, 0, 1]);
  });

  it("takes categories that are called like members of every object", () => {
    const odd = ["constructor", "__proto__", "toString", "hasOwnProperty"];
    const dataset = small([categoricalColumn("a.odd", odd)], [0, 1, 0, 1]);
    for (const family of ["linear", "tree"] as const) {
      const preparation = fitPreparation(dataset, allRows(dataset), [], family);
      const copy = JSON.parse(JSON.stringify(preparation));
      for (const text of [...odd, "valueOf"]) {
        const row = encodeRow(preparation, [text]);
        expect(row.every((x) => Number.isFinite(x))).toBe(true);
        expect(encodeRow(copy, [text])).toEqual(row);
      }
    }
  });

  it("leaves out columns without a value or with one value only", () => {
    const features = [
      numericColumn("a.constant", [5, 5, 5, 5]),
      numericColumn("a.empty", [Number.NaN, Number.NaN, Number.NaN, Number.NaN]),
      categoricalColumn("a.nothing", [null, null, null, null]),
      numericColumn("a.x", [1, 2, 3, 4]),
    ];
    const dataset = small(features, [0, 1, 0, 1]);
    const { columns } = fitPreparation(dataset, allRows(dataset), steps, "linear");
    expect(columns.map(({ feature }) => feature)).toEqual([3]);
  });

  it("makes finite numbers of missing and infinite ones, with or without an impute step", () => {
    const dataset = small([numericColumn("a.x", [1, Number.POSITIVE_INFINITY, Number.NaN, 3])], [0, 1, 0, 1]);
    for (const some of [steps, []]) {
      const preparation = fitPreparation(dataset, allRows(dataset), some, "linear");
      const encoded = encode(preparation, dataset, allRows(dataset));
      expect(encoded.every((column) => column.every(Number.isFinite))).toBe(true);
    }
  });

  it("refuses more columns than it could work with, and says how to have fewer", () => {
    const dataset = small(
      [
        categoricalColumn(
          "a.id",
          Array.from({ length: 2_100 }, (_, i) => `N${i}`),
        ),
      ],
      new Array(2_100).fill(0),
    );
    expect(() => fitPreparation(dataset, allRows(dataset), [], "linear")).toThrow(
      expect.objectContaining({ code: "TRAIN_TOO_MANY_COLUMNS" }),
    );
  });
});

describe("preparation for trees", () => {
  it("ranks categories by their smoothed share of positives; unseen ones stand where an average one would", () => {
    const texts = [...Array(10).fill("low"), ...Array(10).fill("high"), "once", null];
    const label = [...Array(10).fill(0), ...Array(10).fill(1), 1, 0];
    const dataset = small([categoricalColumn("a.c", texts)], label);
    const preparation = fitPreparation(dataset, allRows(dataset), steps, "tree");
    // Prior 11/21. Smoothed: low (0 + 110/21) / 20 = 0.26, once (1 + 110/21) / 11 = 0.57, high (10 + 110/21) / 20 = 0.76.
    expect(preparation.columns).toEqual([{ kind: "rank", feature: 0, ranks: { low: 0, once: 1, high: 2 }, unseen: 0.5 }]);
    expect(encodeRow(preparation, ["never seen"])[0]).toBe(0.5);
    expect(encodeRow(preparation, [null])[0]).toBeNaN();
  });

  it("passes numbers on as they are, with NaN for missing", () => {
    const dataset = small([numericColumn("a.x", [1, Number.NaN, 3])], [0, 1, 0]);
    const preparation = fitPreparation(dataset, allRows(dataset), steps, "tree");
    expect([...encodeRow(preparation, [1.5])]).toEqual([1.5]);
    expect([...encodeRow(preparation, [true])]).toEqual([1]);
    expect(encodeRow(preparation, [null])[0]).toBeNaN();
  });
});

describe("encode", () => {
  it("gives the same figures for a column as encodeRow for its rows", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000 }), fc.constantFrom("linear" as const, "tree" as const), (seed, family) => {
        const dataset = flightsLike(60, seed);
        const train = allRows(dataset).slice(0, 40);
        const preparation = fitPreparation(dataset, train, steps, family);
        const columns = encode(preparation, dataset, allRows(dataset));
        for (let row = 0; row < dataset.rows; row++) {
          expect([...encodeRow(preparation, valuesOfRow(dataset, row))]).toEqual(columns.map((column) => column[row]));
        }
      }),
      { numRuns: 40 },
    );
  });

  it("reads categories by name, so that a dataset with other codes gives the same columns", () => {
    const dataset = small([categoricalColumn("a.c", ["x", "y", "x", "z"])], [0, 1, 0, 1]);
    const preparation = fitPreparation(dataset, allRows(dataset), [], "linear");
    const other = small([categoricalColumn("a.c", ["z", "x", "new"])], [0, 1, 0]);
    expect(encode(preparation, other, allRows(other)).map((column) => [...column])).toEqual([
      [0, 1, 0],
      [0, 0, 0],
      [1, 0, 0],
    ]);
  });

  it("leaves out excluded features, and refuses to be left with none", () => {
    const dataset = flightsLike(60);
    const { columns } = fitPreparation(dataset, allRows(dataset), steps, "tree", ["weather.wind"]);
    expect(columns.map(({ feature }) => feature)).toEqual([1, 2]);
    const all = dataset.features.map(({ id }) => id);
    expect(() => fitPreparation(dataset, allRows(dataset), steps, "tree", all)).toThrow(
      expect.objectContaining({ code: "TRAIN_NO_FEATURES" }),
    );
  });

  it("refuses a dataset whose features have other kinds", () => {
    const dataset = flightsLike(60);
    const preparation = fitPreparation(dataset, allRows(dataset), steps, "tree");
    const swapped = { ...dataset, features: dataset.features.toReversed().slice(0, 2) };
    expect(() => encode(preparation, swapped, allRows(dataset))).toThrow(
      expect.objectContaining({ code: "TRAIN_FEATURES_DIFFER" }),
    );
  });
});
