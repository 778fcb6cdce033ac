import type { Criterion, MetricName, WorstSegmentCriterion } from "../definitions/index.ts";

const METRIC_TEXT: Readonly<Record<MetricName, string>> = {
  roc_auc: "ROC AUC",
  pr_auc: "PR AUC",
  ks: "Kolmogorov-Smirnov distance",
  log_loss: "log loss",
  brier: "Brier score",
  f1: "F1",
  precision: "precision",
  recall: "recall",
  specificity: "specificity",
  accuracy: "accuracy",
  balanced_accuracy: "balanced accuracy",
  mcc: "Matthews correlation",
  kappa: "Cohen's kappa",
  ece: "calibration error (ECE)",
  mce: "greatest calibration error (MCE)",
  payoff_per_decision: "payoff per decision",
  top_2_accuracy: "top-2 accuracy",
  top_3_accuracy: "top-3 accuracy",
  precision_macro: "precision (macro)",
  precision_weighted: "precision (weighted)",
  recall_macro: "recall (macro)",
  recall_weighted: "recall (weighted)",
  f1_macro: "F1 (macro)",
  f1_weighted: "F1 (weighted)",
  quadratic_kappa: "quadratic kappa",
  roc_auc_ovr: "ROC AUC (one against the rest)",
  roc_auc_ovr_weighted: "ROC AUC (one against the rest, weighted)",
  roc_auc_ovo: "ROC AUC (pairs of classes)",
  roc_auc_ovo_weighted: "ROC AUC (pairs of classes, weighted)",
  mae: "mean absolute error",
  median_ae: "median absolute error",
  mse: "mean squared error",
  rmse: "root mean squared error",
  mape: "mean absolute percentage error",
  smape: "symmetric mean absolute percentage error",
  max_error: "greatest error",
  r2: "R2",
  explained_variance: "explained variance",
  pinball: "pinball loss",
  poisson_deviance: "Poisson deviance",
};

export const metricText = (metric: MetricName): string => METRIC_TEXT[metric];

export const segmentSizeText = ({ minPositives, minRows }: Pick<WorstSegmentCriterion, "minPositives" | "minRows">): string =>
  minRows > 0 ? `${minRows} rows` : `${minPositives} positives`;

/** A criterion in words, as gates, the UI and the model card show it. */
export function criterionText(criterion: Criterion): string {
  switch (criterion.kind) {
    case "at-least":
      return `${metricText(criterion.metric)} at least ${criterion.value}`;
    case "at-most":
      return `${metricText(criterion.metric)} at most ${criterion.value}`;
    case "better-than":
      return `${metricText(criterion.metric)} better than the ${criterion.than}${criterion.by === 0 ? "" : ` by ${criterion.by}`}`;
    case "not-worse-than-champion":
      return `${metricText(criterion.metric)} not worse than the champion's by more than ${criterion.tolerance}`;
    case "worst-segment":
      return `worst ${metricText(criterion.metric)} by ${criterion.segment} (from ${segmentSizeText(criterion)}) ${criterion.limit === "at-least" ? "at least" : "at most"} ${criterion.value}`;
    case "latency":
      return `${criterion.quantile} latency at most ${criterion.atMostMs} ms`;
    case "approval":
      return `approval by ${criterion.count === 1 ? "one person" : `${criterion.count} people`} with the role ${criterion.by}`;
  }
}
