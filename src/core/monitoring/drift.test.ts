import { describe, expect, it } from "vitest";
import { DAY } from "../time.ts";
import { driftReport } from "./drift.ts";
import {
  allRows,
  DAYS,
  FIRST_DAY,
  gone,
  plan,
  ROWS_A_DAY,
  referenceOf,
  syntheticDays,
  toCelsius,
  toKilometres,
  windowOf,
} from "./monitoring.fixture.ts";
import { buildReference } from "./reference.ts";

const period = syntheticDays();
const reference = referenceOf(period);
const later = syntheticDays(40, 77);
const drift = (window: Parameters<typeof driftReport>[1], id: string) => {
  const found = driftReport(reference, window).features.find(({ feature }) => feature === id);
  if (found === undefined) throw new Error(`no ${id}`);
  return found;
};

describe("reference profile", () => {
  it("counts every known value in one of at most 20 edges' bins, none out of range", () => {
    for (const profile of reference.features) {
      if (profile.kind !== "numeric") continue;
      expect(profile.edges.length).toBeLessThanOrEqual(20);
      expect(profile.counts).toHaveLength(profile.edges.length + 1);
      expect(profile.counts.reduce((sum, count) => sum + count, 0)).toBe(profile.rows);
      expect([profile.counts[0], profile.counts[profile.counts.length - 1]]).toEqual([0, 0]);
      expect(profile.edges).toEqual([...profile.edges].sort((a, b) => a - b));
    }
  });

  it("knows period, days, base rate and missing shares", () => {
    expect(reference).toMatchObject({ rows: DAYS * ROWS_A_DAY, days: DAYS, from: FIRST_DAY * DAY });
    expect(reference.rowsPerDay.median).toBe(ROWS_A_DAY);
    const positives = Array.from(period.dataset.label).reduce((sum, label) => sum + label, 0);
    expect(reference.label.baseRate).toBeCloseTo(positives / reference.rows, 12);
    expect(reference.label.byDay).toHaveLength(DAYS);
    expect(reference.features.find(({ id }) => id === "weather.humid")?.missingShare).toBeCloseTo(0.02, 2);
  });

  it("is JSON that survives a round trip and gives the same report", () => {
    const copy = JSON.parse(JSON.stringify(reference));
    expect(copy).toEqual(reference);
    expect(driftReport(copy, windowOf(later, 0))).toEqual(driftReport(reference, windowOf(later, 0)));
  });

  it("takes constant and all-missing columns, and a single day", () => {
    const day = syntheticDays(1);
    const [, ...others] = day.dataset.features;
    const constant = { kind: "numeric" as const, id: "weather.temp", values: new Float64Array(day.dataset.rows).fill(7) };
    const flat = buildReference(
      { ...day.dataset, features: [constant, ...others] },
      allRows(day.dataset),
      day.probabilities,
      plan,
    );
    expect(flat.features[0]).toMatchObject({ kind: "numeric", edges: [7, 7], std: 0 });
    const empty = { ...constant, values: constant.values.map(() => Number.NaN) };
    const none = buildReference({ ...day.dataset, features: [empty, ...others] }, allRows(day.dataset), day.probabilities, plan);
    expect(none.features[0]).toMatchObject({ kind: "empty", missingShare: 1 });
    const report = driftReport(none, windowOf(later, 0));
    expect(report.features[0]).toMatchObject({ signal: "missing", drifted: true, distance: null });
    expect(JSON.stringify(driftReport(flat, windowOf(later, 0)))).not.toContain("NaN");
  });

  it("refuses no rows, predictions of another length, and a missing column", () => {
    const { dataset, probabilities } = period;
    const code = (name: string) => expect.objectContaining({ code: name });
    expect(() => buildReference(dataset, new Uint32Array(0), new Float64Array(0), plan)).toThrow(code("MONITOR_NO_ROWS"));
    expect(() => buildReference(dataset, allRows(dataset), probabilities.slice(1), plan)).toThrow(
      code("MONITOR_COLUMNS_MISMATCH"),
    );
    const fewer = { ...dataset, features: dataset.features.slice(1) };
    expect(() => buildReference(fewer, allRows(dataset), probabilities, plan)).toThrow(/weather\.temp/);
  });
});

