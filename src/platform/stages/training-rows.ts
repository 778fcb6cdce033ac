import { join } from "node:path";
import { readArrow } from "../../adapters/arrow/read-arrow.ts";
import { writeArrow } from "../../adapters/arrow/write-arrow.ts";
import { fileList, quoteLiteral, type Snapshot } from "../../core/data/index.ts";
import type { FeatureReference } from "../../core/definitions/index.ts";
import { OrreryError } from "../../core/errors.ts";
import { askedReferences, compileFeaturePlan, featuresForRows, type SnapshotMap, writeTable } from "../../core/features/index.ts";
import type { Micros } from "../../core/time.ts";
import { jsonRows } from "./json-rows.ts";
import { type Stage, stage } from "./stage.ts";

/** Formats of tables that travel over HTTP. */
export type RowsFormat = "json" | "parquet" | "arrow";

export interface TrainingRowsQuestion {
  readonly ask: { readonly ids: readonly string[] } | { readonly service: string };
  /** File with the entity rows. */
  readonly path: string;
  readonly format: RowsFormat;
  /** Column that says when each row is asked about. */
  readonly at: string;
  readonly asOf: Micros;
  /** By source. */
  readonly snapshots: Readonly<Record<string, Snapshot>>;
  /** A folder of its own, where the files of the answer and of the way there are. */
  readonly directory: string;
  readonly answer: Exclude<RowsFormat, "json">;
}

export interface TrainingRowsOutput {
  readonly rows: number;
  readonly path: string;
}

/** Historical features of rows that somebody sent. Rows come and go as files, so that memory stays bounded, and the answer is whole or an error. */
export default stage<TrainingRowsQuestion, TrainingRowsOutput>(async (opened, question) => {
  try {
    return await trainingRows(opened, question);
  } catch (error) {
    if (!(error instanceof OrreryError)) throw error;
    // Where this machine keeps the rows is nobody's to know.
    const { code, kind, hint, details, message } = error;
    throw new OrreryError(code, kind, message.replaceAll(`${question.directory}/`, ""), hint, { details, cause: error });
  }
});

async function trainingRows(opened: Stage, question: TrainingRowsQuestion): Promise<TrainingRowsOutput> {
  const { project, artifacts } = opened;
  const { ask, at, asOf, directory, answer } = question;
  const engine = await opened.engine();
  const features = askedReferences(project, ask);
  const snapshots: SnapshotMap = new Map(
    project.sources.flatMap((source) => {
      const snapshot = question.snapshots[source.name];
      return snapshot === undefined ? [] : [[source.name, { snapshot, source }] as const];
    }),
  );
  const files = await parquetFiles(opened, question, features);
  const made = await featuresForRows({ engine, artifacts }, { features, snapshots, files, at, asOf, directory });
  const path = join(directory, `answer.${answer}`);
  if (answer === "arrow") await writeArrow(path, engine.stream(`SELECT * FROM read_parquet(${fileList(made.files)})`));
  else if (made.files.length === 1) return { rows: made.rows, path: made.files[0] };
  else
    await engine.run(
      `COPY (SELECT * FROM read_parquet(${fileList(made.files)})) TO ${quoteLiteral(path)} (FORMAT parquet, COMPRESSION zstd)`,
    );
  return { rows: made.rows, path };
}

/** The rows as Parquet files, one after the other. @throws ARROW_…, FEATURE_ROWS_INVALID, and what the engine says of Parquet that it cannot read */
async function parquetFiles(
  opened: Stage,
  { path, format, directory, at }: TrainingRowsQuestion,
  features: readonly FeatureReference[],
): Promise<string[]> {
  if (format === "parquet") return [path];
  if (format === "json") {
    const target = join(directory, "rows.parquet");
    const { keys, request } = compileFeaturePlan({ name: "these rows", features });
    await jsonRows(await opened.engine(), path, target, [...new Set([...Object.keys(keys), ...Object.keys(request), at])]);
    return [target];
  }
  const files: string[] = [];
  for await (const table of readArrow(path)) {
    const target = join(directory, `batch-${files.length}.parquet`);
    writeTable(target, table);
    files.push(target);
  }
  return files;
}
