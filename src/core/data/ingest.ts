import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { glob, stat } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import type { FilesOrigin, SourceDefinition } from "../definitions/index.ts";
import type { Micros } from "../time.ts";
import { checkPatterns, contractRules } from "./contract-rules.ts";
import { dataErrors } from "./errors.ts";
import { type IngestEngines, ingestPart, nullLimits } from "./ingest-part.ts";
import { type References, referenceHash, referenceQueries } from "./reference-values.ts";
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
  readonly references?: References;
  /** false: the snapshot's rows are those of the previous one, for callers that only read through it. */
  readonly countRows?: boolean;
}

/**
 * Takes a source in as it can be known at `asOf`: each file becomes an immutable part. A file is the same when its bytes are,
 * and then the previous snapshot's part is used again.
 * @throws DATA_FILE_MISSING, DATA_FILE_UNREADABLE, DATA_FILE_CHANGED, DATA_EMPTY, DATA_NOTHING_LEFT, DATA_CONTRACT_INVALID,
 *   DATA_PATTERN_INVALID, DATA_REFERENCE_UNKNOWN and what ingestPart throws; no snapshot is made then
 */
export async function ingest(engines: IngestEngines, source: SourceDefinition, options: IngestOptions): Promise<Snapshot> {
  const files = await inputFiles(source, options.projectDirectory);
  const references = await referenceQueries(engines.artifacts, source, options.references);
  const rules = contractRules(source, references);
  await checkPatternsOnce(engines.engine, source);
  const contract = await contractHash(engines, source, references);
  const parts: SnapshotPart[] = [];
  const known = await Promise.all(files.map((path) => recognise(engines, source, path, contract, options.previous)));
  for (const file of known) parts.push(file.part ?? (await takeIn(engines, source, file, rules)));
  refuseNothing(source, parts);
  const columns = Object.fromEntries(Object.entries(source.contracts).map(([column, { type }]) => [column, type]));
  const contentHash = sha256(JSON.stringify([columns, parts.map((part) => part.sha256)]));
  const draft: Snapshot = {
    formatVersion: 1,
    id: `snap-${sha256(JSON.stringify([source.name, contract, contentHash])).slice(0, 16)}-${options.asOf.toString(36)}`,
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
  const rows =
    options.countRows === false ? (options.previous?.rows ?? 0) : await countVisible(engines, source, { ...draft, disjoint });
  return withReport(source, { ...draft, disjoint, rows });
}

const patternsChecked = new WeakSet<SourceDefinition>();

async function checkPatternsOnce(engine: IngestEngines["engine"], source: SourceDefinition): Promise<void> {
  if (patternsChecked.has(source)) return;
  await checkPatterns(engine, source);
  patternsChecked.add(source);
}

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

/** Everything but its bytes that decides what becomes of a file. */
async function contractHash({ engine }: IngestEngines, source: SourceDefinition, references: ReadonlyMap<string, string>) {
  const values = await referenceHash(engine, references);
  const { name, origin, key, eventTime = null, availability, contracts, deleted } = source;
  const from = origin.kind === "files" ? origin.format : origin.kind;
  const mark = deleted === undefined ? [] : [deleted];
  return sha256(JSON.stringify([name, from, key, eventTime, availability, contracts, values, ...mark]));
}

interface InputFile {
  readonly path: string;
  readonly before: FileIdentity;
  readonly inputHash: string;
  /** The previous snapshot's part of the same bytes under the same contract. */
  readonly part: SnapshotPart | null;
}

async function recognise(
  { artifacts }: IngestEngines,
  source: SourceDefinition,
  path: string,
  contract: string,
  previous: Snapshot | undefined,
): Promise<InputFile> {
  const before = await identity(source, path);
  if (before.size === 0n && filesOrigin(source).format !== "parquet")
    throw dataErrors.DATA_EMPTY(`${basename(path)} of source ${source.name} has no rows`);
  const inputHash = sha256(contract + (await fileHash(source, path, before)));
  const known = previous?.parts.find((part) => part.inputHash === inputHash);
  if (known === undefined || !(await isStored(artifacts, known.sha256))) return { path, before, inputHash, part: null };
  return { path, before, inputHash, part: { ...known, file: basename(path) } };
}

const stored = new WeakMap<IngestEngines["artifacts"], Set<string>>();

/** Asked once for each artifact: nothing removes one while its snapshot stands. */
async function isStored(artifacts: IngestEngines["artifacts"], hash: string): Promise<boolean> {
  const known = stored.get(artifacts) ?? new Set();
  stored.set(artifacts, known);
  if (known.has(hash)) return true;
  const there = await artifacts.has(hash);
  if (there) known.add(hash);
  return there;
}

async function takeIn(
  engines: IngestEngines,
  source: SourceDefinition,
  { path, before, inputHash }: InputFile,
  rules: Parameters<typeof ingestPart>[3],
): Promise<SnapshotPart> {
  const part = await ingestPart(engines, source, { path, inputHash }, rules);
  const after = await identity(source, path);
  // What was hashed must be what was read: a file that grows meanwhile would be taken for its earlier self for ever.
  if (after.text !== before.text) throw dataErrors.DATA_FILE_CHANGED(`${basename(path)} changed while it was read`);
  return part;
}

/**
 * Files that the source's path names, sorted: the order of their names is the order of their delivery.
 * @throws DATA_FILE_MISSING
 */
async function inputFiles(source: SourceDefinition, projectDirectory: string): Promise<string[]> {
  // A name that exists is that file, even where it holds characters that a pattern would read otherwise.
  const { path } = filesOrigin(source);
  const exact = resolve(projectDirectory, path);
  const found = (await isFile(exact)) ? [exact] : [];
  if (found.length === 0) {
    for await (const name of glob(path, { cwd: projectDirectory })) found.push(resolve(projectDirectory, name));
  }
  const plain = await Promise.all(found.sort().map(isFile));
  const files = found.filter((_, i) => plain[i]);
  if (files.length === 0)
    throw dataErrors.DATA_FILE_MISSING(`No file matches ${path} of source ${source.name} in ${projectDirectory}`);
  return files;
}

/** @throws DATA_ORIGIN_MISSING */
function filesOrigin({ name, origin }: SourceDefinition): FilesOrigin {
  if (origin.kind === "files") return origin;
  throw dataErrors.DATA_ORIGIN_MISSING(`Nothing here can read ${origin.kind} rows of source ${name}`);
}

const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  );

