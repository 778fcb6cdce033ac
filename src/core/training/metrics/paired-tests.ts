import { trainErrors } from "../errors.ts";
import { chiSquareUpperTail, fairBinomialCdf, fUpperTail, studentQuantile, studentTwoSided } from "./distributions.ts";

export interface McNemarTest {
  /** Rows that only A, and that only B, gets right. */
  readonly onlyA: number;
  readonly onlyB: number;
  /** accuracy(A) - accuracy(B). */
  readonly difference: number;
  readonly pValue: number;
  readonly method: "exact" | "chi-square";
}

/** From so many discordant rows on, chi-square with continuity correction stands for the exact binomial test. */
const EXACT_BELOW = 25;

/**
 * McNemar's test (1947) of equal accuracy on the same rows: only rows that one model gets right and the other wrong tell. Exact
 * binomial below 25 such rows, chi-square with Edwards' continuity correction from there on.
 * @param labels class of each row; `a`, `b`: the classes predicted
 * @throws TRAIN_EVALUATION_INVALID
 */
export function mcNemarTest(labels: ArrayLike<number>, a: ArrayLike<number>, b: ArrayLike<number>): McNemarTest {
  if (a.length !== labels.length || b.length !== labels.length || labels.length === 0) {
    throw trainErrors.TRAIN_EVALUATION_INVALID(`${labels.length} labels, ${a.length} and ${b.length} predictions`);
  }
  let onlyA = 0;
  let onlyB = 0;
  for (let row = 0; row < labels.length; row++) {
    const rightA = a[row] === labels[row];
    if (rightA !== (b[row] === labels[row])) {
      if (rightA) onlyA++;
      else onlyB++;
    }
  }
  const discordant = onlyA + onlyB;
  const exact = discordant < EXACT_BELOW;
  const pValue = exact
    ? Math.min(1, 2 * fairBinomialCdf(Math.min(onlyA, onlyB), discordant))
    : chiSquareUpperTail(Math.max(0, Math.abs(onlyA - onlyB) - 1) ** 2 / discordant);
  return { onlyA, onlyB, difference: (onlyA - onlyB) / labels.length, pValue, method: exact ? "exact" : "chi-square" };
}

export interface FoldTest {
  /** Mean difference over the folds. */
  readonly value: number;
  /** 95% interval. */
  readonly low: number;
  readonly high: number;
  /** Two-sided. */
  readonly pValue: number;
}

/**
 * Corrected resampled t-test (Nadeau and Bengio 2003) of differences between two models over folds or repeated splits: the
 * plain t-test takes folds for independent, though they share training rows, and finds differences where there are none.
 * Differences that are all alike give an interval of no width.
 * @param differences metric(A) - metric(B) of each fold, at least two
 * @param testShare rows tested over rows trained in a fold: 1 / (k - 1) for k folds
 * @throws TRAIN_PARAMETER_INVALID
 */
export function correctedResampledTest(differences: readonly number[], testShare: number): FoldTest {
  const folds = differences.length;
  if (folds < 2 || !differences.every(Number.isFinite) || !(testShare > 0)) {
    throw trainErrors.TRAIN_PARAMETER_INVALID(`${folds} differences with ${testShare} test rows a training row`, {
      hint: "Give the finite differences of at least two folds, and the test rows a training row (above 0).",
    });
  }
  const value = differences.reduce((sum, each) => sum + each, 0) / folds;
  const variance = differences.reduce((sum, each) => sum + (each - value) ** 2, 0) / (folds - 1);
  const error = Math.sqrt((1 / folds + testShare) * variance);
  if (error === 0) return { value, low: value, high: value, pValue: value === 0 ? 1 : 0 };
  const reach = studentQuantile(0.05, folds - 1) * error;
  return { value, low: value - reach, high: value + reach, pValue: studentTwoSided(value / error, folds - 1) };
}

export interface FiveByTwoTest {
  /** Mean difference over the ten halves. */
  readonly value: number;
  /** Combined 5x2cv F statistic (Alpaydin 1999). */
  readonly f: number;
  readonly pValue: number;
  /** 5x2cv t statistic (Dietterich 1998), of the first half only. */
  readonly t: number;
  readonly pValueT: number;
}

/**
 * 5x2cv: five times the rows are halved, and both models are trained on one half and tested on the other. The F test uses all ten
 * differences; Dietterich's t, which depends on which half comes first, is given beside it.
 * @param differences metric(A) - metric(B): five pairs
 * @throws TRAIN_PARAMETER_INVALID
 */
export function fiveByTwoTest(differences: readonly (readonly [number, number])[]): FiveByTwoTest {
  if (differences.length !== 5 || !differences.flat().every(Number.isFinite)) {
    throw trainErrors.TRAIN_PARAMETER_INVALID(`${differences.length} pairs of differences`, {
      hint: "Give five pairs of finite differences, one a repetition.",
    });
  }
  const variances = differences.map(([first, second]) => (first - second) ** 2 / 2);
  const spread = variances.reduce((sum, each) => sum + each, 0);
  const squares = differences.flat().reduce((sum, each) => sum + each * each, 0);
  const value = differences.flat().reduce((sum, each) => sum + each, 0) / 10;
  if (spread === 0) {
    const never = squares === 0;
    const statistic = never ? 0 : Number.MAX_VALUE;
    return { value, f: statistic, pValue: never ? 1 : 0, t: statistic, pValueT: never ? 1 : 0 };
  }
  const f = squares / (2 * spread);
  const t = differences[0][0] / Math.sqrt(spread / 5);
  return { value, f, pValue: fUpperTail(f, 10, 5), t, pValueT: studentTwoSided(t, 5) };
}
