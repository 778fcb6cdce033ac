import type { Kysely } from "kysely";
import type { Clock, Database, MetadataStore, PromotionTable } from "../ports/index.ts";
import type { Actor, Scope } from "../scope.ts";
import type { Micros } from "../time.ts";
import { sortableId } from "../tracking/index.ts";
import { currentVersion, recordDecision } from "./alias-decisions.ts";
import { readApprovals } from "./approvals.ts";
import { registryErrors } from "./errors.ts";
import { readGate } from "./gates.ts";
import { checkAlias, checkText, isStorable } from "./names.ts";
import type { RegistryRows } from "./registry-rows.ts";

/** One decision about an alias. "rejected" leaves the alias where it was; "removed" takes it away. */
export interface Promotion {
  readonly id: string;
  readonly model: string;
  readonly alias: string;
  /** What the alias pointed at before; null for its first version. */
  readonly fromVersion: number | null;
  /** For "removed" what it pointed at. */
  readonly toVersion: number;
  readonly decision: PromotionTable["decision"];
  readonly at: Micros;
  readonly actor: string;
  readonly reason: string;
  readonly gateId: string | null;
}

export interface AliasDecision {
  readonly model: string;
  readonly alias: string;
  readonly actor: Actor;
  readonly reason: string;
  /** The same key is one decision, however often it is sent. */
  readonly idempotencyKey: string;
}

export interface PromotionRequest extends AliasDecision {
  readonly version: number;
  readonly gateId?: string | null;
}

