import type { EndpointDefinition } from "../core/definitions/index.ts";
import type { AliasDecision, Approval, ApprovalRequest, Promotion, PromotionRequest } from "../core/registry/index.ts";
import { systemActor } from "../core/scope.ts";
import { aliasAfterGate, deployEverywhere } from "./effects.ts";
import type { Platform } from "./platform.ts";
import { packagedVersion } from "./stages/packaged-version.ts";

/** What is decided about models reaches their endpoints: every function here deploys what the aliases say afterwards. */
type Surroundings = Pick<Platform, "project" | "scope" | "paths" | "clock" | "store" | "artifacts" | "registry">;

/** Whether requests are answered by what the alias points at: then a version needs its gate, and is deployed. */
export const aliasAnswers = ({ project }: Pick<Surroundings, "project">, model: string, alias: string): boolean =>
  project.endpoints.some((endpoint) => endpoint.model.name === model && answers(endpoint, alias));

const answers = (endpoint: EndpointDefinition, alias: string) =>
  endpoint.alias === alias || (alias === "challenger" && endpoint.canary !== undefined);

/** With the version's newest gate that passed, where there is one. @throws what Promotions.promote throws, PROJECT_VERSION_NOT_PACKAGED */
export async function promoteVersion(around: Surroundings, request: Omit<PromotionRequest, "gateId">): Promise<Promotion> {
  const { registry, clock } = around;
  // Before anything is decided: an alias cannot point at what its endpoint cannot answer with.
  if (aliasAnswers(around, request.model, request.alias)) packagedVersion(await registry.version(request.model, request.version));
  const gate = (await registry.gates(request.model, request.version)).find(({ passed }) => passed);
  const promotion = await registry.promote({ ...request, ...(gate === undefined ? {} : { gateId: gate.id }) });
  await deployEverywhere(around, request.model, clock.now(), request.reason);
  return promotion;
}

/** As a promotion where the alias answers requests, and without more ado where it does not. @throws as promoteVersion */
export async function pointAlias(around: Surroundings, request: Omit<PromotionRequest, "gateId">): Promise<Promotion> {
  if (aliasAnswers(around, request.model, request.alias)) return promoteVersion(around, request);
  const { idempotencyKey: _, ...decision } = request;
  return around.registry.setAlias(decision);
}

/** @throws what Promotions.rollback throws */
export async function rollBackAlias(around: Surroundings, request: AliasDecision): Promise<Promotion> {
  const { registry, clock } = around;
  const promotion = await registry.rollback(request);
  // A canary of what is being rolled back to or from would go on beside it.
  const challenger = await registry.byAlias(request.model, "challenger");
  if (challenger !== null && challenger.version !== promotion.toVersion)
    await registry.setAlias({
      model: request.model,
      alias: "challenger",
      version: promotion.toVersion,
      actor: systemActor("rollback"),
      reason: request.reason,
    });
  await deployEverywhere(around, request.model, clock.now(), request.reason);
  return promotion;
}

export interface ApprovalOutcome {
  readonly approval: Approval;
  /** What the approval let through; null while others still have to approve, and where no gate waited. */
  readonly promotion: Promotion | null;
}

/**
 * Records the approval; the last one that a waiting gate asked for promotes the version as the gate would have.
 * @throws what Approvals.approve throws, and REGISTRY_GATE_STALE when the champion has changed since the gate: the approval stays
 */
export async function approveVersion(around: Surroundings, request: ApprovalRequest): Promise<ApprovalOutcome> {
  const { registry, clock } = around;
  const { model, version, actor, reason } = request;
  const waiting = (await registry.gates(model, version)).find(({ state }) => state === "waiting");
  const approval = await registry.approve(request);
  const gate = waiting === undefined ? undefined : await registry.gate(waiting.id);
  if (gate === undefined || !gate.passed) return { approval, promotion: null };
  const promotion = await registry.promote({
    model,
    version,
    alias: aliasAfterGate(gate.championVersion),
    gateId: gate.id,
    actor,
    reason,
    idempotencyKey: `approved:${gate.id}`,
  });
  await deployEverywhere(around, model, clock.now(), reason);
  return { approval, promotion };
}
