import { readFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  carrierRecent,
  charter,
  flights,
  lateArrival,
  planeAge,
  planeInfo,
  planes,
  weather,
  weatherNow,
} from "../../../examples/flights/orrery.config.ts";
import { quoteLiteral } from "../data/index.ts";
import {
  baseline,
  byTime,
  type CharterDefinition,
  defineCharter,
  defineModel,
  entity,
  type FeatureReference,
  featureView,
  float64,
  int32,
  int64,
  type LabelDefinition,
  labels,
  onDemand,
  requestField,
  rule,
  type SourceDefinition,
  source,
  sql,
  string,
  sum,
  timestamp,
} from "../definitions/index.ts";
import { HOUR, MINUTE, type Micros, parseTimestamp } from "../time.ts";
import type { SnapshotMap } from "./historical-features.ts";
import type { SourceRow } from "./test-support/oracle.ts";
import { openWorkbench, snapshotOf, type Workbench } from "./test-support/snapshots.ts";
import { buildTrainingSet, type TrainingSetInput } from "./training-set.ts";

let bench: Workbench;
beforeAll(async () => {
  bench = await openWorkbench();
});
afterAll(() => bench.close());

const NOON = parseTimestamp("2013-11-05T12:00:00Z");
const LATER = parseTimestamp("2013-11-20T00:00:00Z");

interface FlightFacts {
  readonly id: string;
  readonly departs: Micros;
  readonly late?: number | null;
  readonly cancelled?: boolean;
  readonly tailnum?: string | null;
}

/** A flight of 3 hours; it leaves on time and lands `late` minutes after its schedule. */
function flight({ id, departs, late = 0, cancelled = false, tailnum = "N1" }: FlightFacts): SourceRow {
  const lands = departs + 3 * HOUR + (late ?? 0) * MINUTE;
  return {
    flight_id: id,
    carrier: "UA",
    tailnum,
    origin: "EWR",
    dest: "ORD",
    distance: 719,
    departure_hour: 7,
    weekday: 2,
    scheduled_minutes: 180,
    scheduled_departure: departs,
    published_at: departs - 30 * 24 * HOUR,
    dep_delay: cancelled ? null : 0,
    cancelled,
    departed_at: cancelled ? departs + 4 * HOUR : departs,
    arr_delay: cancelled ? null : late,
    air_time: cancelled ? null : 150,
    diverted: cancelled ? null : false,
    landed_at: cancelled ? departs + 4 * HOUR : lands,
  };
}

const reading = (hour: Micros, temp: number | null): SourceRow => ({
  origin: "EWR",
  temp,
  visib: 10,
  observed_hour: hour,
  published_at: hour + HOUR,
});
const board: readonly FlightFacts[] = [
  { id: "early", departs: NOON - 24 * HOUR, late: 30 },
  { id: "noon", departs: NOON, late: 5 },
  { id: "gone", departs: NOON + HOUR, cancelled: true },
  { id: "evening", departs: NOON + 8 * HOUR, late: 45 },
];
const readings = [-4, -3, -2, -1, 0].map((hours, index) => reading(NOON + hours * HOUR, 50 + index));

let snapshots: SnapshotMap;
const snapshotsOf = async (
  tables: readonly (readonly [SourceDefinition, readonly SourceRow[]])[],
  asOf = LATER,
): Promise<SnapshotMap> =>
  new Map(
    await Promise.all(
      tables.map(
        async ([source, rows]) => [source.name, { source, snapshot: await snapshotOf(bench, source, [rows], asOf) }] as const,
      ),
    ),
  );
beforeEach(async () => {
  snapshots = await snapshotsOf([
    [flights, board.map(flight)],
    [weather, readings],
    [planes, [{ tailnum: "N1", year: 2001, seats: 149 }]],
  ]);
});

