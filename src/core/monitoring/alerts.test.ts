import { describe, expect, it } from "vitest";
import { metric } from "../definitions/index.ts";
import { DAY, HOUR } from "../time.ts";
import { seededRandom } from "../training/index.ts";
import { judge } from "./alerts.ts";
import { driftReport, type Window } from "./drift.ts";
import { DAYS, FIRST_DAY, gone, referenceOf, syntheticDays, toCelsius, toKilometres, windowOf } from "./monitoring.fixture.ts";
import type { PerformanceReport } from "./performance.ts";
import { rankCauses } from "./rank-causes.ts";
import { repairCost } from "./repair-cost.ts";
import type { WindowReport } from "./window-report.ts";

const period = syntheticDays();
const reference = referenceOf(period);
const later = syntheticDays(40, 77);

const reportOf = (window: Window): WindowReport => ({
  formatVersion: 1,
  start: window.start,
  end: window.end,
  drift: driftReport(reference, window),
  performance: null,
  estimated: null,
  freshness: [],
});
const calm = (day: number) => reportOf(windowOf(later, day));
const shiftedDelay = { "flights.delay": (values: Float64Array) => values.map((delay) => delay + 60) };
const metricFeed = { "weather.temp": toCelsius, "weather.wind": toKilometres };

describe("alerts", () => {
  it("stay silent on resampled reference days: at most 1% of windows over 100 seeds", () => {
    let windows = 0;
    let alarmed = 0;
    const reports = Array.from({ length: DAYS }, (_, day) => reportOf(windowOf(period, day)));
    for (let seed = 1; seed <= 100; seed++) {
      const random = seededRandom(seed);
      const history = Array.from({ length: 14 }, () => reports[random.below(DAYS)]);
      for (let end = 1; end <= history.length; end++) {
        windows++;
        if (judge(history.slice(0, end), []).length > 0) alarmed++;
      }
    }
    expect(windows).toBe(1_400);
    expect(alarmed / windows).toBeLessThanOrEqual(0.01);
  });

  it("stay silent on later days that nothing happened to: at most 1 of 40 windows", () => {
    const history = Array.from({ length: 40 }, (_, day) => calm(day));
    const alarmed = history.filter((_, day) => judge(history.slice(0, day + 1), []).length > 0);
    expect(alarmed.length).toBeLessThanOrEqual(1);
  });

  it("find and name a feed that changed its units, on its first day, as one cause that began then", () => {
    const history = [calm(0), calm(1), reportOf(windowOf(later, 2, metricFeed))];
    const [alert, ...others] = judge(history, []);
    expect(others).toEqual([]);
    expect(alert).toMatchObject({ kind: "drift", severity: "critical", since: (FIRST_DAY + 2) * DAY });
    expect(alert.causes[0]).toMatchObject({ subject: "source weather", kind: "unit-change", windows: 1, seasonal: false });
    expect(alert.causes[0].evidence).toContain("weather.temp looks converted from °F to °C");
    expect(alert.causes[0].evidence).toContain("weather.wind looks converted from miles to kilometres");
  });

  it("keep the onset and the key of a condition while it lasts, and end with it", () => {
    const changed = [2, 3, 4].map((day) => reportOf(windowOf(later, day, metricFeed)));
    const keys = [1, 2, 3].map((days) =>
      judge([calm(0), calm(1), ...changed.slice(0, days)], []).map(({ dedupeKey }) => dedupeKey),
    );
    expect(new Set(keys.flat()).size).toBe(1);
    expect(judge([calm(0), calm(1), ...changed], [])[0].since).toBe((FIRST_DAY + 2) * DAY);
    expect(judge([calm(0), ...changed, calm(5)], [])).toEqual([]);
  });

  it("report a missing feed as a matter of quality that training again would not help", () => {
    const history = [
      calm(0),
      reportOf(windowOf(later, 1, { "weather.humid": gone, "weather.wind": gone, "weather.temp": gone })),
    ];
    const [alert] = judge(history, []);
    expect(alert.kind).toBe("quality");
    expect(alert.causes[0]).toMatchObject({ subject: "source weather", kind: "missing", since: (FIRST_DAY + 1) * DAY });
    expect(alert.causes[0].evidence).toContain("is missing in 100% of 300 rows");
  });

  it("never fire for seasonal drift alone, but show it among the causes", () => {
    const summer = { "weather.temp": (values: Float64Array) => values.map((f) => f + 70) };
    const history = [0, 1, 2, 3].map((day) => reportOf(windowOf(later, day, summer)));
    expect(judge(history, [])).toEqual([]);
    const [cause] = rankCauses(history);
    expect(cause).toMatchObject({ subject: "feature weather.temp", seasonal: true, windows: 4 });
  });

  it("wait for a second window when drift is moderate", () => {
    const moderate = Array.from({ length: 40 }, (_, day) =>
      reportOf(windowOf(later, day, { "flights.delay": (v) => v.map((d) => d + 20) })),
    );
    const scores = moderate.map(({ drift }) => drift?.features.find(({ feature }) => feature === "flights.delay")?.score ?? 0);
    const first = scores.findIndex((score, day) => score > 1 && score < 3 && scores[day + 1] > 1 && scores[day + 1] < 3);
    expect(first).toBeGreaterThanOrEqual(0);
    expect(judge([moderate[first]], [])).toEqual([]);
    const [alert] = judge(moderate.slice(first, first + 2), []);
    expect(alert).toMatchObject({ kind: "drift", severity: "warning", since: moderate[first].start });
  });

  it("do not take different features on successive days for one lasting drift", () => {
    const one = driftReport(reference, windowOf(later, 0));
    const drifting = (id: string): WindowReport => ({
      ...calm(0),
      drift: {
        ...one,
        features: one.features.map((column) =>
          column.feature === id ? { ...column, score: 1.5, signal: "shift", drifted: true } : column,
        ),
      },
    });
    expect(judge([drifting("weather.wind"), drifting("weather.humid")], [])).toEqual([]);
    expect(judge([drifting("weather.humid"), drifting("weather.humid")], [])).toHaveLength(1);
  });

  it("pass over windows with too few rows to judge", () => {
    const few = reportOf(windowOf(syntheticDays(1, 5, 20), 0));
    const changed = reportOf(windowOf(later, 2, metricFeed));
    expect(judge([few], [])).toEqual([]);
    expect(judge([changed, { ...few, start: changed.end, end: changed.end + DAY }], [])).toHaveLength(1);
  });

  it("take an empty history", () => {
    expect(judge([], [metric("roc_auc").atLeast(0.7)])).toEqual([]);
  });
});

