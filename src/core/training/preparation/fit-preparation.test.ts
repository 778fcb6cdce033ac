import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { categoricalColumn, flightsLike, numericColumn } from "../../../../test/fixtures/training-data.ts";
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
import type { FeatureValue } from "../../features/index.ts";
import type { Dataset, FeatureColumn } from "../dataset.ts";
import { encode, encodeRow } from "./encode.ts";
import type { EstimatorFamily } from "./fit-preparation.ts";
import { type FittedPreparation, featuresOf } from "./fitted-preparation.ts";
import { allRows, fit, namesOf, small } from "./preparation.fixture.ts";

const steps = [impute("median"), standardScale(), oneHot({ rare: 0.2 })];

const columnsOf = (dataset: Dataset, { preparation }: { readonly preparation: FittedPreparation }) =>
  encode(preparation, dataset, allRows(dataset)).columns.map((column) => [...column]);
const refusal = (code: string, message: RegExp = /./) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) });

describe("preparation for linear estimators", () => {
  it("imputes the median, marks what was missing, then scales the imputed column", () => {
    const dataset = small([numericColumn("a.x", [1, 2, 6, Number.NaN])]);
    const fitted = fit(dataset, steps, "linear");
    const [x, missing] = columnsOf(dataset, fitted);
    // Imputed: 1, 2, 6, 2 with mean 2.75 and variance (1.75^2 + 0.75^2 + 3.25^2 + 0.75^2) / 4.
    const deviation = Math.sqrt((3.0625 + 0.5625 + 10.5625 + 0.5625) / 4);
    [1, 2, 6, 2].forEach((value, row) => {
      expect(x?.[row]).toBeCloseTo((value - 2.75) / deviation, 14);
    });
    expect(missing).toEqual([0, 0, 0, 1]);
    expect(namesOf(fitted)).toEqual(["a.x", "a.x is missing"]);
  });

  it("learns from the given rows only", () => {
    const dataset = small([numericColumn("a.x", [1, 3, 1_000, -7])]);
    const { preparation } = fit(dataset, steps, "linear", { rows: Uint32Array.of(0, 1) });
    expect(preparation.columns).toEqual([
      {
        name: "a.x",
        categories: 0,
        source: { kind: "number", feature: 0 },
        maps: [
          { kind: "fill", value: 2 },
          { kind: "scale", center: 2, scale: 1 },
        ],
      },
    ]);
  });

  it("gives rare categories one column, and puts unseen ones there too", () => {
    const dataset = small([categoricalColumn("a.carrier", ["AA", "AA", "AA", "UA", "UA", "UA", "HA", null])]);
    const fitted = fit(dataset, steps, "linear");
    expect(namesOf(fitted)).toEqual(["a.carrier=AA", "a.carrier=UA", "a.carrier is rare", "a.carrier is missing"]);
    const row = (value: FeatureValue) => [...encodeRow(fitted.preparation, [value])];
    expect(row("UA")).toEqual([0, 1, 0, 0]);
    expect(row("HA")).toEqual([0, 0, 1, 0]);
    expect(row("never seen")).toEqual([0, 0, 1, 0]);
    expect(row(null)).toEqual([0, 0, 0, 1]);
  });

  it("puts unseen categories nowhere if told to", () => {
    const dataset = small([categoricalColumn("a.carrier", ["AA", "AA", "AA", "UA", "UA", "UA", "HA", "HA"])]);
    const { preparation } = fit(dataset, [oneHot({ rare: 0.3, unseen: "none" })], "linear");
    expect([...encodeRow(preparation, ["HA"])]).toEqual([0, 0, 1]);
    expect([...encodeRow(preparation, ["never seen"])]).toEqual([0, 0, 0]);
  });

  it("takes categories that are called like members of every object", () => {
    const odd = ["constructor", "__proto__", "toString", "hasOwnProperty"];
    const dataset = small([categoricalColumn("a.odd", odd)]);
    for (const family of ["linear", "tree"] as const) {
      const { preparation } = fit(dataset, [], family);
      const copy: FittedPreparation = JSON.parse(JSON.stringify(preparation));
      for (const text of [...odd, "valueOf"]) {
        expect(encodeRow(copy, [text])).toEqual(encodeRow(preparation, [text]));
      }
      expect(encodeRow(preparation, ["constructor"])).not.toEqual(encodeRow(preparation, ["valueOf"]));
    }
  });

  it("leaves out columns without a value or with one value only", () => {
    const dataset = small([
      numericColumn("a.constant", [5, 5, 5, 5]),
      numericColumn("a.empty", [Number.NaN, Number.NaN, Number.NaN, Number.NaN]),
      categoricalColumn("a.nothing", [null, null, null, null]),
      categoricalColumn("a.same", ["x", "x", "x", "x"]),
      numericColumn("a.x", [1, 2, 3, 4]),
    ]);
    expect(namesOf(fit(dataset, steps, "linear"))).toEqual(["a.x"]);
    expect(namesOf(fit(dataset, steps, "tree"))).toEqual(["a.constant", "a.same", "a.x"]);
  });

  it("makes finite numbers of missing, infinite and enormous ones, with or without an impute step", () => {
    const values = [1, Number.POSITIVE_INFINITY, Number.NaN, 3, 1e308, -1e308];
    const dataset = small([numericColumn("a.x", values), numericColumn("a.y", [1, 2, 3, 4, 5, 1e200])]);
    const chains = [
      steps,
      [],
      [standardScale()],
      [polynomial(["x", "y"]), standardScale()],
      [logTransform({ signed: false })],
      [powerTransform()],
      [minMaxScale()],
      [quantileScale({ output: "normal" })],
    ];
    for (const chain of chains) {
      const { preparation } = fit(dataset, chain, "linear");
      for (const value of [...values, -1e308, 1e308, null]) {
        expect([...encodeRow(preparation, [value, value])].every(Number.isFinite)).toBe(true);
      }
    }
  });

  it("scales tiny magnitudes as well as ordinary ones", () => {
    const ordinary = [1, 2, 4, 8];
    const scaled = (unit: number) => {
      const dataset = small([
        numericColumn(
          "a.x",
          ordinary.map((x) => x * unit),
        ),
      ]);
      return columnsOf(dataset, fit(dataset, [standardScale()], "linear"))[0];
    };
    for (const unit of [1e-250, 1e250]) {
      scaled(unit)?.forEach((value, row) => {
        expect(value).toBeCloseTo(scaled(1)?.[row] ?? Number.NaN, 12);
      });
    }
  });

  it("refuses more columns than it could work with, and says how many", () => {
    const many = small([
      categoricalColumn(
        "a.id",
        Array.from({ length: 2_100 }, (_, i) => `N${i}`),
      ),
    ]);
    expect(() => fit(many, [], "linear")).toThrow(refusal("TRAIN_TOO_MANY_COLUMNS", /2100 categories.*more than 2000/));
    const wide = small(Array.from({ length: 80 }, (_, i) => numericColumn(`a.x${i}`, [i, 2, 3, i * i])));
    const all = wide.features.map(({ id }) => id);
    expect(() => fit(wide, [polynomial(all)], "linear")).toThrow(refusal("TRAIN_TOO_MANY_COLUMNS", /3240 products/));
  });
});

