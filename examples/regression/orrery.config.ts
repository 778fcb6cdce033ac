/** How many minutes late will this flight land? Asked two hours before its departure from LaGuardia, January to March 2013. */
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
  linearRegression,
  mean,
  metric,
  needs,
  pipeline,
  requestField,
  segment,
  source,
  string,
} from "orrery";

export const flights = source.parquet("flights", {
  path: "data/flights.parquet",
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

const delay = defineModel("delay", {
  labels: labels(flights, { delay: "arr_delay", at: "scheduled_departure", lead: "2h" }),
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
  candidates: [linearRegression({ alpha: 10 }), gradientBoosting({ trees: 200, leaves: 15, rate: 0.05, minLeafRows: 100 })],
  select: "rmse",
  explain: { segments: ["carrier"] },
});

const charter = defineCharter({
  problem: "Tell connecting passengers two hours before departure how late their flight will probably land",
  decision: { act: "show the expected arrival beside the schedule" },
  owner: "operations",
  users: ["booking-app"],
  target: { name: "delay", type: "regression", groundTruthAfter: "1d", censored: "cancelled or diverted" },
  data: [needs(flights).rows({ min: 20_000 })],
  accept: [
    metric("rmse").betterThanBaseline(0.5),
    metric("r2").atLeast(0.02),
    segment("carrier", { minRows: 200 }).worst("mae").atMost(40),
    metric("rmse").notWorseThanChampion(0.2),
  ],
});

const train = pipeline("train", {
  model: delay,
  stages: ["ingest", "training-set", "train", "evaluate", "explain", "register", "gate"],
});

export default defineProject({
  name: "delay",
  charter,
  sources: [flights],
  features: [carrierRecent, destinationRecent],
  models: [delay],
  pipelines: [train],
});
