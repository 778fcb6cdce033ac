import type { DatePart, PreparationStep, SelectionCriterion } from "./preparation-steps.ts";
import {
  aboveZero,
  anyNumber,
  either,
  isRecord,
  listOf,
  oneOf,
  optional,
  share,
  shown,
  someText,
  type ValueRule,
  type ValueRules,
  valuesProblems,
  wholeFrom,
  yesOrNo,
  zeroOrMore,
} from "./value-rules.ts";

const DATE_PARTS: readonly DatePart[] = ["year", "month", "day", "dayOfWeek", "dayOfYear", "hour", "minute", "weekend"];

const NAMES = listOf({ ...someText, wanted: "the name of a feature" });

const SCOPE_RULES: ValueRules = { on: optional(NAMES), for: optional(oneOf(["linear", "tree", "all"])) };

const anything: ValueRule = { wanted: "a criterion", accepts: () => true };

/** Beside the features that a step names and the estimators that it is for. */
const STEP_RULES: Readonly<Record<PreparationStep["kind"], ValueRules>> = {
  impute: {
    strategy: oneOf(["mean", "median", "mostFrequent", "constant"]),
    value: optional(either({ ...someText, accepts: (value) => typeof value === "string" }, anyNumber)),
    indicator: yesOrNo,
  },
  "standard-scale": {},
  "min-max-scale": { low: anyNumber, high: anyNumber },
  "robust-scale": { low: share, high: share },
  "quantile-scale": { output: oneOf(["uniform", "normal"]), quantiles: wholeFrom(2) },
  "log-transform": { signed: yesOrNo },
  "power-transform": { method: oneOf(["yeo-johnson", "box-cox"]), standardize: yesOrNo },
  "one-hot": { rare: share, unseen: oneOf(["rare", "none"]) },
  ordinal: { order: optional(listOf({ ...someText, wanted: "a category", accepts: (value) => typeof value === "string" })) },
  "frequency-encode": {},
  "target-encode": { smooth: either(oneOf(["auto"]), zeroOrMore), folds: wholeFrom(2) },
  "date-parts": {
    parts: listOf({ ...oneOf(DATE_PARTS), wanted: `one of ${DATE_PARTS.join(", ")}` }),
    cyclic: yesOrNo,
    keep: yesOrNo,
  },
  clip: { by: oneOf(["bounds", "quantiles"]), low: optional(anyNumber), high: optional(anyNumber) },
  products: { on: NAMES, squares: yesOrNo },
  "select-features": { by: anything },
};

const CRITERION_RULES: Readonly<Record<SelectionCriterion["kind"], ValueRules>> = {
  variance: { above: zeroOrMore },
  "mutual-information": { top: wholeFrom(1) },
  "f-test": { top: wholeFrom(1) },
  l1: { c: aboveZero, top: optional(wholeFrom(1)) },
};

export const STEP_KINDS: readonly string[] = Object.keys(STEP_RULES);

/** Whether a value is a step of a kind that there is; its options may be wrong. */
export const isPreparationStep = (value: unknown): value is PreparationStep =>
  isRecord(value) && typeof value.kind === "string" && STEP_KINDS.includes(value.kind);

/** What is wrong with a step whatever it works on, one sentence each. Never throws, whatever it is given. */
export function stepProblems(step: unknown): string[] {
  if (!isPreparationStep(step)) {
    const kind = isRecord(step) ? step.kind : step;
    return [`${shown(kind)} is no kind of step: there are ${STEP_KINDS.join(", ")}`];
  }
  const { kind, ...options } = step;
  const problems = valuesProblems(options, { ...SCOPE_RULES, ...STEP_RULES[kind] });
  // What options say together can only be judged where each says something by itself.
  return problems.length > 0 ? problems : togetherProblems(step);
}

function togetherProblems(step: PreparationStep): string[] {
  switch (step.kind) {
    case "impute":
      return step.strategy === "constant" && step.value === undefined ? ["the constant lacks its value"] : [];
    case "min-max-scale":
    case "robust-scale":
      return step.low < step.high ? [] : [`low is ${step.low}, not below high, which is ${step.high}`];
    case "clip":
      return clipProblems(step);
    case "products":
      return step.squares || step.on.length > 1 ? [] : ["products of one feature's columns need squares"];
    case "select-features":
      return criterionProblems(step.by);
    default:
      return [];
  }
}

function clipProblems({ by, low, high }: Extract<PreparationStep, { kind: "clip" }>): string[] {
  if (low === undefined && high === undefined) return ["it has neither low nor high"];
  if (by === "bounds") {
    const isReversed = low !== undefined && high !== undefined && low > high;
    return isReversed ? [`low is ${low}, not at most high, which is ${high}`] : [];
  }
  const [below, above] = [low ?? 0, high ?? 1];
  if (below >= 0 && below < above && above <= 1) return [];
  return [`its quantiles are ${below} and ${above}, not between 0 and 1, the lower first`];
}

function criterionProblems(by: unknown): string[] {
  const kinds = Object.keys(CRITERION_RULES);
  if (!isCriterion(by)) {
    const kind = isRecord(by) ? by.kind : by;
    return [`${shown(kind)} is no criterion to select by: there are ${kinds.join(", ")}`];
  }
  const { kind, ...options } = by;
  return valuesProblems(options, CRITERION_RULES[kind]);
}

const isCriterion = (value: unknown): value is SelectionCriterion =>
  isRecord(value) && typeof value.kind === "string" && Object.hasOwn(CRITERION_RULES, value.kind);
