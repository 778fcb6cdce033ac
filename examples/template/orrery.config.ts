/** Will this customer cancel at the next renewal? Asked three days before, so that something can still be offered. */
import {
  alertFires,
  baseline,
  bool,
  byTime,
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
  labels,
  latency,
  logisticRegression,
  mean,
  metric,
  needs,
  payoff,
  performanceMonitor,
  pipeline,
  requestField,
  rule,
  source,
  string,
  threshold,
} from "orrery";

const customers = source.csv("customers", {
  path: "data/customers.csv",
  key: ["customer_id"],
  columns: {
    customer_id: string().unique(),
    plan: string().in(["student", "single", "family"]),
    country: string(),
  },
});

const usage = source.csv("usage", {
  path: "data/usage.csv",
  eventTime: "played_at",
  columns: { customer_id: string().oneOf("customers.customer_id"), minutes: float64().between(0, 1_440) },
});

const renewals = source.csv("renewals", {
  path: "data/renewals.csv",
  key: ["renewal_id"],
  eventTime: "due_at",
  availableTime: { default: "announced_at", outcome: { columns: ["cancelled"], at: "decided_at" } },
  columns: { renewal_id: string().unique(), customer_id: string(), amount: float64().between(0, 100), cancelled: bool() },
});

const customer = entity("customer", { customer_id: string() });

const usageRecent = featureView("usage_recent", {
  entity: customer,
  source: usage,
  aggregate: {
    minutes_7d: mean("minutes").over("7d"),
    minutes_30d: mean("minutes").over("30d"),
    plays_7d: count().over("7d"),
    plays_30d: count().over("30d"),
  },
});

const customerInfo = featureView("customer_info", { entity: customer, source: customers, features: ["plan", "country"] });

const churn = defineModel("churn", {
  labels: labels(renewals, { cancelled: "cancelled", at: "due_at", lead: "3d" }),
  features: [usageRecent.all(), customerInfo.all(), requestField("amount", float64())],
  split: byTime({ test: "60d", validation: "60d" }),
  candidates: [baseline(), logisticRegression(), gradientBoosting({ trees: 60, leaves: 8, rate: 0.1 })],
  explain: { segments: [], immutable: ["customer_info.country"] },
});

const charter = defineCharter({
  problem: "Tell the retention team three days before a renewal who is about to cancel",
  decision: {
    act: "offer a month for free",
    when: threshold(0.25),
    payoff: { truePositive: 20, falsePositive: -6, falseNegative: -4 },
  },
  alternative: rule("usage_recent.minutes_7d < 10"),
  owner: "retention",
  users: ["crm"],
  target: { name: "cancelled", type: "binary", groundTruthAfter: "1d" },
  data: [needs(renewals).rows({ min: 1_000 }), needs(usage).freshWithin("7d")],
  accept: [
    metric("roc_auc").atLeast(0.65),
    metric("roc_auc").betterThanBaseline(0.05),
    payoff().betterThan("alternative"),
    latency("p99").atMost("20ms"),
  ],
});

const daily = pipeline("daily", { model: churn, schedule: "0 3 * * *", stages: ["ingest", "materialize", "monitor"] });

const train = pipeline("train", {
  model: churn,
  stages: ["ingest", "materialize", "training-set", "train", "evaluate", "explain", "register", "gate", "deploy"],
  on: [alertFires("drift", { cooldown: "30d", evidence: "14d" })],
});

const churnApi = endpoint("churn", {
  model: churn.at("champion"),
  canary: { share: 0.1, for: "2d" },
  monitors: [drift(), performanceMonitor()],
});

export default defineProject({
  name: "churn",
  charter,
  sources: [customers, usage, renewals],
  features: [usageRecent, customerInfo],
  models: [churn],
  pipelines: [daily, train],
  endpoints: [churnApi],
});
