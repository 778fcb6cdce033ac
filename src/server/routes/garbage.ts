import type { Scope } from "../../core/scope.ts";
import { parseTimestamp } from "../../core/time.ts";
import { collectGarbage, type GarbageRooms } from "../../platform/collect-garbage.ts";
import type { RoomHandlers } from "../handlers.ts";

/** What garbage collection works on, of the project that a call is about. */
export type GarbageRoomsOf = (scope: Scope) => GarbageRooms;

export function garbageHandlers(roomsOf: GarbageRoomsOf): RoomHandlers<"garbage"> {
  return {
    collect: async ({ deletedBefore, dryRun }, { scope }) =>
      collectGarbage(roomsOf(scope), parseTimestamp(deletedBefore), { dryRun }),
  };
}
