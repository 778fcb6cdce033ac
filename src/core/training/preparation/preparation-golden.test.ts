import { describe, expect, it } from "vitest";
import { type GoldenName, goldenData } from "../../../../test/fixtures/golden-data.ts";
import { categoricalColumn, datasetOf, numericColumn } from "../../../../test/fixtures/training-data.ts";
import golden from "../../../../test/golden/preparation.json" with { type: "json" };
import { frequencyEncode, oneHot, ordinal, type PreparationStep, selectFeatures, targetEncode } from "../../definitions/index.ts";
import type { Dataset, FeatureColumn } from "../dataset.ts";
import { classSeparation, linearSeparation } from "../exploration/f-test.ts";
import type { Target } from "../matrix.ts";
import type { Task } from "../model.ts";
import { assignKFold, assignStratifiedKFold } from "../splits/folds.ts";
import { columnSample, deviationOf, momentsOf, quantilesOf } from "./column-sample.ts";
import { encode, encodeRow } from "./encode.ts";
import { fitPreparation } from "./fit-preparation.ts";
import { normalQuantile } from "./normal-quantile.ts";
import { compileMap } from "./number-maps.ts";
import { outOfFold, smoothedMeans } from "./target-encoding.ts";

/** Values to 1e-12, or relative to 1e-10 of larger ones: the tolerance of everything here but powers found by search. */
function expectAlike(actual: number | undefined, expected: number | null, relative = 1e-10, absolute = 1e-12): void {
  if (expected === null) {
    expect(actual).toBeNaN();
    return;
  }
  const difference = Math.abs((actual ?? Number.NaN) - expected);
  expect(difference, `${actual} is not ${expected}`).toBeLessThanOrEqual(Math.max(absolute, relative * Math.abs(expected)));
}

/** The golden file keeps every n-th row. */
const keptRows = (rows: number): Uint32Array =>
  Uint32Array.from({ length: golden.kept }, (_, index) => index * Math.floor(rows / golden.kept));

function expectRows(
  columns: readonly Float64Array[],
  expected: readonly (readonly (number | null)[])[],
  relative?: number,
): void {
  expect(columns).toHaveLength(expected.length);
  columns.forEach((column, index) => {
    expected[index]?.forEach((value, row) => {
      expectAlike(column[row], value, relative);
    });
  });
}

function datasetFrom(name: GoldenName, names: readonly string[]): Dataset {
  const data = goldenData(name);
  const features = names.map((id): FeatureColumn => {
    const column = data.columns[id] ?? [];
    return column instanceof Float64Array ? numericColumn(id, column) : categoricalColumn(id, column);
  });
  return datasetOf({ features, label: new Uint8Array(data.rows) });
}

const allRows = ({ rows }: Dataset): Uint32Array => Uint32Array.from({ length: rows }, (_, row) => row);

/** Trees keep missing values and constant columns, so that the step alone is seen. */
function fitStep(dataset: Dataset, step: PreparationStep, target?: Target, task: Task = "binary") {
  const given = target ?? { values: dataset.label };
  return fitPreparation(dataset, allRows(dataset), {
    steps: [{ ...step, for: "all" }],
    family: "tree",
    target: given,
    task,
    seed: 1,
  });
}

