import { createHash } from "node:crypto";
import { type FeatureViewDefinition, viewFeatures } from "../definitions/index.ts";
import type { OnlineStore } from "../ports/index.ts";
import type { Scope } from "../scope.ts";
import type { Micros } from "../time.ts";
import { keepDefinition } from "./kept-definition.ts";
import { removeLeftovers } from "./leftovers.ts";
import { parseOnlineView, readOnlineView } from "./online-entry.ts";
import {
  definitionKey,
  type EarlierVersion,
  featureDefinition,
  type OnlineView,
  progressKey,
  versionKey,
  viewKey,
} from "./online-view.ts";
import type { FeaturePlan, PlannedView } from "./plan.ts";

type Definitions = Readonly<Record<string, string>>;
type Entry = readonly [key: string, value: Uint8Array | null];

/** Hash of each of a view's features. */
export const definitionsOf = (view: FeatureViewDefinition): Definitions =>
  Object.fromEntries(viewFeatures(view).map(([name]) => [name, featureDefinition(view, name)]));

/** Names a version of a view, by what its features are defined by and nothing else: whoever reads one reads the same values. */
export const versionOf = (definitions: Definitions): string =>
  createHash("sha256")
    .update(JSON.stringify(Object.entries(definitions).sort(([one], [other]) => (one < other ? -1 : 1))))
    .digest("hex")
    .slice(0, 12);

/** Whether everything that can be read from the other version has the same value in this one. */
const covers = (version: Definitions, other: Definitions): boolean =>
  Object.entries(other).every(([feature, hash]) => version[feature] === hash);

/**
 * Which version of a view a plan reads: the current one where that has all that it asks for, as the model was trained on it; else an
 * earlier one. Null where there is none. A plan without hashes takes features as they are now.
 */
export function versionRead({ features, definitions }: PlannedView, current: OnlineView): "current" | EarlierVersion | null {
  const serves = (version: Definitions) =>
    features.every((feature) => {
      const trained = definitions?.[feature] ?? version[feature];
      return trained !== undefined && version[feature] === trained;
    });
  if (serves(current.definitions)) return "current";
  if (definitions === undefined) return null;
  return current.earlier?.find((version) => serves(version.definitions)) ?? null;
}

/** Where a version's entry is kept, and what writing it takes. */
export interface VersionSlot {
  /** As it stands; null for a version that is not online yet. */
  readonly stored: OnlineView | null;
  /** Key of how far the writing of a generation has come. */
  readonly progress: string;
  /** Everything that has to be written together for the version to stand like this. */
  write(entry: OnlineView): Entry[];
}

const asBytes = (entry: OnlineView): Uint8Array => Buffer.from(JSON.stringify(entry));

/**
 * The slot of the version that the project defines. Where an earlier one is defined like this, it is taken back; where there is none, the
 * one that stands stays readable when this one is written, unless this one holds everything that it does.
 */
export async function currentSlot(online: OnlineStore, scope: Scope, definition: FeatureViewDefinition): Promise<VersionSlot> {
  const { name } = definition;
  const version = versionOf(definitionsOf(definition));
  const standing = await readOnlineView(online, scope, name);
  const stored = standing === null ? null : await takenBack(online, scope, standing, version);
  return {
    stored,
    progress: progressKey(scope, name),
    write(entry) {
      const isSame = stored !== null && versionOf(stored.definitions) === version;
      const since = isSame ? (stored.since ?? stored.until) : entry.until;
      const anew = stored?.since === undefined || stored.generation !== entry.generation;
      const kept: Entry[] = anew ? [[definitionKey(scope, name, version), keepDefinition(definition)]] : [];
      return [...turnedTo(scope, stored, { ...entry, since }), ...kept];
    },
  };
}

/** The slot of a view that is not in the project any more: its last version stays the current one. */
export const droppedSlot = (scope: Scope, stored: OnlineView): VersionSlot => ({
  stored,
  progress: progressKey(scope, stored.view),
  write: (entry) => turnedTo(scope, stored, { ...entry, since: stored.since ?? stored.until }),
});

/** The slot of an earlier version. */
export const earlierSlot = (scope: Scope, current: OnlineView, version: string, stored: OnlineView): VersionSlot => ({
  stored,
  progress: progressKey(scope, current.view, version),
  write: (entry) => [
    [versionKey(scope, current.view, version), asBytes({ ...entry, leftovers: false, since: stored.since ?? stored.until })],
    // The records of its last generation are to be removed, which the view's own entry says.
    ...(entry.generation === stored.generation
      ? []
      : [[viewKey(scope, current.view), asBytes({ ...current, leftovers: true })] as const]),
  ],
});

