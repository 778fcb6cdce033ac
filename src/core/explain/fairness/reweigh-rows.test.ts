import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { people } from "../../../../test/fixtures/golden-fairness.ts";
import { categoricalColumn } from "../../../../test/fixtures/training-data.ts";
import { countOutcomes, groupRates } from "./group-rates.ts";
import { protectedGroups } from "./protected-groups.ts";
import { reweighRows } from "./reweigh-rows.ts";

describe("reweighRows", () => {
  it("gives every group the base rate of all, and leaves the sums of groups and labels as they were", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), fc.boolean(), (seed, weighted) => {
        const { origin, sex, labels, weights } = people(seed, 800);
        const groups = protectedGroups([origin, sex]);
        const own = weighted ? weights : new Float64Array(800).fill(1);
        const reweighed = reweighRows(groups, labels, own);
        const acts = new Uint8Array(800);
        const sums = (by: Float64Array) => countOutcomes(groups, labels, acts, by);
        const before = groupRates(sums(own));
        const both = before.every(({ base_rate = 0 }) => base_rate > 0 && base_rate < 1);
        fc.pre(both);
        const total = own.reduce((sum, each) => sum + each, 0);
        const positives = labels.reduce((sum, label, row) => sum + label * own[row], 0);
        for (const { base_rate } of groupRates(sums(reweighed))) expect(base_rate).toBeCloseTo(positives / total, 12);
        groups.values.forEach((_, group) => {
          const of = (by: Float64Array) =>
            sums(by)
              .subarray(4 * group, 4 * group + 4)
              .reduce((sum, each) => sum + each, 0);
          expect(of(reweighed)).toBeCloseTo(of(own), 9);
        });
      }),
      { numRuns: 30 },
    );
  });

  it("has the weights of Kamiran and Calders' own example: P(group) P(label) / P(group, label)", () => {
    const groups = protectedGroups([categoricalColumn("sex", ["f", "f", "f", "m", "m"])]);
    const weights = reweighRows(groups, Uint8Array.of(1, 0, 0, 1, 1));
    [0.6 * 0.6 * 5, (0.6 * 0.4 * 5) / 2, (0.6 * 0.4 * 5) / 2, (0.4 * 0.6 * 5) / 2, (0.4 * 0.6 * 5) / 2].forEach((each, row) => {
      expect(weights[row]).toBeCloseTo(each, 12);
    });
  });

  it("weighs nothing for no rows, and refuses rows without a label", () => {
    const one = protectedGroups([categoricalColumn("sex", ["f"])]);
    expect(() => reweighRows(one, new Uint8Array(2))).toThrow(expect.objectContaining({ code: "EXPLAIN_GROUPS_INVALID" }));
    expect(reweighRows(protectedGroups([categoricalColumn("sex", [])]), new Uint8Array(0))).toEqual(new Float64Array(0));
  });
});
