import type { SourceDefinition } from "../definitions/index.ts";
import type { IngestEngines } from "./ingest-part.ts";
import type { Snapshot, SnapshotPart } from "./snapshot.ts";
import { snapshotPaths } from "./snapshot-relation.ts";
import { fileList, quoteIdentifier } from "./sql.ts";

/**
 * Whether no key stands twice, in other parts or as versions of one row in the same. What the previous snapshot knew of its parts is
 * not looked for again: an increment costs one pass over the keys before it, and memory for its own.
 */
export async function partsAreDisjoint(
  engines: IngestEngines,
  source: SourceDefinition,
  snapshot: Snapshot,
  previous: Snapshot | undefined,
): Promise<boolean> {
  if (source.key.length === 0) return true;
  const { kept, added, areAll } = partsSince(snapshot.parts, previous?.parts ?? []);
  if (areAll && previous?.disjoint === false) return false;
  const paths = await snapshotPaths(engines.artifacts, snapshot);
  // The same content delivered in two files is listed twice, as it is read.
  const rows = (parts: readonly SnapshotPart[]) =>
    `read_parquet(${fileList(parts.map(({ sha256 }) => paths.get(sha256) ?? sha256))}, hive_partitioning = false)`;
  const key = source.key.map(quoteIdentifier).join(", ");
  const isThere = async (query: string) => (await engines.engine.rows(`${query} LIMIT 1`)).length > 0;
  const repeatsIn = (parts: readonly SnapshotPart[]) =>
    isThere(`SELECT 1 AS found FROM ${rows(parts)} GROUP BY ${key} HAVING count(*) > 1`);
  if (kept.length > 0 && previous?.disjoint !== true) return !(await repeatsIn(snapshot.parts));
  if (added.length === 0) return true;
  if (await repeatsIn(added)) return false;
  return (
    kept.length === 0 ||
    !(await isThere(`SELECT 1 AS found FROM ${rows(kept)} SEMI JOIN (SELECT ${key} FROM ${rows(added)}) USING (${key})`))
  );
}

/** Parts that the previous snapshot had under the same contract, and those that are new; `areAll`: none of the previous ones is gone. */
export function partsSince(parts: readonly SnapshotPart[], previous: readonly SnapshotPart[]) {
  const left = new Map<string, number>();
  for (const { inputHash } of previous) left.set(inputHash, (left.get(inputHash) ?? 0) + 1);
  const kept: SnapshotPart[] = [];
  const added: SnapshotPart[] = [];
  for (const part of parts) {
    const times = left.get(part.inputHash) ?? 0;
    left.set(part.inputHash, times - 1);
    (times > 0 ? kept : added).push(part);
  }
  return { kept, added, areAll: kept.length === previous.length };
}
