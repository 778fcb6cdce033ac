import type { AliasDecision, Approval, ApprovalRequest, Promotion, PromotionRequest, Registry } from "../core/registry/index.ts";

export interface ApprovalOutcome {
  readonly approval: Approval;
  /** What the approval let through; null while others still have to approve, and where no gate waited. */
  readonly promotion: Promotion | null;
}

/** Decisions about a registry's aliases with what follows from them outside of it. */
export interface ModelDecisions {
  /** With the version's newest gate that passed, where there is one. @throws what Promotions.promote throws, PROJECT_VERSION_NOT_PACKAGED, PROJECT_FEATURES_GONE */
  promote(request: Omit<PromotionRequest, "gateId">): Promise<Promotion>;
  /**
   * As `promote` where the alias answers requests. Where nobody knows whether it does, or a gate gives it, approvals that were asked for
   * must be there; any other alias is pointed without more ado. @throws as promote
   */
  point(request: Omit<PromotionRequest, "gateId">): Promise<Promotion>;
  /** @throws what Promotions.rollback throws, PROJECT_VERSION_NOT_PACKAGED, PROJECT_FEATURES_GONE */
  rollBack(request: AliasDecision): Promise<Promotion>;
  /**
   * Records the approval; the last one that a waiting gate asked for promotes the version as the gate would have.
   * @throws what Approvals.approve throws, and REGISTRY_GATE_STALE when the champion has changed since the gate: the approval stays
   */
  approve(request: ApprovalRequest): Promise<ApprovalOutcome>;
  /** Endpoints that answer with the version now. */
  servedBy(model: string, version: number): string[];
}

/** Aliases that a gate gives: who points them must not get past the people that the gate asks. */
export const isGateAlias = (alias: string): boolean => alias === "champion" || alias === "challenger";

/** The first version to pass becomes champion; a later one has to prove itself as challenger. */
export const aliasAfterGate = (championVersion: number | null): "champion" | "challenger" =>
  championVersion === null ? "champion" : "challenger";

/** Of a registry without a project: nothing follows. */
export function plainDecisions(registry: Registry): ModelDecisions {
  return {
    async promote(request) {
      const gate = (await registry.gates(request.model, request.version)).find(({ passed }) => passed);
      return registry.promote({ ...request, ...(gate === undefined ? {} : { gateId: gate.id }) });
    },
    // Another server of the same database may answer with the alias.
    point: (request) => registry.promote(request),
    rollBack: (request) => registry.rollback(request),
    async approve(request) {
      const { model, version, actor, reason } = request;
      const passedBefore = new Set((await registry.gates(model, version)).flatMap(({ id, passed }) => (passed ? [id] : [])));
      const approval = await registry.approve(request);
      // It also lets through what somebody had declined and now approves.
      const gate = (await registry.gates(model, version)).find(({ id, passed }) => passed && !passedBefore.has(id));
      if (gate === undefined) return { approval, promotion: null };
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
