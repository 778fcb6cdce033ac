import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { categoricalColumn, flightsLike } from "../../../../test/fixtures/training-data.ts";
import {
  clip,
  dateParts,
  frequencyEncode,
  impute,
  interactions,
  logTransform,
  minMaxScale,
  oneHot,
  ordinal,
  type PreparationStep,
  polynomial,
  powerTransform,
  quantileScale,
  robustScale,
  selectFeatures,
  standardScale,
  targetEncode,
} from "../../definitions/index.ts";
import { encode, encodeRow } from "./encode.ts";
import type { FittedPreparation } from "./fitted-preparation.ts";
import { allRows, fit, namesOf, small, valuesOfRow } from "./preparation.fixture.ts";

const steps = [impute("median"), standardScale(), oneHot({ rare: 0.2 })];

const refusal = (code: string, message: RegExp = /./) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) });

const chains: Readonly<Record<string, readonly PreparationStep[]>> = {
  "the default chain": [impute(), standardScale(), oneHot({ rare: 0.1 })],
  "no steps": [],
  "robust, powered and crossed": [
    impute("mostFrequent"),
    powerTransform({ on: ["wind"] }),
    robustScale(),
    frequencyEncode(),
    polynomial(["wind", "carrier", "noise"]),
    standardScale(),
  ],
  "encoded by target and selected": [
    clip({ quantiles: [0.05, 0.95] }),
    targetEncode({ folds: 3 }),
    quantileScale({ output: "normal", quantiles: 20 }),
    interactions(["wind", "noise"]),
    selectFeatures({ kind: "mutual-information", top: 3 }),
  ],
  "for all": [
    dateParts({ on: ["noise"], cyclic: true, keep: true }),
    impute("constant", { value: -1, for: "all" }),
    logTransform({ for: "all" }),
    ordinal(),
    minMaxScale({ for: "all" }),
  ],
};

