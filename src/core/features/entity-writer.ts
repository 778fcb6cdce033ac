import type { Micros } from "../time.ts";
import type { AvailabilityClass, CompiledView } from "./compile-view.ts";
import { type Block, type EntityRecord, EVENT_COLUMNS, emptyBlock, encodeRecord, LATEST_COLUMNS } from "./entity-record.ts";
import type { ViewRows } from "./view-rows.ts";

/** Gathers the rows that became visible for one entity, in order of visibility, and makes its next record of them. */
export class EntityWriter {
  readonly #view: CompiledView;
  readonly #source: ViewRows;
  readonly #rows: number[][];

  constructor(view: CompiledView, source: ViewRows) {
    this.#view = view;
    this.#source = source;
    this.#rows = view.classes.map(() => []);
  }

  add(index: number, row: number): void {
    this.#rows[index].push(row);
  }

  /** @param keepFrom reads at this time and later stay exact; what only earlier ones need is dropped */
  encode(before: EntityRecord | null, keepFrom: Micros): Uint8Array {
    const strings = new StringTable();
    const classes = this.#view.classes.map((each, index) => {
      const old = before?.classes[index] ?? { latest: emptyBlock, events: emptyBlock };
      return {
        latest: each.latest.length === 0 ? emptyBlock : this.#latest(each, index, old.latest, before, keepFrom, strings),
        events: each.aggregates.length === 0 ? emptyBlock : this.#events(each, index, old.events, keepFrom),
      };
    });
    return encodeRecord(this.#view.classes, classes, strings.texts);
  }

  /**
   * The rows that were the latest, one after the other. A row that is not ahead of the one before it when it becomes visible
   * is never the latest; of those that were so before `keepFrom`, only the last still matters.
   */
  #latest(
    { latest }: AvailabilityClass,
    index: number,
    old: Block,
    before: EntityRecord | null,
    keepFrom: Micros,
    strings: StringTable,
  ): Block {
    const { eventAt, position } = this.#source;
    const { visibleAt, availableAt, latest: values } = this.#source.classes[index];
    const [oldVisible, oldEvent, oldAvailable] = old.columns;
    // Rows that become visible at once are met in the order in which the later ones win.
    const fresh = this.#rows[index].sort(
      (one, other) =>
        visibleAt[one] - visibleAt[other] ||
        compare(eventAt[one], eventAt[other]) ||
        compare(availableAt[one], availableAt[other]) ||
        position[one] - position[other],
    );
    const winners: number[] = [];
    let lastEvent = old.rows === 0 ? Number.NaN : oldEvent[old.rows - 1];
    let lastAvailable = old.rows === 0 ? Number.NaN : oldAvailable[old.rows - 1];
    for (const row of fresh) {
      if (eventAt[row] < lastEvent || (eventAt[row] === lastEvent && availableAt[row] < lastAvailable)) continue;
      lastEvent = eventAt[row];
      lastAvailable = availableAt[row];
      winners.push(row);
    }
    const count = old.rows + winners.length;
    const visible = (at: number) => (at < old.rows ? oldVisible[at] : visibleAt[winners[at - old.rows]]);
    let first = 0;
    while (first + 1 < count && visible(first + 1) <= keepFrom) first++;
    const oldKept = Math.min(first, old.rows);
    const newKept = winners.slice(first - oldKept);
    const columns = [visibleAt, eventAt, availableAt].map((column, at) => append(old, at, oldKept, newKept, column));
    latest.forEach((_, feature) => {
      const at = LATEST_COLUMNS.first + feature;
      const array = values[feature];
      if (array.type !== "string") {
        columns.push(append(old, at, oldKept, newKept, array.values));
        return;
      }
      const codes = new Float64Array(count - first);
      for (let row = oldKept; row < old.rows; row++) {
        const code = old.columns[at][row];
        codes[row - oldKept] = Number.isNaN(code) || before === null ? Number.NaN : strings.code(before.string(code));
      }
      newKept.forEach((row, offset) => {
        const text = array.values[row];
        codes[old.rows - oldKept + offset] = text === null ? Number.NaN : strings.code(text);
      });
      columns.push(codes);
    });
    return { rows: count - first, columns };
  }

  /** Rows that a window can still reach from `keepFrom` on. */
  #events({ aggregates }: AvailabilityClass, index: number, old: Block, keepFrom: Micros): Block {
    const { eventAt } = this.#source;
    const { visibleAt, expressions } = this.#source.classes[index];
    const oldest = keepFrom - Math.max(...aggregates.map(({ window }) => window));
    const fresh = this.#rows[index].filter((row) => eventAt[row] > oldest);
    const kept: number[] = [];
    for (let row = 0; row < old.rows; row++) if (old.columns[EVENT_COLUMNS.eventAt][row] > oldest) kept.push(row);
    const rows = kept.length + fresh.length;
    const columns = [visibleAt, eventAt, ...expressions].map((column, at) => {
      const joined = new Float64Array(rows);
      kept.forEach((row, to) => {
        joined[to] = old.columns[at][row];
      });
      fresh.forEach((row, to) => {
        joined[kept.length + to] = column[row];
      });
      return joined;
    });
    return { rows, columns };
  }
}

/** Subtraction would give NaN for two infinities of one sign. */
const compare = (one: number, other: number) => (one < other ? -1 : one > other ? 1 : 0);

function append(old: Block, at: number, oldFrom: number, fresh: readonly number[], column: Float64Array): Float64Array {
  const kept = old.rows - oldFrom;
  const joined = new Float64Array(kept + fresh.length);
  if (kept > 0) joined.set(old.columns[at].subarray(oldFrom));
  fresh.forEach((row, offset) => {
    joined[kept + offset] = column[row];
  });
  return joined;
}

class StringTable {
  readonly texts: string[] = [];
  readonly #codes = new Map<string, number>();

  code(text: string): number {
    const code = this.#codes.get(text) ?? this.texts.push(text) - 1;
    this.#codes.set(text, code);
    return code;
  }
}
