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
 * and columns of groups that were not yet available are NULL, their own timestamp included.
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
  const { default: available = source.eventTime } = source.availability;
  // Without the availability of its own, a row is known when it happened; a source without time is known always.
  const visible = available === undefined ? "" : ` WHERE ${quoteIdentifier(available)} <= ${asOf}`;
  // A relation without columns still has rows to count.
  if (columns.length === 0) columns.push("1");
  return `(SELECT ${columns.join(", ")} FROM ${rowsOf(snapshot, source, paths, options)}${visible})`;
}

function maskedColumn(source: SourceDefinition, column: string, asOf: string): string {
  const name = quoteIdentifier(column);
  const group = Object.values(source.availability.groups).find(({ columns, at }) => at === column || columns.includes(column));
  return group === undefined ? name : `CASE WHEN ${quoteIdentifier(group.at)} <= ${asOf} THEN ${name} END AS ${name}`;
}

function rowsOf(
  snapshot: Snapshot,
  source: SourceDefinition,
  paths: ReadonlyMap<string, string>,
  options: RelationOptions,
): string {
  const files = snapshot.parts.map(({ sha256 }) => paths.get(sha256) ?? sha256);
  const plain = snapshot.disjoint && options.rowNumber !== true;
  if (plain) return `read_parquet(${fileList(files)})`;
  const numbered = files.map(
    (file, part) =>
      `SELECT * EXCLUDE (file_row_number), ${part * PART_SHIFT} + file_row_number AS __row FROM read_parquet(${fileList([file])}, file_row_number = true)`,
  );
  const all = `(${numbered.join(" UNION ALL ")})`;
  if (snapshot.disjoint) return all;
  const key = source.key.map(quoteIdentifier).join(", ");
  return `(SELECT * FROM ${all} QUALIFY row_number() OVER (PARTITION BY ${key} ORDER BY __row DESC) = 1)`;
}
