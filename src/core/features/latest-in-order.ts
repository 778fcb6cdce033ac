import { quoteIdentifier } from "../data/index.ts";
import type { Column, ColumnTable, TableEngine } from "../ports/index.ts";
import { ascendingPlaces } from "./ascending.ts";
import { type AskTable, fieldColumn } from "./ask-table.ts";
import type { CompiledView, LatestFeature } from "./compile-view.ts";
import { IntegerKeys, integerWords, UNMARKED } from "./integer-keys.ts";
import { columnOf, type FeatureArray, featureArray, numbersOf } from "./view-rows.ts";

/**
 * Latest values of a view whose rows lie in the order of their events, are known with them and have no versions, keyed by one integer:
 * what is needed of the past is the last row of each entity. Rows stream by twice. First keys and times, to find each ask's row; then
 * values, of which those that were found are kept. Memory grows with asks, not with rows.
 *
 * @param rows SELECT … FROM … WHERE … over the rows without its select list
 * @param at time of each ask, ascending; the values are in this order, asks of one time in their own
 * @returns null where rows turn out to be in another order
 */
export async function latestInOrder(
  engine: TableEngine,
  view: CompiledView,
  rows: string,
  asks: AskTable,
  at: Float64Array,
): Promise<Map<string, FeatureArray> | null> {
  const [key = ""] = view.keys;
  const [field = key] = view.fields;
  const asked = columnOf(
    await engine.query(`SELECT ${fieldColumn(asks, field)} AS k FROM ${asks.name} ORDER BY __at, __ordinal`),
    "k",
  );
  const matching = new Matching(asked, at, view.ttl);
  for await (const table of engine.stream(
    `SELECT ${quoteIdentifier(key)} AS k, ${quoteIdentifier(view.eventTime ?? "")} AS e ${rows}`,
  ))
    if (!matching.pass(table)) return null;
  const places = matching.end();
  const latest = view.classes.flatMap((each) => each.latest);
  return await valuesAt(engine, view.name, latest, rows, places);
}

/** Whether the view's keys and values are of types that stream by without being made into texts. */
export const passesInOrder = ({ keys, keyTypes, eventTime, classes }: CompiledView): boolean =>
  eventTime !== null &&
  keys.length === 1 &&
  Object.values(keyTypes).every((type) => type === "int64" || type === "int32") &&
  classes.every(
    ({ availability, latest }) =>
      latest.length === 0 || (availability.length === 0 && latest.every(({ type }) => type !== "string")),
  );

/** Finds each ask's row while rows pass in order of time. */
class Matching {
  readonly #keys: IntegerKeys;
  /** Slot of each ask's key; -1 for none. */
  readonly #slots: Int32Array;
  readonly #at: Float64Array;
  readonly #ttl: number;
  readonly #places: Int32Array;
  /** First row that an ask's ttl leaves. */
  readonly #floors: Int32Array;
  #answered = 0;
  #floored = 0;
  #passed = 0;
  #lastEvent = Number.NEGATIVE_INFINITY;
  /** Until then nothing can be told. */
  #due = Number.NEGATIVE_INFINITY;

  constructor(asked: Column, at: Float64Array, ttl: number | null) {
    const words = integerWords(asked);
    if (words === null || asked.type === "string") throw new TypeError("A key that is no integer");
    this.#at = at;
    this.#ttl = ttl ?? Number.POSITIVE_INFINITY;
    this.#places = new Int32Array(at.length);
    this.#floors = new Int32Array(at.length);
    this.#slots = new Int32Array(at.length);
    this.#keys = new IntegerKeys(at.length);
    for (let ask = 0; ask < at.length; ask++)
      this.#slots[ask] = asked.nulls?.[ask] === 1 ? -1 : this.#keys.add(words[2 * ask], words[2 * ask + 1]);
  }

