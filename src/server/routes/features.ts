import { compileFeaturePlan, readOnlineView } from "../../core/features/index.ts";
import type { RoomHandlers } from "../handlers.ts";
import { optionalTime } from "./entity-values.ts";
import type { RouteContext } from "./index.ts";

export function featureHandlers({ platform }: RouteContext): RoomHandlers<"features"> {
  const { project, scope } = platform;
  const typeOf = new Map(
    project.models.flatMap((model) => compileFeaturePlan(model).features.map(({ id, type }) => [id, type] as const)),
  );
  return {
    async list() {
      const online = platform.online();
      const items = project.features.map(async (view) => {
        const stored = online === null ? null : await readOnlineView(online, scope, view.name);
        const names = [...view.features, ...Object.keys(view.aggregates)];
        return {
          name: view.name,
          entity: view.entity.name,
          keys: Object.keys(view.entity.keys),
          source: view.source.name,
          features: names.map((name) => ({
            id: `${view.name}.${name}`,
            type:
              view.aggregates[name]?.type ?? view.source.contracts[name]?.type ?? typeOf.get(`${view.name}.${name}`) ?? "float64",
            seasonal: view.seasonal.includes(name),
          })),
          materializedUntil: optionalTime(stored?.until ?? null),
        };
      });
      return { items: await Promise.all(items) };
    },
    async materialize() {
      const { views } = await platform.refresh();
      return { views: [...views] };
    },
  };
}
