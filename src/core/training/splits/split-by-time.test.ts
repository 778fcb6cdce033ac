import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { datasetOf, START } from "../../../../test/fixtures/training-data.ts";
import { byTime } from "../../definitions/index.ts";
import { DAY, HOUR } from "../../time.ts";
import type { Dataset } from "../dataset.ts";
import { splitByTime, splitSince } from "./split-by-time.ts";

const alternating = (rows: number): Dataset =>
  datasetOf({ features: [], label: Uint8Array.from({ length: rows }, (_, row) => row % 2), rowsPerDay: 10 });
const LATER = START + 1_000 * DAY;
const split = byTime({ test: "10d", validation: "8d" });

describe("splitByTime", () => {
  it("tests on the last days, validates on those before, trains on the rest", () => {
    const dataset = alternating(400);
    const { train, select, calibrate, test, purged } = splitByTime(dataset, split, LATER);
    const newest = dataset.at[399];
    expect([...test].every((row) => dataset.at[row] > newest - 10 * DAY)).toBe(true);
    expect(test).toHaveLength(100);
    expect(select.length + calibrate.length).toBeGreaterThan(70);
    expect(Math.max(...train)).toBeLessThan(Math.min(...select, ...calibrate));
    expect(train.length + select.length + calibrate.length + test.length + purged).toBe(400);
  });

  it("purges rows whose label was not known when the next part began", () => {
    const dataset = alternating(400);
    const slow = { ...dataset, labelAt: dataset.at.map((at, row) => at + (row % 5 === 0 ? 3 * DAY : HOUR)) };
    const { train, select, calibrate, test, purged, labelCutoff } = splitByTime(slow, split, LATER);
    const validationStart = slow.at[399] - 18 * DAY;
    const testStart = slow.at[399] - 10 * DAY;
    expect([...train].every((row) => slow.labelAt[row] < validationStart)).toBe(true);
    expect([...select, ...calibrate].every((row) => slow.labelAt[row] < testStart)).toBe(true);
    // Rows come every 2.4 hours. Of either part: of the last three days' 31 rows the six slow ones, and the very last row.
    expect(purged).toBe(14);
    expect(labelCutoff).toBe(Math.max(...[...train, ...select, ...calibrate].map((row) => slow.labelAt[row])));
    expect([...test].every((row) => slow.at[row] > testStart)).toBe(true);
  });

  it("never lets a part know a label from after the next part began, whatever the delays", () => {
    const delays = fc.array(fc.integer({ min: 0, max: 5 * 24 }), { minLength: 400, maxLength: 400 });
    fc.assert(
      fc.property(delays, (hours) => {
        const dataset = alternating(400);
        const slow = { ...dataset, labelAt: dataset.at.map((at, row) => at + hours[row] * HOUR) };
        const parts = splitByTime(slow, split, LATER);
        const begins = (rows: Uint32Array) => Math.min(...Array.from(rows, (row) => slow.at[row]));
        const known = (rows: Uint32Array) => Math.max(...Array.from(rows, (row) => slow.labelAt[row]));
        expect(known(parts.train)).toBeLessThan(Math.min(begins(parts.select), begins(parts.calibrate)));
        expect(Math.max(known(parts.select), known(parts.calibrate))).toBeLessThan(begins(parts.test));
        expect(parts.labelCutoff).toBeLessThan(begins(parts.test));
        const all = [...parts.train, ...parts.select, ...parts.calibrate, ...parts.test];
        expect(new Set(all).size).toBe(all.length);
        expect(all.length + parts.purged).toBe(400);
      }),
      { numRuns: 30 },
    );
  });

  it("selects and calibrates on different days", () => {
    const dataset = alternating(400);
    const { select, calibrate } = splitByTime(dataset, split, LATER);
    const days = (rows: Uint32Array) => new Set(Array.from(rows, (row) => dataset.day[row]));
    expect(days(select).intersection(days(calibrate)).size).toBe(0);
    expect(days(select).size).toBeGreaterThan(2);
    expect(days(calibrate).size).toBeGreaterThan(2);
  });

  it("looks at nothing that was not known as of then, and at no cohort that had not matured", () => {
    const dataset = alternating(400);
    const asOf = START + 30 * DAY;
    const { test } = splitByTime(dataset, split, asOf);
    expect([...test].every((row) => dataset.labelAt[row] <= asOf)).toBe(true);
    const matured = splitByTime(dataset, split, asOf, { maturedUntil: asOf - 2 * DAY });
    expect(Math.max(...[...matured.test].map((row) => dataset.at[row]))).toBeLessThanOrEqual(asOf - 2 * DAY);
    expect(matured.purged).toBeGreaterThan(120);
  });

  it("names the part that came out empty, with its dates", () => {
    expect(() => splitByTime(alternating(100), byTime({ test: "10d", validation: "90d" }), LATER)).toThrow(
      expect.objectContaining({
        code: "TRAIN_EMPTY_SPLIT",
        message: expect.stringMatching(/train part has no rows \(before 2012-/),
      }),
    );
    expect(() => splitByTime(alternating(400), byTime({ test: "10d", validation: "0d" }), LATER)).toThrow(
      expect.objectContaining({ code: "TRAIN_EMPTY_SPLIT", message: expect.stringContaining("select part") }),
    );
  });

  it("refuses one row, no rows, too few rows, and one class", () => {
    for (const rows of [0, 1]) {
      const message = expect.objectContaining({ code: expect.stringMatching(/TRAIN_(TOO_FEW_ROWS|EMPTY_SPLIT)/) });
      expect(() => splitByTime(alternating(rows), split, LATER)).toThrow(message);
    }
    expect(() => splitByTime(alternating(400), split, START - DAY)).toThrow(
      expect.objectContaining({ code: "TRAIN_TOO_FEW_ROWS" }),
    );
    expect(() => splitByTime(alternating(190), split, LATER)).toThrow(expect.objectContaining({ code: "TRAIN_TOO_FEW_ROWS" }));
    const negative = { ...alternating(400), label: new Uint8Array(400) };
    expect(() => splitByTime(negative, split, LATER)).toThrow(
      expect.objectContaining({ code: "TRAIN_ONE_CLASS", message: expect.stringContaining("train part are negative") }),
    );
  });
});

describe("splitSince", () => {
  it("selects and tests only on what came after, in halves", () => {
    const dataset = alternating(400);
    const since = START + 32 * DAY;
    const { train, select, calibrate, test } = splitSince(dataset, split, LATER, since);
    const times = (rows: Uint32Array) => Array.from(rows, (row) => dataset.at[row]);
    expect(Math.max(...times(train))).toBeLessThanOrEqual(since);
    expect(Math.min(...times(select), ...times(calibrate))).toBeGreaterThanOrEqual(since);
    expect(Math.abs(test.length - select.length - calibrate.length)).toBeLessThanOrEqual(5);
  });

  it("is the ordinary split once enough time has passed", () => {
    const dataset = alternating(400);
    expect(splitSince(dataset, split, LATER, START)).toEqual(splitByTime(dataset, split, LATER));
  });
});
