import type { Micros } from "../time.ts";
import type { CompiledView } from "./compile-view.ts";
import { type Block, type BlockLayout, type ClassLayout, type EntityRecord, emptyBlock, RecordEncoder } from "./entity-record.ts";
import type { ViewRows } from "./view-rows.ts";

/** What an increment begins with. */
export interface Since {
  readonly record: EntityRecord;
  /** Rows that became visible later are not taken from the record: another attempt at the same increment wrote them. */
  readonly until: Micros;
}

/** Makes the records of entities from their rows in a view's source. */
export class EntityWriter {
  readonly #view: CompiledView;
  readonly #layouts: readonly ClassLayout[];
  readonly #source: ViewRows;
  readonly #encoder = new RecordEncoder();

  constructor(view: CompiledView, layouts: readonly ClassLayout[], source: ViewRows) {
    this.#view = view;
    this.#layouts = layouts;
    this.#source = source;
  }

  /**
   * @param rows of each class the entity's rows that became visible, in order of visibility; they are put into another order
   * @param keepFrom reads at this time and later stay exact; what only earlier ones need is dropped
   */
  encode(rows: readonly number[][], before: Since | null, keepFrom: Micros): Uint8Array {
    const strings = new StringTable(before?.record ?? null);
    this.#encoder.begin();
    for (const [index, { latest, events }] of this.#layouts.entries()) {
      const old = before?.record.classes[index] ?? { latest: emptyBlock, events: emptyBlock };
      const oldUntil = before?.until ?? Number.NEGATIVE_INFINITY;
      if (latest.columns === 0) this.#encoder.block(0, 0);
      else this.#latest(latest, index, rows[index], old.latest, oldUntil, keepFrom, strings);
      if (events.columns === 0) this.#encoder.block(0, 0);
      else this.#events(events, index, rows[index], old.events, oldUntil, keepFrom, strings);
    }
    return this.#encoder.end(strings.texts);
  }

