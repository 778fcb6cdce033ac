import type { Micros } from "../time.ts";
import { ascending } from "./ascending.ts";
import type { AggregateFeature, AvailabilityClass, CompiledView } from "./compile-view.ts";
import { aggregateOf, Moments } from "./moments.ts";
import type { ClassRows, FeatureArray, ViewRows } from "./view-rows.ts";

/** Who is asked about, and when. `entity[i]` is a code below `entities`, or -1 for nobody known; `at` ascends. */
export interface Asks {
  readonly entities: number;
  readonly entity: Int32Array;
  readonly at: Float64Array;
}

/**
 * Point-in-time join of one view: each feature's values at each ask, from what had happened and was available by then. One
 * sweep over time per class of availability, all entities at once: rows enter in the order in which they become visible
 * and leave a window in the order of their events. O((rows + asks) log rows).
 *
 * @param entity code of each source row's entity
 */
export function joinView(view: CompiledView, source: ViewRows, entity: Int32Array, asks: Asks): Map<string, FeatureArray> {
  const joined = new Map<string, FeatureArray>();
  const byEvent = view.longestWindow > 0 ? ascending(source.eventAt) : new Uint32Array(0);
  view.classes.forEach((each, index) => {
    const rows = source.classes[index];
    if (rows === undefined) return;
    const byVisible = ascending(rows.visibleAt);
    if (each.latest.length > 0) {
      const matched = latestRows(source, rows, entity, byVisible, asks, view.ttl);
      each.latest.forEach(({ name }, feature) => {
        const values = rows.latest[feature];
        if (values !== undefined) joined.set(name, take(values, matched));
      });
    }
    for (const [name, values] of windowAggregates(each, source, rows, entity, { byVisible, byEvent }, asks))
      joined.set(name, values);
  });
  return joined;
}

/** Row with the greatest event time, then availability, then position among those visible at each ask; -1 for none. */
function latestRows(
  { eventAt, position }: ViewRows,
  { visibleAt, availableAt }: ClassRows,
  entity: Int32Array,
  byVisible: Uint32Array,
  asks: Asks,
  ttl: Micros | null,
): Int32Array {
  const best = new Int32Array(asks.entities).fill(-1);
  const matched = new Int32Array(asks.at.length);
  let next = 0;
  for (let ask = 0; ask < matched.length; ask++) {
    const at = asks.at[ask];
    for (; next < byVisible.length && visibleAt[byVisible[next]] <= at; next++) {
      const row = byVisible[next];
      const other = best[entity[row]];
      if (
        other < 0 ||
        eventAt[row] > eventAt[other] ||
        (eventAt[row] === eventAt[other] &&
          (availableAt[row] > availableAt[other] || (availableAt[row] === availableAt[other] && position[row] > position[other])))
      )
        best[entity[row]] = row;
    }
    const row = asks.entity[ask] < 0 ? -1 : best[asks.entity[ask]];
    matched[ask] = row >= 0 && ttl !== null && eventAt[row] < at - ttl ? -1 : row;
  }
  return matched;
}

function take(source: FeatureArray, rows: Int32Array): FeatureArray {
  if (source.type === "string") {
    const values = new Array<string | null>(rows.length);
    for (let index = 0; index < rows.length; index++) values[index] = rows[index] < 0 ? null : source.values[rows[index]];
    return { type: source.type, values };
  }
  const values = new Float64Array(rows.length);
  for (let index = 0; index < rows.length; index++) values[index] = rows[index] < 0 ? Number.NaN : source.values[rows[index]];
  return { type: source.type, values };
}

interface Orders {
  readonly byVisible: Uint32Array;
  readonly byEvent: Uint32Array;
}

