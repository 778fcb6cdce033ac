import { randomUUID } from "node:crypto";
import type { CharterDefinition } from "../../core/definitions/index.ts";
import type { ArtifactStore } from "../../core/ports/index.ts";
import type { ModelVersion, RegisteredModel, Registry } from "../../core/registry/index.ts";
import type { Scope } from "../../core/scope.ts";
import type { Tracking } from "../../core/tracking/index.ts";
import type { ModelDecisions } from "../../platform/plain-decisions.ts";
import type { Call, RoomHandlers } from "../handlers.ts";
import { time } from "./entity-values.ts";
import { approvalEntity, gateEntity, promotionEntity, versionEntity } from "./model-entities.ts";
import { modelReportHandlers } from "./model-reports.ts";
import { orderTerms } from "./order-terms.ts";

/** The registry of the project that a call is about, and what stands around it. */
export interface ModelRooms {
  readonly registry: Registry;
  readonly tracking: Tracking;
  readonly artifacts: ArtifactStore;
  readonly decisions: ModelDecisions;
  /** null where the server has no project file. */
  readonly charter: CharterDefinition | null;
}
/** @throws SERVER_SCOPE_UNKNOWN */
export type ModelRoomsOf = (scope: Scope) => ModelRooms;

const done = { ok: true } as const;

export function modelHandlers(roomsOf: ModelRoomsOf): RoomHandlers<"models"> {
  const registryOf = (call: Call) => roomsOf(call.scope).registry;
  return {
    ...modelReportHandlers(roomsOf),

    async list({ orderBy, ...search }, call) {
      const registry = registryOf(call);
      const found = await registry.searchModels({ ...search, orderBy: orderTerms(orderBy) });
      return { items: await Promise.all(found.items.map((model) => modelEntity(registry, model))), nextCursor: found.nextCursor };
    },
    create: async (model, call) => modelEntity(registryOf(call), await registryOf(call).createModel(model)),
    get: async ({ name }, call) => modelEntity(registryOf(call), await registryOf(call).model(name)),
    async update({ name, newName, description }, call) {
      const registry = registryOf(call);
      if (description !== undefined) await registry.describeModel(name, description);
      const changed =
        newName === undefined || newName === name ? await registry.model(name) : await registry.renameModel(name, newName);
      return modelEntity(registry, changed);
    },
    async delete({ name }, call) {
      await registryOf(call).deleteModel(name);
      return done;
    },
    restore: async ({ name }, call) => modelEntity(registryOf(call), await registryOf(call).restoreModel(name)),
    async setTag({ name, key, value }, call) {
      await registryOf(call).setModelTag(name, key, value);
      return done;
    },
    async deleteTag({ name, key }, call) {
      await registryOf(call).deleteModelTag(name, key);
      return done;
    },

    async versions({ orderBy, ...search }, call) {
      const found = await registryOf(call).searchVersions({ ...search, orderBy: orderTerms(orderBy) });
      return { items: found.items.map(versionEntity), nextCursor: found.nextCursor };
    },
    createVersion: async ({ name, ...version }, call) =>
      versionEntity(await registryOf(call).createVersion(name, version, call.actor)),
    version: async ({ name, version }, call) => versionEntity(await registryOf(call).version(name, version)),
    updateVersion: async ({ name, version, description }, call) =>
      versionEntity(await registryOf(call).describeVersion(name, version, description)),
    async deleteVersion({ name, version }, call) {
      await registryOf(call).deleteVersion(name, version, call.actor);
      return done;
    },
    restoreVersion: async ({ name, version }, call) => versionEntity(await registryOf(call).restoreVersion(name, version)),
    async setVersionTag({ name, version, key, value }, call) {
      await registryOf(call).setVersionTag(name, version, key, value);
      return done;
    },
    async deleteVersionTag({ name, version, key }, call) {
      await registryOf(call).deleteVersionTag(name, version, key);
      return done;
    },
    setStage: async ({ name, version, stage, archiveOthers }, call) =>
      versionEntity(await registryOf(call).setStage(name, version, stage, archiveOthers, call.actor)),

    async setAlias({ name, alias, version, reason }, call) {
      const request = { model: name, alias, version, reason, actor: call.actor, idempotencyKey: randomUUID() };
      return promotionEntity(await roomsOf(call.scope).decisions.point(request));
    },
    async deleteAlias({ name, alias, reason }, call) {
      await registryOf(call).deleteAlias({ model: name, alias, reason, actor: call.actor });
      return done;
    },
    async promote({ name, ...request }, call) {
      return promotionEntity(await roomsOf(call.scope).decisions.promote({ model: name, ...request, actor: call.actor }));
    },
    async rollback({ name, ...request }, call) {
      return promotionEntity(await roomsOf(call.scope).decisions.rollBack({ model: name, ...request, actor: call.actor }));
    },
    async approve({ name, ...request }, call) {
      const { approval, promotion } = await roomsOf(call.scope).decisions.approve({
        model: name,
        ...request,
        actor: call.actor,
        roles: call.roles,
      });
      return { approval: approvalEntity(approval), promotion: promotion === null ? null : promotionEntity(promotion) };
    },
    decline: async ({ name, ...request }, call) =>
      approvalEntity(await registryOf(call).decline({ model: name, ...request, actor: call.actor, roles: call.roles })),
    async history({ name }, call) {
      const registry = registryOf(call);
      await registry.model(name);
      const [promotions, gates] = await Promise.all([registry.promotions(name), registry.gates(name)]);
      const gateOf = new Map(gates.map((gate) => [gate.id, gateEntity(gate)]));
      return {
        items: promotions.map((promotion) => ({
          ...promotionEntity(promotion),
          gate: promotion.gateId === null ? null : (gateOf.get(promotion.gateId) ?? null),
        })),
      };
    },
  };
}

async function modelEntity(registry: Registry, model: RegisteredModel) {
  const { name } = model;
  const [versions, promotions, gates, approvals] = await Promise.all([
    registry.versions(name),
    registry.promotions(name),
    registry.gates(name),
    registry.approvals(name),
  ]);
  return {
    name,
    description: model.description,
    createdAt: time(model.createdAt),
    updatedAt: time(model.updatedAt),
    tags: { ...model.tags },
    aliases: { ...model.aliases },
    versions: versions.map((version: ModelVersion) => versionEntity(version)),
    promotions: promotions.map(promotionEntity),
    gates: gates.map(gateEntity),
    approvals: approvals.map(approvalEntity),
  };
}
