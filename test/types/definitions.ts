/** Compiled, never run: what must not compile is marked, and the compiler complains where a mark is not needed. */
import { createClient } from "../../src/client/index.ts";
import { createTracker, logMetrics, startRun } from "../../src/client/tracking/index.ts";
import { baseline, bool, byTime, clip, count, countDistinct, dateParts, defineCharter, defineModel, endpoint, entity, featureService, featureView, float64, groupKFold, grouped, impute, int32, int64, kFold, labels, last, lastN, mean, metric, needs, nested, onDemand, polynomial, powerTransform, rate, repeated, requestField, rule, secret, segment, selectFeatures, source, sql, stratified, stratifiedKFold, string, targetEncode, threshold, timeFolds, timestamp } from "../../src/index.ts";
const flights = source.parquet("flights", {
  path: "x",
  eventTime: "scheduled_departure",
  availableTime: "landed_at",
  columns: { carrier: string(), tailnum: string(), arr_delay: float64().nullable({ atMost: 0.05 }), distance: float64().between(0, 6_000) },
});
const planes = source.parquet("planes", { path: "y", columns: { tailnum: string(), seats: int32(), year: int32(), maker: string() } });
const tailnum = entity("tailnum", { tailnum: string() });
const carrier = entity("carrier", { carrier: string() });
const planeInfo = featureView("plane_info", { entity: tailnum, source: planes, features: ["seats", "year", "maker"] });
const carrierRecent = featureView("carrier_recent", {
  entity: carrier,
  source: flights,
  aggregate: { late_rate_7d: mean("arr_delay >= 15").over("7d"), flights_24h: count().over("24h") },
});
const age = onDemand("age", {
  inputs: [planeInfo.feature.year],
  request: { scheduled_departure: timestamp() },
  returns: "int32",
  compute: ({ year, scheduled_departure }) => (year === null ? null : scheduled_departure.getUTCFullYear() - year),
});
const late = defineModel("late", {
  labels: labels(flights, { late: "arr_delay >= 15", at: "scheduled_departure", lead: "2h" }),
  features: [carrierRecent.all(), planeInfo.pick("seats", "maker"), age, requestField("distance", float64())],
  split: byTime({ test: "30d", validation: "30d" }),
  candidates: [baseline()],
});
const api = endpoint("late", { model: late.at("champion") });

/** Exactly what the endpoint takes: entity keys of the views it reads and the fields its on-demand features need. */
type Request = NonNullable<(typeof api)["~request"]>;
export const complete: Request = { carrier: "UA", tailnum: "N1", scheduled_departure: "2013-01-01T00:00:00Z", distance: 100 };
// @ts-expect-error a request without a field that an on-demand feature needs
export const incomplete: Request = { carrier: "UA", tailnum: "N1", distance: 100 };
// @ts-expect-error a field of the wrong type
export const wrong: Request = { carrier: 1, tailnum: "N1", scheduled_departure: "2013-01-01T00:00:00Z", distance: 100 };

// @ts-expect-error a column that the source does not have
featureView("p", { entity: tailnum, source: planes, features: ["seatz"] });
// @ts-expect-error a source without the entity's key
featureView("p", { entity: carrier, source: planes, features: ["seats"] });
// @ts-expect-error an entity key of another type
featureView("p", { entity: entity("t", { tailnum: int32() }), source: planes, features: ["seats"] });
// @ts-expect-error a feature that the view does not have
planeInfo.feature.yeer;
// @ts-expect-error the same by pick
planeInfo.pick("seatz");
// @ts-expect-error null is not handled
onDemand("a", { inputs: [planeInfo.feature.year], request: { at: timestamp() }, returns: "float64", compute: ({ year, at }) => at.getUTCFullYear() - year });
// @ts-expect-error a string where a number is returned
onDemand("a", { inputs: [planeInfo.feature.maker], request: {}, returns: "float64", compute: ({ maker }) => maker });
// @ts-expect-error a label at a column that is not there
labels(flights, { late: "arr_delay >= 15", at: "departure" });

/** Windows, last values and expressions make features by name and type. */
const origins = featureView("origins", {
  entity: carrier,
  source: flights,
  features: ["distance"],
  expressions: { far: sql("distance > 1000", "bool") },
  aggregate: {
    late: rate("arr_delay >= 15").over("1h", "24h"),
    planes: countDistinct("tailnum").over("7d"),
    plane: lastN("tailnum", 2, "string").over("1d"),
    delay: lastN("arr_delay", 1).over("1h", "2h"),
    newest: last("scheduled_departure", "timestamp").over("1h"),
  },
  seasonal: ["late_24h", "plane_2", "far"],
  tags: { team: "ops" },
});
type Origins = { [N in keyof typeof origins.feature]: (typeof origins.feature)[N]["type"] };
export const types: Origins = {
  distance: "float64",
  far: "bool",
  late_1h: "float64",
  late_24h: "float64",
  planes: "int64",
  plane_1: "string",
  plane_2: "string",
  delay_1h_1: "float64",
  delay_2h_1: "float64",
  newest: "timestamp",
};
// @ts-expect-error a window that the view does not have
origins.feature.late_7d;
// @ts-expect-error the third of two values
origins.feature.plane_3;
// @ts-expect-error several windows leave no feature of the plain name
origins.feature.late;
// @ts-expect-error an aggregate without a window
mean("distance").over();
// @ts-expect-error a feature that there is not is not seasonal
featureView("p", { entity: carrier, source: flights, features: ["distance"], seasonal: ["carrier"] });