describe("bad input", () => {
  const dataset = flightsLike(40);

  it.each(["linear", "tree"] as const)("is refused where there is no row, or nothing in any row: %s", (family) => {
    expect(() => fit(dataset, steps, family, { rows: new Uint32Array(0) })).toThrow(refusal("TRAIN_NO_FEATURES"));
    const empty = small([numericColumn("a.x", [Number.NaN, Number.POSITIVE_INFINITY]), categoricalColumn("a.c", [null, null])]);
    expect(() => fit(empty, steps, family)).toThrow(refusal("TRAIN_NO_FEATURES"));
  });

  it("of one row is enough for trees; nothing varies in it for linear estimators", () => {
    const rows = Uint32Array.of(3);
    expect(fit(dataset, steps, "tree", { rows }).matrix.rows).toBe(1);
    expect(() => fit(dataset, steps, "linear", { rows })).toThrow(refusal("TRAIN_NO_FEATURES"));
    expect(() => fit(dataset, [targetEncode()], "tree", { rows })).toThrow(
      refusal("TRAIN_TOO_FEW_ROWS", /1 rows cannot make 5 folds/),
    );
  });

  it("of one class is encoded as any other", () => {
    const one = { ...dataset, label: new Uint8Array(40) };
    const { matrix } = fit(one, [targetEncode(), selectFeatures({ kind: "mutual-information", top: 2 })], "tree");
    expect(matrix.columns).toHaveLength(2);
  });

  it("may have more columns than rows", () => {
    const wide = small(Array.from({ length: 60 }, (_, i) => numericColumn(`a.x${i}`, [i, i * i, -i, 1])));
    expect(fit(wide, [standardScale()], "linear").matrix.columns).toHaveLength(60);
  });

  it("in the weights is refused", () => {
    const weighted = (weights: readonly number[]) => () =>
      fit(dataset, steps, "tree", { target: { values: new Uint8Array(40), weights: Float64Array.from(weights) } });
    for (const weights of [Array(40).fill(0), Array(39).fill(1), Array(40).fill(-1), Array(40).fill(Number.NaN)]) {
      expect(weighted(weights)).toThrow(refusal("TRAIN_WEIGHTS_INVALID"));
    }
  });

  it("of weights in any unit gives the same preparation", () => {
    const weights = Float64Array.from({ length: 40 }, (_, row) => 0.1 + (row % 3) / 7);
    const by = (unit: number) =>
      fit(dataset, [impute("median"), robustScale()], "linear", {
        target: { values: new Uint8Array(40), weights: weights.map((weight) => weight * unit) },
      });
    expect(by(2 ** -20).preparation).toEqual(by(1).preparation);
  });
});

