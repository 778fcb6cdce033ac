import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serveTracking, type TrackingServer, type TrackingServerOptions } from "../tracking-server.ts";

export interface ListeningServer extends TrackingServer {
  readonly stateDirectory: string;
  /** A JSON request below the server's address. */
  ask(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answered>;
}

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: answers of many shapes, each looked at by a test
  readonly body: any;
}

/** A real tracking server with MLflow's protocol, listening, on a state folder of its own that goes when it is closed. */
export async function listeningServer(options: Partial<TrackingServerOptions> = {}): Promise<ListeningServer> {
  const stateDirectory = mkdtempSync(join(tmpdir(), "orrery-listening-"));
  const server = await serveTracking({
    stateDirectory,
    stores: { database: null, artifacts: null },
    project: "default",
    access: { host: "127.0.0.1", token: null },
    port: 0,
    logLevel: "fatal",
    ...options,
  });
  return {
    ...server,
    stateDirectory,
    async ask(method, path, body, headers = {}) {
      const answer = await fetch(`${server.url}${path}`, {
        method,
        headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
        ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      });
      const text = await answer.text();
      const isJson = /json/.test(answer.headers.get("content-type") ?? "");
      return { status: answer.status, headers: answer.headers, body: isJson ? JSON.parse(text) : text };
    },
    async close() {
      await server.close();
      rmSync(stateDirectory, { recursive: true });
    },
  };
}
