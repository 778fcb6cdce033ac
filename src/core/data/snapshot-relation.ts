import type { ArtifactStore } from "../ports/index.ts";
import type { Micros } from "../time.ts";
import type { Snapshot, SnapshotDefinition } from "./snapshot.ts";
import { fileList, quoteIdentifier, timestampLiteral } from "./sql.ts";

/** Local path of each of the snapshot's parts, by sha256. */
export async function snapshotPaths(
  artifacts: ArtifactStore,
  snapshot: Pick<Snapshot, "parts">,
): Promise<ReadonlyMap<string, string>> {
  const found = await Promise.all(snapshot.parts.map(async ({ sha256 }) => [sha256, await artifacts.localPath(sha256)] as const));
  return new Map(found);
}

export interface RelationOptions {
  /** Hides what was not available at this time. Default: the snapshot's own. */
  readonly asOf?: Micros;
  /** Only these columns. Default: all. */
  readonly columns?: readonly string[];
  /** Adds `__row` (BIGINT): the row's place, by part and then within its file. */
  readonly rowNumber?: boolean;
  /**
   * All versions of each row, with `__superseded_at` (TIMESTAMP): when the next one, or the row's deletion, became known; null where
   * none did. Without it, each row is its last version.
   */
  readonly versions?: boolean;
}

/** Whether a row of the snapshot may have later versions. */
export const hasVersions = ({ disjoint }: Pick<Snapshot, "disjoint">): boolean => !disjoint;

/** Rows of a part lie below this, so that part and row fit into one BIGINT. */
const PART_SHIFT = 2 ** 32;

/**
 * A parenthesised SQL query over the snapshot as it could be known at `asOf`: rows that were not yet available are not there,
 * and columns of groups that were not yet available are NULL, their own timestamp included. Rows of one key with another
 * availability are versions of one row, each of which holds until the next becomes known; of those with the same availability the
 * last delivered stands. A version that is marked as deleted ends the one before it and is not there itself. Filters on the columns
 * reach the Parquet reader where no key stands twice; otherwise only the one by availability does. `source` is the source's definition, or
 * the snapshot's own where it shall be read as it was.
 */
export function snapshotRelation(
  snapshot: Snapshot,
  source: SnapshotDefinition,
  paths: ReadonlyMap<string, string>,
  options: RelationOptions = {},
): string {
  const rows = partRows(snapshot, paths, options);
  return rowsRelation(rows, source, {
    ...options,
    asOf: options.asOf ?? snapshot.asOf,
    columns: options.columns ?? Object.keys(snapshot.columns),
    repeats: hasVersions(snapshot),
  });
}

export interface RowsOptions extends RelationOptions {
  readonly asOf: Micros;
  readonly columns: readonly string[];
  /** Whether a key may stand twice; `rows` has `__row` then. */
  readonly repeats: boolean;
}

/** The same over any rows of the source: a name or a parenthesised query. */
export function rowsRelation(rows: string, source: SnapshotDefinition, options: RowsOptions): string {
  const { repeats } = options;
  const asOf = timestampLiteral(options.asOf);
  const columns = options.columns.map((column) => maskedColumn(source, column, asOf));
  if (options.rowNumber === true) columns.push("__row");
  if (options.versions === true) columns.push(repeats ? "__superseded_at" : "NULL::TIMESTAMP AS __superseded_at");
  // Without an availability of its own, a row is known when it happened; a source without time is known always.
  const { default: available = source.eventTime } = source.availability;
  const conditions = available === undefined ? [] : [`${quoteIdentifier(available)} <= ${asOf}`];
  const relation = repeats ? versionRows(source, rows, available, conditions, options) : rows;
  const there = repeats ? [] : conditions;
  if (source.deleted !== undefined) there.push(`NOT coalesce(${quoteIdentifier(source.deleted)}, false)`);
  // A relation without columns still has rows to count.
  if (columns.length === 0) columns.push("1");
  return `(SELECT ${columns.join(", ")} FROM ${relation}${there.length === 0 ? "" : ` WHERE ${there.join(" AND ")}`})`;
}

/** Each row's versions as they followed one another, deletions among them, or only the last. */
function versionRows(
  source: SnapshotDefinition,
  rows: string,
  available: string | undefined,
  conditions: readonly string[],
  { versions }: RelationOptions,
): string {
  const key = source.key.map(quoteIdentifier).join(", ");
  const where = conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`;
  const known = available === undefined ? null : quoteIdentifier(available);
  if (versions !== true || known === null) {
    const last = [...(known === null ? [] : [`${known} DESC`]), "__row DESC"].join(", ");
    const ends = versions === true ? ", NULL::TIMESTAMP AS __superseded_at" : "";
    return `(SELECT *${ends} FROM ${rows}${where} QUALIFY row_number() OVER (PARTITION BY ${key} ORDER BY ${last}) = 1)`;
  }
  const delivered = `SELECT * FROM ${rows}${where} QUALIFY row_number() OVER (PARTITION BY ${key}, ${known} ORDER BY __row DESC) = 1`;
  return `(SELECT *, lead(${known}) OVER (PARTITION BY ${key} ORDER BY ${known}) AS __superseded_at FROM (${delivered}))`;
}

/** A column is known when all of its groups are. Event time and the row's own availability are never hidden: rows are found by them. */
function maskedColumn(source: SnapshotDefinition, column: string, asOf: string): string {
  const name = quoteIdentifier(column);
  if (column === source.eventTime || column === source.availability.default) return name;
  const groups = Object.values(source.availability.groups);
  const times = groups.filter(({ columns, at }) => at === column || columns.includes(column)).map(({ at }) => at);
  if (times.length === 0) return name;
  const known = [...new Set(times)].map((at) => `${quoteIdentifier(at)} <= ${asOf}`);
  return `CASE WHEN ${known.join(" AND ")} THEN ${name} END AS ${name}`;
}

function partRows(snapshot: Snapshot, paths: ReadonlyMap<string, string>, { rowNumber }: RelationOptions): string {
  const files = snapshot.parts.map(({ sha256 }) => paths.get(sha256) ?? sha256);
  // Folders above the store may be named like a column with a value.
  const read = (more: string) => `read_parquet(${fileList(files)}, hive_partitioning = false${more})`;
  if (snapshot.disjoint && rowNumber !== true) return read("");
  const place = files.length === 1 ? "file_row_number AS __row" : `file_index::BIGINT * ${PART_SHIFT} + file_row_number AS __row`;
  return `(SELECT * EXCLUDE (file_row_number), ${place} FROM ${read(", file_row_number = true")})`;
}
