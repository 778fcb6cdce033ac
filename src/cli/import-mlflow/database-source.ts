import { realpathSync } from "node:fs";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { pathToFileURL } from "node:url";
import type { z } from "zod";
import { importErrors } from "./errors.ts";
import type { LocalFiles } from "./local-files.ts";
import {
  experimentRecord,
  loggedModelRecord,
  type MlflowSource,
  metricRecord,
  type Report,
  readRecord,
  registeredModelRecord,
  runRecord,
  type SourceFile,
  type SourceMetric,
  type SourceRun,
  versionRecord,
} from "./source-records.ts";

type Row = Record<string, unknown>;

const PAGE = 500;
const HISTORY_PAGE = 10_000;

/** The SQLite file of an MLflow ("mlflow.db"), read only. What newer or older versions of it have besides is left alone. */
export class DatabaseSource implements MlflowSource {
  readonly origin: string;
  readonly #db: DatabaseSync;
  readonly #files: LocalFiles;
  readonly #report: Report;
  readonly #tables: ReadonlySet<string>;

  /** @throws IMPORT_SOURCE_FAILED */
  constructor(path: string, files: LocalFiles, report: Report) {
    const file = realpathSync(path);
    this.origin = pathToFileURL(file).href;
    this.#files = files;
    this.#report = report;
    try {
      this.#db = new DatabaseSync(file, { readOnly: true });
      this.#tables = new Set(this.#all("SELECT name FROM sqlite_master WHERE type = 'table'").map(({ name }) => String(name)));
    } catch (cause) {
      throw importErrors.IMPORT_SOURCE_FAILED("The file cannot be read as a SQLite database", { cause });
    }
    for (const needed of ["experiments", "runs", "metrics", "params", "tags"])
      if (!this.#tables.has(needed))
        throw importErrors.IMPORT_SOURCE_FAILED(`The database has no table ${needed}: it is none of MLflow's`);
    this.#reportOtherWorkspaces();
  }

  async *experiments() {
    for (const row of this.#inWorkspace("experiments")) {
      const id = String(row.experiment_id);
      const tags = this.#some(
        "experiment_tags",
        "SELECT key, value FROM experiment_tags WHERE experiment_id = ?",
        row.experiment_id,
      );
      yield* this.#read(experimentRecord, { ...row, experiment_id: id, tags }, `experiment ${id}`);
    }
  }

