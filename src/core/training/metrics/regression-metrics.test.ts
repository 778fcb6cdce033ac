import { describe, expect, it } from "vitest";
import { goldenData } from "../../../../test/fixtures/golden-data.ts";
import { goldenMetrics, relativeError, rowWeights, valueRows } from "../../../../test/fixtures/golden-metrics.ts";
import { REGRESSION_METRICS, regressionValues, resampledValues, scoreValues } from "./regression-metrics.ts";
import { estimateMetrics } from "./resampling.ts";

const valuesFor = (truth: number[], prediction: number[]) =>
  regressionValues(scoreValues(Float64Array.from(truth), Float64Array.from(prediction)));

describe("metrics of predicted values", () => {
  it.each(goldenMetrics.regression)(
    "equal scikit-learn's to 1e-12 ($rows rows, $steps steps, weights $weights)",
    ({ seed, rows, steps, weights, metrics }) => {
      const { truth, prediction } = valueRows(seed, rows, steps);
      const own = rowWeights(seed, rows, weights);
      const values = regressionValues(
        scoreValues(truth, prediction, { quantile: 0.9, ...(own === undefined ? {} : { weights: own }) }),
      );
      for (const name of REGRESSION_METRICS) expect(relativeError(values[name], metrics[name]), name).toBeLessThan(1e-12);
    },
  );

  it("equal scikit-learn's to 1e-12 on diabetes, told by the body mass index", () => {
    const { names, columns, target } = goldenData("diabetes");
    expect(names).toContain("bmi");
    const prediction = Float64Array.from(target, (_, row) => 150 + 900 * Number(columns.bmi[row]));
    const values = regressionValues(scoreValues(target, prediction, { quantile: 0.9 }));
    for (const name of REGRESSION_METRICS) {
      expect(relativeError(values[name], goldenMetrics.diabetes.metrics[name]), name).toBeLessThan(1e-12);
    }
  });

  it("leaves out what is undefined: mape at 0, R2 of constants, Poisson deviance of what is not above 0", () => {
    expect(valuesFor([0, 1], [1, 1])).not.toHaveProperty("mape");
    const constant = valuesFor([2, 2], [1, 3]);
    expect(constant).not.toHaveProperty("r2");
    expect(constant).not.toHaveProperty("explained_variance");
    expect(constant).toMatchObject({ mae: 1, rmse: 1, max_error: 1 });
    expect(valuesFor([1, 2], [0, 1])).not.toHaveProperty("poisson_deviance");
    expect(valuesFor([-1, 2], [1, 1])).not.toHaveProperty("poisson_deviance");
    expect(valuesFor([0, 2], [1, 1]).poisson_deviance).toBeCloseTo((2 + 2 * (2 * Math.log(2) - 1)) / 2, 12);
    expect(valuesFor([0, 0], [0, 0]).smape).toBe(0);
    expect(valuesFor([], [])).toEqual({});
  });

  it("keeps what huge and nearly equal values tell apart", () => {
    const { r2, explained_variance } = valuesFor([1e9 + 1, 1e9 + 2, 1e9 + 3], [1e9 + 1.5, 1e9 + 2.5, 1e9 + 3.5]);
    expect(r2).toBeCloseTo(1 - 0.75 / 2, 12);
    expect(explained_variance).toBeCloseTo(1, 12);
  });

  it("resamples units without sorting again, and refuses NaN, lengths that differ and quantiles of 0 or 1", () => {
    const { truth, prediction } = valueRows(3, 400);
    const { mae, median_ae } = estimateMetrics(
      resampledValues(
        scoreValues(truth, prediction),
        Int32Array.from(truth, (_, row) => row),
      ),
    );
    for (const estimate of [mae, median_ae]) {
      expect(estimate?.low).toBeLessThan(estimate?.value ?? 0);
      expect(estimate?.high).toBeGreaterThan(estimate?.value ?? Number.POSITIVE_INFINITY);
    }
    const invalid = expect.objectContaining({ code: "TRAIN_EVALUATION_INVALID" });
    expect(() => valuesFor([1], [Number.NaN])).toThrow(invalid);
    expect(() => valuesFor([Number.POSITIVE_INFINITY], [1])).toThrow(invalid);
    expect(() => valuesFor([1], [])).toThrow(invalid);
    expect(() => scoreValues(truth, prediction, { quantile: 1 })).toThrow(
      expect.objectContaining({ code: "TRAIN_PARAMETER_INVALID" }),
    );
  });
});
