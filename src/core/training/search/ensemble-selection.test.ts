import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seededRandom } from "../random.ts";
import { selectEnsemble } from "./ensemble-selection.ts";
import { drawNormal } from "./normal.ts";

const squaredError = (truth: Float64Array) => (predictions: Float64Array) =>
  predictions.reduce((sum, value, row) => sum + (value - truth[row]) ** 2, 0) / truth.length;

/** Mean of the sets by their weights. */
function weightedMean(predictions: readonly Float64Array[], weights: readonly number[]): Float64Array {
  return predictions[0].map((_, row) => weights.reduce((sum, weight, index) => sum + weight * predictions[index][row], 0));
}

describe("greedy ensemble selection", () => {
  it("finds the mean that cancels opposite errors", () => {
    const truth = Float64Array.of(1, 2, 3, 4);
    const above = truth.map((value) => value + 1);
    const below = truth.map((value) => value - 1);
    const far = truth.map((value) => value + 9);
    expect(selectEnsemble([far, above, below], squaredError(truth), "minimize")).toEqual({ weights: [0, 0.5, 0.5], score: 0 });
  });

  it("may take the same one several times", () => {
    const truth = Float64Array.of(0, 0);
    const near = Float64Array.of(1, 1);
    const opposite = Float64Array.of(-2, -2);
    const { weights, score } = selectEnsemble([near, opposite], squaredError(truth), "minimize");
    expect(weights).toEqual([2 / 3, 1 / 3]);
    expect(score).toBeCloseTo(0, 15);
  });

  it("keeps a single one where no mean is better; of equal ones the first", () => {
    const truth = Float64Array.of(1, 2);
    const best = Float64Array.of(1, 2);
    expect(selectEnsemble([Float64Array.of(0, 0), best, best], squaredError(truth), "minimize").weights).toEqual([0, 1, 0]);
  });

  it("looks for the largest score where that is better", () => {
    const truth = Float64Array.of(1, 2);
    const lossless = (predictions: Float64Array) => -squaredError(truth)(predictions);
    expect(selectEnsemble([Float64Array.of(9, 9), truth], lossless, "maximize").weights).toEqual([0, 1]);
  });

  it("never scores worse than the best single one, and its weights sum to 1 and give its score", () => {
    const truth = Float64Array.of(0.3, 0.9, 0.1, 0.7, 0.5);
    const score = squaredError(truth);
    const one = fc.float64Array({ minLength: 5, maxLength: 5, min: -2, max: 2, noNaN: true });
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: 6 }), (predictions) => {
        const selected = selectEnsemble(predictions, score, "minimize");
        expect(selected.score).toBeLessThanOrEqual(Math.min(...predictions.map(score)));
        expect(selected.weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 12);
        expect(score(weightedMean(predictions, selected.weights))).toBeCloseTo(selected.score, 10);
      }),
    );
  });

  it("beats the best of many noisy ones on rows that it was not selected on", () => {
    const random = seededRandom(5);
    const rows = 400;
    const truth = Float64Array.from({ length: 2 * rows }, () => drawNormal(random));
    const predictions = Array.from({ length: 10 }, () => truth.map((value) => value + drawNormal(random)));
    const half = (values: Float64Array, part: number) => values.subarray(part * rows, (part + 1) * rows);
    const selectedOn = predictions.map((each) => half(each, 0));
    const testedOn = predictions.map((each) => half(each, 1));
    const { weights } = selectEnsemble(selectedOn, squaredError(half(truth, 0)), "minimize");
    const tested = squaredError(half(truth, 1));
    expect(tested(weightedMean(testedOn, weights))).toBeLessThan(Math.min(...testedOn.map(tested)) / 4);
  });

  it("never chooses one without a score, and says so when none has one", () => {
    const score = (predictions: Float64Array) => (predictions[0] < 2 ? Number.NaN : predictions[0]);
    expect(selectEnsemble([Float64Array.of(-1), Float64Array.of(2)], score, "minimize").weights).toEqual([0, 1]);
    const none = () => selectEnsemble([Float64Array.of(-1)], score, "minimize");
    expect(none).toThrow(expect.objectContaining({ code: "TRAIN_NO_CANDIDATE" }));
    expect(() => selectEnsemble([], score, "minimize")).toThrow(expect.objectContaining({ code: "TRAIN_NO_CANDIDATE" }));
  });

  it("refuses predictions of different rows", () => {
    const predictions = [Float64Array.of(1, 2), Float64Array.of(1)];
    expect(() => selectEnsemble(predictions, () => 0, "minimize")).toThrow(
      expect.objectContaining({ code: "TRAIN_EVALUATION_INVALID", message: "Predictions 1 are of 1 rows, the first of 2" }),
    );
  });
});
