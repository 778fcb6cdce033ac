import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Client, createClient } from "../client/index.ts";
import { newSecret } from "../core/access/index.ts";
import { resolveSecret, secret } from "../core/definitions/secret.ts";
import { systemClock } from "../core/ports/index.ts";
import { ANNOUNCEMENT, type Announcement } from "../server/announcement.ts";

export interface ConnectionOptions {
  project: string;
  state?: string;
}

export const stateDirectory = (options: ConnectionOptions): string => resolve(options.state ?? join(options.project, ".orrery"));

export interface Connection {
  readonly client: Client;
  close(): Promise<void>;
}

/** The running control plane of this state folder, if one answers. */
export async function findControlPlane(options: ConnectionOptions): Promise<Announcement | null> {
  try {
    const found = JSON.parse(readFileSync(join(stateDirectory(options), "run", ANNOUNCEMENT), "utf8")) as Announcement;
    const answer = await fetch(`${found.url}/healthz`, { signal: AbortSignal.timeout(2_000) });
    return answer.ok ? found : null;
  } catch {
    return null;
  }
}

/**
 * A client of the running `orrery up`, or, where none runs, of the same API opened in this process for as long as the command
 * takes: commands are written once.
 * @throws STATE_IN_USE and whatever opening the project says
 */
export async function connect(options: ConnectionOptions): Promise<Connection> {
  const running = await findControlPlane(options);
  if (running !== null) {
    const { url: baseUrl, workspace, project, machineToken } = running;
    // Who has a token of their own acts under their own name.
    const client = createClient({ baseUrl, workspace, project, token: process.env.ORRERY_TOKEN ?? machineToken });
    return { client, close: async () => {} };
  }
  const { openControlPlane } = await import("../server/control-plane.ts");
  const machineToken = newSecret();
  const plane = await openControlPlane({
    projectDirectory: resolve(options.project),
    stateDirectory: stateDirectory(options),
    clock: systemClock,
    access: { host: "127.0.0.1", token: null, machineToken },
    logLevel: "warn",
  });
  const client = createClient({
    baseUrl: "http://127.0.0.1",
    token: machineToken,
    ...plane.platform.scope,
    fetch: async (url, init) => {
      const answer = await plane.app.inject({
        method: (init.method ?? "GET") as "GET" | "POST" | "PUT" | "PATCH" | "DELETE",
        url: url.slice("http://127.0.0.1".length),
        headers: { ...(init.headers as Record<string, string>), host: "127.0.0.1" },
        ...(init.body === undefined ? {} : { payload: String(init.body) }),
      });
      return new Response(answer.body, { status: answer.statusCode, headers: { "content-type": "application/json" } });
    },
  });
  return { client, close: () => plane.close() };
}

/** The access token from --token-file or ORRERY_TOKEN; `null` where neither is given. */
export function accessToken(options: { tokenFile?: string }): string | null {
  if (options.tokenFile !== undefined) return resolveSecret(secret.file(options.tokenFile));
  return process.env.ORRERY_TOKEN === undefined ? null : resolveSecret(secret.env("ORRERY_TOKEN"));
}
