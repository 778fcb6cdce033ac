import { hasVersions, quoteIdentifier, type Snapshot, snapshotRelation, timestampLiteral } from "../data/index.ts";
import { type FeatureViewDefinition, type SourceDefinition, viewFeatures } from "../definitions/index.ts";
import type { OnlineStore, TableEngine } from "../ports/index.ts";
import type { Scope } from "../scope.ts";
import { DAY, type Micros } from "../time.ts";
import { ascending } from "./ascending.ts";
import { type CompiledView, compileView } from "./compile-view.ts";
import { type ClassLayout, decodeRecord, type EntityRecord, recordLayout } from "./entity-record.ts";
import { EntityWriter } from "./entity-writer.ts";
import { featureErrors } from "./errors.ts";
import {
  entityKey,
  entityPrefix,
  featureDefinition,
  fingerprintOf,
  ONLINE_RETENTION,
  type OnlineView,
  viewKey,
} from "./online-view.ts";
import type { ExactValue } from "./plan.ts";
import { columnOf, featureArray, readViewRows, type ViewRows, valueAt, viewRowColumns } from "./view-rows.ts";

export interface MaterializeInput {
  readonly scope: Scope;
  readonly view: FeatureViewDefinition;
  readonly snapshot: Snapshot;
  readonly source: SourceDefinition;
  /** Local Parquet file of each part, by its sha256. */
  readonly paths: ReadonlyMap<string, string>;
  readonly until: Micros;
  /** Writes everything anew, also at an earlier `until`. */
  readonly full?: boolean;
}

export interface Materialization {
  readonly view: string;
  /** Rows that became visible in (from, until] were written; null from the beginning. */
  readonly from: Micros | null;
  readonly until: Micros;
  readonly rows: number;
  /** Entities written. */
  readonly entities: number;
}

/** Later than any row: the snapshot's own mask is not needed where each row is filtered by its exact availability. */
const ALWAYS: Micros = 253_402_300_799_000_000;

/**
 * Brings one view's online values up to `until`. Only rows that became visible since the last time are read, unless the
 * view's definition changed, or rows may have been replaced or delivered late; then all of it is written anew. One
 * transaction: entities and watermark change together, and doing it again changes nothing. An `until` that is not later than
 * the last one does nothing.
 */
export async function materialize(
  deps: { readonly engine: TableEngine; readonly online: OnlineStore },
  input: MaterializeInput,
): Promise<Materialization> {
  const { engine, online } = deps;
  const { scope, view: definition, snapshot } = input;
  const view = await compiledOnce(engine, definition);
  const fingerprint = fingerprintOf(view);
  const stored = await readOnlineView(online, scope, view.name);

  const unchanged = stored?.fingerprint === fingerprint && input.full !== true;
  const sameRows = unchanged && stored.contentHash === snapshot.contentHash;
  if (sameRows && (input.until <= stored.until || (view.eventTime === null && view.classes.every(isTimeless)))) {
    return { view: view.name, from: stored.until, until: stored.until, rows: 0, entities: 0 };
  }
  const until = unchanged ? Math.max(input.until, stored.until) : input.until;
  const appended = unchanged && (sameRows || (await onlyLaterRows(engine, view, stored, input)));
  const from = appended ? stored : null;
  const lateness = from !== null && sameRows ? from.lateness : await greatestLateness(engine, view, input);

  const rows = await (from === null
    ? visibleRows(engine, view, input, null, until)
    : increment(engine, view, input, from, lateness, until));
  const prefix = entityPrefix(scope, view.name);
  const layouts = recordLayout({ classes: view.classes, versions: hasVersions(snapshot) });
  const written = await writeEntities(online, view, layouts, rows, prefix, { from: from?.until ?? null, until });
  const entries: [string, Uint8Array | null][] = [...written.records];
  if (from === null) {
    for await (const key of online.keys(prefix)) if (!written.records.has(key)) entries.push([key, null]);
  }
  const next: OnlineView = {
    formatVersion: 2,
    view: view.name,
    fingerprint,
    keys: view.keys,
    keyTypes: view.keyTypes,
    definitions: Object.fromEntries(viewFeatures(definition).map(([name]) => [name, featureDefinition(definition, name)])),
    classes: view.classes,
    versions: hasVersions(snapshot),
    until,
    retention: ONLINE_RETENTION,
    contentHash: snapshot.contentHash,
    parts: snapshot.parts.map(({ sha256 }) => sha256),
    lateness,
    newestEventAt: newer(from?.newestEventAt ?? null, written.newestEventAt),
  };
  entries.push([viewKey(scope, view.name), Buffer.from(JSON.stringify(next))]);
  await online.putMany(entries);
  return { view: view.name, from: from?.until ?? null, until, rows: written.rows, entities: written.records.size };
}

