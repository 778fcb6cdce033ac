import type { Criterion, MetricName } from "../definitions/index.ts";

const METRIC_TEXT: Readonly<Record<MetricName, string>> = {
  roc_auc: "ROC AUC",
  pr_auc: "PR AUC",
  log_loss: "log loss",
  brier: "Brier score",
  f1: "F1",
  precision: "precision",
  recall: "recall",
  ece: "calibration error (ECE)",
  payoff_per_decision: "payoff per decision",
};

export const metricText = (metric: MetricName): string => METRIC_TEXT[metric];

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
      return `worst ${metricText(criterion.metric)} by ${criterion.segment} (from ${criterion.minPositives} positives) at least ${criterion.value}`;
    case "latency":
      return `${criterion.quantile} latency at most ${criterion.atMostMs} ms`;
  }
}
