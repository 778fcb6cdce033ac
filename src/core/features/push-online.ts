import { randomUUID } from "node:crypto";
import { loggedRelation, loggedText } from "../data/index.ts";
import type { FeatureViewDefinition } from "../definitions/index.ts";
import type { LoggedRow, OnlineStore, PushLog, TableEngine } from "../ports/index.ts";
import type { Scope } from "../scope.ts";
import type { Micros } from "../time.ts";
import type { CompiledView } from "./compile-view.ts";
import { type ClassLayout, decodeRecord, type EntityRecord, recordLayout } from "./entity-record.ts";
import { EntityWriter } from "./entity-writer.ts";
import { removeLeftovers } from "./leftovers.ts";
import { compiledOnce } from "./materialize.ts";
import { type KeyedRows, keyedColumns, readKeyedRows } from "./materialized-rows.ts";
import { entityPrefix, ONLINE_RETENTION, type OnlineView } from "./online-view.ts";
import { keySetName, pushedFingerprint } from "./push-index.ts";
import { type TileSizes, tileSizes } from "./tile-directory.ts";
import { recordEntries } from "./tiles.ts";
import { currentSlot, definitionsOf, type VersionSlot } from "./view-versions.ts";
import { groupRows, openTiles } from "./write-records.ts";

export interface PushedInput {
  readonly scope: Scope;
  readonly view: FeatureViewDefinition;
  /** Hash of how the log's rows are judged and found. */
  readonly index: string;
  /** Reads stay exact from a retention before this on. */
  readonly now: Micros;
  /** Writes everything anew. */
  readonly full?: boolean;
  /** Rows of an entity's tile; 1,024 unless given. */
  readonly tileRows?: number;
}

export interface AppliedRows {
  readonly rows: number;
  /** Entities written, one by one for each batch. */
  readonly entities: number;
  /** Place in the log up to which rows are online. */
  readonly pushedTo: number;
}

interface Deps {
  readonly engine: TableEngine;
  readonly online: OnlineStore;
  readonly log: PushLog;
}

/** Rows that are brought online at once. */
const ROWS_AT_ONCE = 5_000;
/** Rows of entities that are written anew at once; an entity's own are never parted. */
const REWRITTEN_AT_ONCE = 50_000;

/** What a step works on. */
interface Work extends Deps {
  readonly view: CompiledView;
  readonly layouts: readonly ClassLayout[];
  /** Whether rows can have later versions: those with a key can. */
  readonly versions: boolean;
  /** Of the entities' keys in the store. */
  readonly prefix: string;
  readonly keepFrom: Micros;
  /** Events after this are not the newest yet. */
  readonly now: Micros;
  readonly sizes: TileSizes;
}

/**
 * Brings a view over pushed rows up to the end of the log. Rows are added to the records of their entities; where one corrects, replaces or
 * deletes an earlier one, the entities of all of its versions are made anew from the log. A view that is not online, is another one now, or
 * was made of more than the log has, is written anew beside what is there. The records and the place in the log change together: whenever this is cut off, it goes on from
 * there. One at a time for each view.
 */
export async function applyPushed(deps: Deps, input: PushedInput): Promise<AppliedRows> {
  return followLog(deps, input, await currentSlot(deps.online, input.scope, input.view));
}

