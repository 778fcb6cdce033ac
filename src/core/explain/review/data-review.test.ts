import { describe, expect, it } from "vitest";
import { baseline, linearRegression } from "../../definitions/index.ts";
import { DAY } from "../../time.ts";
import { type Dataset, trainCandidate } from "../../training/index.ts";
import { syntheticDataset, syntheticSplit, trainingOptions, trainOn } from "../explain.fixture.ts";
import { permutationImportance } from "../permutation-importance.ts";
import { reviewData } from "./data-review.ts";
import { segmentResults, worstSegments } from "./segments.ts";

const dataset = syntheticDataset(6_000);
const split = syntheticSplit(dataset);
const model = trainOn(dataset).package;
const options = { metric: "roc_auc", maxRows: 900, resamples: 60 } as const;

describe("permutation importance", () => {
  it("finds what the label was made of, with intervals around the drop", () => {
    const { features, rows, repeats } = permutationImportance(model, dataset, split.select, options);
    expect([rows, repeats]).toEqual([900, 3]);
    expect(features.map(({ feature }) => feature).slice(0, 2)).toEqual(["weather.wind", "weather.rain"]);
    expect(features[0].drop.low).toBeGreaterThan(0.1);
    const noise = features.find(({ feature }) => feature === "noise.noise")?.drop;
    expect(noise?.value).toBeLessThan(0.02);
    for (const { drop } of features) {
      expect(drop.low).toBeLessThanOrEqual(drop.value);
      expect(drop.high).toBeGreaterThanOrEqual(drop.value);
    }
  });

  it("is a rise for metrics where less is better", () => {
    const { features } = permutationImportance(model, dataset, split.select, { ...options, metric: "log_loss" });
    expect(features[0]).toMatchObject({ feature: "weather.wind" });
    expect(features[0].drop.low).toBeGreaterThan(0);
  });

  it("gives the same figures for the same seed", () => {
    const once = permutationImportance(model, dataset, split.select, { ...options, seed: 5 });
    expect(permutationImportance(model, dataset, split.select, { ...options, seed: 5 })).toEqual(once);
    expect(permutationImportance(model, dataset, split.select, { ...options, seed: 6 })).not.toEqual(once);
  });

  it("is exactly nothing for a feature that the model does not use", () => {
    const { package: without } = trainCandidate(dataset, split, { ...trainingOptions(), exclude: ["noise.noise"] });
    const unused = permutationImportance(without, dataset, split.select, options).features.find(
      (f) => f.feature === "noise.noise",
    );
    expect(unused?.drop).toEqual({ value: 0, low: 0, high: 0 });
    const constant = trainOn(dataset, baseline()).package;
    const { features } = permutationImportance(constant, dataset, split.select, options);
    expect(features.every(({ drop }) => drop.value === 0 && drop.low === 0 && drop.high === 0)).toBe(true);
  });

  it("refuses rows of one class, no rows, and other columns", () => {
    const positives = split.select.filter((row) => dataset.label[row] === 1);
    const code = (name: string) => expect.objectContaining({ code: name });
    expect(() => permutationImportance(model, dataset, positives, options)).toThrow(code("EXPLAIN_METRIC_UNDEFINED"));
    expect(() => permutationImportance(model, dataset, new Uint32Array(0), options)).toThrow(code("EXPLAIN_NO_ROWS"));
    const fewer = { ...dataset, features: dataset.features.slice(1) };
    expect(() => permutationImportance(model, fewer, split.select, options)).toThrow(code("EXPLAIN_FEATURES_MISMATCH"));
  });
});