describe("memory", () => {
  it("is asked for before it is taken, and refused with numbers", () => {
    const dataset = flightsLike(5_000);
    const within = (memoryLimit: number, chain: readonly PreparationStep[]) => () =>
      fit(dataset, chain, "linear", { memoryLimit });
    expect(within(2 ** 20, [oneHot()])).not.toThrow();
    expect(within(2 ** 17, [oneHot()])).toThrow(
      refusal("TRAIN_MEMORY_WOULD_NOT_SUFFICE", /5000 rows x 3 columns take 1 MB; 1 MB may be taken/),
    );
    expect(within(300_000, [oneHot()])).toThrow(
      refusal("TRAIN_MEMORY_WOULD_NOT_SUFFICE", /carrier has 5 categories.*x 7 columns/),
    );
    expect(within(200_000, [polynomial(["wind", "noise"])])).toThrow(
      refusal("TRAIN_MEMORY_WOULD_NOT_SUFFICE", /2 columns make 3 products/),
    );
  });
});

describe("preparation for trees", () => {
  it("keeps categories as codes in alphabetical order; missing and unseen ones are missing", () => {
    const dataset = small([categoricalColumn("a.c", ["x", "b", null, "x", "a"])]);
    const { preparation, matrix } = fit(dataset, steps, "tree");
    expect([...(matrix.columns[0] ?? [])]).toEqual([2, 1, Number.NaN, 2, 0]);
    expect(matrix.categories).toEqual([3]);
    expect(encodeRow(preparation, ["never seen"])[0]).toBeNaN();
    expect(encodeRow(preparation, [null])[0]).toBeNaN();
  });

  it("ranks categories by their smoothed share of positives if told to; unseen ones stand where an average one would", () => {
    const texts = [...Array(10).fill("low"), ...Array(10).fill("high"), "once", null];
    const label = [...Array(10).fill(0), ...Array(10).fill(1), 1, 0];
    const dataset = small([categoricalColumn("a.c", texts)], label);
    const { preparation } = fit(dataset, steps, "tree", { treeCategories: "rank" });
    // Prior 11/21. Smoothed: low (0 + 110/21) / 20 = 0.26, once (1 + 110/21) / 11 = 0.57, high (10 + 110/21) / 20 = 0.76.
    expect(preparation.encodings).toEqual([
      { categories: ["high", "low", "once"], values: [2, 0, 1], unseen: 0.5, missing: null },
    ]);
    expect(preparation.columns[0]?.categories).toBe(0);
    expect(encodeRow(preparation, ["never seen"])[0]).toBe(0.5);
    expect(encodeRow(preparation, [null])[0]).toBeNaN();
  });

  it("passes numbers on as they are, with NaN for missing", () => {
    const dataset = small([numericColumn("a.x", [1, Number.NaN, 3])]);
    const { preparation } = fit(dataset, steps, "tree");
    expect([...encodeRow(preparation, [1.5])]).toEqual([1.5]);
    expect([...encodeRow(preparation, [true])]).toEqual([1]);
    expect(encodeRow(preparation, [null])[0]).toBeNaN();
    expect(encodeRow(preparation, ["a text"])[0]).toBeNaN();
  });

  it("leaves out steps that only linear estimators need, unless they are said to be for all", () => {
    const dataset = small([numericColumn("a.x", [1, Number.NaN, 3])]);
    expect(fit(dataset, [impute()], "tree").preparation.columns[0]?.maps).toEqual([]);
    expect(fit(dataset, [impute("mean", { for: "all" })], "tree").preparation.columns[0]?.maps).toEqual([
      { kind: "fill", value: 2 },
    ]);
    expect(fit(dataset, [clip({ high: 2, for: "linear" })], "tree").preparation.columns[0]?.maps).toEqual([]);
  });
});

