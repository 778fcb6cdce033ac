import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Client, type ClientOptions, createClient, fetchRunFile } from "../client/index.ts";
import { newSecret } from "../core/access/index.ts";
import { resolveSecret, secret } from "../core/definitions/secret.ts";
import { systemClock } from "../core/ports/index.ts";
import { CONFIG_FILE } from "../platform/load-project.ts";
import { STATE_FILE } from "../platform/state-folder.ts";
import { storeSettings } from "../platform/stores.ts";
import { ANNOUNCEMENT, type Announcement } from "../server/announcement.ts";
import type { AccessPolicy } from "../server/authorise.ts";
import { pinnedFetch } from "./pinned-fetch.ts";

export interface ConnectionOptions {
  project: string;
  state?: string;
  /** Where there is neither a project nor a state: make the state that --state names, for a server that starts later. */
  makesState?: boolean;
}

export const stateDirectory = (options: ConnectionOptions): string => resolve(options.state ?? join(options.project, ".orrery"));

export interface Connection {
  readonly client: Client;
  /** The bytes of a file of a run. @throws ApiError */
  runFile(file: { readonly id: string; readonly path: string }): Promise<Response>;
  close(): Promise<void>;
}

/** What reaches a server of this machine, whatever its certificate. */
export const fetchOf = ({ certFile }: Announcement): NonNullable<ClientOptions["fetch"]> =>
  certFile === undefined ? fetch : pinnedFetch(certFile);

/** The running control plane of this state folder, if one answers. */
export async function findControlPlane(options: ConnectionOptions): Promise<Announcement | null> {
  try {
    const found = JSON.parse(readFileSync(join(stateDirectory(options), "run", ANNOUNCEMENT), "utf8")) as Announcement;
    const answer = await fetchOf(found)(`${found.url}/healthz`, { signal: AbortSignal.timeout(2_000) });
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
    const token = process.env.ORRERY_TOKEN ?? machineToken;
    return connection({ baseUrl, workspace, project, token, fetch: fetchOf(running) }, async () => {});
  }
  const machineToken = newSecret();
  const { app, scope, close } = await openHere(options, { host: "127.0.0.1", token: null, machineToken });
  const here: ClientOptions = {
    baseUrl: "http://127.0.0.1",
    token: machineToken,
    ...scope,
    fetch: async (url, init) => {
      const answer = await app.inject({
        method: (init.method ?? "GET") as "GET" | "POST" | "PUT" | "PATCH" | "DELETE",
        url: url.slice("http://127.0.0.1".length),
        headers: { ...(init.headers as Record<string, string>), host: "127.0.0.1" },
        ...(init.body === undefined ? {} : { payload: String(init.body) }),
      });
      const type = String(answer.headers["content-type"] ?? "application/json");
      return new Response(Uint8Array.from(answer.rawPayload), { status: answer.statusCode, headers: { "content-type": type } });
    },
  };
  return connection(here, close);
}

const connection = (options: ClientOptions, close: () => Promise<void>): Connection => ({
  client: createClient(options),
  runFile: (file) => fetchRunFile(options, file),
  close,
});

/** The whole API in a project's folder; where there is no project but a tracking server's state, that server's. */
async function openHere(options: ConnectionOptions, access: AccessPolicy) {
  const projectDirectory = resolve(options.project);
  const folder = stateDirectory(options);
  const stores = storeSettings();
  const mayMake = options.makesState === true && (options.state !== undefined || stores.database !== null);
  if (!existsSync(join(projectDirectory, CONFIG_FILE)) && (mayMake || existsSync(join(folder, STATE_FILE)))) {
    const { openTracking } = await import("../server/tracking-server.ts");
    return openTracking({ stateDirectory: folder, stores, project: "default", access, logLevel: "warn" });
  }
  const { openControlPlane } = await import("../server/control-plane.ts");
  const plane = await openControlPlane({
    projectDirectory,
    stateDirectory: folder,
    clock: systemClock,
    access,
    logLevel: "warn",
  });
  return { app: plane.app, scope: plane.platform.scope, close: () => plane.close() };
}

/** The access token from --token-file or ORRERY_TOKEN; `null` where neither is given. */
export function accessToken(options: { tokenFile?: string }): string | null {
  if (options.tokenFile !== undefined) return resolveSecret(secret.file(options.tokenFile));
  return process.env.ORRERY_TOKEN === undefined ? null : resolveSecret(secret.env("ORRERY_TOKEN"));
}
