import { describe, expect, test } from "vitest";
import { type Criterion, calibration, latency, metric, payoff, segment } from "../definitions/index.ts";
import type { Evaluation, MetricTable } from "../training/index.ts";
import { evaluateGates, type GateFacts, gatePassed } from "./index.ts";

const around = (value: number, width = 0.01) => ({ value, low: value - width, high: value + width });
const evaluation = (metrics: MetricTable): Evaluation => ({ rows: 1_000, positives: 200, days: 30, threshold: 0.6, metrics });

const facts = (more: Partial<GateFacts> = {}): GateFacts => ({
  target: "binary",
  evaluation: evaluation({ roc_auc: around(0.75), log_loss: around(0.4), payoff_per_decision: around(2), ece: around(0.03) }),
  baseline: evaluation({ roc_auc: around(0.5), log_loss: around(0.5), payoff_per_decision: around(-12) }),
  alternative: evaluation({ roc_auc: around(0.6), payoff_per_decision: around(1) }),
  champion: null,
  segments: [],
  latencyMs: null,
  ...more,
});
const verdict = (criterion: Criterion, more: Partial<GateFacts> = {}) => {
  const [only] = evaluateGates([criterion], facts(more));
  if (only === undefined) throw new Error("one criterion has one verdict");
  return only;
};

describe("limits", () => {
  test("at least and at most take the limit itself", () => {
    expect(verdict(metric("roc_auc").atLeast(0.75))).toMatchObject({ passed: true, observed: 0.75, required: 0.75 });
    expect(verdict(metric("roc_auc").atLeast(0.7501)).passed).toBe(false);
    expect(verdict(calibration("ece").atMost(0.03)).passed).toBe(true);
    expect(verdict(calibration("ece").atMost(0.0299)).passed).toBe(false);
  });

  test("a metric without a value does not pass and says why", () => {
    const undefinedF1 = verdict(metric("f1").atLeast(0.1));
    expect(undefinedF1).toMatchObject({ passed: null, observed: null, required: 0.1 });
    expect(undefinedF1.detail).toContain("F1 has no value on 1000 rows");
    const nan = { evaluation: evaluation({ roc_auc: around(Number.NaN) }) };
    expect(verdict(metric("roc_auc").atLeast(0.1), nan).passed).toBeNull();
    expect(gatePassed([verdict(metric("roc_auc").atLeast(0.7)), undefinedF1])).toBe(false);
  });

  test("the verdict carries interval, rows and the criterion in words", () => {
    const { text, detail, criterion } = verdict(metric("roc_auc").atLeast(0.7));
    expect(text).toBe("ROC AUC at least 0.7");
    expect(detail).toBe("0.75 (95% 0.74 to 0.76) on 1000 rows, 200 positive, 30 days");
    expect(criterion).toEqual(metric("roc_auc").atLeast(0.7));
  });
});

describe("better than", () => {
  test("equal is not better, and the margin counts although 0.55 - 0.5 is less than 0.05 in binary", () => {
    const equal = { evaluation: evaluation({ payoff_per_decision: around(1) }) };
    expect(verdict(payoff().betterThan("alternative"), equal).passed).toBe(false);
    expect(0.55 - 0.5).not.toBe(0.05);
    expect(0.8 - 0.75).not.toBe(0.05);
    const just = { evaluation: evaluation({ roc_auc: around(0.8) }), baseline: evaluation({ roc_auc: around(0.75) }) };
    expect(verdict(metric("roc_auc").betterThanBaseline(0.05), just).passed).toBe(true);
    expect(verdict(metric("roc_auc").betterThanBaseline(0.051), just).passed).toBe(false);
  });

  test("for a loss, less is better", () => {
    expect(verdict(metric("log_loss").betterThanBaseline(0.05))).toMatchObject({ passed: true, observed: 0.4, required: 0.45 });
    const worse = { evaluation: evaluation({ log_loss: around(0.48) }) };
    expect(verdict(metric("log_loss").betterThanBaseline(0.05), worse).passed).toBe(false);
  });

  test("is undefined where either side is", () => {
    expect(verdict(metric("log_loss").betterThan("alternative")).detail).toContain("log loss has no value for the alternative");
    const none = { evaluation: evaluation({}) };
    expect(verdict(payoff().betterThan("baseline"), none)).toMatchObject({ passed: null, required: -12 });
  });
});

