import { createHash, randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { listSegments, readSegment } from "../adapters/events/ndjson.ts";
import { fileList, quoteLiteral } from "../core/data/index.ts";
import type { TableEngine } from "../core/ports/index.ts";
import type { PredictionRecord } from "../core/serving/index.ts";
import type { Micros } from "../core/time.ts";

/** What of the log is in Parquet already. Written whole; a file that it does not list does not exist. */
export interface Manifest {
  readonly formatVersion: 1;
  /** Bytes taken of each segment. */
  readonly taken: Readonly<Record<string, number>>;
  readonly parts: readonly { readonly file: string; readonly rows: number; readonly from: Micros; readonly to: Micros }[];
}

const MANIFEST = "manifest.json";
const EMPTY: Manifest = { formatVersion: 1, taken: {}, parts: [] };
const COLUMNS = {
  id: "VARCHAR",
  endpoint: "VARCHAR",
  at: "BIGINT",
  receivedAt: "BIGINT",
  reference: "VARCHAR",
  keys: "JSON",
  request: "JSON",
  features: "JSON",
  score: "DOUBLE",
  probability: "DOUBLE",
  decision: "BOOLEAN",
  version: "INTEGER",
  alias: "VARCHAR",
  artifact: "VARCHAR",
  revision: "INTEGER",
  missing: "JSON",
  materialized: "JSON",
  latencyUs: "JSON",
  traceId: "VARCHAR",
} as const satisfies Record<keyof PredictionRecord, string>;

/** An empty one where nothing was compacted. */
export function readManifest(directory: string): Manifest {
  const path = join(directory, MANIFEST);
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Manifest) : EMPTY;
}

/** Takes the place of the one before at once. */
export function writeManifest(directory: string, manifest: Manifest): void {
  writeFileSync(join(directory, `${MANIFEST}.new`), JSON.stringify(manifest));
  renameSync(join(directory, `${MANIFEST}.new`), join(directory, MANIFEST));
}

/**
 * Moves what was logged since the last time into one more Parquet file. The manifest is replaced last, so that a crash leaves the log as
 * it was and doing it twice takes nothing twice. One process at a time does this.
 */
export async function compactPredictionLog(engine: TableEngine, directory: string): Promise<void> {
  mkdirSync(directory, { recursive: true });
  const manifest = readManifest(directory);
  const taken: Record<string, number> = { ...manifest.taken };
  const fresh: Buffer[] = [];
  for (const segment of listSegments(directory)) {
    const { bytes, next } = readSegment(segment, taken[segment.id] ?? 0);
    if (bytes.length > 0) fresh.push(bytes);
    taken[segment.id] = next;
  }
  if (fresh.length === 0) return;
  const lines = join(directory, `.${randomUUID()}.lines`);
  const file = `${randomUUID()}.parquet`;
  try {
    writeFileSync(lines, Buffer.concat(fresh));
    const columns = Object.entries(COLUMNS).map(([name, type]) => `${quoteLiteral(name)}: ${quoteLiteral(type)}`);
    const read = `read_json(${quoteLiteral(lines)}, format = 'newline_delimited', columns = {${columns.join(", ")}})`;
    await engine.run(
      `COPY (SELECT * FROM ${read} ORDER BY "at", id) TO ${quoteLiteral(join(directory, file))} (FORMAT parquet, COMPRESSION zstd)`,
    );
    const [row] = await engine.rows(
      `SELECT count(*) AS n, min("at") AS first, max("at") AS last FROM read_parquet(${quoteLiteral(join(directory, file))})`,
    );
    const part = { file, rows: Number(row?.n), from: Number(row?.first), to: Number(row?.last) };
    const next: Manifest = { formatVersion: 1, taken, parts: [...manifest.parts, part] };
    writeManifest(directory, next);
  } finally {
    rmSync(lines, { force: true });
  }
}

/** SQL over the compacted predictions asked for in [start, end); `null` where there are none. */
export function predictionRelation(directory: string, start: Micros, end: Micros): string | null {
  const files = readManifest(directory).parts.filter(({ from, to }) => from < end && to >= start);
  if (files.length === 0) return null;
  const paths = files.map(({ file }) => join(directory, file));
  return `(SELECT * FROM read_parquet(${fileList(paths)}, union_by_name = true) WHERE "at" >= ${start} AND "at" < ${end})`;
}

/** Time of the first and last compacted prediction. */
export function loggedPeriod(directory: string): { from: Micros; to: Micros } | null {
  const { parts } = readManifest(directory);
  if (parts.length === 0) return null;
  return { from: Math.min(...parts.map(({ from }) => from)), to: Math.max(...parts.map(({ to }) => to)) };
}

/** One prediction by id: from the lines that are not compacted yet, else from Parquet. */
export async function findPrediction(
  engine: () => Promise<TableEngine>,
  directory: string,
  id: string,
): Promise<PredictionRecord | null> {
  const recent = uncompacted(directory).find((record) => record.id === id);
  if (recent !== undefined) return recent;
  const relation = predictionRelation(directory, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  if (relation === null) return null;
  const [row] = await (await engine()).rows(`SELECT to_json(p)::VARCHAR AS record FROM ${relation} AS p WHERE id = $1`, [id]);
  return row === undefined ? null : (JSON.parse(String(row.record)) as PredictionRecord);
}

/** The last predictions, newest first. */
export async function latestPredictions(
  engine: () => Promise<TableEngine>,
  directory: string,
  limit: number,
): Promise<PredictionRecord[]> {
  const recent = uncompacted(directory).sort((a, b) => b.at - a.at);
  const period = loggedPeriod(directory);
  if (recent.length >= limit || period === null) return recent.slice(0, limit);
  const relation = predictionRelation(directory, period.from, period.to + 1);
  const rows = await (await engine()).rows(
    `SELECT to_json(p)::VARCHAR AS record FROM ${relation} AS p ORDER BY "at" DESC, id DESC LIMIT ${limit - recent.length}`,
  );
  return [...recent, ...rows.map(({ record }) => JSON.parse(String(record)) as PredictionRecord)];
}

function uncompacted(directory: string): PredictionRecord[] {
  const { taken } = readManifest(directory);
  return listSegments(directory).flatMap((segment) => {
    const lines = readSegment(segment, taken[segment.id] ?? 0)
      .bytes.toString("utf8")
      .split("\n");
    return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as PredictionRecord);
  });
}

/** Predictions asked for in [from, to), drawn by a hash of their ids: the same ones each time, evenly from the whole period. */
export async function drawPredictions(
  engine: TableEngine,
  directory: string,
  { from, to, limit }: { readonly from: Micros; readonly to: Micros; readonly limit: number },
): Promise<PredictionRecord[]> {
  const recent = uncompacted(directory).filter(({ at }) => at >= from && at < to);
  const relation = predictionRelation(directory, from, to);
  const rows =
    relation === null
      ? []
      : await engine.rows(`SELECT to_json(p)::VARCHAR AS record FROM ${relation} AS p ORDER BY md5(id) LIMIT ${limit}`);
  const all = [...recent, ...rows.map(({ record }) => JSON.parse(String(record)) as PredictionRecord)];
  return all
    .map((record) => ({ record, order: createHash("md5").update(record.id).digest("hex") }))
    .sort((one, other) => (one.order < other.order ? -1 : 1))
    .slice(0, limit)
    .map(({ record }) => record);
}