describe("steps on numbers", () => {
  it.each(golden.numbers.map((each) => [each.name, each] as const))("give the figures of %s", (_, each) => {
    const dataset = datasetFrom(each.data as GoldenName, each.columns);
    // What the golden file holds of a step is a PreparationStep, which JSON's type cannot say.
    const { preparation } = fitStep(dataset, each.step as PreparationStep);
    const { columns } = encode(preparation, dataset, keptRows(dataset.rows));
    if (each.lambda === undefined) {
      const order = each.step.kind === "products" ? inPlacesOf(each.columns, each.step.squares === true) : [...columns.keys()];
      expectRows(
        order.map((index) => columns[index] ?? new Float64Array(0)),
        each.expected,
      );
      return;
    }
    // Both sides search for the power; near its maximum the likelihood is flat, so that the power itself is found to about 1e-7.
    const [power] = preparation.columns[0]?.maps ?? [];
    expect(power).toMatchObject({ kind: "power" });
    if (power?.kind === "power") expectAlike(power.lambda, each.lambda, 1e-6, 1e-6);
    expectRows(columns, each.expected, 1e-5);
  });

  it("give Yeo-Johnson's and Box-Cox's figures for a given power", () => {
    for (const { method, lambda, x, expected } of golden.powers) {
      const transform = compileMap({ kind: "power", method: method === "box-cox" ? "box-cox" : "yeo-johnson", lambda });
      x.forEach((value, index) => {
        expectAlike(transform(value), expected[index] ?? null, 1e-12);
      });
    }
  });

  it("give SciPy's normal quantiles (relative 1e-12)", () => {
    const { probability, expected } = golden.normalQuantile;
    probability.forEach((each, index) => {
      expectAlike(normalQuantile(each), expected[index] ?? null, 1e-12, 1e-15);
    });
    expect(normalQuantile(0)).toBe(Number.NEGATIVE_INFINITY);
    expect(normalQuantile(1)).toBe(Number.POSITIVE_INFINITY);
  });

  it("weigh rows as StandardScaler does, and quantiles as NumPy's of repeated rows", () => {
    const { x, weights, mean, deviation, repeated } = golden.weighted;
    const sample = columnSample(Float64Array.from(x), Float64Array.from(weights));
    expectAlike(momentsOf(sample).mean, mean);
    expectAlike(deviationOf(sample), deviation);
    expectAlike(momentsOf(sample).mean, repeated.mean);
    quantilesOf(sample, [0.1, 0.5, 0.77]).forEach((value, index) => {
      expectAlike(value, repeated.quantiles[index] ?? null);
    });
  });
});

/** scikit-learn lists a column's square and products together: a, b, c, aa, ab, ac, bb, bc, cc. Ours are in the same order after all columns. */
function inPlacesOf(columns: readonly string[], squares: boolean): number[] {
  const pairs = (columns.length * (columns.length + (squares ? 1 : -1))) / 2;
  return Array.from({ length: columns.length + pairs }, (_, index) => index);
}

describe("steps on categories", () => {
  const steps: Readonly<Record<string, PreparationStep>> = {
    OneHotEncoder: oneHot({ rare: 0.08 }),
    OrdinalEncoder: ordinal(),
    "shares by pandas": frequencyEncode(),
  };

  it.each(golden.categories.map((each) => [each.name, each] as const))("give the figures of %s", (name, each) => {
    const dataset = datasetFrom("flights", each.columns);
    const { preparation } = fitStep(dataset, steps[name] ?? ordinal());
    expectRows(encode(preparation, dataset, keptRows(dataset.rows)).columns, each.expected);
  });

  const flights = goldenData("flights");
  const hours = flights.columns.departure_hour;
  const minutes = flights.columns.scheduled_minutes;
  const targetOf = (name: string): Float64Array => {
    if (!(hours instanceof Float64Array && minutes instanceof Float64Array)) throw new Error("flights lack their numbers");
    return name === "target" ? flights.target : name === "hours" ? hours.map((hour) => Math.floor(hour / 8)) : minutes;
  };
  const tasks: Readonly<Record<string, Task>> = { binary: "binary", multiclass: "multiclass", continuous: "regression" };

  it.each(golden.targetEncodings.map((each) => [`${each.kind}, smooth ${each.smooth}`, each] as const))(
    "give the figures of TargetEncoder for all rows and for unseen categories: %s",
    (_, each) => {
      const dataset = datasetFrom("flights", each.columns);
      const smooth = each.smooth === "auto" ? "auto" : Number(each.smooth);
      const target = { values: targetOf(each.target) };
      const { preparation } = fitStep(dataset, targetEncode({ smooth }), target, tasks[each.kind]);
      expectRows(encode(preparation, dataset, keptRows(dataset.rows)).columns, each.all);
      encodeRow(preparation, ["none", "none"]).forEach((value, column) => {
        expectAlike(value, each.unseen[column] ?? null);
      });
    },
  );

  it.each(golden.targetEncodings.map((each) => [`${each.kind}, smooth ${each.smooth}`, each] as const))(
    "give the figures of TargetEncoder out of fold: %s",
    (_, each) => {
      const smooth = each.smooth === "auto" ? "auto" : Number(each.smooth);
      const target = targetOf(each.target);
      const rows = keptRows(target.length);
      const options = { folds: 5, seed: null };
      const folds = each.kind === "continuous" ? assignKFold(target.length, options) : assignStratifiedKFold(target, options);
      const targets =
        each.kind === "multiclass" ? [0, 1, 2].map((which) => target.map((label) => (label === which ? 1 : 0))) : [target];
      const columns = each.columns.flatMap((id) => {
        const [feature] = datasetFrom("flights", [id]).features;
        if (feature?.kind !== "categorical") throw new Error(`${id} is no category`);
        const coded = { codes: feature.codes, categories: feature.categories.length + 1 };
        return targets.map((values) => outOfFold({ ...coded, target: values, weights: undefined }, smooth, folds, 5));
      });
      expectRows(
        columns.map((column) => Float64Array.from(rows, (row) => column[row] ?? Number.NaN)),
        each.outOfFold,
      );
    },
  );

  it("gives categories without rows the mean, and the mean itself where nothing varies", () => {
    const sample = { codes: Int32Array.of(0, 0, 1), categories: 3, weights: undefined };
    expect(smoothedMeans({ ...sample, target: Float64Array.of(1, 0, 1) }, 0)).toEqual({
      values: [0.5, 1],
      missing: 2 / 3,
      unseen: 2 / 3,
    });
    expect(smoothedMeans({ ...sample, target: Float64Array.of(4, 4, 4) }, "auto")).toEqual({
      values: [4, 4],
      missing: 4,
      unseen: 4,
    });
  });
});

