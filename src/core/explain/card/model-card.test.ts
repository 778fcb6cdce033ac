import { describe, expect, it } from "vitest";
import type { CharterDefinition } from "../../definitions/index.ts";
import { DAY, parseTimestamp } from "../../time.ts";
import type { MetricEstimate } from "../../training/index.ts";
import type { PartialDependence } from "../dependence/partial-dependence.ts";
import type { FairnessView } from "../fairness/fairness-report.ts";
import type { DataReview } from "../review/data-review.ts";
import { type ModelCardInput, modelCard } from "./model-card.ts";

const estimate = (value: number, width = 0.01): MetricEstimate => ({ value, low: value - width, high: value + width });

const charter: CharterDefinition = {
  kind: "charter",
  problem: "Tell passengers whether their flight will be late",
  decision: {
    act: "offer a rebooking",
    when: { kind: "threshold", at: 0.33 },
    payoff: { truePositive: 60, falsePositive: -40, falseNegative: -20 },
  },
  alternative: { kind: "rule", condition: "weather.visib < 1" },
  owner: "operations",
  users: ["booking-app"],
  target: { name: "late", type: "binary", groundTruthAfter: "1d", censored: "cancelled or diverted" },
  data: [],
  accept: [],
};

const from = parseTimestamp("2013-01-01");
const input: ModelCardInput = {
  model: "late-arrival",
  version: 3,
  createdAt: parseTimestamp("2013-11-01"),
  charter,
  data: {
    snapshots: { weather: "snap-9" },
    rows: 1_000,
    labelled: 940,
    positives: 220,
    pending: 20,
    censored: 40,
    trainingRows: 700,
    from,
    to: from + 200 * DAY,
    labelCutoff: parseTimestamp("2013-10-01"),
    missingShare: { "plane.seats": 0.4, "weather.temp": 0.01 },
  },
  selectionMetric: "roc_auc",
  candidates: [
    {
      name: "baseline",
      kind: "baseline",
      selected: false,
      metrics: { roc_auc: estimate(0.5, 0), payoff_per_decision: estimate(-4) },
    },
    { name: "rule", kind: "rule", selected: false, metrics: { roc_auc: estimate(0.6), payoff_per_decision: estimate(-1) } },
    {
      name: "boosting",
      kind: "gradient-boosting",
      selected: true,
      metrics: { roc_auc: estimate(0.75), payoff_per_decision: estimate(2) },
    },
  ],
  test: { rows: 120, positives: 30, days: 20, threshold: 0.33, metrics: { roc_auc: estimate(0.74) } },
  gates: [{ text: "roc_auc at least 0.7", passed: true, observed: 0.74, required: 0.7, detail: "on test" }],
  segments: [
    { segment: "carrier", value: "UA", rows: 500, positives: 100, metrics: { roc_auc: estimate(0.7) } },
    { segment: "carrier", value: "OO", rows: 30, positives: 4, metrics: {} },
  ],
  permutation: { metric: "roc_auc", rows: 900, repeats: 3, features: [{ feature: "weather.temp", drop: estimate(0.1) }] },
  shap: { method: "tree-path-dependent", base: -1, rows: 500, shap: [{ feature: "weather.temp", meanAbs: 0.4 }], sample: [] },
  calibration: [{ low: 0.2, high: 0.3, rows: 100, meanProbability: 0.25, shareOfPositives: 0.27 }],
  review: null,
};
const withModel = (payoff: MetricEstimate, auc = estimate(0.75)): ModelCardInput => ({
  ...input,
  candidates: input.candidates.map((candidate) =>
    candidate.selected ? { ...candidate, metrics: { roc_auc: auc, payoff_per_decision: payoff } } : candidate,
  ),
});