const late = labels(flights, { late: "arr_delay >= 15", at: "scheduled_departure", lead: "2h" });
const modelOf = (
  features: readonly FeatureReference[],
  changes: { labels?: LabelDefinition; segments?: readonly string[] } = {},
) =>
  defineModel("m", {
    labels: changes.labels ?? late,
    features: [features],
    split: byTime({ test: "1d", validation: "1d" }),
    candidates: [baseline()],
    explain: { segments: changes.segments ?? [] },
  });
const withRule = (condition: string): CharterDefinition => ({ ...charter, alternative: rule(condition) });
const always = withRule("true");
const build = (
  features: readonly FeatureReference[],
  changes: Partial<TrainingSetInput> & { segments?: readonly string[]; labels?: LabelDefinition } = {},
) => buildTrainingSet(bench, { model: modelOf(features, changes), charter: always, snapshots, asOf: LATER, ...changes });
const read = async (set: { file: { sha256: string } }) =>
  bench.engine.rows(`SELECT * FROM read_parquet(${quoteLiteral(await bench.artifacts.localPath(set.file.sha256))})`);
const refused = (code: string, message: string | RegExp = "") => ({ code, message: expect.stringMatching(message) });

describe("a training set", () => {
  test("has one row per flight in order of prediction time, with label, reference and counts", async () => {
    const set = await build([...weatherNow.all(), requestField("carrier", string())], {
      segments: ["carrier", "weather_now.temp"],
    });
    expect(set).toMatchObject({
      rows: 4,
      labelled: 3,
      positives: 2,
      pending: 0,
      censored: 1,
      from: null,
      to: LATER + 1,
      asOf: LATER,
    });
    const rows = await read(set);
    expect(rows.map((row) => [row.__reference, row.__label, row.__censored])).toEqual([
      ["early", true, false],
      ["noon", false, false],
      ["gone", null, true],
      ["evening", true, false],
    ]);
    expect(Object.keys(rows[0] ?? {})).toEqual(set.columns);
    expect(set.columns.slice(0, 11)).toEqual([
      ...["__row", "__reference", "__at", "__event_at", "__label", "__label_at", "__censored", "__rule"],
      ...["__segment_carrier", "__segment_weather_now.temp", "weather_now.temp"],
    ]);
    expect(rows[1]).toMatchObject({
      __row: 1,
      __at: NOON - 2 * HOUR,
      __event_at: NOON,
      __label_at: NOON + 3 * HOUR + 5 * MINUTE,
      __segment_carrier: "UA",
      "on-demand.carrier": "UA",
    });
  });

  test("counts a flight whose outcome is not known at asOf as pending, whatever is in its file", async () => {
    const set = await build(weatherNow.all(), { asOf: NOON + 4 * HOUR });
    // The noon flight has landed; the 13:00 one is known to be cancelled only at 17:00.
    expect(set).toMatchObject({ rows: 3, labelled: 2, positives: 1, pending: 1, censored: 0 });
    // A prediction at 18:00 has not been made at 16:00.
    expect((await read(set)).map((row) => row.__reference)).toEqual(["early", "noon", "gone"]);
  });

  test("has a label only where the label's columns are available, even when the expression needs no value", async () => {
    const known = labels(flights, { known: "arr_delay IS NULL OR arr_delay < 1000", at: "scheduled_departure", lead: "2h" });
    const set = await build(weatherNow.all(), { labels: known, asOf: NOON + HOUR });
    expect((await read(set)).map((row) => [row.__reference, row.__label])).toEqual([
      ["early", true],
      ["noon", null],
      ["gone", null],
    ]);
  });

  test("takes the predictions from `from` on and before `to`", async () => {
    const at = NOON - 2 * HOUR;
    expect((await read(await build(weatherNow.all(), { from: at, to: at + HOUR }))).map((row) => row.__reference)).toEqual([
      "noon",
    ]);
    expect(
      (await read(await build(weatherNow.all(), { from: at + 1, to: at + HOUR + 1 }))).map((row) => row.__reference),
    ).toEqual(["gone"]);
  });

  test("evaluates the charter's rule over views and on-demand features", async () => {
    const features = [...weatherNow.all(), ...carrierRecent.all(), planeAge];
    const set = await build(features, {
      charter: withRule("weather_now.temp >= 52 and on_demand.plane_age > 5 or carrier_recent.late_rate_24h > 1 -- never"),
    });
    // By 18:00 the reading of 12:00 is exactly as old as its ttl allows.
    expect((await read(set)).map((row) => row.__rule)).toEqual([null, false, true, true]);
  });

  test("leaves features out by their ids", async () => {
    const set = await build([...weatherNow.all(), requestField("carrier", string())], {
      exclude: weatherNow.all().map(({ id }) => id),
    });
    expect(set.plan.features.map(({ id }) => id)).toEqual(["on-demand.carrier"]);
    expect(set.plan.views).toEqual([]);
  });

  test("has equal bytes for equal input", async () => {
    const [one, other] = [await build(lateArrival.features.slice(0, 12)), await build(lateArrival.features.slice(0, 12))];
    expect(one).toEqual(other);
    expect(readFileSync(await bench.artifacts.localPath(one.file.sha256)).length).toBe(one.file.bytes);
  });

  test("says which share of rows misses each feature", async () => {
    snapshots = await snapshotsOf([
      [flights, board.map((each, index) => flight({ ...each, tailnum: index === 0 ? null : index === 1 ? "N2" : "N1" }))],
      [planes, [{ tailnum: "N1", year: 2001, seats: null }]],
    ]);
    const { missingShare } = await build([planeInfo.feature.year, planeInfo.feature.seats, planeAge]);
    expect(missingShare).toEqual({ "plane_info.year": 0.5, "plane_info.seats": 1, "on-demand.plane_age": 0.5 });
  });

  test("has the label of a corrected flight as it was known, and what was asked as it was known then", async () => {
    const corrected = NOON + 24 * HOUR;
    const first = flight({ id: "noon", departs: NOON, late: 5 });
    const longer = { ...first, distance: 999, published_at: NOON - 3 * HOUR };
    const later = { ...longer, distance: 720, arr_delay: 45, landed_at: corrected, published_at: corrected };
    snapshots = await snapshotsOf([[flights, [first, longer, later, flight({ id: "early", departs: NOON - HOUR })]]]);
    const asOf = async (at: Micros) =>
      (await read(await build([requestField("distance", float64())], { asOf: at }))).map((row) => [
        row.__reference,
        row.__label,
        row["on-demand.distance"],
      ]);
    expect(await asOf(corrected - 1)).toEqual([
      ["early", false, 719],
      ["noon", false, 999],
    ]);
    expect(await asOf(corrected)).toEqual([
      ["early", false, 719],
      ["noon", true, 999],
    ]);
  });

  test("has no row of a flight that was deleted by asOf", async () => {
    const removed = { ...flights, deleted: "diverted" };
    const [early, noon] = board.slice(0, 2).map(flight);
    const tombstone = { ...noon, diverted: true, published_at: NOON + 5 * HOUR };
    snapshots = await snapshotsOf([[removed, [early, noon, tombstone]]]);
    const model = labels(removed, { late: "arr_delay >= 15", at: "scheduled_departure", lead: "2h" });
    const known = async (asOf: Micros) =>
      (await read(await build([requestField("carrier", string())], { labels: model, asOf }))).map((row) => row.__reference);
    expect(await known(NOON + 5 * HOUR - 1)).toEqual(["early", "noon"]);
    expect(await known(NOON + 5 * HOUR)).toEqual(["early"]);
  });

  test("leaves no temporary table and no file behind, also when it fails", async () => {
    await build(weatherNow.all());
    await expect(build(weatherNow.all(), { charter: withRule("nonsense > 1") })).rejects.toMatchObject(
      refused("FEATURE_RULE_INVALID"),
    );
    expect(await bench.engine.rows("SELECT table_name FROM duckdb_tables()")).toEqual([]);
    const { readdirSync } = await import("node:fs");
    expect(readdirSync(bench.tmpDirectory).filter((name) => name.startsWith("training-set"))).toEqual([]);
  });
});

