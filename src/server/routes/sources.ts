import { pushErrors } from "../../platform/push/errors.ts";
import type { RoomHandlers } from "../handlers.ts";
import type { RouteContext } from "./index.ts";

export function sourceHandlers({ platform }: RouteContext): RoomHandlers<"sources"> {
  return {
    async list() {
      return {
        items: platform.project.sources.map(({ name, origin, contracts, key, eventTime = null }) => ({
          name,
          kind: origin.kind,
          columns: Object.fromEntries(Object.entries(contracts).map(([column, { type }]) => [column, type])),
          key: [...key],
          eventTime,
        })),
      };
    },
    async push({ name, rows, online }) {
      if (platform.push === null) throw pushErrors.PUSH_SOURCE_UNKNOWN("The project has no source that rows are pushed to");
      const { problems, ...counts } = await platform.push.push(name, rows, { online });
      return { ...counts, problems: [...problems] };
    },
  };
}
