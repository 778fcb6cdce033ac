import type { Micros } from "../time.ts";
import type { Block, BlockLayout } from "./entity-record.ts";
import type { ViewRows } from "./view-rows.ts";

/** What rows of a block before and fresh ones are chosen by. A chosen row below `old.rows` is one of the block's. */
export interface Choice {
  readonly old: Block;
  /** Rows of the block that became visible later are left out: another attempt at the same increment wrote them. */
  readonly oldUntil: Micros;
  readonly fresh: readonly number[];
  readonly source: ViewRows;
  readonly index: number;
  readonly layout: BlockLayout;
  /** Reads at this time and later stay exact; what only earlier ones need is dropped. */
  readonly keepFrom: Micros;
}

/**
 * Of the rows that can still be the latest, each is ahead of the one before it: later by event, then by availability, then by
 * place. Behind a row that is true for ever, no other is seen again from when it is visible.
 *
 * @param trueForEverFrom when the first of those ahead of all of these is visible that is true for ever
 */
export function chooseLatest(
  { old, oldUntil, fresh, source, index, layout, keepFrom }: Choice,
  trueForEverFrom: Micros,
): { readonly rows: number[]; readonly trueForEverFrom: Micros } {
  const { eventAt, supersededAt } = source;
  const { visibleAt, availableAt } = source.classes[index];
  const rows: number[] = [];
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
    rows.push(row);
  }
  function isBehind(row: number, oldRow: number): boolean {
    const oldEvent = old.columns[layout.eventAt][oldRow];
    return eventAt[row] < oldEvent || (eventAt[row] === oldEvent && availableAt[row] < old.columns[layout.availableAt][oldRow]);
  }
  return { rows: rows.reverse(), trueForEverFrom };
}

/**
 * Rows that a window can still reach from `keepFrom` on, in order of visibility.
 * @param oldest events until then are out of every window
 */
export function chooseEvents({ old, oldUntil, fresh, source, index, layout, keepFrom }: Choice, oldest: Micros): number[] {
  const { eventAt, supersededAt } = source;
  const { visibleAt } = source.classes[index];
  const rows: number[] = [];
  const choose = (row: number) => {
    const visible = cellOf(row, old, layout.visibleAt, visibleAt);
    if (row < old.rows && visible > oldUntil) return;
    const superseded = cellOf(row, old, layout.supersededAt, supersededAt);
    if (cellOf(row, old, layout.eventAt, eventAt) > oldest && !(superseded <= Math.max(visible, keepFrom))) rows.push(row);
  };
  // An increment's rows become visible after the others; pushed ones may have been visible long before they came.
  let next = 0;
  for (let row = 0; row < old.rows; row++) {
    while (next < fresh.length && visibleAt[fresh[next]] < old.columns[layout.visibleAt][row]) choose(old.rows + fresh[next++]);
    choose(row);
  }
  while (next < fresh.length) choose(old.rows + fresh[next++]);
  return rows;
}

/**
 * A row of the block before, or, counted on from its last, one that has become visible since. NaN where a block has no such column,
 * or where no row has a value in it.
 */
function cellOf(row: number, { rows, columns }: Block, at: number, fresh: Float64Array | null): number {
  if (at < 0) return Number.NaN;
  return row < rows ? columns[at][row] : fresh === null ? Number.NaN : fresh[row - rows];
}
