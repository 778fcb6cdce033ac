/** Will this flight land early, about on time, or late? Asked two hours before its departure from LaGuardia, January to March 2013. */
import {
  bool,
  byTime,
  count,
  defineCharter,
  defineModel,
  defineProject,
  entity,
  featureView,
  float64,
  gradientBoosting,
  int32,
  labels,
  logisticRegression,
  mean,
  metric,
  needs,
  pipeline,
  requestField,
  source,
  string,
} from "orrery";

export const flights = source.parquet("flights", {
  path: "../regression/data/flights.parquet",
  key: ["flight_id"],
  eventTime: "scheduled_departure",
  availableTime: {
    default: "published_at",
    departure: { columns: ["dep_delay", "cancelled"], at: "departed_at" },
    outcome: { columns: ["arr_delay", "diverted"], at: "landed_at" },
  },
  columns: {
    flight_id: string(),
    carrier: string(),
    dest: string().matches("[A-Z]{3}"),
    distance: float64().between(0, 6_000),
    departure_hour: int32().between(0, 24),
    weekday: int32().between(1, 7),
    scheduled_minutes: int32().between(15, 1_000),
    dep_delay: float64().nullable({ atMost: 0.1 }).between(-180, 2_880),
    arr_delay: float64().nullable({ atMost: 0.1 }).between(-240, 2_880),
    cancelled: bool().nullable(),
    diverted: bool().nullable(),
  },
});

export const carrierRecent = featureView("carrier_recent", {
  entity: entity("carrier", { carrier: string() }),
  source: flights,
  aggregate: {
    arr_delay_6h: mean("arr_delay").over("6h"),
    arr_delay_24h: mean("arr_delay").over("24h"),
    cancelled_24h: mean("cancelled").over("24h"),
    flights_24h: count().over("24h"),
  },
});

export const destinationRecent = featureView("destination_recent", {
  entity: entity("destination", { dest: string() }),
  source: flights,
  aggregate: { arr_delay_12h: mean("arr_delay").over("12h"), arr_delay_30d: mean("arr_delay").over("30d") },
});

const punctuality = defineModel("punctuality", {
  labels: labels(flights, {
    arrival: "CASE WHEN arr_delay < -10 THEN 'early' WHEN arr_delay < 20 THEN 'on time' WHEN arr_delay >= 20 THEN 'late' END",
    at: "scheduled_departure",
    lead: "2h",
  }),
  features: [
    carrierRecent.all(),
    destinationRecent.all(),
    requestField("carrier", string()),
    requestField("distance", float64()),
    requestField("departure_hour", int32()),
    requestField("weekday", int32()),
    requestField("scheduled_minutes", int32()),
  ],
  split: byTime({ test: "14d", validation: "14d" }),
  candidates: [logisticRegression(), gradientBoosting({ trees: 100, leaves: 15, rate: 0.05, minLeafRows: 100 })],
  explain: { segments: ["carrier"] },
});

const charter = defineCharter({
  problem: "Tell gate planners two hours before departure which arrivals will come early and which late",
  owner: "operations",
  users: ["gate-planning"],
  target: { name: "arrival", type: "multiclass", groundTruthAfter: "1d", censored: "cancelled or diverted" },
  data: [needs(flights).rows({ min: 20_000 })],
  accept: [metric("log_loss").betterThanBaseline(0.01), metric("roc_auc_ovr").atLeast(0.55)],
});

const train = pipeline("train", {
  model: punctuality,
  stages: ["ingest", "training-set", "train", "evaluate", "explain", "register", "gate"],
});

export default defineProject({
  name: "punctuality",
  charter,
  sources: [flights],
  features: [carrierRecent, destinationRecent],
  models: [punctuality],
  pipelines: [train],
});
