/** Will this flight land 15 or more minutes late? Asked two hours before its departure from New York, 2013. */
import {
  alertFires,
  baseline,
  bool,
  byTime,
  calibration,
  count,
  defineCharter,
  defineModel,
  defineProject,
  drift,
  endpoint,
  entity,
  featureView,
  float64,
  gradientBoosting,
  impute,
  int32,
  labels,
  latency,
  latencyMonitor,
  logisticRegression,
  mean,
  metric,
  needs,
  onDemand,
  oneHot,
  payoff,
  performanceMonitor,
  pipeline,
  quality,
  requestField,
  rule,
  segment,
  source,
  standardScale,
  string,
  threshold,
  timestamp,
} from "orrery";

const airports = ["EWR", "JFK", "LGA"] as const;

export const airlines = source.parquet("airlines", {
  path: "data/airlines.parquet",
  key: ["carrier"],
  columns: { carrier: string().unique(), name: string() },
});

export const flights = source.parquet("flights", {
  path: "data/flights.parquet",
  key: ["flight_id"],
  eventTime: "scheduled_departure",
  availableTime: {
    default: "published_at",
    departure: { columns: ["dep_delay", "cancelled"], at: "departed_at" },
    outcome: { columns: ["arr_delay", "air_time", "diverted"], at: "landed_at" },
  },
  columns: {
    flight_id: string(),
    carrier: string().oneOf("airlines.carrier"),
    tailnum: string().nullable({ atMost: 0.05 }),
    origin: string().in(airports),
    dest: string().matches("[A-Z]{3}"),
    distance: float64().between(0, 6_000),
    departure_hour: int32().between(0, 24),
    weekday: int32().between(1, 7),
    scheduled_minutes: int32().between(15, 1_000),
    dep_delay: float64().nullable({ atMost: 0.1 }).between(-180, 2_880),
    arr_delay: float64().nullable({ atMost: 0.1 }).between(-240, 2_880),
    air_time: float64().nullable({ atMost: 0.1 }).between(0, 1_200),
    cancelled: bool().nullable(),
    diverted: bool().nullable(),
  },
});

/** Hourly readings, in imperial units: °F, miles an hour, miles, inches; pressure in hPa. */
export const weather = source.parquet("weather", {
  path: "data/weather*.parquet",
  key: ["origin", "observed_hour"],
  eventTime: "observed_hour",
  availableTime: "published_at",
  columns: {
    origin: string().in(airports),
    temp: float64().nullable().between(-60, 130).onViolation("warn"),
    dewp: float64().nullable().between(-80, 100).onViolation("warn"),
    humid: float64().nullable().between(0, 100).onViolation("warn"),
    wind_dir: float64().nullable().between(0, 360).onViolation("warn"),
    wind_speed: float64().nullable().between(0, 150).onViolation("warn"),
    precip: float64().nullable().between(0, 10).onViolation("warn"),
    pressure: float64().nullable().between(900, 1_100).onViolation("warn"),
    visib: float64().nullable().between(0, 100).onViolation("warn"),
  },
});

export const planes = source.parquet("planes", {
  path: "data/planes.parquet",
  key: ["tailnum"],
  columns: {
    tailnum: string().unique(),
    year: int32().nullable().between(1_940, 2_014).onViolation("warn"),
    seats: int32().nullable(),
  },
});

export const origin = entity("origin", { origin: string() });
export const carrier = entity("carrier", { carrier: string() });
export const destination = entity("destination", { dest: string() });
export const plane = entity("plane", { tailnum: string() });

/** The last full hour's weather: a row sums up its hour, so the hour of the flight itself is never seen. */
export const weatherNow = featureView("weather_now", {
  entity: origin,
  source: weather,
  features: ["temp", "dewp", "humid", "wind_dir", "wind_speed", "precip", "pressure", "visib"],
  ttl: "6h",
  seasonal: ["temp", "dewp"],
});

export const originRecent = featureView("origin_recent", {
  entity: origin,
  source: flights,
  aggregate: {
    dep_delay_4h: mean("dep_delay").over("4h"),
    late_rate_8h: mean("arr_delay >= 15").over("8h"),
    cancelled_rate_12h: mean("cancelled").over("12h"),
    flights_4h: count().over("4h"),
  },
});

export const carrierRecent = featureView("carrier_recent", {
  entity: carrier,
  source: flights,
  aggregate: {
    late_rate_24h: mean("arr_delay >= 15").over("24h"),
    late_rate_7d: mean("arr_delay >= 15").over("7d"),
    dep_delay_6h: mean("dep_delay").over("6h"),
  },
});

