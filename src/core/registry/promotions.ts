import type { Kysely } from "kysely";
import type { Clock, Database, MetadataStore, PromotionTable } from "../ports/index.ts";
import type { Actor, Scope } from "../scope.ts";
import type { Micros } from "../time.ts";
import { actorText, sortableId } from "../tracking/index.ts";
import { registryErrors } from "./errors.ts";
import { checkRegistryName } from "./versions.ts";

/** One decision about an alias. "rejected" leaves the alias where it was. */
export interface Promotion {
  readonly id: string;
  readonly model: string;
  readonly alias: string;
  /** What the alias pointed at before; null for its first version. */
  readonly fromVersion: number | null;
  readonly toVersion: number;
  readonly decision: PromotionTable["decision"];
  readonly at: Micros;
  readonly actor: string;
  readonly reason: string;
  readonly gateId: string | null;
}

interface Decision {
  readonly model: string;
  readonly alias: string;
  readonly actor: Actor;
  readonly reason: string;
  /** The same key is one decision, however often it is sent. */
  readonly idempotencyKey: string;
}

export interface PromotionRequest extends Decision {
  readonly version: number;
  readonly gateId?: string | null;
}

export interface Promotions {
  /**
   * Points the alias at the version and records who, when, from, to and why, in one transaction; exactly once per key.
   * With a gate, the gate must be this version's, passed, and against the champion of now.
   * @throws REGISTRY_VERSION_UNKNOWN, REGISTRY_GATE_UNKNOWN, REGISTRY_GATE_NOT_PASSED, REGISTRY_GATE_STALE, REGISTRY_KEY_REUSED, REGISTRY_REASON_MISSING
   */
  promote(request: PromotionRequest): Promise<Promotion>;
  /** Promotes without a gate, under a key of its own; for aliases that answer no requests. */
  setAlias(request: Omit<PromotionRequest, "idempotencyKey" | "gateId">): Promise<Promotion>;
  /** Records that the version was considered for the alias and not taken. */
  reject(request: PromotionRequest): Promise<Promotion>;
  /** Points the alias at the version it had before the current one. @throws REGISTRY_ALIAS_UNKNOWN, REGISTRY_NOTHING_TO_ROLL_BACK */
  rollback(request: Decision): Promise<Promotion>;
  /** Newest first. */
  promotions(model: string): Promise<Promotion[]>;
}

const read = (row: PromotionTable): Promotion => ({
  id: row.id,
  model: row.model,
  alias: row.alias,
  fromVersion: row.from_version,
  toVersion: row.to_version,
  decision: row.decision,
  at: row.at,
  actor: row.actor,
  reason: row.reason,
  gateId: row.gate_id,
});

