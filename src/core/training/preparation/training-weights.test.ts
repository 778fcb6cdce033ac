import { describe, expect, it } from "vitest";
import { categoricalColumn, datasetOf, numericColumn } from "../../../../test/fixtures/training-data.ts";
import { weightBy, weightByAge } from "../../definitions/index.ts";
import { trainingWeights } from "./training-weights.ts";

const dataset = datasetOf({
  features: [
    numericColumn("a.cost", [1, 2, 0, 4, Number.NaN, 6]),
    categoricalColumn("a.kind", ["x", "y", "x", "y", "x", "y"]),
    numericColumn("a.zero", [0, 0, 0, 0, 0, 0]),
  ],
  label: Uint8Array.of(0, 0, 0, 1, 0, 1),
  rowsPerDay: 1,
});
const rows = Uint32Array.of(0, 1, 2, 3);
const labels = Uint8Array.of(0, 0, 0, 1);
const weights = (options: Parameters<typeof trainingWeights>[3], of = rows) => trainingWeights(dataset, of, labels, options);
const refusal = (message: RegExp) =>
  expect.objectContaining({ code: "TRAIN_PARAMETER_INVALID", message: expect.stringMatching(message) });

describe("weights of training rows", () => {
  it("are none where nothing is asked for", () => {
    expect(weights({})).toBeUndefined();
  });

  it("balance classes as scikit-learn does: rows / (classes x rows of the class)", () => {
    expect(weights({ classes: "balanced" })).toEqual(Float64Array.of(4 / 6, 4 / 6, 4 / 6, 2));
  });

  it("are a class's own, a feature's, or halve with age, and multiply", () => {
    expect(weights({ classes: [1, 10] })).toEqual(Float64Array.of(1, 1, 1, 10));
    expect(weights({ rows: weightBy("cost") })).toEqual(Float64Array.of(1, 2, 0, 4));
    expect(weights({ rows: weightByAge("1d") })).toEqual(Float64Array.of(0.125, 0.25, 0.5, 1));
    expect(weights({ rows: weightBy("a.cost"), classes: [2, 3] })).toEqual(Float64Array.of(2, 4, 0, 12));
  });

  it("balance what the rows weigh, not how many they are", () => {
    const both = weights({ rows: weightBy("cost"), classes: "balanced" });
    expect(both?.subarray(0, 3).reduce((sum, each) => sum + each, 0)).toBeCloseTo(3.5, 14);
    expect(both?.[3]).toBeCloseTo(3.5, 14);
  });

  it("refuse what is no weight, and say of how many rows", () => {
    expect(() => weights({ rows: weightBy("cost") }, Uint32Array.of(0, 4))).toThrow(refusal(/cost is missing.*1 of 2/));
    expect(() => weights({ rows: weightBy("kind") })).toThrow(refusal(/kind, which holds categories/));
    expect(() => weights({ rows: weightBy("zero") })).toThrow(refusal(/all 4 training rows weigh nothing/));
    expect(() => weights({ rows: weightByAge("0d") })).toThrow(refusal(/half their weight in 0/));
    expect(() => weights({ classes: [1] })).toThrow(refusal(/1 class weights for 2 classes/));
    expect(() => weights({ classes: [1, -1] })).toThrow(refusal(/cannot weigh -1/));
  });
});
