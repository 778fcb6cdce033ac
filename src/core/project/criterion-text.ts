import type { Criterion } from "../definitions/index.ts";

const NAMES: Readonly<Record<string, string>> = {
  roc_auc: "ROC AUC",
  pr_auc: "PR AUC",
  log_loss: "log loss",
  brier: "Brier score",
  f1: "F1",
  ece: "calibration error",
  payoff_per_decision: "payoff per decision",
};

const name = (metric: string) => NAMES[metric] ?? metric;
const by = (amount: number) => (amount === 0 ? "" : ` by ${amount}`);

/** An acceptance criterion in words. */
export function criterionText(criterion: Criterion): string {
  switch (criterion.kind) {
    case "at-least":
      return `${name(criterion.metric)} at least ${criterion.value}`;
    case "at-most":
      return `${name(criterion.metric)} at most ${criterion.value}`;
    case "better-than":
      return `${name(criterion.metric)} better than the ${criterion.than === "baseline" ? "baseline" : "rule one would use without a model"}${by(criterion.by)}`;
    case "not-worse-than-champion":
      return `${name(criterion.metric)} not worse than the champion's by more than ${criterion.tolerance}`;
    case "worst-segment":
      return `${name(criterion.metric)} at least ${criterion.value} in the worst ${criterion.segment} with ${criterion.minPositives} positives or more`;
    case "latency":
      return `${criterion.quantile} of a prediction's latency at most ${criterion.atMostMs} ms`;
  }
}
