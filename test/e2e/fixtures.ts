import type { z } from "zod";
import { entities } from "../../src/contract/index.ts";

/** Data for every page of the web UI. It goes through the contract's own schemas, so that it cannot drift away from them. */

/** Mulberry32: enough for fixtures, and the same everywhere. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
const random = seeded(20131101);
const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

const DAY = 86_400_000;
const NOW = Date.parse("2013-12-20T06:00:00Z");
const at = (offset: number): string => new Date(NOW + offset).toISOString();
const hex = (length: number): string => Array.from({ length }, () => Math.floor(random() * 16).toString(16)).join("");
const around = (value: number, spread: number) => ({ value, low: value - spread, high: value + spread });

export const ENDPOINT = "late-arrival";
export const MODEL = "late-arrival";
export const PREDICTION = "pred-0019abcdef";
export const PIPELINE_RUN = "prun-000000000042";
export const RUNS = 100_000;

const FEATURES: readonly [id: string, type: string, seasonal: boolean][] = [
  ["weather_now.temp", "float64", true],
  ["weather_now.dewp", "float64", true],
  ["weather_now.humid", "float64", false],
  ["weather_now.wind_speed", "float64", false],
  ["weather_now.precip", "float64", false],
  ["weather_now.pressure", "float64", false],
  ["weather_now.visib", "float64", false],
  ["origin_recent.dep_delay_4h", "float64", false],
  ["origin_recent.late_rate_8h", "float64", false],
  ["origin_recent.cancelled_rate_12h", "float64", false],
  ["origin_recent.flights_4h", "int64", false],
  ["carrier_recent.late_rate_24h", "float64", false],
  ["carrier_recent.late_rate_7d", "float64", false],
  ["carrier_recent.dep_delay_6h", "float64", false],
  ["destination_recent.late_rate_12h", "float64", false],
  ["destination_recent.late_rate_30d", "float64", false],
  ["plane_recent.arr_delay", "float64", false],
  ["plane_recent.dep_delay_12h", "float64", false],
  ["plane_info.seats", "int32", false],
  ["on-demand.plane_age", "int32", false],
  ["request.distance", "float64", false],
  ["request.departure_hour", "int32", false],
];

const verdict = (text: string, passed: boolean | null, observed: number | null, required: number | null, detail: string) => ({
  text,
  passed,
  observed,
  required,
  detail,
});
const verdicts = [
  verdict("roc_auc at least 0.7", true, 0.742, 0.7, "0.731 to 0.752 over 30 days"),
  verdict("payoff better than the alternative", true, 4.31, 1.92, "12.4 more a decision than the rule, on the same rows"),
  verdict("roc_auc better than the baseline by 0.05", true, 0.242, 0.05, "the baseline has 0.500"),
  verdict("worst carrier's roc_auc at least 0.6", null, null, 0.6, "no carrier has 200 positives in this period"),
  verdict("latency p99 at most 20 ms", true, 6.2, 20, "measured over 10,000 requests"),
  verdict("calibration error at most 0.05", false, 0.061, 0.05, "the base rate moved in December"),
];

const alert = {
  id: "alert-1",
  endpoint: ENDPOINT,
  kind: "drift",
  severity: "critical" as const,
  status: "open" as const,
  title: "weather_now.wind_speed and 2 other features have drifted",
  since: at(-3 * DAY),
  openedAt: at(-2 * DAY),
  resolvedAt: null,
  causes: [
    {
      subject: "source weather",
      kind: "unit-change",
      since: at(-3 * DAY),
      score: 5.4,
      cost: 0.031,
      evidence: "values are 1.609 times the reference's: miles an hour became kilometres an hour",
      features: ["weather_now.wind_speed", "weather_now.visib"],
    },
    {
      subject: "feature carrier_recent.late_rate_24h",
      kind: "drift",
      since: at(-2 * DAY),
      score: 1.6,
      cost: 0.004,
      evidence: "the mean rose from 0.21 to 0.34",
      features: ["carrier_recent.late_rate_24h"],
    },
  ],
  triggeredRun: PIPELINE_RUN,
};
const alerts = [
  alert,
  {
    ...alert,
    id: "alert-0",
    kind: "performance",
    severity: "warning" as const,
    status: "resolved" as const,
    title: "ROC AUC lies below 0.7",
    since: at(-20 * DAY),
    openedAt: at(-19 * DAY),
    resolvedAt: at(-15 * DAY),
    causes: [],
    triggeredRun: null,
  },
];

export const context = entities.context.parse({
  workspace: "default",
  project: "flights",
  version: "0.1.0",
  tokenRequired: false,
});

export const loop = entities.loop.parse({
  workspace: "default",
  project: "flights",
  now: at(0),
  clock: "virtual",
  stages: [
    ["problem", "healthy", "6 criteria, 5 of them met", "Charter checked against the data"],
    ["data", "healthy", "336,776 flights as of yesterday", "2 violations in 60 rows, 12 rows in quarantine"],
    ["features", "healthy", "6 views, online until 03:00", "22 features"],
    ["training", "running", "Candidate 4 of 4: gradient boosting", "Started by the alert on weather"],
    ["models", "healthy", "late-arrival version 3 is champion", "ROC AUC 0.742 on test"],
    ["endpoints", "healthy", "late-arrival answers, p99 6 ms", "90% champion, 10% challenger"],
    ["monitoring", "attention", "3 features have drifted", "weather_now.wind_speed first"],
    ["pipelines", "idle", "Next at 03:00", "daily"],
  ].map(([stage, state, headline, detail]) => ({ stage, state, headline, detail, updatedAt: at(-3_600_000) })),
  charter: {
    problem: "Tell passengers two hours before departure whether their flight will land 15 or more minutes late",
    act: "offer a free rebooking",
    threshold: 0.6,
    payoff: { truePositive: 80, falsePositive: -25, falseNegative: -60, trueNegative: 0 },
    alternative: "weather_now.visib < 1 or carrier_recent.late_rate_24h > 0.5",
    owner: "operations",
    users: ["booking-app"],
    target: "late",
    criteria: verdicts.map(({ text }) => text),
  },
  acceptance: verdicts,
  alerts,
});

const snapshotOf = (source: string, rows: number, violations: z.input<typeof entities.violation>[]) => ({
  id: `snap-${source}`,
  source,
  contentHash: hex(64),
  asOf: at(-DAY),
  createdAt: at(-DAY),
  rows,
  bytes: rows * 31,
  parts: source === "flights" ? 14 : 1,
  quarantined: violations.length === 0 ? 0 : 12,
  violations,
});
export const snapshots = [
  snapshotOf("flights", 336_776, [
    { column: "arr_delay", rule: "between -240 and 2880", severity: "quarantine", rows: 12, samples: ["-300", "2999"] },
    { column: "tailnum", rule: "null in at most 5% of rows", severity: "warn", rows: 48, samples: [] },
  ]),
  snapshotOf("weather", 26_115, []),
  snapshotOf("planes", 3_322, []),
].map((each) => entities.snapshot.parse(each));

export const profile = entities.profile.parse({
  source: "flights",
  snapshot: "snap-flights",
  rows: 336_776,
  columns: [
    {
      name: "distance",
      type: "float64",
      nulls: 0,
      distinct: 214,
      min: 17,
      max: 4_983,
      mean: 1_039.9,
      std: 733.2,
      quantiles: { "0.5": 872 },
      histogram: {
        edges: Array.from({ length: 25 }, (_, i) => i * 200),
        counts: Array.from({ length: 24 }, (_, i) => 1 + Math.round(900 * Math.exp(-((i - 5) ** 2) / 18))),
      },
      top: [],
    },
    {
      name: "carrier",
      type: "string",
      nulls: 0,
      distinct: 16,
      min: "9E",
      max: "YV",
      mean: null,
      std: null,
      quantiles: null,
      histogram: null,
      top: [
        { value: "UA", count: 58_665 },
        { value: "B6", count: 54_635 },
        { value: "EV", count: 54_173 },
      ],
    },
    {
      name: "arr_delay",
      type: "float64",
      nulls: 9_430,
      distinct: 577,
      min: -86,
      max: 1_272,
      mean: 6.9,
      std: 44.6,
      quantiles: { "0.5": -5 },
      histogram: {
        edges: Array.from({ length: 25 }, (_, i) => i),
        counts: Array.from({ length: 24 }, (_, i) => Math.round(4_000 * Math.exp(-i / 3))),
      },
      top: [],
    },
    {
      name: "scheduled_departure",
      type: "timestamp",
      nulls: 0,
      distinct: 190_000,
      min: "2013-01-01T10:15:00.000Z",
      max: "2014-01-01T04:59:00.000Z",
      mean: null,
      std: null,
      quantiles: null,
      histogram: null,
      top: [],
    },
  ],
});

const VIEWS: readonly [name: string, entity: string, key: string, source: string][] = [
  ["weather_now", "origin", "origin", "weather"],
  ["origin_recent", "origin", "origin", "flights"],
  ["carrier_recent", "carrier", "carrier", "flights"],
  ["destination_recent", "destination", "dest", "flights"],
  ["plane_recent", "plane", "tailnum", "flights"],
  ["plane_info", "plane", "tailnum", "planes"],
];
export const featureViews = VIEWS.map(([name, entity, key, source]) =>
  entities.featureView.parse({
    name,
    entity,
    keys: [key],
    source,
    features: FEATURES.filter(([id]) => id.startsWith(`${name}.`)).map(([id, type, seasonal]) => ({ id, type, seasonal })),
    materializedUntil: name === "plane_info" ? null : at(-10_800_000),
  }),
);

const metricsAround = (rocAuc: number) => ({
  roc_auc: around(rocAuc, 0.011),
  pr_auc: around(rocAuc - 0.25, 0.016),
  log_loss: around(1.19 - rocAuc, 0.012),
  brier: around(0.86 - rocAuc, 0.008),
  f1: around(rocAuc - 0.3, 0.014),
  ece: around(0.061, 0.009),
  payoff_per_decision: around((rocAuc - 0.66) * 52, 0.7),
});

const NAMES = ["gradient-boosting", "logistic-regression", "baseline", "rule"] as const;
const SCORES = { "gradient-boosting": 0.742, "logistic-regression": 0.711, baseline: 0.5, rule: 0.586 } as const;

/** The n-th newest run: made when asked for, because there are a hundred thousand. */
export function runAt(index: number): z.output<typeof entities.runSummary> {
  const name = NAMES[index % NAMES.length] ?? "baseline";
  const started = -index * 600_000;
  return entities.runSummary.parse({
    id: `run-${String(RUNS - index).padStart(6, "0")}`,
    name,
    experiment: MODEL,
    status: index === 0 ? "running" : index % 17 === 5 ? "failed" : "finished",
    parentRunId: null,
    startedAt: at(started),
    endedAt: index === 0 ? null : at(started + 41_300),
    actor: index % 3 === 0 ? "schedule" : "anna",
    metrics: index === 0 ? {} : metricsAround(SCORES[name] + (index % 7) * 0.001),
    tags: { model: MODEL },
  });
}
export const runIndex = (id: string): number => RUNS - Number(id.replace("run-", ""));

