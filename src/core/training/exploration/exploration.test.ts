import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type GoldenName, goldenData } from "../../../../test/fixtures/golden-data.ts";
import { categoricalColumn, datasetOf, flightsLike, numericColumn, uniform } from "../../../../test/fixtures/training-data.ts";
import golden from "../../../../test/golden/preparation.json" with { type: "json" };
import { DAY, HOUR } from "../../time.ts";
import type { Dataset, FeatureColumn } from "../dataset.ts";
import { seededRandom } from "../random.ts";
import { classBalance } from "./class-balance.ts";
import { correlationMatrix, pearson, spearman } from "./correlation.ts";
import { type DiscreteColumn, discretize } from "./discretize.ts";
import { labelTarget } from "./exploration-target.ts";
import { exploreTrainingSet } from "./explore-training-set.ts";
import { profileFeatures } from "./feature-profile.ts";
import { shareEstimate } from "./intervals.ts";
import { leakageSuspicions } from "./leakage-suspicions.ts";
import { mutualInformation } from "./mutual-information.ts";
import { targetRelations } from "./target-relation.ts";

const allRows = ({ rows }: Pick<Dataset, "rows">) => Uint32Array.from({ length: rows }, (_, row) => row);

function featureOf(name: GoldenName, id: string): FeatureColumn {
  const column = goldenData(name).columns[id] ?? [];
  return column instanceof Float64Array ? numericColumn(id, column) : categoricalColumn(id, column);
}

function datasetFrom(name: GoldenName, ids: readonly string[]): Dataset {
  const { target } = goldenData(name);
  return datasetOf({ features: ids.map((id) => featureOf(name, id)), label: Uint8Array.from(target) });
}

/** Relative 1e-10, as sums are compared. */
function expectAlike(actual: number | null | undefined, expected: number): void {
  const difference = Math.abs((actual ?? Number.NaN) - expected);
  expect(difference, `${actual} is not ${expected}`).toBeLessThanOrEqual(Math.max(1e-12, 1e-10 * Math.abs(expected)));
}

describe("mutual information", () => {
  const flights = goldenData("flights");
  const discrete = (id: string): DiscreteColumn => {
    const column = flights.columns[id] ?? [];
    if (column instanceof Float64Array) return discretize(column, 1_000);
    const { codes, categories } = categoricalColumn(id, column);
    return { codes, count: categories.length };
  };
  const target = { codes: Int32Array.from(flights.target), count: 2 };

  it("is scikit-learn's of discrete columns (1e-10)", () => {
    for (const [id, expected] of Object.entries(golden.information.withTarget)) {
      expectAlike(mutualInformation(discrete(id), target).plain, expected);
    }
    expectAlike(mutualInformation(discrete("carrier"), discrete("origin")).plain, golden.information.carrierOrigin);
    expectAlike(mutualInformation(discrete("dest"), discrete("month")).plain, golden.information.destMonth);
  });

  it("is about 0 for independent columns once corrected, and far from it plain", () => {
    const random = seededRandom(3);
    const column = (count: number) => ({ codes: Int32Array.from({ length: 2_000 }, () => random.below(count)), count });
    const { plain, corrected } = mutualInformation(column(40), column(10));
    expect(plain).toBeGreaterThan(0.07);
    expect(corrected).toBeLessThan(0.015);
  });

  it("is symmetric, not negative, at most either entropy, and takes a weight of 2 for two rows", () => {
    const rows = fc.array(
      fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 })),
      {
        minLength: 1,
        maxLength: 60,
      },
    );
    fc.assert(
      fc.property(rows, (drawn) => {
        const x = { codes: Int32Array.from(drawn, ([each]) => each), count: 5 };
        const y = { codes: Int32Array.from(drawn, ([, each]) => each), count: 4 };
        const { plain, corrected } = mutualInformation(x, y);
        expect(plain).toBeCloseTo(mutualInformation(y, x).plain, 12);
        expect(corrected).toBeGreaterThanOrEqual(0);
        expect(plain).toBeLessThanOrEqual(mutualInformation(x, x).plain + 1e-12);
        const weights = Float64Array.from(drawn, ([, , weight]) => weight);
        const repeat = ({ codes, count }: DiscreteColumn) => ({
          codes: Int32Array.from([...codes].flatMap((code, row) => Array<number>(weights[row] ?? 0).fill(code))),
          count,
        });
        const [weighted, repeated] = [mutualInformation(x, y, weights), mutualInformation(repeat(x), repeat(y))];
        expect(weighted.plain).toBeCloseTo(repeated.plain, 12);
        expect(weighted.corrected).toBeCloseTo(repeated.corrected, 12);
      }),
    );
  });
});