export const destinationRecent = featureView("destination_recent", {
  entity: destination,
  source: flights,
  aggregate: { late_rate_12h: mean("arr_delay >= 15").over("12h"), late_rate_30d: mean("arr_delay >= 15").over("30d") },
});

export const planeRecent = featureView("plane_recent", {
  entity: plane,
  source: flights,
  features: ["arr_delay"],
  aggregate: { dep_delay_12h: mean("dep_delay").over("12h") },
  ttl: "2d",
});

export const planeInfo = featureView("plane_info", { entity: plane, source: planes, features: ["seats", "year"] });

export const planeAge = onDemand("plane_age", {
  inputs: [planeInfo.feature.year],
  request: { scheduled_departure: timestamp() },
  returns: "int32",
  compute: ({ year, scheduled_departure }) => (year === null ? null : scheduled_departure.getUTCFullYear() - year),
});

export const lateArrival = defineModel("late-arrival", {
  labels: labels(flights, { late: "arr_delay >= 15", at: "scheduled_departure", lead: "2h" }),
  features: [
    weatherNow.all(),
    originRecent.all(),
    carrierRecent.all(),
    destinationRecent.all(),
    planeRecent.all(),
    planeInfo.pick("seats"),
    planeAge,
    requestField("carrier", string()),
    requestField("origin", string()),
    requestField("dest", string()),
    requestField("distance", float64()),
    requestField("departure_hour", int32(), { seasonal: true }),
    requestField("weekday", int32(), { seasonal: true }),
    requestField("scheduled_minutes", int32()),
  ],
  split: byTime({ test: "30d", validation: "30d" }),
  prepare: [impute(), standardScale(), oneHot({ rare: 0.01 })],
  candidates: [baseline(), logisticRegression({ c: 1 }), gradientBoosting({ trees: 100, leaves: 31, rate: 0.1 })],
  select: "roc_auc",
  explain: { segments: ["carrier", "origin"] },
});

export const charter = defineCharter({
  problem: "Tell passengers two hours before departure whether their flight will land 15 or more minutes late",
  decision: {
    act: "offer a free rebooking",
    when: threshold(0.33),
    payoff: { truePositive: 60, falsePositive: -40, falseNegative: -20 },
  },
  alternative: rule("weather_now.visib < 1 or carrier_recent.late_rate_24h > 0.5"),
  owner: "operations",
  users: ["booking-app"],
  target: { name: "late", type: "binary", groundTruthAfter: "1d", censored: "cancelled or diverted" },
  data: [needs(flights).rows({ min: 100_000 }).freshWithin("1d"), needs(weather).coverage("origin", "observed_hour", 0.95)],
  // Limits from the first training's validation (September): ROC AUC 0.771 [0.675, 0.827], calibration error 0.018 [0.010, 0.046].
  accept: [
    metric("roc_auc").atLeast(0.65),
    payoff().betterThan("alternative"),
    metric("roc_auc").betterThanBaseline(0.05),
    // By log loss, because the decision acts on a calibrated probability, and a change of units can leave the ranking alone.
    metric("log_loss").notWorseThanChampion(0.005),
    segment("carrier", { minPositives: 200 }).worst("roc_auc").atLeast(0.6),
    latency("p99").atMost("20ms"),
    calibration("ece").atMost(0.05),
  ],
});

/** Every night: take in what arrived, check it, look at yesterday's predictions and at the cohort whose labels are due. */
export const daily = pipeline("daily", {
  model: lateArrival,
  schedule: "0 3 * * *",
  stages: ["ingest", "materialize", "monitor"],
});

export const retrain = pipeline("retrain", {
  model: lateArrival,
  stages: ["ingest", "materialize", "training-set", "train", "evaluate", "explain", "register", "gate", "deploy"],
  on: [alertFires("drift", { cooldown: "20d", evidence: "14d" })],
});

export const lateArrivalApi = endpoint("late-arrival", {
  model: lateArrival.at("champion"),
  canary: { share: 0.1, for: "12h" },
  monitors: [drift(), quality(), performanceMonitor(), latencyMonitor()],
});

export default defineProject({
  name: "flights",
  charter,
  sources: [airlines, flights, weather, planes],
  features: [weatherNow, originRecent, carrierRecent, destinationRecent, planeRecent, planeInfo],
  models: [lateArrival],
  pipelines: [daily, retrain],
  endpoints: [lateArrivalApi],
  materializeEvery: "1h",
});
