import { isLoss, metricLabel } from "../../components/format.ts";

/** Words by which metrics of other people's programs say what they are: "val_loss", "eval/accuracy", "validation_0-rmse". */
const LESS = new Set([
  "loss",
  "error",
  "err",
  "mae",
  "mse",
  "rmse",
  "mape",
  "smape",
  "logloss",
  "perplexity",
  "brier",
  "ece",
  "wer",
  "cer",
  "nll",
]);
const MORE = new Set([
  "accuracy",
  "acc",
  "auc",
  "auroc",
  "auprc",
  "f1",
  "precision",
  "recall",
  "r2",
  "bleu",
  "rouge",
  "iou",
  "map",
  "ndcg",
  "score",
]);

/** Which values of a metric are better; null where nothing says. */
export function metricSense(name: string): "less" | "more" | null {
  if (isLoss(name)) return "less";
  if (metricLabel(name) !== name) return "more";
  const words = name.toLowerCase().split(/[^a-z0-9]+/);
  if (words.some((word) => LESS.has(word))) return "less";
  return words.some((word) => MORE.has(word)) ? "more" : null;
}
