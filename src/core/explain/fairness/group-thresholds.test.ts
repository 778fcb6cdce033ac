import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { goldenFairness, people } from "../../../../test/fixtures/golden-fairness.ts";
import { categoricalColumn } from "../../../../test/fixtures/training-data.ts";
import { type FairnessConstraint, groupThresholds } from "./group-thresholds.ts";
import { protectedGroups } from "./protected-groups.ts";

/** fairlearn's names, and the tolerance at which thresholds without coin flips come near: two rates at once need a wider one. */
const CONSTRAINTS: readonly (readonly [FairnessConstraint, string, number])[] = [
  ["demographic-parity", "demographic_parity", 0.03],
  ["equal-opportunity", "true_positive_rate_parity", 0.03],
  ["equalized-odds", "equalized_odds", 0.1],
];

type Row = { readonly group: number; readonly label: number; readonly score: number };

/** The best accuracy of all pairs of thresholds that keep the constraint. */
function bruteForce(rows: readonly Row[], constraint: FairnessConstraint, tolerance: number): number {
  const thresholds = [0, 1, 2, 3, 4, 9];
  const rate = (chosen: readonly Row[], threshold: number) =>
    chosen.filter(({ score }) => score >= threshold).length / chosen.length;
  let best = 0;
  for (const first of thresholds) {
    for (const second of thresholds) {
      const at = [first, second];
      const gap = (among: (row: Row) => boolean) => {
        const [a, b] = at.map((threshold, group) =>
          rate(
            rows.filter((row) => row.group === group && among(row)),
            threshold,
          ),
        );
        return Math.abs(a - b);
      };
      const gaps = {
        "demographic-parity": [gap(() => true)],
        "equal-opportunity": [gap(({ label }) => label === 1)],
        "equalized-odds": [gap(({ label }) => label === 1), gap(({ label }) => label === 0)],
      }[constraint];
      if (Math.max(...gaps) > tolerance + 1e-9) continue;
      const right = rows.filter(({ group, label, score }) => score >= at[group] === (label === 1)).length;
      best = Math.max(best, right / rows.length);
    }
  }
  return best;
}

describe("groupThresholds", () => {
  it.each(CONSTRAINTS)(
    "comes within 0.005 of the accuracy of fairlearn's randomised thresholds, without coin flips (%s)",
    (constraint, name, tolerance) => {
      const { seed, rows, accuracy } = goldenFairness.thresholds;
      const { origin, labels, probabilities } = people(seed, rows);
      const found = groupThresholds(protectedGroups([origin]), labels, probabilities, {
        constraint,
        objective: "accuracy",
        tolerance,
      });
      expect(found.value).toBeGreaterThan(accuracy[name] - 0.005);
      expect(found.disparity).toBeLessThanOrEqual(tolerance + 1e-9);
      expect(found.value).toBeLessThanOrEqual(1);
    },
  );

  it("is the best of all thresholds that keep the constraint", () => {
    const row = fc.record({
      group: fc.integer({ min: 0, max: 1 }),
      label: fc.integer({ min: 0, max: 1 }),
      score: fc.integer({ min: 0, max: 4 }),
    });
    const whole = [0, 1].flatMap((group) => [0, 1].map((label) => ({ group, label, score: 2 })));
    fc.assert(
      fc.property(
        fc.array(row, { maxLength: 25 }),
        fc.constantFrom<FairnessConstraint>("demographic-parity", "equal-opportunity", "equalized-odds"),
        fc.constantFrom(0, 0.1, 0.3, 1),
        (more, constraint, tolerance) => {
          const rows = [...whole, ...more];
          const found = groupThresholds(
            protectedGroups([
              categoricalColumn(
                "group",
                rows.map(({ group }) => String(group)),
              ),
            ]),
            Uint8Array.from(rows, ({ label }) => label),
            Float64Array.from(rows, ({ score }) => score),
            { constraint, objective: "accuracy", tolerance },
          );
          expect(found.value).toBeCloseTo(bruteForce(rows, constraint, tolerance), 12);
          expect(found.disparity).toBeLessThanOrEqual(tolerance + 1e-9);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("reaches by the thresholds it gives what it says: rates, payoff and disparity", () => {
    const { origin, labels, probabilities, weights } = people(5, 2000);
    const groups = protectedGroups([origin]);
    const payoff = { truePositive: 10, falsePositive: -4, falseNegative: -2, trueNegative: 1 };
    const found = groupThresholds(groups, labels, probabilities, { constraint: "equal-opportunity", objective: payoff, weights });
    let paid = 0;
    let total = 0;
    const hits = found.groups.map(() => ({ acted: 0, positives: 0 }));
    labels.forEach((label, row) => {
      const acted = probabilities[row] >= found.groups[groups.group[row]].threshold;
      const worth = acted ? (label === 1 ? 10 : -4) : label === 1 ? -2 : 1;
      paid += weights[row] * worth;
      total += weights[row];
      if (label === 1) {
        hits[groups.group[row]].positives += weights[row];
        if (acted) hits[groups.group[row]].acted += weights[row];
      }
    });
    expect(found.value).toBeCloseTo(paid / total, 10);
    const rates = hits.map(({ acted, positives }) => acted / positives);
    found.groups.forEach(({ truePositiveRate }, group) => {
      expect(truePositiveRate).toBeCloseTo(rates[group], 12);
    });
    expect(found.disparity).toBeCloseTo(Math.max(...rates) - Math.min(...rates), 12);
    expect(found.disparity).toBeLessThanOrEqual(0.02 + 1e-9);
    expect(found.valueOfOneThreshold).toBeGreaterThan(0);
  });

  it("acts on nobody where the constraint leaves nothing better, with a threshold that no probability reaches", () => {
    const groups = protectedGroups([categoricalColumn("group", ["a", "a", "b", "b"])]);
    const found = groupThresholds(groups, Uint8Array.of(1, 0, 1, 0), Float64Array.of(0.9, 0.1, 0.2, 0.8), {
      constraint: "equalized-odds",
      objective: { truePositive: 1, falsePositive: -9, falseNegative: 0 },
      tolerance: 0,
    });
    expect(found.value).toBe(0);
    for (const { threshold } of found.groups) expect(threshold).toBeGreaterThan(1);
  });

  it("refuses a group without the positives or negatives that the constraint compares, by name", () => {
    const groups = protectedGroups([categoricalColumn("group", ["a", "a", "b"])]);
    const thresholds = (constraint: FairnessConstraint, labels: Uint8Array) => () =>
      groupThresholds(groups, labels, Float64Array.of(0.1, 0.2, 0.3), { constraint, objective: "accuracy" });
    const lacking = (message: string) =>
      expect.objectContaining({ code: "EXPLAIN_GROUPS_INVALID", message: expect.stringContaining(message) });
    expect(thresholds("equal-opportunity", Uint8Array.of(0, 1, 0))).toThrow(lacking("b has no positives"));
    expect(thresholds("equalized-odds", Uint8Array.of(0, 1, 1))).toThrow(lacking("b has no negatives"));
    expect(thresholds("demographic-parity", Uint8Array.of(0, 1, 1))).not.toThrow();
    expect(thresholds("demographic-parity", new Uint8Array(2))).toThrow(lacking("2 labels"));
  });
});
