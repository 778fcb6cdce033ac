import { POISSON_RULES, poissonRegression } from "../../definitions/index.ts";
import { checkTarget } from "../check-target.ts";
import { checkValues } from "../check-values.ts";
import { trainErrors } from "../errors.ts";
import type { Matrix, Target } from "../matrix.ts";
import type { LinearEstimator } from "../model.ts";
import { createDesign } from "./design.ts";
import { fitGeneralized } from "./fit-generalized.ts";
import { poisson } from "./loss-family.ts";
import { ITERATION_RULES, type IterationParams, stoppingRule } from "./params.ts";

export interface PoissonRegressionParams extends IterationParams {
  /** Strength of the penalty on squared coefficients; 0 for none. */
  readonly alpha?: number;
}

/**
 * Poisson regression with a log link: minimises weighted mean of half the Poisson deviance + alpha w^2 / 2, intercept
 * unpenalised, which has the minimum of scikit-learn's `PoissonRegressor(alpha)`.
 *
 * @param target counts or rates, at least 0
 * @param params what is left out is taken from `poissonRegression()`
 * @throws TRAIN_PARAMETER_INVALID, TRAIN_TARGET_INVALID, TRAIN_NOT_CONVERGED, and what createDesign throws
 */
export function fitPoissonRegression(matrix: Matrix, target: Target, params: PoissonRegressionParams = {}): LinearEstimator {
  const values = { ...poissonRegression().params, ...params };
  checkValues("Poisson regression", values, { ...POISSON_RULES, ...ITERATION_RULES });
  const { alpha } = values;
  const stopping = stoppingRule(values);
  const design = createDesign(matrix, target.weights);
  const mean = meanCount(target, matrix.rows);
  // In units of the mean, so that one tolerance fits all: that divides the deviance by it.
  const targets = Float64Array.from(target.values, (value) => value / mean);
  const { intercepts, coefficients } = fitGeneralized(
    { design, targets, family: poisson, penalties: { l1: 0, l2: alpha / mean }, intercepts: [0] },
    stopping,
    "Poisson regression",
  );
  return { kind: "linear", link: "log", intercepts: intercepts.map((each) => each + Math.log(mean)), coefficients };
}

function meanCount(target: Target, rows: number): number {
  const { mean } = checkTarget(rows, target, 0);
  const negative = target.values.findIndex((value) => value < 0);
  if (negative >= 0) {
    throw trainErrors.TRAIN_TARGET_INVALID(`the target of row ${negative} is ${target.values[negative]}; counts are 0 or more`);
  }
  if (!(mean > 0)) throw trainErrors.TRAIN_TARGET_INVALID("all targets are 0, whose logarithm Poisson regression cannot reach");
  return mean;
}
