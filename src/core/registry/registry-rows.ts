import type { Kysely } from "kysely";
import type { Database, MetadataStore, ModelVersionTable, RegisteredModelTable } from "../ports/index.ts";
import type { Scope } from "../scope.ts";
import { registryErrors } from "./errors.ts";
import type { ModelVersion, RegisteredModel } from "./interfaces.ts";
import { isStorable } from "./names.ts";

/** Of how many at once tags and aliases are read: a condition of more terms is too deep for SQLite. */
const CHUNK = 200;

/** Reads of one project's registry that its parts share: in a transaction they are given its `db`. */
export type RegistryRows = ReturnType<typeof registryRows>;

export function registryRows(store: MetadataStore, { workspace, project }: Scope) {
  const models = (db: Kysely<Database> = store.db) =>
    db.selectFrom("registered_models").selectAll().where("workspace", "=", workspace).where("project", "=", project);
  const versions = (db: Kysely<Database> = store.db) =>
    db.selectFrom("model_versions").selectAll().where("workspace", "=", workspace).where("project", "=", project);
  const aliases = (db: Kysely<Database> = store.db) =>
    db
      .selectFrom("model_aliases")
      .select(["model", "alias", "version"])
      .where("workspace", "=", workspace)
      .where("project", "=", project);

  /** @throws REGISTRY_MODEL_UNKNOWN */
  const activeModel = async (name: string, db?: Kysely<Database>): Promise<RegisteredModelTable> => {
    const row = isStorable(name)
      ? await models(db).where("name", "=", name).where("lifecycle", "=", "active").executeTakeFirst()
      : undefined;
    if (row === undefined)
      throw registryErrors.REGISTRY_MODEL_UNKNOWN(`There is no registered model ${name}`, { details: { model: name } });
    return row;
  };

  /** Of any lifecycle; undefined where there is none. */
  const anyVersion = async (model: string, version: number, db?: Kysely<Database>) =>
    isStorable(model) && Number.isSafeInteger(version) && version > 0
      ? versions(db).where("model", "=", model).where("version", "=", version).executeTakeFirst()
      : undefined;

  /** @throws REGISTRY_VERSION_UNKNOWN */
  const activeVersion = async (model: string, version: number, db?: Kysely<Database>): Promise<ModelVersionTable> => {
    const row = await anyVersion(model, version, db);
    if (row === undefined || row.lifecycle === "deleted")
      throw registryErrors.REGISTRY_VERSION_UNKNOWN(`There is no version ${version} of ${model}`, {
        details: { model, version },
      });
    return row;
  };

  const readModels = async (
    rows: readonly RegisteredModelTable[],
    db: Kysely<Database> = store.db,
  ): Promise<RegisteredModel[]> => {
    const read: RegisteredModel[] = [];
    for (const chunk of chunksOf(rows)) {
      const names = chunk.map(({ name }) => name);
      const tagRows = await db
        .selectFrom("registered_model_tags")
        .select(["model", "key", "value"])
        .where("workspace", "=", workspace)
        .where("project", "=", project)
        .where("model", "in", names)
        .orderBy("key")
        .execute();
      const aliasRows = await aliases(db).where("model", "in", names).orderBy("alias").execute();
      const tagsOf = Map.groupBy(tagRows, ({ model }) => model);
      const aliasesOf = Map.groupBy(aliasRows, ({ model }) => model);
      for (const row of chunk)
        read.push({
          name: row.deleted_name ?? row.name,
          description: row.description,
          createdAt: row.created_at,
          updatedAt: row.updated_at,
          tags: tagRecord(tagsOf.get(row.name)),
          aliases: Object.fromEntries((aliasesOf.get(row.name) ?? []).map(({ alias, version }) => [alias, version])),
        });
    }
    return read;
  };

  const readVersions = async (rows: readonly ModelVersionTable[], db: Kysely<Database> = store.db): Promise<ModelVersion[]> => {
    const read: ModelVersion[] = [];
    for (const chunk of chunksOf(rows)) {
      const numbers = [...Map.groupBy(chunk, ({ model }) => model)].map(
        ([model, of]) => [model, of.map(({ version }) => version)] as const,
      );
      const tagRows = await db
        .selectFrom("model_version_tags")
        .select(["model", "version", "key", "value"])
        .where("workspace", "=", workspace)
        .where("project", "=", project)
        .where(({ eb, or, and }) => or(numbers.map(([model, of]) => and([eb("model", "=", model), eb("version", "in", of)]))))
        .orderBy("key")
        .execute();
      const aliasRows = await aliases(db)
        .where(({ eb, or, and }) => or(numbers.map(([model, of]) => and([eb("model", "=", model), eb("version", "in", of)]))))
        .orderBy("alias")
        .execute();
      const keyOf = ({ model, version }: { model: string; version: number }) => `${version}/${model}`;
      const tagsOf = Map.groupBy(tagRows, keyOf);
      const aliasesOf = Map.groupBy(aliasRows, keyOf);
      for (const row of chunk)
        read.push({
          model: row.model,
          version: row.version,
          aliases: (aliasesOf.get(keyOf(row)) ?? []).map(({ alias }) => alias),
          tags: tagRecord(tagsOf.get(keyOf(row))),
          runId: row.run_id,
          artifact: row.artifact,
          source: row.source,
          location: row.location ?? row.source,
          runLink: row.run_link,
          modelId: row.model_id,
          status: row.status,
          statusMessage: row.status_message,
          stage: row.stage,
          createdAt: row.created_at,
          updatedAt: row.updated_at,
          actor: row.actor,
          description: row.description,
        });
    }
    return read;
  };

  return {
    models,
    versions,
    aliases,
    activeModel,
    anyVersion,
    activeVersion,
    readModels,
    readVersions,
    async readModel(row: RegisteredModelTable, db?: Kysely<Database>): Promise<RegisteredModel> {
      const [model] = await readModels([row], db);
      if (model === undefined) throw new TypeError("One row is one model");
      return model;
    },
    async readVersion(row: ModelVersionTable, db?: Kysely<Database>): Promise<ModelVersion> {
      const [version] = await readVersions([row], db);
      if (version === undefined) throw new TypeError("One row is one version");
      return version;
    },
  };
}

/** In parts that one condition can name. */
export function* chunksOf<Row>(rows: readonly Row[]): Generator<readonly Row[]> {
  for (let start = 0; start < rows.length; start += CHUNK) yield rows.slice(start, start + CHUNK);
}

const tagRecord = (rows: readonly { key: string; value: string }[] | undefined): Record<string, string> =>
  Object.fromEntries((rows ?? []).map(({ key, value }) => [key, value]));
