import type { Matrix, Target } from "../matrix.ts";
import { checkTarget, checkValidation } from "./boosting-input.ts";
import type { BoostingParams } from "./boosting-params.ts";
import type { Objective } from "./objective.ts";

/** Of a class that no training row has. */
const UNKNOWN_CLASS_LOSS = -Math.log(1e-15);

/** Validation rows and what they say. */
export interface Judge {
  readonly matrix: Matrix;
  /** Mean loss, given each row's raw outputs. */
  loss(objective: Objective, scores: readonly Float64Array[]): number;
}

/** Null where nothing stops boosting early. */
export function createJudge(
  { objective: name, earlyStopping }: BoostingParams,
  training: Matrix,
  validation: { readonly matrix: Matrix; readonly target: Target } | undefined,
): Judge | null {
  if (earlyStopping === 0 || validation === undefined || validation.matrix.rows === 0) return null;
  const { matrix } = validation;
  checkValidation(matrix, training);
  const { values, weights } = checkTarget(validation.target, matrix.rows, name);
  return {
    matrix,
    loss(objective, scores) {
      let sum = 0;
      let total = 0;
      for (let row = 0; row < values.length; row++) {
        const weight = weights === null ? 1 : weights[row];
        // A class that training has not seen is as unlikely as can be, whatever the scores.
        const known = name !== "multiclass" || values[row] < scores.length;
        const loss = known ? objective.loss((output) => scores[output][row], values[row]) : UNKNOWN_CLASS_LOSS;
        sum += weight * loss;
        total += weight;
      }
      return sum / total;
    },
  };
}