describe("segments", () => {
  const results = segmentResults(model, dataset, split.select, { minPositives: 20 });

  it("covers every row once and gives intervals", () => {
    expect(results.map(({ segment, value }) => `${segment} ${value}`).sort()).toEqual(["kind a", "kind b", "kind c"]);
    expect(results.reduce((sum, { rows }) => sum + rows, 0)).toBe(split.select.length);
    for (const { metrics } of results) expect(metrics.roc_auc?.low).toBeLessThan(metrics.roc_auc?.high ?? 0);
  });

  it("says nothing about a value with too few positives, and does not call it the worst", () => {
    const strict = segmentResults(model, dataset, split.select, { minPositives: 10_000 });
    expect(strict.every(({ metrics }) => Object.keys(metrics).length === 0)).toBe(true);
    expect(worstSegments(strict, "roc_auc")).toEqual([]);
  });

  it("puts the lowest ROC AUC or the highest log loss first", () => {
    const auc = worstSegments(results, "roc_auc").map(({ metrics }) => metrics.roc_auc?.value ?? 0);
    const loss = worstSegments(results, "log_loss").map(({ metrics }) => metrics.log_loss?.value ?? 0);
    expect(auc).toEqual([...auc].sort((a, b) => a - b));
    expect(loss).toEqual([...loss].sort((a, b) => b - a));
    expect(worstSegments(results, "roc_auc", 1)).toHaveLength(1);
  });

  it("names rows without a value", () => {
    const codes = new Int32Array(dataset.rows).fill(-1);
    const unnamed = { ...dataset, segments: [{ ...dataset.segments[0], codes }] };
    expect(segmentResults(model, unnamed, split.select, { minPositives: 1 })[0].value).toBe("(missing)");
  });
});

describe("segments of other tasks", () => {
  it("are measured by the task's metrics, where there are rows enough", () => {
    const wind = dataset.features[0].kind === "numeric" ? dataset.features[0].values : new Float64Array(0);
    const regression: Dataset = { ...dataset, task: "regression", label: wind };
    const { package: of } = trainCandidate(regression, split, { ...trainingOptions(linearRegression()), select: "rmse" });
    const found = segmentResults(of, regression, split.select, { minPositives: 1 });
    expect(found).toHaveLength(3);
    for (const { positives, metrics } of found) {
      expect(positives).toBe(0);
      expect(metrics.rmse?.value).toBeLessThan(0.1);
    }
    const strict = segmentResults(of, regression, split.select, { minPositives: 1, minRows: 10_000 });
    expect(strict.every(({ metrics }) => metrics.rmse === undefined)).toBe(true);
  });
});

