import type { Link } from "../model.ts";
import type { BoostingKernel } from "./boosting-kernel.ts";
import type { BoostingParams } from "./boosting-params.ts";
import { weightedMean, weightedQuantile } from "./weighted-location.ts";

/** What a thread sees of the rows; element i belongs to row i. Rows past the training rows (validation) have scores only. */
export interface BoostedRows {
  /** Raw output so far, an array for each output. */
  readonly scores: readonly Float64Array[];
  readonly targets: Float64Array;
  /** Null: each row weighs 1. */
  readonly weights: Float64Array | null;
  /** Space for what all outputs of a round share. */
  readonly shared: Float64Array;
}

/** The largest absolute gradient and hessian of any row: they say how finely sums can be kept. */
export interface GradientBounds {
  readonly gradient: number;
  readonly hessian: number;
}

/** A loss: how far off rows are, and which way to go. Gradients and hessians are by raw output, of a row of weight 1. */
export interface Objective {
  readonly link: Link;
  /** Raw outputs of a row. */
  readonly outputs: number;
  /** What a tree may add at most to a raw output, before the learning rate. */
  readonly mostStep: number;
  /** Raw outputs that suit all rows best. */
  base(targets: Float64Array, weights: Float64Array | null): Float64Array;
  bounds(rows: BoostedRows): GradientBounds;
  /** Called before a round for each range of rows, so that all its trees start from the same scores. */
  beginRound?(rows: BoostedRows, start: number, end: number): void;
  /** Writes gradient and hessian of rows `start` … `end - 1` for an output, one after the other. */
  writePairs(rows: BoostedRows, output: number, start: number, end: number, pairs: Float64Array): void;
  /** One row's loss; `at` reads its raw outputs. */
  loss(at: (output: number) => number, target: number): number;
}

/** How an objective is made again in another thread. */
export interface ObjectiveChoice {
  readonly objective: BoostingParams["objective"];
  readonly quantile: number;
  /** Outputs of the multiclass objective. */
  readonly classes: number;
}

export const outputsOf = ({ objective, classes }: ObjectiveChoice): number => (objective === "multiclass" ? classes : 1);

export function createObjective({ objective, quantile, classes }: ObjectiveChoice, kernel: BoostingKernel): Objective {
  switch (objective) {
    case "squared":
      return squaredError();
    case "quantile":
      return quantileLoss(quantile);
    case "poisson":
      return poissonDeviance();
    case "binary":
      return logLoss(kernel);
    case "multiclass":
      return softmaxLoss(classes);
  }
}

function squaredError(): Objective {
  return {
    link: "identity",
    outputs: 1,
    mostStep: Number.POSITIVE_INFINITY,
    base: (targets, weights) => Float64Array.of(weightedMean(targets, weights)),
    bounds({ scores: [scores], targets, weights }) {
      let gradient = 0;
      for (let row = 0; row < targets.length; row++) {
        if (weights !== null && weights[row] === 0) continue;
        gradient = Math.max(gradient, Math.abs(scores[row] - targets[row]));
      }
      return { gradient, hessian: 1 };
    },
    writePairs({ scores: [scores], targets }, _, start, end, pairs) {
      for (let row = start, at = 0; row < end; row++, at += 2) {
        pairs[at] = scores[row] - targets[row];
        pairs[at + 1] = 1;
      }
    },
    loss: (at, target) => (at(0) - target) ** 2,
  };
}

/** Pinball loss; its hessian is 0, so that 1 stands in, and leaves are set to the quantile of their rows' residuals afterwards. */
function quantileLoss(quantile: number): Objective {
  return {
    link: "identity",
    outputs: 1,
    mostStep: Number.POSITIVE_INFINITY,
    base: (targets, weights) => Float64Array.of(weightedQuantile(targets, weights, quantile)),
    bounds: () => ({ gradient: Math.max(quantile, 1 - quantile), hessian: 1 }),
    writePairs({ scores: [scores], targets }, _, start, end, pairs) {
      for (let row = start, at = 0; row < end; row++, at += 2) {
        pairs[at] = targets[row] > scores[row] ? -quantile : 1 - quantile;
        pairs[at + 1] = 1;
      }
    },
    loss: (at, target) => Math.max(quantile * (target - at(0)), (quantile - 1) * (target - at(0))),
  };
}

