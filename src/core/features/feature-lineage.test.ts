import { afterAll, beforeAll, expect, test } from "vitest";
import { openDuckDb } from "../../adapters/tables/duckdb.ts";
import {
  count,
  entity,
  featureView,
  float64,
  int32,
  max,
  onDemand,
  requestField,
  source,
  sql,
  string,
  timestamp,
} from "../definitions/index.ts";
import type { TableEngine } from "../ports/index.ts";
import { compileFeaturePlan } from "./compile-plan.ts";
import { featureOrigins, featuresOfPlan } from "./feature-lineage.ts";

let engine: TableEngine;
beforeAll(async () => {
  engine = await openDuckDb();
});
afterAll(() => engine.close());

const planes = source.parquet("planes", {
  path: "-",
  key: ["tailnum"],
  columns: { tailnum: string(), year: int32(), seats: int32() },
});
const flights = source.parquet("flights", {
  path: "-",
  eventTime: "at",
  columns: { tailnum: string(), carrier: string(), delay: float64(), "air time": float64(), at: timestamp() },
});
const info = featureView("info", {
  entity: entity("plane", { tailnum: string() }),
  source: planes,
  features: ["year"],
  expressions: { is_large: sql("seats > 200", "bool") },
});
const joined = source.joined("flights_with_planes", { base: flights, features: [info.feature.is_large] });
const recent = featureView("recent", {
  entity: entity("carrier", { carrier: string() }),
  source: joined,
  features: [],
  aggregate: {
    flights: count().over("1d"),
    slow: max('delay + "air time"').over("1d"),
    large: count("is_large").over("1d"),
  },
});
const age = onDemand("age", {
  inputs: [info.feature.year],
  request: { asked_at: timestamp() },
  returns: "int32",
  compute: ({ year, asked_at }) => (year === null ? null : asked_at.getUTCFullYear() - year),
});

test("a feature comes from the columns of its expression and from its keys", async () => {
  expect(await featureOrigins(engine, info.feature.year)).toEqual({
    feature: "info.year",
    columns: ["planes.tailnum", "planes.year"],
    inputs: [],
  });
  expect((await featureOrigins(engine, recent.feature.slow)).columns).toEqual([
    "flights.air time",
    "flights.carrier",
    "flights.delay",
  ]);
  expect((await featureOrigins(engine, recent.feature.flights)).columns).toEqual(["flights.carrier"]);
});

test("functions and joined sources lead on to what was delivered", async () => {
  expect(await featureOrigins(engine, age)).toEqual({
    feature: "on-demand.age",
    columns: ["planes.tailnum", "planes.year"],
    inputs: ["info.year"],
  });
  expect(await featureOrigins(engine, recent.feature.large)).toEqual({
    feature: "recent.large",
    columns: ["flights.carrier", "planes.seats", "planes.tailnum"],
    inputs: ["info.is_large"],
  });
});

test("another name of a view comes from the same columns", async () => {
  const other = info.as("other", { tailnum: "other_plane" });
  expect((await featureOrigins(engine, other.feature.year)).columns).toEqual(["planes.tailnum", "planes.year"]);
});

test("a model depends on what its functions read too", () => {
  const plan = compileFeaturePlan({ name: "m", features: [age, requestField("carrier", string()), recent.feature.slow] });
  expect([...featuresOfPlan(plan)].sort()).toEqual(["info.year", "on-demand.age", "on-demand.carrier", "recent.slow"]);
});
