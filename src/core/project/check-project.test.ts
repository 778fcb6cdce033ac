import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDuckDb } from "../../adapters/tables/duckdb.ts";
import {
  atRandom,
  type BinaryCharter,
  baseline,
  bool,
  byTime,
  count,
  defineCharter,
  defineModel,
  defineProject,
  endpoint,
  entity,
  type FeatureReference,
  type FeatureViewDefinition,
  featureService,
  featureView,
  float64,
  gradientBoosting,
  grouped,
  impute,
  int32,
  labels,
  linearRegression,
  logisticRegression,
  mean,
  metric,
  needs,
  onDemand,
  oneHot,
  type ProjectDefinition,
  pipeline,
  poissonRegression,
  python,
  requestField,
  rule,
  search,
  segment,
  source,
  sql,
  stratified,
  string,
  threshold,
  timestamp,
  weightBy,
} from "../definitions/index.ts";
import type { TableEngine } from "../ports/index.ts";
import { checkProject, FINDINGS } from "./index.ts";

let engine: TableEngine;
beforeAll(async () => {
  engine = await openDuckDb();
});
afterAll(() => engine.close());

const airlines = source.csv("airlines", { path: "airlines.csv", key: ["carrier"], columns: { carrier: string() } });
const flights = source.csv("flights", {
  path: "flights.csv",
  key: ["id"],
  eventTime: "departs",
  availableTime: { default: "published", outcome: { columns: ["arr_delay", "air_time", "diverted_to"], at: "landed" } },
  columns: {
    id: string(),
    carrier: string().oneOf("airlines.carrier"),
    distance: float64(),
    arr_delay: float64().nullable(),
    air_time: float64().nullable(),
    diverted_to: string().nullable(),
    cancelled: bool(),
    landed: timestamp(),
  },
});
const carrier = entity("carrier", { carrier: string() });
const recent = featureView("recent", {
  entity: carrier,
  source: flights,
  features: ["arr_delay"],
  aggregate: { late_rate: mean("arr_delay >= 15").over("7d"), flights: count().over("1d") },
});
const basics = {
  labels: labels(flights, { late: "arr_delay >= 15", at: "departs", lead: "2h" }),
  split: byTime({ test: "30d", validation: "30d" }),
  candidates: [baseline(), logisticRegression()],
};
const model = defineModel("late-arrival", { ...basics, features: [recent.all(), requestField("distance", float64())] });
const charterBasics = {
  problem: "Which flights are late",
  decision: { act: "rebook", when: threshold(0.5), payoff: { truePositive: 1, falsePositive: -1, falseNegative: -1 } },
  alternative: rule("recent.late_rate > 0.5 or recent.flights < 3"),
  owner: "operations",
  users: ["app"],
  target: { name: "late", type: "binary", groundTruthAfter: "1d", censored: "cancelled or arr_delay is null" },
  accept: [metric("roc_auc").atLeast(0.7)],
} as const;
const charter = defineCharter({
  ...charterBasics,
  data: [needs(flights).rows({ min: 1 }).freshWithin("1d").coverage("carrier", "departs", 0.5)],
});

const sound = defineProject({
  name: "flights",
  charter,
  sources: [airlines, flights],
  features: [recent],
  models: [model],
  pipelines: [pipeline("daily", { model, stages: ["ingest", "materialize", "monitor"] })],
  endpoints: [endpoint("late-arrival", { model: model.at("champion"), canary: { share: 0.1, for: "1h" } })],
});
const codes = async (project: ProjectDefinition) =>
  (await checkProject(project, engine)).map(({ where, code }) => `${where}: ${code}`);
const withCharter = (changes: Partial<BinaryCharter>) => ({ ...sound, charter: { ...charter, ...changes } });
const withFeatures = (...features: FeatureReference[]) => {
  const changed = defineModel("late-arrival", { ...basics, features: [recent.all(), ...features] });
  return { ...sound, models: [changed], pipelines: [], endpoints: [] };
};

test("finds nothing in a sound project, and every finding has a hint", async () => {
  expect(await checkProject(sound, engine)).toEqual([]);
  const [finding] = await checkProject({ ...sound, name: "../flights" }, engine);
  expect(finding).toEqual({
    where: "project ../flights",
    code: "PROJECT_NAME_INVALID",
    message: '"../flights" cannot be the name of a project',
    hint: FINDINGS.PROJECT_NAME_INVALID,
  });
});

