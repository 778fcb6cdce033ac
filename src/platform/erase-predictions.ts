import { randomUUID } from "node:crypto";
import { closeSync, existsSync, fsyncSync, openSync, readdirSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { listSegments, readSegment } from "../adapters/events/ndjson.ts";
import { quoteLiteral } from "../core/data/index.ts";
import type { TableEngine } from "../core/ports/index.ts";
import type { PredictionRecord } from "../core/serving/index.ts";
import { readManifest, writeManifest } from "./prediction-log.ts";

/** Whether a prediction is to go. */
export type PredictionMatcher = (record: Pick<PredictionRecord, "keys" | "request" | "reference">) => boolean;

const ENDINGS = [".parquet", ".lines"];

/**
 * Takes predictions out of an endpoint's log. In segments their lines are written over with line ends of the same length, which readers
 * pass over: places in the log stay, and a server that appends to one need not know. Compacted files are written anew, and the manifest
 * turns to all of them at once. Ended in the middle, it is finished by doing it again. Nobody may compact the log meanwhile.
 * @returns how many predictions
 */
export async function erasePredictions(
  engine: TableEngine,
  directory: string,
  matches: PredictionMatcher,
  { dryRun }: { readonly dryRun: boolean },
): Promise<number> {
  if (!existsSync(directory)) return 0;
  const compacted = await eraseCompacted(engine, directory, matches, dryRun);
  return compacted + eraseLines(directory, matches, dryRun);
}

function eraseLines(directory: string, matches: PredictionMatcher, dryRun: boolean): number {
  const { taken } = readManifest(directory);
  let erased = 0;
  for (const segment of listSegments(directory)) {
    const { bytes } = readSegment(segment, 0);
    const places: { readonly from: number; readonly to: number }[] = [];
    for (let from = 0; from < bytes.length; ) {
      const to = bytes.indexOf(0x0a, from);
      if (to > from && matches(JSON.parse(bytes.toString("utf8", from, to)) as PredictionRecord)) {
        places.push({ from, to });
        // Those of before are counted where they were compacted to.
        if (from >= (taken[segment.id] ?? 0)) erased++;
      }
      from = to + 1;
    }
    if (places.length > 0 && !dryRun) overwrite(segment.path, places);
  }
  return erased;
}

function overwrite(path: string, places: readonly { readonly from: number; readonly to: number }[]): void {
  const file = openForWriting(path);
  try {
    for (const { from, to } of places) writeSync(file, Buffer.alloc(to - from, 0x0a), 0, to - from, from);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function openForWriting(path: string): number {
  try {
    return openSync(path, "r+");
  } catch (error) {
    // It was finished, and so renamed, between reading and writing.
    if (path.endsWith(".open.ndjson")) return openSync(path.replace(".open.ndjson", ".ndjson"), "r+");
    throw error;
  }
}

async function eraseCompacted(
  engine: TableEngine,
  directory: string,
  matches: PredictionMatcher,
  dryRun: boolean,
): Promise<number> {
  const manifest = readManifest(directory);
  const parts = [];
  let erased = 0;
  for (const part of manifest.parts) {
    const ids = await matchingIds(engine, join(directory, part.file), matches);
    if (ids.length === 0 || dryRun) {
      erased += ids.length;
      parts.push(part);
      continue;
    }
    erased += ids.length;
    if (ids.length >= part.rows) continue;
    const file = `${randomUUID()}.parquet`;
    await engine.run(
      `COPY (SELECT * FROM read_parquet(${quoteLiteral(join(directory, part.file))})
         WHERE id NOT IN (SELECT unnest(from_json($1::VARCHAR, '["VARCHAR"]'))) ORDER BY "at", id)
       TO ${quoteLiteral(join(directory, file))} (FORMAT parquet, COMPRESSION zstd)`,
      [JSON.stringify(ids)],
    );
    parts.push({ ...part, file, rows: part.rows - ids.length });
  }
  if (dryRun) return erased;
  if (erased > 0) writeManifest(directory, { ...manifest, parts });
  // What the manifest does not list is nothing: files of before, and what a process that died left aside.
  const listed = new Set(parts.map(({ file }) => file));
  for (const name of readdirSync(directory))
    if (ENDINGS.some((ending) => name.endsWith(ending)) && !listed.has(name)) rmSync(join(directory, name), { force: true });
  return erased;
}

async function matchingIds(engine: TableEngine, path: string, matches: PredictionMatcher): Promise<string[]> {
  const ids: string[] = [];
  const columns = ["id", "reference", "keys", "request"];
  const query = `SELECT id, reference, keys::VARCHAR AS keys, request::VARCHAR AS request FROM read_parquet(${quoteLiteral(path)})`;
  for await (const { rows, columns: found } of engine.stream(query)) {
    const [id, reference, keys, request] = columns.map((name) => {
      const column = found.get(name);
      return column?.type === "string" ? column.values : [];
    });
    for (let row = 0; row < rows; row++) {
      // The log was written from such objects.
      const record = {
        reference: reference[row] ?? null,
        keys: JSON.parse(keys[row] ?? "{}") as PredictionRecord["keys"],
        request: JSON.parse(request[row] ?? "{}") as PredictionRecord["request"],
      };
      if (matches(record)) ids.push(id[row] ?? "");
    }
  }
  return ids;
}
