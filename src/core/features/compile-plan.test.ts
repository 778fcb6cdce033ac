import { describe, expect, test } from "vitest";
import {
  bool,
  count,
  defineCharter,
  defineProject,
  entity,
  type FeatureReference,
  type FeatureViewDefinition,
  featureService,
  featureView,
  float64,
  int32,
  mean,
  onDemand,
  requestField,
  source,
  string,
  timestamp,
} from "../definitions/index.ts";
import { HOUR } from "../time.ts";
import { compileFeaturePlan } from "./compile-plan.ts";

const sales = source.parquet("sales", {
  path: "-",
  eventTime: "sold_at",
  columns: { shop: string(), till: int32(), price: float64(), refunded: bool() },
});
const shops = source.parquet("shops", { path: "-", columns: { shop: string(), opened: int32(), till: string() } });
const shop = entity("shop", { shop: string() });
const recent = featureView("recent", {
  entity: shop,
  source: sales,
  features: ["price"],
  aggregate: { mean_6h: mean("price").over("6h"), sales_1h: count().over("1h") },
  ttl: "2h",
  seasonal: ["price"],
});
const info = featureView("info", { entity: shop, source: shops, features: ["opened"] });
const age = onDemand("age", {
  inputs: [info.feature.opened],
  request: { asked_at: timestamp() },
  returns: "int32",
  compute: ({ opened, asked_at }) => (opened === null ? null : asked_at.getUTCFullYear() - opened),
});
const old = onDemand("old", {
  inputs: [age],
  request: {},
  returns: "bool",
  compute: ({ age: years }) => years !== null && years > 10,
});
const plan = (...features: (FeatureReference | readonly FeatureReference[])[]) =>
  compileFeaturePlan({ name: "m", features: features.flat() });
const refused = (code: string) => expect.objectContaining({ code });
const view = (changes: Partial<FeatureViewDefinition>): FeatureReference => ({
  ...recent.feature.price,
  from: { ...recent.definition, ...changes },
});

describe("a compiled feature plan", () => {
  test("lists features in the model's order, and views with all that anybody reads of them", () => {
    const made = plan(old, recent.pick("mean_6h"), requestField("channel", string()));
    expect(made.features.map(({ id, source: from }) => [id, from])).toEqual([
      ["on-demand.old", null],
      ["recent.mean_6h", "sales"],
      ["on-demand.channel", null],
    ]);
    expect(made.views.map(({ name, features, ttl }) => [name, features, ttl])).toEqual([
      ["info", ["opened"], null],
      ["recent", ["mean_6h"], 2 * HOUR],
    ]);
    expect(made.keys).toEqual({ shop: "string" });
    expect(made.request).toEqual({ asked_at: "timestamp", channel: "string" });
  });

  test("puts on-demand functions after those that they read", () => {
    expect(plan(old, age).onDemand.map(({ name }) => name)).toEqual(["age", "old"]);
  });

  test("is JSON", () => {
    const made = plan(recent.all(), old);
    expect(JSON.parse(JSON.stringify(made))).toEqual(made);
  });

  test("asks for a field that is also a key only as a key", () => {
    const made = plan(recent.all(), requestField("shop", string()));
    expect(made.keys).toEqual({ shop: "string" });
    expect(made.request).toEqual({});
  });

  test("marks seasonal features", () => {
    expect(plan(recent.all()).features.map(({ seasonal }) => seasonal)).toEqual([true, false, false]);
  });
});

