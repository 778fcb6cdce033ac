import type { Duration } from "../time.ts";
import type { BinaryMetric, MetricName, MulticlassMetric, RegressionMetric, TargetType } from "./metrics.ts";
import type { SourceDefinition } from "./source.ts";

/** Act when the predicted probability is at least this. */
export interface ThresholdPolicy {
  readonly kind: "threshold";
  readonly at: number;
}
export const threshold = (at: number): ThresholdPolicy => ({ kind: "threshold", at });

/** What a threshold can be chosen for. `payoff` is the charter's own. */
export type ThresholdGoal =
  | { readonly kind: "payoff" }
  | { readonly kind: "f-beta"; readonly beta?: number }
  | { readonly kind: "youden" }
  | { readonly kind: "recall-at-precision"; readonly precision: number }
  | { readonly kind: "precision-at-recall"; readonly recall: number }
  | { readonly kind: "share"; readonly share: number };

/** Act from the probability that serves a goal best: each candidate's own, found on the calibration part of validation. */
export interface ChosenThresholdPolicy {
  readonly kind: "chosen";
  readonly goal: ThresholdGoal;
}

/** `when: bestThreshold()` for the greatest payoff, `bestThreshold({ kind: "recall-at-precision", precision: 0.8 })`. */
export const bestThreshold = (goal: ThresholdGoal = { kind: "payoff" }): ChosenThresholdPolicy => ({ kind: "chosen", goal });

/** The policy in words, for people. */
export function policyInWords(policy: ThresholdPolicy | ChosenThresholdPolicy): string {
  if (policy.kind === "threshold") return `at least ${policy.at}`;
  const { goal } = policy;
  switch (goal.kind) {
    case "payoff":
      return "at least what pays best";
    case "f-beta":
      return `at least what has the best F${goal.beta ?? 1}`;
    case "youden":
      return "at least what has the best recall and specificity together";
    case "recall-at-precision":
      return `at least what has the best recall with a precision of ${goal.precision}`;
    case "precision-at-recall":
      return `at least what has the best precision with a recall of ${goal.recall}`;
    case "share":
      return `among the highest ${100 * goal.share}%`;
  }
}

/** What each outcome of the decision is worth, in the project's currency; a true negative is worth 0 unless said. */
export interface Payoff {
  readonly truePositive: number;
  readonly falsePositive: number;
  readonly falseNegative: number;
  readonly trueNegative?: number;
}

/** What one would do without a model: act when this SQL condition over features ("view.feature") holds. */
export interface RuleDefinition {
  readonly kind: "rule";
  readonly condition: string;
}
export const rule = (condition: string): RuleDefinition => ({ kind: "rule", condition });

/** A requirement on the data, checked before anything is trained. */
export type DataRequirement =
  | { readonly kind: "rows"; readonly source: string; readonly min: number }
  | { readonly kind: "fresh"; readonly source: string; readonly within: Duration }
  /** At least `atLeast` (0…1) of the expected (key, hour) cells between the first and last hour hold a row. */
  | { readonly kind: "coverage"; readonly source: string; readonly key: string; readonly hour: string; readonly atLeast: number };

interface NeedsBuilder {
  readonly requirements: readonly DataRequirement[];
  rows(limit: { min: number }): NeedsBuilder;
  freshWithin(within: Duration): NeedsBuilder;
  coverage(key: string, hour: string, atLeast: number): NeedsBuilder;
}

export function needs(source: SourceDefinition): NeedsBuilder {
  const build = (requirements: readonly DataRequirement[]): NeedsBuilder => ({
    requirements,
    rows: ({ min }) => build([...requirements, { kind: "rows", source: source.name, min }]),
    freshWithin: (within) => build([...requirements, { kind: "fresh", source: source.name, within }]),
    coverage: (key, hour, atLeast) => build([...requirements, { kind: "coverage", source: source.name, key, hour, atLeast }]),
  });
  return build([]);
}

/** One acceptance criterion: data, evaluated by gates, on live traffic and at the head of the model card. */
export type Criterion<M extends MetricName = MetricName> =
  | { readonly kind: "at-least"; readonly metric: M; readonly value: number }
  | { readonly kind: "at-most"; readonly metric: M; readonly value: number }
  | { readonly kind: "better-than"; readonly metric: M; readonly than: "baseline" | "alternative"; readonly by: number }
  | { readonly kind: "not-worse-than-champion"; readonly metric: M; readonly tolerance: number }
  | WorstSegmentCriterion<M>
  | LatencyCriterion
  | ApprovalCriterion;

/** The worst of a segment's values must keep to the limit; those with fewer positive labels or rows are not judged. */
export interface WorstSegmentCriterion<M extends MetricName = MetricName> extends SegmentSize {
  readonly kind: "worst-segment";
  readonly segment: string;
  readonly metric: M;
  readonly limit: "at-least" | "at-most";
  readonly value: number;
}

interface SegmentSize {
  /** Positive labels; 0 where the target is not binary. */
  readonly minPositives: number;
  readonly minRows: number;
}

export interface LatencyCriterion {
  readonly kind: "latency";
  readonly quantile: "p50" | "p95" | "p99";
  readonly atMostMs: number;
}

/** Roles that can be asked to approve. */
export type ApproverRole = "data-engineer" | "data-scientist" | "software-engineer" | "operator" | "admin";

/** So many people with the role have approved the version and nobody with it has declined. */
export interface ApprovalCriterion {
  readonly kind: "approval";
  readonly by: ApproverRole;
  readonly count: number;
}