export function runDetail(index: number): z.output<typeof entities.run> {
  const summary = runAt(index);
  return entities.run.parse({
    ...summary,
    params: { estimator: summary.name, seed: "7", rate: index % 2 === 0 ? "0.08" : "0.1", leaves: "63", select: "roc_auc" },
    artifacts: [
      { path: "model.orrery-model", sha256: "ab".repeat(32), bytes: 412_380, mediaType: "application/octet-stream" },
      { path: "reference.json", sha256: "cd".repeat(32), bytes: 88_120, mediaType: "application/json" },
    ],
    snapshots: ["snap-flights", "snap-weather"],
    gitCommit: "8d0f2c4a6b".repeat(4),
    gitDiff: "diff --git a/orrery.config.ts b/orrery.config.ts\n-  seed: 7,\n+  seed: 8,\n",
    traceId: "0af7651916cd43dd8448eb211c80319c",
  });
}

export const model = entities.registeredModel.parse({
  name: MODEL,
  createdAt: at(-60 * DAY),
  aliases: { champion: 3, challenger: 4 },
  versions: [1, 2, 3, 4].map((version) => ({
    model: MODEL,
    version,
    aliases: version === 3 ? ["champion"] : version === 4 ? ["challenger"] : [],
    runId: `run-0${String(99_000 + version * 4)}`,
    artifact: hex(64),
    createdAt: at((version - 5) * 10 * DAY),
    actor: version === 1 ? "anna" : "pipeline daily",
    description: version === 1 ? "first" : "retrained",
  })),
  promotions: [
    { alias: "champion", from: null, to: 1, decision: "promoted", reason: "first version, gate passed" },
    { alias: "champion", from: 1, to: 2, decision: "rejected", reason: "calibration error 0.07, at most 0.05 is asked" },
    { alias: "champion", from: 1, to: 3, decision: "promoted", reason: "gate passed after the alert on weather" },
  ].map(({ alias, from, to, decision, reason }, index) => ({
    id: `promotion-${index}`,
    alias,
    fromVersion: from,
    toVersion: to,
    decision,
    at: at((to - 5) * 10 * DAY + 3_600_000),
    actor: index === 0 ? "anna" : "pipeline daily",
    reason,
    gateId: `gate-${to}`,
  })),
  gates: [1, 2, 3].map((version) => ({
    id: `gate-${version}`,
    version,
    championVersion: version === 1 ? null : 1,
    openedAt: at((version - 5) * 10 * DAY + 1_800_000),
    passed: version !== 2,
    verdicts:
      version === 3
        ? verdicts.map((each) => (each.passed === false ? { ...each, passed: true, observed: 0.041 } : each))
        : verdicts,
  })),
});

