import type { OnlineStore } from "../ports/index.ts";
import type { Scope } from "../scope.ts";
import { parseOnlineView, readEntry, readOnlineView } from "./online-entry.ts";
import { entityPrefix, type OnlineView, progressKey, versionKey, viewKey } from "./online-view.ts";

const REMOVED_AT_ONCE = 10_000;

/**
 * Removes records of generations that no version of the view has, and none is being written of; whoever read a version's entry before has
 * read its records with it.
 */
export async function removeLeftovers(online: OnlineStore, scope: Scope, name: string): Promise<void> {
  const stored = await readOnlineView(online, scope, name);
  if (stored === null) return;
  const kept = (await generationsOf(online, scope, stored)).map((generation) => entityPrefix(scope, name, generation));
  let entries: [string, null][] = [];
  for await (const key of online.keys(entityPrefix(scope, name))) {
    if (kept.some((prefix) => key.startsWith(prefix))) continue;
    entries.push([key, null]);
    if (entries.length < REMOVED_AT_ONCE) continue;
    await online.putMany(entries);
    entries = [];
  }
  await online.putMany([...entries, [viewKey(scope, name), Buffer.from(JSON.stringify({ ...stored, leftovers: false }))]]);
}

async function generationsOf(
  online: OnlineStore,
  scope: Scope,
  { view, generation, earlier = [] }: OnlineView,
): Promise<string[]> {
  const versions = earlier.map(({ version }) => version);
  const entries = await online.getMany(versions.map((version) => versionKey(scope, view, version)));
  const progress = await online.getMany([undefined, ...versions].map((version) => progressKey(scope, view, version)));
  return [
    generation,
    ...entries.flatMap((bytes) => (bytes === null ? [] : [parseOnlineView(bytes, view).generation])),
    ...progress.flatMap((bytes) =>
      bytes === null ? [] : [(readEntry(bytes, view) as Pick<OnlineView, "generation">).generation],
    ),
  ];
}