const compiledViews = new WeakMap<FeatureViewDefinition, Promise<CompiledView>>();

/** Compiling asks the engine about each expression; a materialization every hour need not. */
function compiledOnce(engine: TableEngine, view: FeatureViewDefinition): Promise<CompiledView> {
  const known = compiledViews.get(view);
  if (known !== undefined) return known;
  const compiled = compileView(engine, view);
  compiledViews.set(view, compiled);
  compiled.catch(() => compiledViews.delete(view));
  return compiled;
}

const isTimeless = ({ availability }: CompiledView["classes"][number]) => availability.length === 0;

/** @throws FEATURE_RECORD_CORRUPT */
export async function readOnlineView(online: OnlineStore, scope: Scope, view: string): Promise<OnlineView | null> {
  const [bytes] = await online.getMany([viewKey(scope, view)]);
  if (bytes === null || bytes === undefined) return null;
  // What an earlier version of Orrery wrote is written anew.
  return Number(readEntry(bytes, view).formatVersion) < FORMAT_VERSION ? null : parseOnlineView(bytes, view);
}

const FORMAT_VERSION = 2;

/** @throws FEATURE_RECORD_CORRUPT */
export function parseOnlineView(bytes: Uint8Array, view: string): OnlineView {
  const parsed = readEntry(bytes, view);
  if (parsed.formatVersion === FORMAT_VERSION) return parsed;
  throw featureErrors.FEATURE_RECORD_CORRUPT(`Feature view "${view}" was materialized by another version of Orrery`);
}

function readEntry(bytes: Uint8Array, view: string): OnlineView {
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8"));
  } catch (cause) {
    throw featureErrors.FEATURE_RECORD_CORRUPT(`The online entry of feature view "${view}" cannot be read`, { cause });
  }
}

const newer = (one: Micros | null, other: Micros | null) =>
  one === null || other === null ? (one ?? other) : Math.max(one, other);

/** SQL for the columns by which rows of this view become visible, event time first. */
const visibilityColumns = (view: CompiledView): string[] => [
  ...new Set([...(view.eventTime === null ? [] : [view.eventTime]), ...view.classes.flatMap(({ availability }) => availability)]),
];

/** Whether the snapshot is the stored one plus parts whose every row becomes visible after the watermark. */
async function onlyLaterRows(
  engine: TableEngine,
  view: CompiledView,
  stored: OnlineView,
  input: MaterializeInput,
): Promise<boolean> {
  const { snapshot, source, paths } = input;
  const now = new Set(snapshot.parts.map(({ sha256 }) => sha256));
  if (!snapshot.disjoint || stored.parts.some((part) => !now.has(part))) return false;
  const parts = snapshot.parts.filter(({ sha256 }) => !stored.parts.includes(sha256));
  if (parts.length === 0) return true;
  const visibility = visibilityColumns(view).map(quoteIdentifier);
  if (visibility.length === 0) return false;
  const relation = snapshotRelation({ ...snapshot, parts }, source, paths, { asOf: ALWAYS });
  const [found] = await engine.rows(
    `SELECT count(*) AS n FROM ${relation} WHERE ${visibility.map((column) => `${column} <= ${timestampLiteral(stored.until)}`).join(" OR ")}`,
  );
  return found?.n === 0;
}

/** Longest time between a row's event and one of the moments at which its columns become known. */
async function greatestLateness(
  engine: TableEngine,
  view: CompiledView,
  { snapshot, source, paths }: MaterializeInput,
): Promise<Micros> {
  const { eventTime } = view;
  const later = visibilityColumns(view).filter((column) => column !== eventTime);
  if (eventTime === null || later.length === 0) return 0;
  const relation = snapshotRelation(snapshot, source, paths, { asOf: ALWAYS, versions: hasVersions(snapshot) });
  const event = quoteIdentifier(eventTime);
  const delays = later.map((column) => `max(epoch_us(${quoteIdentifier(column)}) - epoch_us(${event}))`);
  const [found] = await engine.rows(`SELECT CAST(greatest(0, ${delays.join(", ")}) AS BIGINT) AS lateness FROM ${relation}`);
  return Number(found?.lateness ?? 0);
}

/** Small steps read this far ahead, so that the next ones find their rows in memory. Rows are written when they are visible, not before. */
const READ_AHEAD: Micros = DAY;

interface Ahead {
  readonly contentHash: string;
  readonly fingerprint: string;
  /** Rows that become visible in (after, until] are here. */
  readonly after: Micros;
  readonly until: Micros;
  readonly rows: KeyedRows;
}

const readAhead = new WeakMap<FeatureViewDefinition, Ahead>();

