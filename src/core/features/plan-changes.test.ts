import { expect, test } from "vitest";
import {
  count,
  entity,
  type FeatureReference,
  featureView,
  float64,
  int64,
  mean,
  onDemand,
  source,
  string,
  timestamp,
} from "../definitions/index.ts";
import { compileFeaturePlan } from "./compile-plan.ts";
import { planChanges } from "./plan-changes.ts";

const sales = source.parquet("sales", {
  path: "-",
  eventTime: "at",
  columns: { shop: string(), price: float64(), units: int64(), at: timestamp() },
});
const shop = entity("shop", { shop: string() });
const aggregate = { sales: count().over("1h"), price_mean: mean("price").over("1h") };
const sold = featureView("sold", { entity: shop, source: sales, features: ["price", "units"], aggregate });
const cheap = (view: typeof sold, limit: number) =>
  onDemand("cheap", {
    inputs: [view.feature.price],
    request: {},
    returns: "bool",
    compute: limit === 5 ? ({ price }) => price !== null && price < 5 : ({ price }) => price !== null && price < 7,
  });
const plan = compileFeaturePlan({ name: "m", features: [...sold.pick("units", "sales", "price_mean"), cheap(sold, 5)] });

const changesTo = (features: readonly FeatureReference[]) =>
  planChanges(plan, new Map(features.map((feature) => [feature.id, feature])));

test("the same definitions change nothing, and neither does what the model does not read", () => {
  expect(changesTo([...sold.all(), cheap(sold, 5)])).toEqual([]);
  const more = featureView("sold", {
    entity: shop,
    source: sales,
    features: ["price", "units"],
    aggregate: { ...aggregate, sales_1d: count().over("1d") },
  });
  expect(changesTo([...more.all(), cheap(sold, 5)])).toEqual([]);
});

test("another window, another availability and a missing feature leave a model to what it was trained on", () => {
  const longer = featureView("sold", {
    entity: shop,
    source: sales,
    features: ["price"],
    aggregate: { ...aggregate, sales: count().over("2h") },
  });
  expect(changesTo([...longer.all(), cheap(sold, 5)])).toEqual([
    { feature: "sold.units", view: "sold", change: "removed", says: "is not in the project any more" },
    { feature: "sold.sales", view: "sold", change: "changed", says: "is computed otherwise" },
  ]);
  const late = { ...sales, availability: { default: "published", groups: {} } };
  const delayed = featureView("sold", { entity: shop, source: late, features: ["price", "units"], aggregate });
  expect(changesTo([...delayed.all(), cheap(sold, 5)]).map(({ feature, change }) => [feature, change])).toEqual([
    ["sold.units", "changed"],
    ["sold.sales", "changed"],
    ["sold.price_mean", "changed"],
    ["sold.price", "changed"],
  ]);
});

test("another type gives other values, of what is in the model itself", () => {
  const halves = source.parquet("sales", {
    path: "-",
    eventTime: "at",
    columns: { shop: string(), price: float64(), units: float64(), at: timestamp() },
  });
  const typed = featureView("sold", { entity: shop, source: halves, features: ["price", "units"], aggregate });
  expect(changesTo([...typed.all(), cheap(sold, 5)])).toEqual([
    { feature: "sold.units", view: "sold", change: "retyped", says: "is float64, and was int64" },
  ]);
});

test("other code and another ttl leave a model as it is, and are said", () => {
  const aging = featureView("sold", { entity: shop, source: sales, features: ["price", "units"], aggregate, ttl: "1d" });
  const changes = changesTo([...aging.all(), cheap(sold, 7)]);
  expect(new Set(changes.map(({ change }) => change))).toEqual(new Set(["code", "ttl"]));
  expect(changes.map(({ feature, change }) => [feature, change])).toContainEqual(["on-demand.cheap", "code"]);
  expect(changes.map(({ feature, change }) => [feature, change])).toContainEqual(["sold.units", "ttl"]);
});

test("another name of a view depends on the view whose values are stored", () => {
  const other = sold.as("other", { shop: "other_shop" });
  const aliased = compileFeaturePlan({ name: "m", features: [other.feature.price, sold.feature.price] });
  expect(planChanges(aliased, new Map(sold.all().map((feature) => [feature.id, feature])))).toEqual([]);
  expect(planChanges(aliased, new Map()).map(({ feature }) => feature)).toEqual(["sold.price"]);
});
