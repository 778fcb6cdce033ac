import { describe, expect, it } from "vitest";
import { goldenFairness, people } from "../../../../test/fixtures/golden-fairness.ts";
import { relativeError } from "../../../../test/fixtures/golden-metrics.ts";
import { categoricalColumn } from "../../../../test/fixtures/training-data.ts";
import type { Disparity } from "./disparities.ts";
import { fairnessReport } from "./fairness-report.ts";
import { GROUP_METRICS } from "./measure-view.ts";

const decision = { threshold: 0.5, payoff: { truePositive: 1, falsePositive: -1, falseNegative: -1 } };

/** Two groups of a hundred rows each, of which `positives` are positive; the first group is always acted on. */
function twoGroups(positives: number) {
  const labels = Uint8Array.from({ length: 200 }, (_, row) => (row < 40 || (row >= 100 && row < 100 + positives) ? 1 : 0));
  return {
    labels,
    probabilities: Float64Array.from(labels, (_, row) => (row < 100 ? 0.9 : row % 2 === 0 ? 0.8 : 0.2)),
    days: Int32Array.from(labels, (_, row) => row % 20),
    decision,
    protectedColumns: [
      categoricalColumn(
        "group",
        Array.from(labels, (_, row) => (row < 100 ? "a" : "b")),
      ),
    ],
  };
}