describe("data review", () => {
  const done: number[] = [];
  const review = reviewData(
    dataset,
    split,
    { training: trainingOptions(), metric: "roc_auc", minPositives: 20, maxTrainingRows: 3_000, resamples: 60 },
    (share) => done.push(share),
  );

  it("orders views by what training without them loses", () => {
    expect(review.views.map(({ view }) => view)[0]).toBe("weather");
    const [weather] = review.views;
    expect(weather.features).toEqual(["weather.wind", "weather.rain"]);
    expect(weather.withoutView.low).toBeGreaterThan(0.1);
    expect(weather.whenMissing.low).toBeGreaterThan(0.1);
    const noise = review.views.find(({ view }) => view === "noise");
    expect(Math.abs(noise?.withoutView.value ?? 1)).toBeLessThan(0.02);
  });

  it("grows the learning curve from the most recent quarter to everything it took", () => {
    expect(review.learningCurve.map(({ share, rows }) => [share, rows])).toEqual([
      [0.25, 750],
      [0.5, 1_500],
      [1, 3_000],
    ]);
    expect(review.learningCurve[2].value).toBe(review.value);
    expect(review.learningCurve[1].value).toBeCloseTo(review.value - review.gainOfLastDoubling.value, 12);
  });

  it("says how many rows it measured on, and proposes in sentences with figures", () => {
    expect(review.trainingRows).toEqual({ used: 3_000, available: 3_600 });
    expect(review.notes[0]).toContain("3000 of 3600");
    expect(review.proposals.some((sentence) => /Without values of weather, roc_auc .* source weather/.test(sentence))).toBe(true);
    expect(review.proposals.every((sentence) => sentence.endsWith("."))).toBe(true);
  });

  it("says what each feature costs when it is missing, costliest first", () => {
    const nulls = review.nulls ?? [];
    expect(nulls.map(({ feature }) => feature).sort()).toEqual(dataset.features.map(({ id }) => id).sort());
    expect(nulls[0].feature).toBe("weather.wind");
    expect(nulls[0].whenMissing.low).toBeGreaterThan(0.1);
    expect(nulls.map(({ whenMissing }) => whenMissing.value)).toEqual(
      nulls.map(({ whenMissing }) => whenMissing.value).sort((a, b) => b - a),
    );
  });

  it("says what a stale view costs, and whose values stood in", () => {
    const stale = review.views.find(({ view }) => view === "weather")?.whenStale;
    expect(stale).toMatchObject({ by: DAY, values: "another-row" });
    expect(stale?.loss.low).toBeGreaterThan(0.1);
    expect(review.notes.some((note) => note.includes("values of another row at least 1 day before"))).toBe(true);
    const constant = syntheticDataset(6_000);
    const held = constant.features[0];
    // Wind that stays the same for an entity all its days is as good a day later.
    if (held.kind === "numeric") for (let row = 0; row < constant.rows; row++) held.values[row] = Math.sin(row % 50);
    const entity = Int32Array.from({ length: constant.rows }, (_, row) => row % 50);
    const { views } = reviewData(constant, split, {
      training: trainingOptions(),
      metric: "roc_auc",
      minPositives: 20,
      maxTrainingRows: 3_000,
      resamples: 20,
      entities: { weather: entity },
    });
    const weather = views.find(({ view }) => view === "weather")?.whenStale;
    expect(weather?.values).toBe("same-entity");
    // Rain changes all the same.
    expect(weather?.loss.value).toBeLessThan(stale?.loss.value ?? 0);
  });

  it("looks for weak slices among the selection rows", () => {
    expect(review.weakSlices?.tried).toBeGreaterThan(20);
    expect(review.weakSlices?.note).toContain("corrected");
  });

  it("works for values", () => {
    const wind = dataset.features[0].kind === "numeric" ? dataset.features[0].values : new Float64Array(0);
    const regression: Dataset = { ...dataset, task: "regression", label: wind.map((w) => 2 * w) };
    const found = reviewData(regression, split, {
      training: { ...trainingOptions(linearRegression()), select: "rmse" },
      metric: "rmse",
      minPositives: 1,
      maxTrainingRows: 2_000,
      resamples: 20,
    });
    expect(found.views[0]).toMatchObject({ view: "weather" });
    expect(found.views[0].withoutView.low).toBeGreaterThan(1);
    expect(found.learningCurve[2].value).toBeCloseTo(found.value, 12);
    expect(found.weakSlices?.loss).toBe("absolute_error");
  });

  it("tells how far it is: three models for the curve and one a view", () => {
    expect(done).toHaveLength(6);
    expect(done[5]).toBe(1);
  });

  it("never looks at test rows", () => {
    const label = dataset.label.slice();
    const features = dataset.features.map((column) =>
      column.kind === "numeric" ? { ...column, values: column.values.slice() } : { ...column, codes: column.codes.slice() },
    );
    for (const row of split.test) {
      label[row] = 1 - label[row];
      for (const column of features) {
        if (column.kind === "numeric") column.values[row] = 1e9;
        else column.codes[row] = 0;
      }
    }
    const again = reviewData({ ...dataset, label, features }, split, {
      training: trainingOptions(),
      metric: "roc_auc",
      minPositives: 20,
      maxTrainingRows: 3_000,
      resamples: 60,
    });
    expect(again).toEqual(review);
  });

  it("refuses a selection part with one class", () => {
    const select = split.select.filter((row) => dataset.label[row] === 0);
    expect(() =>
      reviewData(dataset, { ...split, select }, { training: trainingOptions(), metric: "roc_auc", minPositives: 1 }),
    ).toThrow(expect.objectContaining({ code: "TRAIN_ONE_CLASS" }));
  });
});