  /**
   * Of the rows that can still be the latest, each is ahead of the one before it: later by event, then by availability, then by
   * place. Behind a row that is true for ever, no other is seen again from when it is visible.
   */
  #latest(
    layout: BlockLayout,
    index: number,
    fresh: number[],
    old: Block,
    oldUntil: Micros,
    keepFrom: Micros,
    strings: StringTable,
  ): void {
    const { eventAt, supersededAt, position } = this.#source;
    const { visibleAt, availableAt, latest } = this.#source.classes[index];
    if (fresh.length > 1)
      fresh.sort(
        (one, other) =>
          compare(eventAt[one], eventAt[other]) ||
          compare(availableAt[one], availableAt[other]) ||
          position[one] - position[other],
      );
    const chosen: number[] = [];
    let trueForEverFrom = Number.POSITIVE_INFINITY;
    let oldLeft = old.rows;
    let freshLeft = fresh.length;
    while (oldLeft + freshLeft > 0) {
      const takesFresh = freshLeft > 0 && (oldLeft === 0 || !isBehind(fresh[freshLeft - 1], oldLeft - 1));
      const row = takesFresh ? old.rows + fresh[--freshLeft] : --oldLeft;
      const visible = cellOf(row, old, layout.visibleAt, visibleAt);
      if (!takesFresh && visible > oldUntil) continue;
      const superseded = cellOf(row, old, layout.supersededAt, supersededAt);
      const from = Math.max(visible, keepFrom);
      if (superseded <= from || from >= trueForEverFrom) continue;
      if (Number.isNaN(superseded)) trueForEverFrom = from;
      chosen.push(row);
    }
    function isBehind(row: number, oldRow: number): boolean {
      const oldEvent = old.columns[layout.eventAt][oldRow];
      return eventAt[row] < oldEvent || (eventAt[row] === oldEvent && availableAt[row] < old.columns[layout.availableAt][oldRow]);
    }
    const into = this.#block(layout, index, old, chosen.reverse());
    layout.values.forEach((at, feature) => {
      const array = latest[feature];
      if (array.type === "string") {
        into.codes(at, strings, (row) => array.values[row]);
        return;
      }
      into.cells(at, array.values);
      if (array.type === "int64") into.cells(at + 1, array.rest ?? null, 0);
    });
  }

  /** Rows that a window can still reach from `keepFrom` on, in order of visibility. */
  #events(
    layout: BlockLayout,
    index: number,
    fresh: number[],
    old: Block,
    oldUntil: Micros,
    keepFrom: Micros,
    strings: StringTable,
  ): void {
    const { eventAt, supersededAt, position } = this.#source;
    const { visibleAt, availableAt, expressions } = this.#source.classes[index];
    const oldest = keepFrom - Math.max(...this.#view.classes[index].aggregates.map(({ window }) => window));
    // By visibility; rows that became visible at once are told apart by their places where functions ask for the first or the last.
    fresh.sort(
      (one, other) =>
        visibleAt[one] - visibleAt[other] ||
        (layout.availableAt < 0
          ? 0
          : eventAt[one] - eventAt[other] || availableAt[one] - availableAt[other] || position[one] - position[other]),
    );
    const chosen: number[] = [];
    const choose = (row: number) => {
      const visible = cellOf(row, old, layout.visibleAt, visibleAt);
      if (row < old.rows && visible > oldUntil) return;
      const superseded = cellOf(row, old, layout.supersededAt, supersededAt);
      if (cellOf(row, old, layout.eventAt, eventAt) > oldest && !(superseded <= Math.max(visible, keepFrom))) chosen.push(row);
    };
    // An increment's rows become visible after the others; pushed ones may have been visible long before they came.
    let next = 0;
    for (let row = 0; row < old.rows; row++) {
      while (next < fresh.length && visibleAt[fresh[next]] < old.columns[layout.visibleAt][row]) choose(old.rows + fresh[next++]);
      choose(row);
    }
    while (next < fresh.length) choose(old.rows + fresh[next++]);
    const into = this.#block(layout, index, old, chosen);
    layout.values.forEach((at, value) => {
      const { values, texts } = expressions[value];
      if (texts === null) into.cells(at, values);
      else into.codes(at, strings, (row) => (Number.isNaN(values[row]) ? null : texts[values[row]]));
    });
  }

  /** Begins a block with the rows' times; what it gives fills the other columns. */
  #block(layout: BlockLayout, index: number, old: Block, rows: readonly number[]) {
    const { eventAt, supersededAt } = this.#source;
    const { visibleAt, availableAt } = this.#source.classes[index];
    const count = rows.length;
    const start = this.#encoder.block(count, layout.columns);
    const target = this.#encoder.cells;
    const into = {
      cells(at: number, fresh: Float64Array | null, none = Number.NaN): void {
        if (at < 0) return;
        const from = start + at * count;
        for (let place = 0; place < count; place++) {
          const row = rows[place];
          target[from + place] = row < old.rows ? old.columns[at][row] : fresh === null ? none : fresh[row - old.rows];
        }
      },
      codes(at: number, strings: StringTable, freshText: (row: number) => string | null): void {
        const from = start + at * count;
        for (let place = 0; place < count; place++) {
          const row = rows[place];
          const text = row < old.rows ? strings.before(old.columns[at][row]) : freshText(row - old.rows);
          target[from + place] = text === null ? Number.NaN : strings.code(text);
        }
      },
    };
    into.cells(layout.visibleAt, visibleAt);
    into.cells(layout.eventAt, eventAt);
    into.cells(layout.availableAt, availableAt);
    into.cells(layout.supersededAt, supersededAt);
    return into;
  }
}

/** Subtraction would give NaN for two infinities of one sign. */
const compare = (one: number, other: number) => (one < other ? -1 : one > other ? 1 : 0);

/**
 * A row of the record before, or, counted on from its last, one that has become visible since. NaN where a block has no such column,
 * or where no row has a value in it.
 */
function cellOf(row: number, { rows, columns }: Block, at: number, fresh: Float64Array | null): number {
  if (at < 0) return Number.NaN;
  return row < rows ? columns[at][row] : fresh === null ? Number.NaN : fresh[row - rows];
}

/** The texts of a record: each once. */
class StringTable {
  readonly texts: string[] = [];
  #codes: Map<string, number> | null = null;
  readonly #old: EntityRecord | null;

  constructor(old: EntityRecord | null) {
    this.#old = old;
  }

  /** The text that a code of the record before stands for. */
  before(code: number): string | null {
    return Number.isNaN(code) || this.#old === null ? null : this.#old.string(code);
  }

  code(text: string): number {
    this.#codes ??= new Map();
    const code = this.#codes.get(text) ?? this.texts.push(text) - 1;
    this.#codes.set(text, code);
    return code;
  }
}