export function promotionRecords(store: MetadataStore, clock: Clock, scope: Scope): Promotions {
  const { workspace, project } = scope;

  const history = (db: Kysely<Database>, model: string) =>
    db
      .selectFrom("promotions")
      .selectAll()
      .where("workspace", "=", workspace)
      .where("project", "=", project)
      .where("model", "=", model)
      .orderBy("at")
      .orderBy("id");

  const current = async (db: Kysely<Database>, model: string, alias: string) =>
    (
      await db
        .selectFrom("model_aliases")
        .select("version")
        .where("workspace", "=", workspace)
        .where("project", "=", project)
        .where("model", "=", model)
        .where("alias", "=", alias)
        .executeTakeFirst()
    )?.version ?? null;

  /** Runs `choose` unless the key has decided before, records its choice, and moves the alias unless it was rejected. */
  const decide = async (
    request: Decision,
    decision: PromotionTable["decision"],
    choose: (db: Kysely<Database>, from: number | null) => Promise<{ version: number; gateId: string | null }>,
    /** Version the caller asked for; null where the registry finds it. */
    asked: number | null,
  ) => {
    const { model, alias, actor, reason, idempotencyKey } = request;
    checkRegistryName(alias);
    if (reason.trim() === "") throw registryErrors.REGISTRY_REASON_MISSING(`A decision about ${model}@${alias} has no reason`);
    return store.transaction(async (db): Promise<Promotion> => {
      const before = await db
        .selectFrom("promotions")
        .selectAll()
        .where("workspace", "=", workspace)
        .where("project", "=", project)
        .where("idempotency_key", "=", idempotencyKey)
        .executeTakeFirst();
      if (before !== undefined) {
        const same = before.model === model && before.alias === alias && before.decision === decision;
        if (same && (asked === null || before.to_version === asked)) return read(before);
        throw registryErrors.REGISTRY_KEY_REUSED(
          `The key ${idempotencyKey} has ${before.decision} version ${before.to_version} of ${before.model}@${before.alias} already`,
        );
      }
      const from = await current(db, model, alias);
      const { version, gateId } = await choose(db, from);
      const row: PromotionTable = {
        workspace,
        project,
        id: sortableId("promotion", clock),
        model,
        alias,
        from_version: from,
        to_version: version,
        decision,
        at: clock.now(),
        actor: actorText(actor),
        reason,
        gate_id: gateId,
        idempotency_key: idempotencyKey,
      };
      await db.insertInto("promotions").values(row).execute();
      if (decision !== "rejected") {
        await db
          .insertInto("model_aliases")
          .values({ workspace, project, model, alias, version, updated_at: row.at })
          .onConflict((conflict) =>
            conflict.columns(["workspace", "project", "model", "alias"]).doUpdateSet({ version, updated_at: row.at }),
          )
          .execute();
      }
      return read(row);
    });
  };

  const checkVersion = async (db: Kysely<Database>, model: string, version: number) => {
    const found = await db
      .selectFrom("model_versions")
      .select("version")
      .where("workspace", "=", workspace)
      .where("project", "=", project)
      .where("model", "=", model)
      .where("version", "=", version)
      .executeTakeFirst();
    if (found === undefined) throw registryErrors.REGISTRY_VERSION_UNKNOWN(`There is no version ${version} of ${model}`);
  };

  const gateOf = async (db: Kysely<Database>, { model, version }: PromotionRequest, gateId: string) => {
    const gate = await db
      .selectFrom("gates")
      .selectAll()
      .where("workspace", "=", workspace)
      .where("project", "=", project)
      .where("id", "=", gateId)
      .executeTakeFirst();
    if (gate === undefined || gate.model !== model || gate.version !== version)
      throw registryErrors.REGISTRY_GATE_UNKNOWN(`Version ${version} of ${model} has no gate ${gateId}`);
    return gate;
  };

  const records: Promotions = {
    promote: (request) =>
      decide(
        request,
        "promoted",
        async (db) => {
          const { model, version, gateId = null } = request;
          await checkVersion(db, model, version);
          if (gateId === null) return { version, gateId };
          const gate = await gateOf(db, request, gateId);
          if (gate.passed !== 1)
            throw registryErrors.REGISTRY_GATE_NOT_PASSED(`The gate of version ${version} of ${model} did not pass`);
          const champion = await current(db, model, "champion");
          if (champion !== gate.champion_version && champion !== version)
            throw registryErrors.REGISTRY_GATE_STALE(
              `Version ${version} of ${model} was compared with ${nameOf(gate.champion_version)}; the champion is ${nameOf(champion)}`,
            );
          return { version, gateId };
        },
        request.version,
      ),

    setAlias: (request) => records.promote({ ...request, idempotencyKey: sortableId("alias", clock) }),

    reject: (request) =>
      decide(
        request,
        "rejected",
        async (db) => {
          const { model, version, gateId = null } = request;
          await checkVersion(db, model, version);
          if (gateId !== null) await gateOf(db, request, gateId);
          return { version, gateId };
        },
        request.version,
      ),

    rollback: (request) =>
      decide(
        request,
        "rolled-back",
        async (db, from) => {
          const { model, alias } = request;
          if (from === null) throw registryErrors.REGISTRY_ALIAS_UNKNOWN(`${model} has no alias ${alias}`);
          const version = previousVersion((await history(db, model).execute()).filter((row) => row.alias === alias));
          if (version === null)
            throw registryErrors.REGISTRY_NOTHING_TO_ROLL_BACK(`${model}@${alias} has had version ${from} only`);
          return { version, gateId: null };
        },
        null,
      ),

    promotions: async (model) => (await history(store.db, model).execute()).map(read).reverse(),
  };
  return records;
}

const nameOf = (version: number | null) => (version === null ? "none" : `version ${version}`);

/** The version under the current one: promotions stack up, a rollback takes the top off, so that a second one goes further back. */
function previousVersion(decisions: readonly PromotionTable[]): number | null {
  const stack: number[] = [];
  for (const { decision, to_version } of decisions) {
    if (decision === "promoted" && stack.at(-1) !== to_version) stack.push(to_version);
    if (decision === "rolled-back") stack.pop();
  }
  return stack.at(-2) ?? null;
}
