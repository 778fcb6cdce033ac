import type { Routes } from "../contract/index.ts";
import { serverErrors } from "./errors.ts";
import type { RoomHandlers } from "./handlers.ts";

type AnyHandlers = Readonly<Record<string, (input: never, call: never) => Promise<unknown>>>;

/** A room whose code is loaded at its first call, so that a server that is asked for little starts quickly. */
export function lazyHandlers<Room extends keyof Routes>(load: () => Promise<RoomHandlers<Room>>): RoomHandlers<Room> {
  let loaded: Promise<RoomHandlers<Room>> | null = null;
  const handlers = new Proxy<AnyHandlers>(
    {},
    {
      get: (_target, name: string) => async (input: never, call: never) => {
        loaded ??= load();
        const handler = ((await loaded) as unknown as AnyHandlers)[name];
        if (handler === undefined) throw serverErrors.SERVER_ROUTE_MISSING(`There is no handler ${name}`);
        return handler(input, call);
      },
    },
  );
  return handlers as unknown as RoomHandlers<Room>;
}

/** A room of a project file, on a server that has none. */
export function absentHandlers<Room extends keyof Routes>(room: Room): RoomHandlers<Room> {
  return lazyHandlers<Room>(async () => {
    throw serverErrors.SERVER_PROJECT_MISSING(`This server keeps track of runs and models; ${room} needs a project`);
  });
}
