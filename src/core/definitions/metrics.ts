/** What is predicted: whether, which of several classes, or how much. */
export type TargetType = "binary" | "multiclass" | "regression";

/** Of a classifier of two classes; those of the decision act from the charter's threshold on. */
export const BINARY_METRICS = [
  "roc_auc",
  "pr_auc",
  "ks",
  "log_loss",
  "brier",
  "f1",
  "precision",
  "recall",
  "specificity",
  "accuracy",
  "balanced_accuracy",
  "mcc",
  "kappa",
  "ece",
  "mce",
  "payoff_per_decision",
] as const;

/** Of a classifier of several classes; macro: each class counts alike, weighted: by its rows. */
export const MULTICLASS_METRICS = [
  "accuracy",
  "balanced_accuracy",
  "top_2_accuracy",
  "top_3_accuracy",
  "precision_macro",
  "precision_weighted",
  "recall_macro",
  "recall_weighted",
  "f1_macro",
  "f1_weighted",
  "log_loss",
  "brier",
  "mcc",
  "kappa",
  "quadratic_kappa",
  "roc_auc_ovr",
  "roc_auc_ovr_weighted",
  "roc_auc_ovo",
  "roc_auc_ovo_weighted",
] as const;

export const REGRESSION_METRICS = [
  "mae",
  "median_ae",
  "mse",
  "rmse",
  "mape",
  "smape",
  "max_error",
  "r2",
  "explained_variance",
  "pinball",
  "poisson_deviance",
] as const;

export type BinaryMetric = (typeof BINARY_METRICS)[number];
export type MulticlassMetric = (typeof MULTICLASS_METRICS)[number];
export type RegressionMetric = (typeof REGRESSION_METRICS)[number];
export type MetricName = BinaryMetric | MulticlassMetric | RegressionMetric;

export const METRICS_OF: Readonly<Record<TargetType, readonly MetricName[]>> = {
  binary: BINARY_METRICS,
  multiclass: MULTICLASS_METRICS,
  regression: REGRESSION_METRICS,
};

/** Metrics for which less is better. */
const LOSSES: ReadonlySet<MetricName> = new Set([
  "log_loss",
  "brier",
  "ece",
  "mce",
  "mae",
  "median_ae",
  "mse",
  "rmse",
  "mape",
  "smape",
  "max_error",
  "pinball",
  "poisson_deviance",
]);

export const higherIsBetter = (metric: MetricName): boolean => !LOSSES.has(metric);