describe("correlations", () => {
  const { columns, pearson: pearsons, spearman: spearmans } = golden.correlation;

  it("are those of pandas, over the rows that have both (1e-10)", () => {
    const dataset = datasetFrom("flights", columns);
    for (const [method, expected] of [
      ["pearson", pearsons],
      ["spearman", spearmans],
    ] as const) {
      const { features, values } = correlationMatrix(dataset, allRows(dataset), method);
      expect(features).toEqual(columns);
      values.forEach((row, a) => {
        row.forEach((value, b) => {
          expectAlike(value, expected[a]?.[b] ?? Number.NaN);
        });
      });
    }
  });

  it("are undefined for a constant, for one row and where no row has both", () => {
    const pairs = [
      [
        [1, 1, 1],
        [1, 2, 3],
      ],
      [
        [0.1, 0.1, 0.1],
        [1, 2, 3],
      ],
      [[1], [2]],
      [[], []],
      [
        [1, Number.NaN],
        [Number.NaN, 2],
      ],
    ];
    for (const [x = [], y = []] of pairs) {
      expect(pearson(x, y)).toBeNull();
      expect(spearman(Float64Array.from(x), Float64Array.from(y))).toBeNull();
    }
    expect(pearson([1e-200, 2e-200, 3e-200], [1e200, 2e200, 3e200])).toBeCloseTo(1, 12);
  });
});

describe("the profile of features", () => {
  it.each(golden.profile.map((each) => [each.column, each] as const))("has NumPy's and SciPy's figures: %s", (_, each) => {
    const dataset = datasetFrom(each.data as GoldenName, [each.column]);
    const [profile] = profileFeatures(dataset, allRows(dataset));
    if (profile?.kind !== "number") throw new Error("not a number");
    expect(profile.rows - profile.missing).toBe(each.count);
    expect(profile.distinct).toBe(each.distinct);
    for (const name of ["mean", "deviation", "skewness", "kurtosis", "min", "max"] as const) {
      expectAlike(profile.moments?.[name], each[name]);
    }
    profile.quantiles.forEach(({ value }, index) => {
      expectAlike(value, each.quantiles[index] ?? Number.NaN);
    });
    expect(profile.histogram.map(({ rows }) => rows)).toEqual(each.histogram);
    profile.histogram.forEach(({ from, to }, bin) => {
      expectAlike(from, each.edges[bin] ?? Number.NaN);
      expectAlike(to, each.edges[bin + 1] ?? Number.NaN);
    });
  });

  it("is defined for columns without values, with one value, with infinities, and for no rows", () => {
    const { NaN: missing, POSITIVE_INFINITY: infinite } = Number;
    const dataset = datasetOf({
      features: [
        numericColumn("a.empty", [missing, missing, missing]),
        numericColumn("a.same", [5, 5, missing]),
        numericColumn("a.infinite", [1, infinite, -infinite]),
        categoricalColumn("a.none", [null, null, null]),
        categoricalColumn("a.some", ["x", null, "x"]),
      ],
      label: new Uint8Array(3),
    });
    const [empty, same, infinities, none, some] = profileFeatures(dataset, allRows(dataset));
    expect(empty).toMatchObject({ missing: 3, distinct: 0, moments: null, quantiles: [], histogram: [] });
    expect(same).toMatchObject({
      moments: { deviation: 0, skewness: null, min: 5, max: 5 },
      histogram: [{ from: 5, to: 5, rows: 2 }],
    });
    expect(infinities).toMatchObject({ missing: 2, distinct: 1 });
    expect(none).toMatchObject({ missing: 3, distinct: 0, top: [], entropy: 0 });
    expect(some).toMatchObject({ missing: 1, distinct: 1, top: [{ category: "x", rows: 2 }], entropy: 0, singletons: 0 });
    for (const profile of profileFeatures(dataset, new Uint32Array(0))) expect(profile).toMatchObject({ rows: 0, distinct: 0 });
  });

  it("counts every value in one bin of the histogram", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ noNaN: true, min: -1e300, max: 1e300 }), { minLength: 1, maxLength: 80 }), (values) => {
        const dataset = datasetOf({ features: [numericColumn("a.x", values)], label: new Uint8Array(values.length) });
        const [profile] = profileFeatures(dataset, allRows(dataset));
        if (profile?.kind !== "number") throw new Error("not a number");
        expect(profile.histogram.reduce((sum, { rows }) => sum + rows, 0)).toBe(values.length);
        for (const { from, to, rows } of profile.histogram.slice(0, -1)) {
          expect(values.filter((value) => value >= from && value < to)).toHaveLength(rows);
        }
      }),
    );
  });
});

