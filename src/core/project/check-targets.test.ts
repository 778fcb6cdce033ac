import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDuckDb } from "../../adapters/tables/duckdb.ts";
import {
  baseline,
  defineCharter,
  defineModel,
  defineProject,
  endpoint,
  gradientBoosting,
  labels,
  linearRegression,
  logisticRegression,
  metric,
  type ProjectDefinition,
  pipeline,
  segment,
  stratified,
} from "../definitions/index.ts";
import type { TableEngine } from "../ports/index.ts";
import { checkProject } from "./index.ts";
import { airlines, basics, charter, charterBasics, flights, recent } from "./sound-project.fixture.ts";

let engine: TableEngine;
beforeAll(async () => {
  engine = await openDuckDb();
});
afterAll(() => engine.close());

describe("a target that is a number or one of several classes", () => {
  const { target } = charterBasics;
  const about = { problem: "How late", owner: "operations", users: ["app"], data: [] };
  const howLate = defineModel("delay", {
    ...basics,
    labels: labels(flights, { delay: "arr_delay", at: "departs", lead: "2h" }),
    features: [recent.all()],
    candidates: [baseline("median"), linearRegression(), gradientBoosting({ loss: "quantile" })],
    explain: { segments: ["carrier"] },
  });
  const numbers = defineProject({
    name: "delays",
    charter: defineCharter({
      ...about,
      target: { ...target, name: "delay", type: "regression" },
      accept: [metric("rmse").betterThanBaseline(), segment("carrier", { minRows: 100 }).worst("mae").atMost(30)],
    }),
    sources: [airlines, flights],
    features: [recent],
    models: [howLate],
    pipelines: [pipeline("train", { model: howLate, stages: ["ingest", "training-set", "train"] })],
  });
  const found = async (project: ProjectDefinition) => (await checkProject(project, engine)).map(({ message }) => message);

  test("is sound without a threshold, a payoff or a rule", async () => {
    expect(await found(numbers)).toEqual([]);
    const arrival = { arrival: "CASE WHEN arr_delay < 0 THEN 'early' WHEN arr_delay >= 0 THEN 'late' END" };
    const which = defineModel("arrival", {
      ...basics,
      labels: labels(flights, { ...arrival, at: "departs", lead: "2h" }),
      features: [recent.all()],
      candidates: [logisticRegression(), gradientBoosting()],
      classWeights: [1, 1, 4],
    });
    const accept = [metric("f1_macro").atLeast(0.4)];
    const classes = defineCharter({ ...about, target: { ...target, name: "arrival", type: "multiclass" }, accept });
    expect(await found({ ...numbers, charter: classes, models: [which], pipelines: [] })).toEqual([]);
  });

  test("is told apart from a binary one that lacks its decision, and from a type that there is not", async () => {
    const untyped = (charter: object): ProjectDefinition => ({ ...numbers, ...JSON.parse(JSON.stringify({ charter })) });
    const binary = { ...numbers.charter, target: { ...target, type: "binary" } };
    expect(await found(untyped(binary))).toEqual(["A binary target needs a decision and an alternative"]);
    expect(await found(untyped({ ...charter, decision: { act: "rebook" } }))).toEqual([
      "A binary target needs a decision and an alternative",
    ]);
    expect(await found(untyped({ ...binary, target: { ...target, type: "ranking" } }))).toEqual(["The target's type is ranking"]);
  });

  test("cannot be served yet, and an endpoint says so", async () => {
    const findings = await checkProject(
      { ...numbers, endpoints: [endpoint("delay", { model: howLate.at("champion") })] },
      engine,
    );
    expect(findings).toEqual([
      {
        where: "endpoint delay",
        code: "PROJECT_TASK_NOT_SERVED",
        message: "It would serve delay, whose target is regression",
        hint: expect.stringContaining("Only models of binary targets are served and monitored for now"),
      },
    ]);
  });

  test("has criteria of its own metrics, no positives and no alternative", async () => {
    const { accept } = defineCharter({
      ...charterBasics,
      data: [],
      accept: [
        metric("roc_auc").atLeast(0.7),
        metric("log_loss").betterThan("alternative"),
        segment("origin", { minPositives: 9 }).worst("ece").atMost(1),
      ],
    });
    expect(await found({ ...numbers, charter: { ...numbers.charter, accept } })).toEqual([
      "A criterion is about roc_auc, which is no metric of a regression target",
      "A criterion is about log_loss, which is no metric of a regression target",
      "A criterion compares log_loss with the alternative, and a regression target has none",
      "A criterion is about ece, which is no metric of a regression target",
      "A criterion is about the segment origin, which delay does not break its results down by",
      "The criterion on origin counts positive labels, and a regression target has none",
    ]);
  });

  test("has labels of its type, and no classes to stratify, weigh or calibrate", async () => {
    const { accept, ...rest } = numbers.charter;
    const wrong = defineModel("delay", {
      ...basics,
      labels: labels(flights, { delay: "arr_delay >= 15", at: "departs", lead: "2h" }),
      features: [recent.all()],
      candidates: [logisticRegression()],
      split: stratified({ test: 0.2, validation: 0.2 }),
      classWeights: "balanced",
      calibrate: "isotonic",
    });
    const project = { ...numbers, charter: { ...rest, accept: accept.slice(0, 1) }, models: [wrong], pipelines: [] };
    expect(await found(project)).toEqual([
      '"arr_delay >= 15" is BOOLEAN and no number',
      "Its split is stratified by class, and a regression target has none",
      "It weighs classes, and a regression target has none",
      "Its calibration isotonic is not for a regression target",
      "The candidate logistic-regression is for classes, and the charter's target is regression",
    ]);
  });
});