function windowAggregates(
  { aggregates, expressions }: AvailabilityClass,
  source: ViewRows,
  rows: ClassRows,
  entity: Int32Array,
  orders: Orders,
  asks: Asks,
): Map<string, FeatureArray> {
  const results = new Map<string, FeatureArray>();
  for (const group of groupBy(aggregates, ({ value, window }) => `${value} ${window}`)) {
    const [{ value, window }] = group;
    const values = value < 0 ? null : (rows.expressions[value] ?? null);
    const outputs = group.map(({ name, type }) => {
      const output = new Float64Array(asks.at.length);
      // Aggregates give numbers whatever they are over.
      results.set(name, { type: type === "string" ? "float64" : type, values: output });
      return output;
    });
    sweepWindow(group, expressions[value] === undefined, source, rows, entity, orders, values, window, asks, outputs);
  }
  return results;
}

function sweepWindow(
  group: readonly AggregateFeature[],
  ofRows: boolean,
  { eventAt }: ViewRows,
  { visibleAt }: ClassRows,
  entity: Int32Array,
  { byVisible, byEvent }: Orders,
  values: Float64Array | null,
  window: Micros,
  asks: Asks,
  outputs: readonly Float64Array[],
): void {
  const squares = group.some(({ fn }) => fn === "std");
  const moments = Array.from({ length: asks.entities }, () => new Moments(squares));
  const least = group.some(({ fn }) => fn === "min") ? new WindowExtremes(asks.entities, values, eventAt, 1) : null;
  const greatest = group.some(({ fn }) => fn === "max") ? new WindowExtremes(asks.entities, values, eventAt, -1) : null;
  let entered = 0;
  let left = 0;
  for (let ask = 0; ask < asks.at.length; ask++) {
    const at = asks.at[ask];
    for (; entered < byVisible.length && visibleAt[byVisible[entered]] <= at; entered++) {
      const row = byVisible[entered];
      const value = values === null ? 1 : values[row];
      // A row that becomes visible only after it has left the window is never in it.
      if (Number.isNaN(value) || visibleAt[row] >= eventAt[row] + window) continue;
      moments[entity[row]].add(value);
      least?.add(entity[row], row);
      greatest?.add(entity[row], row);
    }
    for (; left < byEvent.length && eventAt[byEvent[left]] + window <= at; left++) {
      const row = byEvent[left];
      const value = values === null ? 1 : values[row];
      if (!Number.isNaN(value) && visibleAt[row] < eventAt[row] + window) moments[entity[row]].remove(value);
    }
    const who = asks.entity[ask];
    const inWindow = who < 0 ? undefined : moments[who];
    for (let output = 0; output < group.length; output++) {
      const { fn } = group[output];
      const extreme =
        who < 0 ? Number.NaN : fn === "min" ? least?.at(who, at - window) : fn === "max" ? greatest?.at(who, at - window) : 0;
      outputs[output][ask] = aggregateOf(fn, ofRows, inWindow, extreme ?? Number.NaN);
    }
  }
}

/** Least (sign 1) or greatest (sign -1) value of each entity's window: a binary heap whose expired tops are dropped when asked. */
class WindowExtremes {
  readonly #heaps: (number[] | undefined)[];
  readonly #values: Float64Array | null;
  readonly #eventAt: Float64Array;
  readonly #sign: 1 | -1;

  constructor(entities: number, values: Float64Array | null, eventAt: Float64Array, sign: 1 | -1) {
    this.#heaps = new Array(entities);
    this.#values = values;
    this.#eventAt = eventAt;
    this.#sign = sign;
  }

  #key(row: number): number {
    return this.#values === null ? 1 : this.#sign * this.#values[row];
  }

  add(entity: number, row: number): void {
    const heap = (this.#heaps[entity] ??= []);
    let at = heap.push(row) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#key(heap[parent]) <= this.#key(row)) break;
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = row;
  }

  /** The extreme among rows with an event after `start`; NaN without any. */
  at(entity: number, start: Micros): number {
    const heap = this.#heaps[entity];
    if (heap === undefined) return Number.NaN;
    while (heap.length > 0 && this.#eventAt[heap[0]] <= start) this.#dropTop(heap);
    return heap.length === 0 ? Number.NaN : this.#sign * this.#key(heap[0]);
  }

  #dropTop(heap: number[]): void {
    const row = heap.pop();
    if (row === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && this.#key(heap[child + 1]) < this.#key(heap[child])) child++;
      if (this.#key(heap[child]) >= this.#key(row)) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = row;
  }
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
