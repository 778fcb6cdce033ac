import { unsupportedGraph } from "./operator.ts";
import type { PostTransform } from "./read-ensemble.ts";

const logistic = (x: number): number => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)));

/** What a classifier or regressor of ai.onnx.ml makes of one row's scores. */
export function postTransform(transform: PostTransform, scores: readonly number[]): readonly number[] {
  switch (transform) {
    case "NONE":
      return scores;
    case "LOGISTIC":
      return scores.map(logistic);
    case "SOFTMAX":
      return softmax(scores, () => true);
    case "SOFTMAX_ZERO":
      return softmax(scores, (score) => Math.abs(score) > 1e-7);
    case "PROBIT":
      throw unsupportedGraph("post_transform PROBIT");
  }
}

/** Scores that do not count stay 0. */
function softmax(scores: readonly number[], counts: (score: number) => boolean): number[] {
  const highest = scores.reduce((most, score) => Math.max(most, score), Number.NEGATIVE_INFINITY);
  const powers = scores.map((score) => (counts(score) ? Math.exp(score - highest) : 0));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map((power) => power / total);
}

/**
 * Both classes' scores where a classifier of two says one number: probabilities where it is one, else the number and its negative,
 * as ONNX Runtime does.
 */
export function bothClasses(transform: PostTransform, score: number, isProbability: boolean): readonly number[] {
  if (transform === "LOGISTIC") return [logistic(-score), logistic(score)];
  return isProbability ? [1 - score, score] : postTransform(transform, [-score, score]);
}
