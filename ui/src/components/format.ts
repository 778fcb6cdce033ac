import type { MetricEstimate } from "../../../src/contract/index.ts";

const count = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat("en", { maximumSignificantDigits: 4 });
const percent = new Intl.NumberFormat("en", { style: "percent", maximumFractionDigits: 1 });

export const formatCount = (value: number): string => count.format(value);
export const formatNumber = (value: number): string => compact.format(value);
export const formatShare = (value: number): string => percent.format(value);

const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];

/** Powers of 1000, as disks and networks are sold. */
export function formatBytes(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[power]}`;
}

/** "2013-11-05 14:30 UTC". Never relative to the machine's clock: the project's clock may be a virtual one. */
export const formatInstant = (iso: string): string => `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`;
export const formatDay = (iso: string): string => iso.slice(0, 10);

/** Time between two instants, "…" while the second is not there. */
export function formatDuration(start: string | null, end: string | null): string {
  if (start === null) return "–";
  if (end === null) return "…";
  return formatSeconds((Date.parse(end) - Date.parse(start)) / 1000);
}

export function formatSeconds(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Three decimals for scores, which rarely deserve more; two once a value is large, as payoffs are; powers of ten where those would say nothing. */
export function formatMetric(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 0.001 || size >= 1e7)) return value.toExponential(2);
  return size >= 10 ? value.toFixed(2) : value.toFixed(3);
}
export const formatInterval = ({ low, high }: MetricEstimate): string => `${formatMetric(low)} to ${formatMetric(high)}`;

const METRIC_LABELS: Record<string, string> = {
  roc_auc: "ROC AUC",
  pr_auc: "PR AUC",
  log_loss: "Log loss",
  brier: "Brier score",
  f1: "F1",
  precision: "Precision",
  recall: "Recall",
  ece: "Calibration error",
  payoff_per_decision: "Payoff per decision",
  accuracy: "Accuracy",
  balanced_accuracy: "Balanced accuracy",
  f1_macro: "F1 (macro)",
  roc_auc_ovr: "ROC AUC (one against the rest)",
  rmse: "RMSE",
  mae: "Mean absolute error",
  r2: "R2",
  explained_variance: "Explained variance",
  median_ae: "Median absolute error",
  max_error: "Greatest error",
  mse: "Mean squared error",
  mape: "MAPE",
  smape: "sMAPE",
  pinball: "Pinball loss",
  poisson_deviance: "Poisson deviance",
};
const METRIC_ORDER = Object.keys(METRIC_LABELS);
/** Metrics of which less is better. */
const LOSSES = new Set([
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

export const metricLabel = (name: string): string => METRIC_LABELS[name] ?? name;
/** In words: SHAP values of a number are in its own units. */
export const scaleLabel = (scale: string): string => (scale === "value" ? "target's own units" : scale);
export const isLoss = (name: string): boolean => LOSSES.has(name);

/** Every metric that any of the tables has: the known ones in their customary order, then others by name. */
export function metricNames(tables: readonly Readonly<Record<string, MetricEstimate>>[]): string[] {
  const names = new Set(tables.flatMap((table) => Object.keys(table)));
  const known = METRIC_ORDER.filter((name) => names.has(name));
  return [...known, ...[...names].filter((name) => !METRIC_ORDER.includes(name)).sort()];
}

/** A logged value of any JSON type, short. */
export function formatValue(value: unknown): string {
  if (value === null || value === undefined) return "missing";
  if (typeof value === "number") return formatNumber(value);
  return typeof value === "string" ? value : JSON.stringify(value);
}

export const shortId = (id: string): string => (id.length > 14 ? `${id.slice(0, 12)}…` : id);
