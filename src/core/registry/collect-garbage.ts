import type { MetadataStore } from "../ports/index.ts";
import type { Scope } from "../scope.ts";
import type { Micros } from "../time.ts";

export interface CollectedRegistryGarbage {
  readonly registeredModels: number;
  /** Of these models, and deleted by themselves. */
  readonly modelVersions: number;
}

/** Rows removed in one transaction: others write in between. */
const STEP = 100;

/**
 * Removes for good the registered models and versions that were deleted before a time, with their tags, gates, approvals and
 * promotions. The numbers of removed versions stay used. With `dryRun` it only counts.
 */
export async function collectRegistryGarbage(
  store: MetadataStore,
  { workspace, project }: Scope,
  deletedBefore: Micros,
  { dryRun }: { readonly dryRun: boolean },
): Promise<CollectedRegistryGarbage> {
  const models = await store.db
    .selectFrom("registered_models")
    .select("name")
    .where("workspace", "=", workspace)
    .where("project", "=", project)
    .where("lifecycle", "=", "deleted")
    .where("deleted_at", "<", deletedBefore)
    .orderBy("name")
    .execute();
  const versions = await store.db
    .selectFrom("model_versions")
    .select(["model", "version"])
    .where("workspace", "=", workspace)
    .where("project", "=", project)
    .where("lifecycle", "=", "deleted")
    .where("deleted_at", "<", deletedBefore)
    .orderBy("model")
    .orderBy("version")
    .execute();
  if (dryRun) return { registeredModels: models.length, modelVersions: versions.length };
  let modelVersions = 0;
  for (let start = 0; start < versions.length; start += STEP)
    await store.transaction(async (db) => {
      for (const { model, version } of versions.slice(start, start + STEP)) {
        const removed = await db
          .deleteFrom("model_versions")
          .where("workspace", "=", workspace)
          .where("project", "=", project)
          .where("model", "=", model)
          .where("version", "=", version)
          // Restored since it was listed: then it stays.
          .where("lifecycle", "=", "deleted")
          .where("deleted_at", "<", deletedBefore)
          .executeTakeFirst();
        modelVersions += Number(removed.numDeletedRows);
      }
    });
  let registeredModels = 0;
  for (let start = 0; start < models.length; start += STEP)
    await store.transaction(async (db) => {
      for (const { name } of models.slice(start, start + STEP)) {
        const removed = await db
          .deleteFrom("registered_models")
          .where("workspace", "=", workspace)
          .where("project", "=", project)
          .where("name", "=", name)
          .where("lifecycle", "=", "deleted")
          .where("deleted_at", "<", deletedBefore)
          .executeTakeFirst();
        registeredModels += Number(removed.numDeletedRows);
      }
    });
  return { registeredModels, modelVersions };
}
