import { type ErasedFile, type ErasureMark, erasedSnapshot, type Snapshot } from "../../core/data/index.ts";
import type { ErasedTrainingSet, TrainingSet } from "../../core/features/index.ts";
import type { ArtifactRef } from "../../core/ports/index.ts";

/** What of an erasure changes documents. */
export interface ErasedContent {
  readonly mark: Pick<ErasureMark, "erasure" | "at">;
  /** Parts of snapshots by the hash that they had. */
  readonly files: ReadonlyMap<string, ErasedFile>;
  readonly sets: ReadonlyMap<string, ErasedTrainingSet>;
  /** Other artifacts that took the place of one. */
  readonly others: ReadonlyMap<string, ArtifactRef>;
  /** Rows of changed snapshots as they can be read now, by id. */
  readonly rows: Readonly<Record<string, number>>;
  /** Texts of the entities' keys: samples that show one are taken out. */
  readonly texts: ReadonlySet<string>;
  /** Whether the fields of an example name one of the entities. */
  readonly isNamed: (fields: Readonly<Record<string, unknown>>) => boolean;
}

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value);
const has = (value: Fields, ...names: readonly string[]) => names.every((name) => Object.hasOwn(value, name));

/** Wherever a snapshot stands in a document it was written by ingestion. */
export const isSnapshot = (value: unknown): value is Snapshot =>
  isFields(value) && has(value, "parts", "contentHash", "source", "columns", "report", "asOf");

export const isTrainingSet = (value: unknown): value is TrainingSet =>
  isFields(value) && has(value, "file", "plan", "snapshots", "labelled", "missingShare");

/** Every value within a document, the document first; of what `enough` is true for, nothing within. */
export function* valuesWithin(value: unknown, enough: (value: unknown) => boolean = () => false): Generator<unknown> {
  yield value;
  if (enough(value)) return;
  if (Array.isArray(value)) for (const each of value) yield* valuesWithin(each, enough);
  else if (isFields(value)) for (const each of Object.values(value)) yield* valuesWithin(each, enough);
}

/**
 * A document without the entities: snapshots and training sets as they are now, other names of a file replaced by its new one, samples and
 * examples of the entities taken out. The document itself where nothing of it changes.
 */
export function rewriteDocument(value: unknown, content: ErasedContent): unknown {
  if (typeof value === "string") return value.replace(HASH, (hash) => hashNow(hash, content));
  if (Array.isArray(value)) {
    const kept = value.filter((each) => !isExampleOf(each, content));
    const changed = kept.map((each) => rewriteDocument(each, content));
    return kept.length === value.length && changed.every((each, index) => each === value[index]) ? value : changed;
  }
  if (!isFields(value)) return value;
  if (isSnapshot(value)) {
    const rows = content.rows[value.id];
    const erased = erasedSnapshot(value, content.files, { ...content.mark, ...(rows === undefined ? {} : { rows }) });
    if (erased !== null) return erased;
  }
  if (isTrainingSet(value)) {
    const set = content.sets.get(value.file.sha256);
    if (set !== undefined) {
      const { rows, labelled, positives, pending, censored } = set;
      return { ...value, file: { ...value.file, ...set.to }, rows, labelled, positives, pending, censored };
    }
  }
  if (has(value, "sha256", "bytes", "mediaType") && typeof value.sha256 === "string") {
    const other = content.others.get(value.sha256);
    if (other !== undefined) return { ...value, ...other };
  }
  const samples = withoutSamples(value, content);
  const entries = Object.entries(samples);
  const changed = entries.map(([name, each]) => [name, rewriteDocument(each, content)] as const);
  return changed.every(([, each], index) => each === entries[index][1]) ? samples : Object.fromEntries(changed);
}

/** Names of artifacts stand within other texts too. */
const HASH = /(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/g;

const hashNow = (hash: string, { files, sets, others }: ErasedContent): string =>
  files.get(hash)?.to.sha256 ?? sets.get(hash)?.to.sha256 ?? others.get(hash)?.sha256 ?? hash;

/** A value that a consistency check shows. */
const isExampleOf = (value: unknown, { isNamed }: ErasedContent): boolean =>
  isFields(value) && has(value, "fields", "got", "expected") && isFields(value.fields) && isNamed(value.fields);

/** Samples of a broken contract; of several columns they stand in one text. */
function withoutSamples(value: Fields, { texts }: ErasedContent): Fields {
  const { samples } = value;
  if (!has(value, "column", "rule") || !Array.isArray(samples)) return value;
  const kept = samples.filter(
    (sample) =>
      !String(sample)
        .split(", ")
        .some((text) => texts.has(text)) && !texts.has(String(sample)),
  );
  return kept.length === samples.length ? value : { ...value, samples: kept };
}
