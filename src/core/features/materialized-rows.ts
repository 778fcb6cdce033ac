import { hasVersions, quoteIdentifier, type Snapshot, snapshotRelation, timestampLiteral } from "../data/index.ts";
import type { FeatureViewDefinition, SourceDefinition } from "../definitions/index.ts";
import type { ColumnTable, TableEngine } from "../ports/index.ts";
import { DAY, type Micros } from "../time.ts";
import type { CompiledView } from "./compile-view.ts";
import { ONLINE_RETENTION, type OnlineView } from "./online-view.ts";
import type { ExactValue } from "./plan.ts";
import { columnOf, featureArray, readViewRows, type ViewRows, valueAt, viewRowColumns } from "./view-rows.ts";

/** A view with the snapshot that its values are made of. */
export interface MaterializedFrom {
  readonly view: FeatureViewDefinition;
  readonly snapshot: Snapshot;
  readonly source: SourceDefinition;
  /** Local Parquet file of each part, by its sha256. */
  readonly paths: ReadonlyMap<string, string>;
  /** Values of rows that are held in memory at once; 12 million unless given. */
  readonly valuesAtOnce?: number;
  /** Rows of an entity's tile; 1,024 unless given. */
  readonly tileRows?: number;
}

export interface KeyedRows extends ViewRows {
  readonly keys: readonly { readonly at: (row: number) => ExactValue }[];
}

/** Rows that become visible after `after`, up to `until`; `after` null is from the beginning. */
export interface VisibleRange {
  readonly after: Micros | null;
  readonly until: Micros;
  /** Longest time from any row's event to the moment it is visible. */
  readonly lateness: Micros;
}

/** The entities whose keys' hash leaves this rest. */
export interface Share {
  readonly number: number;
  readonly of: number;
}

/** Later than any row: the snapshot's own mask is not needed where each row is filtered by its exact availability. */
const ALWAYS: Micros = 253_402_300_799_000_000;

/** So many values are held at once unless told otherwise, in doubles; what is larger is read in shares. */
const VALUES_AT_ONCE = 12_000_000;

/** SQL for the columns by which rows of this view become visible, event time first. */
const visibilityColumns = (view: CompiledView): string[] => [
  ...new Set([...(view.eventTime === null ? [] : [view.eventTime]), ...view.classes.flatMap(({ availability }) => availability)]),
];

const relationOf = ({ snapshot, source, paths }: MaterializedFrom, rowNumber = false): string =>
  snapshotRelation(snapshot, source, paths, { asOf: ALWAYS, rowNumber, versions: hasVersions(snapshot) });

/** Whether the snapshot is the stored one plus parts whose every row becomes visible after the watermark. */
export async function onlyLaterRows(
  engine: TableEngine,
  view: CompiledView,
  stored: OnlineView,
  from: MaterializedFrom,
): Promise<boolean> {
  const { snapshot } = from;
  const visibility = visibilityColumns(view).map(quoteIdentifier);
  if (visibility.length === 0) return false;
  const now = new Set(snapshot.parts.map(({ sha256 }) => sha256));
  if (!snapshot.disjoint || stored.parts.some((part) => !now.has(part))) return false;
  const parts = snapshot.parts.filter(({ sha256 }) => !stored.parts.includes(sha256));
  if (parts.length === 0) return true;
  const relation = relationOf({ ...from, snapshot: { ...snapshot, parts } });
  const [found] = await engine.rows(
    `SELECT count(*) AS n FROM ${relation} WHERE ${visibility.map((column) => `${column} <= ${timestampLiteral(stored.until)}`).join(" OR ")}`,
  );
  return found?.n === 0;
}

/** Longest time between a row's event and one of the moments at which its columns become known. */
export async function greatestLateness(engine: TableEngine, view: CompiledView, from: MaterializedFrom): Promise<Micros> {
  const { eventTime } = view;
  const later = visibilityColumns(view).filter((column) => column !== eventTime);
  if (eventTime === null || later.length === 0) return 0;
  const event = quoteIdentifier(eventTime);
  const delays = later.map((column) => `max(epoch_us(${quoteIdentifier(column)}) - epoch_us(${event}))`);
  const [found] = await engine.rows(
    `SELECT CAST(greatest(0, ${delays.join(", ")}) AS BIGINT) AS lateness FROM ${relationOf(from)}`,
  );
  return Number(found?.lateness ?? 0);
}

/**
 * The newest event of the rows that are visible by `until`, also of those that no window reaches any more. Null where there is none.
 */
export async function newestEvent(
  engine: TableEngine,
  view: CompiledView,
  from: MaterializedFrom,
  until: Micros,
): Promise<Micros | null> {
  if (view.eventTime === null) return null;
  const event = quoteIdentifier(view.eventTime);
  const by = (column: string) => `${quoteIdentifier(column)} <= ${timestampLiteral(until)}`;
  const visible = view.classes.map(({ availability }) => `(${["true", ...availability.map(by)].join(" AND ")})`);
  const keyed = view.keys.map((key) => `${quoteIdentifier(key)} IS NOT NULL`);
  const conditions = [by(view.eventTime), `(${["false", ...visible].join(" OR ")})`, ...keyed];
  const [found] = await engine.rows(
    `SELECT CAST(epoch_us(max(${event})) AS BIGINT) AS newest FROM ${relationOf(from)} WHERE ${conditions.join(" AND ")}`,
  );
  return found?.newest === null || found?.newest === undefined ? null : Number(found.newest);
}

