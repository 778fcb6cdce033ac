import type { OnlineStore } from "../ports/index.ts";
import type { Micros } from "../time.ts";
import { ascending } from "./ascending.ts";
import type { CompiledView } from "./compile-view.ts";
import { type ClassLayout, decodeRecord, type EntityRecord, isTiled } from "./entity-record.ts";
import { EntityWriter } from "./entity-writer.ts";
import type { StatisticsSample } from "./feature-statistics.ts";
import type { KeyedRows } from "./materialized-rows.ts";
import { entityKey } from "./online-view.ts";
import type { TileSizes } from "./tile-directory.ts";
import { readTiles, recordEntries, type TilesOf, withTiles } from "./tiles.ts";

export interface RecordTarget {
  readonly online: OnlineStore;
  readonly view: CompiledView;
  readonly layouts: readonly ClassLayout[];
  /** Of the entities' keys. */
  readonly prefix: string;
  readonly sample: StatisticsSample;
  readonly sizes: TileSizes;
}

export interface WrittenRecords {
  readonly rows: number;
  readonly entities: number;
  readonly newestEventAt: Micros | null;
}

/** One transaction writes so many records. */
const WRITTEN_AT_ONCE = 20_000;

/**
 * Writes the records of the entities that rows which became visible in (from, until] belong to; from null: into records of their own,
 * else into those that are there. Doing it again with the same `from` leaves the same.
 */
export async function writeRecords(
  { online, view, layouts, prefix, sample, sizes }: RecordTarget,
  source: KeyedRows,
  { from, until, keepFrom }: { readonly from: Micros | null; readonly until: Micros; readonly keepFrom: Micros },
): Promise<WrittenRecords> {
  const { keys, rowsOf, touched, newestEventAt } = groupRows(view, source, prefix, from, until);
  const writer = new EntityWriter(view, layouts, source, sizes);
  sample.expect(keys.length);
  for (let first = 0; first < keys.length; first += WRITTEN_AT_ONCE) {
    const some = keys.slice(first, first + WRITTEN_AT_ONCE);
    const before = from === null ? [] : await online.getMany(some);
    const fresh = some.map((key, index): FreshRows => {
      const bytes = before[index] ?? null;
      return { key, rows: rowsOf(first + index), before: bytes === null ? null : decodeRecord(layouts, bytes) };
    });
    const opened = from === null ? null : await openTiles(online, writer, layouts, fresh, from);
    const entries: [string, Uint8Array | null][] = [];
    const looked: { readonly key: string; readonly record: Uint8Array }[] = [];
    fresh.forEach(({ key, rows, before }, index) => {
      const since =
        before === null || from === null ? null : { record: before, until: from, tiles: opened?.get(index) ?? NO_TILES };
      const encoded = writer.encode(rows, since, keepFrom);
      if (sample.isNext()) looked.push({ key, record: encoded.record });
      entries.push(...recordEntries(key, encoded, before));
    });
    await online.putMany(entries);
    await addToSample(sample, online, layouts, looked);
  }
  return { rows: touched, entities: keys.length, newestEventAt };
}

interface FreshRows {
  readonly key: string;
  /** Of each class. */
  readonly rows: number[][];
  readonly before: EntityRecord | null;
}

const NO_TILES: ReadonlyMap<number, EntityRecord> = new Map();

/**
 * The tiles into which rows fall, by the entity's place.
 * @param until rows that became visible later are not taken from what there is
 */
export async function openTiles(
  online: OnlineStore,
  writer: EntityWriter,
  layouts: readonly ClassLayout[],
  fresh: readonly FreshRows[],
  until: Micros,
): Promise<ReadonlyMap<number, ReadonlyMap<number, EntityRecord>>> {
  const wanted = fresh.flatMap(({ key, rows, before }, index): (TilesOf & { readonly index: number })[] => {
    const tiles = before === null ? [] : writer.tilesToOpen(rows, { record: before, until });
    return tiles.length === 0 ? [] : [{ index, key, layouts, tiles }];
  });
  const found = await readTiles(online, wanted);
  return new Map(wanted.map(({ index }, at) => [index, found[at] ?? NO_TILES] as const));
}

/** Adds records as they are in the store, with the tiles that their values need. */
export async function addToSample(
  sample: StatisticsSample,
  online: OnlineStore,
  layouts: readonly ClassLayout[],
  looked: readonly { readonly key: string; readonly record: Uint8Array }[],
): Promise<void> {
  const tiled: (TilesOf & { readonly record: EntityRecord })[] = [];
  for (const { key, record: bytes } of looked) {
    const record = decodeRecord(layouts, bytes);
    if (isTiled(bytes)) tiled.push({ key, layouts, record, tiles: sample.tilesOf(record) });
    else sample.add(record);
  }
  const found = await readTiles(online, tiled);
  tiled.forEach(({ record }, index) => {
    sample.add(withTiles(layouts, record, found[index] ?? NO_TILES));
  });
}

export interface GroupedRows {
  /** Of each entity that has a row. */
  readonly keys: readonly string[];
  /** An entity's rows of each class, in the order in which they became visible. */
  rowsOf(entity: number): number[][];
  /** Rows that are any entity's. */
  readonly touched: number;
  readonly newestEventAt: Micros | null;
}

/**
 * @param from rows that became visible by then are left out; null: none are
 * @param now a later event is not the newest yet
 */
export function groupRows(
  view: CompiledView,
  source: KeyedRows,
  prefix: string,
  from: Micros | null,
  until: Micros,
  now: Micros = until,
): GroupedRows {
  const codes = new Map<string, number>();
  const keys: string[] = [];
  // -1: not looked at yet; -2: a key is null.
  const entity = new Int32Array(source.rows).fill(-1);
  const entityOf = (row: number): number => {
    const key = entityKey(
      prefix,
      source.keys.map(({ at }) => at(row)),
    );
    if (key === null) return -2;
    const known = codes.get(key);
    if (known !== undefined) return known;
    codes.set(key, keys.length);
    return keys.push(key) - 1;
  };
  let touched = 0;
  let newestEventAt: Micros | null = null;
  const inOrder = view.classes.map((_, index) => {
    const { visibleAt } = source.classes[index];
    const rows = ascending(visibleAt).filter((row) => (from === null || visibleAt[row] > from) && visibleAt[row] <= until);
    for (const row of rows) {
      if (entity[row] !== -1) continue;
      entity[row] = entityOf(row);
      if (entity[row] < 0) continue;
      touched++;
      const eventAt = source.eventAt[row];
      if (Number.isFinite(eventAt) && eventAt <= now && eventAt > (newestEventAt ?? Number.NEGATIVE_INFINITY))
        newestEventAt = eventAt;
    }
    return rows;
  });
  const classes = inOrder.map((rows) => byEntity(rows, entity, keys.length));
  return {
    keys,
    touched,
    newestEventAt,
    rowsOf: (code) => classes.map(({ starts, rows }) => Array.from(rows.subarray(starts[code], starts[code + 1]))),
  };
}

/** The same rows, those of one entity side by side: a counting sort. Entity c's are at starts[c] to starts[c + 1]. */
function byEntity(rows: Uint32Array, entity: Int32Array, entities: number) {
  const starts = new Uint32Array(entities + 1);
  for (const row of rows) if (entity[row] >= 0) starts[entity[row] + 1]++;
  for (let code = 0; code < entities; code++) starts[code + 1] += starts[code];
  const next = starts.slice();
  const sorted = new Uint32Array(starts[entities]);
  for (const row of rows) if (entity[row] >= 0) sorted[next[entity[row]]++] = row;
  return { starts, rows: sorted };
}
