import type { AggregateFeature } from "./compile-view.ts";
import { type MomentSums, Moments, type WindowMoments } from "./moments.ts";

/** What is known of the rows in one window; what none of its functions asks for may be left out. */
export interface WindowFigures extends WindowMoments {
  /** NaN without rows. */
  readonly least: number;
  readonly greatest: number;
  readonly distinct: number;
  /** Value of the nth row from the oldest on (1, 2, …) or, below zero, from the newest on (-1, -2, …); NaN where there is none. */
  nth(place: number): number;
}

/** Of two rows of one window, the earlier one: less than zero where it is the first. Never zero for two rows. */
export type RowOrder = (one: number, other: number) => number;

type WindowFunction = Pick<AggregateFeature, "fn" | "nth">;

/** Which figures some functions need. */
export interface FiguresWanted {
  readonly squares: boolean;
  readonly least: boolean;
  readonly greatest: boolean;
  readonly distinct: boolean;
  readonly ordered: boolean;
}

export function figuresWanted(functions: readonly WindowFunction[]): FiguresWanted {
  const wants = (...fns: readonly AggregateFeature["fn"][]) => functions.some(({ fn }) => fns.includes(fn));
  return {
    squares: wants("std"),
    least: wants("min"),
    greatest: wants("max"),
    distinct: wants("count-distinct"),
    ordered: wants("first", "last"),
  };
}

/**
 * The rows of one entity in one window. Rows enter and leave in any order; every figure depends on the rows that are in alone
 * (standard deviations but for the last bits), so that a sweep and a scan of the same rows give the same value.
 */
export class WindowAccumulator implements WindowFigures {
  readonly #moments: Moments;
  readonly #least: Extreme | null;
  readonly #greatest: Extreme | null;
  readonly #counts: Map<number, number> | null;
  readonly #ordered: OrderedRows | null;

  constructor(wanted: FiguresWanted, order: RowOrder) {
    this.#moments = new Moments(wanted.squares);
    this.#least = wanted.least ? new Extreme(1) : null;
    this.#greatest = wanted.greatest ? new Extreme(-1) : null;
    this.#counts = wanted.distinct ? new Map() : null;
    this.#ordered = wanted.ordered ? new OrderedRows(order) : null;
  }

  /** @param value finite */
  add(value: number, row: number): void {
    this.#moments.add(value);
    this.#least?.add(value);
    this.#greatest?.add(value);
    this.#counts?.set(value, (this.#counts.get(value) ?? 0) + 1);
    this.#ordered?.add(value, row);
  }

  /** Adds rows of which only the sums are known: how many are different and which come first is then told of the others alone. */
  merge(sums: MomentSums & { readonly least: number; readonly greatest: number }): void {
    if (sums.rows === 0) return;
    this.#moments.merge(sums);
    this.#least?.add(sums.least);
    this.#greatest?.add(sums.greatest);
  }

  /** Takes out what was put in with the same value and row. */
  remove(value: number, row: number): void {
    this.#moments.remove(value);
    this.#least?.remove(value);
    this.#greatest?.remove(value);
    this.#ordered?.remove(row);
    if (this.#counts === null) return;
    const left = (this.#counts.get(value) ?? 0) - 1;
    if (left > 0) this.#counts.set(value, left);
    else this.#counts.delete(value);
  }

  get rows(): number {
    return this.#moments.rows;
  }
  get sum(): number {
    return this.#moments.sum;
  }
  get mean(): number {
    return this.#moments.mean;
  }
  get std(): number {
    return this.#moments.std;
  }
  get least(): number {
    return this.#least?.value ?? Number.NaN;
  }
  get greatest(): number {
    return this.#greatest?.value ?? Number.NaN;
  }
  get distinct(): number {
    return this.#counts?.size ?? 0;
  }
  nth(place: number): number {
    return this.#ordered?.nth(place) ?? Number.NaN;
  }
}

/** Least (sign 1) or greatest (sign -1) of the values: a heap of what came in beside a heap of what went out, whose equal tops cancel. */
class Extreme {
  readonly #sign: 1 | -1;
  readonly #in: number[] = [];
  readonly #out: number[] = [];

  constructor(sign: 1 | -1) {
    this.#sign = sign;
  }

  add(value: number): void {
    push(this.#in, this.#sign * value);
  }

  remove(value: number): void {
    push(this.#out, this.#sign * value);
    while (this.#out.length > 0 && this.#out[0] === this.#in[0]) {
      dropTop(this.#in);
      dropTop(this.#out);
    }
  }

  get value(): number {
    // -0 beside 0 would depend on the order in which they came.
    return this.#in.length === 0 ? Number.NaN : this.#sign * this.#in[0] + 0;
  }
}

function push(heap: number[], value: number): void {
  let at = heap.push(value) - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (heap[parent] <= value) break;
    heap[at] = heap[parent];
    at = parent;
  }
  heap[at] = value;
}

function dropTop(heap: number[]): void {
  const value = heap.pop();
  if (value === undefined || heap.length === 0) return;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && heap[child + 1] < heap[child]) child++;
    if (heap[child] >= value) break;
    heap[at] = heap[child];
    at = child;
  }
  heap[at] = value;
}

/** Rows in order. Most come at the end and leave at the beginning, which costs nothing; others cost a move of those behind them. */
class OrderedRows {
  readonly #order: RowOrder;
  #rows: number[] = [];
  #values: number[] = [];
  /** Rows before this one have left. */
  #head = 0;

  constructor(order: RowOrder) {
    this.#order = order;
  }

  add(value: number, row: number): void {
    const end = this.#rows.length;
    if (end === this.#head || this.#order(this.#rows[end - 1], row) < 0) {
      this.#rows.push(row);
      this.#values.push(value);
      return;
    }
    const at = this.#place(row);
    this.#rows.splice(at, 0, row);
    this.#values.splice(at, 0, value);
  }

  remove(row: number): void {
    const at = this.#place(row);
    if (at !== this.#head) {
      this.#rows.splice(at, 1);
      this.#values.splice(at, 1);
    } else if (++this.#head > 32 && 2 * this.#head > this.#rows.length) {
      this.#rows = this.#rows.slice(this.#head);
      this.#values = this.#values.slice(this.#head);
      this.#head = 0;
    }
  }

  nth(place: number): number {
    const at = place > 0 ? this.#head + place - 1 : this.#rows.length + place;
    return at >= this.#head && at < this.#rows.length ? this.#values[at] : Number.NaN;
  }

  /** Where the row is or would be. */
  #place(row: number): number {
    let low = this.#head;
    let high = this.#rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#rows[middle] !== row && this.#order(this.#rows[middle], row) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/**
 * What an aggregate is of the rows in its window; NaN stands for null.
 * @param ofRows whether it counts rows, whatever is in them
 */
export function aggregateOf({ fn, nth = 1 }: WindowFunction, ofRows: boolean, window: WindowFigures | undefined): number {
  if (fn === "count") return (ofRows ? window?.rows : window?.sum) ?? 0;
  if (fn === "count-distinct") return window?.distinct ?? 0;
  if (window === undefined || window.rows === 0) return Number.NaN;
  switch (fn) {
    case "sum":
      return window.sum;
    case "mean":
      return window.mean;
    case "std":
      return window.std;
    case "min":
      return window.least;
    case "max":
      return window.greatest;
    case "first":
      return window.nth(nth);
    case "last":
      return window.nth(-nth);
  }
}