interface FileIdentity {
  readonly size: bigint;
  readonly ctimeMs: number;
  readonly text: string;
}

async function identity(source: SourceDefinition, path: string): Promise<FileIdentity> {
  try {
    const { ino, size, mtimeNs, ctimeNs, ctimeMs } = await stat(path, { bigint: true });
    return { size, ctimeMs: Number(ctimeMs), text: `${ino}-${size}-${mtimeNs}-${ctimeNs}` };
  } catch (cause) {
    throw dataErrors.DATA_FILE_MISSING(`${basename(path)} of source ${source.name} is gone`, { cause });
  }
}

interface Hashed {
  readonly identity: string;
  readonly hash: string;
}

/** What this process hashed before. Nobody can set a file's ctime, so the same inode, size and times are the same bytes… */
const hashed = new Map<string, Hashed>();
/** …unless it changed again within the clock's step right after it was hashed: a file this young is hashed every time. */
const SETTLED_MS = 2_000;

async function fileHash(source: SourceDefinition, path: string, { text, ctimeMs }: FileIdentity): Promise<string> {
  const known = hashed.get(path);
  if (known?.identity === text) return known.hash;
  const begun = Date.now();
  const hash = createHash("sha256");
  try {
    await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  } catch (cause) {
    throw dataErrors.DATA_FILE_UNREADABLE(`${basename(path)} of source ${source.name} cannot be read`, { cause });
  }
  const digest = hash.digest("hex");
  if (begun - ctimeMs > SETTLED_MS) hashed.set(path, { identity: text, hash: digest });
  return digest;
}