describe("a training set of classes or numbers", () => {
  const { name: _, type: __, ...due } = charter.target;
  const about = { problem: "How late", owner: "o", users: [], data: [], accept: [] };
  const numbers = defineCharter({ ...about, target: { ...due, name: "delay", type: "regression" } });
  const classes = defineCharter({ ...about, target: { ...due, name: "arrival", type: "multiclass" } });
  const labelled = (expression: string) => labels(flights, { x: expression, at: "scheduled_departure", lead: "2h" });
  const labelsOf = async (set: { file: { sha256: string } }) => (await read(set)).map(({ __label }) => __label);

  test("has numbers as labels, no positives and no rule", async () => {
    const set = await build(weatherNow.all(), { charter: numbers, labels: labelled("arr_delay::DECIMAL(6, 1)") });
    expect(set).toMatchObject({ rows: 4, labelled: 3, positives: 0, pending: 0, censored: 1 });
    const rows = await read(set);
    expect(rows.map((row) => row.__label)).toEqual([30, 5, null, 45]);
    expect(rows.map((row) => row.__rule)).toEqual([false, false, false, false]);
  });

  test("takes a label that is NaN as not known, and refuses one that is infinite", async () => {
    const odd = (value: string) => labelled(`CASE WHEN arr_delay = 5 THEN '${value}'::DOUBLE ELSE arr_delay END`);
    const set = await build(weatherNow.all(), { charter: numbers, labels: odd("nan") });
    expect(set).toMatchObject({ labelled: 2, pending: 1, censored: 1 });
    expect(await labelsOf(set)).toEqual([30, null, null, 45]);
    await expect(build(weatherNow.all(), { charter: numbers, labels: odd("-inf") })).rejects.toMatchObject(
      refused("FEATURE_LABEL_INVALID", "infinite in 1 rows"),
    );
  });

  test("has classes that are text or numbers", async () => {
    const text = labelled("CASE WHEN arr_delay > 40 THEN 'very late' WHEN arr_delay > 10 THEN 'late' ELSE 'on time' END");
    const set = await build(weatherNow.all(), { charter: classes, labels: text });
    expect(set).toMatchObject({ labelled: 3, positives: 0, censored: 1 });
    expect(await labelsOf(set)).toEqual(["late", "on time", null, "very late"]);
    expect(
      await labelsOf(await build(weatherNow.all(), { charter: classes, labels: labelled("floor(arr_delay / 20)") })),
    ).toEqual([1, 0, null, 2]);
  });

  test.each([
    [numbers, "carrier", "VARCHAR and no number"],
    [numbers, "arr_delay > 1", "BOOLEAN and no number"],
    [classes, "arr_delay > 1", "BOOLEAN and no class"],
    [classes, "scheduled_departure", "TIMESTAMP and no class"],
  ])("is refused where the label is of another type (%#)", async (of, expression, message) => {
    await expect(build(weatherNow.all(), { charter: of, labels: labelled(expression) })).rejects.toMatchObject(
      refused("FEATURE_LABEL_INVALID", message),
    );
  });
});