/** The same of one version of a view, as `input.view` defines it. */
export async function followLog(deps: Deps, input: PushedInput, slot: VersionSlot): Promise<AppliedRows> {
  const { engine, online, log } = deps;
  const { scope, view: definition, now } = input;
  const view = await compiledOnce(engine, definition);
  const fingerprint = pushedFingerprint(view, input.index);
  const { stored } = slot;
  if (stored?.leftovers === true) await removeLeftovers(online, scope, view.name);
  const source = definition.source.name;
  const versions = definition.source.key.length > 0;
  const layouts = recordLayout({ classes: view.classes, versions });
  const until = Math.max(now, stored?.until ?? now);
  const work = (generation: string): Work => {
    const prefix = entityPrefix(scope, view.name, generation);
    const times = { keepFrom: until - ONLINE_RETENTION, now };
    return { ...deps, view, layouts, versions, prefix, ...times, sizes: tileSizes(input.tileRows) };
  };
  const entriesOf = (made: Pick<OnlineView, "generation" | "leftovers" | "newestEventAt"> & { pushedTo: number }) =>
    slot.write({ ...standing(definition, view, fingerprint, versions), ...made, until });

  const end = log.end(source);
  const goesOn = stored?.fingerprint === fingerprint && input.full !== true;
  // A log that ends before what was online by it is an earlier copy of it: other rows will have the places after its end.
  if (!goesOn || stored.pushedTo === undefined || stored.pushedTo > end) {
    const generation = randomUUID().slice(0, 8);
    const written = await rewrite(work(generation), end);
    await online.putMany(entriesOf({ generation, leftovers: true, newestEventAt: written.newestEventAt, pushedTo: end }));
    await removeLeftovers(online, scope, view.name);
    return { rows: written.rows, entities: written.entities, pushedTo: end };
  }

  const { generation } = stored;
  let { pushedTo } = stored;
  // Entries of an earlier release may hold an event that is dated ahead.
  let newestEventAt = (stored.newestEventAt ?? 0) > until ? null : stored.newestEventAt;
  let rows = 0;
  let entities = 0;
  while (pushedTo < end) {
    const fresh = log.rows(source, { after: pushedTo, upTo: end, sound: true }, ROWS_AT_ONCE);
    const upTo = fresh.length < ROWS_AT_ONCE ? end : (fresh.at(-1)?.seq ?? end);
    const made = await freshRecords(work(generation), fresh, { after: pushedTo, upTo });
    newestEventAt = newer(newestEventAt, made.newestEventAt);
    await online.putMany([...made.entries, ...entriesOf({ generation, leftovers: false, newestEventAt, pushedTo: upTo })]);
    pushedTo = upTo;
    rows += fresh.length;
    entities += made.entities;
  }
  return { rows, entities, pushedTo };
}

type Entry = [key: string, value: Uint8Array | null];

const newer = (one: Micros | null, other: Micros | null) =>
  one === null || other === null ? (one ?? other) : Math.max(one, other);

/** What is known of a view before any of its rows are. */
function standing(definition: FeatureViewDefinition, view: CompiledView, fingerprint: string, versions: boolean) {
  const { name, keys, keyTypes, classes } = view;
  const fixed = { formatVersion: 2, retention: ONLINE_RETENTION, contentHash: "", parts: [], lateness: 0 } as const;
  return { ...fixed, view: name, fingerprint, keys, keyTypes, definitions: definitionsOf(definition), classes, versions };
}

interface MadeRecords {
  readonly entries: Entry[];
  readonly entities: number;
  readonly newestEventAt: Micros | null;
}

/** The records of the entities that rows in (after, upTo] change, `rows` being the sound ones among them. */
async function freshRecords(
  work: Work,
  rows: readonly LoggedRow[],
  range: { readonly after: number; readonly upTo: number },
): Promise<MadeRecords> {
  const { online, view, layouts, keepFrom, log } = work;
  const anew = await revisedEntities(work, log.revisedRows(view.source.name, range));
  const source = await read(work, rows, false);
  const grouped = group(work, source);
  const writer = new EntityWriter(view, layouts, source, work.sizes);
  const added = grouped.keys.flatMap((key, index) => (anew.has(key) ? [] : [{ key, index }]));
  const before = await recordsOf(
    work,
    added.map(({ key }) => key),
  );
  const fresh = added.map(({ key, index }, at) => ({ key, rows: grouped.rowsOf(index), before: before[at] }));
  const until = Number.POSITIVE_INFINITY;
  const opened = await openTiles(online, writer, layouts, fresh, until);
  const entries = fresh.flatMap(({ key, rows, before }, at): Entry[] => {
    const since = before === null ? null : { record: before, until, tiles: opened.get(at) ?? new Map() };
    return recordEntries(key, writer.encode(rows, since, keepFrom), before);
  });
  if (anew.size === 0) return { entries, entities: fresh.length, newestEventAt: grouped.newestEventAt };
  const made = await recordsAnew(work, [...anew.keys()], range.upTo);
  return {
    entries: [...entries, ...made.entries],
    entities: fresh.length + made.entities,
    newestEventAt: newer(grouped.newestEventAt, made.newestEventAt),
  };
}