/** One stored view, asked for by other fields; views without an entity ask for none. */
const maker = origins.as("maker", { carrier: "maker_code" });
const everything = featureView("everything", { source: flights, aggregate: { n: count().over("1d") } });
export const makerKeys: (typeof maker.feature.distance)["keys"] = { maker_code: "string" };
export const noKeys: (typeof everything.feature.n)["keys"] = {};
// @ts-expect-error a key that the view does not have
origins.as("maker", { tailnum: "maker_code" });
// @ts-expect-error a type that there is not
sql("distance > 1000", "boolean");

/** A joined source has its base's columns and the features', which views over it can take. */
const flightsWithPlane = source.joined("flights_with_plane", { base: flights, features: [planeInfo.feature.seats, age] });
const carrierFleet = featureView("carrier_fleet", { entity: carrier, source: flightsWithPlane, features: ["distance", "seats", "age", "joined_at"] });
export const fleet: (typeof carrierFleet.feature.seats)["type"] = "int32";
// @ts-expect-error a feature that was not joined
featureView("p", { entity: carrier, source: flightsWithPlane, features: ["maker"] });
// @ts-expect-error a base without the key of the features
source.joined("p", { base: source.csv("b", { path: "x", eventTime: "at", columns: { seat: string() } }), features: [planeInfo.feature.seats] });
// @ts-expect-error a base whose key is of another type
source.joined("p", { base: source.csv("b", { path: "x", eventTime: "at", columns: { tailnum: int32() } }), features: [planeInfo.feature.seats] });

const departure = featureService("departure", { features: [origins.pick("far", "planes"), maker.feature.distance, age], version: 3 });
const served = defineModel("served", {
  labels: labels(flights, { late: "arr_delay >= 15", at: "scheduled_departure" }),
  features: [departure.features],
  split: byTime({ test: "30d", validation: "30d" }),
  candidates: [baseline()],
});
const servedApi = endpoint("served", { model: served.at("champion") });
export const asked: NonNullable<(typeof servedApi)["~request"]> = {
  carrier: "UA",
  maker_code: "B",
  tailnum: "N1",
  scheduled_departure: "2013-01-01T00:00:00Z",
};

const client = createClient({ baseUrl: "", workspace: "default", project: "flights" });
// @ts-expect-error a call without its required input
client.runs.get();
// @ts-expect-error an input of the wrong type
client.runs.get({ id: 1 });
export const page: Promise<{ items: { id: string }[] }> = client.runs.list();
// @ts-expect-error a status that no run has
client.runs.update({ id: "r", status: "lost" });

/** Logging: a body's result is startRun's; without a body it is the run. */
export const result: Promise<number> = startRun({ params: { depth: 3, kind: "trees", tuned: null } }, (run) => {
  run.logMetric("auc", 0.8, { step: 1, at: new Date(0), low: 0.7, high: 0.9 });
  logMetrics({ auc: 0.8 }, { step: 1 });
  return 1;
});
export const started: Promise<{ end(status?: "finished" | "failed" | "killed"): Promise<void> }> = startRun({ experiment: "e" });
// @ts-expect-error a metric that is no number
logMetrics({ auc: "0.8" });
// @ts-expect-error a param that is no scalar
startRun({ params: { layers: [1, 2] } });
// @ts-expect-error a run that is to end as if it ran
started.then((run) => run.end("running"));
// @ts-expect-error a run is told apart by its id, not by its name
createTracker().startRun({ parent: "search" });