const curve: PartialDependence = {
  feature: "weather.temp",
  kind: "numeric",
  rows: 100,
  points: [
    { value: -5, rows: 40, mean: 0.2, low: 0.1, high: 0.3 },
    { value: 20, rows: 60, mean: 0.4, low: 0.3, high: 0.5 },
  ],
  curves: [[0.1, 0.6]],
};
const byCarrier: FairnessView = {
  columns: ["carrier"],
  groups: [
    { values: ["UA"], rows: 60, positives: 20, metrics: { selection_rate: estimate(0.4) } },
    { values: [null], rows: 50, positives: 9, metrics: { selection_rate: estimate(0.2) } },
  ],
  tooSmall: { groups: 2, rows: 11, largest: [{ values: ["OO"], rows: 7 }] },
  disparities: {
    demographic_parity_difference: estimate(0.2),
    demographic_parity_ratio: estimate(0.5),
    equal_opportunity_difference: null,
    equal_opportunity_ratio: null,
    equalized_odds_difference: null,
    equalized_odds_ratio: null,
  },
  undefinedBecause: { equal_opportunity_difference: "fewer than 5 positives in OO" },
  worst: {},
};
const reviewed: DataReview = {
  metric: "roc_auc",
  candidate: "boosting",
  trainingRows: { used: 700, available: 700 },
  selectionRows: { used: 120, available: 120 },
  value: 0.75,
  learningCurve: [{ share: 1, rows: 700, value: 0.75 }],
  gainOfLastDoubling: estimate(0.01),
  views: [
    {
      view: "weather",
      source: "weather",
      features: ["weather.temp"],
      withoutView: estimate(0.1),
      whenMissing: estimate(0.12),
      whenStale: { by: DAY, values: "same-entity", loss: estimate(0.07) },
    },
  ],
  worstSegments: [],
  undefinedSegments: 0,
  nulls: [{ feature: "weather.temp", whenMissing: estimate(0.11) }],
  weakSlices: {
    loss: "log_loss",
    tried: 80,
    examined: 4,
    slices: [
      {
        conditions: ["weather.temp <= -5", "carrier is UA"],
        rows: 30,
        share: 0.25,
        loss: 0.9,
        lossElsewhere: 0.4,
        excess: estimate(0.5),
        pValue: 0.008,
      },
    ],
    note: "80 slices were looked at.",
  },
  proposals: ["Require a longer history."],
  notes: ["Measured on 120 rows."],
};

/** With every part that a card can have. */
const complete: ModelCardInput = {
  ...input,
  fairness: { rows: 121, days: 20, threshold: 0.33, rules: { minRows: 30, minOutcomes: 5 }, views: [byCarrier] },
  dependence: {
    predicts: "probability of late",
    partial: [
      curve,
      {
        ...curve,
        feature: "carrier",
        kind: "categorical",
        points: curve.points.map((point, i) => ({ ...point, value: `c${i}` })),
      },
    ],
    effects: [
      {
        feature: "weather.temp",
        rows: 100,
        points: [
          { value: -5, rows: 0, effect: -0.1, low: -0.1, high: -0.1 },
          { value: 20, rows: 100, effect: 0.1, low: 0, high: 0.2 },
        ],
      },
    ],
  },
  surrogate: {
    depth: 1,
    rows: { grown: 70, held: 30 },
    rules: [
      { when: "weather.temp > 3.5", predicts: 0.61, share: 0.4 },
      { when: "weather.temp <= 3.5", predicts: 0.2, share: 0.6 },
    ],
    fidelity: { r2: 0.8, agreement: 0.9, agreementOfConstant: 0.7 },
    limits: ["They explain 80.0% of the variance."],
  },
  shap: {
    method: "tree-path-dependent",
    base: -1,
    rows: 3,
    shap: [{ feature: "weather.temp", meanAbs: 0.4 }],
    sample: [
      {
        feature: "weather.temp",
        points: [
          { value: 0, phi: -0.5 },
          { value: 1, phi: 0.5 },
          { value: null, phi: 0.2 },
        ],
      },
    ],
  },
  review: reviewed,
  training: { seconds: 12.5, peakMemoryBytes: 200 * 2 ** 20, trials: 40, notes: ["On two threads."] },
  environment: { Node: "24.1.0" },
};

