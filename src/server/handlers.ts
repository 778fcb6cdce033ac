import type { z } from "zod";
import type { Permission, Route, Routes } from "../contract/index.ts";
import type { Role } from "../core/access/index.ts";
import type { Actor, Scope } from "../core/scope.ts";

type Parsed<R extends Route> = (R extends { params: infer P extends z.ZodType } ? z.output<P> : unknown) &
  (R extends { query: infer Q extends z.ZodType } ? z.output<Q> : unknown) &
  (R extends { body: infer B extends z.ZodType } ? z.output<B> : unknown);

export interface Call {
  readonly actor: Actor;
  readonly traceId: string;
  /** Workspace and project that the path names. */
  readonly scope: Scope;
  /** The actor's in that project. */
  readonly roles: readonly Role[];
  /** Whether the actor may do more than the route itself asks for, here or in another project; "*" for all of them. */
  readonly may: (permission: Permission, project?: string) => boolean;
}

/** What a room's routes do: parsed params, query and body in one object in, the response out. */
export type RoomHandlers<Room extends keyof Routes> = {
  readonly [Name in keyof Routes[Room]]: (
    input: Parsed<Routes[Room][Name] & Route>,
    call: Call,
  ) => Promise<z.input<(Routes[Room][Name] & Route)["response"]>>;
};

export type Handlers = { readonly [Room in keyof Routes]: RoomHandlers<Room> };
