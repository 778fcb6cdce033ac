import type { Snapshot } from "../data/index.ts";
import type { CharterDefinition, LabelDefinition } from "../definitions/index.ts";
import type { TableEngine } from "../ports/index.ts";
import type { Micros } from "../time.ts";
import { featureErrors } from "./errors.ts";
import { type RecalledFeatures, type RecordedFeatures, recallFeatures, recordFeatures } from "./recorded-features.ts";
import type { TrainingSet, TrainingSetInput } from "./training-set.ts";

const FORMAT_VERSION = 1;

/** The content that a snapshot had. */
export interface RecordedSnapshot {
  readonly id: string;
  readonly contentHash: string;
}

/** An erasure that took rows out of a saved training set. */
export interface TrainingSetErasure {
  readonly erasure: string;
  readonly at: Micros;
  readonly rows: number;
  /** Of the file before. */
  readonly sha256: string;
}

/** Everything that a training set can be built from again, whatever the project says by then. JSON, kept beside its file. */
export interface TrainingSetRecord {
  readonly formatVersion: typeof FORMAT_VERSION;
  readonly model: string;
  readonly labels: Omit<LabelDefinition, "source"> & { readonly source: string };
  readonly segments: readonly string[];
  readonly charter: Pick<CharterDefinition, "target"> & { readonly alternative?: { readonly condition: string } };
  readonly definitions: RecordedFeatures;
  readonly exclude: readonly string[];
  /** By source. */
  readonly snapshots: Readonly<Record<string, RecordedSnapshot>>;
  /** Version of DuckDB, which wrote the file. */
  readonly engine: string;
  /** What was built; `file` is what the set's file is now. */
  readonly set: TrainingSet;
  /** Absent where nothing was taken out of it. */
  readonly erased?: readonly TrainingSetErasure[];
}

/** What a built training set is recorded as. @param input that it was built of */
export async function recordTrainingSet(
  { engine }: { readonly engine: TableEngine },
  input: TrainingSetInput,
  set: TrainingSet,
): Promise<TrainingSetRecord> {
  const { model, charter, snapshots, exclude = [] } = input;
  const { source, ...labels } = model.labels;
  const { target, alternative } = charter;
  const read = Object.keys(set.snapshots).flatMap((name) => {
    const found = snapshots.get(name);
    return found === undefined ? [] : [[name, recordSnapshot(found.snapshot)] as const];
  });
  return {
    formatVersion: FORMAT_VERSION,
    model: model.name,
    labels: { ...labels, source: source.name },
    segments: model.segments,
    charter: { target, ...(alternative === undefined ? {} : { alternative: { condition: alternative.condition } }) },
    definitions: recordFeatures(model.features, [source]),
    exclude,
    snapshots: Object.fromEntries(read),
    engine: await engineVersion(engine),
    set,
  };
}

const recordSnapshot = ({ id, contentHash }: Snapshot): RecordedSnapshot => ({ id, contentHash });

export async function engineVersion(engine: TableEngine): Promise<string> {
  const [row] = await engine.rows("SELECT version() AS version");
  return String(row?.version);
}

/** @throws FEATURE_SET_RECORD_DAMAGED where it is none, or one of a newer version */
export function readTrainingSetRecord(bytes: Uint8Array): TrainingSetRecord {
  let record: unknown;
  try {
    record = JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (cause) {
    throw featureErrors.FEATURE_SET_RECORD_DAMAGED("The record of the training set is no JSON", { cause });
  }
  const version = typeof record === "object" && record !== null && "formatVersion" in record ? record.formatVersion : null;
  if (version !== FORMAT_VERSION)
    throw featureErrors.FEATURE_SET_RECORD_DAMAGED(`The record of the training set has format ${String(version)}`);
  // Written by recordTrainingSet, and found by the hash of its bytes.
  return record as TrainingSetRecord;
}

/** The features that the training set was built of, as they were defined. @throws FEATURE_SET_RECORD_DAMAGED, FEATURE_ON_DEMAND_SOURCE */
export const recordedFeatures = ({ definitions }: TrainingSetRecord): RecalledFeatures => recallFeatures(definitions);

/** What the training set was built of. @throws FEATURE_SET_RECORD_DAMAGED, FEATURE_ON_DEMAND_SOURCE */
export function recordedInput(record: TrainingSetRecord, snapshots: ReadonlyMap<string, Snapshot>): TrainingSetInput {
  const { labels, charter, set, exclude, segments } = record;
  const { features, sources } = recallFeatures(record.definitions);
  const source = sources.get(labels.source);
  if (source === undefined)
    throw featureErrors.FEATURE_SET_RECORD_DAMAGED(`The record does not hold the label's source "${labels.source}"`);
  const { target, alternative } = charter;
  return {
    model: { name: record.model, labels: { ...labels, source }, features, segments },
    charter: {
      target,
      ...(alternative === undefined ? {} : { alternative: { kind: "rule", condition: alternative.condition } }),
    },
    snapshots: new Map(
      [...snapshots].flatMap(([name, snapshot]) => {
        const of = sources.get(name);
        return of === undefined ? [] : [[name, { snapshot, source: of }] as const];
      }),
    ),
    asOf: set.asOf,
    ...(set.from === null ? {} : { from: set.from }),
    to: set.to,
    exclude,
  };
}