test("names of columns, features and views may be anything, and say nothing to SQL", async () => {
  const odd = source.parquet("odd", {
    path: "-",
    key: ["select"],
    eventTime: "order",
    columns: { select: string(), 'x"; DROP TABLE t; --': float64(), größe: float64(), big: int64() },
  });
  const view = featureView("täglich 'x'", {
    entity: entity("e", { select: string() }),
    source: odd,
    features: ['x"; DROP TABLE t; --', "größe", "big"],
    expressions: { "it's": sql('"größe" > 1', "bool") },
    aggregate: { from: sum('"x""; DROP TABLE t; --"').over("1d") },
  });
  const rows: SourceRow[] = ["a'b", 'a"b', "a|b"].map((select, index) => ({
    select,
    order: NOON + index * HOUR,
    'x"; DROP TABLE t; --': index,
    größe: index,
    big: 2n ** 60n + BigInt(index),
  }));
  snapshots = await snapshotsOf([[odd, rows]]);
  const about = labels(odd, { late: '"größe" > 0', at: "order" });
  const condition = `"täglich 'x'"."größe" >= 1 and "täglich 'x'"."it's" is not null`;
  const target = { name: "late", type: "binary", groundTruthAfter: "1d" } as const;
  const set = await build(view.all(), { labels: about, charter: { ...charter, target, alternative: rule(condition) } });
  expect(set.columns.slice(8)).toEqual([
    `täglich 'x'.x"; DROP TABLE t; --`,
    "täglich 'x'.größe",
    "täglich 'x'.big",
    "täglich 'x'.it's",
    "täglich 'x'.from",
  ]);
  expect((await read(set)).map((row) => [row.__reference, row.__rule, ...set.columns.slice(8).map((name) => row[name])])).toEqual(
    [
      ["a'b", false, 0, 0, 2n ** 60n, false, 0],
      ['a"b', true, 1, 1, 2n ** 60n + 1n, false, 1],
      ["a|b", true, 2, 2, 2n ** 60n + 2n, true, 2],
    ],
  );
});

