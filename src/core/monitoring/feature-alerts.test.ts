import { describe, expect, test } from "vitest";
import { HOUR, MINUTE } from "../time.ts";
import { ageOf, consistencyAlerts, freshnessAlerts, type ViewFreshness } from "./feature-alerts.ts";

const view: ViewFreshness = {
  view: "sold",
  features: ["sold.price"],
  freshWithin: 2 * HOUR,
  materializedUntil: 10 * HOUR,
  newestEventAt: 9 * HOUR,
  timed: true,
};

describe("a view's freshness", () => {
  test("is the age of its newest event, and of its materialization where rows have no time", () => {
    expect(ageOf(view, 11 * HOUR)).toBe(2 * HOUR);
    expect(ageOf({ ...view, timed: false, newestEventAt: null }, 11 * HOUR)).toBe(HOUR);
    // Values made anew of no event are not fresh for that.
    expect(ageOf({ ...view, newestEventAt: null }, 11 * HOUR)).toBeNull();
    expect(ageOf({ ...view, materializedUntil: null }, 11 * HOUR)).toBeNull();
    // An event that is dated ahead is not younger than now.
    expect(ageOf({ ...view, newestEventAt: 12 * HOUR }, 11 * HOUR)).toBe(0);
  });

  test("alerts when it is longer than its objective, from the moment it was", () => {
    expect(freshnessAlerts([view], 11 * HOUR)).toEqual([]);
    const [alert] = freshnessAlerts([view], 11 * HOUR + MINUTE);
    expect(alert).toMatchObject({
      kind: "quality",
      severity: "warning",
      title: "sold is not fresh any more since 1970-01-01T11:00:00Z",
      since: 11 * HOUR,
      dedupeKey: "fresh-within:sold",
    });
    expect(alert.causes[0].score).toBeCloseTo(121 / 120, 12);
    expect(alert.causes[0].evidence).toContain("newest event online is of 1970-01-01T09:00:00Z");
    expect(freshnessAlerts([view], 14 * HOUR)).toMatchObject([{ severity: "critical" }]);
  });

  test("tells rows that do not come from values that are not made", () => {
    const [alert] = freshnessAlerts([view], 13 * HOUR);
    expect(alert.causes[0].evidence).toBe("the online values were made up to 1970-01-01T10:00:00Z, and not since");
  });

  test("says nothing of a view without an objective, or that was never materialized", () => {
    expect(freshnessAlerts([{ ...view, freshWithin: null }], 99 * HOUR)).toEqual([]);
    expect(freshnessAlerts([{ ...view, materializedUntil: null, newestEventAt: null }], 99 * HOUR)).toEqual([]);
  });
});

test("on-demand features have alerts of their own, and much that is wrong is critical", () => {
  const wrong = (feature: string, mismatched: number) => ({ feature, compared: 1_000, mismatched, stale: 3, examples: [] });
  const features = [wrong("on-demand.age", 1), wrong("sold.price", 11), wrong("sold.units", 0)];
  const endpoints = [{ endpoint: "api", since: 0, predictions: 1_000, features, changed: [] }];
  const alerts = consistencyAlerts({ formatVersion: 1, at: HOUR, online: [], endpoints });
  expect(alerts).toMatchObject([
    { severity: "warning", dedupeKey: "consistency:on-demand.age" },
    { severity: "critical", dedupeKey: "consistency:sold", title: "Values of sold differ from the offline ones in up to 1.1%" },
  ]);
  expect(alerts[1].causes[0].evidence).toBe("sold.price in 11 of 1000 logged by api");
});
