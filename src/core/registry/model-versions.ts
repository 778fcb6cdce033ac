import type { Kysely } from "kysely";
import type { Clock, Database, MetadataStore } from "../ports/index.ts";
import type { Actor, Scope } from "../scope.ts";
import { actorText } from "../tracking/index.ts";
import { removeAliasesOf } from "./alias-decisions.ts";
import { registryErrors } from "./errors.ts";
import type { ModelVersions, NewVersion } from "./interfaces.ts";
import { checkModelName, checkTag, checkTagKey, checkText, isStorable } from "./names.ts";
import { insertModel } from "./registered-models.ts";
import type { RegistryRows } from "./registry-rows.ts";
import { resolveSource } from "./resolve-source.ts";
import { stages } from "./stages.ts";

export function modelVersions(store: MetadataStore, clock: Clock, scope: Scope, rows: RegistryRows): ModelVersions {
  const { workspace, project } = scope;

  const update = (db: Kysely<Database>, model: string, version: number) =>
    db
      .updateTable("model_versions")
      .where("workspace", "=", workspace)
      .where("project", "=", project)
      .where("model", "=", model)
      .where("version", "=", version);
  const touchModel = (db: Kysely<Database>, model: string) =>
    db
      .updateTable("registered_models")
      .set({ updated_at: clock.now() })
      .where("workspace", "=", workspace)
      .where("project", "=", project)
      .where("name", "=", model)
      .execute();

  const checkNew = ({ description, runLink, tags }: NewVersion) => {
    checkText(description ?? "", "description");
    checkText(runLink ?? "", "run link");
    for (const [key, value] of Object.entries(tags ?? {})) checkTag(key, value);
  };

  /** The model is there. */
  const add = async (db: Kysely<Database>, model: string, given: NewVersion, actor: Actor): Promise<number> => {
    const origin = await resolveSource(db, scope, rows, given);
    const now = clock.now();
    const version = (await rows.activeModel(model, db)).last_version + 1;
    await db
      .updateTable("registered_models")
      .set({ last_version: version, updated_at: now })
      .where("workspace", "=", workspace)
      .where("project", "=", project)
      .where("name", "=", model)
      .execute();
    await db
      .insertInto("model_versions")
      .values({
        workspace,
        project,
        model,
        version,
        run_id: origin.runId,
        artifact: given.artifact ?? null,
        source: origin.source,
        location: origin.location,
        run_link: given.runLink ?? null,
        model_id: origin.modelId,
        status: "ready",
        status_message: null,
        stage: "None",
        lifecycle: "active",
        deleted_at: null,
        created_at: now,
        updated_at: now,
        actor: actorText(actor),
        description: given.description ?? "",
      })
      .execute();
    const tagRows = Object.entries(given.tags ?? {}).map(([key, value]) => ({ workspace, project, model, version, key, value }));
    if (tagRows.length > 0) await store.insertMany(db, "model_version_tags", tagRows);
    return version;
  };

  return {
    ...stages(store, clock, scope, rows),

    async register(model, given, actor) {
      checkModelName(model);
      checkNew(given);
      const { runId = null, artifact = null } = given;
      return store.transaction(async (db) => {
        if (runId !== null && artifact !== null) {
          const known = await rows
            .versions(db)
            .where("model", "=", model)
            .where("run_id", "=", runId)
            .where("artifact", "=", artifact)
            .where("lifecycle", "=", "active")
            .executeTakeFirst();
          if (known !== undefined) return known.version;
        }
        const there = await rows.models(db).where("name", "=", model).executeTakeFirst();
        if (there === undefined) await insertModel(db, scope, model, clock.now());
        return add(db, model, given, actor);
      });
    },

    async createVersion(model, given, actor) {
      checkNew(given);
      return store.transaction(async (db) => {
        await rows.activeModel(model, db);
        const version = await add(db, model, given, actor);
        return rows.readVersion(await rows.activeVersion(model, version, db), db);
      });
    },

    async versions(model) {
      if (!isStorable(model)) return [];
      return rows.readVersions(
        await rows.versions().where("model", "=", model).where("lifecycle", "=", "active").orderBy("version", "desc").execute(),
      );
    },

    version: async (model, version) => rows.readVersion(await rows.activeVersion(model, version)),

    async describeVersion(model, version, description) {
      checkText(description, "description");
      return store.transaction(async (db) => {
        await rows.activeVersion(model, version, db);
        await update(db, model, version).set({ description, updated_at: clock.now() }).execute();
        return rows.readVersion(await rows.activeVersion(model, version, db), db);
      });
    },

    async deleteVersion(model, version, actor) {
      await store.transaction(async (db) => {
        await rows.activeVersion(model, version, db);
        await removeAliasesOf(db, clock, scope, { model, version, actor });
        await update(db, model, version).set({ lifecycle: "deleted", deleted_at: clock.now() }).execute();
        await touchModel(db, model);
      });
    },

    async restoreVersion(model, version) {
      return store.transaction(async (db) => {
        await rows.activeModel(model, db);
        const row = await rows.anyVersion(model, version, db);
        if (row === undefined)
          throw registryErrors.REGISTRY_VERSION_UNKNOWN(`There is no version ${version} of ${model}, deleted or not`, {
            details: { model, version },
          });
        if (row.lifecycle === "deleted") {
          await update(db, model, version).set({ lifecycle: "active", deleted_at: null, updated_at: clock.now() }).execute();
          await touchModel(db, model);
        }
        return rows.readVersion(await rows.activeVersion(model, version, db), db);
      });
    },

    async setVersionTag(model, version, key, value) {
      checkTag(key, value);
      await store.transaction(async (db) => {
        await rows.activeVersion(model, version, db);
        await db
          .insertInto("model_version_tags")
          .values({ workspace, project, model, version, key, value })
          .onConflict((conflict) => conflict.columns(["workspace", "project", "model", "version", "key"]).doUpdateSet({ value }))
          .execute();
      });
    },

    async deleteVersionTag(model, version, key) {
      checkTagKey(key);
      await store.transaction(async (db) => {
        await rows.activeVersion(model, version, db);
        await db
          .deleteFrom("model_version_tags")
          .where("workspace", "=", workspace)
          .where("project", "=", project)
          .where("model", "=", model)
          .where("version", "=", version)
          .where("key", "=", key)
          .execute();
      });
    },

    async aliases(model) {
      if (!isStorable(model)) return {};
      const found = await rows.aliases().where("model", "=", model).orderBy("alias").execute();
      return Object.fromEntries(found.map(({ alias, version }) => [alias, version]));
    },

    async byAlias(model, alias) {
      if (!isStorable(model) || !isStorable(alias)) return null;
      const active = rows.versions().where("model", "=", model).where("lifecycle", "=", "active");
      const row =
        alias.toLowerCase() === "latest"
          ? await active.orderBy("version", "desc").limit(1).executeTakeFirst()
          : await active
              .where("version", "=", (select) =>
                select
                  .selectFrom("model_aliases")
                  .select("version")
                  .where("workspace", "=", workspace)
                  .where("project", "=", project)
                  .where("model", "=", model)
                  .where("alias", "=", alias),
              )
              .executeTakeFirst();
      return row === undefined ? null : rows.readVersion(row);
    },
  };
}