describe("a plan is refused", () => {
  test("without features", () => {
    expect(() => plan()).toThrow(refused("FEATURE_NONE"));
  });

  test("with a feature twice, be it in other letter case", () => {
    expect(() => plan(recent.all(), recent.feature.price)).toThrow(refused("FEATURE_DUPLICATE"));
    const upper = featureView("RECENT", { entity: shop, source: sales, features: ["price"] });
    expect(() => plan(recent.all(), upper.all())).toThrow(refused("FEATURE_DUPLICATE"));
  });

  test("with two views, or two on-demand features, of one name", () => {
    const other = featureView("recent", { entity: shop, source: sales, features: ["refunded"] });
    expect(() => plan(recent.feature.price, other.all())).toThrow(refused("FEATURE_DUPLICATE"));
    const otherAge = onDemand("age", { inputs: [], request: {}, returns: "int32", compute: () => 1 });
    expect(() => plan(otherAge, old)).toThrow(refused("FEATURE_DUPLICATE"));
  });

  test("where one key or request field has two types", () => {
    const till = featureView("till", { entity: entity("till", { till: int32() }), source: sales, features: ["price"] });
    const named = featureView("named", { entity: entity("named", { till: string() }), source: shops, features: ["opened"] });
    expect(() => plan(till.all(), named.all())).toThrow(refused("FEATURE_KEY_INVALID"));
    expect(() => plan(till.all(), requestField("till", string()))).toThrow(refused("FEATURE_KEY_INVALID"));
    const asNumber = onDemand("n", { inputs: [], request: { asked_at: float64() }, returns: "float64", compute: () => 1 });
    expect(() => plan(age, asNumber)).toThrow(refused("FEATURE_REQUEST_TYPE"));
  });

  test("where on-demand functions read one another, as soon as the project is defined", () => {
    const inputs: FeatureReference[] = [];
    const first = onDemand("first", { inputs, request: {}, returns: "int32", compute: () => 1 });
    const second = onDemand("second", { inputs: [first], request: {}, returns: "int32", compute: () => 2 });
    const third = onDemand("third", { inputs: [first, second], request: {}, returns: "int32", compute: () => 3 });
    expect(() => plan(third)).not.toThrow();
    inputs.push(second);
    const cycle = expect.objectContaining({
      code: "DEFINITION_FEATURE_CYCLE",
      message: expect.stringContaining("on-demand.first reads on-demand.second reads on-demand.first"),
    });
    expect(() => plan(third)).toThrow(cycle);
    const service = featureService("s", { features: [third] });
    const charter = defineCharter({
      problem: "p",
      owner: "o",
      users: ["u"],
      target: { name: "y", type: "regression", groundTruthAfter: "1h" },
      data: [],
      accept: [],
    });
    expect(() => defineProject({ name: "p", charter, services: [service] })).toThrow(cycle);
  });

  test("where an on-demand function has two inputs of one name", () => {
    const twice = onDemand("twice", {
      inputs: [recent.feature.price, featureView("again", { entity: shop, source: sales, features: ["price"] }).feature.price],
      request: {},
      returns: "float64",
      compute: ({ price }) => price,
    });
    expect(() => plan(twice)).toThrow(refused("FEATURE_ON_DEMAND_INPUTS"));
  });

  test("where a view's definition cannot be right", () => {
    expect(() => plan(view({ name: "on-demand" }))).toThrow(refused("FEATURE_NAME_INVALID"));
    expect(() => plan(view({ name: "a.b" }))).toThrow(refused("FEATURE_NAME_INVALID"));
    expect(() => plan(view({ features: ["nothing"] }))).toThrow(refused("FEATURE_COLUMN_UNKNOWN"));
    expect(() => plan(view({ features: ["price", "PRICE"] }))).toThrow(refused("FEATURE_DUPLICATE"));
    expect(() => plan(view({ features: [], aggregates: {} }))).toThrow(refused("FEATURE_NONE"));
    expect(() => plan(view({ ttl: 0 }))).toThrow(refused("FEATURE_WINDOW_INVALID"));
    expect(() => plan(view({ ttl: Number.NaN }))).toThrow(refused("FEATURE_WINDOW_INVALID"));
    expect(() => plan(view({ source: shops }))).toThrow(refused("FEATURE_COLUMN_UNKNOWN"));
    expect(() => plan(view({ entity: { kind: "entity", name: "e", keys: {} } }))).toThrow(refused("FEATURE_KEY_INVALID"));
    expect(() => plan(view({ entity: { kind: "entity", name: "e", keys: { shop: "int32" } } }))).toThrow(
      refused("FEATURE_KEY_INVALID"),
    );
    expect(() => plan(view({ entity: { kind: "entity", name: "e", keys: { price: "float64" } } }))).toThrow(
      refused("FEATURE_KEY_INVALID"),
    );
  });

  test("where a source without event time is looked back over", () => {
    const aged = featureView("aged", { entity: shop, source: shops, features: ["opened"], ttl: "1d" });
    const counted = featureView("counted", { entity: shop, source: shops, aggregate: { n: count().over("1d") } });
    expect(() => plan(aged.all())).toThrow(refused("FEATURE_TIME_MISSING"));
    expect(() => plan(counted.all())).toThrow(refused("FEATURE_TIME_MISSING"));
  });
});
