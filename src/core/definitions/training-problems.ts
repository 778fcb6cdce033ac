import type { CalibrationMethod } from "./model.ts";
import {
  aboveZero,
  isRecord,
  oneOf,
  optional,
  shown,
  someText,
  valueProblem,
  valuesProblems,
  wholeFrom,
  zeroOrMore,
} from "./value-rules.ts";

/** What a model's or a split's seed can be: what fits in 32 bits, so that every generator tells all of them apart. */
const SEED = wholeFrom(0, 2 ** 32 - 1);

/** What is wrong with class weights whatever the classes are; null where nothing is. */
export function classWeightsProblem(weights: unknown): string | null {
  if (weights === "balanced") return null;
  if (!Array.isArray(weights)) return `class weights are ${shown(weights)}, not "balanced" or a list with one weight a class`;
  const given: readonly unknown[] = weights;
  const wrong = given.find((weight) => !zeroOrMore.accepts(weight));
  if (wrong !== undefined || given.includes(undefined))
    return `a class cannot weigh ${shown(wrong)}: weights are 0 or more, and finite`;
  return given.every((weight) => weight === 0) ? "no class weighs anything" : null;
}

/** What is wrong with row weights whatever the rows are; null where nothing is. */
export function rowWeightsProblem(weights: unknown): string | null {
  const kind = isRecord(weights) ? weights.kind : weights;
  if (!isRecord(weights) || (kind !== "feature" && kind !== "age"))
    return `rows cannot be weighed by ${shown(kind)}: use weightBy(feature) or weightByAge(duration)`;
  if (kind === "feature")
    return someText.accepts(weights.feature) ? null : `rows are weighed by ${shown(weights.feature)}, which is no feature`;
  const { halfLife } = weights;
  return aboveZero.accepts(halfLife) ? null : `rows cannot lose half their weight in ${shown(halfLife)} microseconds`;
}

const METHODS: readonly CalibrationMethod[] = ["isotonic", "sigmoid", "temperature", "none"];

/** Whether a way to calibrate is there; null where it is. */
export const calibrationProblem = (method: unknown): string | null =>
  METHODS.some((each) => each === method) ? null : `${shown(method)} calibrates nothing: there are ${METHODS.join(", ")}`;

const SHARE_SPLITS = ["random", "stratified", "grouped"];

/** What is wrong with a split whatever it splits, one sentence each. Never throws, whatever it is given. */
export function splitProblems(split: unknown): string[] {
  if (!isRecord(split) || !oneOf(["time", ...SHARE_SPLITS]).accepts(split.kind)) {
    const kind = isRecord(split) ? split.kind : split;
    return [`${shown(kind)} is no kind of split: there are time, ${SHARE_SPLITS.join(", ")}`];
  }
  const { kind, test, validation, ...others } = split;
  const isByTime = kind === "time";
  const isShared =
    aboveZero.accepts(test) && aboveZero.accepts(validation) && (isByTime || Number(test) + Number(validation) < 1);
  const parts = isShared ? [] : [`it gives ${shown(test)} to test and ${shown(validation)} to validation`];
  const rules = { ...(isByTime ? {} : { seed: optional(SEED) }), ...(kind === "grouped" ? { by: someText } : {}) };
  return [...parts, ...valuesProblems(others, rules)];
}

/** What is wrong with a seed; null where nothing is. */
export const seedProblem = (seed: unknown): string | null => valueProblem("seed", seed, SEED);
