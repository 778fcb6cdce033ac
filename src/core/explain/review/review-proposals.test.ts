import { describe, expect, it } from "vitest";
import { proposals } from "./review-proposals.ts";

const estimate = (value: number, low: number, high: number) => ({ value, low, high });
const nothing = estimate(0, -0.001, 0.001);
const review: Parameters<typeof proposals>[0] = {
  metric: "roc_auc",
  candidate: "boosting",
  trainingRows: { used: 60_000, available: 250_000 },
  selectionRows: { used: 10_000, available: 15_000 },
  value: 0.75,
  learningCurve: [],
  gainOfLastDoubling: nothing,
  views: [],
  worstSegments: [],
  undefinedSegments: 0,
};
const view = (name: string, withoutView = nothing, whenMissing = nothing) => ({
  view: name,
  source: "weather",
  features: [],
  withoutView,
  whenMissing,
});

describe("proposals of the data review", () => {
  it("read the learning curve by the interval of its last doubling", () => {
    const first = (gain: ReturnType<typeof estimate>) => proposals({ ...review, gainOfLastDoubling: gain })[0];
    expect(first(estimate(0.01, 0.004, 0.016))).toContain(
      "still helped: roc_auc +0.010 (+0.004 to +0.016). Require a longer history",
    );
    expect(first(estimate(-0.01, -0.016, -0.004))).toContain("Train on a shorter, more recent period");
    expect(first(estimate(-0.0001, -0.004, 0.003))).toContain("no clear difference: roc_auc +0.000 (-0.004 to +0.003)");
  });

  it("ask for freshness of what is dear to lose, and question what is worth nothing", () => {
    const dear = view("weather_now", estimate(0.05, 0.04, 0.06), estimate(0.08, 0.06, 0.1));
    const [, needed, idle, ...more] = proposals({ ...review, views: [dear, view("plane_info")] });
    expect(needed).toBe(
      "Without values of weather_now, roc_auc is worse by 0.080 (0.060 to 0.100). Require freshness and coverage of source weather.",
    );
    expect(idle).toContain("A model without plane_info loses 0.000 of roc_auc (-0.001 to 0.001)");
    expect(more).toEqual([]);
  });

  it("name the weakest segment only where its interval lies apart from the whole", () => {
    const weak = (low: number, high: number) => ({
      segment: "carrier",
      value: "OO",
      rows: 900,
      positives: 200,
      metrics: { roc_auc: estimate((low + high) / 2, low, high) },
    });
    expect(proposals({ ...review, worstSegments: [weak(0.6, 0.7)] })[1]).toContain(
      "carrier OO is the weakest segment: roc_auc 0.650",
    );
    expect(proposals({ ...review, worstSegments: [weak(0.6, 0.8)] })).toHaveLength(1);
    expect(proposals({ ...review, undefinedSegments: 3 })[1]).toContain("3 segment values have too few positive labels");
  });
});