describe("a chain of steps", () => {
  it("works on what the last step left", () => {
    const dataset = small([numericColumn("a.x", [0, 1, 3])]);
    const [x] = columnsOf(dataset, fit(dataset, [logTransform(), minMaxScale()], "linear"));
    expect(x?.[1]).toBeCloseTo(0.5, 14);
  });

  it("works on the features that it names, by id or name, and leaves the others", () => {
    const dataset = small([numericColumn("a.x", [1, 2, 3]), numericColumn("b.y", [1, 2, 3])]);
    for (const name of ["a.x", "x"]) {
      const { columns } = fit(dataset, [standardScale({ on: [name] })], "linear").preparation;
      expect(columns.map(({ maps }) => maps.some(({ kind }) => kind === "scale"))).toEqual([true, false]);
    }
  });

  it.each<[string, PreparationStep, RegExp]>([
    ["a feature that there is not", standardScale({ on: ["z"] }), /names z, which is no feature/],
    ["a name that two features have", standardScale({ on: ["x"] }), /a\.x and b\.x/],
    ["categories where it needs numbers", standardScale({ on: ["c"] }), /works on numbers, and a\.c holds categories/],
    ["numbers where it needs categories", oneHot({ on: ["a.x"] }), /works on categories, and a\.x holds numbers/],
    ["a timestamp that was scaled before", dateParts({ on: ["t"] }), /works on timestamps as they are, and a\.t holds numbers/],
    ["a range that is none", minMaxScale({ low: 1, high: 1 }), /low is 1, not below high/],
    ["quantiles that are none", robustScale({ low: 0.8, high: 0.2 }), /low is 0.8, not below high/],
    ["bounds the wrong way round", clip({ low: 1, high: 0 }), /low is 1, not at most high/],
    ["quantiles to clip by that are none", clip({ quantiles: [0.5, 1.5] }), /between 0 and 1/],
    ["one quantile to scale by", quantileScale({ quantiles: 1 }), /quantiles is 1, not a whole number from 2/],
    ["a share above 1", oneHot({ rare: 2 }), /rare is 2, not a number from 0 to 1/],
    ["negative smoothing", targetEncode({ smooth: -1 }), /0 or more/],
    ["one fold", targetEncode({ folds: 1 }), /folds is 1, not a whole number from 2/],
    ["a constant that is none", impute("constant", { value: Number.NaN }), /value is NaN/],
    ["a constant without its value", impute("constant"), /lacks its value/],
    ["bounds that there are none of", clip({}), /neither low nor high/],
    ["products of nothing", polynomial([]), /on is \[\]/],
    ["an order that lacks a category", ordinal({ order: ["a"] }), /without b/],
    ["nothing to keep", selectFeatures({ kind: "f-test", top: 0 }), /top is 0, not a whole number from 1/],
    ["Box-Cox of zero", powerTransform({ method: "box-cox", on: ["a.x"] }), /positive numbers only, and a\.x has 0/],
  ])("refuses %s", (_, step, message) => {
    const dataset = small([
      numericColumn("a.x", [0, 1, 2, 3]),
      numericColumn("b.x", [5, 6, 7, 9]),
      numericColumn("a.t", [5, 6, 7, 9]),
      categoricalColumn("a.c", ["a", "b", "a", "b"]),
    ]);
    expect(() => fit(dataset, [standardScale({ on: ["t"] }), step], "linear")).toThrow(
      refusal("TRAIN_PARAMETER_INVALID", message),
    );
  });

  it("does not mind a step on a feature that is excluded or has no value", () => {
    const dataset = small([numericColumn("a.x", [1, 2, 3]), numericColumn("a.empty", [Number.NaN, Number.NaN, Number.NaN])]);
    expect(namesOf(fit(dataset, [standardScale({ on: ["empty"] })], "linear"))).toEqual(["a.x"]);
    const other = small([numericColumn("a.x", [1, 2, 3]), numericColumn("a.y", [1, 2, 4])]);
    expect(namesOf(fit(other, [standardScale({ on: ["x"] })], "linear", { exclude: ["a.x"] }))).toEqual(["a.y"]);
  });

  it("fills categories with the most frequent or a constant one, and marks where", () => {
    const dataset = small([categoricalColumn("a.c", ["x", null, "x", "y"])]);
    const frequent = fit(dataset, [impute("mostFrequent"), ordinal()], "linear");
    expect(columnsOf(dataset, frequent)).toEqual([
      [0, 0, 0, 1],
      [0, 1, 0, 0],
    ]);
    expect([...encodeRow(frequent.preparation, [null])]).toEqual([0, 1]);
    const constant = fit(dataset, [impute("constant", { value: "none", indicator: false })], "linear");
    expect(namesOf(constant)).toEqual(["a.c=none", "a.c=x", "a.c=y"]);
    expect([...encodeRow(constant.preparation, [null])]).toEqual([1, 0, 0]);
  });

  it("orders categories as told, and takes places for categories to come", () => {
    const dataset = small([categoricalColumn("a.c", ["low", "high", null, "low"])]);
    const fitted = fit(dataset, [ordinal({ order: ["low", "mid", "high"] })], "tree");
    expect([...(fitted.matrix.columns[0] ?? [])]).toEqual([0, 2, Number.NaN, 0]);
    expect(encodeRow(fitted.preparation, ["mid"])[0]).toBe(1);
    expect(encodeRow(fitted.preparation, ["other"])[0]).toBeNaN();
  });

  it("encodes categories by their share of the rows; unseen ones have none", () => {
    const dataset = small([categoricalColumn("a.c", ["x", "x", null, "y"])]);
    const fitted = fit(dataset, [frequencyEncode()], "linear");
    expect(columnsOf(dataset, fitted)).toEqual([[0.5, 0.5, 0.25, 0.25]]);
    expect([...encodeRow(fitted.preparation, ["z"])]).toEqual([0]);
  });

  it("takes timestamps apart, those that are said to be timestamps unless others are named", () => {
    const at = [Date.UTC(2024, 1, 29, 23, 59), Date.UTC(1969, 11, 31, 0, 1), Date.UTC(2000, 0, 1)].map((ms) => ms * 1_000);
    const dataset = small([numericColumn("a.at", at), numericColumn("a.x", [1, 2, 3])]);
    const parts = ["year", "month", "day", "dayOfWeek", "dayOfYear", "hour", "minute", "weekend"] as const;
    const fitted = fit(dataset, [dateParts({ parts })], "tree", { timestamps: ["a.at"] });
    expect(namesOf(fitted)).toEqual([...parts.map((part) => `a.at.${part}`), "a.x"]);
    // 29 February 2024 was a Thursday, 31 December 1969 a Wednesday, 1 January 2000 a Saturday.
    expect([...encodeRow(fitted.preparation, [at[0], 0])].slice(0, 8)).toEqual([2024, 2, 29, 3, 60, 23, 59, 0]);
    expect([...encodeRow(fitted.preparation, [at[1], 0])].slice(0, 8)).toEqual([1969, 12, 31, 2, 365, 0, 1, 0]);
    expect([...encodeRow(fitted.preparation, [at[2], 0])].slice(0, 8)).toEqual([2000, 1, 1, 5, 1, 0, 0, 1]);
    expect([...encodeRow(fitted.preparation, [null, 0])].slice(0, 8).every(Number.isNaN)).toBe(true);
    expect(namesOf(fit(dataset, [dateParts({ parts: ["hour"] })], "tree"))).toEqual(["a.at", "a.x"]);
  });

  it("gives dates as JavaScript's own calendar does", () => {
    const dataset = small([numericColumn("a.at", [0, 1])]);
    const { preparation } = fit(
      dataset,
      [dateParts({ on: ["at"], parts: ["year", "month", "day", "dayOfWeek", "dayOfYear", "hour", "minute"] })],
      "tree",
    );
    fc.assert(
      fc.property(fc.integer({ min: -4_000_000_000_000, max: 8_000_000_000_000 }), (millis) => {
        const date = new Date(millis);
        expect([...encodeRow(preparation, [millis * 1_000 + 999])]).toEqual([
          date.getUTCFullYear(),
          date.getUTCMonth() + 1,
          date.getUTCDate(),
          (date.getUTCDay() + 6) % 7,
          1 + (date.setUTCHours(0, 0, 0, 0) - Date.UTC(date.getUTCFullYear(), 0, 1)) / 86_400_000,
          new Date(millis).getUTCHours(),
          new Date(millis).getUTCMinutes(),
        ]);
      }),
    );
  });

  it("lays periodic parts on a circle, and can keep the timestamp", () => {
    const noon = Date.UTC(2024, 0, 1, 12) * 1_000;
    const dataset = small([numericColumn("a.at", [noon, 0, 1])]);
    const { preparation } = fit(dataset, [dateParts({ on: ["at"], parts: ["hour"], cyclic: true, keep: true })], "tree");
    const [at, sine, cosine] = encodeRow(preparation, [noon]);
    expect(at).toBe(noon);
    expect(sine).toBeCloseTo(0, 14);
    expect(cosine).toBeCloseTo(-1, 14);
  });

  it("multiplies columns of different features, and squares numbers if it is to be a polynomial", () => {
    const dataset = small([
      numericColumn("a.x", [1, 2, 3]),
      categoricalColumn("a.c", ["p", "q", "p"]),
      numericColumn("a.y", [5, 7, 9]),
    ]);
    const crossed = fit(dataset, [oneHot(), interactions(["x", "c"])], "linear");
    expect(namesOf(crossed)).toEqual(["a.x", "a.c=p", "a.c=q", "a.y", "a.x x a.c=p", "a.x x a.c=q"]);
    expect(columnsOf(dataset, crossed).slice(4)).toEqual([
      [1, 0, 3],
      [0, 2, 0],
    ]);
    expect(crossed.preparation.columns.map(featuresOf)).toEqual([[0], [1], [1], [2], [0, 1], [0, 1]]);
    const squared = fit(dataset, [polynomial(["x", "y"])], "tree");
    expect(namesOf(squared)).toEqual(["a.x", "a.c", "a.y", "a.x^2", "a.x x a.y", "a.y^2"]);
    expect(encodeRow(squared.preparation, [2, "p", 10]).subarray(3)).toEqual(Float64Array.of(4, 20, 100));
  });

  it("keeps of each criterion the columns that it thinks best", () => {
    const dataset = flightsLike(2_000);
    const select = (by: Parameters<typeof selectFeatures>[0], family: EstimatorFamily = "linear") =>
      namesOf(fit(dataset, [impute("mean"), oneHot(), selectFeatures(by)], family));
    expect(select({ kind: "mutual-information", top: 1 })).toEqual(["weather.wind"]);
    expect(select({ kind: "f-test", top: 2 })).toEqual(["weather.wind", "on-demand.carrier=UA"]);
    expect(select({ kind: "l1", c: 0.02 })).toEqual(["weather.wind", "on-demand.carrier=UA"]);
    expect(select({ kind: "variance", above: 1 })).toEqual(["weather.wind"]);
    expect(select({ kind: "mutual-information", top: 2 }, "tree")).toEqual(["weather.wind", "on-demand.carrier"]);
    expect(select({ kind: "f-test", top: 1 }, "tree")).toEqual(["weather.wind", "on-demand.carrier"]);
  });

  it("takes 100,000 categories in any way but one column each", () => {
    const texts = Array.from({ length: 100_000 }, (_, i) => `N${i}`);
    const dataset = small([categoricalColumnOf("a.id", texts)]);
    for (const step of [frequencyEncode(), targetEncode(), ordinal()]) {
      expect(fit(dataset, [step], "tree").preparation.columns).toHaveLength(1);
    }
    expect(fit(dataset, [], "tree").matrix.categories).toEqual([100_000]);
    expect(() => fit(dataset, [oneHot()], "linear")).toThrow(refusal("TRAIN_TOO_MANY_COLUMNS", /100000 categories/));
    const oneFrequent = small([categoricalColumnOf("a.id", [...texts, ...Array(2_000).fill("N0")])]);
    expect(namesOf(fit(oneFrequent, [oneHot({ rare: 0.01 })], "linear"))).toEqual(["a.id=N0", "a.id is rare"]);
  });
});

/** As categoricalColumn, for texts that are all different. */
const categoricalColumnOf = (id: string, texts: readonly string[]): FeatureColumn => {
  const codeOf = new Map<string, number>();
  const codes = Int32Array.from(texts, (text) => {
    const code = codeOf.get(text) ?? codeOf.size;
    codeOf.set(text, code);
    return code;
  });
  return { kind: "categorical", id, codes, categories: [...codeOf.keys()] };
};
