import { viewFeatures } from "../../core/definitions/index.ts";
import { featureErrors, readOnlineView, viewVersions } from "../../core/features/index.ts";
import { parseTimestamp } from "../../core/time.ts";
import { deployedPlans } from "../../platform/deployed-plans.ts";
import { featureLineage } from "../../platform/feature-lineage.ts";
import { consistencyReports } from "../../platform/record-consistency.ts";
import { readStatistics } from "../../platform/view-statistics.ts";
import type { RoomHandlers } from "../handlers.ts";
import { consistencyEntity } from "./consistency-entity.ts";
import { optionalTime, time } from "./entity-values.ts";
import type { RouteContext } from "./index.ts";

export function featureHandlers({ platform }: RouteContext): RoomHandlers<"features"> {
  const { project, scope } = platform;
  return {
    async list() {
      const online = platform.online();
      const items = project.features.map(async (view) => {
        const stored = online === null ? null : await readOnlineView(online, scope, view.name);
        return {
          name: view.name,
          entity: view.entity.name,
          keys: Object.keys(view.entity.keys),
          source: view.source.name,
          features: viewFeatures(view).map(([name, type]) => ({
            id: `${view.name}.${name}`,
            type,
            seasonal: view.seasonal.includes(name),
          })),
          materializedUntil: optionalTime(stored?.until ?? null),
          earlierVersions: stored?.earlier?.length ?? 0,
        };
      });
      return { items: await Promise.all(items) };
    },
    async statistics({ name, limit }) {
      if (!project.features.some((view) => view.name === name))
        throw featureErrors.FEATURE_VIEW_UNKNOWN(`There is no feature view "${name}"`);
      const records = await readStatistics(platform.paths.statistics(name), limit);
      return {
        items: records.map(({ from, until, rows, entities, features }) => ({
          from: optionalTime(from),
          until: time(until),
          rows,
          entities,
          features: [...features],
        })),
      };
    },
    async versions({ name }) {
      const online = platform.online();
      const versions = online === null ? [] : await viewVersions(online, scope, name);
      // One that was taken out of the project may still be read.
      if (versions.length === 0 && !project.features.some((view) => view.name === name))
        throw featureErrors.FEATURE_VIEW_UNKNOWN(`There is no feature view "${name}"`);
      const deployed = deployedPlans(platform.paths, platform.clock.now());
      return {
        items: versions.map(({ reads, since, materializedUntil, newestEventAt, unusedSince, ...version }) => ({
          ...version,
          since: optionalTime(since),
          materializedUntil: time(materializedUntil),
          newestEventAt: optionalTime(newestEventAt),
          unusedSince: optionalTime(unusedSince),
          readers: deployed
            .filter(({ plan }) => reads(plan))
            .map(({ endpoint, alias, version: number }) => ({ endpoint, alias, version: number })),
        })),
      };
    },
    async lineage({ of }) {
      const items = await featureLineage(platform, of);
      return {
        items: items.map(({ columns, inputs, versions, endpoints, ...item }) => ({
          ...item,
          columns: [...columns],
          inputs: [...inputs],
          versions: versions.map(({ aliases, ...version }) => ({ ...version, aliases: [...aliases] })),
          endpoints: [...endpoints],
        })),
      };
    },
    async consistency({ limit }) {
      return { items: (await consistencyReports(platform.store, scope, limit)).map(consistencyEntity) };
    },
    async checkConsistency({ sample, since }) {
      const options = {
        ...(sample === undefined ? {} : { sample }),
        ...(since === undefined ? {} : { since: parseTimestamp(since) }),
      };
      return consistencyEntity(await platform.checkConsistency(options));
    },
    async materialize(_, { actor }) {
      const { views } = await platform.refresh(actor);
      return { views: [...views] };
    },
  };
}
