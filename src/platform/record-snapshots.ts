import type { Snapshot } from "../core/data/index.ts";
import type { Actor } from "../core/scope.ts";
import type { Tracking } from "../core/tracking/index.ts";

/** Keeps those whose rows are others than the last's on record: one that differs only in its time says nothing new. */
export async function recordSnapshots(
  tracking: Pick<Tracking, "latestSnapshot" | "saveSnapshot">,
  snapshots: Readonly<Record<string, Snapshot>>,
  actor?: Actor,
): Promise<void> {
  for (const snapshot of Object.values(snapshots)) {
    const last = await tracking.latestSnapshot(snapshot.source);
    if (last?.contentHash === snapshot.contentHash && last.rows === snapshot.rows) continue;
    await tracking.saveSnapshot(snapshot, actor);
  }
}