describe("a planted leak", () => {
  test.each([
    ["dep_delay", float64(), "departed_at"],
    ["air_time", float64(), "landed_at"],
    ["arr_delay", float64(), "landed_at"],
    ["landed_at", timestamp(), "landed_at"],
  ] as const)("%s as a request field is refused", async (field, type, at) => {
    const failure = build([requestField(field, type)]);
    await expect(failure).rejects.toMatchObject(refused("FEATURE_LEAK", `known only at ${at}`));
  });

  test("inside an on-demand feature is refused", async () => {
    const hurried = onDemand("hurried", {
      inputs: [],
      request: { air_time: float64() },
      returns: "float64",
      compute: ({ air_time }) => air_time,
    });
    await expect(build([hurried])).rejects.toMatchObject(refused("FEATURE_LEAK", "air_time"));
  });

  test("of the weather: a reading is not seen before the next full hour", async () => {
    const set = await build([weatherNow.feature.temp]);
    const rows = await read(set);
    // At 10:00 the reading of 09:00, published at 10:00, is the last; that of 10:00 is not out until 11:00.
    expect(rows[1]).toMatchObject({ __reference: "noon", "weather_now.temp": 51 });
    const minuteEarlier = labels(flights, { late: "arr_delay >= 15", at: "scheduled_departure", lead: "121m" });
    expect((await read(await build([weatherNow.feature.temp], { labels: minuteEarlier })))[1]).toMatchObject({
      "weather_now.temp": 50,
    });
    const onTheHour = labels(flights, { late: "arr_delay >= 15", at: "scheduled_departure" });
    expect((await read(await build([weatherNow.feature.temp], { labels: onTheHour })))[1]).toMatchObject({
      __reference: "noon",
      "weather_now.temp": 53,
    });
  });

  test("of outcomes: a flight's own delay, and that of flights still in the air, are in no aggregate", async () => {
    snapshots = await snapshotsOf([[flights, board.map(flight)]]);
    const rows = await read(await build(carrierRecent.all()));
    // Only "early" has landed by 10:00; "noon" lands at 15:05, in time for the prediction at 18:00.
    expect(rows.map((row) => row["carrier_recent.late_rate_24h"])).toEqual([null, 1, 1, 0]);
  });
});