/** What the store has of entities. */
async function recordsOf({ online, layouts }: Work, keys: readonly string[]): Promise<(EntityRecord | null)[]> {
  return (await online.getMany(keys)).map((bytes) => (bytes === null ? null : decodeRecord(layouts, bytes)));
}

/** Keys of the entities that any version of these rows belongs to. */
async function revisedEntities(work: Work, rows: readonly LoggedRow[]): Promise<ReadonlySet<string>> {
  if (rows.length === 0) return new Set();
  return new Set(group(work, await read(work, rows, false)).keys);
}

/**
 * Records of entities from all of their rows up to a place in the log; null for one that has none any more.
 * @param isNew whether the store has none of them
 */
async function recordsAnew(
  work: Work,
  keys: readonly string[],
  upTo: number,
  isNew = false,
): Promise<MadeRecords & { readonly rows: number }> {
  const { log, view, layouts, prefix, keepFrom, versions, sizes } = work;
  const before = isNew ? [] : await recordsOf(work, keys);
  const wanted = new Map(keys.map((key, index) => [key, before[index] ?? null]));
  const entities = keys.map((key) => key.slice(prefix.length));
  const logged = log.rowsOf(view.source.name, keySetName(view.keys), entities, upTo);
  const source = await read(work, logged, versions);
  const grouped = group(work, source);
  const writer = new EntityWriter(view, layouts, source, sizes);
  const entries: Entry[] = [];
  grouped.keys.forEach((key, index) => {
    const replaced = wanted.get(key);
    // Versions of a row may belong to other entities, whose other rows are not here.
    if (replaced === undefined) return;
    wanted.delete(key);
    entries.push(...recordEntries(key, writer.encode(grouped.rowsOf(index), null, keepFrom), replaced));
  });
  for (const [key, replaced] of wanted) entries.push(...recordEntries(key, null, replaced));
  return { entries, entities: keys.length, newestEventAt: grouped.newestEventAt, rows: grouped.touched };
}

/** Every record, into a generation of its own. */
async function rewrite(work: Work, upTo: number) {
  const { log, online, view, prefix } = work;
  const written = { rows: 0, entities: 0, newestEventAt: null as Micros | null };
  for (let after = ""; ; ) {
    const some: string[] = [];
    let rows = 0;
    for (const each of log.entities(view.source.name, keySetName(view.keys), after, ROWS_AT_ONCE)) {
      if (some.length > 0 && rows + each.rows > REWRITTEN_AT_ONCE) break;
      some.push(each.entity);
      rows += each.rows;
    }
    const last = some.at(-1);
    if (last === undefined) return written;
    const made = await recordsAnew(
      work,
      some.map((entity) => prefix + entity),
      upTo,
      true,
    );
    await online.putMany(made.entries);
    written.rows += made.rows;
    written.entities += made.entities;
    written.newestEventAt = newer(written.newestEventAt, made.newestEventAt);
    after = last;
  }
}

async function read({ engine, view, versions }: Work, rows: readonly LoggedRow[], superseded: boolean): Promise<KeyedRows> {
  const relation = loggedRelation(view.source, superseded);
  return readKeyedRows(view, await engine.query(`SELECT ${keyedColumns(view, versions)} FROM ${relation}`, [loggedText(rows)]));
}

const group = ({ view, prefix, now }: Work, rows: KeyedRows) =>
  groupRows(view, rows, prefix, null, Number.POSITIVE_INFINITY, now);