describe("class balance", () => {
  it("says how frequent classes are, and how that changes over time", () => {
    const labels = Uint8Array.from({ length: 1_000 }, (_, row) => (row >= 500 && row % 2 === 0 ? 1 : 0));
    const dataset = datasetOf({ features: [], label: labels });
    const balance = classBalance(dataset, allRows(dataset), labels);
    expect(balance.classes.map(({ rows }) => rows)).toEqual([750, 250]);
    expect(balance.imbalance).toBe(3);
    expect(balance.periods.map(({ rows }) => rows)).toEqual(Array(10).fill(100));
    expect(balance.periods.map(({ shares }) => shares[1]?.value)).toEqual([0, 0, 0, 0, 0, 0.5, 0.5, 0.5, 0.5, 0.5]);
    expect(classBalance(dataset, allRows(dataset), new Uint8Array(1_000)).imbalance).toBeNull();
    expect(classBalance(dataset, new Uint32Array(0), [])).toEqual({ rows: 0, classes: [], imbalance: null, periods: [] });
  });
});

describe("the relation to the target", () => {
  it("has each category's share of positives, with Wilson's interval as SciPy gives it (1e-10)", () => {
    const dataset = datasetFrom("flights", ["carrier"]);
    const [relation] = targetRelations(dataset, allRows(dataset), labelTarget(dataset, allRows(dataset)));
    const expected: Readonly<Record<string, { rows: number; rate: number; interval: readonly number[] }>> = golden.relation;
    expect(relation?.bins).toHaveLength(Object.keys(expected).length);
    for (const { of, rows, target } of relation?.bins ?? []) {
      const carrier = of.kind === "category" ? (of.category ?? "") : "";
      expect(rows).toBe(expected[carrier]?.rows);
      expectAlike(target[0]?.value, expected[carrier]?.rate ?? Number.NaN);
      expectAlike(target[0]?.low, expected[carrier]?.interval[0] ?? Number.NaN);
      expectAlike(target[0]?.high, expected[carrier]?.interval[1] ?? Number.NaN);
    }
  });

  it("never leaves 0 … 1, and holds the share itself", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000 }), fc.double({ min: 0, max: 1, noNaN: true }), (rows, share) => {
        const { value, low, high } = shareEstimate(Math.round(rows * share), rows);
        expect(low).toBeGreaterThanOrEqual(0);
        expect(low).toBeLessThanOrEqual(value + 1e-15);
        expect(high).toBeGreaterThanOrEqual(value - 1e-15);
        expect(high).toBeLessThanOrEqual(1);
      }),
    );
  });

  it("puts every row in one bin, missing ones in their own, and finds what the label was made of", () => {
    const dataset = flightsLike(3_000);
    const rows = allRows(dataset).slice(100);
    const [wind, carrier, noise] = targetRelations(dataset, rows, labelTarget(dataset, rows));
    for (const relation of [wind, carrier, noise]) {
      expect(relation?.bins.reduce((sum, bin) => sum + bin.rows, 0)).toBe(2_900);
    }
    expect(wind?.bins.filter(({ of }) => of.kind === "missing")).toHaveLength(1);
    expect(wind?.bins).toHaveLength(11);
    expect(wind?.auc).toBeGreaterThan(0.75);
    expect(noise?.auc).toBeLessThan(0.53);
    expect(wind?.mutualInformation).toBeGreaterThan(20 * (noise?.mutualInformation ?? 0));
    expect(carrier).toMatchObject({ pearson: null, spearman: null });
    expect(wind?.spearman).toBeGreaterThan(0.4);
  });

  it("tells of numbers by their mean, and of more classes by the share of each", () => {
    const dataset = datasetOf({ features: [numericColumn("a.x", [0, 0, 1, 1, 1])], label: new Uint8Array(5) });
    const [regression] = targetRelations(dataset, allRows(dataset), {
      values: Float64Array.of(1, 3, 10, 10, 10),
      task: "regression",
    });
    expect(regression?.bins[0]?.target[0]?.value).toBe(2);
    // Two values 2 apart: the mean's standard error is 1, and Student's 0.975 quantile at one degree of freedom is 12.7062.
    expect(regression?.bins[0]?.target[0]?.high).toBeCloseTo(2 + 12.706204736, 8);
    expect(regression?.bins[1]?.target[0]).toEqual({ value: 10, low: 10, high: 10 });
    const [classes] = targetRelations(dataset, allRows(dataset), { values: Int32Array.of(0, 1, 2, 2, 2), task: "multiclass" });
    expect(classes?.bins[1]?.target.map(({ value }) => value)).toEqual([0, 0, 1]);
    expect(classes).toMatchObject({ auc: null, pearson: null });
  });

  it("lists the twenty most frequent categories and the others together", () => {
    const texts = Array.from({ length: 500 }, (_, row) => `c${Math.floor(Math.sqrt(row * 4))}`);
    const dataset = datasetOf({
      features: [categoricalColumn("a.c", texts)],
      label: Uint8Array.from({ length: 500 }, (_, row) => row % 2),
    });
    const [relation] = targetRelations(dataset, allRows(dataset), labelTarget(dataset, allRows(dataset)));
    expect(relation?.bins).toHaveLength(21);
    expect(relation?.bins.at(-1)?.of).toEqual({ kind: "category", category: null });
  });
});

