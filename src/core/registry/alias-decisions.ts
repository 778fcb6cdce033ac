import type { Kysely } from "kysely";
import type { Clock, Database, PromotionTable } from "../ports/index.ts";
import type { Actor, Scope } from "../scope.ts";
import { actorText, sortableId } from "../tracking/index.ts";

/** What the alias points at; null when at nothing. */
export async function currentVersion(
  db: Kysely<Database>,
  { workspace, project }: Scope,
  model: string,
  alias: string,
): Promise<number | null> {
  const row = await db
    .selectFrom("model_aliases")
    .select("version")
    .where("workspace", "=", workspace)
    .where("project", "=", project)
    .where("model", "=", model)
    .where("alias", "=", alias)
    .executeTakeFirst();
  return row?.version ?? null;
}

/** Writes the decision down and does to the alias what it says: the only place that moves or removes one. */
export async function recordDecision(
  db: Kysely<Database>,
  clock: Clock,
  { workspace, project }: Scope,
  made: Pick<PromotionTable, "model" | "alias" | "from_version" | "to_version" | "decision" | "reason" | "gate_id"> & {
    readonly actor: Actor;
    readonly idempotencyKey: string;
  },
): Promise<PromotionTable> {
  const { actor, idempotencyKey, ...decision } = made;
  const row: PromotionTable = {
    workspace,
    project,
    id: sortableId("promotion", clock),
    ...decision,
    at: clock.now(),
    actor: actorText(actor),
    idempotency_key: idempotencyKey,
  };
  await db.insertInto("promotions").values(row).execute();
  const { model, alias, to_version: version, at } = row;
  if (row.decision === "removed")
    await db
      .deleteFrom("model_aliases")
      .where("workspace", "=", workspace)
      .where("project", "=", project)
      .where("model", "=", model)
      .where("alias", "=", alias)
      .execute();
  else if (row.decision !== "rejected")
    await db
      .insertInto("model_aliases")
      .values({ workspace, project, model, alias, version, updated_at: at })
      .onConflict((conflict) =>
        conflict.columns(["workspace", "project", "model", "alias"]).doUpdateSet({ version, updated_at: at }),
      )
      .execute();
  return row;
}

/** Of a version that goes; each removal is a decision of its history. */
export async function removeAliasesOf(
  db: Kysely<Database>,
  clock: Clock,
  scope: Scope,
  { model, version, actor }: { readonly model: string; readonly version: number; readonly actor: Actor },
): Promise<void> {
  const pointing = await db
    .selectFrom("model_aliases")
    .select("alias")
    .where("workspace", "=", scope.workspace)
    .where("project", "=", scope.project)
    .where("model", "=", model)
    .where("version", "=", version)
    .orderBy("alias")
    .execute();
  for (const { alias } of pointing)
    await recordDecision(db, clock, scope, {
      model,
      alias,
      from_version: version,
      to_version: version,
      decision: "removed",
      reason: `version ${version} was deleted`,
      gate_id: null,
      actor,
      idempotencyKey: sortableId("removed", clock),
    });
}