describe("a training set is refused", () => {
  test("without a snapshot of the label's or a view's source", async () => {
    const without = (name: string) => new Map([...snapshots].filter(([source]) => source !== name));
    await expect(build(weatherNow.all(), { snapshots: without("flights") })).rejects.toMatchObject(
      refused("FEATURE_SOURCE_MISSING", "flights"),
    );
    await expect(build(weatherNow.all(), { snapshots: without("weather") })).rejects.toMatchObject(
      refused("FEATURE_SOURCE_MISSING", "weather_now"),
    );
  });

  test("without a row to predict", async () => {
    await expect(build(weatherNow.all(), { asOf: NOON - 100 * HOUR })).rejects.toMatchObject(refused("FEATURE_LABEL_EMPTY"));
    await expect(build(weatherNow.all(), { from: NOON, to: NOON })).rejects.toMatchObject(refused("FEATURE_RANGE_INVALID"));
    await expect(build(weatherNow.all(), { from: LATER + HOUR })).rejects.toMatchObject(refused("FEATURE_RANGE_INVALID"));
  });

  test("where a row to be predicted has no time", async () => {
    snapshots = await snapshotsOf([
      [flights, [...board.map(flight), { ...flight({ id: "x", departs: NOON }), scheduled_departure: null }]],
    ]);
    await expect(build([requestField("carrier", string())])).rejects.toMatchObject(
      refused("FEATURE_LABEL_TIME_MISSING", "1 rows"),
    );
  });

  test("with a segment, an excluded feature or a rule that names nothing", async () => {
    await expect(build(weatherNow.all(), { segments: ["airline"] })).rejects.toMatchObject(
      refused("FEATURE_SEGMENT_UNKNOWN", "airline"),
    );
    await expect(build(weatherNow.all(), { exclude: ["weather_now.snow"] })).rejects.toMatchObject(
      refused("FEATURE_UNKNOWN", "snow"),
    );
    await expect(build(weatherNow.all(), { charter: withRule("carrier_recent.late_rate_24h > 0.5") })).rejects.toMatchObject(
      refused("FEATURE_RULE_INVALID"),
    );
    await expect(build(weatherNow.all(), { charter: withRule("weather_now.temp") })).rejects.toMatchObject(
      refused("FEATURE_RULE_INVALID", "DOUBLE"),
    );
  });

  test("with a label that is no condition or reads what is not there", async () => {
    const number = labels(flights, { late: "arr_delay", at: "scheduled_departure" });
    await expect(build(weatherNow.all(), { labels: number })).rejects.toMatchObject(refused("FEATURE_LABEL_INVALID"));
    const unknown = labels(flights, { late: "lateness > 1", at: "scheduled_departure" });
    await expect(build(weatherNow.all(), { labels: unknown })).rejects.toMatchObject(
      refused("DATA_EXPRESSION_INVALID", "lateness"),
    );
    await expect(build(weatherNow.all(), { labels: { ...late, at: "carrier" } })).rejects.toMatchObject(
      refused("FEATURE_LABEL_INVALID"),
    );
  });

  test("with a request field that the label's source does not have, or has as another type", async () => {
    await expect(build([requestField("gate", string())])).rejects.toMatchObject(refused("FEATURE_REQUEST_MISSING", "gate"));
    await expect(build([requestField("distance", int32())])).rejects.toMatchObject(refused("FEATURE_REQUEST_TYPE", "distance"));
  });

  test("where an on-demand function is another one when it is rebuilt", async () => {
    // Its text reads the same, but what it is given as `this` is gone.
    const compute = function (this: unknown) {
      return this === undefined ? 0 : 1;
    }.bind("bound");
    Object.defineProperty(compute, "toString", { value: () => "() => 0" });
    const odd = onDemand("odd", { inputs: [], request: {}, returns: "float64", compute });
    await expect(build([odd])).rejects.toMatchObject({ code: "FEATURE_ON_DEMAND_SOURCE" });
    let calls = 0;
    const counting = onDemand("counting", {
      inputs: [],
      request: {},
      returns: "float64",
      compute: () => (typeof calls === "undefined" ? 0 : ++calls),
    });
    await expect(build([counting])).rejects.toMatchObject({ code: "FEATURE_ON_DEMAND_DIFFERS" });
  });
});