describe("a model that asks for what is not known yet is a leak", () => {
  test.each(["arr_delay", "air_time"])("a request field that is %s, known only when the flight has landed", async (field) => {
    const [finding, ...others] = await checkProject(withFeatures(requestField(field, float64())), engine);
    expect(others).toEqual([]);
    expect(finding).toMatchObject({
      where: "model late-arrival",
      code: "PROJECT_LEAK",
      message: `on-demand.${field} takes ${field} from the request, but it becomes known only with the group "outcome" (landed)`,
    });
  });

  test("a request field of an on-demand function, and one of a function that another one reads", async () => {
    const speed = onDemand("speed", {
      inputs: [],
      request: { air_time: float64(), distance: float64() },
      returns: "float64",
      compute: ({ air_time, distance }) => distance / air_time,
    });
    const fast = onDemand("fast", {
      inputs: [speed],
      request: {},
      returns: "bool",
      compute: ({ speed }) => speed !== null && speed > 1,
    });
    expect(new Set(await codes(withFeatures(fast)))).toEqual(new Set(["model late-arrival: PROJECT_LEAK"]));
  });

  test("an entity key, the time that dates the outcome, and labels dated by it", async () => {
    const byDiversion = featureView("diversions", {
      entity: entity("airport", { diverted_to: string() }),
      source: flights,
      aggregate: { n: count().over("1d") },
    });
    expect(
      await codes({ ...withFeatures(byDiversion.feature.n), features: [recent.definition, byDiversion.definition] }),
    ).toEqual(["model late-arrival: PROJECT_LEAK"]);
    expect(await codes(withFeatures(requestField("landed", timestamp())))).toEqual(["model late-arrival: PROJECT_LEAK"]);
    const dated = defineModel("late-arrival", {
      ...basics,
      labels: labels(flights, { late: "arr_delay >= 15", at: "landed" }),
      features: [recent.all()],
    });
    expect(await codes({ ...sound, models: [dated], pipelines: [], endpoints: [] })).toEqual([
      "model late-arrival: PROJECT_LEAK",
    ]);
  });

  test("but a view's latest value of such a column is none, because the join sees only what had landed", async () => {
    expect(model.features.map(({ id }) => id)).toContain("recent.arr_delay");
    expect(await codes(sound)).toEqual([]);
  });
});