function refuseNothing(source: SourceDefinition, parts: readonly SnapshotPart[]): void {
  if (parts.some(({ rows }) => rows > 0)) return;
  const files = parts.map(({ file }) => file).join(", ");
  const violations = addUp(parts);
  if (violations.length === 0) throw dataErrors.DATA_EMPTY(`${files} of source ${source.name} has no rows`);
  const why = violations.map(({ column, rule, rows }) => `${column} (${rule}: ${rows} rows)`).join(", ");
  throw dataErrors.DATA_NOTHING_LEFT(`Every row of ${files} breaks the contract of ${source.name}: ${why}`, {
    details: { violations },
  });
}

/** Whether no key stands twice, in other parts or as versions of one row in the same. */
async function partsAreDisjoint(
  { engine, artifacts }: IngestEngines,
  source: SourceDefinition,
  snapshot: Snapshot,
  previous: Snapshot | undefined,
): Promise<boolean> {
  if (source.key.length === 0) return true;
  const isSame = previous?.contentHash === snapshot.contentHash && previous.parts.length === snapshot.parts.length;
  if (isSame) return previous.disjoint;
  const paths = await snapshotPaths(artifacts, snapshot);
  const key = source.key.map(quoteIdentifier).join(", ");
  // The same content delivered in two files is listed twice, as it is read.
  const files = fileList(snapshot.parts.map((part) => paths.get(part.sha256) ?? part.sha256));
  const [row] = await engine.rows(
    `SELECT count(*) AS n FROM (SELECT 1 FROM read_parquet(${files}) GROUP BY ${key} HAVING count(*) > 1 LIMIT 1)`,
  );
  return Number(row?.n) === 0;
}

async function countVisible({ engine, artifacts }: IngestEngines, source: SourceDefinition, snapshot: Snapshot): Promise<number> {
  const relation = snapshotRelation(snapshot, source, await snapshotPaths(artifacts, snapshot), { columns: [] });
  const [visible] = await engine.rows(`SELECT count(*) AS n FROM ${relation}`);
  return Number(visible?.n);
}

/** Adds up what the parts report. */
function withReport(source: SourceDefinition, snapshot: Snapshot): Snapshot {
  const { parts, rows } = snapshot;
  const sum = (count: (part: SnapshotPart) => number) => parts.reduce((total, part) => total + count(part), 0);
  const delivered = sum(({ rows }) => rows);
  const nullCounts = nullLimits(source)
    .map(({ column, atMost }) => ({ column, atMost, nulls: sum(({ nulls }) => nulls[column] ?? 0) }))
    .filter(({ atMost, nulls }) => nulls / delivered > atMost);
  const tooManyNulls = nullCounts.map(
    ({ column, nulls }): Violation => ({ column, rule: "null", severity: "warn", rows: nulls, samples: [] }),
  );
  const report: ContractReport = {
    rows,
    quarantined: sum(({ quarantined }) => quarantined),
    violations: [...addUp(parts), ...tooManyNulls],
    nullShares: nullCounts.map(({ column, atMost, nulls }) => ({ column, atMost, share: nulls / delivered })),
  };
  return { ...snapshot, report };
}

function addUp(parts: readonly SnapshotPart[]): Violation[] {
  const sums = new Map<string, Violation>();
  for (const violation of parts.flatMap(({ violations }) => violations)) {
    const id = JSON.stringify([violation.column, violation.rule]);
    const sum = sums.get(id);
    sums.set(
      id,
      sum === undefined
        ? violation
        : {
            ...sum,
            rows: sum.rows + violation.rows,
            samples: [...sum.samples, ...violation.samples].slice(0, 5),
          },
    );
  }
  return [...sums.values()];
}
