import {
  type BinaryCharter,
  baseline,
  bool,
  byTime,
  count,
  defineCharter,
  defineModel,
  defineProject,
  endpoint,
  entity,
  type FeatureReference,
  featureView,
  float64,
  labels,
  logisticRegression,
  mean,
  metric,
  needs,
  pipeline,
  requestField,
  rule,
  source,
  string,
  threshold,
  timestamp,
} from "../definitions/index.ts";

/** A small project in which nothing is wrong, and ways to make something wrong in it. */
export const airlines = source.csv("airlines", { path: "airlines.csv", key: ["carrier"], columns: { carrier: string() } });
export const flights = source.csv("flights", {
  path: "flights.csv",
  key: ["id"],
  eventTime: "departs",
  availableTime: { default: "published", outcome: { columns: ["arr_delay", "air_time", "diverted_to"], at: "landed" } },
  columns: {
    id: string(),
    carrier: string().oneOf("airlines.carrier"),
    distance: float64(),
    arr_delay: float64().nullable(),
    air_time: float64().nullable(),
    diverted_to: string().nullable(),
    cancelled: bool(),
    landed: timestamp(),
  },
});
export const carrier = entity("carrier", { carrier: string() });
export const recent = featureView("recent", {
  entity: carrier,
  source: flights,
  features: ["arr_delay"],
  aggregate: { late_rate: mean("arr_delay >= 15").over("7d"), flights: count().over("1d") },
});
export const basics = {
  labels: labels(flights, { late: "arr_delay >= 15", at: "departs", lead: "2h" }),
  split: byTime({ test: "30d", validation: "30d" }),
  candidates: [baseline(), logisticRegression()],
};
export const model = defineModel("late-arrival", { ...basics, features: [recent.all(), requestField("distance", float64())] });
export const charterBasics = {
  problem: "Which flights are late",
  decision: { act: "rebook", when: threshold(0.5), payoff: { truePositive: 1, falsePositive: -1, falseNegative: -1 } },
  alternative: rule("recent.late_rate > 0.5 or recent.flights < 3"),
  owner: "operations",
  users: ["app"],
  target: { name: "late", type: "binary", groundTruthAfter: "1d", censored: "cancelled or arr_delay is null" },
  accept: [metric("roc_auc").atLeast(0.7)],
} as const;
export const charter = defineCharter({
  ...charterBasics,
  data: [needs(flights).rows({ min: 1 }).freshWithin("1d").coverage("carrier", "departs", 0.5)],
});

export const sound = defineProject({
  name: "flights",
  charter,
  sources: [airlines, flights],
  features: [recent],
  models: [model],
  pipelines: [pipeline("daily", { model, stages: ["ingest", "materialize", "monitor"] })],
  endpoints: [endpoint("late-arrival", { model: model.at("champion"), canary: { share: 0.1, for: "1h" } })],
});
export const withCharter = (changes: Partial<BinaryCharter>) => ({ ...sound, charter: { ...charter, ...changes } });
export const withFeatures = (...features: FeatureReference[]) => {
  const changed = defineModel("late-arrival", { ...basics, features: [recent.all(), ...features] });
  return { ...sound, models: [changed], pipelines: [], endpoints: [] };
};
