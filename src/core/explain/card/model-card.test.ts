import { describe, expect, it } from "vitest";
import type { CharterDefinition } from "../../definitions/index.ts";
import { DAY, parseTimestamp } from "../../time.ts";
import type { MetricEstimate } from "../../training/index.ts";
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
    const { json } = modelCard(input);
    expect(JSON.parse(JSON.stringify(json))).toEqual(json);
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
    shap: { method: "tree-path-dependent", base: 0, rows: 1, shap: [{ feature: nasty, meanAbs: 1 }], sample: [] },
    limits: [nasty],
  };

  it("cannot put an element, an attribute or a script into the page", () => {
    const { html } = modelCard(poisoned);
    const tags = new Set(Array.from(html.matchAll(/<\/?([a-z0-9!]+)/gi), ([, tag]) => tag.toLowerCase()));
    const ours =
      "!doctype html head meta title style body main h1 h2 p section ul li div table thead tbody tr th td svg text rect line";
    expect([...tags].filter((tag) => !ours.split(" ").includes(tag))).toEqual([]);
    // Inside double quotes a value is inert, because the quote itself is escaped.
    expect(html.replace(/="[^"]*"/g, "")).not.toMatch(/<[^>]*\son\w+=/i);
    expect(html).toContain("&lt;script&gt;");
  });

  it("loads nothing from elsewhere", () => {
    const { html } = modelCard(input);
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
