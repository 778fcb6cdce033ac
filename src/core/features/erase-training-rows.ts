import { randomUUID } from "node:crypto";
import {
  countRows,
  type ErasedFile,
  eraseRows,
  fileList,
  type IngestEngines,
  quoteIdentifier,
  type Snapshot,
  snapshotPaths,
} from "../data/index.ts";
import type { LabelDefinition } from "../definitions/index.ts";

/** A training set without the rows that were erased from it, and what is left in it. */
export interface ErasedTrainingSet extends ErasedFile {
  readonly labelled: number;
  readonly positives: number;
  readonly pending: number;
  readonly censored: number;
}

/**
 * Label rows of erased entities as training sets and predictions name them: by their reference, and by when their event was, since sets of
 * several label sources may have the same references.
 */
export class ErasedLabels {
  readonly #engines: IngestEngines;
  readonly #table = quoteIdentifier(`erased_labels_${randomUUID()}`);
  /** References by the name of the label's source. */
  readonly #references = new Map<string, Set<string>>();

  private constructor(engines: IngestEngines) {
    this.#engines = engines;
  }

  static async open(engines: IngestEngines): Promise<ErasedLabels> {
    const labels = new ErasedLabels(engines);
    await engines.engine.run(`CREATE TEMP TABLE ${labels.#table} (reference VARCHAR, event_at BIGINT)`);
    return labels;
  }

  /** Notes the rows of a snapshot of a label's source that are true to a condition. */
  async note({ source, at }: Pick<LabelDefinition, "source" | "at">, snapshot: Snapshot, condition: string): Promise<void> {
    const { engine, artifacts } = this.#engines;
    const { key } = snapshot.definition ?? source;
    if (snapshot.columns[at] !== "timestamp" || key.some((column) => snapshot.columns[column] === undefined)) return;
    const paths = await snapshotPaths(artifacts, snapshot);
    const files = snapshot.parts.map(({ sha256 }) => paths.get(sha256) ?? sha256);
    const text = key.map((column) => `coalesce(CAST(${quoteIdentifier(column)} AS VARCHAR), '')`).join(" || '|' || ");
    const place = "CAST(file_index::BIGINT * 4294967296 + file_row_number AS VARCHAR)";
    const found = await engine.rows(
      `INSERT INTO ${this.#table} SELECT DISTINCT ${key.length === 0 ? place : text}, epoch_us(${quoteIdentifier(at)})
       FROM read_parquet(${fileList(files)}, file_row_number = true, hive_partitioning = false) WHERE ${condition}
       RETURNING reference`,
    );
    const known = this.#references.get(source.name) ?? new Set();
    this.#references.set(source.name, known);
    for (const { reference } of found) known.add(String(reference));
  }

  /** References of the erased rows of one label source. */
  references(source: string): ReadonlySet<string> {
    return this.#references.get(source) ?? new Set();
  }

  get #condition(): string {
    return `(__reference, epoch_us(__event_at)) IN (SELECT (reference, event_at) FROM ${this.#table})`;
  }

  /** How many rows of a training set are theirs. @param path its file */
  count(path: string): Promise<number> {
    return countRows(this.#engines, path, this.#condition);
  }

  /** Their features by id: texts, numbers (booleans as 0 and 1, timestamps as Micros) and null. @param path a training set's file */
  async featuresIn(path: string): Promise<Readonly<Record<string, string | number | null>>[]> {
    const rows = await this.#engines.engine.rows(`SELECT * FROM read_parquet(${fileList([path])}) WHERE ${this.#condition}`);
    return rows.map((row) =>
      Object.fromEntries(
        Object.entries(row).flatMap(([id, value]) =>
          id.startsWith("__") ? [] : [[id, value === null || typeof value === "string" ? value : finite(Number(value))]],
        ),
      ),
    );
  }

  /** The training set without them; null where it has none. */
  async erase(sha256: string): Promise<ErasedTrainingSet | null> {
    const { engine, artifacts } = this.#engines;
    const erased = await eraseRows(this.#engines, sha256, this.#condition);
    if (erased === null) return null;
    const rows = `read_parquet(${fileList([await artifacts.localPath(erased.to.sha256)])})`;
    const [type] = await engine.rows(`DESCRIBE SELECT __label FROM ${rows}`);
    const positives = type?.column_type === "BOOLEAN" ? "count(*) FILTER (__label)" : "0";
    const [row] = await engine.rows(
      `SELECT count(__label) AS labelled, ${positives} AS positives, count(*) FILTER (__censored) AS censored FROM ${rows}`,
    );
    const [labelled, censored] = [Number(row?.labelled ?? 0), Number(row?.censored ?? 0)];
    return {
      ...erased,
      labelled,
      censored,
      positives: Number(row?.positives ?? 0),
      pending: erased.rows - labelled - censored,
    };
  }

  async close(): Promise<void> {
    await this.#engines.engine.run(`DROP TABLE ${this.#table}`);
  }
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);
