import { afterAll, beforeAll, expect, test } from "vitest";
import {
  carrierRecent,
  champion,
  deploy,
  ENDPOINT,
  materializeCarriers,
  SCOPE,
  type StateFolder,
  stateFolder,
} from "../../test/fixtures/served-endpoint.ts";
import { openDuckDb } from "../adapters/tables/duckdb.ts";
import {
  defineCharter,
  defineProject,
  entity,
  featureView,
  float64,
  int64,
  mean,
  type ProjectDefinition,
  type SourceDefinition,
  source,
  string,
  timestamp,
} from "../core/definitions/index.ts";
import type { TableEngine } from "../core/ports/index.ts";
import { definitionChanges } from "./definition-changes.ts";
import { statePaths } from "./state-folder.ts";

let folder: StateFolder;
let engine: TableEngine;
beforeAll(async () => {
  folder = stateFolder();
  engine = await openDuckDb();
  await materializeCarriers(folder);
  deploy(folder, 1, [champion(3, -1)]);
});
afterAll(() => {
  engine.close();
  folder.remove();
});

type Features = NonNullable<Parameters<typeof defineProject>[0]["features"]>;
const changesOf = (features: Features, sources: readonly SourceDefinition[] = []) =>
  definitionChanges(projectOf(features, sources), engine, {
    paths: statePaths(folder.directory, SCOPE),
    scope: SCOPE,
    settings: { database: null, artifacts: null, online: null },
  });
const projectOf = (features: Features, sources: readonly SourceDefinition[] = []): ProjectDefinition =>
  defineProject({
    name: "flights",
    charter: defineCharter({
      problem: "p",
      owner: "o",
      users: [],
      target: { name: "late", type: "regression", groundTruthAfter: "1d" },
      data: [],
      accept: [],
    }),
    sources,
    features,
    models: [],
  });

const history = source.parquet("history", {
  path: "-",
  columns: { carrier: string(), late_rate: float64(), at: timestamp() },
  eventTime: "at",
});
const carrier = entity("carrier", { carrier: string() });

test("the definitions that everything was made by change nothing but what is not theirs", async () => {
  expect(await changesOf([carrierRecent])).toEqual([]);
  const week = featureView("carrier_week", {
    entity: carrier,
    source: history,
    aggregate: { late_rate_7d: mean("late_rate").over("7d") },
  });
  expect(await changesOf([carrierRecent, week])).toEqual([
    { where: "view carrier_week", feature: null, says: "will be materialized for the first time", breaking: false },
  ]);
});

test("of a feature that is computed otherwise the endpoint that reads it keeps the version that it was trained on", async () => {
  const averaged = featureView("carrier_recent", {
    entity: carrier,
    source: history,
    aggregate: { late_rate: mean("late_rate").over("7d") },
  });
  expect(await changesOf([averaged])).toEqual([
    {
      where: "view carrier_recent",
      feature: null,
      says: "is defined otherwise: its online values will be made anew, beside those that deployed models read",
      breaking: false,
    },
    {
      where: `endpoint ${ENDPOINT}, version 3 (champion)`,
      feature: "carrier_recent.late_rate",
      says: "is computed otherwise; the version that it was trained on goes on until another one is deployed",
      breaking: false,
    },
  ]);
});

test("a source, a column or a column's type that the version needs breaks the endpoint; another ttl only makes values anew", async () => {
  const breaking = async (features: readonly ReturnType<typeof featureView>[], sources: readonly SourceDefinition[] = []) =>
    (await changesOf([...features], sources)).filter((change) => change.breaking).map(({ says }) => says);
  expect(await breaking([])).toEqual([
    'is not in the project any more; the version that it was trained on cannot go on: source "history" is not in the project any more',
  ]);
  expect(await breaking([], [history])).toEqual([]);
  const { late_rate: _, ...left } = history.contracts;
  expect(await breaking([], [{ ...history, contracts: left }])).toEqual([
    'is not in the project any more; the version that it was trained on cannot go on: Feature view "carrier_recent" reads "late_rate", which source "history" does not have',
  ]);
  const whole = source.parquet("history", {
    path: "-",
    columns: { carrier: string(), late_rate: int64(), at: timestamp() },
    eventTime: "at",
  });
  expect(await breaking([featureView("carrier_recent", { entity: carrier, source: whole, features: ["late_rate"] })])).toEqual([
    "is int64, and was float64",
  ]);
  const aging = featureView("carrier_recent", { entity: carrier, source: history, features: ["late_rate"], ttl: "1d" });
  expect((await changesOf([aging])).map(({ where, breaking }) => [where, breaking])).toEqual([["view carrier_recent", false]]);
});

test("there is nothing to change before anything was made", async () => {
  const empty = stateFolder();
  const state = {
    paths: statePaths(empty.directory, SCOPE),
    scope: SCOPE,
    settings: { database: null, artifacts: null, online: null },
  };
  expect(await definitionChanges(projectOf([carrierRecent]), engine, state)).toEqual([]);
  empty.remove();
});
