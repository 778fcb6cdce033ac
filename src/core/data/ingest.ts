import { createHash } from "node:crypto";
import { glob, readFile, stat } from "node:fs/promises";
import { isAbsolute, resolve } from "node:path";
import type { SourceDefinition } from "../definitions/index.ts";
import type { Micros } from "../time.ts";
import { contractRules } from "./contract-rules.ts";
import { dataErrors } from "./errors.ts";
import { type IngestEngines, ingestPart, nullLimits } from "./ingest-part.ts";
import type { ContractReport, Snapshot, SnapshotPart, Violation } from "./snapshot.ts";
import { snapshotPaths, snapshotRelation } from "./snapshot-relation.ts";
import { fileList, quoteIdentifier } from "./sql.ts";

export interface IngestOptions {
  readonly projectDirectory: string;
  readonly asOf: Micros;
  readonly createdAt: Micros;
  /** Its parts are used again for files that have not changed. */
  readonly previous?: Snapshot;
  /** Sources that contracts refer to, already taken in. */
  readonly references?: ReadonlyMap<string, { readonly snapshot: Snapshot; readonly source: SourceDefinition }>;
}

/**
 * Takes a source in as it can be known at `asOf`: each file becomes an immutable part, unchanged files are not read again.
 * @throws DATA_FILE_MISSING, DATA_REFERENCE_UNKNOWN and everything ingestPart throws; the store is as before
 */
export async function ingest(engines: IngestEngines, source: SourceDefinition, options: IngestOptions): Promise<Snapshot> {
  const files = await inputFiles(source, options.projectDirectory);
  const references = await referenceQueries(engines, source, options);
  const contract = createHash("sha256")
    .update(JSON.stringify([source.format, source.key, source.eventTime ?? null, source.contracts, [...references.values()]]))
    .digest("hex");
  const known = new Map(options.previous?.parts.map((part) => [part.inputHash, part]));
  const rules = contractRules(source, references);
  const parts: SnapshotPart[] = [];
  for (const path of files) {
    const inputHash = createHash("sha256")
      .update(contract)
      .update(await fileHash(path))
      .digest("hex");
    const part = known.get(inputHash) ?? (await ingestPart(engines, source, { path, inputHash }, rules));
    if (!parts.some(({ sha256 }) => sha256 === part.sha256)) parts.push(part);
  }
  const columns = Object.fromEntries(Object.entries(source.contracts).map(([column, { type }]) => [column, type]));
  const contentHash = createHash("sha256")
    .update(JSON.stringify([columns, parts.map(({ sha256 }) => sha256)]))
    .digest("hex");
  const draft: Snapshot = {
    formatVersion: 1,
    id: `snap-${contentHash.slice(0, 16)}-${options.asOf.toString(36)}`,
    source: source.name,
    contentHash,
    asOf: options.asOf,
    parent: options.previous?.id ?? null,
    columns,
    parts,
    disjoint: true,
    rows: 0,
    bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0),
    report: { rows: 0, quarantined: 0, violations: [], nullShares: [] },
    createdAt: options.createdAt,
  };
  const disjoint = await partsAreDisjoint(engines, source, draft, options.previous);
  return withReport(engines, source, { ...draft, disjoint });
}

/**
 * Files that the source's path names, sorted.
 * @throws DATA_FILE_MISSING
 */
async function inputFiles(source: SourceDefinition, projectDirectory: string): Promise<string[]> {
  const found: string[] = [];
  for await (const name of glob(source.path, { cwd: projectDirectory }))
    found.push(isAbsolute(name) ? name : resolve(projectDirectory, name));
  const files: string[] = [];
  for (const path of found.sort()) if ((await stat(path)).isFile()) files.push(path);
  if (files.length === 0)
    throw dataErrors.DATA_FILE_MISSING(`No file matches ${source.path} of source ${source.name} in ${projectDirectory}`);
  return files;
}

interface HashedFile {
  readonly identity: string;
  readonly hash: string;
}
const hashed = new Map<string, HashedFile>();

