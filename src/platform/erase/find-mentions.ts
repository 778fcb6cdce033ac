import { open, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { countRows, entityCondition, fileList, keyText, snapshotPaths } from "../../core/data/index.ts";
import type { ColumnType } from "../../core/definitions/index.ts";
import { isWhole } from "./erase-snapshots.ts";
import { conditionOn, type Erasing } from "./erasing.ts";

/** What of the state folder is looked at by what is in it, or is gone with its process. */
const HANDLED = /^(artifacts|artifact-cache|online|push|predictions|tmp|run)(\/|$)|^metadata\.db(-wal|-shm)?$/;
/** A text shorter than this stands in files by chance. */
const TELLING_LENGTH = 4;
const SEARCHED_BYTES = 256 << 20;

/** Artifacts that nothing names and that hold rows of the entities: of refreshes, or of runs that failed. */
export async function unnamedWithRows(work: Erasing): Promise<string[]> {
  const { question, engines, note } = work;
  const found: string[] = [];
  for (const hash of question.unnamed) {
    if (!(await engines.artifacts.has(hash))) continue;
    const path = await engines.artifacts.localPath(hash);
    if ((await isParquet(path)) ? await holdsRows(work, path) : await mentions(work, path)) found.push(hash);
  }
  if (found.length > 0) note("artifact that nothing names", "", found.length);
  return found;
}

/** Notes what names the entities and stays: files of people, logs, and rows of somebody else. */
export async function countMentions(work: Erasing): Promise<void> {
  const { opened, question, engines, entities, reach, note } = work;
  for (const { sha256, where } of question.files)
    if ((await engines.artifacts.has(sha256)) && (await mentions(work, await engines.artifacts.localPath(sha256))))
      note("left: file that names a key", where, 1);
  for (const name of await ownFiles(opened.paths.root))
    if (await mentions(work, join(opened.paths.root, name))) note("left: file that names a key", name, 1);
  for (const { source, columns } of reach.mentions) {
    const newest = question.snapshots.find((snapshot) => snapshot.source === source);
    const condition = newest === undefined ? null : entityCondition(entities, columns, newest.columns);
    if (newest === undefined || condition === null || !(await isWhole(work, newest))) continue;
    let rows = 0;
    for (const path of (await snapshotPaths(engines.artifacts, newest)).values())
      rows += await countRows(engines, path, condition);
    if (rows > 0) note("left: another's row that names a key", `${source}.${Object.values(columns).join(", ")}`, rows);
  }
}

/** By the names of its columns, since nothing says what it is. */
async function holdsRows(work: Erasing, path: string): Promise<boolean> {
  const { engines, labels, reach } = work;
  const described = await engines.engine.rows(
    `DESCRIBE SELECT * FROM read_parquet(${fileList([path])}, hive_partitioning = false)`,
  );
  const columns = Object.fromEntries(described.map((row) => [String(row.column_name), typeNamed(String(row.column_type))]));
  if (columns.__reference !== undefined && columns.__event_at !== undefined) return (await labels.count(path)) > 0;
  // The last stands for sources that the project has no more.
  for (const source of [...reach.sources.keys(), ""]) {
    const condition = conditionOn(work, source, columns);
    if (condition !== null && (await countRows(engines, path, condition)) > 0) return true;
  }
  return false;
}

const TYPES: Readonly<Record<string, ColumnType>> = {
  VARCHAR: "string",
  INTEGER: "int32",
  BIGINT: "int64",
  DOUBLE: "float64",
  BOOLEAN: "bool",
  TIMESTAMP: "timestamp",
};

/** A type that no column of a source has is compared by its text. */
const typeNamed = (sqlType: string): ColumnType => TYPES[sqlType] ?? "string";

/** Whether a file has the text of a key. */
async function mentions({ entities: { types, keys } }: Erasing, path: string): Promise<boolean> {
  const all = keys.flatMap((values) => Object.entries(values).map(([name, value]) => keyText(value, types[name])));
  const texts = all.filter((text) => text.length >= TELLING_LENGTH);
  if (texts.length === 0 || (await stat(path)).size > SEARCHED_BYTES) return false;
  const bytes = await readFile(path);
  return texts.some((text) => bytes.includes(text));
}

/** Files of the state folder that have no other place in an erasure: logs, traces, copies from before the format changed. */
async function ownFiles(root: string): Promise<string[]> {
  const looked = (await readdir(root, { recursive: true })).filter((name) => !HANDLED.test(name));
  const files = await Promise.all(
    looked.map(async (name) => (await stat(join(root, name)).catch(() => null))?.isFile() === true),
  );
  return looked.filter((_, index) => files[index]);
}

async function isParquet(path: string): Promise<boolean> {
  const file = await open(path, "r");
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
    return bytesRead === 4 && buffer.toString("latin1") === "PAR1";
  } finally {
    await file.close();
  }
}
