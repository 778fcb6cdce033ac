import type { Run, RunSummary } from "../../../../src/contract/index.ts";
import { isLoss, metricLabel, metricNames } from "../../components/format.ts";

/** The metrics that fit beside everything else in the list of runs. */
export const leadingMetrics = (runs: readonly RunSummary[], most = 4): string[] =>
  metricNames(runs.map(({ metrics }) => metrics)).slice(0, most);

export interface ComparedRow {
  readonly name: string;
  /** One cell a run; null: the run does not have it. */
  readonly values: (string | null)[];
  readonly differs: boolean;
}

/** Params of several runs side by side, those that differ first. */
export function compareParams(runs: readonly Run[]): ComparedRow[] {
  const names = [...new Set(runs.flatMap(({ params }) => Object.keys(params)))].sort();
  const rows = names.map((name) => {
    const values = runs.map(({ params }) => params[name] ?? null);
    return { name, values, differs: new Set(values).size > 1 };
  });
  return rows.sort((a, b) => Number(b.differs) - Number(a.differs));
}

/** Index of the run that is best in a metric; null where fewer than two have it, or where two share the best. */
export function bestRun(runs: readonly RunSummary[], metric: string): number | null {
  const scored = runs.flatMap((run, index) => {
    const value = run.metrics[metric]?.value;
    return value === undefined ? [] : [{ index, value: isLoss(metric) ? -value : value }];
  });
  if (scored.length < 2) return null;
  const best = scored.reduce((leader, each) => (each.value > leader.value ? each : leader));
  return scored.filter(({ value }) => value === best.value).length > 1 ? null : best.index;
}

export interface IntervalDot {
  readonly row: string;
  readonly metric: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Every run's estimate of every metric, for a chart of intervals with one facet a metric. */
export const metricDots = (runs: readonly { label: string; metrics: RunSummary["metrics"] }[]): IntervalDot[] =>
  metricNames(runs.map(({ metrics }) => metrics)).flatMap((name) =>
    runs.flatMap(({ label, metrics }) => {
      const estimate = metrics[name];
      return estimate === undefined ? [] : [{ row: label, metric: metricLabel(name), ...estimate }];
    }),
  );

/** What the list's choices are in the filter language; trials of searches carry a tag that says whose they are. */
export const runFilter = (status: string | null, trials: boolean): string =>
  [...(status === null ? [] : [`attributes.status = '${status}'`]), ...(trials ? [] : ["tags.`orrery.trial` IS NULL"])].join(
    " AND ",
  );

/** At most this many runs are compared at once: more columns cannot be read side by side. */
export const MOST_COMPARED = 6;

/** Adds or removes a run; the oldest choice goes when there are too many. */
export const toggleSelection = (selected: readonly string[], id: string): string[] =>
  selected.includes(id) ? selected.filter((other) => other !== id) : [...selected, id].slice(-MOST_COMPARED);
