import type { EndpointDefinition } from "../core/definitions/index.ts";
import { systemActor } from "../core/scope.ts";
import { readCurrent } from "../core/serving/index.ts";
import { deployEverywhere } from "./effects.ts";
import { isGateAlias, type ModelDecisions, plainDecisions } from "./plain-decisions.ts";
import type { Platform } from "./platform.ts";
import { checkReadable } from "./readable-features.ts";
import { packagedVersion } from "./stages/packaged-version.ts";

/** Of a project: what an alias points at is deployed to the endpoints that answer with it. */
export function projectDecisions(
  around: Pick<Platform, "project" | "scope" | "paths" | "clock" | "artifacts" | "registry" | "online">,
): ModelDecisions {
  const { project, paths, registry, clock } = around;
  const endpointsOf = (model: string) => project.endpoints.filter((endpoint) => endpoint.model.name === model);
  const isAnswering = (model: string, alias: string) => endpointsOf(model).some((endpoint) => answers(endpoint, alias));
  const plain = plainDecisions(registry);
  const deploy = (model: string, reason: string) => deployEverywhere(around, model, clock.now(), reason);
  const decisions: ModelDecisions = {
    async promote(request) {
      // Before anything is decided: an alias cannot point at what its endpoint cannot answer with.
      if (isAnswering(request.model, request.alias)) {
        const packaged = packagedVersion(await registry.version(request.model, request.version));
        await checkReadable(around, request.model, packaged);
      }
      const promotion = await plain.promote(request);
      await deploy(request.model, request.reason);
      return promotion;
    },
    point(request) {
      if (isAnswering(request.model, request.alias)) return decisions.promote(request);
      if (isGateAlias(request.alias)) return plain.point(request);
      const { idempotencyKey: _, ...decision } = request;
      return registry.setAlias(decision);
    },
    async rollBack(request) {
      const { model, reason } = request;
      if (isAnswering(model, request.alias)) {
        const target = await registry.rollbackTarget(request);
        if (target !== null) await checkReadable(around, model, packagedVersion(await registry.version(model, target)));
      }
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
