import type { Snapshot } from "../core/data/index.ts";
import { type OrreryError, toOrreryError } from "../core/errors.ts";
import { featureErrors, readTrainingSetRecord, type TrainingSetErasure, type TrainingSetRecord } from "../core/features/index.ts";
import type { ArtifactRef, ArtifactStore, MetadataStore } from "../core/ports/index.ts";
import type { Scope } from "../core/scope.ts";
import { formatTimestamp, type Micros } from "../core/time.ts";
import type { Tracking } from "../core/tracking/index.ts";
import type { RebuildInput } from "./stages/rebuild-training-set.ts";

/** Names of a run's artifacts: the training set that it learned from, and what that can be built from again. */
export const TRAINING_SET_FILE = "training-set.parquet";
export const TRAINING_SET_RECORD = "training-set.json";
/** Tag of the runs that learned from a training set: its id. */
export const TRAINING_SET_TAG = "orrery.trainingSet";

/** A training set that a run has kept. */
export interface SavedTrainingSet {
  /** Of the run that it belongs to. */
  readonly id: string;
  /** Where the file lies in the tree of artifacts, and the record beside it. */
  readonly path: string;
  readonly savedAt: Micros;
  readonly file: ArtifactRef;
  /** Null where it was saved before records were kept, and where it cannot be read. */
  readonly record: TrainingSetRecord | null;
  /** Why its record cannot be read; null where it can, and where it has none. */
  readonly unreadable: OrreryError | null;
}

export interface TrainingSetRooms {
  readonly store: MetadataStore;
  readonly scope: Scope;
  readonly artifacts: ArtifactStore;
  readonly tracking: Pick<Tracking, "files">;
}

const PLACE = /^[^/]+\/([^/]+)\/artifacts\/training-set\.parquet$/;

/** What a record that is not there any more, or is none, says. */
const LOST = ["ARTIFACT_MISSING", "ARTIFACT_CORRUPT", "FEATURE_SET_RECORD_DAMAGED"];

/** Every training set that is kept, newest first; those of deleted runs too, until garbage collection. One that has lost its record says so. */
export async function listTrainingSets(rooms: TrainingSetRooms): Promise<SavedTrainingSet[]> {
  const { store, scope, artifacts } = rooms;
  const named = async (name: string) =>
    store.db
      .selectFrom("artifact_files")
      .select(["path", "sha256", "bytes", "media_type", "written_at"])
      .where((each) => each.and({ workspace: scope.workspace, project: scope.project }))
      .where("path", "like", `%/artifacts/${name}`)
      .execute();
  const records = new Map((await named(TRAINING_SET_RECORD)).map(({ path, sha256 }) => [path, sha256]));
  const found: SavedTrainingSet[] = [];
  for (const { path, sha256, bytes, media_type, written_at } of await named(TRAINING_SET_FILE)) {
    const id = PLACE.exec(path)?.[1];
    if (id === undefined) continue;
    found.push({
      id,
      path,
      savedAt: written_at,
      file: { sha256, bytes, mediaType: media_type },
      ...(await readRecord(artifacts, records.get(recordPath(path)))),
    });
  }
  return found.sort((one, other) => other.savedAt - one.savedAt || (one.id < other.id ? 1 : -1));
}

async function readRecord(
  artifacts: ArtifactStore,
  sha256: string | undefined,
): Promise<Pick<SavedTrainingSet, "record" | "unreadable">> {
  if (sha256 === undefined) return { record: null, unreadable: null };
  try {
    return { record: readTrainingSetRecord(await artifacts.read(sha256)), unreadable: null };
  } catch (cause) {
    const error = toOrreryError(cause);
    if (!LOST.includes(error.code)) throw cause;
    return { record: null, unreadable: error };
  }
}

/**
 * Why each of these sets cannot be built again, as far as the records of it and of its snapshots tell; null where nothing speaks against it.
 * Whether all files of its snapshots are there is found when it is built.
 */
export async function rebuildProblems(
  { tracking }: { readonly tracking: Pick<Tracking, "listSnapshots"> },
  sets: readonly SavedTrainingSet[],
): Promise<ReadonlyMap<string, string | null>> {
  const snapshots = new Map((sets.length === 0 ? [] : await tracking.listSnapshots()).map((each) => [each.id, each]));
  return new Map(sets.map((set) => [set.id, rebuildProblem(set, snapshots)]));
}

