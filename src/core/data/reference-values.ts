import type { SourceDefinition } from "../definitions/index.ts";
import type { ArtifactStore, TableEngine } from "../ports/index.ts";
import { SQL_TYPES } from "./column-sql.ts";
import type { Snapshot } from "./snapshot.ts";
import { snapshotPaths, snapshotRelation } from "./snapshot-relation.ts";
import { quoteIdentifier } from "./sql.ts";

/** Sources that contracts refer to, by name. */
export type References = ReadonlyMap<string, { readonly snapshot: Snapshot; readonly source: SourceDefinition }>;

/** "source.column" in its two parts; the column's own name may hold dots. */
export function splitReference(reference: string): readonly [source: string, column: string] {
  const dot = reference.indexOf(".");
  return dot < 0 ? [reference, ""] : [reference.slice(0, dot), reference.slice(dot + 1)];
}

/** For each "source.column" that a contract refers to, the query of its values, as the referring column's type and without null. */
export async function referenceQueries(
  artifacts: ArtifactStore,
  source: SourceDefinition,
  references: References | undefined,
): Promise<Map<string, string>> {
  const queries = new Map<string, string>();
  for (const { reference, type } of Object.values(source.contracts)) {
    if (reference === undefined) continue;
    const [name, column] = splitReference(reference);
    const other = references?.get(name);
    if (other === undefined || !(column in other.source.contracts)) continue;
    const paths = await snapshotPaths(artifacts, other.snapshot);
    const relation = snapshotRelation(other.snapshot, other.source, paths, { columns: [column] });
    const value = `TRY_CAST(${quoteIdentifier(column)} AS ${SQL_TYPES[type]})`;
    queries.set(reference, `SELECT DISTINCT ${value} AS value FROM ${relation} WHERE ${value} IS NOT NULL`);
  }
  return queries;
}

/** A hash of each referred column's values, so that parts are judged again when these change and only then. */
export async function referenceHash(engine: TableEngine, queries: ReadonlyMap<string, string>): Promise<string[]> {
  const hashes: string[] = [];
  for (const [reference, query] of queries) {
    const [row] = await engine.rows(`SELECT count(*) AS n, bit_xor(hash(value))::VARCHAR AS hash FROM (${query})`);
    hashes.push(`${reference}:${row?.n}:${row?.hash}`);
  }
  return hashes;
}