describe("model card", () => {
  it("tells in both renderings what the model is for, made of and worth", () => {
    const { markdown, html } = modelCard(input);
    for (const text of [
      "late-arrival, version 3",
      "Tell passengers whether their flight will be late",
      "offer a rebooking",
      "940 with a label (220 positive), 20 pending, 40 censored",
      "snap-9",
      "boosting (selected)",
      "0.75 (0.74 to 0.76)",
      "roc_auc at least 0.7",
      "passed",
      "120 rows of 20 days",
      "Undefined for 1 more values",
      "plane.seats (40%)",
      "less than a year",
      "weather.temp",
    ]) {
      expect(markdown).toContain(text);
      expect(html).toContain(text);
    }
  });

  it("answers whether machine learning is right for this, with numbers", () => {
    const answer = (card: ModelCardInput) => modelCard(card).json.machineLearning;
    expect(answer(input).verdict).toBe("yes");
    expect(answer(input).sentence).toContain("payoff_per_decision 2 (1.99 to 2.01), baseline -4 (-4.01 to -3.99), rule -1");
    expect(answer(withModel(estimate(2, 5))).verdict).toBe("likely");
    expect(answer(withModel(estimate(-2))).verdict).toBe("no");
    expect(answer(withModel(estimate(-2))).sentence).toContain("payoff_per_decision");
    expect(answer({ ...input, candidates: input.candidates.slice(2) }).verdict).toBe("undefined");
  });

  it("counts an undefined gate and a missing test among the limits", () => {
    const { json, markdown } = modelCard({ ...input, test: null, gates: [{ ...input.gates[0], passed: null, observed: null }] });
    expect(json.allLimits).toContain("Gates not passed: roc_auc at least 0.7.");
    expect(json.allLimits).toContain("Not yet measured on test rows.");
    expect(markdown).toContain("| undefined |");
  });

  it("is JSON that survives a round trip", () => {
    for (const each of [input, complete]) {
      const { json } = modelCard(each);
      expect(JSON.parse(JSON.stringify(json))).toEqual(json);
    }
  });

  it("tells in both renderings whom it treats how, how it responds, its rules, weak slices, cost and environment", () => {
    const { markdown, html } = modelCard(complete);
    for (const text of [
      "121 rows of 20 days",
      "(missing)",
      "60 rows, 20 positive",
      "2 groups with 11 rows together are too small",
      "demographic parity difference",
      "undefined: fewer than 5 positives in OO",
      "Mean probability of late",
      "weather.temp",
      "80.0% of the variance",
      "carrier is UA",
      "80 slices were looked at",
      "Loss when it is stale",
      "0.07 (0.06 to 0.08)",
      "Training took 12.5 s",
      "200 MiB",
      "40 trials",
      "On two threads",
      "24.1.0",
    ]) {
      expect(markdown).toContain(text);
      expect(html).toContain(text);
    }
    expect(html).toContain("weather.temp &gt; 3.5");
    expect(markdown).toContain("| weather.temp > 3.5 | 0.61 | 40% |");
  });

  it("leaves sections out that nothing was measured for, and leads to each that is there", () => {
    const { html } = modelCard(input);
    expect(html).not.toContain("How it responds");
    const targets = Array.from(html.matchAll(/<a href="#(\w+)"/g), ([, id]) => id);
    const ids = Array.from(html.matchAll(/<section id="(\w+)"/g), ([, id]) => id);
    expect(targets).toEqual(ids);
    expect(Array.from(modelCard(complete).html.matchAll(/<section id=/g))).toHaveLength(14);
  });

  it("draws figures of any size without a number that is none", () => {
    const sizes = [0, 1e-300, 1e300, -1e300, 5e-4, 1234567.5];
    const odd: ModelCardInput = {
      ...complete,
      permutation: {
        metric: "rmse",
        rows: 9,
        repeats: 1,
        features: sizes.map((value, i) => ({ feature: `f${i}`, drop: { value, low: value, high: value } })),
      },
      dependence: {
        predicts: "value",
        partial: [{ ...curve, points: [{ value: 3, rows: 0, mean: 1e300, low: -1e300, high: 1e300 }], curves: [] }],
        effects: [],
      },
      calibration: [{ low: 0.5, high: 0.6, rows: 1, meanProbability: 0.5, shareOfPositives: 1 }],
    };
    for (const rendering of [modelCard(odd).html, modelCard(odd).markdown]) {
      expect(rendering).not.toMatch(/NaN|Infinity|undefined,|\[object/);
    }
  });

  it("is about values or several classes as well", () => {
    const values: ModelCardInput = {
      ...input,
      charter: {
        kind: "charter",
        problem: "How late",
        owner: "operations",
        users: ["booking-app"],
        target: { name: "delay", type: "regression", groundTruthAfter: "1d" },
        data: [],
        accept: [],
      },
      data: { ...input.data, positives: 0 },
      selectionMetric: "rmse",
      candidates: [
        { name: "ridge", kind: "linear-regression", selected: true, metrics: { rmse: estimate(12), mae: estimate(9) } },
      ],
      test: { rows: 120, positives: 0, days: 20, threshold: 0, metrics: { rmse: estimate(13) } },
      segments: [{ segment: "carrier", value: "UA", rows: 500, positives: 0, metrics: { rmse: estimate(15) } }],
      calibration: [],
    };
    const { markdown } = modelCard(values);
    expect(markdown).toContain("| ridge (selected) | 12 (11.99 to 12.01) | 9 (8.99 to 9.01) |");
    expect(markdown).toContain("| carrier UA | 15 (14.99 to 15.01) | 500 rows |");
    expect(markdown).not.toContain("positive");
    expect(markdown).not.toContain("## Calibration");
  });

  it("can be made before anything was measured", () => {
    const bare = {
      ...input,
      version: null,
      candidates: [],
      test: null,
      gates: [],
      segments: [],
      permutation: null,
      shap: null,
      calibration: [],
    };
    const { markdown } = modelCard(bare);
    expect(markdown).toContain("not registered");
    expect(markdown).toContain("No gate has been opened");
    expect(markdown).not.toMatch(/NaN|\[object/);
  });
});

describe("text that comes from outside", () => {
  const nasty = `<script>alert("x")</script><img src=x onerror='alert(1)'>&amp;|\n# h`;
  const poisoned: ModelCardInput = {
    ...input,
    model: nasty,
    charter: { ...charter, problem: nasty, owner: nasty, users: [nasty], decision: { ...charter.decision, act: nasty } },
    data: { ...input.data, snapshots: { [nasty]: nasty }, missingShare: { [nasty]: 0.9 } },
    candidates: input.candidates.map((candidate) => ({ ...candidate, name: nasty })),
    gates: [{ text: nasty, passed: false, observed: 1, required: 2, detail: nasty }],
    segments: [{ segment: nasty, value: nasty, rows: 1, positives: 1, metrics: { roc_auc: estimate(0.4) } }],
    permutation: { metric: "roc_auc", rows: 1, repeats: 1, features: [{ feature: nasty, drop: estimate(0.1) }] },
    shap: {
      method: "tree-path-dependent",
      base: 0,
      rows: 1,
      shap: [{ feature: nasty, meanAbs: 1 }],
      sample: [{ feature: nasty, points: [{ value: 0.5, phi: 1 }] }],
    },
    limits: [nasty],
    fairness: {
      rows: 1,
      days: 1,
      threshold: 0.5,
      rules: { minRows: 1, minOutcomes: 1 },
      views: [
        {
          ...byCarrier,
          columns: [nasty],
          groups: [{ values: [nasty], rows: 1, positives: 1, metrics: { selection_rate: estimate(1) } }],
          undefinedBecause: { equal_opportunity_ratio: nasty },
        },
      ],
    },
    dependence: {
      predicts: nasty,
      partial: [
        { ...curve, feature: nasty },
        { ...curve, feature: nasty, points: curve.points.map((point) => ({ ...point, value: nasty })) },
      ],
      effects: [],
    },
    surrogate: {
      depth: 0,
      rows: { grown: 1, held: 1 },
      rules: [{ when: nasty, predicts: nasty, share: 1 }],
      fidelity: { r2: null, agreement: null, agreementOfConstant: null },
      limits: [nasty],
    },
    review: {
      ...reviewed,
      views: [{ ...reviewed.views[0], view: nasty }],
      nulls: [{ feature: nasty, whenMissing: estimate(0) }],
      weakSlices: { loss: "log_loss", tried: 1, examined: 0, slices: [], note: nasty },
      proposals: [nasty],
      notes: [nasty],
    },
    training: { notes: [nasty] },
    environment: { [nasty]: nasty },
  };

  it("cannot put an element, an attribute or a script into the page", () => {
    const { html } = modelCard(poisoned);
    const tags = new Set(Array.from(html.matchAll(/<\/?([a-z0-9!]+)/gi), ([, tag]) => tag.toLowerCase()));
    const ours =
      "!doctype html head meta title style body main h1 h2 p section ul li div table thead tbody tr th td dl dt dd small nav a span figure figcaption " +
      "svg text rect line circle polyline polygon";
    expect([...tags].filter((tag) => !ours.split(" ").includes(tag))).toEqual([]);
    // Inside double quotes a value is inert, because the quote itself is escaped.
    expect(html.replace(/="[^"]*"/g, "")).not.toMatch(/<[^>]*\son\w+=/i);
    expect(html).toContain("&lt;script&gt;");
  });

  it("loads nothing from elsewhere", () => {
    const { html } = modelCard(complete);
    expect(html).not.toMatch(/https?:|src=|@import|url\(|<link|<script/);
    expect(html).toContain("default-src 'none'");
    expect(html).toContain("prefers-color-scheme: dark");
  });

  it("cannot open HTML, a link, a heading or a table cell in the Markdown", () => {
    const { markdown } = modelCard({ ...poisoned, limits: ["[click](javascript:alert(1))", "# heading", nasty] });
    expect(markdown).not.toMatch(/<\w/);
    expect(markdown).not.toMatch(/(?<!\\)\[click/);
    expect(markdown.split("\n").filter((line) => line.startsWith("# "))).toHaveLength(1);
    const gates = markdown.split("\n").find((line) => line.includes("not passed |")) ?? "";
    expect(gates.replaceAll("\\|", "").split("|")).toHaveLength(7);
  });
});