describe("selection of features", () => {
  const { selection } = golden;
  const separations = (name: GoldenName, measure: (column: Float64Array, target: Float64Array) => number) => {
    const { names, columns, target } = goldenData(name);
    return names.map((id) => {
      const column = columns[id];
      return column instanceof Float64Array ? measure(column, target) : Number.NaN;
    });
  };

  it("has the F statistics of f_classif and f_regression", () => {
    const cases = [
      [separations("breast_cancer", classSeparation), selection.fClassif],
      [separations("wine", classSeparation), selection.fClassifThree],
      [separations("diabetes", linearSeparation), selection.fRegression],
    ] as const;
    for (const [ours, theirs] of cases) {
      expect(ours).toHaveLength(theirs.length);
      ours.forEach((value, index) => {
        expectAlike(value, theirs[index] ?? null);
      });
    }
  });

  it("keeps by l1 the columns whose coefficients are not 0 in scikit-learn's lasso and logistic regression", () => {
    const kept = (name: GoldenName, c: number, task: Task) => {
      const { names, target } = goldenData(name);
      return fitStep(datasetFrom(name, names), selectFeatures({ kind: "l1", c }), { values: target }, task).matrix.names;
    };
    const { logistic, lasso } = selection.l1;
    expect(kept("breast_cancer", logistic.c, "binary")).toEqual(logistic.kept);
    expect(kept("diabetes", lasso.c, "regression")).toEqual(lasso.kept);
  });

  it("keeps what SelectKBest and VarianceThreshold keep", () => {
    const kept = (name: GoldenName, step: PreparationStep, task: Task) => {
      const { names, target } = goldenData(name);
      return fitStep(datasetFrom(name, names), step, { values: target }, task).matrix.names;
    };
    const { best, variance } = selection;
    expect(kept("breast_cancer", selectFeatures({ kind: "f-test", top: 5 }), "binary")).toEqual(best.fClassif);
    expect(kept("diabetes", selectFeatures({ kind: "f-test", top: 4 }), "regression")).toEqual(best.fRegression);
    expect(kept("breast_cancer", selectFeatures({ kind: "variance", above: variance.above }), "binary")).toEqual(variance.kept);
  });
});
