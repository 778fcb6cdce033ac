import type { Scope } from "../../core/scope.ts";
import type { Tracking } from "../../core/tracking/index.ts";
import { serverErrors } from "../errors.ts";
import type { RoomHandlers } from "../handlers.ts";
import { experimentIds } from "./experiments.ts";
import { orderTerms } from "./order-terms.ts";
import { comparisonEntity, loggedModelEntity, metricOf, pointEntity, runEntity } from "./tracking-entities.ts";

/** The tracking of a project that this server holds. */
export type TrackingOf = (scope: Scope) => Tracking;

const MOST_COMPARED = 50;

export function runHandlers(trackingOf: TrackingOf): RoomHandlers<"runs"> {
  return {
    async list({ experiment, experimentId, orderBy, ...search }, call) {
      const tracking = trackingOf(call.scope);
      const experiments = experimentId === undefined ? await experimentIds(tracking, experiment) : [experimentId];
      if (experiments?.length === 0) return { items: [], nextCursor: null };
      const found = await tracking.runs.search({ ...search, orderBy: orderTerms(orderBy), experimentIds: experiments });
      return {
        items: found.items.map((run) => ({ ...runEntity(run), params: { ...run.params } })),
        nextCursor: found.nextCursor,
      };
    },
    async create({ id, experiment, experimentId, name, parentRunId, userName, startedAt, git, tags }, call) {
      const tracking = trackingOf(call.scope);
      // Only where it is needed: the experiment of those who name none.
      if (experiment === undefined && experimentId === undefined) await tracking.experiments.ensureDefault();
      const created = await tracking.runs.create({
        ...(experimentId === undefined ? { experiment: experiment ?? "Default" } : { experimentId }),
        ...(id !== undefined && { id }),
        ...(name !== undefined && { name }),
        ...(parentRunId !== undefined && { parentRunId }),
        ...(userName !== undefined && { userName }),
        ...(startedAt !== undefined && { startedAt }),
        ...(tags !== undefined && { tags }),
        ...(git !== undefined && { git: { ...git, dirty: git.diff !== null, truncated: false } }),
        actor: call.actor,
        traceId: call.traceId,
      });
      return runEntity(created);
    },
    async compare({ ids }, call) {
      const { runs } = trackingOf(call.scope);
      const asked = [...new Set(ids.split(",").filter((id) => id !== ""))];
      if (asked.length === 0 || asked.length > MOST_COMPARED)
        throw serverErrors.SERVER_REQUEST_INVALID(
          `querystring.ids: 1 to ${MOST_COMPARED} runs can be compared, not ${asked.length}`,
        );
      return comparisonEntity(await Promise.all(asked.map((id) => runs.record(id))));
    },
    async get({ id }, call) {
      const run = await trackingOf(call.scope).runs.get(id);
      return {
        ...runEntity(run),
        params: { ...run.params },
        datasets: run.datasets.map(({ dataset, tags }) => ({ dataset: { ...dataset }, tags: { ...tags } })),
        artifactUri: run.artifactUri,
        artifacts: run.artifacts.map(({ path, sha256, bytes, mediaType }) => ({ path, sha256, bytes, mediaType })),
        snapshots: [...run.snapshots],
        gitCommit: run.gitCommit,
        gitDiff: run.gitDiff,
        traceId: run.traceId,
      };
    },
    async update({ id, ...change }, call) {
      return runEntity(await trackingOf(call.scope).runs.update(id, change));
    },
    async logBatch({ id, metrics = [], params = [], tags = [] }, call) {
      await trackingOf(call.scope).logBatch(id, { metrics: metrics.map(metricOf), params, tags });
      return { ok: true };
    },
    async logDatasets({ id, datasets }, call) {
      await trackingOf(call.scope).logInputs(id, { datasets });
      return { ok: true };
    },
    async delete({ id }, call) {
      await trackingOf(call.scope).runs.delete(id);
      return { ok: true };
    },
    async restore({ id }, call) {
      await trackingOf(call.scope).runs.restore(id);
      return { ok: true };
    },
    async deleteTag({ id, key }, call) {
      await trackingOf(call.scope).deleteTag(id, key);
      return { ok: true };
    },
    async metricHistory({ id, key, limit, cursor }, call) {
      const { items, nextCursor } = await trackingOf(call.scope).metricHistory(id, key, { limit, cursor });
      return { items: items.map(pointEntity), nextCursor };
    },
  };
}

export function loggedModelHandlers(trackingOf: TrackingOf): RoomHandlers<"loggedModels"> {
  return {
    async list({ experiment, ...search }, call) {
      const tracking = trackingOf(call.scope);
      const named = await experimentIds(tracking, experiment);
      const experiments = named ?? (await tracking.experiments.list()).map(({ id }) => id);
      if (experiments.length === 0) return { items: [], nextCursor: null };
      const { items, nextCursor } = await tracking.loggedModels.search({ ...search, experimentIds: experiments });
      return { items: items.map(loggedModelEntity), nextCursor };
    },
    get: async ({ id }, call) => loggedModelEntity(await trackingOf(call.scope).loggedModels.get(id)),
    async delete({ id }, call) {
      await trackingOf(call.scope).loggedModels.delete(id);
      return { ok: true };
    },
  };
}
