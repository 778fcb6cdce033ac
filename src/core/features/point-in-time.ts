import type { Micros } from "../time.ts";
import { ascending } from "./ascending.ts";
import type { AggregateFeature, AvailabilityClass, CompiledView } from "./compile-view.ts";
import { LatestRows } from "./latest-rows.ts";
import { type ClassRows, decodedTexts, type FeatureArray, takeRows, type ViewRows, type WindowValues } from "./view-rows.ts";
import { aggregateOf, figuresWanted, WindowAccumulator } from "./window-accumulators.ts";

/** Who is asked about, and when. `entity[i]` is a code below `entities`, or -1 for nobody known; `at` ascends. */
export interface Asks {
  readonly entities: number;
  readonly entity: Int32Array;
  readonly at: Float64Array;
}

/**
 * Point-in-time join of one view: each feature's values at each ask, from what had happened, was available and was not yet superseded
 * by then. One sweep over time per class of availability, all entities at once: rows enter in the order in which they become visible
 * and leave a window in the order of their events, or when a later version takes their place. O((rows + asks) log rows).
 *
 * @param entity code of each source row's entity
 */
export function joinView(view: CompiledView, source: ViewRows, entity: Int32Array, asks: Asks): Map<string, FeatureArray> {
  const joined = new Map<string, FeatureArray>();
  const hasWindows = view.longestWindow > 0;
  const byEvent = hasWindows ? ascending(source.eventAt) : new Uint32Array(0);
  const bySuperseded = hasWindows && source.supersededAt !== null ? ascending(source.supersededAt) : new Uint32Array(0);
  view.classes.forEach((each, index) => {
    const rows = source.classes[index];
    if (rows === undefined) return;
    const sweep: Sweep = { source, rows, entity, byVisible: ascending(rows.visibleAt), byEvent, bySuperseded, asks };
    if (each.latest.length > 0) {
      const matched = latestRows(sweep, view.ttl);
      each.latest.forEach(({ name }, feature) => {
        const values = rows.latest[feature];
        if (values !== undefined) joined.set(name, takeRows(values, matched));
      });
    }
    for (const [name, values] of windowAggregates(each, sweep)) joined.set(name, values);
  });
  return joined;
}

/** Rows of one class, the orders in which they come and go, and who asks. */
interface Sweep {
  readonly source: ViewRows;
  readonly rows: ClassRows;
  readonly entity: Int32Array;
  readonly byVisible: Uint32Array;
  readonly byEvent: Uint32Array;
  readonly bySuperseded: Uint32Array;
  readonly asks: Asks;
}

/** Whether the first row is later by event, then by availability, then by place. */
function rowOrder({ eventAt, position }: ViewRows, { availableAt }: ClassRows) {
  return (one: number, other: number): boolean =>
    eventAt[one] > eventAt[other] ||
    (eventAt[one] === eventAt[other] &&
      (availableAt[one] > availableAt[other] || (availableAt[one] === availableAt[other] && position[one] > position[other])));
}

/** Latest row among those visible at each ask; -1 for none. */
function latestRows({ source, rows, entity, byVisible, asks }: Sweep, ttl: Micros | null): Int32Array {
  const { eventAt, supersededAt } = source;
  const { visibleAt } = rows;
  const latest = new LatestRows(asks.entities, { isAhead: rowOrder(source, rows), supersededAt });
  const matched = new Int32Array(asks.at.length);
  let next = 0;
  for (let ask = 0; ask < matched.length; ask++) {
    const at = asks.at[ask];
    for (; next < byVisible.length && visibleAt[byVisible[next]] <= at; next++) {
      const row = byVisible[next];
      if (supersededAt === null || !(supersededAt[row] <= visibleAt[row])) latest.enter(entity[row], row);
    }
    const row = asks.entity[ask] < 0 ? -1 : latest.at(asks.entity[ask], at);
    matched[ask] = row >= 0 && ttl !== null && eventAt[row] < at - ttl ? -1 : row;
  }
  return matched;
}

