import { open, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import {
  countRows,
  type ErasedFile,
  type ErasedPlace,
  entityCondition,
  erasedSnapshot,
  eraseRows,
  fileList,
  type IngestEngines,
  type KeyedEntities,
  keyText,
  quoteIdentifier,
  type Snapshot,
  snapshotPaths,
  snapshotRelation,
} from "../../core/data/index.ts";
import type { ColumnType, SourceDefinition } from "../../core/definitions/index.ts";
import {
  type EntityReach,
  ErasedLabels,
  type ErasedTrainingSet,
  entityReach,
  eraseOnline,
  fieldsMatcher,
  projectEntities,
} from "../../core/features/index.ts";
import type { ArtifactRef } from "../../core/ports/index.ts";
import { entityNamed, parseKeys, type WireKeys } from "../erase/parse-keys.ts";
import { erasePredictions } from "../erase-predictions.ts";
import { eraseFromSample, type ReferenceSample } from "./reference-sample.ts";
import { type Stage, stage } from "./stage.ts";

export interface EraseQuestion {
  readonly entity: string;
  readonly keys: WireKeys;
  readonly dryRun: boolean;
  /** Every snapshot that is on record, each once. */
  readonly snapshots: readonly Snapshot[];
  /** Training sets that are on record. */
  readonly sets: readonly { readonly sha256: string; readonly where: string }[];
  /** Other files that are on record; they are only looked at. */
  readonly files: readonly { readonly sha256: string; readonly where: string }[];
  /** Artifacts that nothing names. */
  readonly unnamed: readonly string[];
}

export interface EraseAnswer {
  readonly files: readonly ErasedFile[];
  readonly sets: readonly ErasedTrainingSet[];
  /** Samples of training rows beside models: files in the tree of artifacts, and what takes their place. */
  readonly samples: readonly { readonly path: string; readonly from: string; readonly to: ArtifactRef }[];
  /** Rows of each changed snapshot as it can be read now, by id. */
  readonly rows: Readonly<Record<string, number>>;
  /** Of `unnamed`, those that hold rows of the entities. */
  readonly unnamed: readonly string[];
  readonly places: readonly ErasedPlace[];
}

/**
 * Finds everything of some entities that lies in files and in the online store; unless it is only asked about, writes what is left into
 * files of their own, and takes predictions and online records away. Nothing names the new files yet: the owner's part.
 */
export default stage<EraseQuestion, EraseAnswer>(async (opened, question) => {
  const work = await Erasing.open(opened, question);
  try {
    return await work.run();
  } finally {
    await work.close();
  }
});

/** Beside a model in the tree of artifacts. */
const SAMPLE_FILE = "background.json";
/** What of the state folder is looked at by what is in it, or is gone with its process. */
const HANDLED = /^(artifacts|artifact-cache|online|push|predictions|tmp|run)(\/|$)|^metadata\.db(-wal|-shm)?$/;
/** A text shorter than this stands in files by chance. */
const TELLING_LENGTH = 4;
const SEARCHED_BYTES = 256 << 20;

class Erasing {
  readonly #opened: Stage;
  readonly #question: EraseQuestion;
  readonly #engines: IngestEngines;
  readonly #entities: KeyedEntities;
  readonly #reach: EntityReach;
  readonly #labels: ErasedLabels;
  readonly #places = new Map<string, ErasedPlace>();
  readonly #files = new Map<string, ErasedFile>();
  readonly #samples: EraseAnswer["samples"][number][] = [];

  private constructor(opened: Stage, question: EraseQuestion, engines: IngestEngines, labels: ErasedLabels) {
    const entity = entityNamed(projectEntities(opened.project), question.entity);
    this.#opened = opened;
    this.#question = question;
    this.#engines = engines;
    this.#entities = parseKeys(entity, question.keys);
    this.#reach = entityReach(opened.project, entity);
    this.#labels = labels;
  }

  static async open(opened: Stage, question: EraseQuestion): Promise<Erasing> {
    const engines = { engine: await opened.engine(), artifacts: opened.artifacts, tmpDirectory: opened.paths.tmp };
    return new Erasing(opened, question, engines, await ErasedLabels.open(engines));
  }

  close(): Promise<void> {
    return this.#labels.close();
  }

  async run(): Promise<EraseAnswer> {
    const rows = await this.#eraseSnapshots();
    const sets = await this.#eraseSets();
    const unnamed = await this.#unnamedWithRows();
    await this.#countMentions();
    await this.#erasePredictions();
    await this.#eraseOnline();
    const { dryRun } = this.#question;
    const found = { samples: dryRun ? [] : this.#samples, rows, unnamed, places: [...this.#places.values()] };
    return { files: [...this.#files.values()], sets, ...found };
  }

  #note(what: string, where: string, rows: number): void {
    const key = JSON.stringify([what, where]);
    this.#places.set(key, { what, where, rows: (this.#places.get(key)?.rows ?? 0) + rows });
  }

  /** As it was read when the snapshot was taken. */
  #sourceOf({ source, definition }: Snapshot): SourceDefinition | undefined {
    const declared = this.#opened.project.sources.find(({ name }) => name === source);
    return declared === undefined ? undefined : { ...declared, ...definition };
  }

  /** True for the entities' rows of a source by any of the ways in which they are theirs; null where the columns are not there. */
  #conditionOn(source: string, columns: Readonly<Record<string, ColumnType>>): string | null {
    const ways = (this.#reach.sources.get(source) ?? []).flatMap((by) => entityCondition(this.#entities, by, columns) ?? []);
    return ways.length === 0 ? null : `(${ways.join(" OR ")})`;
  }

  async #eraseSnapshots(): Promise<Record<string, number>> {
    const changed: Snapshot[] = [];
    const seen = new Set<string>();
    for (const snapshot of this.#question.snapshots) {
      const source = this.#sourceOf(snapshot);
      const own = this.#conditionOn(snapshot.source, snapshot.columns);
      if (source === undefined || own === null || !(await this.#isWhole(snapshot))) continue;
      for (const { labels } of this.#opened.project.models)
        if (labels.source.name === snapshot.source) await this.#labels.note(labels, snapshot, own);
      const condition = await this.#withDeletions(source, snapshot, own);
      let found = 0;
      for (const { sha256, quarantine } of snapshot.parts)
        for (const [hash, what] of [[sha256, "snapshot part"] as const, [quarantine, "quarantine"] as const]) {
          if (hash === null) continue;
          if (!seen.has(hash)) this.#note(what, snapshot.source, await this.#eraseFile(hash, condition, snapshot));
          seen.add(hash);
          found += this.#files.has(hash) ? 1 : 0;
        }
      if (found > 0) changed.push(snapshot);
    }
    if (this.#question.dryRun) return {};
    const rows: Record<string, number> = {};
    for (const snapshot of changed) rows[snapshot.id] = await this.#visibleRows(snapshot);
    return rows;
  }

  /** Parts of a snapshot whose bytes were collected cannot be read, and hold nobody any more. */
  async #isWhole({ parts }: Snapshot): Promise<boolean> {
    const hashes = parts.flatMap(({ sha256, quarantine }) => (quarantine === null ? [sha256] : [sha256, quarantine]));
    return (await Promise.all(hashes.map((hash) => this.#engines.artifacts.has(hash)))).every(Boolean);
  }

  /** Deletions need nothing but a row's key: those of the entities' rows are theirs too. */
  async #withDeletions(source: SourceDefinition, snapshot: Snapshot, own: string): Promise<string> {
    const { key, deleted } = source;
    if (deleted === undefined || key.length === 0 || snapshot.columns[deleted] === undefined) return own;
    const files = await snapshotPaths(this.#engines.artifacts, snapshot);
    const keys = key.map(quoteIdentifier).join(", ");
    return `(${own} OR (coalesce(${quoteIdentifier(deleted)}, false) AND (${keys}) IN
      (SELECT ${key.length === 1 ? keys : `(${keys})`} FROM read_parquet(${fileList([...files.values()])}, hive_partitioning = false) WHERE ${own})))`;
  }

  async #eraseFile(hash: string, condition: string, snapshot: Snapshot): Promise<number> {
    if (this.#question.dryRun) return countRows(this.#engines, await this.#engines.artifacts.localPath(hash), condition);
    const limited = [...new Set(snapshot.parts.flatMap(({ nulls }) => Object.keys(nulls)))];
    const erased = await eraseRows(this.#engines, hash, condition, limited);
    if (erased !== null) this.#files.set(hash, erased);
    return erased?.erased ?? 0;
  }

  async #visibleRows(snapshot: Snapshot): Promise<number> {
    const after = erasedSnapshot(snapshot, this.#files, { erasure: "", at: 0 }) ?? snapshot;
    const source = this.#sourceOf(snapshot);
    if (source === undefined) return after.rows;
    const paths = await snapshotPaths(this.#engines.artifacts, after);
    const [row] = await this.#engines.engine.rows(
      `SELECT count(*) AS n FROM ${snapshotRelation(after, source, paths, { columns: [] })}`,
    );
    return Number(row?.n ?? 0);
  }

  async #eraseSets(): Promise<ErasedTrainingSet[]> {
    const erased: ErasedTrainingSet[] = [];
    for (const { sha256, where } of this.#question.sets) {
      if (!(await this.#engines.artifacts.has(sha256))) continue;
      await this.#eraseSamples(sha256, where);
      if (this.#question.dryRun) {
        this.#note("training set", where, await this.#labels.count(await this.#engines.artifacts.localPath(sha256)));
        continue;
      }
      const made = await this.#labels.erase(sha256);
      this.#note("training set", where, made?.erased ?? 0);
      if (made !== null) erased.push(made);
    }
    return erased;
  }

  /** The samples beside the models that runs below this one have learned from the training set. */
  async #eraseSamples(set: string, run: string): Promise<void> {
    const { artifacts } = this.#engines;
    const beside = this.#question.files.filter(
      ({ where }) => where.split("/")[1]?.startsWith(run) === true && where.endsWith(`/${SAMPLE_FILE}`),
    );
    if (beside.length === 0) return;
    const rows = await this.#labels.featuresIn(await artifacts.localPath(set));
    for (const { sha256, where } of rows.length === 0 ? [] : beside) {
      if (!(await artifacts.has(sha256))) continue;
      const sample = await this.#opened.readJson<ReferenceSample>({ sha256 });
      const left = eraseFromSample(sample, rows);
      if (left === null) continue;
      this.#note("row of a model's sample", where, sample.rows - left.rows);
      if (!this.#question.dryRun) this.#samples.push({ path: where, from: sha256, to: await this.#opened.putJson(left) });
    }
  }

  async #unnamedWithRows(): Promise<string[]> {
    const found: string[] = [];
    for (const hash of this.#question.unnamed) {
      if (!(await this.#engines.artifacts.has(hash))) continue;
      const path = await this.#engines.artifacts.localPath(hash);
      const isTheirs = (await isParquet(path)) ? await this.#holdsRows(path) : await this.#mentions(path);
      if (isTheirs) found.push(hash);
    }
    if (found.length > 0) this.#note("artifact that nothing names", "", found.length);
    return found;
  }

  /** By the names of its columns, since nothing says what it is. */
  async #holdsRows(path: string): Promise<boolean> {
    const described = await this.#engines.engine.rows(
      `DESCRIBE SELECT * FROM read_parquet(${fileList([path])}, hive_partitioning = false)`,
    );
    const columns = Object.fromEntries(described.map((row) => [String(row.column_name), typeNamed(String(row.column_type))]));
    if (columns.__reference !== undefined && columns.__event_at !== undefined) return (await this.#labels.count(path)) > 0;
    for (const source of this.#reach.sources.keys()) {
      const condition = this.#conditionOn(source, columns);
      if (condition !== null && (await countRows(this.#engines, path, condition)) > 0) return true;
    }
    return false;
  }

  /** Texts by which a file names an entity. */
  #texts(): string[] {
    const { types, keys } = this.#entities;
    const all = keys.flatMap((values) => Object.entries(values).map(([name, value]) => keyText(value, types[name])));
    return all.filter((text) => text.length >= TELLING_LENGTH);
  }

  async #mentions(path: string): Promise<boolean> {
    const texts = this.#texts();
    if (texts.length === 0 || (await stat(path)).size > SEARCHED_BYTES) return false;
    const bytes = await readFile(path);
    return texts.some((text) => bytes.includes(text));
  }

  async #countMentions(): Promise<void> {
    for (const { sha256, where } of this.#question.files) {
      if (!(await this.#engines.artifacts.has(sha256))) continue;
      if (await this.#mentions(await this.#engines.artifacts.localPath(sha256)))
        this.#note("left: file that names a key", where, 1);
    }
    for (const name of await this.#ownFiles())
      if (await this.#mentions(join(this.#opened.paths.root, name))) this.#note("left: file that names a key", name, 1);
    for (const { source, columns } of this.#reach.mentions) {
      const newest = this.#question.snapshots.find((snapshot) => snapshot.source === source);
      const condition = newest === undefined ? null : entityCondition(this.#entities, columns, newest.columns);
      if (newest === undefined || condition === null || !(await this.#isWhole(newest))) continue;
      let rows = 0;
      for (const path of (await snapshotPaths(this.#engines.artifacts, newest)).values())
        rows += await countRows(this.#engines, path, condition);
      const where = `${source}.${Object.values(columns).join(", ")}`;
      if (rows > 0) this.#note("left: another's row that names a key", where, rows);
    }
  }

  /** Files of the state folder that have no other place here: logs, traces, copies from before the format changed. */
  async #ownFiles(): Promise<string[]> {
    const { root } = this.#opened.paths;
    const names = await readdir(root, { recursive: true });
    const looked = names.filter((name) => !HANDLED.test(name));
    const files = await Promise.all(
      looked.map(async (name) => (await stat(join(root, name)).catch(() => null))?.isFile() === true),
    );
    return looked.filter((_, index) => files[index]);
  }

  async #erasePredictions(): Promise<void> {
    const { project, paths } = this.#opened;
    for (const { name, model } of project.endpoints) {
      const { source } = model.labels;
      const ways = [...(this.#reach.sources.get(source.name) ?? []), ownKeys(this.#reach)];
      const isNamed = ways.map((columns) => fieldsMatcher(columns, this.#entities));
      const references = this.#labels.references(source.name);
      const erased = await erasePredictions(
        this.#engines.engine,
        paths.predictions(name),
        ({ keys, request, reference }) =>
          (reference !== null && references.has(reference)) || isNamed.some((matches) => matches({ ...request, ...keys })),
        this.#question,
      );
      this.#note("prediction", name, erased);
    }
  }

  async #eraseOnline(): Promise<void> {
    const { project, environment } = this.#opened;
    for (const view of project.features) {
      const keys = new Set(Object.keys(view.entity.keys));
      for (const columns of this.#reach.sources.get(view.source.name) ?? []) {
        if (Object.values(columns).some((column) => !keys.has(column))) continue;
        const toErase = { scope: environment.scope, view, columns, entities: this.#entities, dryRun: this.#question.dryRun };
        this.#note("online record", view.name, await eraseOnline(this.#opened.online(), toErase));
      }
    }
  }
}

const ownKeys = ({ entity }: EntityReach) => Object.fromEntries(Object.keys(entity.keys).map((key) => [key, key]));

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

async function isParquet(path: string): Promise<boolean> {
  const file = await open(path, "r");
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
    return bytesRead === 4 && buffer.toString("latin1") === "PAR1";
  } finally {
    await file.close();
  }
}
