import { join } from "node:path";
import { FilesystemArtifactStore } from "../../../adapters/artifacts/filesystem.ts";
import { openLmdb } from "../../../adapters/online/lmdb.ts";
import { openSqlitePushLog } from "../../../adapters/push/sqlite.ts";
import {
  bool,
  count,
  entity,
  type FeatureViewDefinition,
  featureView,
  float64,
  last,
  type SourceDefinition,
  source,
  string,
  sum,
} from "../../../core/definitions/index.ts";
import type { FeaturePlan } from "../../../core/features/index.ts";
import { VirtualClock } from "../../../core/ports/index.ts";
import { parseTimestamp } from "../../../core/time.ts";
import { openPushEngine } from "../push-engine.ts";
import { openPushRoom, type PushSurroundings } from "../push-room.ts";

/** When everything here happens. */
export const NOW = parseTimestamp("2026-03-01T12:00:00Z");

export const payments = source.push("payments", {
  key: ["id"],
  eventTime: "at",
  availableTime: "seen",
  deleted: "void",
  columns: {
    id: string(),
    user: string(),
    amount: float64().nullable().between(0, 1_000),
    void: bool().nullable(),
  },
});

export const spending = featureView("spending", {
  entity: entity("user", { user: string() }),
  source: payments,
  features: ["amount"],
  aggregate: { paid: sum("amount").over("1h"), payments: count().over("1h"), newest: last("id", "string").over("1h") },
});

export const SCOPE = { workspace: "default", project: "shop" };

export interface RoomOptions {
  readonly sources?: readonly SourceDefinition[];
  readonly views?: readonly FeatureViewDefinition[];
  readonly plans?: () => readonly FeaturePlan[];
  readonly lost?: AbortSignal;
  readonly blocked?: NonNullable<PushSurroundings["blocked"]>;
}

/** A push room over a log, an online store and an engine in a folder. */
export async function openRoom(
  directory: string,
  { sources = [payments], views = [spending.definition], ...others }: RoomOptions = {},
) {
  const tempDirectory = join(directory, "tmp", String(process.pid));
  const log = openSqlitePushLog(join(directory, "push"));
  const online = openLmdb(join(directory, "online"));
  const engine = await openPushEngine(tempDirectory);
  const artifacts = new FilesystemArtifactStore(join(directory, "artifacts"));
  const said: string[] = [];
  const tell = (_: object, message: string) => void said.push(message);
  const room = openPushRoom({
    sources,
    views,
    scope: SCOPE,
    clock: new VirtualClock(NOW),
    log,
    engine,
    online,
    artifacts,
    references: async () => new Map(),
    journal: { info: tell, warn: tell, error: tell },
    ...others,
  });
  return {
    ...room,
    log,
    online,
    engine,
    artifacts,
    tmpDirectory: tempDirectory,
    said,
    async close() {
      await room.close();
      engine.close();
      log.close();
      await online.close();
    },
  };
}
