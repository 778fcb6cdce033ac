import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { MetadataStore } from "../core/ports/index.ts";
import { collectRegistryGarbage } from "../core/registry/index.ts";
import type { Scope } from "../core/scope.ts";
import type { Micros } from "../core/time.ts";
import type { CollectedGarbage, Tracking } from "../core/tracking/index.ts";

export interface GarbageRooms {
  readonly store: MetadataStore;
  readonly scope: Scope;
  readonly tracking: Pick<Tracking, "collectGarbage">;
  /** The state folder, where journals of searches name artifacts; null where there is none. */
  readonly stateFolder: string | null;
}

/**
 * Removes for good what was deleted in a project before a time: registered models and versions, then the experiments, runs and logged
 * models that no version needs any more, their files, and bytes that nothing names. A store of artifacts belongs to one database: of
 * bytes that another database names this one knows nothing, and would remove them.
 */
export async function collectGarbage(
  { store, scope, tracking, stateFolder }: GarbageRooms,
  deletedBefore: Micros,
  { dryRun }: { readonly dryRun: boolean },
): Promise<CollectedGarbage> {
  // First, because versions keep the runs that they came from.
  const registry = await collectRegistryGarbage(store, scope, deletedBefore, { dryRun });
  const inUse = stateFolder === null ? new Set<string>() : await hashesInStudies(stateFolder);
  return { ...(await tracking.collectGarbage(deletedBefore, { dryRun, inUse })), ...registry };
}

/** A search that was interrupted goes on from its journal, with the predictions of its trials. */
async function hashesInStudies(stateFolder: string): Promise<Set<string>> {
  const folder = join(stateFolder, "studies");
  const hashes = new Set<string>();
  for (const name of await readdir(folder).catch(() => [])) {
    // It may be over, and its journal gone, since the folder was read.
    const text = await readFile(join(folder, name), "utf8").catch(() => "");
    for (const [hash] of text.matchAll(/[0-9a-f]{64}/g)) hashes.add(hash);
  }
  return hashes;
}