describe("drift of a window", () => {
  it("calls at most 2% of (day, column) pairs drifted when nothing changed", () => {
    const flagged = Array.from({ length: 40 }, (_, day) => driftReport(reference, windowOf(later, day))).flatMap((report) =>
      [...report.features, report.prediction].map(({ drifted }) => Number(drifted)),
    );
    expect(flagged.reduce((sum, one) => sum + one, 0) / flagged.length).toBeLessThanOrEqual(0.02);
  });

  it("does not alarm more in windows with fewer rows", () => {
    const small = syntheticDays(40, 78, 110);
    const flagged = Array.from({ length: 40 }, (_, day) => driftReport(reference, windowOf(small, day))).flatMap((report) =>
      report.features.map(({ drifted }) => Number(drifted)),
    );
    expect(flagged.reduce((sum, one) => sum + one, 0) / flagged.length).toBeLessThanOrEqual(0.02);
  });

  it("finds a shift of a continuous column and of the prediction", () => {
    const shifted = windowOf(later, 3, { "flights.delay": (values) => values.map((delay) => delay + 90) });
    expect(drift(shifted, "flights.delay")).toMatchObject({ drifted: true });
    const sure = { ...shifted, predictions: shifted.predictions.map(() => 0.97) };
    expect(driftReport(reference, sure).prediction.drifted).toBe(true);
  });

  it("finds a missing feed by its share, though there is no value to compare", () => {
    const found = drift(windowOf(later, 3, { "weather.humid": gone }), "weather.humid");
    expect(found).toMatchObject({ signal: "missing", drifted: true, distance: null, missingShare: 1 });
    expect(found.missingChange).toBeCloseTo(0.98, 2);
  });

  it("finds a category that the reference never had", () => {
    const window = windowOf(later, 3);
    const features = window.features.map((column) =>
      column.kind === "categorical" ? { ...column, categories: [...column.categories.slice(0, 3), "new"] } : column,
    );
    const found = drift({ ...window, features }, "carrier");
    expect(found.drifted).toBe(true);
    expect(found.outsideShare).toBeGreaterThan(0.1);
  });

  it("gives no verdict on few rows", () => {
    const few = syntheticDays(1, 5, 40);
    const report = driftReport(reference, windowOf(few, 0, { "weather.humid": gone }));
    expect([...report.features, report.prediction].every(({ score, drifted }) => score === null && !drifted)).toBe(true);
    expect(driftReport(reference, windowOf(few, 0), { minRows: 10 }).prediction.score).not.toBeNull();
  });

  it("takes a window without rows", () => {
    const window = windowOf(later, 3);
    const features = window.features.map((column) =>
      column.kind === "numeric" ? { ...column, values: new Float64Array(0) } : { ...column, codes: new Int32Array(0) },
    );
    const report = driftReport(reference, { ...window, features, predictions: new Float64Array(0) });
    expect(report.rows).toBe(0);
    expect(JSON.stringify(report)).not.toContain("NaN");
  });

  it("says which features the log lacks", () => {
    const window = windowOf(later, 3);
    expect(driftReport(reference, { ...window, features: window.features.slice(2) }).absent).toEqual([
      "weather.temp",
      "weather.wind",
    ]);
  });

  it("refuses a window that ends before it starts, ragged columns, another kind, and a newer reference", () => {
    const window = windowOf(later, 3);
    const code = (name: string) => expect.objectContaining({ code: name });
    expect(() => driftReport(reference, { ...window, end: window.start })).toThrow(code("MONITOR_WINDOW_INVALID"));
    expect(() => driftReport(reference, { ...window, predictions: window.predictions.slice(1) })).toThrow(
      code("MONITOR_COLUMNS_MISMATCH"),
    );
    const text = { kind: "categorical" as const, id: "weather.temp", codes: new Int32Array(ROWS_A_DAY), categories: ["x"] };
    expect(() => driftReport(reference, { ...window, features: [text] })).toThrow(/weather\.temp is categorical/);
    const newer = JSON.parse(JSON.stringify({ ...reference, formatVersion: 2 }));
    expect(() => driftReport(newer, window)).toThrow(code("MONITOR_REFERENCE_NEWER"));
  });
});