const strengths = FEATURES.map(([feature], index) => ({ feature, strength: 0.62 * Math.exp(-index / 6) })).sort(
  (a, b) => b.strength - a.strength,
);
export const report = entities.modelReport.parse({
  model: MODEL,
  version: 3,
  candidates: NAMES.map((name) => ({ name, selected: name === "gradient-boosting", metrics: metricsAround(SCORES[name]) })),
  test: { rows: 27_004, positives: 6_181, days: 30, metrics: metricsAround(0.739) },
  explanation: {
    shap: strengths.map(({ feature, strength }) => ({ feature, meanAbs: strength })),
    permutation: strengths.map(({ feature, strength }) => ({ feature, drop: around(strength * 0.09, 0.003) })),
    sample: strengths.map(({ feature, strength }, index) => ({
      feature,
      points: Array.from({ length: 200 }, () => {
        const value = random();
        return { value: index % 9 === 8 ? null : value, phi: (value - 0.5) * strength * 2.6 + normal() * strength * 0.35 };
      }),
    })),
    segments: ["UA", "B6", "EV", "DL", "AA", "MQ", "US", "WN", "OO"].map((value, index) => ({
      segment: "carrier",
      value,
      rows: value === "OO" ? 32 : 5_900 - index * 520,
      positives: value === "OO" ? 7 : 1_310 - index * 110,
      metrics: value === "OO" ? {} : metricsAround(0.768 - index * 0.014),
    })),
  },
  cardMarkdown: [
    "# late-arrival, version 3",
    "",
    "Tells passengers **two hours before departure** whether their flight will land late. Rule: `weather_now.visib < 1`.",
    "",
    "## Candidates",
    "",
    "| candidate | ROC AUC | payoff |",
    "|---|---:|---:|",
    "| gradient boosting | 0.742 | 4.31 |",
    "| rule | 0.586 | 1.92 |",
    "",
    "## Limits",
    "",
    "- Cancelled and diverted flights have no label.",
    "- <script>alert(1)</script> stays text.",
    "",
    "See [the data](/data) and [not this](javascript:alert(1)).",
  ].join("\n"),
});

