import type { Experiment, Tracking } from "../../core/tracking/index.ts";
import type { RoomHandlers } from "../handlers.ts";
import { time } from "./entity-values.ts";
import { orderTerms } from "./order-terms.ts";
import type { TrackingOf } from "./runs.ts";

const experimentEntity = (experiment: Experiment) => ({
  id: experiment.id,
  name: experiment.name,
  artifactLocation: experiment.artifactLocation,
  lifecycle: experiment.lifecycle,
  createdAt: time(experiment.createdAt),
  updatedAt: time(experiment.updatedAt),
  tags: { ...experiment.tags },
});

/** Ids of the experiments that a name stands for, active and deleted; undefined without a name: all. */
export async function experimentIds({ experiments }: Tracking, name: string | undefined): Promise<string[] | undefined> {
  if (name === undefined) return undefined;
  const quoted = `'${name.replaceAll("'", "''")}'`;
  const found = await experiments.search({ filter: `name = ${quoted}`, view: "all", limit: 1_000 });
  return found.items.map(({ id }) => id);
}

export function experimentHandlers(trackingOf: TrackingOf): RoomHandlers<"experiments"> {
  return {
    async list({ orderBy, ...search }, call) {
      const found = await trackingOf(call.scope).experiments.search({ ...search, orderBy: orderTerms(orderBy) });
      return { items: found.items.map(experimentEntity), nextCursor: found.nextCursor };
    },
    create: async (experiment, call) => experimentEntity(await trackingOf(call.scope).experiments.create(experiment)),
    get: async ({ id }, call) => experimentEntity(await trackingOf(call.scope).experiments.get(id)),
    named: async ({ name }, call) => experimentEntity(await trackingOf(call.scope).experiments.named(name)),
    async update({ id, name }, call) {
      const { experiments } = trackingOf(call.scope);
      await experiments.rename(id, name);
      return experimentEntity(await experiments.get(id));
    },
    async delete({ id }, call) {
      await trackingOf(call.scope).experiments.delete(id);
      return { ok: true };
    },
    async restore({ id }, call) {
      const { experiments } = trackingOf(call.scope);
      await experiments.restore(id);
      return experimentEntity(await experiments.get(id));
    },
    async setTag({ id, key, value }, call) {
      await trackingOf(call.scope).experiments.setTag(id, key, value);
      return { ok: true };
    },
    async deleteTag({ id, key }, call) {
      await trackingOf(call.scope).experiments.deleteTag(id, key);
      return { ok: true };
    },
  };
}
