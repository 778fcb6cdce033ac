import type { BlockKernel } from "./block-kernel.ts";

/**
 * A loss with its canonical link: the derivative by a linear predictor is then expected value minus truth, and second derivatives
 * follow from the expected values.
 */
export interface LossFamily {
  /** Linear predictors a row. */
  readonly outputs: number;
  /**
   * Over the first rows of a block: replaces scores by expected values, writes the weighted residuals, returns the sum of
   * weighted losses.
   */
  losses(block: BlockKernel, rows: number): number;
  /** Writes the weighted second derivatives by outputs a and b; expected values stand in `block.scores`. */
  curvature(block: BlockKernel, rows: number, a: number, b: number): void;
}

/** Half the squared error. */
export const squaredError: LossFamily = {
  outputs: 1,
  losses({ scores, targets, weights, residuals }, rows) {
    let loss = 0;
    for (let row = 0; row < rows; row++) {
      const residual = scores[row] - targets[row];
      residuals[row] = weights[row] * residual;
      loss += (residuals[row] * residual) / 2;
    }
    return loss;
  },
  curvature: ({ weights, curvature }, rows) => {
    for (let row = 0; row < rows; row++) curvature[row] = weights[row];
  },
};

/** Log loss of targets 0 and 1. */
export const logistic: LossFamily = {
  outputs: 1,
  losses: (block, rows) => block.logisticLosses(rows),
  curvature({ scores, weights, curvature }, rows) {
    for (let row = 0; row < rows; row++) curvature[row] = weights[row] * scores[row] * (1 - scores[row]);
  },
};

/** Half the Poisson deviance, up to what depends on the targets alone. */
export const poisson: LossFamily = {
  outputs: 1,
  losses({ scores, targets, weights, residuals }, rows) {
    let loss = 0;
    for (let row = 0; row < rows; row++) {
      const score = scores[row];
      const mean = Math.exp(score);
      loss += weights[row] * (mean - targets[row] * score);
      scores[row] = mean;
      residuals[row] = weights[row] * (mean - targets[row]);
    }
    return loss;
  },
  curvature({ scores, weights, curvature }, rows) {
    for (let row = 0; row < rows; row++) curvature[row] = weights[row] * scores[row];
  },
};

/** Log loss of class indexes 0 … classes - 1, with one linear predictor a class. */
export function softmax(classes: number): LossFamily {
  return {
    outputs: classes,
    losses({ scores, targets, weights, residuals, capacity }, rows) {
      let loss = 0;
      for (let row = 0; row < rows; row++) {
        let highest = scores[row];
        for (let k = 1; k < classes; k++) highest = Math.max(highest, scores[k * capacity + row]);
        const truth = targets[row] * capacity + row;
        const own = scores[truth] - highest;
        let sum = 0;
        for (let at = row; at < classes * capacity; at += capacity) {
          scores[at] = Math.exp(scores[at] - highest);
          sum += scores[at];
        }
        for (let at = row; at < classes * capacity; at += capacity) {
          scores[at] /= sum;
          residuals[at] = weights[row] * (scores[at] - (at === truth ? 1 : 0));
        }
        loss += weights[row] * (Math.log(sum) - own);
      }
      return loss;
    },
    curvature({ scores, weights, curvature, capacity }, rows, a, b) {
      for (let row = 0; row < rows; row++) {
        const mean = scores[a * capacity + row];
        curvature[row] = weights[row] * mean * ((a === b ? 1 : 0) - scores[b * capacity + row]);
      }
    },
  };
}
