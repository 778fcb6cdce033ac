import type { SourceDefinition } from "../definitions/index.ts";
import type { ArtifactStore } from "../ports/index.ts";
import type { Micros } from "../time.ts";
import type { Snapshot } from "./snapshot.ts";
import { fileList, quoteIdentifier, timestampLiteral } from "./sql.ts";

/** Local path of each of the snapshot's parts, by sha256. */
export async function snapshotPaths(artifacts: ArtifactStore, snapshot: Snapshot): Promise<ReadonlyMap<string, string>> {
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
}

/** Rows of a part lie below this, so that part and row fit into one BIGINT. */
const PART_SHIFT = 2 ** 32;

/**
 * A parenthesised SQL query over the snapshot as it could be known at `asOf`: rows that were not yet available are not there,
 * and columns of groups that were not yet available are NULL, their own timestamp included. Of rows with one key in several
 * parts only the last delivered that is visible stands. Filters on the columns reach the Parquet reader where the parts are
 * disjoint; otherwise only the one by availability does.
 */
export function snapshotRelation(
  snapshot: Snapshot,
  source: SourceDefinition,
  paths: ReadonlyMap<string, string>,
  options: RelationOptions = {},
): string {
  const asOf = timestampLiteral(options.asOf ?? snapshot.asOf);
  const wanted = options.columns ?? Object.keys(snapshot.columns);
  const columns = wanted.map((column) => maskedColumn(source, column, asOf));
  if (options.rowNumber === true) columns.push("__row");
  // Without an availability of its own, a row is known when it happened; a source without time is known always.
  const { default: available = source.eventTime } = source.availability;
  const visible = available === undefined ? "" : ` WHERE ${quoteIdentifier(available)} <= ${asOf}`;
  // A relation without columns still has rows to count.
  if (columns.length === 0) columns.push("1");
  return `(SELECT ${columns.join(", ")} FROM ${partRows(snapshot, paths, options)}${visible}${lastOfKey(snapshot, source)})`;
}

/** A column is known when all of its groups are. Event time and the row's own availability are never hidden: rows are found by them. */
function maskedColumn(source: SourceDefinition, column: string, asOf: string): string {
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
  if (snapshot.disjoint && rowNumber !== true) return `read_parquet(${fileList(files)})`;
  const numbered = files.map(
    (file, part) =>
      `SELECT * EXCLUDE (file_row_number), ${part * PART_SHIFT} + file_row_number AS __row FROM read_parquet(${fileList([file])}, file_row_number = true)`,
  );
  return `(${numbered.join(" UNION ALL ")})`;
}

function lastOfKey(snapshot: Snapshot, source: SourceDefinition): string {
  if (snapshot.disjoint) return "";
  const key = source.key.map(quoteIdentifier).join(", ");
  return ` QUALIFY row_number() OVER (PARTITION BY ${key} ORDER BY __row DESC) = 1`;
}
