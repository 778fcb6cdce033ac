import { describe, expect, it } from "vitest";
import { curveChart, curvePoints, type History, hasCurve, lineStyle, MOST_DRAWN, sortHistories, thin } from "./curves.ts";

const history = (values: readonly (number | "NaN")[], at = (index: number) => index * 1_000_000): History => ({
  points: values.map((value, step) => ({ value, low: null, high: null, step, at: at(step) })),
  complete: true,
});

describe("curvePoints", () => {
  it("stands values over steps, over seconds since the first, or over the clock in milliseconds", () => {
    const two = history([0.5, 0.4], (index) => 5_000_000 + index * 2_500_000);
    expect(curvePoints(two, "step").map(({ x }) => x)).toEqual([0, 1]);
    expect(curvePoints(two, "elapsed").map(({ x }) => x)).toEqual([0, 2.5]);
    expect(curvePoints(two, "clock").map(({ x }) => x)).toEqual([5_000, 7_500]);
  });
  it("follows the clock where steps were logged out of its order", () => {
    expect(
      curvePoints(
        history([1, 2, 3], (index) => [2e6, 0, 1e6][index] ?? 0),
        "elapsed",
      ).map(({ y }) => y),
    ).toEqual([2, 3, 1]);
  });
  it("leaves a gap where a value is not finite", () => {
    expect(curvePoints(history([1, "NaN", 3]), "step").map(({ y }) => y)).toEqual([1, Number.NaN, 3]);
  });
});

describe("thin", () => {
  it("keeps short curves whole", () => {
    const points = curvePoints(history([3, 1, 2]), "step");
    expect(thin(points)).toEqual(points);
  });
  it("draws 200,000 points as a screen's worth, with ends, order and every spike", () => {
    const values = Array.from({ length: 200_000 }, (_, index) => Math.sin(index / 9_000));
    values[123_457] = 50;
    values[77_001] = -50;
    const points = curvePoints(history(values), "step");
    const thinned = thin(points);
    expect(thinned.length).toBeLessThanOrEqual(MOST_DRAWN);
    expect([thinned.at(0)?.x, thinned.at(-1)?.x]).toEqual([0, 199_999]);
    expect(thinned.map(({ x }) => x)).toEqual(thinned.map(({ x }) => x).sort((a, b) => a - b));
    expect(Math.max(...thinned.map(({ y }) => y))).toBe(50);
    expect(Math.min(...thinned.map(({ y }) => y))).toBe(-50);
    // As in every one of its stretches: brute force over the same cuts.
    for (let cut = 0; cut < 300; cut++) {
      const stretch = points.slice(Math.floor((cut * 200_000) / 300), Math.floor(((cut + 1) * 200_000) / 300));
      const greatest = stretch.reduce((leader, point) => (point.y > leader.y ? point : leader));
      expect(thinned).toContain(greatest);
    }
  });
  it("survives stretches without any finite value", () => {
    const points = curvePoints(history(Array.from({ length: 5_000 }, () => "NaN" as const)), "step");
    expect(thin(points).every(({ y }) => Number.isNaN(y))).toBe(true);
  });
});

describe("curveChart", () => {
  it("leaves out what a logarithmic axis has no place for", () => {
    const chart = curveChart([{ label: "a", history: history([0, 10, -1, 100]), style: 0 }], "step", true);
    expect(chart.curves[0]?.points.map(({ y }) => y)).toEqual([10, 100]);
  });
  it("is nothing to look at where every run logged one value", () => {
    const chart = (values: number[]) => curveChart([{ label: "a", history: history(values), style: 0 }], "step", false);
    expect([hasCurve(chart([1])), hasCurve(chart([1, 2]))]).toEqual([false, true]);
  });
  it("has twenty styles that differ", () => {
    const styles = Array.from({ length: 20 }, (_, index) => JSON.stringify(lineStyle(index)));
    expect(new Set(styles).size).toBe(20);
  });
  it("tells curves from metrics that were logged once", () => {
    const sorted = sortHistories([
      { name: "loss", history: history([1, 2]) },
      { name: "auc", history: history([1]) },
    ]);
    expect(sorted).toEqual({ curves: ["loss"], once: ["auc"] });
  });
});