describe("not worse than the champion", () => {
  const champion = (pairedDifferences: MetricTable) => ({ champion: { evaluation: evaluation({}), pairedDifferences } });
  const criterion = metric("roc_auc").notWorseThanChampion(0.005);

  test("passes where there is none yet", () => {
    expect(verdict(criterion)).toMatchObject({ passed: true, detail: "there is no champion yet" });
  });

  test("the paired difference has to be within the tolerance, and its interval is told", () => {
    const within = verdict(criterion, champion({ roc_auc: { value: -0.004, low: -0.02, high: 0.012 } }));
    expect(within).toMatchObject({ passed: true, observed: -0.004, required: -0.005 });
    expect(within.detail).toContain("-0.02 to 0.012");
    expect(verdict(criterion, champion({ roc_auc: { value: -0.006, low: -0.02, high: 0.01 } })).passed).toBe(false);
  });

  test("for a loss, less is better", () => {
    const loss = metric("log_loss").notWorseThanChampion(0.005);
    expect(verdict(loss, champion({ log_loss: { value: 0.004, low: -0.01, high: 0.02 } }))).toMatchObject({
      passed: true,
      observed: -0.004,
    });
    expect(verdict(loss, champion({ log_loss: { value: 0.02, low: 0.01, high: 0.03 } })).passed).toBe(false);
  });

  test("is undefined without a paired difference", () => {
    expect(verdict(criterion, champion({})).passed).toBeNull();
  });
});

describe("segments and latency", () => {
  const carrier = (value: string, positives: number, auc?: number) => ({
    segment: "carrier",
    value,
    rows: 2 * positives,
    positives,
    metrics: auc === undefined ? {} : { roc_auc: around(auc) },
  });
  const worst = segment("carrier", { minPositives: 200 }).worst("roc_auc").atLeast(0.6);

  test("the worst of the values with enough positives counts, and is named", () => {
    const segments = [carrier("UA", 500, 0.7), carrier("AA", 200, 0.58), carrier("OO", 3, 0.1)];
    const found = verdict(worst, { segments });
    expect(found).toMatchObject({ passed: false, observed: 0.58, required: 0.6 });
    expect(found.detail).toContain("AA: 0.58");
    expect(verdict(worst, { segments: segments.slice(0, 1) }).passed).toBe(true);
  });

  test("is undefined when no value is large enough, or a large one has no metric", () => {
    expect(verdict(worst, { segments: [carrier("OO", 3, 0.9)] }).detail).toContain("no value of carrier has 200 positives");
    expect(verdict(worst, { segments: [carrier("UA", 500, 0.7), carrier("AA", 300)] }).passed).toBeNull();
    expect(verdict(worst, { segments: [{ ...carrier("EWR", 900, 0.9), segment: "origin" }] }).passed).toBeNull();
  });

  test("latency is judged at its quantile, and undefined when nobody measured", () => {
    const latencyMs = { p50: 1, p95: 5, p99: 20 };
    expect(verdict(latency("p99").atMost("20ms"), { latencyMs })).toMatchObject({ passed: true, observed: 20, required: 20 });
    expect(verdict(latency("p99").atMost("19ms"), { latencyMs }).passed).toBe(false);
    expect(verdict(latency("p99").atMost("20ms")).passed).toBeNull();
  });
});

describe("of a number", () => {
  const number: Partial<GateFacts> = {
    target: "regression",
    evaluation: { ...evaluation({ rmse: around(12) }), positives: 0 },
    baseline: { ...evaluation({ rmse: around(20) }), positives: 0 },
    alternative: null,
  };

  test("an error is at most so great and better than the baseline's, and nothing is said of positives", () => {
    expect(verdict(metric("rmse").atMost(12), number)).toMatchObject({
      passed: true,
      text: "root mean squared error at most 12",
      detail: "12 (95% 11.99 to 12.01) on 1000 rows, 30 days",
    });
    expect(verdict(metric("rmse").betterThanBaseline(9), number)).toMatchObject({ passed: false, observed: 12, required: 11 });
  });

  test("a comparison with the alternative is undefined, because there is none", () => {
    expect(verdict(metric("rmse").betterThan("alternative"), number)).toMatchObject({
      passed: null,
      detail: expect.stringContaining("a regression target has no alternative"),
    });
  });

  test("segments are large enough by their rows, and the worst is the one with the greatest error", () => {
    const plan = (value: string, rows: number, rmse: number) => ({
      segment: "plan",
      value,
      rows,
      positives: 0,
      metrics: { rmse: around(rmse) },
    });
    const segments = [plan("family", 800, 9), plan("single", 500, 14), plan("student", 40, 90)];
    const worst = segment("plan", { minRows: 500 }).worst("rmse");
    expect(verdict(worst.atMost(14), { ...number, segments })).toMatchObject({
      passed: true,
      observed: 14,
      text: "worst root mean squared error by plan (from 500 rows) at most 14",
    });
    expect(verdict(worst.atMost(13), { ...number, segments }).passed).toBe(false);
    expect(verdict(worst.atMost(13), { ...number, segments: segments.slice(2) }).detail).toContain(
      "no value of plan has 500 rows",
    );
  });
});

test("a gate passes only when every criterion does, and never without criteria", () => {
  const all = evaluateGates([metric("roc_auc").atLeast(0.7), payoff().betterThan("alternative")], facts());
  expect(gatePassed(all)).toBe(true);
  expect(gatePassed([...all, verdict(metric("roc_auc").atLeast(0.9))])).toBe(false);
  expect(gatePassed([])).toBe(false);
});