/** In how many shares of the entities rows have to be read. */
export async function sharesOf(
  engine: TableEngine,
  view: CompiledView,
  from: MaterializedFrom,
  range: VisibleRange,
): Promise<number> {
  if (view.keys.length === 0) return 1;
  const values = view.classes.reduce((sum, { latest, expressions }) => sum + latest.length + expressions.length + 2, 3);
  const [found] = await engine.rows(
    `SELECT count(*) AS n FROM ${relationOf(from)} WHERE ${conditions(view, range).join(" AND ")}`,
  );
  return Math.max(1, Math.ceil((Number(found?.n) * values) / (from.valuesAtOnce ?? VALUES_AT_ONCE)));
}

/** Small steps read this far ahead, so that the next ones find their rows in memory. Rows are written when they are visible, not before. */
const READ_AHEAD: Micros = DAY;

interface Ahead {
  readonly contentHash: string;
  readonly fingerprint: string;
  readonly after: Micros;
  readonly until: Micros;
  readonly rows: KeyedRows;
}

const readAhead = new WeakMap<FeatureViewDefinition, Ahead>();

/** The rows of an increment that fit into memory at once; some may become visible only later than asked for. Null where they do not fit. */
export async function rowsAhead(
  engine: TableEngine,
  view: CompiledView,
  from: MaterializedFrom,
  { after, until, lateness }: VisibleRange & { readonly after: Micros },
  fingerprint: string,
): Promise<KeyedRows | null> {
  if (until - after > READ_AHEAD) return null;
  const { contentHash } = from.snapshot;
  const ahead = readAhead.get(from.view);
  if (ahead?.contentHash === contentHash && ahead.fingerprint === fingerprint && ahead.after <= after && until <= ahead.until)
    return ahead.rows;
  const range = { after, until: after + READ_AHEAD, lateness };
  if ((await sharesOf(engine, view, from, range)) > 1) return null;
  const rows = await visibleRows(engine, view, from, range, null);
  readAhead.set(from.view, { contentHash, fingerprint, after, until: range.until, rows });
  return rows;
}

/** Rows in columns, of all entities or of a share. */
export async function visibleRows(
  engine: TableEngine,
  view: CompiledView,
  from: MaterializedFrom,
  range: VisibleRange,
  share: Share | null,
): Promise<KeyedRows> {
  const hashed = share === null ? [] : [`hash(${view.keys.map(quoteIdentifier).join(", ")}) % ${share.of} = ${share.number}`];
  const versions = hasVersions(from.snapshot);
  const relation = `${relationOf(from, true)} WHERE ${[...conditions(view, range), ...hashed].join(" AND ")}`;
  return readKeyedRows(view, await engine.query(`SELECT ${keyedColumns(view, versions)} FROM ${relation}`));
}

/** The select list behind `readKeyedRows`, as `viewRowColumns` with the view's keys. */
export const keyedColumns = (view: CompiledView, versions: boolean): string =>
  [...view.keys.map((key, index) => `${quoteIdentifier(key)} AS k${index}`), viewRowColumns(view, versions)].join(", ");

export function readKeyedRows(view: CompiledView, table: ColumnTable): KeyedRows {
  return {
    ...readViewRows(view, table),
    keys: view.keys.map((key, index) => {
      const column = featureArray(columnOf(table, `k${index}`), view.keyTypes[key] ?? "string", `${view.name}.${key}`);
      return { at: (row: number) => valueAt(column, row) };
    }),
  };
}

/** SQL that leaves at least the range's rows; which of them are in it is decided class by class. */
function conditions(view: CompiledView, { after, until, lateness }: VisibleRange): string[] {
  const conditions = ["true", ...view.keys.map((key) => `${quoteIdentifier(key)} IS NOT NULL`)];
  const event = view.eventTime === null ? null : quoteIdentifier(view.eventTime);
  if (event !== null) conditions.push(`${event} <= ${timestampLiteral(until)}`);
  if (after !== null) {
    // The bound on event time lets whole row groups be skipped; the exact filter is by class, on the columns that come back.
    if (event !== null) conditions.push(`${event} > ${timestampLiteral(after - lateness - 1)}`);
    const within = visibilityColumns(view).map(
      (column) => `${quoteIdentifier(column)} BETWEEN ${timestampLiteral(after + 1)} AND ${timestampLiteral(until)}`,
    );
    conditions.push(`(${within.join(" OR ")})`);
  } else if (event !== null && view.classes.every(({ latest }) => latest.length === 0)) {
    conditions.push(`${event} > ${timestampLiteral(until - ONLINE_RETENTION - view.longestWindow)}`);
  }
  return conditions;
}
