import type { Micros } from "../time.ts";
import type { CompiledView } from "./compile-view.ts";
import { type Block, type BlockLayout, type ClassLayout, type EntityRecord, emptyBlock, encodeRecord } from "./entity-record.ts";
import type { ViewRows } from "./view-rows.ts";

/** Gathers the rows that became visible for one entity, in order of visibility, and makes its next record of them. */
export class EntityWriter {
  readonly #view: CompiledView;
  readonly #layouts: readonly ClassLayout[];
  readonly #source: ViewRows;
  readonly #rows: number[][];

  constructor(view: CompiledView, layouts: readonly ClassLayout[], source: ViewRows) {
    this.#view = view;
    this.#layouts = layouts;
    this.#source = source;
    this.#rows = view.classes.map(() => []);
  }

  add(index: number, row: number): void {
    this.#rows[index].push(row);
  }

  /** @param keepFrom reads at this time and later stay exact; what only earlier ones need is dropped */
  encode(before: EntityRecord | null, keepFrom: Micros): Uint8Array {
    const strings = new StringTable(before);
    const classes = this.#view.classes.map((_, index) => {
      const old = before?.classes[index] ?? { latest: emptyBlock, events: emptyBlock };
      const { latest, events } = this.#layouts[index];
      return {
        latest: latest.columns === 0 ? emptyBlock : this.#latest(latest, index, old.latest, keepFrom, strings),
        events: events.columns === 0 ? emptyBlock : this.#events(events, index, old.events, keepFrom, strings),
      };
    });
    return encodeRecord(this.#layouts, classes, strings.texts);
  }

  /**
   * Of the rows that can still be the latest, each is ahead of the one before it: later by event, then by availability, then by
   * place. Behind a row that is true for ever, no other is seen again from when it is visible.
   */
  #latest(layout: BlockLayout, index: number, old: Block, keepFrom: Micros, strings: StringTable): Block {
    const { eventAt, supersededAt, position } = this.#source;
    const { visibleAt, availableAt, latest } = this.#source.classes[index];
    const fresh = this.#rows[index].sort(
      (one, other) =>
        compare(eventAt[one], eventAt[other]) || compare(availableAt[one], availableAt[other]) || position[one] - position[other],
    );
    const chosen: number[] = [];
    let trueForEverFrom = Number.POSITIVE_INFINITY;
    let oldLeft = old.rows;
    let freshLeft = fresh.length;
    while (oldLeft + freshLeft > 0) {
      const takesFresh = freshLeft > 0 && (oldLeft === 0 || !isBehind(fresh[freshLeft - 1], oldLeft - 1));
      const row = takesFresh ? old.rows + fresh[--freshLeft] : --oldLeft;
      const visible = cellOf(row, old, layout.visibleAt, visibleAt);
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
    const block = this.#block(layout, index, old, chosen.reverse());
    layout.values.forEach((at, feature) => {
      const array = latest[feature];
      if (array.type === "string") {
        block.columns[at] = codesOf(chosen, old, at, strings, (row) => array.values[row]);
        return;
      }
      block.columns[at] = cellsOf(chosen, old, at, array.values);
      if (array.type === "int64") block.columns[at + 1] = cellsOf(chosen, old, at + 1, array.rest ?? null, 0);
    });
    return block;
  }

  /** Rows that a window can still reach from `keepFrom` on, in order of visibility. */
  #events(layout: BlockLayout, index: number, old: Block, keepFrom: Micros, strings: StringTable): Block {
    const { eventAt, supersededAt, position } = this.#source;
    const { visibleAt, availableAt, expressions } = this.#source.classes[index];
    const oldest = keepFrom - Math.max(...this.#view.classes[index].aggregates.map(({ window }) => window));
    // Rows that became visible at once are told apart by their places where functions ask for the first or the last.
    if (layout.availableAt >= 0)
      this.#rows[index].sort(
        (one, other) =>
          visibleAt[one] - visibleAt[other] ||
          eventAt[one] - eventAt[other] ||
          availableAt[one] - availableAt[other] ||
          position[one] - position[other],
      );
    const chosen: number[] = [];
    const choose = (row: number) => {
      const visible = cellOf(row, old, layout.visibleAt, visibleAt);
      const superseded = cellOf(row, old, layout.supersededAt, supersededAt);
      if (cellOf(row, old, layout.eventAt, eventAt) > oldest && !(superseded <= Math.max(visible, keepFrom))) chosen.push(row);
    };
    for (let row = 0; row < old.rows; row++) choose(row);
    for (const row of this.#rows[index]) choose(old.rows + row);
    const block = this.#block(layout, index, old, chosen);
    layout.values.forEach((at, value) => {
      const { values, texts } = expressions[value];
      block.columns[at] =
        texts === null
          ? cellsOf(chosen, old, at, values)
          : codesOf(chosen, old, at, strings, (row) => (Number.isNaN(values[row]) ? null : texts[values[row]]));
    });
    return block;
  }

  /** A block with the rows' times. */
  #block(layout: BlockLayout, index: number, old: Block, rows: readonly number[]): { rows: number; columns: Float64Array[] } {
    const { eventAt, supersededAt } = this.#source;
    const { visibleAt, availableAt } = this.#source.classes[index];
    const columns = new Array<Float64Array>(layout.columns);
    const fill = (at: number, fresh: Float64Array | null) => {
      if (at >= 0) columns[at] = cellsOf(rows, old, at, fresh);
    };
    fill(layout.visibleAt, visibleAt);
    fill(layout.eventAt, eventAt);
    fill(layout.availableAt, availableAt);
    fill(layout.supersededAt, supersededAt);
    return { rows: rows.length, columns };
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
  return row < rows ? columns[at][row] : (fresh?.[row - rows] ?? Number.NaN);
}

function cellsOf(rows: readonly number[], old: Block, at: number, fresh: Float64Array | null, none = Number.NaN): Float64Array {
  const before = old.columns[at];
  return Float64Array.from(rows, (row) => (row < old.rows ? before[row] : (fresh?.[row - old.rows] ?? none)));
}

function codesOf(
  rows: readonly number[],
  old: Block,
  at: number,
  strings: StringTable,
  freshText: (row: number) => string | null,
): Float64Array {
  return Float64Array.from(rows, (row) => {
    const text = row < old.rows ? strings.before(old.columns[at][row]) : freshText(row - old.rows);
    return text === null ? Number.NaN : strings.code(text);
  });
}

/** The texts of a record: each once. */
class StringTable {
  readonly texts: string[] = [];
  readonly #codes = new Map<string, number>();
  readonly #old: EntityRecord | null;

  constructor(old: EntityRecord | null) {
    this.#old = old;
  }

  /** The text that a code of the record before stands for. */
  before(code: number): string | null {
    return Number.isNaN(code) || this.#old === null ? null : this.#old.string(code);
  }

  code(text: string): number {
    const code = this.#codes.get(text) ?? this.texts.push(text) - 1;
    this.#codes.set(text, code);
    return code;
  }
}