/** Where counts are far above what is expected, a Newton step on the logarithm would overshoot by orders of magnitude. */
const MOST_LOG_STEP = 10;

function poissonDeviance(): Objective {
  return {
    link: "log",
    outputs: 1,
    mostStep: MOST_LOG_STEP,
    base: (targets, weights) => Float64Array.of(Math.log(weightedMean(targets, weights))),
    bounds({ scores: [scores], targets, weights }) {
      let mostScore = Number.NEGATIVE_INFINITY;
      let mostTarget = 0;
      for (let row = 0; row < targets.length; row++) {
        if (weights !== null && weights[row] === 0) continue;
        mostScore = Math.max(mostScore, scores[row]);
        mostTarget = Math.max(mostTarget, targets[row]);
      }
      const hessian = Math.exp(mostScore);
      return { gradient: Math.max(hessian, mostTarget), hessian };
    },
    writePairs({ scores: [scores], targets }, _, start, end, pairs) {
      for (let row = start, at = 0; row < end; row++, at += 2) {
        const expected = Math.exp(scores[row]);
        pairs[at] = expected - targets[row];
        pairs[at + 1] = expected;
      }
    },
    loss(at, target) {
      const expected = Math.exp(at(0));
      return 2 * (target === 0 ? expected : target * (Math.log(target) - at(0)) - target + expected);
    },
  };
}

function logLoss(kernel: BoostingKernel): Objective {
  return {
    link: "logit",
    outputs: 1,
    mostStep: Number.POSITIVE_INFINITY,
    base(targets, weights) {
      const share = weightedMean(targets, weights);
      return Float64Array.of(Math.log(share / (1 - share)));
    },
    bounds: () => ({ gradient: 1, hessian: 0.25 }),
    writePairs({ scores: [scores], targets }, _, start, end, pairs) {
      const offset = 8 * start;
      kernel.logLossPairs(scores.byteOffset + offset, targets.byteOffset + offset, end - start, pairs.byteOffset);
    },
    loss(at, target) {
      const score = at(0);
      return Math.max(score, 0) + Math.log1p(Math.exp(-Math.abs(score))) - target * score;
    },
  };
}

/** What a class without rows is given: its logarithm is finite. */
const LEAST_SHARE = 1e-15;

/** Hessians are K / (K - 1) times p(1 - p), as LightGBM has them: the K outputs share one degree of freedom too many. */
function softmaxLoss(classes: number): Objective {
  const factor = classes / (classes - 1);
  return {
    link: "softmax",
    outputs: classes,
    mostStep: Number.POSITIVE_INFINITY,
    base(targets, weights) {
      const sums = new Float64Array(classes);
      for (let row = 0; row < targets.length; row++) sums[targets[row]] += weights === null ? 1 : weights[row];
      const total = sums.reduce((sum, each) => sum + each, 0);
      return sums.map((sum) => Math.log(Math.max(sum / total, LEAST_SHARE)));
    },
    bounds: () => ({ gradient: 1, hessian: factor / 4 }),
    beginRound({ scores, shared }, start, end) {
      for (let row = start; row < end; row++) shared[row] = logSumExp(classes, (output) => scores[output][row]);
    },
    writePairs({ scores, targets, shared }, output, start, end, pairs) {
      const own = scores[output];
      for (let row = start, at = 0; row < end; row++, at += 2) {
        const probability = Math.exp(own[row] - shared[row]);
        pairs[at] = targets[row] === output ? probability - 1 : probability;
        pairs[at + 1] = factor * probability * (1 - probability);
      }
    },
    loss: (at, target) => logSumExp(classes, at) - at(target),
  };
}

function logSumExp(count: number, at: (output: number) => number): number {
  let most = Number.NEGATIVE_INFINITY;
  for (let output = 0; output < count; output++) most = Math.max(most, at(output));
  let sum = 0;
  for (let output = 0; output < count; output++) sum += Math.exp(at(output) - most);
  return most + Math.log(sum);
}
