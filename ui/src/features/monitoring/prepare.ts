import type { Alert, Monitoring } from "../../../../src/contract/index.ts";
import { formatDay, formatNumber } from "../../components/format.ts";

/** Up to half of the limit, up to the limit, up to twice, up to four times, beyond; null: too few rows to tell. */
export type HeatLevel = 0 | 1 | 2 | 3 | 4 | null;

export const heatLevel = (score: number | null): HeatLevel => {
  if (score === null) return null;
  if (score <= 0.5) return 0;
  if (score <= 1) return 1;
  if (score <= 2) return 2;
  return score <= 4 ? 3 : 4;
};

export interface HeatCell {
  readonly id: string;
  readonly level: HeatLevel;
  readonly title: string;
}
export interface HeatRow {
  readonly feature: string;
  readonly cells: readonly HeatCell[];
  /** Windows over the limit. */
  readonly over: number;
  readonly worst: number;
}
export interface HeatMap {
  /** A day on every few windows, empty between. */
  readonly labels: readonly { readonly id: string; readonly text: string }[];
  readonly features: readonly HeatRow[];
  readonly seasonal: readonly HeatRow[];
}

const LABELS = 8;

/** Rows that went over the limit first, by how far; seasonal features apart, because their drift alone is no alarm. */
export function heatMap({ windows, rows }: Monitoring["drift"]): HeatMap {
  const every = Math.max(1, Math.ceil(windows.length / LABELS));
  const prepared = rows.map(({ feature, seasonal, scores }) => {
    const known = scores.filter((score) => score !== null);
    const cells = windows.map((window, index): HeatCell => {
      const score = scores[index] ?? null;
      const said = score === null ? "too few rows" : `${formatNumber(score)} of the limit`;
      return {
        id: window.start,
        level: heatLevel(score),
        title: `${feature}, ${formatDay(window.start)}: ${said} (${window.rows} rows)`,
      };
    });
    return { feature, seasonal, cells, over: known.filter((score) => score > 1).length, worst: Math.max(0, ...known) };
  });
  const ordered = prepared.sort((a, b) => b.worst - a.worst || a.feature.localeCompare(b.feature));
  return {
    labels: windows.map(({ start }, index) => ({ id: start, text: index % every === 0 ? start.slice(5, 10) : "" })),
    features: ordered.filter(({ seasonal }) => !seasonal),
    seasonal: ordered.filter(({ seasonal }) => seasonal),
  };
}

export interface PerformancePoint {
  readonly at: Date;
  readonly value: number;
  readonly low: number;
  readonly high: number;
}
export interface PerformanceChartData {
  readonly metric: string;
  readonly realised: readonly PerformancePoint[];
  /** Only for ROC AUC, which alone is estimated without labels. */
  readonly estimated: readonly { readonly at: Date; readonly value: number }[];
  readonly coverage: readonly { readonly from: Date; readonly to: Date; readonly share: number }[];
}

const middle = ({ start, end }: { start: string; end: string }): Date => new Date((Date.parse(start) + Date.parse(end)) / 2);

export function performanceChart(windows: Monitoring["performance"], metric: string): PerformanceChartData {
  return {
    metric,
    realised: windows.flatMap((window) => {
      const estimate = window.metrics[metric];
      return estimate === undefined ? [] : [{ at: middle(window), ...estimate }];
    }),
    estimated:
      metric === "roc_auc"
        ? windows.flatMap((window) =>
            window.estimatedRocAuc === null ? [] : [{ at: middle(window), value: window.estimatedRocAuc }],
          )
        : [],
    coverage: windows.flatMap(({ start, end, labelCoverage }) =>
      labelCoverage === null ? [] : [{ from: new Date(start), to: new Date(end), share: labelCoverage }],
    ),
  };
}

/** Sums over all windows: what was predicted, what never gets a label, the slowest window. */
export function totals(windows: Monitoring["performance"]) {
  const slowest = windows.reduce<number | null>((most, { latencyP99Ms }) => {
    if (latencyP99Ms === null) return most;
    return most === null ? latencyP99Ms : Math.max(most, latencyP99Ms);
  }, null);
  return {
    predictions: windows.reduce((sum, window) => sum + window.predictions, 0),
    censored: windows.reduce((sum, window) => sum + window.censored, 0),
    slowestP99Ms: slowest,
  };
}

const ATTENTION = { open: 0, acknowledged: 1, resolved: 2 } as const;

/** Open ones first, then the newest. */
export const orderAlerts = (alerts: readonly Alert[]): Alert[] =>
  [...alerts].sort((a, b) => ATTENTION[a.status] - ATTENTION[b.status] || b.openedAt.localeCompare(a.openedAt));
