import type { Kysely } from "kysely";
import type { Clock, Database, MetadataStore, ModelVersionTable } from "../ports/index.ts";
import type { Actor, Scope } from "../scope.ts";
import type { Micros } from "../time.ts";
import { actorText } from "../tracking/index.ts";
import { registryErrors } from "./errors.ts";

export interface ModelVersion {
  readonly model: string;
  readonly version: number;
  readonly aliases: readonly string[];
  readonly runId: string;
  /** sha256 of the packaged model. */
  readonly artifact: string;
  readonly createdAt: Micros;
  readonly actor: string;
  readonly description: string;
}

export interface RegisteredModel {
  readonly name: string;
  readonly createdAt: Micros;
  /** Version by alias. */
  readonly aliases: Readonly<Record<string, number>>;
}

export interface Versions {
  /**
   * The model's next version number, from 1. The same run and artifact again is the same version, so that a repeated call adds none.
   * @throws REGISTRY_NAME_INVALID
   */
  register(
    model: string,
    version: { readonly runId: string; readonly artifact: string; readonly description?: string },
    actor: Actor,
  ): Promise<number>;
  /** By name. */
  models(): Promise<RegisteredModel[]>;
  /** @throws REGISTRY_MODEL_UNKNOWN */
  model(name: string): Promise<RegisteredModel>;
  /** Newest first; empty for a model that is not there. */
  versions(model: string): Promise<ModelVersion[]>;
  /** @throws REGISTRY_VERSION_UNKNOWN */
  version(model: string, version: number): Promise<ModelVersion>;
  /** Version by alias. */
  aliases(model: string): Promise<Readonly<Record<string, number>>>;
  /** The version an alias points at, null when it points at none. */
  byAlias(model: string, alias: string): Promise<ModelVersion | null>;
}

/** @throws REGISTRY_NAME_INVALID */
export function checkRegistryName(name: string): void {
  if (!/^[A-Za-z][A-Za-z0-9._-]{0,99}$/.test(name))
    throw registryErrors.REGISTRY_NAME_INVALID(`"${name.slice(0, 100)}" is not a name of a model or an alias`);
}

export function versionRecords(store: MetadataStore, clock: Clock, { workspace, project }: Scope): Versions {
  const scoped = (db: Kysely<Database>, model: string) =>
    db
      .selectFrom("model_versions")
      .selectAll()
      .where("workspace", "=", workspace)
      .where("project", "=", project)
      .where("model", "=", model);
  const aliasRows = () =>
    store.db
      .selectFrom("model_aliases")
      .select(["model", "alias", "version"])
      .where("workspace", "=", workspace)
      .where("project", "=", project)
      .orderBy("alias");
  const read = (row: ModelVersionTable, aliases: readonly { alias: string; version: number }[]): ModelVersion => ({
    model: row.model,
    version: row.version,
    aliases: aliases.filter(({ version }) => version === row.version).map(({ alias }) => alias),
    runId: row.run_id,
    artifact: row.artifact,
    createdAt: row.created_at,
    actor: row.actor,
    description: row.description,
  });
  const toRecord = (rows: readonly { alias: string; version: number }[]) =>
    Object.fromEntries(rows.map(({ alias, version }) => [alias, version]));

  const records: Versions = {
    async register(model, { runId, artifact, description = "" }, actor) {
      checkRegistryName(model);
      return store.transaction(async (db) => {
        const known = await scoped(db, model).where("run_id", "=", runId).where("artifact", "=", artifact).executeTakeFirst();
        if (known !== undefined) return known.version;
        const now = clock.now();
        await db
          .insertInto("registered_models")
          .values({ workspace, project, name: model, created_at: now })
          .onConflict((conflict) => conflict.columns(["workspace", "project", "name"]).doNothing())
          .execute();
        const last = await scoped(db, model).orderBy("version", "desc").limit(1).executeTakeFirst();
        const version = (last?.version ?? 0) + 1;
        await db
          .insertInto("model_versions")
          .values({
            workspace,
            project,
            model,
            version,
            run_id: runId,
            artifact,
            created_at: now,
            actor: actorText(actor),
            description,
          })
          .execute();
        return version;
      });
    },
    async models() {
      const rows = await store.db
        .selectFrom("registered_models")
        .select(["name", "created_at as createdAt"])
        .where("workspace", "=", workspace)
        .where("project", "=", project)
        .orderBy("name")
        .execute();
      const aliases = Map.groupBy(await aliasRows().execute(), ({ model }) => model);
      return rows.map((row) => ({ ...row, aliases: toRecord(aliases.get(row.name) ?? []) }));
    },
    async model(name) {
      const found = (await records.models()).find((each) => each.name === name);
      if (found === undefined) throw registryErrors.REGISTRY_MODEL_UNKNOWN(`There is no registered model ${name}`);
      return found;
    },
    async versions(model) {
      const aliases = await aliasRows().where("model", "=", model).execute();
      const rows = await scoped(store.db, model).orderBy("version", "desc").execute();
      return rows.map((row) => read(row, aliases));
    },
    async version(model, version) {
      const row = await scoped(store.db, model).where("version", "=", version).executeTakeFirst();
      if (row === undefined) throw registryErrors.REGISTRY_VERSION_UNKNOWN(`There is no version ${version} of ${model}`);
      return read(row, await aliasRows().where("model", "=", model).execute());
    },
    aliases: async (model) => toRecord(await aliasRows().where("model", "=", model).execute()),
    async byAlias(model, alias) {
      const version = (await records.aliases(model))[alias];
      return version === undefined ? null : records.version(model, version);
    },
  };
  return records;
}
