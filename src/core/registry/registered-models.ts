import type { Kysely } from "kysely";
import type { Clock, Database, MetadataStore } from "../ports/index.ts";
import type { Scope } from "../scope.ts";
import { sortableId } from "../tracking/index.ts";
import { registryErrors } from "./errors.ts";
import type { RegisteredModels } from "./interfaces.ts";
import { checkModelName, checkTag, checkTagKey, checkText, isStorable } from "./names.ts";
import type { RegistryRows } from "./registry-rows.ts";

export function registeredModels(store: MetadataStore, clock: Clock, scope: Scope, rows: RegistryRows): RegisteredModels {
  const { workspace, project } = scope;

  const checkFree = async (name: string, db: Kysely<Database>) => {
    const taken = await rows.models(db).where("name", "=", name).executeTakeFirst();
    if (taken !== undefined)
      throw registryErrors.REGISTRY_MODEL_EXISTS(`There is a registered model ${name} already`, { details: { model: name } });
  };
  const update = (db: Kysely<Database>, name: string) =>
    db
      .updateTable("registered_models")
      .where("workspace", "=", workspace)
      .where("project", "=", project)
      .where("name", "=", name);
  const updateVersions = (db: Kysely<Database>, model: string) =>
    db.updateTable("model_versions").where("workspace", "=", workspace).where("project", "=", project).where("model", "=", model);

  return {
    async createModel({ name, description = "", tags = {} }) {
      checkModelName(name);
      checkText(description, "description");
      for (const [key, value] of Object.entries(tags)) checkTag(key, value);
      return store.transaction(async (db) => {
        await checkFree(name, db);
        await insertModel(db, scope, name, clock.now(), description);
        const tagRows = Object.entries(tags).map(([key, value]) => ({ workspace, project, model: name, key, value }));
        if (tagRows.length > 0) await store.insertMany(db, "registered_model_tags", tagRows);
        return rows.readModel(await rows.activeModel(name, db), db);
      });
    },

    models: async () => rows.readModels(await rows.models().where("lifecycle", "=", "active").orderBy("name").execute()),

    model: async (name) => rows.readModel(await rows.activeModel(name)),

    async renameModel(name, to) {
      checkModelName(to);
      return store.transaction(async (db) => {
        await rows.activeModel(name, db);
        await checkFree(to, db);
        const now = clock.now();
        // Versions, tags, aliases, gates, approvals and promotions follow by their foreign keys.
        await update(db, name).set({ name: to, updated_at: now }).execute();
        await updateVersions(db, to).set({ updated_at: now }).where("lifecycle", "=", "active").execute();
        return rows.readModel(await rows.activeModel(to, db), db);
      });
    },

    async describeModel(name, description) {
      checkText(description, "description");
      return store.transaction(async (db) => {
        await rows.activeModel(name, db);
        await update(db, name).set({ description, updated_at: clock.now() }).execute();
        return rows.readModel(await rows.activeModel(name, db), db);
      });
    },

    async deleteModel(name) {
      await store.transaction(async (db) => {
        await rows.activeModel(name, db);
        const last = await rows
          .versions(db)
          .where("model", "=", name)
          .where("deleted_at", "is not", null)
          .orderBy("deleted_at", "desc")
          .limit(1)
          .executeTakeFirst();
        // Later than any version of its own was deleted: restoring tells by the time which went with the model.
        const at = Math.max(clock.now(), (last?.deleted_at ?? 0) + 1);
        await updateVersions(db, name).set({ lifecycle: "deleted", deleted_at: at }).where("lifecycle", "=", "active").execute();
        await update(db, name)
          // No model can be called so, because of the colon.
          .set({ name: `deleted:${sortableId("model", clock)}`, deleted_name: name, lifecycle: "deleted", deleted_at: at })
          .execute();
      });
    },

    async restoreModel(name) {
      return store.transaction(async (db) => {
        const deleted = isStorable(name)
          ? await rows
              .models(db)
              .where("deleted_name", "=", name)
              .where("lifecycle", "=", "deleted")
              .orderBy("deleted_at", "desc")
              .orderBy("name", "desc")
              .limit(1)
              .executeTakeFirst()
          : undefined;
        if (deleted === undefined)
          throw registryErrors.REGISTRY_MODEL_UNKNOWN(`There is no deleted registered model ${name}`, {
            details: { model: name },
          });
        await checkFree(name, db);
        await update(db, deleted.name)
          .set({ name, deleted_name: null, lifecycle: "active", deleted_at: null, updated_at: clock.now() })
          .execute();
        await updateVersions(db, name)
          .set({ lifecycle: "active", deleted_at: null })
          .where("deleted_at", "=", deleted.deleted_at)
          .execute();
        return rows.readModel(await rows.activeModel(name, db), db);
      });
    },

    async setModelTag(name, key, value) {
      checkTag(key, value);
      await store.transaction(async (db) => {
        await rows.activeModel(name, db);
        await db
          .insertInto("registered_model_tags")
          .values({ workspace, project, model: name, key, value })
          .onConflict((conflict) => conflict.columns(["workspace", "project", "model", "key"]).doUpdateSet({ value }))
          .execute();
      });
    },

    async deleteModelTag(name, key) {
      checkTagKey(key);
      await store.transaction(async (db) => {
        await rows.activeModel(name, db);
        await db
          .deleteFrom("registered_model_tags")
          .where("workspace", "=", workspace)
          .where("project", "=", project)
          .where("model", "=", name)
          .where("key", "=", key)
          .execute();
      });
    },
  };
}

/** A model without versions; the caller has looked whether its name is free. */
export async function insertModel(
  db: Kysely<Database>,
  { workspace, project }: Scope,
  name: string,
  now: number,
  description = "",
): Promise<void> {
  await db
    .insertInto("registered_models")
    .values({
      workspace,
      project,
      name,
      description,
      lifecycle: "active",
      deleted_at: null,
      deleted_name: null,
      last_version: 0,
      created_at: now,
      updated_at: now,
    })
    .execute();
}
