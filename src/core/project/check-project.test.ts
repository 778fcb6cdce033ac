import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDuckDb } from "../../adapters/tables/duckdb.ts";
import {
  type BinaryCharter,
  count,
  defineCharter,
  defineModel,
  entity,
  type FeatureViewDefinition,
  featureService,
  featureView,
  float64,
  int32,
  labels,
  mean,
  needs,
  onDemand,
  type ProjectDefinition,
  pipeline,
  requestField,
  rule,
  source,
  sql,
  string,
  threshold,
  timestamp,
} from "../definitions/index.ts";
import type { TableEngine } from "../ports/index.ts";
import { checkProject, FINDINGS } from "./index.ts";
import {
  airlines,
  basics,
  carrier,
  charter,
  charterBasics,
  flights,
  model,
  recent,
  sound,
  withCharter,
  withFeatures,
} from "./sound-project.fixture.ts";

let engine: TableEngine;
beforeAll(async () => {
  engine = await openDuckDb();
});
afterAll(() => engine.close());

const codes = async (project: ProjectDefinition) =>
  (await checkProject(project, engine)).map(({ where, code }) => `${where}: ${code}`);

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