describe("suspicions of leakage", () => {
  const draw = uniform(9);
  const rows = 1_000;
  const label = Uint8Array.from({ length: rows }, () => (draw() < 0.3 ? 1 : 0));
  const from = (compute: (row: number) => number) => Array.from({ length: rows }, (_, row) => compute(row));
  const plain = datasetOf({ features: [], label });
  const features: Readonly<Record<string, FeatureColumn>> = {
    honest: numericColumn(
      "a.honest",
      from((row) => draw() + 0.3 * (label[row] ?? 0)),
    ),
    delay: numericColumn(
      "a.delay",
      from((row) => ((label[row] ?? 0) === 1 ? 20 : 0) + 18 * draw()),
    ),
    copy: numericColumn(
      "a.copy",
      from((row) => 3 - 2 * (label[row] ?? 0)),
    ),
    reason: numericColumn(
      "a.reason",
      from((row) => (label[row] === 1 && draw() < 0.5 ? draw() : Number.NaN)),
    ),
    kind: categoricalColumn(
      "a.kind",
      from((row) => label[row] ?? 0).map((each, row) => (row % 60 === 0 ? "x" : `k${each}`)),
    ),
    id: categoricalColumn(
      "a.id",
      from((row) => row).map((row) => `id${row}`),
    ),
    counter: numericColumn(
      "a.counter",
      from((row) => 10 * row + draw()),
    ),
    landed: numericColumn(
      "a.landed",
      from((row) => (plain.at[row] ?? 0) + 2 * HOUR + (label[row] ?? 0) * HOUR + draw() * HOUR),
    ),
    scheduled: numericColumn(
      "a.scheduled",
      from((row) => (plain.at[row] ?? 0) + 2 * HOUR + (row % 7) * DAY),
    ),
    written: numericColumn("a.written", plain.labelAt),
  };
  const suspicionsOf = (...names: string[]) => {
    const dataset = { ...plain, features: names.flatMap((name) => features[name] ?? []) };
    const target = labelTarget(dataset, allRows(dataset));
    const timestamps = ["a.landed", "a.scheduled", "a.written"];
    const relations = targetRelations(dataset, allRows(dataset), target);
    return leakageSuspicions(dataset, allRows(dataset), target, relations, { timestamps });
  };

  it.each([
    ["a feature that tells the answer alone", "delay", ["tells-alone"]],
    ["the label in other numbers", "copy", ["tells-alone", "equals-target"]],
    ["a value that only one class has", "reason", ["missing-by-class"]],
    ["categories made of the label", "kind", ["tells-alone"]],
    ["an id", "id", ["identifies-rows"]],
    ["a counter", "counter", ["tells-time"]],
    ["the time of the outcome", "landed", ["after-prediction", "tells-time"]],
    ["the time at which the label was written", "written", ["is-label-time", "tells-time"]],
  ])("fall on %s", (_, name, kinds) => {
    const found = suspicionsOf("honest", name);
    expect(found.map(({ feature }) => feature)).toEqual(kinds.map(() => `a.${name}`));
    expect(found.map(({ kind }) => kind)).toEqual(kinds);
    for (const { figure, says } of found) {
      expect(figure).toBeGreaterThan(0.45);
      expect(figure).toBeLessThanOrEqual(1);
      expect(says).toMatch(/^[A-Z].*[.]$/);
    }
  });

  it("fall on a feature that is far better than several others, which alone it would not be", () => {
    const strong = numericColumn(
      "a.strong",
      from((row) => 2 * draw() + (label[row] ?? 0)),
    );
    const noise = [1, 2, 3, 4].map((each) => numericColumn(`a.noise${each}`, from(draw)));
    const kindsOf = (columns: readonly FeatureColumn[]) => {
      const dataset = { ...plain, features: columns };
      return exploreTrainingSet(dataset, allRows(dataset), labelTarget(dataset, allRows(dataset))).suspicions.map(
        ({ feature, kind, figure }) => [feature, kind, figure > 0.6 && figure < 0.9],
      );
    };
    expect(kindsOf([strong, ...noise])).toEqual([["a.strong", "far-above-rest", true]]);
    expect(kindsOf([strong, ...noise.slice(1)])).toEqual([]);
    // Beside another good one it is no surprise.
    const good = numericColumn(
      "a.good",
      from((row) => 2.6 * draw() + (label[row] ?? 0)),
    );
    expect(kindsOf([strong, good, ...noise])).toEqual([]);
  });

  it("do not fall on honest features, nor on a schedule that lies ahead", () => {
    expect(suspicionsOf("honest", "scheduled")).toEqual([]);
    const flights = flightsLike(3_000);
    expect(exploreTrainingSet(flights, allRows(flights), labelTarget(flights, allRows(flights))).suspicions).toEqual([]);
  });

  it("take other limits", () => {
    const dataset = flightsLike(3_000);
    const target = labelTarget(dataset, allRows(dataset));
    const { suspicions } = exploreTrainingSet(dataset, allRows(dataset), target, { limits: { auc: 0.75 } });
    expect(suspicions.map(({ feature }) => feature)).toEqual(["weather.wind"]);
  });
});

