import { OrreryError } from "../errors.ts";
import type { OnlineStore, PushLog, TableEngine } from "../ports/index.ts";
import type { Scope } from "../scope.ts";
import type { Micros } from "../time.ts";
import { keptDefinition } from "./kept-definition.ts";
import { bringUpTo, type Materialization, type MaterializeInput } from "./materialize.ts";
import { readOnlineView } from "./online-entry.ts";
import { definitionKey, type OnlineView } from "./online-view.ts";
import type { FeaturePlan } from "./plan.ts";
import { followLog, type PushedInput } from "./push-online.ts";
import {
  type EarlierEntry,
  earlierEntries,
  earlierSlot,
  haltVersion,
  readsVersion,
  versionOf,
  versionsInUse,
} from "./view-versions.ts";

/** What was done with an earlier version that something reads. */
export interface EarlierMaterialization {
  readonly view: string;
  readonly version: string;
  readonly rows: number;
  readonly entities: number;
  /** Why it stays as it is, readable and growing old; null where it was brought up to date. */
  readonly halted: string | null;
}

/** Versions that none of these plans reads are removed when that has been so for a retention. */
interface InUse {
  readonly plans: readonly FeaturePlan[];
}

/**
 * Brings those earlier versions of a view up to `until` that a plan reads, from what they were defined by. One that its source does not have
 * the columns for any more stays as it is.
 * @throws what materialize throws, but for what is wrong with a version's definition
 */
export async function materializeEarlier(
  deps: { readonly engine: TableEngine; readonly online: OnlineStore },
  input: Omit<MaterializeInput, "full"> & InUse,
): Promise<EarlierMaterialization[]> {
  const { scope, view, source, snapshot, until, plans } = input;
  return eachInUse(deps.online, { scope, view: view.name, plans, now: until }, async (slot, kept) => {
    const definition = keptDefinition(kept, view.name, source, snapshot.columns);
    return bringUpTo(deps, { ...input, view: definition, source: definition.source }, slot);
  });
}

/** The same of a view over pushed rows: brings them up to the end of the log. */
export async function applyPushedEarlier(
  deps: { readonly engine: TableEngine; readonly online: OnlineStore; readonly log: PushLog },
  input: PushedInput & InUse,
): Promise<EarlierMaterialization[]> {
  const { scope, view, now, plans } = input;
  const columns = Object.fromEntries(Object.entries(view.source.contracts).map(([column, { type }]) => [column, type]));
  return eachInUse(deps.online, { scope, view: view.name, plans, now }, async (slot, kept) =>
    followLog(deps, { ...input, view: keptDefinition(kept, view.name, view.source, columns) }, slot),
  );
}

async function eachInUse(
  online: OnlineStore,
  { scope, view, plans, now }: InUse & { readonly scope: Scope; readonly view: string; readonly now: Micros },
  bring: (slot: ReturnType<typeof earlierSlot>, kept: Uint8Array) => Promise<Pick<Materialization, "rows" | "entities">>,
): Promise<EarlierMaterialization[]> {
  const done: EarlierMaterialization[] = [];
  for (const each of await versionsInUse(online, scope, view, plans, now)) {
    const { version, entry } = each;
    const told = { view, version, rows: 0, entities: 0, halted: null };
    const [kept] = await online.getMany([definitionKey(scope, view, version)]);
    // The last one's records may just have been removed, which the view's entry says.
    const current = await readOnlineView(online, scope, view);
    if (current === null) break;
    if (kept === null || kept === undefined) {
      done.push({ ...told, halted: await halted(online, scope, each, "it was made before definitions were kept") });
      continue;
    }
    try {
      const { rows, entities } = await bring(earlierSlot(scope, current, version, entry), kept);
      done.push({ ...told, rows, entities });
    } catch (error) {
      // The project's own views have been compiled: what is invalid is what they once were.
      if (!(error instanceof OrreryError) || error.kind !== "invalid") throw error;
      done.push({ ...told, halted: await halted(online, scope, each, error.message) });
    }
  }
  return done;
}

async function halted(online: OnlineStore, scope: Scope, version: EarlierEntry, why: string): Promise<string> {
  await haltVersion(online, scope, version, why);
  return why;
}

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
