import type { Client } from "../../client/index.ts";
import { ApiError } from "../../client/index.ts";

/** Where it goes: a project of a running server. */
export interface ImportTarget {
  readonly client: Client;
  /** Of MLflow's protocol for that project. */
  readonly url: string;
  readonly token: string;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
}

/**
 * Stores a stream under a path of the project's artifacts, as MLflow's clients do. Gives its length.
 * @throws RefusedError
 */
export async function putFile(target: ImportTarget, path: string, body: ReadableStream<Uint8Array>): Promise<number> {
  let bytes = 0;
  const counted = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      bytes += chunk.byteLength;
      controller.enqueue(chunk);
    },
  });
  const name = path.split("/").map(encodeURIComponent).join("/");
  const answer = await target.fetch(`${target.url}/api/2.0/mlflow-artifacts/artifacts/${name}`, {
    method: "PUT",
    headers: { authorization: `Bearer ${target.token}` },
    body: body.pipeThrough(counted),
    duplex: "half",
  } as RequestInit);
  const text = await answer.text();
  if (!answer.ok) throw new RefusedError(answer.status, text);
  return bytes;
}

/** MLflow's protocol of the target, for what Orrery's own has no route for. @throws RefusedError */
export async function call<T>(target: ImportTarget, method: "POST" | "PATCH" | "DELETE", path: string, body: object): Promise<T> {
  const answer = await target.fetch(`${target.url}/api/2.0/mlflow/${path}`, {
    method,
    headers: { authorization: `Bearer ${target.token}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) throw new RefusedError(answer.status, text);
  return JSON.parse(text) as T;
}

/** The target did not take it. */
export class RefusedError extends Error {
  override readonly name = "RefusedError";
  readonly status: number;

  constructor(status: number, text: string) {
    super(/"message":\s*"((?:[^"\\]|\\.)*)"/.exec(text)?.[1] ?? text.slice(0, 300));
    this.status = status;
  }
}

export const isCode = (error: unknown, code: string): boolean => error instanceof ApiError && error.body.code === code;

/** Whether the same would be refused again: a later try is of no use. */
export const isRefused = (error: unknown): boolean =>
  (error instanceof ApiError && error.body.kind === "invalid") || (error instanceof RefusedError && error.status === 400);

export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
