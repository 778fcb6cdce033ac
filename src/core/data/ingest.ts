import type { JoinedOrigin, SourceDefinition } from "../definitions/index.ts";
import type { Micros } from "../time.ts";
import { addUp } from "./add-up.ts";
import { contractHash, sha256 } from "./contract-hash.ts";
import { checkPatterns, contractRules, type Rule } from "./contract-rules.ts";
import type { Delivery } from "./delivery.ts";
import { partsAreDisjoint } from "./disjoint-parts.ts";
import { contentHashOf } from "./erase-rows.ts";
import { dataErrors } from "./errors.ts";
import { type IngestEngines, ingestPart, nullLimits } from "./ingest-part.ts";
import { judgeExpectations } from "./judge-expectations.ts";
import { KnownRows } from "./known-rows.ts";
import { mergeIncrements } from "./merge-parts.ts";
import { otherColumns, withUndeclared } from "./other-columns.ts";
import { localDeliveries } from "./read-files.ts";
import { pushedParts } from "./read-pushed.ts";
import { queryRows } from "./read-query.ts";
import { isOnThisMachine, remoteDeliveries, remoteFiles } from "./read-remote.ts";
import { functionRows } from "./read-rows.ts";
import { type References, referenceQueries } from "./reference-values.ts";
import type { ContractReport, Snapshot, SnapshotDefinition, SnapshotPart, Violation } from "./snapshot.ts";
import { snapshotPaths, snapshotRelation } from "./snapshot-relation.ts";
import { spool, type TextRow } from "./spool.ts";
import { incrementParts, incrementStart, type Start, sinceOf } from "./watermark.ts";

export interface IngestOptions {
  readonly projectDirectory: string;
  readonly asOf: Micros;
  readonly createdAt: Micros;
  /** Its parts are used again for files that have not changed. */
  readonly previous?: Snapshot;
  /** Sources that contracts refer to, already taken in. */
  readonly references?: References;
  /** Reads the rows of sources that are made of others. */
  readonly joined?: (source: SourceDefinition, origin: JoinedOrigin) => AsyncIterable<Delivery>;
  /** About so many rows of what is not a file on this machine, for a look at whether it can be read; the snapshot is not the source. */
  readonly firstRows?: number;
  /** false: the snapshot's rows are those of the previous one, for callers that only read through it. */
  readonly countRows?: boolean;
}

/**
 * Takes a source in as it can be known at `asOf`: each file, or each batch of rows, becomes an immutable part. A file is the same
 * when its bytes are, and then the previous snapshot's part is used again. A source with a watermark keeps the previous snapshot's
 * parts and adds what is new; the same rows delivered twice are taken once.
 * @throws DATA_FILE_MISSING, DATA_FILE_UNREADABLE, DATA_FILE_CHANGED, DATA_EMPTY, DATA_NOTHING_LEFT, DATA_CONTRACT_INVALID,
 *   DATA_PATTERN_INVALID, DATA_REFERENCE_UNKNOWN, DATA_ORIGIN_MISSING, DATA_ROWS_INVALID, DATA_ROWS_FAILED and what ingestPart throws; no snapshot is made then
 */
