import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import type { OpenDatabase, TestDatabase } from "../../../../test/fixtures/databases.ts";
import { FilesystemArtifactStore } from "../../../adapters/artifacts/filesystem.ts";
import { VirtualClock } from "../../ports/index.ts";
import { type Actor, systemActor } from "../../scope.ts";
import { parseTimestamp } from "../../time.ts";
import { createTracking, type Tracking } from "../index.ts";

export const actor: Actor = systemActor("test");
export const start = parseTimestamp("2013-11-01T00:00:00Z");

export interface TrackingUnderTest {
  readonly database: TestDatabase;
  readonly clock: VirtualClock;
  readonly artifacts: FilesystemArtifactStore;
  readonly tracking: Tracking;
  /** Of the same database. */
  of(project: string): Tracking;
}

/** A fresh database and folder for each test; read the fields inside a test only. */
export function trackingForTests(open: OpenDatabase): TrackingUnderTest {
  let opened: { database: TestDatabase; clock: VirtualClock; artifacts: FilesystemArtifactStore; tracking: Tracking } | null =
    null;
  let folder = "";
  const now = () => {
    if (opened === null) throw new Error("There is no database outside of a test");
    return opened;
  };
  const of = (project: string) => {
    const { database, artifacts, clock } = now();
    return createTracking({ store: database.store, artifacts, clock, scope: { workspace: "w", project } });
  };
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "orrery-tracking-"));
    const clock = new VirtualClock(start);
    const database = await open(clock);
    const artifacts = new FilesystemArtifactStore(join(folder, "artifacts"));
    const tracking = createTracking({ store: database.store, artifacts, clock, scope: { workspace: "w", project: "p" } });
    opened = { database, clock, artifacts, tracking };
  });
  afterEach(async () => {
    await now().database.drop();
    rmSync(folder, { recursive: true });
    opened = null;
  });
  return {
    get database() {
      return now().database;
    },
    get clock() {
      return now().clock;
    },
    get artifacts() {
      return now().artifacts;
    },
    get tracking() {
      return now().tracking;
    },
    of,
  };
}