describe("change of units", () => {
  it.each([
    ["weather.temp", toCelsius, "°F to °C", 1 / 1.8, -32 / 1.8],
    ["weather.wind", toKilometres, "miles to kilometres", 1.609344, 0],
    ["weather.wind", (values: Float64Array) => values.map((mph) => mph * 0.44704), "mph to m/s", 0.44704, 0],
  ])("of %s is found and named in every single day (%#)", (id, change, name, factor, offset) => {
    for (let day = 0; day < 20; day++) {
      const { changes } = driftReport(reference, windowOf(later, day, { [id]: change }));
      expect(changes).toEqual([expect.objectContaining({ feature: id, name })]);
      expect(changes[0].factor).toBeCloseTo(factor, 9);
      expect(changes[0].offset).toBeCloseTo(offset, 9);
    }
  });

  it("of a number without a lattice is found where the window's quantiles are the reference's", () => {
    const wide = syntheticDays(30, 21);
    const all = {
      start: FIRST_DAY * DAY,
      end: (FIRST_DAY + 30) * DAY,
      features: wide.dataset.features,
      predictions: wide.probabilities,
    };
    const scaled = all.features.map((column) =>
      column.kind === "numeric" && column.id === "weather.humid"
        ? { ...column, values: column.values.map((share) => share / 100) }
        : column,
    );
    expect(driftReport(reference, { ...all, features: scaled }).changes).toEqual([
      expect.objectContaining({ feature: "weather.humid", name: "per cent to shares" }),
    ]);
    const odd = all.features.map((column) =>
      column.kind === "numeric" && column.id === "weather.humid"
        ? { ...column, values: column.values.map((v) => 7 * v - 900) }
        : column,
    );
    const [change] = driftReport(reference, { ...all, features: odd }).changes;
    expect(change).toMatchObject({ feature: "weather.humid", name: null });
    expect(change.factor).toBeCloseTo(7, 0);
  });

  it("is found on the day of the change, when only the later half of the rows is converted", () => {
    const fromNoon = (values: Float64Array) => values.map((mph, row) => (row < values.length / 2 ? mph : mph * 1.609344));
    for (let day = 0; day < 20; day++) {
      const { changes } = driftReport(reference, windowOf(later, day, { "weather.wind": fromNoon }));
      expect(changes).toEqual([expect.objectContaining({ feature: "weather.wind", name: "miles to kilometres" })]);
    }
  });

  it("is not claimed for values that a large factor would only collapse onto one", () => {
    const off = (values: Float64Array) => values.map((mph, row) => mph + 0.3 + 0.001 * row);
    for (let day = 0; day < 20; day++) {
      const { changes } = driftReport(reference, windowOf(later, day, { "weather.wind": off }));
      expect(changes.filter(({ name }) => name !== null)).toEqual([]);
    }
  });

  it("is not claimed where a column only moved", () => {
    for (let day = 0; day < 20; day++) {
      const window = windowOf(later, day, {
        "flights.delay": (values) => values.map((delay) => delay + 150),
        "weather.humid": (values) => values.map((_, i) => i % 7),
      });
      expect(driftReport(reference, window).changes.filter(({ name }) => name !== null)).toEqual([]);
    }
  });
});