describe("ranked causes", () => {
  const both = { ...metricFeed, ...shiftedDelay };
  const history = [calm(0), reportOf(windowOf(later, 1, both))];

  it("cost what the features weigh", () => {
    const first = (importance: Record<string, number>) => rankCauses(history, { importance })[0].subject;
    expect(first({ "weather.temp": 0.1, "weather.wind": 0.1, "flights.delay": 0.001 })).toBe("source weather");
    expect(first({ "weather.temp": 0, "weather.wind": 0, "flights.delay": 0.5 })).toBe("feature flights.delay");
  });

  it("cost what repairing them changes in the predictions, when a predictor is at hand", () => {
    const window = windowOf(later, 1, both);
    const score = (delay: number, wind: number) => 1 / (1 + Math.exp(1.4 - 0.03 * delay - 0.05 * (wind - 10)));
    const predict = (columns: Window["features"], rows: number) => {
      const values = (id: string) => {
        const column = columns.find((c) => c.id === id);
        return column?.kind === "numeric" ? column.values : new Float64Array(rows);
      };
      const [delay, wind] = [values("flights.delay"), values("weather.wind")];
      return Float64Array.from({ length: rows }, (_, row) => score(delay[row], wind[row]));
    };
    const predictions = predict(window.features, window.predictions.length);
    const cost = repairCost(reference, { ...window, predictions }, driftReport(reference, window).changes, predict);
    const causes = rankCauses([calm(0), reportOf({ ...window, predictions })], { cost });
    expect(causes[0]).toMatchObject({ subject: "feature flights.delay" });
    // Undoing miles to kilometres changes predictions exactly as the conversion did.
    const original = windowOf(later, 1, shiftedDelay);
    const undone = predict(original.features, predictions.length);
    const change = undone.reduce((sum, p, row) => sum + Math.abs(p - predictions[row]), 0) / predictions.length;
    expect(causes.find(({ subject }) => subject === "source weather")?.cost).toBeCloseTo(change, 9);
  });

  it("put the prediction's own drift last: it is what causes bring about", () => {
    const window = windowOf(later, 1, shiftedDelay);
    const causes = rankCauses([reportOf({ ...window, predictions: window.predictions.map(() => 0.99) })]);
    expect(causes[causes.length - 1].subject).toBe("prediction");
    const alone = windowOf(later, 1);
    const moved = reportOf({ ...alone, predictions: alone.predictions.map(() => 0.99) });
    expect(judge([moved, moved], [])).toEqual([]);
    expect(rankCauses([moved]).map(({ subject }) => subject)).toEqual(["prediction"]);
  });

  it("report requests that stay away without an alarm", () => {
    const report = calm(1);
    if (report.drift === null) throw new Error("no drift");
    const quiet: WindowReport = { ...report, drift: { ...report.drift, volume: { ...report.drift.volume, perDay: 100 } } };
    expect(rankCauses([calm(0), quiet])).toEqual([
      expect.objectContaining({ subject: "requests", kind: "volume", windows: 1, since: quiet.start }),
    ]);
    expect(judge([quiet, quiet], [])).toEqual([]);
  });

  it("report a source that stopped, since the window in which it became too old", () => {
    const newest = FIRST_DAY * DAY + 12 * HOUR;
    const stale = (day: number): WindowReport => ({
      ...calm(day),
      freshness: [{ source: "weather", newest, allowed: 18 * HOUR }],
    });
    const causes = rankCauses([stale(0), stale(1), stale(2)]);
    expect(causes[0]).toMatchObject({ subject: "source weather", kind: "freshness", since: (FIRST_DAY + 1) * DAY, windows: 2 });
    expect(judge([stale(0), stale(1), stale(2)], [])[0]).toMatchObject({ kind: "quality" });
    expect(rankCauses([stale(0)])).toEqual([]);
  });
});

