import type { Duration } from "../time.ts";
import type { SourceDefinition } from "./source.ts";

/** Act when the predicted probability is at least this. */
export interface ThresholdPolicy {
  readonly kind: "threshold";
  readonly at: number;
}
export const threshold = (at: number): ThresholdPolicy => ({ kind: "threshold", at });

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

/** Of a classifier of two classes; those of the decision act from the charter's threshold on. */
export type BinaryMetric =
  | "roc_auc"
  | "pr_auc"
  | "ks"
  | "log_loss"
  | "brier"
  | "f1"
  | "precision"
  | "recall"
  | "specificity"
  | "accuracy"
  | "balanced_accuracy"
  | "mcc"
  | "kappa"
  | "ece"
  | "mce"
  | "payoff_per_decision";

/** Of a classifier of several classes; macro: each class counts alike, weighted: by its rows. */
export type MulticlassMetric =
  | "accuracy"
  | "balanced_accuracy"
  | "top_2_accuracy"
  | "top_3_accuracy"
  | "precision_macro"
  | "precision_weighted"
  | "recall_macro"
  | "recall_weighted"
  | "f1_macro"
  | "f1_weighted"
  | "log_loss"
  | "brier"
  | "mcc"
  | "kappa"
  | "quadratic_kappa"
  | "roc_auc_ovr"
  | "roc_auc_ovr_weighted"
  | "roc_auc_ovo"
  | "roc_auc_ovo_weighted";

export type RegressionMetric =
  | "mae"
  | "median_ae"
  | "mse"
  | "rmse"
  | "mape"
  | "smape"
  | "max_error"
  | "r2"
  | "explained_variance"
  | "pinball"
  | "poisson_deviance";

export type MetricName = BinaryMetric | MulticlassMetric | RegressionMetric;

/** One acceptance criterion: data, evaluated by gates, on live traffic and at the head of the model card. */
export type Criterion =
  | { readonly kind: "at-least"; readonly metric: MetricName; readonly value: number }
  | { readonly kind: "at-most"; readonly metric: MetricName; readonly value: number }
  | { readonly kind: "better-than"; readonly metric: MetricName; readonly than: "baseline" | "alternative"; readonly by: number }
  | { readonly kind: "not-worse-than-champion"; readonly metric: MetricName; readonly tolerance: number }
  | {
      readonly kind: "worst-segment";
      readonly segment: string;
      readonly metric: MetricName;
      readonly minPositives: number;
      readonly value: number;
    }
  | { readonly kind: "latency"; readonly quantile: "p50" | "p95" | "p99"; readonly atMostMs: number };

const criteria = (name: MetricName) => ({
  atLeast: (value: number): Criterion => ({ kind: "at-least", metric: name, value }),
  atMost: (value: number): Criterion => ({ kind: "at-most", metric: name, value }),
  betterThanBaseline: (by = 0): Criterion => ({ kind: "better-than", metric: name, than: "baseline", by }),
  betterThan: (than: "baseline" | "alternative", by = 0): Criterion => ({ kind: "better-than", metric: name, than, by }),
  notWorseThanChampion: (tolerance: number): Criterion => ({ kind: "not-worse-than-champion", metric: name, tolerance }),
});

export const metric = criteria;
export const payoff = () => criteria("payoff_per_decision");
export const calibration = (name: "ece" | "brier") => criteria(name);
export const latency = (quantile: "p50" | "p95" | "p99") => ({
  atMost: (limit: `${number}ms`): Criterion => ({ kind: "latency", quantile, atMostMs: Number.parseFloat(limit) }),
});
/** The worst value of a metric over the segment's values that have at least `minPositives` positive labels. */
export const segment = (name: string, { minPositives }: { minPositives: number }) => ({
  worst: (metricName: MetricName) => ({
    atLeast: (value: number): Criterion => ({ kind: "worst-segment", segment: name, metric: metricName, minPositives, value }),
  }),
});

/** The business problem and what would count as solving it. */
export interface CharterDefinition {
  readonly kind: "charter";
  readonly problem: string;
  readonly decision: { readonly act: string; readonly when: ThresholdPolicy; readonly payoff: Payoff };
  readonly alternative: RuleDefinition;
  readonly owner: string;
  readonly users: readonly string[];
  readonly target: {
    readonly name: string;
    readonly type: "binary";
    /** How long after the labelled event the truth is due. */
    readonly groundTruthAfter: Duration;
    /** SQL condition over the label's source: these rows will never have a label. */
    readonly censored?: string;
  };
  readonly data: readonly DataRequirement[];
  readonly accept: readonly Criterion[];
}

export function defineCharter(
  charter: Omit<CharterDefinition, "kind" | "data"> & { data: readonly { readonly requirements: readonly DataRequirement[] }[] },
): CharterDefinition {
  return { ...charter, kind: "charter", data: charter.data.flatMap(({ requirements }) => requirements) };
}