function rebuildProblem({ record, unreadable }: SavedTrainingSet, snapshots: ReadonlyMap<string, Snapshot>): string | null {
  if (unreadable !== null) return `its record cannot be read: ${unreadable.message}`;
  if (record === null) return "it has no record";
  const taken = (at: Micros, rows: number) => `an erasure of ${formatTimestamp(at).slice(0, 10)} took ${rows} rows`;
  const own = record.erased?.at(-1);
  if (own !== undefined) return taken(own.at, own.rows);
  for (const [source, { id, contentHash }] of Object.entries(record.snapshots)) {
    const snapshot = snapshots.get(id);
    if (snapshot === undefined) return `snapshot ${id} of "${source}" is not on record any more`;
    if (snapshot.contentHash === contentHash) continue;
    const mark = snapshot.erased?.at(-1);
    const what = `snapshot ${id} of "${source}"`;
    return mark === undefined ? `${what} has other content than it had` : `${taken(mark.at, mark.rows)} out of ${what}`;
  }
  return null;
}

/** @throws FEATURE_SET_UNKNOWN */
export async function getTrainingSet(rooms: TrainingSetRooms, id: string): Promise<SavedTrainingSet> {
  const found = (await listTrainingSets(rooms)).find((set) => set.id === id);
  if (found === undefined) throw featureErrors.FEATURE_SET_UNKNOWN(`There is no training set ${id}`);
  return found;
}

/**
 * What building a training set again takes. Snapshots are never removed from the record, and their files stay as long as they are on it.
 * @throws FEATURE_SET_UNKNOWN, FEATURE_SET_WITHOUT_RECORD, FEATURE_SET_RECORD_DAMAGED, ARTIFACT_MISSING, ARTIFACT_CORRUPT
 */
export async function rebuildInput(
  rooms: TrainingSetRooms & { readonly tracking: Pick<Tracking, "getSnapshot"> },
  id: string,
): Promise<RebuildInput> {
  const { record, unreadable } = await getTrainingSet(rooms, id);
  if (unreadable !== null) throw unreadable;
  if (record === null) throw featureErrors.FEATURE_SET_WITHOUT_RECORD(`Training set ${id} has no record`);
  const snapshots: Record<string, Snapshot | null> = {};
  for (const [source, { id: snapshot }] of Object.entries(record.snapshots))
    snapshots[source] = await rooms.tracking.getSnapshot(snapshot).catch((error: unknown) => {
      if (toOrreryError(error).code === "TRACKING_SNAPSHOT_UNKNOWN") return null;
      throw error;
    });
  return { record, snapshots };
}

/**
 * Puts another file in place of a training set's, with what an erasure took out of it; the record says so. The old bytes stay in the
 * store until somebody removes them.
 * @param set as it was listed
 * @param figures that have changed with its rows
 */
export async function replaceTrainingSetFile(
  { artifacts, tracking }: TrainingSetRooms,
  set: SavedTrainingSet,
  file: ArtifactRef,
  {
    erasure,
    figures,
  }: {
    readonly erasure: Omit<TrainingSetErasure, "sha256">;
    readonly figures?: Partial<Pick<TrainingSetRecord["set"], "rows" | "labelled" | "positives" | "pending" | "censored">>;
  },
): Promise<void> {
  if (set.record !== null) {
    const { record } = set;
    const erased = [
      ...(record.erased ?? []).filter((each) => each.erasure !== erasure.erasure),
      { ...erasure, sha256: set.file.sha256 },
    ];
    const changed: TrainingSetRecord = { ...record, set: { ...record.set, ...figures, file }, erased };
    // The record first: a set that says it was erased is never taken for what it was.
    await tracking.files.place(recordPath(set.path), await artifacts.put(JSON.stringify(changed), "application/json"));
  }
  await tracking.files.place(set.path, file);
}

const recordPath = (path: string): string => `${path.slice(0, -TRAINING_SET_FILE.length)}${TRAINING_SET_RECORD}`;
