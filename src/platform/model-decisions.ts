import type { EndpointDefinition } from "../core/definitions/index.ts";
import type { AliasDecision, Approval, ApprovalRequest, Promotion, PromotionRequest, Registry } from "../core/registry/index.ts";
import { systemActor } from "../core/scope.ts";
import { readCurrent } from "../core/serving/index.ts";
import { aliasAfterGate, deployEverywhere } from "./effects.ts";
import type { Platform } from "./platform.ts";
import { packagedVersion } from "./stages/packaged-version.ts";

export interface ApprovalOutcome {
  readonly approval: Approval;
  /** What the approval let through; null while others still have to approve, and where no gate waited. */
  readonly promotion: Promotion | null;
}

/** Decisions about a registry's aliases with what follows from them outside of it. */
export interface ModelDecisions {
  /** With the version's newest gate that passed, where there is one. @throws what Promotions.promote throws, PROJECT_VERSION_NOT_PACKAGED */
  promote(request: Omit<PromotionRequest, "gateId">): Promise<Promotion>;
  /** As `promote` where the alias answers requests, and without more ado where it does not. @throws as promote */
  point(request: Omit<PromotionRequest, "gateId">): Promise<Promotion>;
  /** @throws what Promotions.rollback throws */
  rollBack(request: AliasDecision): Promise<Promotion>;
  /**
   * Records the approval; the last one that a waiting gate asked for promotes the version as the gate would have.
   * @throws what Approvals.approve throws, and REGISTRY_GATE_STALE when the champion has changed since the gate: the approval stays
   */
  approve(request: ApprovalRequest): Promise<ApprovalOutcome>;
  /** Endpoints that answer with the version now. */
  servedBy(model: string, version: number): string[];
}

/** Of a project: what an alias points at is deployed to the endpoints that answer with it. */
export function projectDecisions(
  around: Pick<Platform, "project" | "scope" | "paths" | "clock" | "artifacts" | "registry">,
): ModelDecisions {
  const { project, paths, registry, clock } = around;
  const endpointsOf = (model: string) => project.endpoints.filter((endpoint) => endpoint.model.name === model);
  const isAnswering = (model: string, alias: string) => endpointsOf(model).some((endpoint) => answers(endpoint, alias));
  const plain = plainDecisions(registry);
  const deploy = (model: string, reason: string) => deployEverywhere(around, model, clock.now(), reason);
  const decisions: ModelDecisions = {
    async promote(request) {
      // Before anything is decided: an alias cannot point at what its endpoint cannot answer with.
      if (isAnswering(request.model, request.alias)) packagedVersion(await registry.version(request.model, request.version));
      const promotion = await plain.promote(request);
      await deploy(request.model, request.reason);
      return promotion;
    },
    point: (request) => (isAnswering(request.model, request.alias) ? decisions.promote(request) : plain.point(request)),
    async rollBack(request) {
      const { model, reason } = request;
      const promotion = await plain.rollBack(request);
      // A canary of what is being rolled back to or from would go on beside it.
      const challenger = await registry.byAlias(model, "challenger");
      if (isAnswering(model, request.alias) && challenger !== null && challenger.version !== promotion.toVersion)
        await registry.setAlias({
          model,
          alias: "challenger",
          version: promotion.toVersion,
          actor: systemActor("rollback"),
          reason,
        });
      await deploy(model, reason);
      return promotion;
    },
    async approve(request) {
      const outcome = await plain.approve(request);
      if (outcome.promotion !== null) await deploy(request.model, request.reason);
      return outcome;
    },
    servedBy: (model, version) =>
      endpointsOf(model)
        .filter(({ name }) => readCurrent(paths.deployment(name))?.routes.some((route) => route.version === version))
        .map(({ name }) => name),
  };
  return decisions;
}

const answers = (endpoint: EndpointDefinition, alias: string) =>
  endpoint.alias === alias || (alias === "challenger" && endpoint.canary !== undefined);

/** Of a registry without a project: nothing follows. */
export function plainDecisions(registry: Registry): ModelDecisions {
  return {
    async promote(request) {
      const gate = (await registry.gates(request.model, request.version)).find(({ passed }) => passed);
      return registry.promote({ ...request, ...(gate === undefined ? {} : { gateId: gate.id }) });
    },
    point({ idempotencyKey: _, ...decision }) {
      return registry.setAlias(decision);
    },
    rollBack: (request) => registry.rollback(request),
    async approve(request) {
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
      return { approval, promotion };
    },
    servedBy: () => [],
  };
}