const criteria = <const M extends MetricName>(name: M) => ({
  atLeast: (value: number): Criterion<M> => ({ kind: "at-least", metric: name, value }),
  atMost: (value: number): Criterion<M> => ({ kind: "at-most", metric: name, value }),
  betterThanBaseline: (by = 0): Criterion<M> => ({ kind: "better-than", metric: name, than: "baseline", by }),
  betterThan: (than: "baseline" | "alternative", by = 0): Criterion<M> => ({ kind: "better-than", metric: name, than, by }),
  notWorseThanChampion: (tolerance: number): Criterion<M> => ({ kind: "not-worse-than-champion", metric: name, tolerance }),
});

export const metric = criteria;
export const payoff = () => criteria("payoff_per_decision");
export const calibration = <const M extends "ece" | "brier">(name: M) => criteria(name);
export const latency = (quantile: LatencyCriterion["quantile"]) => ({
  atMost: (limit: `${number}ms`): LatencyCriterion => ({ kind: "latency", quantile, atMostMs: Number.parseFloat(limit) }),
});
/**
 * A version that passes everything that is measured waits until people have approved it:
 * `approval({ by: "operator", count: 2 })`.
 */
export const approval = ({ by, count = 1 }: { by: ApproverRole; count?: number }): ApprovalCriterion => ({
  kind: "approval",
  by,
  count,
});
/**
 * The worst value of a metric over the segment's values that have at least so many positive labels, or rows where the target is not binary:
 * `segment("carrier", { minPositives: 200 }).worst("roc_auc").atLeast(0.6)`, `segment("plan", { minRows: 500 }).worst("rmse").atMost(12)`.
 */
export const segment = (name: string, size: { minPositives: number } | { minRows: number }) => ({
  worst: <const M extends MetricName>(metricName: M) => {
    const criterion = { kind: "worst-segment", segment: name, metric: metricName, minPositives: 0, minRows: 0, ...size } as const;
    return {
      atLeast: (value: number): WorstSegmentCriterion<M> => ({ ...criterion, limit: "at-least", value }),
      atMost: (value: number): WorstSegmentCriterion<M> => ({ ...criterion, limit: "at-most", value }),
    };
  },
});

export interface TargetDefinition<T extends TargetType = TargetType> {
  readonly name: string;
  readonly type: T;
  /** How long after the labelled event the truth is due. */
  readonly groundTruthAfter: Duration;
  /** SQL condition over the label's source: these rows will never have a label. */
  readonly censored?: string;
}

interface CharterBasis<T extends TargetType> {
  readonly kind: "charter";
  readonly problem: string;
  readonly owner: string;
  readonly users: readonly string[];
  readonly target: TargetDefinition<T>;
  readonly data: readonly DataRequirement[];
  readonly accept: readonly Criterion[];
}

/** Whether something happens, and what is done from which probability on. */
export interface BinaryCharter extends CharterBasis<"binary"> {
  readonly decision: { readonly act: string; readonly when: ThresholdPolicy | ChosenThresholdPolicy; readonly payoff: Payoff };
  readonly alternative: RuleDefinition;
}

/** Which class, or how much: there is no threshold to act from, and no rule that would act without a model. */
export interface PredictionCharter<T extends "multiclass" | "regression" = "multiclass" | "regression"> extends CharterBasis<T> {
  /** What is done with the prediction. */
  readonly decision?: { readonly act: string };
  readonly alternative?: undefined;
}

/** The business problem and what would count as solving it. */
export type CharterDefinition = BinaryCharter | PredictionCharter;

type CharterInput<C extends CharterDefinition, M extends MetricName> = Omit<C, "kind" | "data" | "accept"> & {
  readonly data: readonly { readonly requirements: readonly DataRequirement[] }[];
  /** Metrics are those of the target's type. */
  readonly accept: readonly Criterion<M>[];
};

export function defineCharter(charter: CharterInput<BinaryCharter, BinaryMetric>): BinaryCharter;
export function defineCharter(
  charter: CharterInput<PredictionCharter<"multiclass">, MulticlassMetric>,
): PredictionCharter<"multiclass">;
export function defineCharter(
  charter: CharterInput<PredictionCharter<"regression">, RegressionMetric>,
): PredictionCharter<"regression">;
export function defineCharter(
  charter: CharterInput<BinaryCharter, MetricName> | CharterInput<PredictionCharter, MetricName>,
): CharterDefinition {
  return { ...charter, kind: "charter", data: charter.data.flatMap(({ requirements }) => requirements) };
}

export const isBinaryCharter = (charter: CharterDefinition): charter is BinaryCharter => charter.target.type === "binary";

/** What the model's figures of a decision are measured by. Nothing is decided unless the target is binary: no threshold, worth nothing. */
export function decisionOf(charter: CharterDefinition): CharterDecision {
  if (!isBinaryCharter(charter)) return { threshold: 0, payoff: { truePositive: 0, falsePositive: 0, falseNegative: 0 } };
  const { when, payoff: worth } = charter.decision;
  return when.kind === "threshold" ? { threshold: when.at, payoff: worth } : { threshold: 0.5, payoff: worth, goal: when.goal };
}

export interface CharterDecision {
  /** Where a goal is given: what stands until a candidate has chosen its own, and where none will do. */
  readonly threshold: number;
  readonly payoff: Payoff;
  readonly goal?: ThresholdGoal;
}
