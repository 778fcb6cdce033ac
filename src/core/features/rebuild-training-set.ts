import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { quoteIdentifier, quoteLiteral, type Snapshot } from "../data/index.ts";
import { toOrreryError } from "../errors.ts";
import type { ArtifactRef } from "../ports/index.ts";
import { formatTimestamp } from "../time.ts";
import { featureErrors } from "./errors.ts";
import { type TrainingSet, type TrainingSetDeps, trainingSetKept } from "./training-set.ts";
import { engineVersion, recordedInput, type TrainingSetRecord } from "./training-set-record.ts";

export interface RebuiltTrainingSet {
  readonly file: ArtifactRef;
  readonly rows: number;
}

/**
 * Builds a training set from its record and its snapshots, and keeps the file where it has the same bytes as the one that was saved: a file
 * that was lost is there again afterwards.
 * @param snapshots by source, as they are now; null where one is not there any more
 * @throws FEATURE_SET_ERASED, FEATURE_SET_DATA_GONE, FEATURE_SET_DIFFERS, FEATURE_SET_RECORD_DAMAGED, and what buildTrainingSet throws
 */
export async function rebuildTrainingSet(
  deps: TrainingSetDeps,
  record: TrainingSetRecord,
  snapshots: ReadonlyMap<string, Snapshot | null>,
): Promise<RebuiltTrainingSet> {
  const whole = await wholeSnapshots(deps, record, snapshots);
  const { set } = record;
  let differs: string | null = null;
  const rebuilt = await trainingSetKept(deps, recordedInput(record, whole), async (path) => {
    const sha256 = await hashOf(path);
    if (sha256 === set.file.sha256) return deps.artifacts.putFile(path, set.file.mediaType);
    differs = await differences(deps, record, path);
    return { sha256, bytes: (await stat(path)).size, mediaType: set.file.mediaType };
  });
  if (differs === null) return { file: rebuilt.file, rows: rebuilt.rows };
  throw featureErrors.FEATURE_SET_DIFFERS(
    `The training set of ${record.model} is not the same when it is built again: ${differs}`,
    {
      details: { saved: set.file.sha256, rebuilt: rebuilt.file.sha256 },
    },
  );
}

/** The snapshots that were read, with all their bytes. @throws FEATURE_SET_ERASED, FEATURE_SET_DATA_GONE */
async function wholeSnapshots(
  { artifacts }: TrainingSetDeps,
  record: TrainingSetRecord,
  snapshots: ReadonlyMap<string, Snapshot | null>,
): Promise<ReadonlyMap<string, Snapshot>> {
  const erased = record.erased?.at(-1);
  if (erased !== undefined)
    throw featureErrors.FEATURE_SET_ERASED(
      `The training set of ${record.model} is no longer reproducible: an erasure of ${formatTimestamp(erased.at)} took ${erased.rows} rows out of it`,
      { details: { erasure: erased.erasure } },
    );
  const found = new Map<string, Snapshot>();
  for (const [source, { id, contentHash }] of Object.entries(record.snapshots)) {
    const snapshot = snapshots.get(source) ?? null;
    if (snapshot === null) throw featureErrors.FEATURE_SET_DATA_GONE(`Snapshot ${id} of "${source}" is not on record any more`);
    if (snapshot.contentHash !== contentHash) throw changedSnapshot(record, source, snapshot);
    for (const { sha256, file } of snapshot.parts)
      if (!(await artifacts.has(sha256)))
        throw featureErrors.FEATURE_SET_DATA_GONE(`A part of snapshot ${id} of "${source}" (${file}) is not there any more`);
    found.set(source, snapshot);
  }
  return found;
}

function changedSnapshot({ model, snapshots }: TrainingSetRecord, source: string, { id, erased, contentHash }: Snapshot) {
  const mark = erased?.at(-1);
  if (mark === undefined)
    return featureErrors.FEATURE_SET_DATA_GONE(`Snapshot ${id} of "${source}" has other content than it had`, {
      details: { recorded: snapshots[source]?.contentHash, found: contentHash },
    });
  return featureErrors.FEATURE_SET_ERASED(
    `The training set of ${model} is no longer reproducible: an erasure of ${formatTimestamp(mark.at)} took ${mark.rows} rows out of snapshot ${id} of "${source}"`,
    { details: { erasure: mark.erasure } },
  );
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

/** In words, how the file at `path` differs from the one that was saved. */
async function differences(deps: TrainingSetDeps, record: TrainingSetRecord, path: string): Promise<string> {
  const { engine, artifacts } = deps;
  const { set } = record;
  const version = await engineVersion(engine);
  const found = version === record.engine ? [] : [`it was written by DuckDB ${record.engine}, and this is ${version}`];
  if (!(await artifacts.has(set.file.sha256))) return [...found, "the saved file is not there to be compared with"].join("; ");
  const read = (file: string) => `read_parquet(${quoteLiteral(file)}, hive_partitioning = false)`;
  const saved = read(await artifacts.localPath(set.file.sha256));
  try {
    const [counts] = await engine.rows(
      `SELECT (SELECT count(*) FROM ${saved}) AS saved, (SELECT count(*) FROM ${read(path)}) AS rebuilt`,
    );
    if (counts?.saved !== counts?.rebuilt)
      return [...found, `it has ${counts?.rebuilt} rows, and had ${counts?.saved}`].join("; ");
    return [...found, await differentColumns(deps, set, saved, read(path))].join("; ");
  } catch (error) {
    return [...found, `the saved file cannot be compared with: ${toOrreryError(error).message}`].join("; ");
  }
}

/** Columns with their numbers of rows that are not the same. */
async function differentColumns({ engine }: TrainingSetDeps, set: TrainingSet, saved: string, rebuilt: string): Promise<string> {
  const unequal = set.columns.map(
    (column, index) =>
      `count(*) FILTER (saved.${quoteIdentifier(column)} IS DISTINCT FROM rebuilt.${quoteIdentifier(column)}) AS column_${index}`,
  );
  const [row = {}] = await engine.rows(
    `SELECT ${unequal.join(", ")} FROM ${saved} AS saved POSITIONAL JOIN ${rebuilt} AS rebuilt`,
  );
  const columns = set.columns.flatMap((column, index) => {
    const rows = Number(row[`column_${index}`]);
    return rows === 0 ? [] : [`${column} in ${rows} of ${set.rows} rows`];
  });
  return columns.length === 0 ? "all values are the same, and the bytes are not" : `other values of ${columns.join(", ")}`;
}
