import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDuckDb } from "../../adapters/tables/duckdb.ts";
import {
  atRandom,
  baseline,
  defineModel,
  float64,
  gradientBoosting,
  grouped,
  impute,
  linearRegression,
  logisticRegression,
  oneHot,
  type ProjectDefinition,
  poissonRegression,
  python,
  requestField,
  search,
  weightBy,
} from "../definitions/index.ts";
import type { TableEngine } from "../ports/index.ts";
import { checkProject } from "./index.ts";
import { basics, recent, sound } from "./sound-project.fixture.ts";

let engine: TableEngine;
beforeAll(async () => {
  engine = await openDuckDb();
});
afterAll(() => engine.close());

describe("a model that cannot be trained as it says", () => {
  const changed = (changes: Partial<Parameters<typeof defineModel>[1]>) => ({
    ...sound,
    models: [
      defineModel("late-arrival", { ...basics, features: [recent.all(), requestField("distance", float64())], ...changes }),
    ],
    pipelines: [],
    endpoints: [],
  });
  const messages = async (project: ProjectDefinition, directory?: string) =>
    (await checkProject(project, engine, directory)).map(({ code, message }) => `${code}: ${message}`);

  test("is selected by a metric of another task; those of its own are listed", async () => {
    const [finding, ...others] = await checkProject(changed({ select: "rmse" }), engine);
    expect(others).toEqual([]);
    expect(finding).toMatchObject({
      where: "model late-arrival",
      code: "PROJECT_METRIC_UNKNOWN",
      message: "Its selection is about rmse, which is no metric of a binary target",
      hint: expect.stringContaining("roc_auc, pr_auc, ks"),
    });
  });

  test("has candidates that cannot do the task, two of one name, or none that learns", async () => {
    const candidates = [
      logisticRegression(),
      linearRegression(),
      poissonRegression(),
      baseline("mean"),
      gradientBoosting({ loss: "quantile" }),
      gradientBoosting(),
    ];
    expect(await messages(changed({ candidates }))).toEqual([
      "PROJECT_NAME_TWICE: It has two candidates called gradient-boosting",
      "PROJECT_CANDIDATE_UNSUITED: The candidate linear-regression is for regression, and the charter's target is binary",
      "PROJECT_CANDIDATE_UNSUITED: The candidate poisson-regression is for regression, and the charter's target is binary",
      "PROJECT_CANDIDATE_UNSUITED: The candidate baseline-mean (mean) is for regression, and the charter's target is binary",
      "PROJECT_CANDIDATE_UNSUITED: The candidate gradient-boosting minimises the quantile loss, which is for regression, and the charter's target is binary",
    ]);
    expect(await messages(changed({ candidates: [baseline()] }))).toEqual([
      "PROJECT_VALUE_INVALID: It has no candidate that learns",
    ]);
  });

  test("searches in ranges that make no sense", async () => {
    const candidates = [gradientBoosting({ rate: search.log(0, 0.3), leaves: search.choice<number>([]) })];
    expect((await messages(changed({ candidates }))).sort()).toEqual([
      "PROJECT_SEARCH_INVALID: In the search of gradient-boosting, leaves has no options to choose from",
      "PROJECT_SEARCH_INVALID: In the search of gradient-boosting, rate could be 0, not above 0 and at most 1",
      "PROJECT_SEARCH_INVALID: In the search of gradient-boosting, rate goes from 0 on a log scale, which has only numbers above 0",
    ]);
  });

  test("names features that it does not have, wherever it does", async () => {
    const project = changed({
      prepare: [impute("mean", { on: ["distance", "recent.flights"] }), oneHot({ on: ["carier"] })],
      candidates: [gradientBoosting({ monotone: { "recent.late_rate": 1, delay: 1 }, interactions: [["distance"], ["wind"]] })],
      rowWeights: weightBy("weight"),
      split: grouped("plane", { test: 0.2, validation: 0.2 }),
    });
    expect(await messages(project)).toEqual([
      "PROJECT_REFERENCE_UNKNOWN: Its split names plane, which is no feature of it",
      "PROJECT_REFERENCE_UNKNOWN: Its rowWeights names weight, which is no feature of it",
      "PROJECT_REFERENCE_UNKNOWN: Its preparation one-hot names carier, which is no feature of it",
      "PROJECT_REFERENCE_UNKNOWN: The candidate gradient-boosting (monotone) names delay, which is no feature of it",
      "PROJECT_REFERENCE_UNKNOWN: The candidate gradient-boosting (interactions) names wind, which is no feature of it",
    ]);
    const byCarrier = { split: grouped("carrier", { test: 0.2, validation: 0.2 }), explain: { segments: ["carrier"] } };
    expect(await messages(changed(byCarrier))).toEqual([]);
  });

  test("splits, weighs or calibrates in a way that there is not", async () => {
    expect(await messages(changed({ split: atRandom({ test: 0.6, validation: 0.4 }) }))).toEqual([
      "PROJECT_VALUE_INVALID: In its split, it gives 0.6 to test and 0.4 to validation",
    ]);
    expect(await messages(changed({ classWeights: [1, 2, 3] }))).toEqual(["PROJECT_VALUE_INVALID: It weighs 3 classes"]);
    expect(await messages(changed({ classWeights: [1, -2] }))).toEqual([
      "PROJECT_VALUE_INVALID: In its classWeights, a class cannot weigh -2: weights are 0 or more, and finite",
    ]);
    expect(await messages(changed({ classWeights: "balanced", calibrate: "temperature" }))).toEqual([
      "PROJECT_VALUE_INVALID: Its calibration temperature is not for a binary target",
    ]);
  });

  test("has a Python program or a requirements file that is not there", async () => {
    const candidates = [
      python("train_sklearn.py", { requirements: "requirements.txt" }),
      python("train_prophet.py", { requirements: "prophet.txt" }),
      python("trainers.late:fit", { requirements: ["scikit-learn==1.9.1"] }),
    ];
    const folder = join(import.meta.dirname, "../../../examples/python-trainers");
    expect(await messages(changed({ candidates }), folder)).toEqual([
      "PROJECT_FILE_MISSING: The candidate train_prophet needs train_prophet.py, which is not there",
      "PROJECT_FILE_MISSING: The candidate train_prophet needs prophet.txt, which is not there",
    ]);
    expect(await messages(changed({ candidates }))).toEqual([]);
  });
});