/** The view's entry turns to `next`; what it named before gets an entry of its own, unless `next` holds everything that it does. */
function turnedTo(scope: Scope, before: OnlineView | null, next: OnlineView): Entry[] {
  const { view } = next;
  const entries: Entry[] = [];
  const earlier: EarlierVersion[] = [];
  for (const each of before?.earlier ?? [])
    if (covers(next.definitions, each.definitions)) entries.push(...forgotten(scope, view, each.version));
    else earlier.push(each);
  if (before !== null) {
    const { earlier: _, ...last } = before;
    const version = versionOf(before.definitions);
    if (!covers(next.definitions, before.definitions)) {
      earlier.push({ version, definitions: before.definitions });
      entries.push([versionKey(scope, view, version), asBytes({ ...last, leftovers: false })]);
    } else if (version !== versionOf(next.definitions)) entries.push([definitionKey(scope, view, version), null]);
  }
  return [...entries, [viewKey(scope, view), asBytes(earlier.length === 0 ? next : { ...next, earlier })]];
}

const forgotten = (scope: Scope, view: string, version: string): Entry[] => [
  [versionKey(scope, view, version), null],
  [definitionKey(scope, view, version), null],
  [progressKey(scope, view, version), null],
];

/** The entry of the current version, after an earlier one has become it where `wanted` names that. */
async function takenBack(online: OnlineStore, scope: Scope, current: OnlineView, wanted: string): Promise<OnlineView> {
  if (current.earlier?.some(({ version }) => version === wanted) !== true) return current;
  const { view } = current;
  const again = (await earlierEntries(online, scope, current)).find(({ version }) => version === wanted);
  if (again === undefined) return current;
  const { unusedSince: _, halted: __, ...entry } = again.entry;
  const earlier = current.earlier.filter(({ version }) => version !== wanted);
  const entries = turnedTo(scope, { ...current, earlier }, { ...entry, leftovers: true });
  await online.putMany([[versionKey(scope, view, wanted), null], [progressKey(scope, view, wanted), null], ...entries]);
  return (await readOnlineView(online, scope, view)) ?? current;
}

export interface EarlierEntry {
  readonly version: string;
  readonly entry: OnlineView;
}

/** How a view's earlier versions stand. @throws FEATURE_RECORD_CORRUPT */
export async function earlierEntries(online: OnlineStore, scope: Scope, current: OnlineView): Promise<EarlierEntry[]> {
  const { view, earlier = [] } = current;
  if (earlier.length === 0) return [];
  const found = await online.getMany(earlier.map(({ version }) => versionKey(scope, view, version)));
  return earlier.flatMap(({ version }, index) => {
    const bytes = found[index] ?? null;
    return bytes === null ? [] : [{ version, entry: parseOnlineView(bytes, view) }];
  });
}

/** Whether a plan reads the view, and by this version. */
export const readsVersion = (plan: FeaturePlan, current: OnlineView, version: string): boolean =>
  plan.views.some((planned) => {
    if ((planned.stored ?? planned.name) !== current.view) return false;
    const read = versionRead(planned, current);
    return read === "current" ? version === versionOf(current.definitions) : read?.version === version;
  });

/**
 * The earlier versions of a view that these plans read. One that none does is noted, and removed with its records when that has been so
 * for a retention: whoever has just been told to read another version still may.
 */
export async function versionsInUse(
  online: OnlineStore,
  scope: Scope,
  view: string,
  plansRead: () => readonly FeaturePlan[],
  now: Micros,
): Promise<EarlierEntry[]> {
  const current = await readOnlineView(online, scope, view);
  if (current?.earlier === undefined) return [];
  const plans = plansRead();
  const used: EarlierEntry[] = [];
  const removed = new Set<string>();
  const entries: Entry[] = [];
  for (const { version, entry } of await earlierEntries(online, scope, current)) {
    const { unusedSince, ...inUse } = entry;
    if (plans.some((plan) => readsVersion(plan, current, version))) {
      used.push({ version, entry: inUse });
      if (unusedSince !== undefined) entries.push([versionKey(scope, view, version), asBytes(inUse)]);
    } else if (unusedSince === undefined)
      entries.push([versionKey(scope, view, version), asBytes({ ...entry, unusedSince: now })]);
    else if (now - unusedSince >= current.retention) {
      removed.add(version);
      entries.push(...forgotten(scope, view, version));
    }
  }
  if (removed.size > 0) {
    const { earlier, ...rest } = current;
    const left = earlier.filter(({ version }) => !removed.has(version));
    entries.push([viewKey(scope, view), asBytes({ ...rest, leftovers: true, ...(left.length === 0 ? {} : { earlier: left }) })]);
  }
  if (entries.length > 0) await online.putMany(entries);
  if (removed.size > 0) await removeLeftovers(online, scope, view);
  return used;
}

/** Says of an earlier version why it stays as it is. */
export async function haltVersion(
  online: OnlineStore,
  scope: Scope,
  { version, entry }: EarlierEntry,
  why: string,
): Promise<void> {
  if (entry.halted === why) return;
  await online.putMany([[versionKey(scope, entry.view, version), asBytes({ ...entry, halted: why })]]);
}
