import type { OnlineStore } from "../ports/index.ts";
import type { Scope } from "../scope.ts";
import type { Micros } from "../time.ts";
import { readOnlineView } from "./online-entry.ts";
import type { OnlineView } from "./online-view.ts";
import type { FeaturePlan } from "./plan.ts";
import { earlierEntries, readsVersion, versionOf, versionRead } from "./view-versions.ts";

/** A version of a view as it stands in the online store. */
export interface ViewVersion {
  readonly version: string;
  readonly current: boolean;
  /** When it was first whole; null where that was not written down. */
  readonly since: Micros | null;
  readonly materializedUntil: Micros;
  readonly newestEventAt: Micros | null;
  /** Since when nothing that is deployed reads it; null of the current one, and where something does. */
  readonly unusedSince: Micros | null;
  /** Why it cannot be brought further. */
  readonly halted: string | null;
  /** Whether a plan reads the view, and by this version. */
  reads(plan: FeaturePlan): boolean;
}

/** Every version of a view that can be read, the current one first. @throws FEATURE_RECORD_CORRUPT */
export async function viewVersions(online: OnlineStore, scope: Scope, view: string): Promise<ViewVersion[]> {
  const current = await readOnlineView(online, scope, view);
  if (current === null) return [];
  const standing = (version: string, entry: OnlineView, isCurrent: boolean): ViewVersion => ({
    version,
    current: isCurrent,
    since: entry.since ?? null,
    materializedUntil: entry.until,
    newestEventAt: entry.newestEventAt,
    unusedSince: entry.unusedSince ?? null,
    halted: entry.halted ?? null,
    reads: (plan) => readsVersion(plan, current, version),
  });
  return [
    standing(versionOf(current.definitions), current, true),
    ...(await earlierEntries(online, scope, current)).map(({ version, entry }) => standing(version, entry, false)),
  ];
}

/** Names of the views that a plan reads and of which no version is what it was trained on; one that is not online at all is not among them. */
export async function viewsGone(online: OnlineStore, scope: Scope, plan: FeaturePlan): Promise<string[]> {
  const gone: string[] = [];
  for (const planned of plan.views) {
    const view = planned.stored ?? planned.name;
    const current = await readOnlineView(online, scope, view);
    if (current !== null && versionRead(planned, current) === null) gone.push(view);
  }
  return gone;
}
