import { describe, expect, it } from "vitest";
import { formatBytes, formatDuration, formatInstant, formatMetric, formatSeconds, formatValue, metricNames } from "./format.ts";

describe("formats", () => {
  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [1_000, "1.0 kB"],
    [214_300_000, "214 MB"],
    [71e9, "71.0 GB"],
    [2e18, "2000 PB"],
  ])("writes %d bytes as %s", (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  it.each([
    [0.0412, "41 ms"],
    [38, "38.0 s"],
    [125, "2 min 5 s"],
    [7_380, "2 h 3 min"],
  ])("writes %d seconds as %s", (seconds, text) => expect(formatSeconds(seconds)).toBe(text));

  it("tells what has not begun from what has not ended", () => {
    expect(formatDuration(null, null)).toBe("–");
    expect(formatDuration("2013-11-01T00:00:00Z", null)).toBe("…");
    expect(formatDuration("2013-11-01T00:00:00Z", "2013-11-01T00:00:09.5Z")).toBe("9.5 s");
  });

  it("writes instants in UTC whatever the machine's zone", () => {
    expect(formatInstant("2013-11-05T14:30:00.000Z")).toBe("2013-11-05 14:30 UTC");
  });

  it("gives scores three decimals and large figures two", () => {
    expect(formatMetric(0.7416)).toBe("0.742");
    expect(formatMetric(-12.345)).toBe("-12.35");
    expect([formatMetric(0), formatMetric(0.00001234), formatMetric(-3.2e9)]).toEqual(["0.000", "1.23e-5", "-3.20e+9"]);
  });

  it("names a missing value and shows the others as they are", () => {
    expect([null, undefined, 1_400.5, "EWR", true, { a: 1 }].map(formatValue)).toEqual([
      "missing",
      "missing",
      "1,401",
      "EWR",
      "true",
      '{"a":1}',
    ]);
  });
});

describe("metricNames", () => {
  const some = { value: 0, low: 0, high: 0 };
  it("puts the known ones in their customary order and others behind by name", () => {
    expect(
      metricNames([
        { ece: some, zeta: some },
        { roc_auc: some, alpha: some },
      ]),
    ).toEqual(["roc_auc", "ece", "alpha", "zeta"]);
    expect(metricNames([])).toEqual([]);
  });
});
