import { describe, expect, it } from "vitest";
import type { Alert, Monitoring } from "../../../../src/contract/index.ts";
import { heatLevel, heatMap, orderAlerts, performanceChart, totals } from "./prepare.ts";

const day = (index: number) => new Date(Date.UTC(2013, 10, 1 + index)).toISOString();
const windows = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ start: day(index), end: day(index + 1), rows: 100 }));

describe("heatLevel", () => {
  it.each([
    [0, 0],
    [0.5, 0],
    [1, 1],
    [1.0001, 2],
    [2, 2],
    [4, 3],
    [4.1, 4],
    [null, null],
  ])("puts a score of %s at level %s", (score, level) => expect(heatLevel(score)).toBe(level));
});

describe("heatMap", () => {
  const rows = [
    { feature: "calm", seasonal: false, scores: [0.2, 0.3] },
    { feature: "temp", seasonal: true, scores: [9, 9] },
    { feature: "wind", seasonal: false, scores: [null, 3] },
  ];
  it("puts what drifted most first and seasonal features apart", () => {
    const map = heatMap({ windows: windows(2), rows });
    expect(map.features.map(({ feature, over }) => [feature, over])).toEqual([
      ["wind", 1],
      ["calm", 0],
    ]);
    expect(map.seasonal.map(({ feature }) => feature)).toEqual(["temp"]);
  });
  it("says of every cell what it shows, also where rows were too few or a score is missing", () => {
    const map = heatMap({ windows: windows(3), rows: [{ feature: "wind", seasonal: false, scores: [null, 3] }] });
    expect(map.features[0]?.cells.map(({ level }) => level)).toEqual([null, 3, null]);
    expect(map.features[0]?.cells[1]?.title).toBe("wind, 2013-11-02: 3 of the limit (100 rows)");
    expect(map.features[0]?.cells[0]?.title).toContain("too few rows");
  });
  it("labels about eight windows, however many there are", () => {
    for (const count of [1, 8, 61, 400]) {
      const labelled = heatMap({ windows: windows(count), rows: [] }).labels.filter(({ text }) => text !== "");
      expect(labelled.length).toBeGreaterThan(0);
      expect(labelled.length).toBeLessThanOrEqual(8);
    }
    expect(heatMap({ windows: [], rows: [] })).toEqual({ labels: [], features: [], seasonal: [] });
  });
});

describe("performance", () => {
  const window = (index: number, over: Partial<Monitoring["performance"][number]>): Monitoring["performance"][number] => ({
    start: day(index),
    end: day(index + 1),
    predictions: 10,
    labelCoverage: 0.9,
    censored: 1,
    metrics: { roc_auc: { value: 0.7, low: 0.6, high: 0.8 }, f1: { value: 0.5, low: 0.4, high: 0.6 } },
    estimatedRocAuc: 0.71,
    latencyP50Ms: 1,
    latencyP99Ms: 5,
    ...over,
  });
  it("leaves out what is undefined and stands in the middle of its window", () => {
    const chart = performanceChart([window(0, {}), window(1, { metrics: {}, labelCoverage: null })], "roc_auc");
    expect(chart.realised).toEqual([{ at: new Date("2013-11-01T12:00:00Z"), value: 0.7, low: 0.6, high: 0.8 }]);
    expect(chart.estimated.length).toBe(2);
    expect(chart.coverage.length).toBe(1);
  });
  it("shows the estimate beside ROC AUC only, of which it is one", () => {
    expect(performanceChart([window(0, {})], "f1").estimated).toEqual([]);
  });
  it("sums up, and names no slowest window when none was measured", () => {
    expect(totals([window(0, {}), window(1, { latencyP99Ms: 9 })])).toEqual({ predictions: 20, censored: 2, slowestP99Ms: 9 });
    expect(totals([window(0, { latencyP99Ms: null })]).slowestP99Ms).toBeNull();
    expect(totals([])).toEqual({ predictions: 0, censored: 0, slowestP99Ms: null });
  });
});

describe("orderAlerts", () => {
  it("puts open ones first and then the newest", () => {
    const alert = (id: string, status: Alert["status"], openedAt: string): Alert => ({
      id,
      endpoint: "e",
      kind: "drift",
      severity: "warning",
      status,
      title: id,
      since: openedAt,
      openedAt,
      resolvedAt: null,
      causes: [],
      triggeredRun: null,
    });
    const alerts = [
      alert("done", "resolved", day(9)),
      alert("old", "open", day(1)),
      alert("taken", "acknowledged", day(8)),
      alert("new", "open", day(2)),
    ];
    expect(orderAlerts(alerts).map(({ id }) => id)).toEqual(["new", "old", "taken", "done"]);
  });
});
