import {
  countRows,
  type ErasedFile,
  erasedSnapshot,
  eraseRows,
  fileList,
  quoteIdentifier,
  type Snapshot,
  type SnapshotDefinition,
  snapshotPaths,
  snapshotRelation,
} from "../../core/data/index.ts";
import { conditionOn, type Erasing } from "./erasing.ts";

export interface ErasedSnapshots {
  /** By the hash that they had. */
  readonly files: ReadonlyMap<string, ErasedFile>;
  /** Rows of each changed snapshot as it can be read now, by id. */
  readonly rows: Readonly<Record<string, number>>;
}

/** Writes the parts of all snapshots without the entities' rows, and notes which label rows these were; a dry run only counts. */
export async function eraseSnapshots(work: Erasing): Promise<ErasedSnapshots> {
  const { question, opened, labels, note } = work;
  const files = new Map<string, ErasedFile>();
  const changed: Snapshot[] = [];
  const seen = new Set<string>();
  for (const snapshot of question.snapshots) {
    const own = conditionOn(work, snapshot.source, snapshot.columns);
    if (own === null || !(await isWhole(work, snapshot))) continue;
    const { key } = definitionOf(work, snapshot);
    // Without a key, a row is called by its place among all parts.
    const fresh = key.length === 0 ? snapshot.parts : snapshot.parts.filter(({ sha256 }) => !seen.has(sha256));
    for (const { labels: label } of fresh.length === 0 ? [] : opened.project.models)
      if (label.source.name === snapshot.source) await labels.note(label, { ...snapshot, parts: fresh }, own);
    const condition = await withDeletions(work, snapshot, own);
    const hashes = snapshot.parts.flatMap(({ sha256, quarantine, nulls }) => [
      { hash: sha256, what: "snapshot part", nullable: Object.keys(nulls) },
      ...(quarantine === null ? [] : [{ hash: quarantine, what: "quarantine", nullable: [] }]),
    ]);
    for (const { hash, what, nullable } of hashes) {
      if (!seen.has(hash)) note(what, snapshot.source, await eraseFile(work, files, hash, condition, nullable));
      seen.add(hash);
    }
    if (hashes.some(({ hash }) => files.has(hash))) changed.push(snapshot);
  }
  const rows: Record<string, number> = {};
  for (const snapshot of changed) rows[snapshot.id] = await visibleRows(work, files, snapshot);
  return { files, rows };
}

/** As it was read when the snapshot was taken. */
function definitionOf({ opened }: Erasing, { source, columns, definition }: Snapshot): SnapshotDefinition {
  if (definition !== undefined) return definition;
  const declared = opened.project.sources.find(({ name }) => name === source);
  // What is declared now may be of other columns than the snapshot has.
  const isAlike = declared !== undefined && Object.keys(declared.contracts).every((column) => columns[column] !== undefined);
  return isAlike ? declared : { key: [], availability: { groups: {} } };
}

/** Parts of a snapshot whose bytes were collected cannot be read, and hold nobody any more. */
export async function isWhole({ engines }: Erasing, { parts }: Snapshot): Promise<boolean> {
  const hashes = parts.flatMap(({ sha256, quarantine }) => (quarantine === null ? [sha256] : [sha256, quarantine]));
  return (await Promise.all(hashes.map((hash) => engines.artifacts.has(hash)))).every(Boolean);
}

/** Deletions need nothing but a row's key: those of the entities' rows are theirs too. */
async function withDeletions(work: Erasing, snapshot: Snapshot, own: string): Promise<string> {
  const { key, deleted } = definitionOf(work, snapshot);
  if (deleted === undefined || key.length === 0 || snapshot.columns[deleted] === undefined) return own;
  const paths = [...(await snapshotPaths(work.engines.artifacts, snapshot)).values()];
  const keys = key.map(quoteIdentifier).join(", ");
  return `(${own} OR (coalesce(${quoteIdentifier(deleted)}, false) AND (${keys}) IN
    (SELECT ${key.length === 1 ? keys : `(${keys})`} FROM read_parquet(${fileList(paths)}, hive_partitioning = false) WHERE ${own})))`;
}

async function eraseFile(
  { question, engines }: Erasing,
  files: Map<string, ErasedFile>,
  hash: string,
  condition: string,
  nullable: readonly string[],
): Promise<number> {
  if (question.dryRun) return countRows(engines, await engines.artifacts.localPath(hash), condition);
  const erased = await eraseRows(engines, hash, condition, nullable);
  if (erased !== null) files.set(hash, erased);
  return erased?.erased ?? 0;
}

async function visibleRows(work: Erasing, files: ReadonlyMap<string, ErasedFile>, snapshot: Snapshot): Promise<number> {
  const after = erasedSnapshot(snapshot, files, { erasure: "", at: 0 }) ?? snapshot;
  const paths = await snapshotPaths(work.engines.artifacts, after);
  const relation = snapshotRelation(after, definitionOf(work, snapshot), paths, { columns: [] });
  const [row] = await work.engines.engine.rows(`SELECT count(*) AS n FROM ${relation}`);
  return Number(row?.n ?? 0);
}