export async function ingest(engines: IngestEngines, source: SourceDefinition, options: IngestOptions): Promise<Snapshot> {
  const references = await referenceQueries(engines.artifacts, source, options.references);
  const rules = contractRules(source, references);
  await checkPatternsOnce(engines.engine, source);
  // An increment is judged by the values that it may refer to when it comes: new ones are no reason to ask for everything again.
  const contract = await contractHash(engines.engine, source, source.watermark === undefined ? references : new Map());
  const parts =
    source.origin.kind === "push"
      ? await partsOfLog(engines, source, options, contract, rules)
      : source.watermark === undefined
        ? await wholeParts(engines, source, options, contract, rules)
        : await incrementalParts(engines, source, options, contract, rules);
  refuseNothing(source, parts);
  const columns = Object.fromEntries(Object.entries(source.contracts).map(([column, { type }]) => [column, type]));
  const contentHash = contentHashOf(columns, parts);
  const draft: Snapshot = {
    formatVersion: 1,
    id: `snap-${sha256(JSON.stringify([source.name, contract, contentHash])).slice(0, 16)}-${options.asOf.toString(36)}`,
    source: source.name,
    contentHash,
    asOf: options.asOf,
    parent: options.previous?.id ?? null,
    columns,
    nullable: Object.fromEntries(
      Object.entries(source.contracts).map(([column, { nullable }]) => [column, nullable === false ? 0 : nullable.atMost]),
    ),
    definition: definitionOf(source),
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
  const whole = { ...draft, disjoint, rows };
  return withReport(source, whole, await verdictsOf(engines, source, whole, options));
}

/** A look at some rows says nothing about the source, and where rows are not counted nothing is judged anew. */
async function verdictsOf(
  engines: IngestEngines,
  source: SourceDefinition,
  snapshot: Snapshot,
  { previous, firstRows, countRows }: IngestOptions,
): Promise<ContractReport["expectations"]> {
  if (firstRows !== undefined && !isOnThisMachine(source)) return undefined;
  if (countRows === false) return previous?.report.expectations;
  return await judgeExpectations(engines, source, snapshot, previous);
}

function definitionOf({ key, eventTime, availability, deleted }: SourceDefinition): SnapshotDefinition {
  return {
    key,
    ...(eventTime === undefined ? {} : { eventTime }),
    availability,
    ...(deleted === undefined ? {} : { deleted }),
  };
}

const patternsChecked = new WeakSet<SourceDefinition>();

async function checkPatternsOnce(engine: IngestEngines["engine"], source: SourceDefinition): Promise<void> {
  if (patternsChecked.has(source)) return;
  await checkPatterns(engine, source);
  patternsChecked.add(source);
}

/** Everything that the source has now, and the previous snapshot's part for what has not changed. */
async function wholeParts(
  engines: IngestEngines,
  source: SourceDefinition,
  options: IngestOptions,
  contract: string,
  rules: readonly Rule[],
): Promise<SnapshotPart[]> {
  const parts: SnapshotPart[] = [];
  for await (const delivery of deliveries(engines, source, options, null)) {
    const inputHash = sha256(contract + delivery.hash);
    const known = options.previous?.parts.find((part) => part.inputHash === inputHash);
    const isKnown = known !== undefined && (await isStored(engines.artifacts, known.sha256));
    parts.push(
      isKnown
        ? again(known, delivery)
        : await delivery.use((path) => ingestPart(engines, source, { ...delivery, path, inputHash }, rules)),
    );
  }
  return parts;
}

/** A part whose rows came again. Rows are told apart by what is declared: what else they have may be new all the same. */
function again({ schema, ...part }: SnapshotPart, { name, from, undeclared }: Delivery): SnapshotPart {
  const now = undeclared === undefined ? schema : withUndeclared({ undeclared: [], retyped: [] }, undeclared);
  return {
    ...part,
    file: name,
    ...(now === undefined || now.undeclared.length + now.retyped.length === 0 ? {} : { schema: now }),
    ...(from === undefined ? {} : { from }),
  };
}

/** @throws DATA_ORIGIN_MISSING */
async function partsOfLog(
  engines: IngestEngines,
  source: SourceDefinition,
  { previous }: IngestOptions,
  contract: string,
  rules: readonly Rule[],
): Promise<SnapshotPart[]> {
  const { pushed, artifacts } = engines;
  if (pushed === undefined) throw dataErrors.DATA_ORIGIN_MISSING(`Nothing here can read pushed rows of source ${source.name}`);
  const isKept = (hash: string) => isStored(artifacts, hash);
  return pushedParts(engines, pushed, source, { contract, rules, previous: previous?.parts ?? [], isStored: isKept });
}

/** The previous snapshot's parts, and what is new since. Under another contract, everything is asked for again. */
async function incrementalParts(
  engines: IngestEngines,
  source: SourceDefinition,
  options: IngestOptions,
  contract: string,
  rules: readonly Rule[],
): Promise<readonly SnapshotPart[]> {
  const before = incrementParts(options.previous, contract);
  const there = await Promise.all(before.map(({ sha256 }) => isStored(engines.artifacts, sha256)));
  const parts = there.every(Boolean) ? [...before] : [];
  const start = incrementStart(source, parts, options.previous?.asOf ?? options.asOf);
  const known = parts.length === 0 ? undefined : await KnownRows.of(engines, source, parts);
  try {
    for await (const delivery of deliveries(engines, source, options, start)) {
      const from = { kind: "increment", contract, watermark: null } as const;
      const part = await delivery.use((path) =>
        ingestPart(engines, source, { ...delivery, from, path, inputHash: sha256(contract + delivery.hash) }, rules, known),
      );
      if (part.rows + part.quarantined > 0) parts.push(part);
    }
  } finally {
    await known?.close();
  }
  return await mergeIncrements(engines, source, parts);
}

/** Where the source's rows are, as files. @throws DATA_ORIGIN_MISSING and what the origin's reader throws */
async function* deliveries(
  { tmpDirectory, inputs }: IngestEngines,
  source: SourceDefinition,
  { projectDirectory, previous, joined, firstRows = Number.POSITIVE_INFINITY }: IngestOptions,
  start: Start | null,
): AsyncGenerator<Delivery> {
  const { name, origin } = source;
  const seen = new Set<string>();
  const spooled = (rows: AsyncIterable<TextRow>) => withSeen(spool(name, firstOf(rows, firstRows), tmpDirectory), seen);
  if (origin.kind === "files") {
    const remote = remoteFiles(origin, name, inputs);
    if (remote === null) yield* await localDeliveries(source, origin, { projectDirectory, tmpDirectory });
    else yield* remoteDeliveries(source, origin, remote, { tmpDirectory, previous: previous?.parts ?? [], firstRows });
  } else if (origin.kind === "rows") yield* spooled(functionRows(source, origin, sinceOf(start), seen));
  else if (origin.kind === "postgres" && inputs !== undefined)
    yield* spooled(queryRows(source, origin, inputs.postgres, start, seen));
  else if (origin.kind === "joined" && joined !== undefined) yield* joined(source, origin);
  else throw dataErrors.DATA_ORIGIN_MISSING(`Nothing here can read ${origin.kind} rows of source ${name}`);
}

/** Of these deliveries only what is declared was written down. */
async function* withSeen(batches: AsyncIterable<Delivery>, seen: ReadonlySet<string>): AsyncGenerator<Delivery> {
  for await (const batch of batches) yield { ...batch, undeclared: [...seen] };
}

async function* firstOf<T>(items: AsyncIterable<T>, count: number): AsyncGenerator<T> {
  let left = count;
  for await (const item of items) {
    yield item;
    left -= 1;
    if (left <= 0) return;
  }
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

function refuseNothing(source: SourceDefinition, parts: readonly SnapshotPart[]): void {
  // Rows may come at any time, and a wrong one must not hold up everything else.
  if (source.origin.kind === "push" || parts.some(({ rows, leftOut }) => rows > 0 || leftOut === true)) return;
  const files = parts.map(({ file }) => file).join(", ");
  const violations = addUp(parts.map((part) => part.violations));
  if (violations.length === 0)
    throw dataErrors.DATA_EMPTY(
      files === "" ? `Source ${source.name} has no rows` : `${files} of source ${source.name} has no rows`,
    );
  const why = violations.map(({ column, rule, rows }) => `${column} (${rule}: ${rows} rows)`).join(", ");
  throw dataErrors.DATA_NOTHING_LEFT(`Every row of ${files} breaks the contract of ${source.name}: ${why}`, {
    details: { violations },
  });
}

async function countVisible({ engine, artifacts }: IngestEngines, source: SourceDefinition, snapshot: Snapshot): Promise<number> {
  const relation = snapshotRelation(snapshot, source, await snapshotPaths(artifacts, snapshot), { columns: [] });
  const [visible] = await engine.rows(`SELECT count(*) AS n FROM ${relation}`);
  return Number(visible?.n);
}

/** Adds up what the parts report. */
function withReport(source: SourceDefinition, snapshot: Snapshot, expectations: ContractReport["expectations"]): Snapshot {
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
    violations: [...addUp(parts.map((part) => part.violations)), ...tooManyNulls],
    nullShares: nullCounts.map(({ column, atMost, nulls }) => ({ column, atMost, share: nulls / delivered })),
    ...otherColumns(parts),
    ...(expectations === undefined || expectations.length === 0 ? {} : { expectations }),
  };
  return { ...snapshot, report };
}
