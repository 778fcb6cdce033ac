import { actorText } from "../../core/tracking/index.ts";
import type { Erasure } from "../../platform/erase/erasure-journal.ts";
import type { RoomHandlers } from "../handlers.ts";
import { optionalTime, time } from "./entity-values.ts";
import type { RouteContext } from "./index.ts";

export function erasureHandlers({ platform }: RouteContext): RoomHandlers<"erasures"> {
  const { erasures, clock } = platform;
  return {
    async create({ entity, keys, dryRun, block }, { actor }) {
      if (!dryRun) return erasureEntity(await erasures.erase({ entity, keys, blocks: block }, actor));
      const places = await erasures.plan({ entity, keys });
      const asked = { id: null, entity, state: "planned" as const, actor: actorText(actor), startedAt: time(clock.now()) };
      return { ...asked, endedAt: null, hashes: [], blocks: block, places: [...places] };
    },
    list: async () => ({ items: (await erasures.list()).map(erasureEntity) }),
    get: async ({ id }) => erasureEntity(await erasures.get(id)),
  };
}

const erasureEntity = ({ startedAt, endedAt, hashes, places, ...erasure }: Erasure) => ({
  ...erasure,
  startedAt: time(startedAt),
  endedAt: optionalTime(endedAt),
  hashes: [...hashes],
  places: [...places],
});
