import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type NdjsonLog, openNdjsonLog } from "../adapters/events/ndjson.ts";
import { openDuckDb } from "../adapters/tables/duckdb.ts";
import type { TableEngine } from "../core/ports/index.ts";
import { erasePredictions, type PredictionMatcher } from "./erase-predictions.ts";
import { compactPredictionLog, findPrediction, latestPredictions, readManifest } from "./prediction-log.ts";

let directory: string;
let engine: TableEngine;
let log: NdjsonLog;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "orrery-erase-predictions-"));
  engine = await openDuckDb({ memoryLimit: "256MB", threads: 1 });
  log = openNdjsonLog(directory);
});
afterEach(async () => {
  await log.close();
  engine.close();
  rmSync(directory, { recursive: true });
});

let count = 0;
const record = (user: string, reference: string | null = null) => ({
  ...{ id: `p${count}`, endpoint: "e", at: count++, receivedAt: 0, reference, keys: { user }, request: { amount: 1 } },
  ...{ features: {}, score: 0, probability: 0.5, decision: false, version: 1, alias: "champion", artifact: "a", revision: 1 },
  ...{ missing: [], materialized: null, latencyUs: { read: 1, predict: 1, total: 2 }, traceId: null },
});
const append = async (...records: object[]) => {
  for (const each of records) log.append(each);
  await log.flushed();
};
const isAnn: PredictionMatcher = ({ keys, reference }) => keys.user === "ZZANN" || reference === "ZZref";
const ids = async () => (await latestPredictions(async () => engine, directory, 100)).map(({ id }) => id).sort();
const bytes = () =>
  readdirSync(directory)
    .map((name) => readFileSync(join(directory, name)).toString("latin1"))
    .join("");

test("predictions go from compacted files and from a segment that a server still writes to, and no others", async () => {
  count = 0;
  await append(record("ZZANN"), record("bob"), record("eve", "ZZref"));
  await compactPredictionLog(engine, directory);
  await append(record("bob"), record("ZZANN"), record("eve"));
  expect(await erasePredictions(engine, directory, isAnn, { dryRun: true })).toBe(3);
  expect(await ids()).toHaveLength(6);
  expect(await erasePredictions(engine, directory, isAnn, { dryRun: false })).toBe(3);
  expect(await ids()).toEqual(["p1", "p3", "p5"]);
  expect(bytes()).not.toMatch(/ZZANN|ZZref/);
  await append(record("later"), record("ZZANN"));
  await compactPredictionLog(engine, directory);
  expect(await ids(), "what is appended afterwards and compacted with the gaps is taken once").toEqual([
    "p1",
    "p3",
    "p5",
    "p6",
    "p7",
  ]);
  expect(await findPrediction(async () => engine, directory, "p0")).toBeNull();
  expect(await erasePredictions(engine, directory, isAnn, { dryRun: false })).toBe(1);
  expect(await erasePredictions(engine, directory, isAnn, { dryRun: false })).toBe(0);
});

test("a compacted file of nobody else goes whole, and so does what a process that died left aside", async () => {
  await append(record("ZZANN"));
  await compactPredictionLog(engine, directory);
  writeFileSync(join(directory, ".left.lines"), JSON.stringify(record("ZZANN")));
  writeFileSync(join(directory, "left.parquet"), "ZZANN");
  expect(await erasePredictions(engine, directory, isAnn, { dryRun: false })).toBe(1);
  expect(readManifest(directory).parts).toEqual([]);
  expect(bytes()).not.toContain("ZZANN");
  expect(await erasePredictions(engine, join(directory, "none"), isAnn, { dryRun: false })).toBe(0);
});
