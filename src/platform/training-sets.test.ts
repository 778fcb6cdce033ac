import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FilesystemArtifactStore } from "../adapters/artifacts/filesystem.ts";
import { openSqlite } from "../adapters/metadata/sqlite.ts";
import type { Snapshot } from "../core/data/index.ts";
import { type MetadataStore, systemClock } from "../core/ports/index.ts";
import { parseTimestamp } from "../core/time.ts";
import { createTracking, type Tracking } from "../core/tracking/index.ts";
import { listTrainingSets, rebuildProblems, TRAINING_SET_FILE, TRAINING_SET_RECORD } from "./training-sets.ts";

const scope = { workspace: "w", project: "p" };
const MADE = parseTimestamp("2026-01-01T00:00:00Z");
const LATER = parseTimestamp("2026-02-03T04:05:06Z");

let folder: string;
let artifacts: FilesystemArtifactStore;
let store: MetadataStore;
let tracking: Tracking;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "orrery-sets-"));
  artifacts = new FilesystemArtifactStore(join(folder, "artifacts"));
  store = await openSqlite({ path: join(folder, "metadata.db"), clock: systemClock });
  tracking = createTracking({ store, artifacts, clock: systemClock, scope });
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const snapshot = (id: string, contentHash: string, erased?: Snapshot["erased"]): Snapshot => ({
  formatVersion: 1,
  id,
  source: "calls",
  asOf: MADE,
  createdAt: MADE,
  contentHash,
  rows: 10,
  bytes: 100,
  columns: {},
  parent: null,
  parts: [],
  disjoint: true,
  report: { rows: 10, quarantined: 0, violations: [], nullShares: [] },
  ...(erased === undefined ? {} : { erased }),
});
const mark = { erasure: "erasure-1", at: LATER, rows: 3, contentHash: "whole" };

/** A set that lies in the tree of artifacts as if a run had kept it; null for one without a record. */
async function keep(id: string, record: string | null) {
  const path = (name: string) => `1/${id}/artifacts/${name}`;
  await tracking.files.place(path(TRAINING_SET_FILE), await artifacts.put(`rows of ${id}`, "application/vnd.apache.parquet"));
  if (record === null) return null;
  const stored = await artifacts.put(record, "application/json");
  await tracking.files.place(path(TRAINING_SET_RECORD), stored);
  return stored;
}
const madeOf = (id: string, contentHash: string) =>
  JSON.stringify({ formatVersion: 1, model: "churn", snapshots: { calls: { id, contentHash } }, set: {} });

async function problems() {
  const sets = await listTrainingSets({ store, scope, artifacts, tracking });
  return Object.fromEntries(await rebuildProblems({ tracking }, sets));
}

describe("training sets that are kept", () => {
  test("can be built again while their snapshots are what they were, those that were erased before they were read too", async () => {
    await tracking.saveSnapshot(snapshot("s1", "whole"));
    await tracking.saveSnapshot(snapshot("s2", "less", [mark]));
    await keep("a", madeOf("s1", "whole"));
    await keep("b", madeOf("s2", "less"));
    expect(await problems()).toEqual({ a: null, b: null });
  });

  test("say which erasure took rows out of a snapshot since, where none are their own, and what else is not as it was", async () => {
    await tracking.saveSnapshot(snapshot("s1", "less", [mark]));
    await tracking.saveSnapshot(snapshot("s2", "other"));
    await keep("erased", madeOf("s1", "whole"));
    await keep("changed", madeOf("s2", "whole"));
    await keep("gone", madeOf("s3", "whole"));
    await keep("old", null);
    expect(await problems()).toEqual({
      erased: 'an erasure of 2026-02-03 took 3 rows out of snapshot s1 of "calls"',
      changed: 'snapshot s2 of "calls" has other content than it had',
      gone: 'snapshot s3 of "calls" is not on record any more',
      old: "it has no record",
    });
  });

  test("are all listed where the record of one is gone and that of another is damaged", async () => {
    await tracking.saveSnapshot(snapshot("s1", "whole"));
    await keep("whole", madeOf("s1", "whole"));
    await keep("damaged", "{");
    const lost = await keep("lost", madeOf("s1", "whole").concat(" "));
    await artifacts.remove(lost?.sha256 ?? "");
    expect(await problems()).toEqual({
      whole: null,
      damaged: "its record cannot be read: The record of the training set is no JSON",
      lost: expect.stringContaining("its record cannot be read: "),
    });
  });
});