describe("what a project names must be there", () => {
  test("a model's request fields, with their types, among the columns it trains on", async () => {
    const findings = await checkProject(
      withFeatures(requestField("distanse", float64()), requestField("carrier", int32())),
      engine,
    );
    expect(findings).toMatchObject([
      { code: "PROJECT_COLUMN_UNKNOWN", message: expect.stringContaining('did you mean "distance"?') },
      { code: "PROJECT_COLUMN_TYPE", message: "on-demand.carrier takes carrier as int32, but flights.carrier is string" },
    ]);
  });

  test("entity keys in the labels' source and the view's", async () => {
    const plane = entity("plane", { tailnum: string() });
    const planes = source.csv("planes", { path: "planes.csv", columns: { tailnum: string(), seats: int32() } });
    const info = featureView("info", { entity: plane, source: planes, features: ["seats"] });
    const project = {
      ...withFeatures(info.feature.seats),
      sources: [airlines, flights, planes],
      features: [recent.definition, info.definition],
    };
    expect(await codes(project)).toEqual(["model late-arrival: PROJECT_KEY_MISSING"]);
    const { tailnum: _, ...without } = planes.contracts;
    const keyless = { ...planes, contracts: without };
    const views = [recent.definition, { ...info.definition, source: keyless }];
    expect(await codes({ ...sound, sources: [airlines, flights, keyless], features: views })).toEqual([
      "view info: PROJECT_COLUMN_UNKNOWN",
    ]);
  });

  test("the views of a feature service, by whatever name it asks for them", async () => {
    const listed = (features: ProjectDefinition["services"][number]["features"]) =>
      codes({ ...sound, services: [featureService("departure", { features })] });
    expect(await listed(recent.as("by_airline", { carrier: "airline" }).all())).toEqual([]);
    const elsewhere = featureView("elsewhere", { entity: carrier, source: flights, features: ["distance"] });
    expect(await listed(elsewhere.all())).toEqual(["feature service departure: PROJECT_REFERENCE_UNKNOWN"]);
  });

  test("another name of a view that no other view has", async () => {
    const asked = (name: string) =>
      codes({
        ...sound,
        models: [{ ...model, features: recent.as(name, { carrier: "carrier" }).pick("late_rate") }],
        pipelines: [],
        endpoints: [],
      });
    expect(await asked("by_airline")).not.toContain("model late-arrival: PROJECT_NAME_TWICE");
    expect(await asked("RECENT")).toContain("model late-arrival: PROJECT_NAME_TWICE");
  });

  test("a view itself, not another name of it", async () => {
    const alias = recent.as("by_airline", { carrier: "airline" });
    expect(await codes({ ...sound, features: [recent.definition, alias.definition] })).toEqual([
      "view by_airline: PROJECT_VALUE_INVALID",
    ]);
  });

  test("sources, views, models and what contracts refer to", async () => {
    expect(await codes({ ...sound, sources: [airlines] })).toEqual([
      "view recent: PROJECT_REFERENCE_UNKNOWN",
      "model late-arrival: PROJECT_REFERENCE_UNKNOWN",
      "charter: PROJECT_REFERENCE_UNKNOWN",
      "charter: PROJECT_REFERENCE_UNKNOWN",
      "charter: PROJECT_REFERENCE_UNKNOWN",
    ]);
    expect(await codes({ ...sound, sources: [flights] })).toEqual(["source flights: PROJECT_REFERENCE_UNKNOWN"]);
    expect(new Set(await codes({ ...sound, features: [] }))).toEqual(new Set(["model late-arrival: PROJECT_REFERENCE_UNKNOWN"]));
    expect(await codes({ ...sound, models: [] })).toEqual([
      "pipeline daily: PROJECT_REFERENCE_UNKNOWN",
      "endpoint late-arrival: PROJECT_REFERENCE_UNKNOWN",
    ]);
  });

  test("columns of keys, groups, segments and the charter's demands", async () => {
    const odd = source.csv("odd", { path: "x.csv", columns: { x: int32() } });
    const broken = { ...odd, key: ["y"], availability: { groups: { late: { columns: ["z"], at: "x" } } } };
    expect(await codes({ ...sound, sources: [airlines, flights, broken] })).toEqual([
      "source odd: PROJECT_COLUMN_UNKNOWN",
      "source odd: PROJECT_COLUMN_UNKNOWN",
      "source odd: PROJECT_COLUMN_TYPE",
    ]);
    const segmented = defineModel("late-arrival", {
      ...basics,
      features: [recent.all()],
      explain: { segments: ["carrier", "recent.flights", "region"] },
    });
    expect(await codes({ ...sound, models: [segmented], pipelines: [], endpoints: [] })).toEqual([
      "model late-arrival: PROJECT_COLUMN_UNKNOWN",
    ]);
    const { data } = defineCharter({
      ...charterBasics,
      data: [needs(airlines).freshWithin("1d").coverage("carrier", "hour", 1)],
    });
    expect(await codes(withCharter({ data }))).toEqual([
      "charter: PROJECT_COLUMN_UNKNOWN",
      "charter: PROJECT_COLUMN_UNKNOWN",
      "charter: PROJECT_COLUMN_TYPE",
    ]);
  });

  test("the charter's target is the model's label, and its rule speaks of the model's features", async () => {
    expect(await codes(withCharter({ target: { ...charter.target, name: "delayed" } }))).toEqual([
      "model late-arrival: PROJECT_TARGET_MISMATCH",
    ]);
    expect(
      await checkProject(withCharter({ alternative: rule("recent.late_rate > 0.5 or weather.visib < 1") }), engine),
    ).toMatchObject([
      { code: "PROJECT_REFERENCE_UNKNOWN", message: "The rule reads weather.visib, which is no feature of late-arrival" },
    ]);
    expect(await codes(withCharter({ alternative: rule("on_demand.distance > 100") }))).toEqual([]);
  });
});

describe("expressions", () => {
  test.each<[string, Partial<BinaryCharter>]>([
    ["an unknown column in what censors", { target: { ...charter.target, censored: "canceled" } }],
    ["what censors but is no condition", { target: { ...charter.target, censored: "arr_delay + 1" } }],
    ["a rule that is two statements", { alternative: rule("true); DROP TABLE x; --") }],
  ])("%s is found in the charter", async (_, changes) => {
    expect(await codes(withCharter(changes))).toEqual(["charter: PROJECT_EXPRESSION_INVALID"]);
  });

  test("a label that is no condition and an aggregate that cannot be read are found where they stand", async () => {
    const view = featureView("bad", { entity: carrier, source: flights, aggregate: { x: mean("sum(distance)").over("1d") } });
    const labelled = defineModel("late-arrival", {
      ...basics,
      labels: labels(flights, { late: "arr_delay", at: "departs" }),
      features: [recent.all()],
    });
    expect(
      await codes({ ...sound, features: [recent.definition, view.definition], models: [labelled], pipelines: [], endpoints: [] }),
    ).toEqual(["view bad: PROJECT_EXPRESSION_INVALID", "model late-arrival: PROJECT_EXPRESSION_INVALID"]);
  });
});

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

