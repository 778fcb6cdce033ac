import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { categoricalColumn, datasetOf, numericColumn } from "../../../../test/fixtures/training-data.ts";
import golden from "../../../../test/golden/preparation.json" with { type: "json" };
import { groupKFold, kFold, nested, repeated, stratifiedKFold, timeFolds } from "../../definitions/index.ts";
import { DAY, HOUR } from "../../time.ts";
import { makeFolds, makeNestedFolds } from "./make-folds.ts";
import { timeSeriesFolds } from "./time-folds.ts";

const plane = (row: number) => (row % 7 === 0 ? null : `N${row % 11}`);
const dataset = datasetOf({
  features: [
    categoricalColumn(
      "a.plane",
      Array.from({ length: 200 }, (_, row) => plane(row)),
    ),
    numericColumn(
      "a.seats",
      Array.from({ length: 200 }, (_, row) => row % 13),
    ),
  ],
  label: Uint8Array.from({ length: 200 }, (_, row) => (row % 4 === 0 ? 1 : 0)),
  rowsPerDay: 10,
});
const rows = Uint32Array.from({ length: 150 }, (_, position) => 20 + position);
const refusal = (code: string, message: RegExp) => expect.objectContaining({ code, message: expect.stringMatching(message) });

describe("folds of a dataset's rows", () => {
  it.each([
    ["k folds", kFold(4)],
    ["stratified folds", stratifiedKFold(4)],
    ["group folds", groupKFold("plane", 4)],
    ["shuffled group folds", groupKFold("a.seats", 4, { shuffle: true })],
    ["k folds in order", kFold(4, { shuffle: false })],
  ])("are rows of the dataset, each tested once, for %s", (_, definition) => {
    const folds = makeFolds(definition, dataset, rows, 1);
    expect(folds.flatMap(({ test }) => [...test]).sort((a, b) => a - b)).toEqual([...rows]);
    for (const { train, test } of folds) {
      expect([...train, ...test].sort((a, b) => a - b)).toEqual([...rows]);
      expect([...train]).toEqual([...train].sort((a, b) => a - b));
    }
    expect(makeFolds(definition, dataset, rows, 1)).toEqual(folds);
  });

  it("come again in other orders when repeated", () => {
    const folds = makeFolds(repeated(stratifiedKFold(3), 4), dataset, rows, 7);
    expect(folds).toHaveLength(12);
    const firsts = [0, 3, 6, 9].map((index) => folds[index]?.test.join());
    expect(new Set(firsts).size).toBe(4);
    expect(makeFolds(repeated(stratifiedKFold(3), 4), dataset, rows, 7)).toEqual(folds);
    expect(() => makeFolds(repeated(kFold(3), 0), dataset, rows, 7)).toThrow(
      refusal("TRAIN_PARAMETER_INVALID", /1 time or more/),
    );
  });

  it("nest: inner folds never see a row that the outer fold tests", () => {
    const folds = makeNestedFolds(nested(groupKFold("plane", 3), timeFolds(3)), dataset, rows, 1);
    expect(folds).toHaveLength(3);
    for (const { train, test, inner } of folds) {
      expect(inner).toHaveLength(3);
      const outerTest = new Set(test);
      for (const fold of inner) {
        expect([...fold.train, ...fold.test].some((row) => outerTest.has(row))).toBe(false);
        expect([...fold.train, ...fold.test].every((row) => train.includes(row))).toBe(true);
      }
    }
  });

  it("refuse to group by a column that is not there", () => {
    expect(() => makeFolds(groupKFold("pilot"), dataset, rows, 1)).toThrow(
      refusal("TRAIN_PARAMETER_INVALID", /grouping of rows names pilot, which is no feature/),
    );
  });
});

describe("folds by class", () => {
  it("are refused for values", () => {
    expect(() => makeFolds(stratifiedKFold(), { ...dataset, task: "regression" }, rows, 1)).toThrow(
      refusal("TRAIN_TASK_UNSUPPORTED", /needs classes/),
    );
  });
});

describe("time folds", () => {
  const noDelay = (at: Float64Array) => at.map((time) => time);

  it("test the rows that scikit-learn tests, and train on those before, where times differ and labels come at once", () => {
    for (const { rows, folds, test, train } of golden.folds.timeSeries) {
      const at = Float64Array.from({ length: rows }, (_, row) => row * HOUR);
      const made = timeSeriesFolds(at, noDelay(at), { folds, test: null, gap: 0 });
      expect(made.map((fold) => [...fold.test])).toEqual(test);
      expect(made.map((fold) => fold.train.length)).toEqual(train);
    }
  });

  it("never train on what was not known when the test began, whatever the order, the delays and the gap", () => {
    const row = fc.record({ at: fc.integer({ min: 0, max: 500 }), delay: fc.integer({ min: 0, max: 30 }) });
    fc.assert(
      fc.property(fc.array(row, { minLength: 60, maxLength: 120 }), fc.integer({ min: 0, max: 20 }), (drawn, gap) => {
        const at = Float64Array.from(drawn, (each) => each.at * HOUR);
        const labelAt = Float64Array.from(drawn, (each) => (each.at + each.delay) * HOUR);
        let folds: ReturnType<typeof timeSeriesFolds>;
        try {
          folds = timeSeriesFolds(at, labelAt, { folds: 3, test: null, gap: gap * HOUR });
        } catch (error) {
          expect(error).toMatchObject({ code: "TRAIN_TOO_FEW_ROWS" });
          return;
        }
        let trained = 0;
        for (const { train, test } of folds) {
          const start = Math.min(...Array.from(test, (each) => at[each]));
          expect(Math.max(...Array.from(train, (each) => at[each]))).toBeLessThan(start - gap * HOUR);
          expect(Math.max(...Array.from(train, (each) => labelAt[each]))).toBeLessThan(start);
          expect(train.length).toBeGreaterThanOrEqual(trained);
          trained = train.length;
        }
      }),
    );
  });

  it("test on periods of a given length, the last one up to the newest row", () => {
    const at = Float64Array.from({ length: 100 }, (_, row) => row * HOUR * 6);
    const folds = timeSeriesFolds(at, noDelay(at), { folds: 3, test: 5 * DAY, gap: 0 });
    expect(folds.map(({ test }) => [test[0], test.at(-1)])).toEqual([
      [40, 59],
      [60, 79],
      [80, 99],
    ]);
  });

  it("refuse what leaves nothing to train on, and name the fold", () => {
    const at = Float64Array.from({ length: 10 }, (_, row) => row * HOUR);
    const make = (options: { folds: number; test: number | null; gap: number }) => () =>
      timeSeriesFolds(at, noDelay(at), options);
    expect(make({ folds: 3, test: 5 * HOUR, gap: 0 })).toThrow(refusal("TRAIN_TOO_FEW_ROWS", /fold 1 of 3 has no rows/));
    expect(make({ folds: 10, test: null, gap: 0 })).toThrow(refusal("TRAIN_TOO_FEW_ROWS", /fold 1 of 10/));
    expect(make({ folds: 2, test: null, gap: DAY })).toThrow(refusal("TRAIN_TOO_FEW_ROWS", /nothing|no rows to train on/));
    expect(make({ folds: 2, test: null, gap: -1 })).toThrow(refusal("TRAIN_PARAMETER_INVALID", /gap of 0 or more/));
    const none = new Float64Array(0);
    expect(() => timeSeriesFolds(none, none, { folds: 2, test: null, gap: 0 })).toThrow(refusal("TRAIN_TOO_FEW_ROWS", /0 rows/));
  });
});