export const pipelines = [
  {
    name: "daily",
    schedule: "0 3 * * *",
    stages: ["ingest", "validate", "materialize", "train", "evaluate", "register", "gate", "deploy"],
    triggers: ["data arrives in flights", "alert drift fires"],
  },
];

const STEPS: readonly [step: string, needs: string[], status: string, start: number, seconds: number][] = [
  ["ingest", [], "succeeded", 0, 9],
  ["validate", ["ingest"], "succeeded", 9, 4],
  ["materialize", ["validate"], "succeeded", 13, 11],
  ["train", ["validate"], "succeeded", 13, 38],
  ["explain", ["train"], "cached", 51, 0.1],
  ["evaluate", ["train"], "running", 51, 12],
  ["gate", ["evaluate", "explain"], "pending", 0, 0],
  ["deploy", ["gate", "materialize"], "pending", 0, 0],
];
export const pipelineRun = entities.pipelineRun.parse({
  id: PIPELINE_RUN,
  pipeline: "daily",
  status: "running",
  trigger: { kind: "alert", reason: "drift of weather_now.wind_speed" },
  actor: "monitor",
  createdAt: at(-70_000),
  startedAt: at(-66_000),
  endedAt: null,
  traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
  steps: STEPS.map(([step, needs, status, start, seconds]) => ({
    step,
    status,
    needs,
    attempt: step === "train" ? 2 : status === "pending" ? 0 : 1,
    startedAt: status === "pending" ? null : at(-66_000 + start * 1_000),
    endedAt: status === "pending" || status === "running" ? null : at(-66_000 + (start + seconds) * 1_000),
    error: null,
  })),
});
const { steps: _steps, traceId: _traceId, ...runningPipeline } = pipelineRun;
const failedStep = {
  code: "DATA_FILE_MISSING",
  kind: "not-found",
  message: "data/flights.parquet is not there",
  hint: "Check the source's path.",
  details: {},
};
export const failedPipelineRun = entities.pipelineRun.parse({
  ...pipelineRun,
  id: "prun-000000000041",
  status: "failed",
  trigger: { kind: "schedule", reason: "0 3 * * *" },
  endedAt: at(-40_000),
  steps: [
    { step: "ingest", status: "failed", needs: [], attempt: 3, startedAt: at(-66_000), endedAt: at(-40_000), error: failedStep },
    { step: "validate", status: "skipped", needs: ["ingest"], attempt: 0, startedAt: null, endedAt: null, error: null },
  ],
});
const { steps: _failedSteps, traceId: _failedTraceId, ...failedPipeline } = failedPipelineRun;
export const pipelineRuns = [runningPipeline, failedPipeline];

