import type { Kysely } from "kysely";
import type { Criterion } from "../definitions/index.ts";
import type { ApprovalTable, Clock, Database, MetadataStore } from "../ports/index.ts";
import type { Actor, Scope } from "../scope.ts";
import type { Micros } from "../time.ts";
import { actorText, sortableId } from "../tracking/index.ts";
import { registryErrors } from "./errors.ts";
import type { GateVerdict } from "./evaluate-gates.ts";
import { checkText, isStorable } from "./names.ts";
import type { RegistryRows } from "./registry-rows.ts";

/** What a person said about a version. */
export interface Approval {
  readonly id: string;
  readonly model: string;
  readonly version: number;
  readonly decision: "approved" | "declined";
  /** The person's roles then; where nobody has one it counts for any. */
  readonly roles: readonly string[];
  readonly at: Micros;
  readonly actor: string;
  readonly reason: string;
}

export interface ApprovalRequest {
  readonly model: string;
  readonly version: number;
  readonly actor: Actor;
  /** The actor's in the project; empty where nobody has one. */
  readonly roles: readonly string[];
  readonly reason: string;
}

export interface Approvals {
  /**
   * The last word of each person counts.
   * @throws REGISTRY_VERSION_UNKNOWN, REGISTRY_REASON_MISSING, REGISTRY_APPROVAL_DENIED when the version's gates ask for other roles
   */
  approve(request: ApprovalRequest): Promise<Approval>;
  /** One word against a version stops its promotion. @throws as approve */
  decline(request: ApprovalRequest): Promise<Approval>;
  /** Of a model or one of its versions; newest first. */
  approvals(model: string, version?: number): Promise<readonly Approval[]>;
}

type ApprovalCriterion = Extract<Criterion, { kind: "approval" }>;

/** An admin can do what anybody can. */
const suits = ({ by }: ApprovalCriterion, roles: readonly string[]) =>
  roles.length === 0 || roles.includes(by) || roles.includes("admin");

/** The last word of each person about a version, of those who may give it. */
function lastWords(criterion: ApprovalCriterion, approvals: readonly Approval[]): Approval[] {
  const inOrder = approvals
    .filter(({ roles }) => suits(criterion, roles))
    .toSorted((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
  return [...new Map(inOrder.map((each) => [each.actor, each])).values()];
}

/** A verdict as it is now: one that waits for people is decided by what they have said about the version since. */
export function withApprovals(verdict: GateVerdict, approvals: readonly Approval[]): GateVerdict {
  const { criterion } = verdict;
  if (criterion.kind !== "approval") return verdict;
  const words = lastWords(criterion, approvals);
  const declined = words.find(({ decision }) => decision === "declined");
  const approved = words.filter(({ decision }) => decision === "approved");
  const saidBy = ({ actor, reason }: Approval) => `${actor} (${reason})`;
  if (declined !== undefined)
    return { ...verdict, passed: false, observed: approved.length, detail: `declined by ${saidBy(declined)}` };
  if (approved.length >= criterion.count)
    return { ...verdict, passed: true, observed: approved.length, detail: `approved by ${approved.map(saidBy).join(", ")}` };
  return {
    ...verdict,
    passed: null,
    observed: approved.length,
    detail: `waits: ${approved.length} of ${criterion.count} have approved`,
  };
}

const read = (row: ApprovalTable): Approval => ({
  id: row.id,
  model: row.model,
  version: row.version,
  decision: row.decision,
  roles: row.role === null ? [] : row.role.split(" "),
  at: row.at,
  actor: row.actor,
  reason: row.reason,
});

/** Newest first. */
export async function readApprovals(
  db: Kysely<Database>,
  { workspace, project }: Scope,
  model: string,
  version?: number,
): Promise<Approval[]> {
  if (!isStorable(model)) return [];
  const ofModel = db
    .selectFrom("approvals")
    .selectAll()
    .where("workspace", "=", workspace)
    .where("project", "=", project)
    .where("model", "=", model);
  const of = version === undefined ? ofModel : ofModel.where("version", "=", version);
  return (await of.orderBy("at", "desc").orderBy("id", "desc").execute()).map(read);
}

export function approvalRecords(store: MetadataStore, clock: Clock, scope: Scope, rows: RegistryRows): Approvals {
  const { workspace, project } = scope;

  const decide = async (request: ApprovalRequest, decision: Approval["decision"]) => {
    const { model, version, actor, roles, reason } = request;
    checkText(reason, "reason");
    if (reason.trim() === "")
      throw registryErrors.REGISTRY_REASON_MISSING(`A word about version ${version} of ${model} has no reason`);
    return store.transaction(async (db) => {
      await rows.activeVersion(model, version, db);
      const gates = await db
        .selectFrom("gates")
        .select("verdicts")
        .where("workspace", "=", workspace)
        .where("project", "=", project)
        .where("model", "=", model)
        .where("version", "=", version)
        .execute();
      const asked = gates
        // Written by saveGate and nowhere else.
        .flatMap(({ verdicts }) => JSON.parse(verdicts) as GateVerdict[])
        .flatMap(({ criterion }) => (criterion.kind === "approval" ? [criterion] : []));
      if (asked.length > 0 && !asked.some((criterion) => suits(criterion, roles)))
        throw registryErrors.REGISTRY_APPROVAL_DENIED(
          `Version ${version} of ${model} is approved by ${[...new Set(asked.map(({ by }) => by))].join(" or ")}, not by ${roles.join(" and ")}`,
          { details: { asked: asked.map(({ by }) => by), roles } },
        );
      const row: ApprovalTable = {
        workspace,
        project,
        id: sortableId("approval", clock),
        model,
        version,
        decision,
        role: roles.length === 0 ? null : roles.join(" "),
        at: clock.now(),
        actor: actorText(actor),
        reason,
      };
      await db.insertInto("approvals").values(row).execute();
      return read(row);
    });
  };

  return {
    approve: (request) => decide(request, "approved"),
    decline: (request) => decide(request, "declined"),
    approvals: (model, version) => readApprovals(store.db, scope, model, version),
  };
}
