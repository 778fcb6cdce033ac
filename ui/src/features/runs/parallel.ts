import type { ListedRun } from "../../../../src/contract/index.ts";
import { formatNumber } from "../../components/format.ts";
import { columnKey, columnLabel, columnOf, runMetrics } from "./columns.ts";
import { labelOf } from "./compare.ts";

export interface ParallelTick {
  /** From 0, the bottom, to 1. */
  readonly at: number;
  readonly label: string;
}

export interface ParallelAxis {
  readonly key: string;
  readonly label: string;
  readonly ticks: readonly ParallelTick[];
}

export interface ParallelLine {
  readonly id: string;
  readonly label: string;
  /** One an axis; null where the run has nothing there, and its line a gap. */
  readonly places: readonly (number | null)[];
  /** Place on the last axis, which gives the colour; null without one. */
  readonly shade: number | null;
  readonly values: readonly string[];
}

export interface ParallelChartData {
  readonly axes: readonly ParallelAxis[];
  readonly lines: readonly ParallelLine[];
}

const loggedValue = (run: ListedRun, key: string): number | string | undefined => {
  const column = columnOf(key);
  return column?.room === "metrics" ? run.metrics[column.name]?.value : column === null ? undefined : run.params[column.name];
};

/** Everything an axis could be made of: params, then metrics, that at least one run has. */
export function axisChoices(runs: readonly ListedRun[]): string[] {
  const params = [...new Set(runs.flatMap(({ params }) => Object.keys(params)))].sort();
  const metrics = runMetrics(runs).filter((name) => runs.some((run) => run.metrics[name] !== undefined));
  return [...params.map((name) => columnKey("params", name)), ...metrics.map((name) => columnKey("metrics", name))];
}

const MOST_PARAMS = 6;

/** The params that tell the runs apart, and the leading metric last, which colours the lines. */
export function usualAxes(runs: readonly ListedRun[]): string[] {
  const all = axisChoices(runs);
  const differing = all.filter((key) => new Set(runs.map((run) => loggedValue(run, key))).size > 1);
  const metric = all.find((key) => columnOf(key)?.room === "metrics");
  return [
    ...differing.filter((key) => columnOf(key)?.room === "params").slice(0, MOST_PARAMS),
    ...(metric === undefined ? [] : [metric]),
  ];
}

/** A value that reads as a number, as params are logged: texts. */
const numberOf = (value: number | string): number =>
  typeof value === "number" ? value : value.trim() === "" ? Number.NaN : Number(value);

interface Scale {
  readonly axis: ParallelAxis;
  readonly place: (value: number | string) => number | null;
}

function scaleOf(runs: readonly ListedRun[], key: string): Scale {
  const values = runs.flatMap((run) => loggedValue(run, key) ?? []);
  const axis = (ticks: readonly ParallelTick[]): ParallelAxis => ({ key, label: columnLabel(key), ticks });
  const numbers = values.map(numberOf);
  if (numbers.length > 0 && numbers.every(Number.isFinite)) {
    const least = Math.min(...numbers);
    const greatest = Math.max(...numbers);
    const span = greatest - least;
    // Rates of 0.001 to 1 lie on a line of their powers, else all but the greatest would be one.
    const powers = least > 0 && greatest / least >= 100;
    const place = (value: number) => {
      if (span === 0) return 0.5;
      return powers ? Math.log(value / least) / Math.log(greatest / least) : (value - least) / span;
    };
    const middle = powers ? Math.sqrt(least * greatest) : (least + greatest) / 2;
    const ticks = span === 0 ? [least] : [least, middle, greatest];
    return {
      axis: axis(ticks.map((value) => ({ at: place(value), label: formatNumber(value) }))),
      place: (value) => place(numberOf(value)),
    };
  }
  const words = [...new Set(values.map(String))].sort().reverse();
  const place = (word: string): number | null => {
    const index = words.indexOf(word);
    return index < 0 ? null : words.length === 1 ? 0.5 : index / (words.length - 1);
  };
  return { axis: axis(words.map((word) => ({ at: place(word) ?? 0, label: word }))), place: (value) => place(String(value)) };
}

export function parallelChart(runs: readonly ListedRun[], keys: readonly string[]): ParallelChartData {
  const scales = keys.map((key) => scaleOf(runs, key));
  const lines = runs.map((run) => {
    const values = keys.map((key) => loggedValue(run, key));
    const places = values.map((value, index) => (value === undefined ? null : (scales[index]?.place(value) ?? null)));
    return {
      id: run.id,
      label: labelOf(run, runs),
      places,
      shade: places.at(-1) ?? null,
      values: values.map((value, index) => {
        const text = value === undefined ? "–" : typeof value === "number" ? formatNumber(value) : value;
        return `${scales[index]?.axis.label}: ${text}`;
      }),
    };
  });
  return { axes: scales.map(({ axis }) => axis), lines };
}

/** The stretches of a line between its gaps, each a list of axes' indices. */
export function stretchesOf({ places }: ParallelLine): { axis: number; at: number }[][] {
  const stretches: { axis: number; at: number }[][] = [];
  let open: { axis: number; at: number }[] = [];
  for (const [axis, at] of places.entries()) {
    if (at !== null) open.push({ axis, at });
    else {
      if (open.length > 0) stretches.push(open);
      open = [];
    }
  }
  if (open.length > 0) stretches.push(open);
  return stretches;
}
