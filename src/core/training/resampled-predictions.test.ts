import { describe, expect, test } from "vitest";
import { datasetOf, flightsLike, numericColumn, uniform } from "../../../test/fixtures/training-data.ts";
import type { Dataset } from "./dataset.ts";
import { evaluatePredictions } from "./evaluate-candidate.ts";
import { binaryLabels } from "./labels.ts";
import { evaluate, pairedDifference } from "./metrics/evaluate.ts";
import { pairedPredictions } from "./resampled-predictions.ts";

const ROWS = 600;
const decision = { threshold: 0.4, payoff: { truePositive: 60, falsePositive: -40, falseNegative: -20 } };
const draw = uniform(7);
const random = (count: number) => Float64Array.from({ length: count }, draw);
const rows = Uint32Array.from({ length: ROWS }, (_, row) => row);

const base = datasetOf({ features: [numericColumn("x", random(ROWS))], label: new Uint8Array(ROWS) });
const numbers: Dataset = { ...base, task: "regression", label: random(ROWS) };
const classes: Dataset = {
  ...base,
  task: "multiclass",
  classes: ["a", "b", "c"],
  label: Int32Array.from({ length: ROWS }, () => Math.floor(draw() * 3)),
};

/** Three probabilities a row. */
function probabilities(): Float64Array {
  const drawn = random(3 * ROWS);
  return drawn.map((value, i) => {
    const row = 3 * Math.floor(i / 3);
    return value / (drawn[row] + drawn[row + 1] + drawn[row + 2]);
  });
}

describe("any task is evaluated", () => {
  test("two classes as `evaluate` and `pairedDifference` do", () => {
    const flights = flightsLike(ROWS);
    const [a, b] = [random(ROWS), random(ROWS)];
    const labels = binaryLabels(flights, rows);
    expect(evaluatePredictions(flights, rows, a, decision)).toEqual(evaluate(labels, a, flights.day, decision));
    const paired = pairedPredictions(flights, rows, a, b, ["roc_auc", "payoff_per_decision", "rmse"], decision);
    expect(Object.keys(paired)).toEqual(["roc_auc", "payoff_per_decision"]);
    expect(paired.roc_auc).toEqual(pairedDifference(labels, flights.day, a, b, "roc_auc", decision));
  });

  test.each([
    ["numbers", numbers, random(ROWS), random(ROWS), "rmse"],
    ["several classes", classes, probabilities(), probabilities(), "log_loss"],
  ] as const)(
    "%s: the paired difference is that of the metrics, and a model does not differ from itself",
    (_, of, a, b, metric) => {
      const measured = (prediction: Float64Array) =>
        evaluatePredictions(of, rows, prediction, decision).metrics[metric]?.value ?? 0;
      const difference = pairedPredictions(of, rows, a, b, [metric], decision)[metric];
      expect(difference?.value).toBeCloseTo(measured(a) - measured(b), 12);
      expect(difference?.low).toBeLessThan(difference?.value ?? 0);
      expect(difference?.high).toBeGreaterThan(difference?.value ?? 0);
      expect(pairedPredictions(of, rows, a, a, [metric], decision)[metric]).toEqual({ value: 0, low: 0, high: 0 });
    },
  );
});
