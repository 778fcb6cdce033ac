import type { FeatureViewDefinition, SourceDefinition } from "../definitions/index.ts";
import { OrreryError } from "../errors.ts";
import type { OnlineStore, PushLog, TableEngine } from "../ports/index.ts";
import type { Scope } from "../scope.ts";
import type { Micros } from "../time.ts";
import { compileView } from "./compile-view.ts";
import { featureErrors } from "./errors.ts";
import { keptDefinition, keptSource } from "./kept-definition.ts";
import { bringUpTo, type Materialization, type MaterializeInput } from "./materialize.ts";
import { readOnlineView } from "./online-entry.ts";
import { definitionKey } from "./online-view.ts";
import type { FeaturePlan, PlannedView } from "./plan.ts";
import { keySetName, keySetsOf } from "./push-index.ts";
import { followLog, type PushedInput } from "./push-online.ts";
import {
  droppedSlot,
  type EarlierEntry,
  earlierSlot,
  haltVersion,
  type VersionSlot,
  versionOf,
  versionRead,
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
  /** Asked only where there are earlier versions. */
  plans(): readonly FeaturePlan[];
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

export interface DroppedInput extends Omit<MaterializeInput, "view" | "full" | "source" | "snapshot" | "paths"> {
  readonly name: string;
  /** A source of the project with its snapshot; null where there is none. */
  from(source: string): Promise<Pick<MaterializeInput, "source" | "snapshot" | "paths"> | null>;
}

/** Brings a view up to `until` that something reads, though it is not in the project any more. Null where nothing of it is online. */
export async function materializeDropped(
  deps: { readonly engine: TableEngine; readonly online: OnlineStore },
  { name, from, ...input }: DroppedInput,
): Promise<EarlierMaterialization | null> {
  const { online } = deps;
  const { scope } = input;
  const stored = await readOnlineView(online, scope, name);
  if (stored === null) return null;
  const version = versionOf(stored.definitions);
  const told = { view: name, version, rows: 0, entities: 0, halted: null };
  const [kept = null] = await online.getMany([definitionKey(scope, name, version)]);
  if (kept === null) return { ...told, halted: NOT_KEPT };
  const found = await from(keptSource(kept, name));
  if (found === null)
    return { ...told, halted: `source "${keptSource(kept, name)}" is not in the project any more, or gets pushed rows` };
  try {
    const view = keptDefinition(kept, name, found.source, found.snapshot.columns);
    const { rows, entities } = await bringUpTo(
      deps,
      { ...input, ...found, view, source: view.source },
      droppedSlot(scope, stored),
    );
    return { ...told, rows, entities };
  } catch (error) {
    if (!isInvalid(error)) throw error;
    return { ...told, halted: error.message };
  }
}

/** The same as `materializeEarlier` of a view over pushed rows: brings versions up to the end of the log. */
export async function applyPushedEarlier(
  deps: { readonly engine: TableEngine; readonly online: OnlineStore; readonly log: PushLog },
  { keySets, definitions, ...input }: PushedInput & InUse & PushedVersions,
): Promise<EarlierMaterialization[]> {
  const { scope, view, now, plans } = input;
  return eachInUse(deps.online, { scope, view: view.name, plans, now }, async (slot, kept, version) => {
    const definition = definitions.get(version) ?? pushedDefinition(kept, view.name, view.source, keySets);
    definitions.set(version, definition);
    return followLog(deps, { ...input, view: definition }, slot);
  });
}

export interface PushedVersions {
  /** Names of the sets of keys by which the log's rows are found. */
  readonly keySets: ReadonlySet<string>;
  /** What versions were defined by, as it is found out: compiling one for every push would be most of its cost. */
  readonly definitions: Map<string, FeatureViewDefinition>;
}

function pushedDefinition(
  kept: Uint8Array,
  view: string,
  source: SourceDefinition,
  keySets: ReadonlySet<string>,
): FeatureViewDefinition {
  const definition = keptDefinition(kept, view, source, columnTypes(source));
  const keys = Object.keys(definition.entity.keys);
  if (keySets.has(keySetName(keys))) return definition;
  throw featureErrors.FEATURE_KEY_INVALID(
    `Rows of source "${source.name}" are not found by ${keys.join(", ") || "no key"} any more`,
  );
}

const columnTypes = ({ contracts }: SourceDefinition) =>
  Object.fromEntries(Object.entries(contracts).map(([column, { type }]) => [column, type]));

const NOT_KEPT = "it was made before definitions were kept";

const isInvalid = (error: unknown): error is OrreryError => error instanceof OrreryError && error.kind === "invalid";

/**
 * Why what a plan reads of a view will not be kept up to date when the project is defined like this; null where it will.
 * @throws what compileView throws, but for what is wrong with a version's definition
 */
export async function whyNotKept(
  { engine, online }: { readonly engine: TableEngine; readonly online: OnlineStore },
  scope: Scope,
  planned: PlannedView,
  { views, sources }: { readonly views: readonly FeatureViewDefinition[]; readonly sources: readonly SourceDefinition[] },
): Promise<string | null> {
  const view = planned.stored ?? planned.name;
  const current = await readOnlineView(online, scope, view);
  const read = current === null ? null : versionRead(planned, current);
  if (current === null || read === null) return "the online store does not hold what the model was trained on";
  const version = read === "current" ? versionOf(current.definitions) : read.version;
  const [kept = null] = await online.getMany([definitionKey(scope, view, version)]);
  if (kept === null) return NOT_KEPT;
  const name = keptSource(kept, view);
  const source = [...sources, ...views.map((each) => each.source)].find((each) => each.name === name);
  if (source === undefined) return `source "${name}" is not in the project any more`;
  const isPushed = source.origin.kind === "push";
  const isThere = views.some((each) => each.name === view);
  if (!isThere && isPushed) return "pushed rows go to the project's own views";
  if (!isThere && read !== "current") return "it is an earlier version of a view that is not in the project any more";
  try {
    const definition = isPushed
      ? pushedDefinition(kept, view, source, new Set(keySetsOf(source, views).keys()))
      : keptDefinition(kept, view, source, columnTypes(source));
    await compileView(engine, definition);
    return null;
  } catch (error) {
    if (!isInvalid(error)) throw error;
    return error.message;
  }
}

async function eachInUse(
  online: OnlineStore,
  { scope, view, plans, now }: InUse & { readonly scope: Scope; readonly view: string; readonly now: Micros },
  bring: (slot: VersionSlot, kept: Uint8Array, version: string) => Promise<Pick<Materialization, "rows" | "entities">>,
): Promise<EarlierMaterialization[]> {
  const done: EarlierMaterialization[] = [];
  for (const each of await versionsInUse(online, scope, view, plans, now)) {
    const { version, entry } = each;
    const told = { view, version, rows: 0, entities: 0, halted: null };
    const [kept = null] = await online.getMany([definitionKey(scope, view, version)]);
    // The last one's records may just have been removed, which the view's entry says.
    const current = await readOnlineView(online, scope, view);
    if (current === null) break;
    if (kept === null) {
      done.push({ ...told, halted: await halted(online, scope, each, NOT_KEPT) });
      continue;
    }
    try {
      const { rows, entities } = await bring(earlierSlot(scope, current, version, entry), kept, version);
      done.push({ ...told, rows, entities });
    } catch (error) {
      // The project's own views have been compiled: what is invalid is what they once were.
      if (!isInvalid(error)) throw error;
      done.push({ ...told, halted: await halted(online, scope, each, error.message) });
    }
  }
  return done;
}

async function halted(online: OnlineStore, scope: Scope, version: EarlierEntry, why: string): Promise<string> {
  await haltVersion(online, scope, version, why);
  return why;
}