describe("a feature view", () => {
  const viewOf = (changes: Partial<FeatureViewDefinition>) =>
    codes({ ...sound, features: [recent.definition, { ...recent.definition, name: "odd", ...changes }] });

  test.each<[string, string, Partial<FeatureViewDefinition>]>([
    ["two names that differ in letter case", "PROJECT_NAME_TWICE", { features: ["distance", "DISTANCE"] }],
    ["a name with a dot", "PROJECT_NAME_INVALID", { expressions: { "a.b": sql("distance > 1", "bool") } }],
    ["a reserved name", "PROJECT_NAME_INVALID", { name: "on_demand" }],
    ["no features", "PROJECT_VALUE_INVALID", { features: [], aggregates: {} }],
    ["a ttl of no length", "PROJECT_VALUE_INVALID", { ttl: 0 }],
    ["an expression of another type", "PROJECT_EXPRESSION_INVALID", { expressions: { x: sql("distance > 1", "float64") } }],
    ["an expression that cannot be read", "PROJECT_EXPRESSION_INVALID", { expressions: { x: sql("distance >", "bool") } }],
    [
      "a sum of texts",
      "PROJECT_EXPRESSION_INVALID",
      { aggregates: { x: { type: "float64", fn: "sum", expression: "id", window: 1 } } },
    ],
    [
      "a last text as a number",
      "PROJECT_EXPRESSION_INVALID",
      { aggregates: { x: { type: "float64", fn: "last", expression: "id", window: 1 } } },
    ],
  ])("with %s is found", async (_, code, changes) => {
    const name = changes.name ?? "odd";
    const found = await viewOf(changes);
    expect(found).toContain(`view ${name}: ${code}`);
  });

  test.each(["select", "größe", "a b", 'say "x"', "x'; DROP TABLE t; --"])("may call a feature %j", async (feature) => {
    expect(await viewOf({ expressions: { [feature]: sql("distance > 1", "bool") } })).toEqual([]);
  });
});

describe("names, values and stages", () => {
  test.each(["", "..", "a/b", "a.b", "a b", "-a", "a\u0000"])('"%s" is no name, because names become folders', async (name) => {
    expect(await codes({ ...sound, features: [...sound.features, { ...recent.definition, name }] })).toEqual([
      `view ${name}: PROJECT_NAME_INVALID`,
    ]);
  });

  test("two of one name are found, upper and lower case alike, and a feature that is taken twice", async () => {
    expect(await codes({ ...sound, sources: [airlines, flights, { ...airlines, name: "Airlines" }] })).toEqual([
      "source Airlines: PROJECT_NAME_TWICE",
    ]);
    expect(await codes(withFeatures(recent.feature.flights))).toEqual(["model late-arrival: PROJECT_NAME_TWICE"]);
  });

  test("sources that refer to one another in a circle are found", async () => {
    const hen = source.csv("hen", { path: "hen.csv", columns: { id: string().oneOf("egg.id") } });
    const egg = source.csv("egg", { path: "egg.csv", columns: { id: string().oneOf("hen.id") } });
    expect(await codes({ ...sound, sources: [airlines, flights, hen, egg] })).toEqual([
      "source hen: PROJECT_REFERENCE_CYCLE",
      "source egg: PROJECT_REFERENCE_CYCLE",
    ]);
  });

  test("a contract that makes no sense is found without any data", async () => {
    const bad = source.csv("bad", { path: "bad.csv", columns: { x: string().matches("(") } });
    expect(await codes({ ...sound, sources: [airlines, flights, bad] })).toEqual(["source bad: PROJECT_CONTRACT_INVALID"]);
  });

  test("a threshold or a share outside its range, and a stage without what it needs", async () => {
    expect(await codes(withCharter({ decision: { ...charter.decision, when: threshold(1.5) } }))).toEqual([
      "charter: PROJECT_VALUE_INVALID",
    ]);
    const [api] = sound.endpoints;
    if (api === undefined) throw new Error("no endpoint");
    expect(await codes({ ...sound, endpoints: [{ ...api, canary: { share: 10, for: 1 } }] })).toEqual([
      "endpoint late-arrival: PROJECT_VALUE_INVALID",
    ]);
    expect(await codes({ ...sound, pipelines: [pipeline("p", { model, stages: ["ingest", "train"] })] })).toEqual([
      "pipeline p: PROJECT_STAGE_INCOMPLETE",
    ]);
  });
});
