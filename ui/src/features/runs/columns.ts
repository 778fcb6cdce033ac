import type { ListedRun, MetricEstimate } from "../../../../src/contract/index.ts";
import { metricLabel, metricNames } from "../../components/format.ts";
import type { RunsSearch } from "./address.ts";
import { metricSense } from "./metric-sense.ts";

/** A column of the list is named by what the search language calls it: the room and the key. */
export type Room = "metrics" | "params" | "tags" | "attributes";
const ROOMS: readonly string[] = ["metrics", "params", "tags", "attributes"] satisfies Room[];

export const columnKey = (room: Room, name: string): string => `${room}.${name}`;

/** Null for what is no column. */
export function columnOf(key: string): { room: Room; name: string } | null {
  const dot = key.indexOf(".");
  const room = key.slice(0, dot);
  const name = key.slice(dot + 1);
  return isRoom(room) && name !== "" ? { room, name } : null;
}
const isRoom = (text: string): text is Room => ROOMS.includes(text);

export const columnLabel = (key: string): string => {
  const column = columnOf(key);
  if (column === null) return key;
  return column.room === "metrics" ? metricLabel(column.name) : column.name;
};

export interface ColumnGroup {
  readonly group: string;
  readonly items: { readonly value: string; readonly label: string }[];
}

/** Tags that programs write for themselves. */
export const isInternalTag = (tag: string): boolean => tag.startsWith("mlflow.") || tag.startsWith("orrery.");

const namesOf = (tables: readonly Readonly<Record<string, unknown>>[]): string[] =>
  [...new Set(tables.flatMap((table) => Object.keys(table)))].sort();

/** Metrics that the runs have, those without a finite value too: the known ones in their customary order. */
export const runMetrics = (runs: readonly Pick<ListedRun, "metrics" | "notFinite">[]): string[] => {
  const unfinished = namesOf(runs.map(({ notFinite }) => notFinite));
  const absent = unfinished.filter((name) => runs.every(({ metrics }) => metrics[name] === undefined));
  return [...metricNames(runs.map(({ metrics }) => metrics)), ...absent];
};

/** What there is to choose from: all that the runs of this page have, and what is chosen already. */
export function columnChoices(runs: readonly ListedRun[], chosen: readonly string[]): ColumnGroup[] {
  const tags = namesOf(runs.map((run) => run.tags));
  const found: Record<Exclude<Room, "attributes">, string[]> = {
    metrics: runMetrics(runs),
    params: namesOf(runs.map(({ params }) => params)),
    tags: [...tags.filter((tag) => !isInternalTag(tag)), ...tags.filter(isInternalTag)],
  };
  const group = (title: string, room: Exclude<Room, "attributes">): ColumnGroup => {
    const kept = chosen.flatMap((key) => {
      const column = columnOf(key);
      return column?.room === room ? [column.name] : [];
    });
    const names = [...new Set([...found[room], ...kept])];
    return {
      group: title,
      items: names.map((name) => ({
        value: columnKey(room, name),
        label: room === "metrics" ? metricLabel(name) : name,
      })),
    };
  };
  return [group("Metrics", "metrics"), group("Params", "params"), group("Tags", "tags")].filter(({ items }) => items.length > 0);
}

const LEADING_METRICS = 4;
const LEADING_PARAMS = 2;

/** The columns of somebody who chose none: the leading metrics, and the params that tell these runs apart. */
export function shownColumns({ columns }: RunsSearch, runs: readonly ListedRun[]): string[] {
  if (columns !== undefined) return columns.filter((key) => columnOf(key) !== null);
  const params = namesOf(runs.map((run) => run.params)).filter((name) => new Set(runs.map((run) => run.params[name])).size > 1);
  return [
    ...runMetrics(runs)
      .slice(0, LEADING_METRICS)
      .map((name) => columnKey("metrics", name)),
    ...params.slice(0, LEADING_PARAMS).map((name) => columnKey("params", name)),
  ];
}

export type Cell =
  | { readonly kind: "estimate"; readonly estimate: MetricEstimate }
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "none" };

export function cellOf(run: ListedRun, key: string): Cell {
  const column = columnOf(key);
  if (column === null) return { kind: "none" };
  const { room, name } = column;
  if (room === "metrics") {
    const estimate = run.metrics[name];
    if (estimate !== undefined) return { kind: "estimate", estimate };
  }
  const text = room === "metrics" ? run.notFinite[name] : room === "params" ? run.params[name] : run.tags[name];
  return text === undefined ? { kind: "none" } : { kind: "text", text };
}

export type Direction = "ascending" | "descending";

export const directionOf = ({ sort, descending = false }: RunsSearch, key: string): Direction | null =>
  sort !== key ? null : descending ? "descending" : "ascending";

/** What one looks for first: the best of a metric, the newest of a time, the first of a name. */
const firstDirection = (key: string): Direction => {
  const column = columnOf(key);
  if (column?.room === "metrics") return metricSense(column.name) === "less" ? "ascending" : "descending";
  return column?.room === "attributes" && column.name.endsWith("_time") ? "descending" : "ascending";
};

/** A press on a column's head: its first direction, then the other, then as the list stands by itself. */
export function nextSort(search: RunsSearch, key: string): Pick<RunsSearch, "sort" | "descending"> {
  const now = directionOf(search, key);
  const first = firstDirection(key);
  if (now !== null && now !== first) return {};
  const next = now === null ? first : first === "ascending" ? "descending" : "ascending";
  return { sort: key, ...(next === "descending" && { descending: true }) };
}

/** In the search language; undefined: newest first. A name in quotes may be anything. */
export function orderBy({ sort, descending = false }: RunsSearch): string | undefined {
  const column = sort === undefined ? null : columnOf(sort);
  if (column === null) return undefined;
  return `${column.room}."${column.name.replaceAll('"', '""')}" ${descending ? "DESC" : "ASC"}`;
}