  /** False where rows are not in order. */
  pass(table: ColumnTable): boolean {
    const key = columnOf(table, "k");
    const words = integerWords(key);
    if (words === null || key.type === "string") throw new TypeError("A key that is no integer");
    const { nulls } = key;
    const events = numbersOf(columnOf(table, "e"));
    const keys = this.#keys;
    const { cells } = keys;
    const passed = this.#passed;
    let last = this.#lastEvent;
    let due = this.#due;
    for (let row = 0; row < table.rows; row++) {
      const event = events[row];
      if (event !== last) {
        if (!(event > last)) return false;
        last = event;
        if (event >= due) due = this.#until(event, passed + row);
      }
      if (nulls?.[row] === 1) continue;
      const slot = keys.find(words[2 * row], words[2 * row + 1]);
      if (slot >= 0) cells[slot] = passed + row;
    }
    this.#lastEvent = last;
    this.#due = due;
    this.#passed = passed + table.rows;
    return true;
  }

  /** All asks are answered: position of each one's row among those that passed, -1 for none. */
  end(): Int32Array {
    this.#until(Number.POSITIVE_INFINITY, this.#passed);
    return this.#places;
  }

  /** A row of a later event is about to pass, the first at that time: what was asked before it can be told. Returns what is due next. */
  #until(event: number, place: number): number {
    const at = this.#at;
    while (this.#floored < at.length && at[this.#floored] - this.#ttl <= event) this.#floors[this.#floored++] = place;
    const { cells } = this.#keys;
    for (; this.#answered < at.length && at[this.#answered] < event; this.#answered++) {
      const slot = this.#slots[this.#answered];
      const found = slot < 0 ? UNMARKED : cells[slot];
      this.#places[this.#answered] = found < this.#floors[this.#answered] ? UNMARKED : found;
    }
    const floor = this.#floored < at.length ? at[this.#floored] - this.#ttl : Number.POSITIVE_INFINITY;
    return this.#answered < at.length ? Math.min(at[this.#answered], floor) : floor;
  }
}

/** Values of the rows at some places among those that pass; none below 0. */
async function valuesAt(
  engine: TableEngine,
  view: string,
  latest: readonly LatestFeature[],
  rows: string,
  places: Int32Array,
): Promise<Map<string, FeatureArray>> {
  const order = ascendingPlaces(places);
  const gathered = latest.map(() => new GatheredColumn(places.length));
  let next = 0;
  let passed = 0;
  for await (const table of engine.stream(`SELECT ${latest.map(({ sql }, index) => `${sql} AS l${index}`).join(", ")} ${rows}`)) {
    const first = next;
    while (next < order.length && places[order[next]] < passed + table.rows) next++;
    const found = order.subarray(first, next);
    for (const [index, column] of gathered.entries()) column.take(columnOf(table, `l${index}`), found, places, passed);
    passed += table.rows;
  }
  return new Map(latest.map(({ name, type }, index) => [name, featureArray(gathered[index].column, type, `${view}.${name}`)]));
}

/** Values that come piece by piece, in any order; null where none came. */
class GatheredColumn {
  readonly #rows: number;
  #integers: { readonly values: BigInt64Array; readonly nulls: Uint8Array } | null = null;
  #numbers: Float64Array | null = null;

  constructor(rows: number) {
    this.#rows = rows;
  }

  /** @param asks whose places are among the column's rows, of which the first is at `start` */
  take(column: Column, asks: Uint32Array, places: Int32Array, start: number): void {
    if (column.type === "string") throw new TypeError("Texts are not gathered");
    if (column.type === "int64") {
      this.#integers ??= { values: new BigInt64Array(this.#rows), nulls: new Uint8Array(this.#rows).fill(1) };
      const { values, nulls } = this.#integers;
      for (const ask of asks) {
        const row = places[ask] - start;
        values[ask] = column.values[row];
        nulls[ask] = column.nulls?.[row] ?? 0;
      }
      return;
    }
    this.#numbers ??= new Float64Array(this.#rows).fill(Number.NaN);
    const numbers = this.#numbers;
    const { values, nulls } = column;
    for (let index = 0; index < asks.length; index++) {
      const row = places[asks[index]] - start;
      if (nulls === null || nulls[row] === 0) numbers[asks[index]] = values[row];
    }
  }

  get column(): Column {
    if (this.#integers !== null) return { type: "int64", ...this.#integers };
    return { type: "float64", values: this.#numbers ?? new Float64Array(this.#rows).fill(Number.NaN), nulls: null };
  }
}
