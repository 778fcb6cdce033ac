import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readStatistics, recordStatistics } from "./view-statistics.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "orrery-statistics-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const done = (until: number, entities = 1) => ({ view: "v", from: null, until, rows: 1, entities, statistics: [] });
const path = () => join(folder, "below", "v.ndjson");

test("the newest come first, and what wrote nothing is not among them", async () => {
  for (const until of [1, 2, 3]) await recordStatistics(path(), done(until));
  await recordStatistics(path(), done(4, 0));
  expect((await readStatistics(path(), 2)).map(({ until }) => until)).toEqual([3, 2]);
  expect(await readStatistics(join(folder, "none.ndjson"), 2)).toEqual([]);
});

test("a line that was cut off is passed over", async () => {
  await recordStatistics(path(), done(1));
  appendFileSync(path(), '{"formatVersion":1,"view"\n');
  await recordStatistics(path(), done(2));
  expect((await readStatistics(path(), 10)).map(({ until }) => until)).toEqual([2, 1]);
});

test("the file does not grow for ever", async () => {
  await recordStatistics(path(), done(0));
  const [line] = readFileSync(path(), "utf8").split("\n");
  appendFileSync(path(), `${line}\n`.repeat(120_000));
  await recordStatistics(path(), done(7));
  const kept = await readStatistics(path(), 200_000);
  expect(kept).toHaveLength(60_001);
  expect(kept[0].until).toBe(7);
});