/** Preparation, splits and folds. */
defineModel("prepared", {
  labels: labels(flights, { late: "arr_delay >= 15", at: "scheduled_departure" }),
  features: [planeInfo.all()],
  split: grouped("maker", { test: 0.2, validation: 0.2 }),
  prepare: [
    dateParts({ parts: ["month", "hour"], cyclic: true }),
    clip({ low: 0 }),
    clip({ quantiles: [0.01, 0.99], on: ["seats"] }),
    impute("constant", { value: "none", for: "all" }),
    targetEncode({ on: ["maker"], smooth: 20 }),
    powerTransform({ method: "box-cox", for: "linear" }),
    polynomial(["seats", "year"]),
    selectFeatures({ kind: "mutual-information", top: 20 }),
  ],
  candidates: [baseline()],
});
export const folds = [repeated(stratifiedKFold(5), 3), groupKFold("maker"), timeFolds(5, { gap: "7d" }), nested(kFold(5), kFold(3, { shuffle: false }))];
// @ts-expect-error a strategy that there is not
impute("mode");
// @ts-expect-error a part that a date does not have
dateParts({ parts: ["century"] });
// @ts-expect-error products of no features
polynomial();
// @ts-expect-error bounds and quantiles at once
clip({ low: 0, quantiles: [0.01, 0.99] });
// @ts-expect-error the best columns, but how many
selectFeatures({ kind: "f-test" });
// @ts-expect-error shares where a duration is needed
byTime({ test: 0.2, validation: 0.2 });
// @ts-expect-error a duration where a share is needed
stratified({ test: "30d", validation: 0.2 });
// @ts-expect-error time cannot be shuffled and repeated
repeated(timeFolds(5), 3);

/** Charters: what a target's type needs, and the metrics that it has. */
const about = { problem: "p", owner: "o", users: ["u"], data: [needs(flights).rows({ min: 1 })] };
const decision = { act: "rebook", when: threshold(0.3), payoff: { truePositive: 1, falsePositive: -1, falseNegative: -1 } };
const alternative = rule("carrier_recent.late_rate_7d > 0.5");
const whether = { name: "late", type: "binary", groundTruthAfter: "1d" } as const;
const which = { name: "arrival", type: "multiclass", groundTruthAfter: "1d" } as const;
const howMuch = { name: "delay", type: "regression", groundTruthAfter: "1d" } as const;
defineCharter({ ...about, target: whether, decision, alternative, accept: [metric("roc_auc").atLeast(0.7)] });
defineCharter({ ...about, target: which, accept: [metric("f1_macro").atLeast(0.5), metric("accuracy").betterThanBaseline()] });
defineCharter({ ...about, target: howMuch, decision: { act: "tell" }, accept: [segment("carrier", { minRows: 9 }).worst("rmse").atMost(9)] });
// @ts-expect-error whether it happens, but not what is done then
defineCharter({ ...about, target: whether, alternative, accept: [] });
// @ts-expect-error whether it happens, but not what one would do without a model
defineCharter({ ...about, target: whether, decision, accept: [] });
// @ts-expect-error a decision without a payoff
defineCharter({ ...about, target: whether, decision: { act: "rebook", when: threshold(0.3) }, alternative, accept: [] });
// @ts-expect-error a rule that acts where a number is predicted
defineCharter({ ...about, target: howMuch, alternative, accept: [] });
// @ts-expect-error a metric of numbers for two classes
defineCharter({ ...about, target: whether, decision, alternative, accept: [metric("rmse").atMost(3)] });
// @ts-expect-error a metric of two classes for numbers
defineCharter({ ...about, target: howMuch, accept: [metric("roc_auc").atLeast(0.7)] });
// @ts-expect-error a metric of two classes for several
defineCharter({ ...about, target: which, accept: [metric("pr_auc").atLeast(0.7)] });

/** Sources by origin: rows are typed by their columns, and `since` by the watermark's. */
const sensor = { sensor: string(), value: float64(), count: int64(), broken: bool(), changed_at: timestamp() };
source.rows("readings", {
  columns: sensor,
  watermark: { column: "changed_at", overlap: "10m" },
  deleted: "broken",
  rows: async function* (since) {
    yield { sensor: "a", value: 1, count: 5n, changed_at: since ?? new Date(0) };
    yield { sensor: "b", value: null, changed_at: "2024-01-01T00:00:00.000001Z" };
  },
});
source.rows("readings", { columns: sensor, watermark: "count", rows: (since) => [{ count: since === null ? 0n : since + 1n }] });
source.rows("readings", { columns: sensor, rows: () => [{ value: 1 }] });
// @ts-expect-error a value of another type
source.rows("readings", { columns: sensor, rows: () => [{ value: "1" }] });
// @ts-expect-error a row says whether it is deleted in a bool column
source.rows("readings", { columns: sensor, deleted: "value", rows: () => [] });
source.postgres("orders", { url: secret.env("ORDERS"), query: "SELECT * FROM orders", key: ["count"], columns: sensor, watermark: "changed_at" });
// @ts-expect-error an address holds a password, and comes from a secret
source.postgres("orders", { url: "postgres://me:secret@host/db", query: "SELECT 1", columns: sensor });
source.jsonLines("events", { path: "https://example.com/events.jsonl.gz", headers: { authorization: secret.env("TOKEN") }, columns: sensor });
source.push("clicks", { columns: sensor, key: ["sensor"], eventTime: "at" });