  async *runs(experimentId: string) {
    for (let last = ""; ; ) {
      const rows = this.#all(
        `SELECT * FROM runs WHERE experiment_id = ? AND run_uuid > ? ORDER BY run_uuid LIMIT ${PAGE}`,
        experimentId,
        last,
      );
      for (const row of rows) yield* this.#read(runRecord, this.#run(row), `run ${row.run_uuid}`);
      if (rows.length < PAGE) return;
      last = String(rows.at(-1)?.run_uuid);
    }
  }

  complete = async (run: SourceRun): Promise<SourceRun> => run;

  async *loggedModels(experimentId: string) {
    const models = this.#some(
      "logged_models",
      "SELECT * FROM logged_models WHERE experiment_id = ? ORDER BY model_id",
      experimentId,
    );
    for (const row of models) {
      if (row.lifecycle_stage === "deleted") continue;
      const id = row.model_id;
      const record = {
        info: {
          ...row,
          experiment_id: experimentId,
          artifact_uri: row.artifact_location,
          tags: this.#some(
            "logged_model_tags",
            "SELECT tag_key AS key, tag_value AS value FROM logged_model_tags WHERE model_id = ?",
            id,
          ),
        },
        data: {
          params: this.#some(
            "logged_model_params",
            "SELECT param_key AS key, param_value AS value FROM logged_model_params WHERE model_id = ?",
            id,
          ),
          metrics: this.#some(
            "logged_model_metrics",
            `SELECT metric_name AS key, metric_value AS value, metric_timestamp_ms AS timestamp, metric_step AS step, run_id,
              dataset_name, dataset_digest FROM logged_model_metrics WHERE model_id = ?`,
            id,
          ),
        },
      };
      yield* this.#read(loggedModelRecord, record, `logged model ${id}`);
    }
  }

  async *registeredModels() {
    for (const row of this.#inWorkspace("registered_models")) {
      const { name } = row;
      const record = {
        ...row,
        creation_timestamp: row.creation_time,
        last_updated_timestamp: row.last_updated_time,
        tags: this.#some("registered_model_tags", "SELECT key, value FROM registered_model_tags WHERE name = ?", name),
        aliases: this.#some(
          "registered_model_aliases",
          "SELECT alias, version FROM registered_model_aliases WHERE name = ?",
          name,
        ),
      };
      yield* this.#read(registeredModelRecord, record, `registered model ${name}`);
    }
  }

  async versions(name: string) {
    const rows = this.#some("model_versions", "SELECT * FROM model_versions WHERE name = ?", name).filter(
      (row) => isOfDefault(row) && row.current_stage !== "Deleted_Internal",
    );
    const tags = "SELECT key, value FROM model_version_tags WHERE name = ? AND version = ?";
    const found = rows.flatMap((row) => {
      const record = {
        ...row,
        creation_timestamp: row.creation_time,
        last_updated_timestamp: row.last_updated_time,
        tags: this.#some("model_version_tags", tags, name, row.version),
      };
      return readRecord(versionRecord, record, `version ${row.version} of ${name}`, this.#report) ?? [];
    });
    return found.sort((a, b) => a.version - b.version);
  }

  async *history({ info }: SourceRun, key: string): AsyncGenerator<SourceMetric> {
    const sql = `SELECT rowid AS place, value, timestamp, step, is_nan FROM metrics
      WHERE run_uuid = ? AND key = ? ORDER BY timestamp, step, value, is_nan LIMIT ${HISTORY_PAGE} OFFSET ?`;
    for (let at = 0; ; at += HISTORY_PAGE) {
      const rows = this.#all(sql, info.run_id, key, at);
      for (const row of rows) {
        const record = { ...row, key, value: valueIn(row) };
        yield* this.#read(metricRecord, record, `metric ${key} of run ${info.run_id}`);
      }
      if (rows.length < HISTORY_PAGE) return;
    }
  }

  files = (uri: string): AsyncIterable<SourceFile> | null => this.#files.below(uri);

  close(): void {
    this.#db.close();
  }

  #run(row: Row) {
    const id = row.run_uuid;
    const models = this.#some(
      "inputs",
      `SELECT source_type, source_id, destination_type, destination_id, step FROM inputs
        WHERE (source_type = 'RUN_OUTPUT' AND source_id = ?1) OR (source_type = 'RUN_INPUT' AND source_id = ?1)`,
      id,
    );
    const datasets = this.#tables.has("datasets")
      ? this.#some(
          "inputs",
          `SELECT input_uuid, name, digest, dataset_source_type AS source_type, dataset_source AS source, dataset_schema AS schema,
            dataset_profile AS profile FROM inputs JOIN datasets ON dataset_uuid = source_id
            WHERE source_type = 'DATASET' AND destination_type = 'RUN' AND destination_id = ? ORDER BY inputs.rowid`,
          id,
        )
      : [];
    const made = (direction: string) =>
      models.flatMap(({ source_type, destination_id, step }) =>
        source_type === direction ? [{ model_id: destination_id, step }] : [],
      );
    const tags = "SELECT name AS key, value FROM input_tags WHERE input_uuid = ?";
    return {
      info: { ...row, run_id: id, run_name: row.name },
      data: {
        metrics: this.#some("latest_metrics", "SELECT * FROM latest_metrics WHERE run_uuid = ? ORDER BY key", id).map(
          (metric) => ({
            ...metric,
            value: valueIn(metric),
          }),
        ),
        params: this.#all("SELECT key, value FROM params WHERE run_uuid = ? ORDER BY key", id),
        tags: this.#all("SELECT key, value FROM tags WHERE run_uuid = ? ORDER BY key", id),
      },
      inputs: {
        dataset_inputs: datasets.map((dataset) => ({ dataset, tags: this.#some("input_tags", tags, dataset.input_uuid) })),
        model_inputs: made("RUN_INPUT"),
      },
      outputs: { model_outputs: made("RUN_OUTPUT") },
    };
  }

  *#read<T>(schema: z.ZodType<T>, raw: unknown, what: string): Generator<T> {
    const record = readRecord(schema, raw, what, this.#report);
    if (record !== undefined) yield record;
  }

  /** Rows of a table that older versions may not have; their columns may be fewer too. */
  #some(table: string, sql: string, ...values: unknown[]): Row[] {
    return this.#tables.has(table) ? this.#all(sql, ...values) : [];
  }

  #inWorkspace(table: string): Row[] {
    if (!this.#tables.has(table)) return [];
    return this.#all(`SELECT * FROM ${table} ORDER BY 1`).filter(isOfDefault);
  }

  #reportOtherWorkspaces(): void {
    const rows = this.#all("SELECT * FROM experiments").map(({ workspace }) => workspace ?? "default");
    for (const other of new Set(rows))
      if (other !== "default") this.#report(`workspace ${other}`, "only the workspace default of a database is taken");
  }

  #all(sql: string, ...values: unknown[]): Row[] {
    const statement = this.#db.prepare(sql);
    // Ids of experiments that came from a file store have 18 digits.
    statement.setReadBigInts(true);
    const rows: Row[] = statement.all(...values.map((value) => value as SQLInputValue));
    for (const row of rows)
      for (const [column, value] of Object.entries(row)) if (typeof value === "bigint") row[column] = numberOrText(value);
    return rows;
  }
}

const isOfDefault = ({ workspace }: Row) => (workspace ?? "default") === "default";

function numberOrText(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

const valueIn = ({ value, is_nan }: Row) =>
  is_nan === 1
    ? "NaN"
    : value === Number.POSITIVE_INFINITY
      ? "Infinity"
      : value === Number.NEGATIVE_INFINITY
        ? "-Infinity"
        : value;