export const endpoint = entities.endpoint.parse({
  name: ENDPOINT,
  model: MODEL,
  url: "http://127.0.0.1:4101",
  ready: true,
  revision: 7,
  routes: [
    { alias: "champion", version: 3, share: 0.9 },
    { alias: "challenger", version: 4, share: 0.1 },
  ],
  keys: { origin: "string", carrier: "string", dest: "string", tailnum: "string" },
  request: {
    carrier: "string",
    origin: "string",
    dest: "string",
    distance: "float64",
    departure_hour: "int32",
    scheduled_departure: "timestamp",
  },
});

const featureValues = Object.fromEntries(
  FEATURES.map(([id], index) => [id, id.startsWith("plane_") ? null : Math.round((index + 1) * 37.7) / 10]),
);
export const predictions = Array.from({ length: 40 }, (_, index) =>
  entities.prediction.parse({
    id: index === 0 ? PREDICTION : `pred-0019abcd${String(index).padStart(2, "0")}`,
    endpoint: ENDPOINT,
    at: at(-index * 60_000),
    reference: `UA${1500 + index}-EWR-IAH-20131220T1115Z`,
    probability: 0.15 + ((index * 13) % 60) / 100,
    decision: 0.15 + ((index * 13) % 60) / 100 >= 0.6,
    version: index % 10 === 3 ? 4 : 3,
    alias: index % 10 === 3 ? "challenger" : "champion",
    missing: index % 6 === 0 ? ["plane_recent", "plane_info"] : [],
    keys: { origin: "EWR", carrier: "UA", dest: "IAH", tailnum: "N14228" },
    request: { distance: 1_400, departure_hour: 5, scheduled_departure: "2013-12-20T11:15:00.000Z" },
    features: featureValues,
    latencyMs: 1.2 + (index % 9) * 0.21,
    traceId: index === 0 ? "4bf92f3577b34da6a3ce929d0e0e4736" : null,
  }),
);

