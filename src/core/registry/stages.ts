import type { Kysely } from "kysely";
import type { Clock, Database, MetadataStore } from "../ports/index.ts";
import type { Actor, Scope } from "../scope.ts";
import { actorText, sortableId } from "../tracking/index.ts";
import { registryErrors } from "./errors.ts";
import type { ModelVersions, Stage } from "./interfaces.ts";
import type { RegistryRows } from "./registry-rows.ts";

/** What clients had before there were aliases. */
export function stages(
  store: MetadataStore,
  clock: Clock,
  scope: Scope,
  rows: RegistryRows,
): Pick<ModelVersions, "setStage" | "latestByStage"> {
  const { workspace, project } = scope;
  return {
    async setStage(model, version, stage, archiveOthers, actor) {
      if (archiveOthers && stage !== "Staging" && stage !== "Production")
        throw registryErrors.REGISTRY_STAGE_INVALID(`No version can be archived for another that goes to ${stage}`);
      return store.transaction(async (db) => {
        const before = await rows.activeVersion(model, version, db);
        const others = archiveOthers
          ? await rows
              .versions(db)
              .where("model", "=", model)
              .where("stage", "=", stage)
              .where("lifecycle", "=", "active")
              .where("version", "!=", version)
              .execute()
          : [];
        const now = clock.now();
        const moves = [...others.map((row) => ({ row, to: "Archived" as const })), { row: before, to: stage }];
        for (const { row, to } of moves) {
          await db
            .updateTable("model_versions")
            .set({ stage: to, updated_at: now })
            .where("workspace", "=", workspace)
            .where("project", "=", project)
            .where("model", "=", model)
            .where("version", "=", row.version)
            .execute();
          await recordTransition(db, clock, scope, { model, version: row.version, from: row.stage, to, actor });
        }
        await db
          .updateTable("registered_models")
          .set({ updated_at: now })
          .where("workspace", "=", workspace)
          .where("project", "=", project)
          .where("name", "=", model)
          .execute();
        return rows.readVersion(await rows.activeVersion(model, version, db), db);
      });
    },

    async latestByStage(model, wanted) {
      await rows.activeModel(model);
      const active = rows.versions().where("model", "=", model).where("lifecycle", "=", "active");
      const newest = await active
        .clearSelect()
        .select((each) => ["stage", each.fn.max("version").as("version")])
        .groupBy("stage")
        .execute();
      const numbers = newest
        .filter(({ stage }) => wanted === undefined || wanted.length === 0 || wanted.includes(stage))
        .map(({ version }) => version);
      if (numbers.length === 0) return [];
      return rows.readVersions(await active.where("version", "in", numbers).orderBy("version").execute());
    },
  };
}

async function recordTransition(
  db: Kysely<Database>,
  clock: Clock,
  { workspace, project }: Scope,
  transition: { model: string; version: number; from: Stage; to: Stage; actor: Actor },
): Promise<void> {
  const { model, version, from, to, actor } = transition;
  await db
    .insertInto("audit")
    .values({
      workspace,
      project,
      id: sortableId("audit", clock),
      at: clock.now(),
      actor: actorText(actor),
      action: "models.setStage",
      target: `${model}@${version}`,
      details: JSON.stringify({ from, to }),
    })
    .execute();
}
