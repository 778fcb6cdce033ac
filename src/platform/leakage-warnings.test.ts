import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type DataRoom, NOW, openDataRoom } from "../../test/fixtures/data-room.ts";
import { openSqlitePushLog } from "../adapters/push/sqlite.ts";
import {
  baseline,
  byTime,
  defineCharter,
  defineModel,
  defineProject,
  entity,
  featureView,
  float64,
  labels,
  requestField,
  source,
  string,
} from "../core/definitions/index.ts";
import { leakageWarnings } from "./leakage-warnings.ts";

let room: DataRoom;
beforeAll(async () => {
  room = await openDataRoom();
});
afterAll(() => room.close());

const visits = source.parquet("visits", {
  path: "visits.parquet",
  key: ["visit"],
  eventTime: "at",
  columns: { visit: string(), shop: string(), spent: float64(), stay: float64(), returned: float64() },
});
const reviews = source.parquet("reviews", {
  path: "reviews.parquet",
  eventTime: "at",
  columns: { visit: string(), stars: float64() },
});
// Reviews claim to be known before the visit that they are of: no join can see that this is wrong.
const stars = featureView("stars", { entity: entity("visit", { visit: string() }), source: reviews, features: ["stars"] });

const model = defineModel("return", {
  labels: labels(visits, { returns: "returned > 0", at: "at" }),
  features: [requestField("spent", float64()), requestField("stay", float64()), stars.all()],
  split: byTime({ test: "10d", validation: "10d" }),
  candidates: [baseline()],
});
const project = defineProject({
  name: "visits",
  charter: defineCharter({
    problem: "p",
    owner: "o",
    users: [],
    data: [],
    target: { name: "returns", type: "regression", groundTruthAfter: "1d" },
    accept: [],
  }),
  sources: [visits, reviews],
  features: [stars],
  models: [{ ...model, labels: { ...model.labels, expression: "returned" } }],
});

test("a feature that knows the answer is named with its model, honest ones are not", async () => {
  await room.parquet(
    "visits.parquet",
    `SELECT i::VARCHAR AS visit, 'a' AS shop, (hash(i) % 100)::DOUBLE AS spent, (hash(i + 7) % 50)::DOUBLE AS stay, (hash(i * 3) % 10)::DOUBLE AS returned,
       TIMESTAMP '2023-01-01' + to_hours(i) AS at FROM range(2000) AS t(i)`,
  );
  await room.parquet(
    "reviews.parquet",
    `SELECT i::VARCHAR AS visit, (hash(i * 3) % 10)::DOUBLE / 2 AS stars, TIMESTAMP '2022-01-01' AS at FROM range(2000) AS t(i)`,
  );
  const warnings = await leakageWarnings(project, room, { projectDirectory: room.directory, now: NOW });
  expect([...new Set(warnings.map(({ model, feature }) => `${model}: ${feature}`))]).toEqual(["return: stars.stars"]);
});

test("rows that were pushed are looked at like others", async () => {
  const told = source.push("told", { eventTime: "at", columns: { visit: string(), stars: float64() } });
  const toldStars = featureView("told_stars", {
    entity: entity("visit", { visit: string() }),
    source: told,
    features: ["stars"],
  });
  const features = [requestField("spent", float64()), toldStars.all()].flat();
  const log = openSqlitePushLog(join(room.directory, "push"));
  try {
    const rows = Array.from({ length: 2_000 }, (_, visit) => ({
      visit: String(visit),
      stars: String(visit % 7),
      at: "2022-01-01",
    }));
    await log.append(
      "told",
      rows.map((row) => ({ row: JSON.stringify(row), key: null, problem: null, entities: [] })),
      {
        once: false,
        at: NOW,
      },
    );
    await room.parquet(
      "visits.parquet",
      `SELECT i::VARCHAR AS visit, 'a' AS shop, (hash(i) % 100)::DOUBLE AS spent, (hash(i + 7) % 50)::DOUBLE AS stay, (i % 7)::DOUBLE AS returned,
         TIMESTAMP '2023-01-01' + to_hours(i) AS at FROM range(2000) AS t(i)`,
    );
    const [given] = project.models;
    const pushing = { ...project, sources: [visits, told], features: [toldStars.definition], models: [{ ...given, features }] };
    const settings = { projectDirectory: room.directory, now: NOW };
    const warnings = await leakageWarnings(pushing, { ...room, pushed: log }, settings);
    expect([...new Set(warnings.map(({ feature }) => feature))]).toEqual(["told_stars.stars"]);
    expect(await leakageWarnings(pushing, room, settings), "before anything was pushed").toEqual([]);
  } finally {
    log.close();
  }
});