describe("performance alerts", () => {
  const matured = (day: number, high: number, days = 7): WindowReport => {
    const performance: PerformanceReport = {
      start: day * DAY,
      end: (day + 7) * DAY,
      predictions: 100,
      due: 100,
      labelled: 98,
      coverage: 0.98,
      censored: 2,
      evaluation: {
        rows: 98,
        positives: 20,
        days,
        threshold: 0.33,
        metrics: { roc_auc: { value: high - 0.05, low: high - 0.1, high }, ece: { value: 0.1, low: 0.08, high: 0.12 } },
      },
    };
    return {
      formatVersion: 1,
      start: performance.start,
      end: performance.end,
      drift: null,
      performance,
      estimated: null,
      freshness: [],
    };
  };
  const criteria = [metric("roc_auc").atLeast(0.7), metric("roc_auc").betterThanBaseline(0.05)];

  it("want the whole interval below the criterion", () => {
    expect(judge([matured(0, 0.71)], criteria)).toEqual([]);
    const [alert] = judge([matured(0, 0.75), matured(1, 0.69), matured(2, 0.68)], criteria);
    expect(alert).toMatchObject({ kind: "performance", severity: "critical", since: DAY });
    expect(alert.title).toBe("roc_auc is 0.630 (0.580 to 0.680), below the charter's 0.7");
  });

  it("want the whole interval above a limit", () => {
    expect(judge([matured(0, 0.9)], [metric("ece").atMost(0.05)])).toHaveLength(1);
    expect(judge([matured(0, 0.9)], [metric("ece").atMost(0.09)])).toEqual([]);
  });

  it("pass over cohorts of too few days and undefined metrics", () => {
    expect(judge([matured(0, 0.5, 1)], criteria)).toEqual([]);
    expect(judge([matured(0, 0.5)], [metric("f1").atLeast(0.9)])).toEqual([]);
  });
});