describe("exploring a training set", () => {
  it("is plain JSON, also for no rows, one row and one class", () => {
    const dataset = flightsLike(300);
    for (const rows of [allRows(dataset), Uint32Array.of(7), new Uint32Array(0)]) {
      const exploration = exploreTrainingSet(dataset, rows, labelTarget(dataset, rows));
      expect(JSON.parse(JSON.stringify(exploration))).toEqual(exploration);
      expect(exploration.rows).toBe(rows.length);
    }
    const one = { values: new Uint8Array(300), task: "binary" } as const;
    const { relations, suspicions } = exploreTrainingSet(dataset, allRows(dataset), one);
    expect(relations.map(({ auc, explained }) => [auc, explained])).toEqual([
      [null, 0],
      [null, 0],
      [null, 0],
    ]);
    expect(suspicions).toEqual([]);
  });

  it("looks at so many evenly spaced rows where it has to sort", () => {
    const dataset = flightsLike(3_000);
    const { rows, sampledRows, relations, features } = exploreTrainingSet(
      dataset,
      allRows(dataset),
      labelTarget(dataset, allRows(dataset)),
      { maxRows: 500 },
    );
    expect([rows, sampledRows]).toEqual([3_000, 500]);
    expect(features[0]?.rows).toBe(3_000);
    expect(relations[0]?.bins.reduce((sum, bin) => sum + bin.rows, 0)).toBe(500);
  });
});