function windowAggregates({ aggregates }: AvailabilityClass, sweep: Sweep): Map<string, FeatureArray> {
  const results = new Map<string, FeatureArray>();
  for (const group of groupBy(aggregates, ({ value, window }) => `${value} ${window}`)) {
    const [{ value, window }] = group;
    const values = value < 0 ? null : (sweep.rows.expressions[value] ?? null);
    const outputs = sweepWindow(group, values?.values ?? null, window, sweep);
    group.forEach((feature, output) => {
      results.set(feature.name, aggregateArray(feature, outputs[output], values));
    });
  }
  return results;
}

/** First and last values are given back as what they are; all else is a number. */
function aggregateArray({ fn, type }: AggregateFeature, values: Float64Array, of: WindowValues | null): FeatureArray {
  const texts = fn === "first" || fn === "last" ? (of?.texts ?? null) : null;
  if (texts !== null) return decodedTexts(values, texts, type);
  return { type: type === "string" ? "float64" : type, values };
}

/** Each function's value at each ask, over the rows of one expression (null: rows are counted) in one window. */
function sweepWindow(
  group: readonly AggregateFeature[],
  values: Float64Array | null,
  window: Micros,
  { source, rows, entity, byVisible, byEvent, bySuperseded, asks }: Sweep,
): Float64Array[] {
  const { eventAt, supersededAt } = source;
  const { visibleAt } = rows;
  const wanted = figuresWanted(group);
  const isAhead = rowOrder(source, rows);
  const order = (one: number, other: number) => (isAhead(one, other) ? 1 : -1);
  const windows = new Array<WindowAccumulator | undefined>(asks.entities);
  const outputs = group.map(() => new Float64Array(asks.at.length));
  const cellOf = (row: number) => (values === null ? 1 : values[row]);
  const endsFirst = (row: number) => supersededAt !== null && supersededAt[row] < eventAt[row] + window;
  let entered = 0;
  let aged = 0;
  let superseded = 0;
  for (let ask = 0; ask < asks.at.length; ask++) {
    const at = asks.at[ask];
    for (; entered < byVisible.length && visibleAt[byVisible[entered]] <= at; entered++) {
      const row = byVisible[entered];
      const value = cellOf(row);
      // A row that becomes visible only after it has left the window is never in it.
      if (Number.isNaN(value) || visibleAt[row] >= eventAt[row] + window) continue;
      if (supersededAt !== null && supersededAt[row] <= visibleAt[row]) continue;
      const who = entity[row];
      const into = windows[who] ?? new WindowAccumulator(wanted, order);
      windows[who] = into;
      into.add(value, row);
    }
    for (; aged < byEvent.length && eventAt[byEvent[aged]] + window <= at; aged++) {
      const row = byEvent[aged];
      const value = cellOf(row);
      if (Number.isNaN(value) || !(visibleAt[row] < eventAt[row] + window) || endsFirst(row)) continue;
      windows[entity[row]]?.remove(value, row);
    }
    for (; superseded < bySuperseded.length && (supersededAt?.[bySuperseded[superseded]] ?? at) <= at; superseded++) {
      const row = bySuperseded[superseded];
      const value = cellOf(row);
      if (Number.isNaN(value) || !endsFirst(row) || !(visibleAt[row] < (supersededAt?.[row] ?? 0))) continue;
      windows[entity[row]]?.remove(value, row);
    }
    const who = asks.entity[ask];
    const inWindow = who < 0 ? undefined : windows[who];
    for (let output = 0; output < group.length; output++)
      outputs[output][ask] = aggregateOf(group[output], values === null, inWindow);
  }
  return outputs;
}

function groupBy<T>(items: readonly T[], key: (item: T) => string): [T, ...T[]][] {
  const groups = new Map<string, [T, ...T[]]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group === undefined) groups.set(key(item), [item]);
    else group.push(item);
  }
  return [...groups.values()];
}
