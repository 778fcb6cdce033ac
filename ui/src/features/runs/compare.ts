import type { ListedRun, MetricEstimate } from "../../../../src/contract/index.ts";
import { metricLabel, metricNames } from "../../components/format.ts";
import { runMetrics } from "./columns.ts";
import { metricSense } from "./metric-sense.ts";

/** What the page asks for: these runs, wherever they are, deleted ones too. Ids hold neither quotes nor anything else to escape but those. */
export const comparedFilter = (ids: readonly string[]): string =>
  `run_id IN (${ids.map((id) => `'${id.replaceAll("'", "''")}'`).join(", ")})`;

/** In the order that was asked for, and which of them are not there. */
export function inAskedOrder(ids: readonly string[], found: readonly ListedRun[]): { runs: ListedRun[]; missing: string[] } {
  const byId = new Map(found.map((run) => [run.id, run]));
  return { runs: ids.flatMap((id) => byId.get(id) ?? []), missing: ids.filter((id) => !byId.has(id)) };
}

/** Runs of one name are told apart by the start of their ids. */
export const labelOf = (run: ListedRun, runs: readonly ListedRun[]): string =>
  runs.filter(({ name }) => name === run.name).length > 1 ? `${run.name} (${run.id.slice(0, 8)})` : run.name;

export interface ComparedRow {
  readonly name: string;
  /** One cell a run; null: the run does not have it. */
  readonly values: readonly (string | null)[];
  readonly differs: boolean;
}

/** Params or tags of several runs side by side, those that differ first. */
export function compareTexts(tables: readonly Readonly<Record<string, string>>[]): ComparedRow[] {
  const names = [...new Set(tables.flatMap((table) => Object.keys(table)))].sort();
  const rows = names.map((name) => {
    const values = tables.map((table) => table[name] ?? null);
    return { name, values, differs: new Set(values).size > 1 };
  });
  return rows.sort((a, b) => Number(b.differs) - Number(a.differs));
}

export interface MetricCell {
  readonly estimate: MetricEstimate | undefined;
  /** What a value says that is no finite number. */
  readonly text: string | undefined;
  readonly best: boolean;
}

export interface MetricRow {
  readonly name: string;
  readonly label: string;
  readonly cells: readonly MetricCell[];
  readonly differs: boolean;
}

export function compareMetrics(runs: readonly ListedRun[]): MetricRow[] {
  return runMetrics(runs).map((name) => {
    const best = bestRun(runs, name);
    const values = runs.map((run) => run.metrics[name]?.value ?? run.notFinite[name] ?? null);
    return {
      name,
      label: metricLabel(name),
      cells: runs.map((run, index) => ({
        estimate: run.metrics[name],
        text: run.metrics[name] === undefined ? run.notFinite[name] : undefined,
        best: index === best,
      })),
      differs: new Set(values).size > 1,
    };
  });
}

/** Index of the run that is best in a metric; null where fewer than two have it, where two share the best, or where nothing says which is better. */
export function bestRun(runs: readonly Pick<ListedRun, "metrics">[], metric: string): number | null {
  const sense = metricSense(metric);
  if (sense === null) return null;
  const scored = runs.flatMap((run, index) => {
    const value = run.metrics[metric]?.value;
    return value === undefined ? [] : [{ index, value: sense === "less" ? -value : value }];
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

/** Every run's estimate of every metric that was measured with intervals, for a chart a metric. */
export function metricDots(runs: readonly { label: string; metrics: ListedRun["metrics"] }[]): IntervalDot[] {
  return metricNames(runs.map(({ metrics }) => metrics)).flatMap((name) => {
    const dots = runs.flatMap(({ label, metrics }) => {
      const estimate = metrics[name];
      return estimate === undefined ? [] : [{ row: label, metric: metricLabel(name), ...estimate }];
    });
    return dots.some(({ low, high }) => low < high) ? dots : [];
  });
}