async function increment(
  engine: TableEngine,
  view: CompiledView,
  input: MaterializeInput,
  { until: after, fingerprint }: OnlineView,
  lateness: Micros,
  until: Micros,
): Promise<KeyedRows> {
  const { contentHash } = input.snapshot;
  const ahead = readAhead.get(input.view);
  const fits =
    ahead?.contentHash === contentHash && ahead.fingerprint === fingerprint && ahead.after <= after && until <= ahead.until;
  if (fits) return ahead.rows;
  const horizon = until - after < READ_AHEAD ? after + READ_AHEAD : until;
  const rows = await visibleRows(engine, view, input, { after, lateness }, horizon);
  readAhead.set(input.view, { contentHash, fingerprint, after, until: horizon, rows });
  return rows;
}

interface KeyedRows extends ViewRows {
  readonly keys: readonly { readonly at: (row: number) => ExactValue }[];
}

async function visibleRows(
  engine: TableEngine,
  view: CompiledView,
  { snapshot, source, paths }: MaterializeInput,
  increment: { readonly after: Micros; readonly lateness: Micros } | null,
  until: Micros,
): Promise<KeyedRows> {
  const relation = snapshotRelation(snapshot, source, paths, { asOf: ALWAYS, rowNumber: true, versions: hasVersions(snapshot) });
  const keys = view.keys.map((key, index) => `${quoteIdentifier(key)} AS k${index}`);
  const present = view.keys.map((key) => `${quoteIdentifier(key)} IS NOT NULL`);
  const bounds = view.eventTime === null ? [] : [`${quoteIdentifier(view.eventTime)} <= ${timestampLiteral(until)}`];
  if (increment !== null) {
    const { after, lateness } = increment;
    // The bound on event time lets whole row groups be skipped; the exact filter is by class, on the columns that come back.
    if (view.eventTime !== null) bounds.push(`${quoteIdentifier(view.eventTime)} > ${timestampLiteral(after - lateness - 1)}`);
    const within = visibilityColumns(view).map(
      (column) => `${quoteIdentifier(column)} BETWEEN ${timestampLiteral(after + 1)} AND ${timestampLiteral(until)}`,
    );
    bounds.push(`(${within.join(" OR ")})`);
  } else if (view.eventTime !== null && view.classes.every(({ latest }) => latest.length === 0)) {
    bounds.push(`${quoteIdentifier(view.eventTime)} > ${timestampLiteral(until - ONLINE_RETENTION - view.longestWindow)}`);
  }
  const table = await engine.query(
    `SELECT ${[...keys, viewRowColumns(view, hasVersions(snapshot))].join(", ")} FROM ${relation} WHERE ${[...present, ...bounds].join(" AND ")}`,
  );
  return {
    ...readViewRows(view, table),
    keys: view.keys.map((key, index) => {
      const column = featureArray(columnOf(table, `k${index}`), view.keyTypes[key] ?? "string", `${view.name}.${key}`);
      return { at: (row: number) => valueAt(column, row) };
    }),
  };
}

interface Written {
  readonly records: ReadonlyMap<string, Uint8Array>;
  readonly rows: number;
  readonly newestEventAt: Micros | null;
}

async function writeEntities(
  online: OnlineStore,
  view: CompiledView,
  layouts: readonly ClassLayout[],
  source: KeyedRows,
  prefix: string,
  range: { readonly from: Micros | null; readonly until: Micros },
): Promise<Written> {
  const { from, until } = range;
  const writers = new Map<string, EntityWriter>();
  const keyOf = new Array<string | undefined>(source.rows);
  const touched = new Uint8Array(source.rows);
  let newestEventAt: Micros | null = null;
  view.classes.forEach((_, index) => {
    const { visibleAt } = source.classes[index];
    for (const row of ascending(visibleAt)) {
      if (visibleAt[row] > until) break;
      if (from !== null && visibleAt[row] <= from) continue;
      const key = (keyOf[row] ??=
        entityKey(
          prefix,
          source.keys.map(({ at }) => at(row)),
        ) ?? undefined);
      if (key === undefined) continue;
      const writer = writers.get(key) ?? new EntityWriter(view, layouts, source);
      writers.set(key, writer);
      writer.add(index, row);
      touched[row] = 1;
      const eventAt = source.eventAt[row];
      if (Number.isFinite(eventAt) && eventAt > (newestEventAt ?? Number.NEGATIVE_INFINITY)) newestEventAt = eventAt;
    }
  });
  const keys = [...writers.keys()];
  const before = from === null ? [] : await online.getMany(keys);
  const records = new Map<string, Uint8Array>();
  keys.forEach((key, index) => {
    const bytes = before[index] ?? null;
    const record: EntityRecord | null = bytes === null ? null : decodeRecord(layouts, bytes);
    const next = writers.get(key)?.encode(record, until - ONLINE_RETENTION);
    if (next !== undefined) records.set(key, next);
  });
  return { records, rows: touched.reduce((sum, one) => sum + one, 0), newestEventAt };
}