describe("encode", () => {
  const cases = fc.record({
    seed: fc.integer({ min: 1, max: 1_000 }),
    family: fc.constantFrom("linear" as const, "tree" as const),
    chain: fc.constantFrom(...Object.values(chains)),
  });

  it("gives the same figures for a column as encodeRow for its rows, to the last bit and after a journey as JSON", () => {
    fc.assert(
      fc.property(cases, ({ seed, family, chain }) => {
        const dataset = flightsLike(80, seed);
        const { preparation } = fit(dataset, chain, family, { rows: allRows(dataset).slice(0, 60) });
        const { columns } = encode(preparation, dataset, allRows(dataset));
        const travelled: FittedPreparation = JSON.parse(JSON.stringify(preparation));
        for (let row = 0; row < dataset.rows; row++) {
          expect([...encodeRow(travelled, valuesOfRow(dataset, row))]).toEqual(columns.map((column) => column[row]));
        }
      }),
      { numRuns: 60 },
    );
  });

  it("gives the training rows what fitting gave, but for target encoding", () => {
    fc.assert(
      fc.property(cases, ({ seed, family, chain }) => {
        fc.pre(!chain.some(({ kind }) => kind === "target-encode"));
        const dataset = flightsLike(80, seed);
        const rows = allRows(dataset).slice(0, 60);
        const { preparation, matrix } = fit(dataset, chain, family, { rows });
        expect(encode(preparation, dataset, rows)).toEqual(matrix);
      }),
      { numRuns: 40 },
    );
  });

  it("does not depend on the order of the rows that it was fitted on (1e-12), but for the folds of target encoding", () => {
    fc.assert(
      fc.property(cases, fc.integer(), ({ seed, family, chain }, multiplier) => {
        const dataset = flightsLike(61, seed);
        const permuted = allRows(dataset).map((row) => (row * (2 + (Math.abs(multiplier) % 58)) + 7) % 61);
        const steps = chain.filter(({ kind }) => kind !== "select-features");
        const a = encode(fit(dataset, steps, family).preparation, dataset, permuted);
        const b = encode(fit(dataset, steps, family, { rows: permuted }).preparation, dataset, permuted);
        expect(b.names).toEqual(a.names);
        if (chain.some(({ kind }) => kind === "target-encode" || kind === "power-transform")) return;
        expectClose(b.columns, a.columns);
      }),
      { numRuns: 40 },
    );
  });

  it("takes a row of weight 2 for two rows (1e-9; 1e-6 after a search for the best power)", () => {
    fc.assert(
      fc.property(cases, fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 80, maxLength: 80 }), (each, weights) => {
        const { seed, family } = each;
        // Landmarks of quantile scaling are as many as rows, which weights do not change; folds deal out rows.
        const chain = each.chain.filter(({ kind }) => kind !== "target-encode" && kind !== "quantile-scale");
        const dataset = flightsLike(80, seed);
        const repeated = Uint32Array.from(weights.flatMap((weight, row) => Array<number>(weight).fill(row)));
        fc.pre(repeated.length > 40);
        const target = { values: dataset.label, weights: Float64Array.from(weights) };
        const weighted = fit(dataset, chain, family, { target });
        const copied = fit(dataset, chain, family, { rows: repeated });
        const a = encode(weighted.preparation, dataset, repeated);
        const b = encode(copied.preparation, dataset, repeated);
        const shared = (a.names ?? []).filter((name) => b.names?.includes(name));
        const pick = (matrix: typeof a) =>
          shared.map((name) => matrix.columns[matrix.names?.indexOf(name) ?? -1] ?? new Float64Array());
        expectClose(pick(a), pick(b), chain.some(({ kind }) => kind === "power-transform") ? 1e-6 : 1e-9);
      }),
      { numRuns: 40 },
    );
  });

  it("reads categories by name, so that a dataset with other codes gives the same columns", () => {
    const dataset = small([categoricalColumn("a.c", ["x", "y", "x", "z"])]);
    const { preparation } = fit(dataset, [], "linear");
    const other = small([categoricalColumn("a.c", ["z", "x", "new"])]);
    expect(encode(preparation, other, allRows(other)).columns.map((column) => [...column])).toEqual([
      [0, 1, 0],
      [0, 0, 0],
      [1, 0, 0],
    ]);
  });

  it("leaves out excluded features, and refuses to be left with none", () => {
    const dataset = flightsLike(60);
    expect(namesOf(fit(dataset, steps, "tree", { exclude: ["weather.wind"] }))).toEqual(["on-demand.carrier", "plane.noise"]);
    const all = dataset.features.map(({ id }) => id);
    expect(() => fit(dataset, steps, "tree", { exclude: all })).toThrow(refusal("TRAIN_NO_FEATURES"));
  });

  it("refuses a dataset whose features have other kinds", () => {
    const dataset = flightsLike(60);
    const { preparation } = fit(dataset, steps, "tree");
    const swapped = { ...dataset, features: dataset.features.toReversed().slice(0, 2) };
    expect(() => encode(preparation, swapped, allRows(dataset))).toThrow(refusal("TRAIN_FEATURES_DIFFER"));
  });

  it("refuses as many targets as there are no rows for", () => {
    const dataset = flightsLike(10);
    expect(() => fit(dataset, steps, "tree", { target: { values: Uint8Array.of(1) } })).toThrow(
      refusal("TRAIN_PARAMETER_INVALID", /1 targets for 10 rows/),
    );
  });
});

function expectClose(actual: readonly Float64Array[], expected: readonly Float64Array[], tolerance = 1e-12): void {
  expect(actual.length).toBe(expected.length);
  actual.forEach((column, index) => {
    column.forEach((value, row) => {
      const other = expected[index]?.[row] ?? Number.NaN;
      if (Number.isNaN(other)) expect(value).toBeNaN();
      else expect(Math.abs(value - other)).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(other)));
    });
  });
}
