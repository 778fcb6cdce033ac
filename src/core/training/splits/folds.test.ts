import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { goldenData } from "../../../../test/fixtures/golden-data.ts";
import golden from "../../../../test/golden/preparation.json" with { type: "json" };
import { assignGroupKFold, assignKFold, assignStratifiedKFold, type Fold, foldsOf } from "./folds.ts";

const refusal = (code: string, message: RegExp) => expect.objectContaining({ code, message: expect.stringMatching(message) });
const folds = fc.integer({ min: 2, max: 8 });
const seeds = fc.option(fc.integer(), { nil: null });

/** Every row is tested once and trained on in all other folds. */
function expectPartition(all: readonly Fold[], rows: number): void {
  const tested = all.flatMap(({ test }) => [...test]).sort((a, b) => a - b);
  expect(tested).toEqual(Array.from({ length: rows }, (_, row) => row));
  for (const { train, test } of all) {
    expect(train.length + test.length).toBe(rows);
    expect(new Set([...train, ...test]).size).toBe(rows);
  }
}

const sizes = (all: readonly Fold[]) => all.map(({ test }) => test.length);

describe("k folds", () => {
  it("are scikit-learn's where nothing is shuffled", () => {
    for (const { rows, folds, assignment } of golden.folds.kFold) {
      expect([...assignKFold(rows, { folds, seed: null })]).toEqual(assignment);
    }
  });

  it("test every row once, in folds of nearly equal size, shuffled or not", () => {
    fc.assert(
      fc.property(folds, fc.integer({ min: 8, max: 100 }), seeds, (folds, rows, seed) => {
        const all = foldsOf(assignKFold(rows, { folds, seed }), folds);
        expectPartition(all, rows);
        expect(Math.max(...sizes(all)) - Math.min(...sizes(all))).toBeLessThanOrEqual(1);
      }),
    );
  });

  it("are the same for the same seed only", () => {
    const of = (seed: number) => [...assignKFold(100, { folds: 5, seed })];
    expect(of(1)).toEqual(of(1));
    expect(of(1)).not.toEqual(of(2));
  });

  it("refuse one fold, and more folds than rows", () => {
    expect(() => assignKFold(10, { folds: 1, seed: 1 })).toThrow(refusal("TRAIN_PARAMETER_INVALID", /2 folds or more, not 1/));
    expect(() => assignKFold(10, { folds: 2.5, seed: 1 })).toThrow(refusal("TRAIN_PARAMETER_INVALID", /not 2\.5/));
    expect(() => assignKFold(3, { folds: 4, seed: 1 })).toThrow(refusal("TRAIN_TOO_FEW_ROWS", /3 rows cannot make 4 folds/));
  });
});

describe("stratified folds", () => {
  it("are scikit-learn's where nothing is shuffled", () => {
    for (const { data, folds, assignment } of golden.folds.stratified) {
      const { target } = goldenData(data as "iris" | "breast_cancer");
      expect([...assignStratifiedKFold(target, { folds, seed: null })]).toEqual(assignment);
    }
  });

  it("have scikit-learn's sizes by class when shuffled", () => {
    for (const { data, folds, sizes } of golden.folds.stratifiedSizes) {
      const { target } = goldenData(data as "iris" | "breast_cancer");
      const assignment = assignStratifiedKFold(target, { folds, seed: 3 });
      const counted = Array.from({ length: folds }, (_, fold) =>
        [...new Set(target)]
          .sort()
          .map((each) => target.filter((label, row) => label === each && assignment[row] === fold).length),
      );
      expect(counted).toEqual(sizes);
    }
  });

  it("give every fold its share of each class to within one row, whatever the classes are called", () => {
    const labels = fc.array(fc.constantFrom(0, 2, 5), { minLength: 24, maxLength: 90 });
    fc.assert(
      fc.property(labels, folds, seeds, (drawn, folds, seed) => {
        const labels: readonly number[] = drawn;
        fc.pre([0, 2, 5].some((each) => labels.filter((label) => label === each).length >= folds));
        const assignment = assignStratifiedKFold(labels, { folds, seed });
        expectPartition(foldsOf(assignment, folds), labels.length);
        for (const each of new Set(labels)) {
          const counts = Array.from({ length: folds }, (_, fold) =>
            labels.reduce((count, label, row) => count + (label === each && assignment[row] === fold ? 1 : 0), 0),
          );
          expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  it("refuse more folds than any class has rows", () => {
    expect(() => assignStratifiedKFold([0, 0, 1, 1], { folds: 3, seed: null })).toThrow(
      refusal("TRAIN_TOO_FEW_ROWS", /the largest has 2/),
    );
  });
});

describe("group folds", () => {
  it("are scikit-learn's where nothing is shuffled", () => {
    for (const { groups, folds, assignment } of golden.folds.grouped) {
      expect([...assignGroupKFold(groups, { folds, seed: null })]).toEqual(assignment);
    }
  });

  it("never put a group on both sides; a row of no group goes its own way", () => {
    const groups = fc.array(fc.integer({ min: -1, max: 12 }), { minLength: 40, maxLength: 80 });
    fc.assert(
      fc.property(groups, folds, seeds, (groups, folds, seed) => {
        fc.pre(new Set(groups).size >= folds);
        const all = foldsOf(assignGroupKFold(groups, { folds, seed }), folds);
        expectPartition(all, groups.length);
        for (const { train, test } of all) {
          const trained = new Set(Array.from(train, (row) => groups[row]).filter((group) => group >= 0));
          expect(Array.from(test, (row) => groups[row]).some((group) => trained.has(group))).toBe(false);
        }
      }),
    );
  });

  it("refuse more folds than groups", () => {
    expect(() => assignGroupKFold([1, 1, 2, 2], { folds: 3, seed: null })).toThrow(
      refusal("TRAIN_TOO_FEW_ROWS", /2 groups cannot make 3 folds/),
    );
  });
});
