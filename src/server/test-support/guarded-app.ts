import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import { openSqlite } from "../../adapters/metadata/sqlite.ts";
import { routes } from "../../contract/index.ts";
import { type Access, createAccess } from "../../core/access/index.ts";
import { defineErrors } from "../../core/errors.ts";
import { type MetadataStore, systemClock } from "../../core/ports/index.ts";
import type { Actor } from "../../core/scope.ts";
import { type AppOptions, createApp } from "../app.ts";
import type { Handlers } from "../handlers.ts";
import { auditHandlers, tokenHandlers, userHandlers } from "../routes/access.ts";

const errors = defineErrors({ TEST_REACHED: { kind: "conflict", hint: "The request came through to its handler." } });

export const SCOPE = { workspace: "default", project: "late" };
export const BASE = "/api/v1/default/late";
const root: Actor = { kind: "token", name: "machine" };

/** Every route of the contract answers 409 TEST_REACHED, so that a test sees what came through; users, tokens and the trail are real. */
function handlersThatTell(accounts: Access): Handlers {
  const rooms = Object.entries(routes).map(([room, calls]) => {
    const tell = (name: string) => async () => {
      throw errors.TEST_REACHED(`${room}.${name}`);
    };
    return [room, Object.fromEntries(Object.keys(calls).map((name) => [name, tell(name)]))];
  });
  return {
    ...Object.fromEntries(rooms),
    users: userHandlers(accounts),
    tokens: tokenHandlers(accounts),
    audit: auditHandlers(accounts),
  };
}

export interface GuardedApp {
  readonly app: FastifyInstance;
  readonly accounts: Access;
  readonly store: MetadataStore;
  /** A token of a new user with this role, in this project or in all. */
  tokenOf(role: string, project?: string): Promise<string>;
  close(): Promise<void>;
}

/** The real server with its real guard on a database of its own. */
export async function guardedApp(options: Partial<AppOptions> = {}): Promise<GuardedApp> {
  const folder = mkdtempSync(join(tmpdir(), "orrery-guarded-"));
  const store = await openSqlite({ path: join(folder, "metadata.db"), clock: systemClock });
  const accounts = createAccess({ store, clock: systemClock, workspace: SCOPE.workspace });
  const close = async () => {
    await accounts.close();
    await store.close();
    rmSync(folder, { recursive: true });
  };
  let users = 0;
  try {
    const app = await createApp({
      scope: SCOPE,
      version: "0",
      access: { host: "127.0.0.1", token: null },
      accounts,
      handlers: handlersThatTell(accounts),
      ...options,
    });
    return {
      app,
      accounts,
      store,
      async tokenOf(role, project = "*") {
        users += 1;
        const { name } = await accounts.users.add({ name: `${role}-${users}`, role, project, by: root });
        return (await accounts.tokens.create({ user: name, by: root })).secret;
      },
      async close() {
        await app.close();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

export const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });
