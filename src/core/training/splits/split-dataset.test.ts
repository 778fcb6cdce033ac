import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { categoricalColumn, datasetOf, START } from "../../../../test/fixtures/training-data.ts";
import golden from "../../../../test/golden/preparation.json" with { type: "json" };
import { atRandom, byTime, grouped, type SplitDefinition, stratified, type TimeSplit } from "../../definitions/index.ts";
import { DAY } from "../../time.ts";
import { proportionalCounts } from "./split-at-random.ts";
import { splitByTime, splitSince } from "./split-by-time.ts";
import { splitDataset } from "./split-dataset.ts";

const LATER = START + 1_000 * DAY;
const plane = (row: number) => (row % 50 === 0 ? null : `N${row % 40}`);
const dataset = datasetOf({
  features: [
    categoricalColumn(
      "a.plane",
      Array.from({ length: 1_000 }, (_, row) => plane(row)),
    ),
  ],
  label: Uint8Array.from({ length: 1_000 }, (_, row) => (row % 8 === 0 ? 1 : 0)),
});
const shares = { test: 0.2, validation: 0.15 };
const refusal = (code: string, message: RegExp) => expect.objectContaining({ code, message: expect.stringMatching(message) });
const kinds: readonly Exclude<SplitDefinition, TimeSplit>[] = [atRandom(shares), stratified(shares), grouped("plane", shares)];

describe("splitDataset", () => {
  it("splits by time as before", () => {
    const split = byTime({ test: "3d", validation: "4d" });
    expect(splitDataset(dataset, split, LATER, { seed: 1 })).toEqual(splitByTime(dataset, split, LATER));
    const since = START + 16 * DAY;
    expect(splitDataset(dataset, split, LATER, { seed: 1, since })).toEqual(splitSince(dataset, split, LATER, since));
  });

  it.each(kinds.map((split) => [split.kind, split] as const))("puts every row in one of four parts: %s", (_, split) => {
    const parts = splitDataset(dataset, split, LATER, { seed: 1 });
    const all = [...parts.train, ...parts.select, ...parts.calibrate, ...parts.test];
    expect(all.sort((a, b) => a - b)).toEqual(Array.from({ length: 1_000 }, (_, row) => row));
    for (const rows of [parts.train, parts.select, parts.calibrate, parts.test]) {
      expect([...rows]).toEqual([...rows].sort((a, b) => a - b));
    }
    expect(parts.purged).toBe(0);
    expect(splitDataset(dataset, split, LATER, { seed: 1 })).toEqual(parts);
    expect(splitDataset(dataset, split, LATER, { seed: 2 }).test).not.toEqual(parts.test);
    expect(splitDataset(dataset, { ...split, seed: 2 }, LATER, { seed: 1 }).test).not.toEqual(parts.test);
  });

  it("makes parts as large as scikit-learn's", () => {
    for (const { rows, test, validation, sizes } of golden.folds.splitSizes) {
      const few = datasetOf({ features: [], label: Uint8Array.from({ length: rows }, (_, row) => row % 2) });
      for (const split of [atRandom({ test, validation }), stratified({ test, validation })]) {
        const parts = splitDataset(few, split, LATER, { seed: 1 });
        expect([parts.train.length, parts.select.length + parts.calibrate.length, parts.test.length]).toEqual(sizes);
      }
    }
  });

  it("gives every part of a stratified split its share of positives, as scikit-learn's counts", () => {
    const parts = splitDataset(dataset, stratified(shares), LATER, { seed: 1 });
    const positives = (rows: Uint32Array) => rows.reduce((sum, row) => sum + dataset.label[row], 0);
    expect([positives(parts.test), positives(parts.select) + positives(parts.calibrate), positives(parts.train)]).toEqual(
      golden.folds.stratifiedPositives,
    );
    for (const rows of [parts.train, parts.select, parts.calibrate, parts.test]) {
      expect(Math.abs(positives(rows) - rows.length / 8)).toBeLessThanOrEqual(1);
    }
  });

  it("never puts a group in two parts", () => {
    const parts = splitDataset(dataset, grouped("a.plane", shares), LATER, { seed: 3 });
    const planes = [parts.train, parts.select, parts.calibrate, parts.test].map(
      (rows) => new Set(Array.from(rows, plane).filter((each) => each !== null)),
    );
    expect(planes.reduce((sum, each) => sum + each.size, 0)).toBe(new Set(planes.flatMap((each) => [...each])).size);
  });

  it("leaves out what was not known, and tests only on what came after a break", () => {
    for (const split of kinds) {
      const asOf = START + 15 * DAY;
      const known = splitDataset(dataset, split, asOf, { seed: 1, maturedUntil: asOf - DAY });
      expect(Math.max(...known.test, ...known.train)).toBeLessThanOrEqual(14 * 50);
      expect(known.purged).toBe(1_000 - 14 * 50 - 1);
      expect(known.labelCutoff).toBeLessThanOrEqual(asOf);
      const since = START + 16 * DAY;
      const broken = splitDataset(dataset, split, LATER, { seed: 1, since });
      for (const rows of [broken.select, broken.calibrate, broken.test]) {
        expect(Math.min(...Array.from(rows, (row) => dataset.at[row]))).toBeGreaterThan(since);
      }
      expect(broken.train.length).toBeGreaterThanOrEqual(801);
      expect(broken.test.length).toBeLessThanOrEqual(201);
    }
  });

  it.each([
    [
      "shares that leave nothing",
      atRandom({ test: 0.5, validation: 0.5 }),
      dataset,
      "TRAIN_PARAMETER_INVALID",
      /0.5 to test and 0.5 to validation/,
    ],
    ["a negative share", stratified({ test: -0.1, validation: 0.2 }), dataset, "TRAIN_PARAMETER_INVALID", /-0\.1 to test/],
    [
      "a group that is no column",
      grouped("pilot", shares),
      dataset,
      "TRAIN_PARAMETER_INVALID",
      /grouping of rows names pilot, which is no feature/,
    ],
    ["no rows", atRandom(shares), datasetOf({ features: [], label: new Uint8Array(0) }), "TRAIN_TOO_FEW_ROWS", /none of 0 rows/],
    [
      "one row",
      atRandom(shares),
      datasetOf({ features: [], label: Uint8Array.of(1) }),
      "TRAIN_EMPTY_SPLIT",
      /part has no rows of 1 rows/,
    ],
    [
      "few rows",
      stratified(shares),
      datasetOf({ features: [], label: Uint8Array.from([0, 1, 0, 1, 0, 1, 0, 1]) }),
      "TRAIN_TOO_FEW_ROWS",
      /fewer than 20/,
    ],
    [
      "one class",
      atRandom(shares),
      datasetOf({ features: [], label: new Uint8Array(100) }),
      "TRAIN_ONE_CLASS",
      /train part are negative/,
    ],
  ] as const)("refuses %s", (_, split, rows, code, message) => {
    expect(() => splitDataset(rows, split, LATER, { seed: 1 })).toThrow(refusal(code, message));
  });

  it("takes several classes and values", () => {
    const classes = {
      ...dataset,
      task: "multiclass",
      classes: ["a", "b", "c"],
      label: Int32Array.from({ length: 1_000 }, (_, row) => row % 3),
    } as const;
    const parts = splitDataset(classes, stratified(shares), LATER, { seed: 1 });
    expect([0, 1, 2].map((each) => parts.test.filter((row) => classes.label[row] === each).length).sort()).toEqual([66, 67, 67]);
    const one = { ...classes, label: new Int32Array(1_000).fill(2) };
    expect(() => splitDataset(one, atRandom(shares), LATER, { seed: 1 })).toThrow(refusal("TRAIN_ONE_CLASS", /are of class c/));
    const values = { ...dataset, task: "regression", label: new Float64Array(1_000) } as const;
    expect(splitDataset(values, atRandom(shares), LATER, { seed: 1 }).test).toHaveLength(200);
    expect(() => splitDataset(values, stratified(shares), LATER, { seed: 1 })).toThrow(
      refusal("TRAIN_TASK_UNSUPPORTED", /needs classes/),
    );
  });

  it("divides in proportion, exactly as many as asked for", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 1_000 }), { minLength: 1, maxLength: 6 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (counts, share) => {
          const total = counts.reduce((sum, count) => sum + count, 0);
          fc.pre(total > 0);
          const size = Math.floor(total * share);
          const divided = proportionalCounts(counts, size);
          expect(divided.reduce((sum, count) => sum + count, 0)).toBe(size);
          divided.forEach((count, index) => {
            expect(count).toBeLessThanOrEqual(counts[index] ?? 0);
            expect(Math.abs(count - ((counts[index] ?? 0) / total) * size)).toBeLessThan(1);
          });
        },
      ),
    );
  });
});
