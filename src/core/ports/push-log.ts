import type { Micros } from "../time.ts";

/** A row that was pushed, before it has a place in the log. */
export interface PushedRow {
  /** JSON object of its values as text, its columns in the source's order: what makes two rows the same. */
  readonly row: string;
  /** Its key as text; null where the source has none, or where the row is quarantined. */
  readonly key: string | null;
  /** What of the contract it broke; null for a sound row. */
  readonly problem: string | null;
  /** Per set of key columns that views ask for, whose row it is. Empty for a quarantined row. */
  readonly entities: readonly PushedEntity[];
}

export interface PushedEntity {
  /** Names the set of key columns. */
  readonly keys: string;
  /** The entity's key values as text. */
  readonly entity: string;
}

export interface LoggedRow {
  /** Its place in the log: grows with every row, of any source. */
  readonly seq: number;
  readonly row: string;
}

export interface EntityRows {
  readonly entity: string;
  readonly rows: number;
}

export interface TouchedEntities {
  /** Sound rows that are any entity's. */
  readonly rows: number;
  readonly entities: number;
  /** Some of the entities, or all where they are few. */
  readonly some: readonly string[];
}

/** Rows as they were pushed, for good. One process writes; any number read. */
export interface PushLog {
  /**
   * On disk when it resolves, all of them or none. Tells of each row whether it is new: with `once`, one that is in the log already is left
   * out.
   * @throws PUSH_LOG_WRITE_FAILED; nothing is in the log then
   */
  append(
    source: string,
    rows: readonly PushedRow[],
    options: { readonly once: boolean; readonly at: Micros },
  ): Promise<boolean[]>;
  /** Place of the source's last row; 0 before any. */
  end(source: string): number;
  /** The last place that was given to any row, of whatever source, also where the row has been erased since; 0 before any. */
  lastPlace(): number;
  /** Rows in (after, upTo], in order; of quarantined ones too unless `sound`. */
  rows(
    source: string,
    range: { readonly after: number; readonly upTo: number; readonly sound?: boolean },
    limit: number,
  ): LoggedRow[];
  /** Every sound row up to `upTo` of a key that has several, one of them after `after`; in order. */
  revisedRows(source: string, range: { readonly after: number; readonly upTo: number }): LoggedRow[];
  /** Every sound row up to a place whose key any row of these entities has; in order. */
  rowsOf(source: string, keys: string, entities: readonly string[], upTo: number): LoggedRow[];
  /** Entities in the order of their text, after one, with how many rows each has. */
  entities(source: string, keys: string, after: string, limit: number): EntityRows[];
  /** Whose rows came in (after, upTo]; `some` has at most `limit` entities, spread evenly over all in the order of their text. */
  touched(source: string, keys: string, range: { readonly after: number; readonly upTo: number }, limit: number): TouchedEntities;
  /** By what keys and entities of the source's rows are found; null before anything was said. */
  index(source: string): string | null;
  /** Replaces what is said of rows that are in the log. What `rows` yields in turn is written bit by bit, and `index` last. */
  reindex(source: string, index: string, rows: AsyncIterable<readonly (PushedRow & { readonly seq: number })[]>): Promise<void>;
  /** Takes rows out for good, whatever they are: nothing of them is left in the log's files. Their places are not given to others. */
  erase(source: string, places: readonly number[]): void;
  close(): void;
}