describe("fairnessReport", () => {
  it.each(goldenFairness.cases)(
    "has fairlearn's figures by group, by intersection and between groups, to 1e-12 ($rows rows, weighted: $weighted)",
    ({ seed, rows, weighted, views }) => {
      const { origin, sex, labels, probabilities, weights } = people(seed, rows);
      const report = fairnessReport(
        {
          labels,
          probabilities,
          days: Int32Array.from(labels, (_, row) => row),
          decision,
          protectedColumns: [origin, sex],
          ...(weighted && { weights }),
        },
        { resamples: 0, minRows: 1, minOutcomes: 1 },
      );
      expect(report.views.map(({ columns }) => columns)).toEqual([["origin"], ["sex"], ["origin", "sex"]]);
      report.views.forEach(({ groups, disparities }, v) => {
        const expected = views[v];
        expect(groups.map(({ values }) => values.join("/")).sort()).toEqual(Object.keys(expected.groups).sort());
        for (const { values, metrics } of groups) {
          for (const [name, figure] of Object.entries(expected.groups[values.join("/")])) {
            const metric = GROUP_METRICS.find((each) => each === name);
            if (metric === undefined) throw new Error(`${name} is not measured`);
            expect(relativeError(metrics[metric]?.value, figure), `${name} of ${values}`).toBeLessThan(1e-12);
          }
        }
        for (const [name, figure] of Object.entries(expected.disparities)) {
          expect(relativeError(disparities[name as Disparity]?.value, figure), name).toBeLessThan(1e-12);
        }
      });
    },
  );

  it("puts bootstrap intervals around groups and disparities, the same for the same seed, and names who fares worst", () => {
    const { origin, labels, probabilities } = people(4, 3000);
    const input = {
      labels,
      probabilities,
      days: Int32Array.from(labels, (_, row) => row % 60),
      decision,
      protectedColumns: [origin],
    };
    const report = fairnessReport(input);
    expect(fairnessReport(input)).toEqual(report);
    const [{ groups, disparities, worst }] = report.views;
    for (const { metrics } of groups) {
      const { selection_rate, roc_auc } = metrics;
      for (const estimate of [selection_rate, roc_auc]) {
        expect(estimate?.low).toBeLessThan(estimate?.value ?? 0);
        expect(estimate?.high).toBeGreaterThan(estimate?.value ?? 1);
      }
    }
    expect(disparities.demographic_parity_difference?.low).toBeGreaterThan(0);
    const rates = groups.map(({ metrics }) => metrics.true_positive_rate?.value ?? Number.NaN);
    expect(worst.true_positive_rate?.estimate.value).toBe(Math.min(...rates));
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  });

  it("calls a rate over positives undefined where a group has too few of them, and the disparity with it, never 0", () => {
    const [view] = fairnessReport(twoGroups(3)).views;
    const b = view.groups.find(({ values }) => values[0] === "b");
    expect(b?.metrics).not.toHaveProperty("true_positive_rate");
    expect(b?.metrics).not.toHaveProperty("roc_auc");
    expect(b?.metrics).toHaveProperty("false_positive_rate");
    expect(view.disparities.equal_opportunity_difference).toBeNull();
    expect(view.disparities.equalized_odds_ratio).toBeNull();
    expect(view.undefinedBecause.equal_opportunity_difference).toBe("fewer than 5 positives in b");
    expect(view.disparities.demographic_parity_difference?.value).toBeCloseTo(0.5, 12);
    expect(fairnessReport(twoGroups(30)).views[0].disparities.equal_opportunity_difference?.value).toBeCloseTo(0.5, 12);
  });

  it("leaves groups of too few rows out and counts them, and says why nothing is left to compare", () => {
    const input = twoGroups(30);
    const [view] = fairnessReport(input, { minRows: 101 }).views;
    expect(view).toMatchObject({ groups: [], tooSmall: { groups: 2, rows: 200, largest: [{ values: ["a"], rows: 100 }, {}] } });
    expect(Object.values(view.disparities)).toEqual(Array(6).fill(null));
    expect(view.undefinedBecause.demographic_parity_ratio).toBe("fewer than two groups have 101 rows");
  });

  it("has no ratio where nobody is acted on", () => {
    const input = twoGroups(30);
    const [view] = fairnessReport({ ...input, decision: { ...decision, threshold: 0.95 } }).views;
    expect(view.disparities.demographic_parity_difference?.value).toBe(0);
    expect(view.disparities.demographic_parity_ratio).toBeNull();
    expect(view.undefinedBecause.demographic_parity_ratio).toBe("the greatest rate is 0");
    expect(view.groups[0].metrics).not.toHaveProperty("precision");
  });

  it("takes rows without a value for a group of their own", () => {
    const input = twoGroups(30);
    const texts = Array.from(input.labels, (_, row) => (row < 100 ? "a" : null));
    const [view] = fairnessReport({ ...input, protectedColumns: [categoricalColumn("group", texts)] }).views;
    expect(view.groups.map(({ values }) => values)).toEqual([[null], ["a"]]);
  });

  it("reads the columns at the rows given", () => {
    const { labels, probabilities, days, protectedColumns } = twoGroups(30);
    const rows = Uint32Array.from({ length: 100 }, (_, i) => 2 * i);
    const part = fairnessReport({
      labels: Uint8Array.from(rows, (row) => labels[row]),
      probabilities: Float64Array.from(rows, (row) => probabilities[row]),
      days: Int32Array.from(rows, (row) => days[row]),
      decision,
      protectedColumns,
      rows,
    });
    expect(part.views[0].groups.map(({ rows: count }) => count)).toEqual([50, 50]);
    // Only even rows: all of group b are acted on.
    expect(part.views[0].disparities.demographic_parity_difference?.value).toBe(0);
  });

  it("refuses no rows, no column, lengths that differ, and labels, probabilities and weights that are none", () => {
    const input = twoGroups(30);
    const invalid = expect.objectContaining({ code: "EXPLAIN_GROUPS_INVALID" });
    expect(() => fairnessReport({ ...input, protectedColumns: [] })).toThrow(invalid);
    expect(() => fairnessReport({ ...input, probabilities: new Float64Array(3) })).toThrow(invalid);
    expect(() => fairnessReport({ ...input, protectedColumns: [categoricalColumn("group", ["a"])] })).toThrow(invalid);
    expect(() => fairnessReport({ ...input, labels: new Uint8Array(200).fill(2) })).toThrow(invalid);
    for (const wrong of [Number.NaN, -1, Number.POSITIVE_INFINITY]) {
      expect(() => fairnessReport({ ...input, probabilities: new Float64Array(200).fill(wrong) })).toThrow(invalid);
      expect(() => fairnessReport({ ...input, weights: new Float64Array(200).fill(wrong) })).toThrow(invalid);
    }
    const none = { labels: new Uint8Array(0), probabilities: new Float64Array(0), days: new Int32Array(0) };
    expect(() => fairnessReport({ ...input, ...none })).toThrow(expect.objectContaining({ code: "EXPLAIN_NO_ROWS" }));
  });
});
