import { viewFeatures } from "../../core/definitions/index.ts";
import { readOnlineView } from "../../core/features/index.ts";
import type { RoomHandlers } from "../handlers.ts";
import { optionalTime } from "./entity-values.ts";
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