export interface Promotions {
  /**
   * Points the alias at the version and records who, when, from, to and why, in one transaction; exactly once per key.
   * With a gate, the gate must be this version's, passed, and against the champion of now. With or without one: where a gate of the
   * version asks for approvals, they must be there.
   * @throws REGISTRY_VERSION_UNKNOWN, REGISTRY_ALIAS_INVALID, REGISTRY_GATE_UNKNOWN, REGISTRY_GATE_NOT_PASSED, REGISTRY_GATE_STALE,
   * REGISTRY_APPROVAL_MISSING, REGISTRY_APPROVAL_DECLINED, REGISTRY_KEY_REUSED, REGISTRY_REASON_MISSING
   */
  promote(request: PromotionRequest): Promise<Promotion>;
  /** Promotes without a gate or approval, under a key of its own; for aliases that answer no requests. */
  setAlias(request: Omit<PromotionRequest, "idempotencyKey" | "gateId">): Promise<Promotion>;
  /** Takes the alias away; null when it pointed at nothing. @throws REGISTRY_MODEL_UNKNOWN, REGISTRY_ALIAS_INVALID, REGISTRY_REASON_MISSING */
  deleteAlias(request: Omit<AliasDecision, "idempotencyKey">): Promise<Promotion | null>;
  /** Records that the version was considered for the alias and not taken. */
  reject(request: PromotionRequest): Promise<Promotion>;
  /** Points the alias at the version it had before the current one. @throws REGISTRY_ALIAS_UNKNOWN, REGISTRY_NOTHING_TO_ROLL_BACK */
  rollback(request: AliasDecision): Promise<Promotion>;
  /** The version that `rollback` would point the alias at, or has under this key; null where it would refuse. */
  rollbackTarget(request: Pick<AliasDecision, "model" | "alias" | "idempotencyKey">): Promise<number | null>;
  /** Newest first. */
  promotions(model: string): Promise<readonly Promotion[]>;
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

export function promotionRecords(store: MetadataStore, clock: Clock, scope: Scope, rows: RegistryRows): Promotions {
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

  const decidedBefore = (db: Kysely<Database>, idempotencyKey: string) =>
    db
      .selectFrom("promotions")
      .selectAll()
      .where("workspace", "=", workspace)
      .where("project", "=", project)
      .where("idempotency_key", "=", idempotencyKey)
      .executeTakeFirst();

  const versionBefore = async (db: Kysely<Database>, model: string, alias: string) => {
    const there = await rows.versions(db).where("model", "=", model).where("lifecycle", "=", "active").execute();
    return previousVersion(
      (await history(db, model).execute()).filter((row) => row.alias === alias),
      new Set(there.map((each) => each.version)),
    );
  };

  const checkRequest = ({ model, alias, reason }: Pick<AliasDecision, "model" | "alias" | "reason">) => {
    checkAlias(alias);
    checkText(reason, "reason");
    if (reason.trim() === "") throw registryErrors.REGISTRY_REASON_MISSING(`A decision about ${model}@${alias} has no reason`);
  };

  /** Runs `choose` unless the key has decided before, records its choice, and moves the alias unless it was rejected. */
  const decide = async (
    request: AliasDecision,
    decision: PromotionTable["decision"],
    choose: (db: Kysely<Database>, from: number | null) => Promise<{ version: number; gateId: string | null }>,
    /** Version the caller asked for; null where the registry finds it. */
    asked: number | null,
  ) => {
    const { model, alias, actor, reason, idempotencyKey } = request;
    checkRequest(request);
    checkText(idempotencyKey, "idempotency key");
    return store.transaction(async (db): Promise<Promotion> => {
      const before = await decidedBefore(db, idempotencyKey);
      if (before !== undefined) {
        const same = before.model === model && before.alias === alias && before.decision === decision;
        if (same && (asked === null || before.to_version === asked)) return read(before);
        throw registryErrors.REGISTRY_KEY_REUSED(
          `The key ${idempotencyKey} has ${before.decision} version ${before.to_version} of ${before.model}@${before.alias} already`,
        );
      }
      if (asked !== null) await rows.activeVersion(model, asked, db);
      const from = isStorable(model) ? await currentVersion(db, scope, model, alias) : null;
      const { version, gateId } = await choose(db, from);
      return read(
        await recordDecision(db, clock, scope, {
          model,
          alias,
          from_version: from,
          to_version: version,
          decision,
          reason,
          gate_id: gateId,
          actor,
          idempotencyKey,
        }),
      );
    });
  };

  const gatesOf = async (db: Kysely<Database>, { model, version }: PromotionRequest) => {
    const found = await db
      .selectFrom("gates")
      .selectAll()
      .where("workspace", "=", workspace)
      .where("project", "=", project)
      .where("model", "=", model)
      .where("version", "=", version)
      .orderBy("opened_at", "desc")
      .execute();
    const approvals = await readApprovals(db, scope, model, version);
    return found.map((row) => readGate(row, approvals));
  };

  const gateOf = async (db: Kysely<Database>, request: PromotionRequest, gateId: string) => {
    const gate = (await gatesOf(db, request)).find(({ id }) => id === gateId);
    if (gate === undefined)
      throw registryErrors.REGISTRY_GATE_UNKNOWN(`Version ${request.version} of ${request.model} has no gate ${gateId}`);
    return gate;
  };

  /** Whichever gate asked for them: who leaves the gate out does not get past people. */
  const checkApprovals = async (db: Kysely<Database>, request: PromotionRequest) => {
    const { model, version } = request;
    const asked = (await gatesOf(db, request))
      .flatMap(({ verdicts }) => verdicts)
      .filter(({ criterion }) => criterion.kind === "approval");
    const declined = asked.find(({ passed }) => passed === false);
    if (declined !== undefined)
      throw registryErrors.REGISTRY_APPROVAL_DECLINED(`Version ${version} of ${model} was ${declined.detail}`);
    const missing = asked.find(({ passed }) => passed === null);
    if (missing !== undefined)
      throw registryErrors.REGISTRY_APPROVAL_MISSING(
        `Version ${version} of ${model} needs ${missing.text}; it ${missing.detail}`,
      );
  };

  const records: Promotions = {
    promote: (request) =>
      decide(
        request,
        "promoted",
        async (db) => {
          const { model, version, gateId = null } = request;
          await checkApprovals(db, request);
          if (gateId === null) return { version, gateId };
          const gate = await gateOf(db, request, gateId);
          if (!gate.passed)
            throw registryErrors.REGISTRY_GATE_NOT_PASSED(`The gate of version ${version} of ${model} did not pass`);
          const champion = await currentVersion(db, scope, model, "champion");
          if (champion !== gate.championVersion && champion !== version)
            throw registryErrors.REGISTRY_GATE_STALE(
              `Version ${version} of ${model} was compared with ${nameOf(gate.championVersion)}; the champion is ${nameOf(champion)}`,
            );
          return { version, gateId };
        },
        request.version,
      ),

    setAlias: (request) =>
      decide(
        { ...request, idempotencyKey: sortableId("alias", clock) },
        "promoted",
        async () => ({ version: request.version, gateId: null }),
        request.version,
      ),

    async deleteAlias(request) {
      checkRequest(request);
      const { model, alias, actor, reason } = request;
      return store.transaction(async (db) => {
        await rows.activeModel(model, db);
        const version = await currentVersion(db, scope, model, alias);
        if (version === null) return null;
        return read(
          await recordDecision(db, clock, scope, {
            model,
            alias,
            from_version: version,
            to_version: version,
            decision: "removed",
            reason,
            gate_id: null,
            actor,
            idempotencyKey: sortableId("removed", clock),
          }),
        );
      });
    },

    reject: (request) =>
      decide(
        request,
        "rejected",
        async (db) => {
          const { version, gateId = null } = request;
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
          const version = await versionBefore(db, model, alias);
          if (version === null)
            throw registryErrors.REGISTRY_NOTHING_TO_ROLL_BACK(
              `${model}@${alias} has had no other version than ${from} that is still there`,
            );
          return { version, gateId: null };
        },
        null,
      ),

    rollbackTarget: async ({ model, alias, idempotencyKey }) => {
      if (![model, alias, idempotencyKey].every(isStorable)) return null;
      const before = await decidedBefore(store.db, idempotencyKey);
      return before?.to_version ?? versionBefore(store.db, model, alias);
    },

    promotions: async (model) => (isStorable(model) ? (await history(store.db, model).execute()).map(read).reverse() : []),
  };
  return records;
}

const nameOf = (version: number | null) => (version === null ? "none" : `version ${version}`);

/**
 * The version under the current one that is still there: promotions stack up, a rollback goes down to what it found, so that a second
 * one goes further back.
 */
function previousVersion(decisions: readonly PromotionTable[], there: ReadonlySet<number>): number | null {
  const stack: number[] = [];
  for (const { decision, to_version } of decisions) {
    if (decision === "promoted" && stack.at(-1) !== to_version) stack.push(to_version);
    if (decision === "rolled-back") while (stack.length > 0 && stack.at(-1) !== to_version) stack.pop();
  }
  return stack.slice(0, -1).findLast((version) => there.has(version) && version !== stack.at(-1)) ?? null;
}
