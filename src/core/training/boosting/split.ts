/** Sums over the rows of a node; `weight` is how many rows they stand for. */
export interface NodeSums {
  readonly gradient: number;
  readonly hessian: number;
  readonly weight: number;
}

/** What a node's output must keep to. */
export interface NodeLimits {
  readonly l1: number;
  readonly l2: number;
  /** Least and largest output before the learning rate, by monotone constraints and by the objective's largest step. */
  readonly lower: number;
  readonly upper: number;
}

export interface Split {
  /** By how much twice the objective falls. */
  readonly gain: number;
  readonly column: number;
  /** Numbers: rows in bins up to this one go left. Categories: -1. */
  readonly bin: number;
  /** By bin, the one of missing values included: 1 goes left. */
  readonly goesLeft: Uint8Array;
  readonly left: NodeSums;
  readonly right: NodeSums;
  /** The l2 of both children's outputs. */
  readonly l2: number;
}

/** The output that lowers the objective most: a Newton step, pulled to 0 by l1 and l2 (Chen, Guestrin 2016, equation 5), within limits. */
export function nodeOutput({ gradient, hessian }: NodeSums, { l1, l2, lower, upper }: NodeLimits): number {
  const curvature = hessian + l2;
  if (!(curvature > 0)) return 0;
  return Math.min(upper, Math.max(lower, -softThreshold(gradient, l1) / curvature));
}

/** Twice the fall of the objective when a node gives its best output: G^2 / (H + l2) where nothing limits it. */
export function nodeGain({ gradient, hessian }: NodeSums, { l1, l2, lower, upper }: NodeLimits): number {
  const pull = softThreshold(gradient, l1);
  const curvature = hessian + l2;
  const best = -pull / curvature;
  if (best >= lower && best <= upper) return -pull * best;
  const output = best < lower ? lower : upper;
  return -(2 * pull + curvature * output) * output;
}

export const softThreshold = (gradient: number, l1: number): number =>
  gradient > l1 ? gradient - l1 : gradient < -l1 ? gradient + l1 : 0;

export const subtractSums = (whole: NodeSums, part: NodeSums): NodeSums => ({
  gradient: whole.gradient - part.gradient,
  hessian: whole.hessian - part.hessian,
  weight: whole.weight - part.weight,
});