/** sha256 of a file; read again whenever inode, size, or either time says that it may have changed. */
async function fileHash(path: string): Promise<string> {
  const { ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
  const identity = `${ino}-${size}-${mtimeNs}-${ctimeNs}`;
  const known = hashed.get(path);
  if (known?.identity === identity) return known.hash;
  const hash = createHash("sha256")
    .update(await readFile(path))
    .digest("hex");
  hashed.set(path, { identity, hash });
  return hash;
}

/** For each "source.column" that a contract refers to, the query of its values. */
async function referenceQueries(
  { artifacts }: IngestEngines,
  source: SourceDefinition,
  options: IngestOptions,
): Promise<Map<string, string>> {
  const queries = new Map<string, string>();
  for (const { reference } of Object.values(source.contracts)) {
    if (reference === undefined) continue;
    const [name = "", column = ""] = reference.split(".", 2);
    const other = options.references?.get(name);
    if (other === undefined || !(column in other.source.contracts)) continue;
    const relation = snapshotRelation(other.snapshot, other.source, await snapshotPaths(artifacts, other.snapshot), {
      columns: [column],
    });
    queries.set(
      reference,
      `SELECT DISTINCT ${quoteIdentifier(column)} FROM ${relation} WHERE ${quoteIdentifier(column)} IS NOT NULL`,
    );
  }
  return queries;
}

/** Whether no key stands in two parts; only new parts are looked at where the previous snapshot already knew the others. */
async function partsAreDisjoint(
  { engine, artifacts }: IngestEngines,
  source: SourceDefinition,
  snapshot: Snapshot,
  previous: Snapshot | undefined,
): Promise<boolean> {
  if (source.key.length === 0 || snapshot.parts.length < 2) return true;
  const old = new Set(previous?.parts.map(({ sha256 }) => sha256));
  const fresh = snapshot.parts.filter(({ sha256 }) => !old.has(sha256));
  if (fresh.length === 0) return previous?.disjoint ?? true;
  if (previous?.disjoint === false) return false;
  const paths = await snapshotPaths(artifacts, snapshot);
  const key = source.key.map(quoteIdentifier).join(", ");
  const [row] = await engine.rows(
    `SELECT count(*) AS n FROM (SELECT 1 FROM read_parquet(${fileList([...paths.values()])}) GROUP BY ${key} HAVING count(*) > 1 LIMIT 1)`,
  );
  return Number(row?.n) === 0;
}

/** Counts what is visible at `asOf` and adds up what the parts report. */
async function withReport({ engine, artifacts }: IngestEngines, source: SourceDefinition, snapshot: Snapshot): Promise<Snapshot> {
  const { parts } = snapshot;
  const relation = snapshotRelation(snapshot, source, await snapshotPaths(artifacts, snapshot), { columns: [] });
  const [visible] = await engine.rows(`SELECT count(*) AS n FROM ${relation}`);
  const sum = (count: (part: SnapshotPart) => number) => parts.reduce((total, part) => total + count(part), 0);
  const nullShares = nullLimits(source)
    .map(({ column, atMost }) => ({ column, atMost, share: sum(({ nulls }) => nulls[column] ?? 0) / sum(({ rows }) => rows) }))
    .filter(({ share, atMost }) => share > atMost);
  const rows = Number(visible?.n);
  const report: ContractReport = {
    rows,
    quarantined: sum(({ quarantined }) => quarantined),
    violations: addUp(parts),
    nullShares,
  };
  return { ...snapshot, rows, report };
}

function addUp(parts: readonly SnapshotPart[]): Violation[] {
  const sums = new Map<string, Violation>();
  for (const violation of parts.flatMap(({ violations }) => violations)) {
    const id = `${violation.column}\0${violation.rule}`;
    const sum = sums.get(id);
    sums.set(
      id,
      sum === undefined
        ? violation
        : { ...sum, rows: sum.rows + violation.rows, samples: [...sum.samples, ...violation.samples].slice(0, 5) },
    );
  }
  return [...sums.values()];
}