const contributions = FEATURES.map(([feature], index) => ({
  feature,
  value: feature.startsWith("plane_") ? null : (featureValues[feature] ?? null),
  phi: (index % 3 === 0 ? -1 : 1) * 0.55 * Math.exp(-index / 4),
}));
const base = -1.28;
const output = contributions.reduce((sum, { phi }) => sum + phi, base);
export const explanation = entities.explanation.parse({
  predictionId: PREDICTION,
  model: MODEL,
  version: 3,
  base,
  output,
  probability: 1 / (1 + Math.exp(-output)),
  contributions,
});

const windows = Array.from({ length: 48 }, (_, index) => ({
  start: at((index - 48) * DAY - 6 * 3_600_000),
  end: at((index - 47) * DAY - 6 * 3_600_000),
  rows: 880 + ((index * 37) % 90),
}));
const BROKEN = new Set(["weather_now.wind_speed", "weather_now.visib", "carrier_recent.late_rate_24h"]);
export const monitoring = entities.monitoring.parse({
  endpoint: ENDPOINT,
  drift: {
    windows,
    rows: [...FEATURES.map(([feature, , seasonal]) => ({ feature, seasonal })), { feature: "prediction", seasonal: false }].map(
      ({ feature, seasonal }) => ({
        feature,
        seasonal,
        scores: windows.map((_, index) => {
          if (index === 11) return null;
          const calm = Math.abs(0.35 + normal() * 0.2);
          if (seasonal) return calm + index * 0.06;
          return BROKEN.has(feature) && index > 44 ? calm + 1.4 + (index - 44) * 1.3 : calm;
        }),
      }),
    ),
  },
  performance: windows.map(({ start, end, rows }, index) => ({
    start,
    end,
    predictions: rows,
    labelCoverage: index > 45 ? 0.4 : 0.97,
    censored: 18 + (index % 7),
    metrics:
      index > 45
        ? {}
        : { roc_auc: around(0.74 - (index > 43 ? 0.05 : 0) + normal() * 0.012, 0.03), log_loss: around(0.46, 0.02) },
    estimatedRocAuc: 0.741 + normal() * 0.006,
    latencyP50Ms: 1.3,
    latencyP99Ms: 5 + (index % 5) * 0.4,
  })),
  alerts,
});

export const system = entities.system.parse({
  version: "0.1.0",
  nodeVersion: "v24.21.0",
  startedAt: at(-2 * 3_600_000),
  stateDirectory: "/srv/flights/.orrery",
  stateBytes: 214_300_000,
  cpu: { cores: 2, load: 0.31 },
  memory: { totalBytes: 8_200_000_000, usedBytes: 3_900_000_000, processBytes: 182_000_000 },
  disk: { totalBytes: 120e9, freeBytes: 71e9, readBytesPerSecond: 1.2e6, writeBytesPerSecond: 3.4e6 },
  network: { receivedBytesPerSecond: 84_000, sentBytesPerSecond: 121_000 },
  gpu: null,
  eventLoopLagP99Ms: 3.2,
  processes: [
    { name: "control plane", pid: 4_100, alive: true, url: "http://127.0.0.1:4100" },
    { name: "inference late-arrival", pid: 4_133, alive: true, url: "http://127.0.0.1:4101" },
    { name: "pipeline worker", pid: 4_180, alive: false, url: null },
  ],
});

export const answer = entities.answer.parse({
  id: PREDICTION,
  probability: 0.37,
  decision: false,
  modelVersion: 3,
  alias: "champion",
  missing: ["plane_info"],
});
