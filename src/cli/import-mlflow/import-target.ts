import type { Client } from "../../client/index.ts";
import { ApiError } from "../../client/index.ts";

/** Where it goes: a project of a running server. */
export interface ImportTarget {
  readonly client: Client;
  /** Of MLflow's protocol for that project. */
  readonly url: string;
  readonly token: string;
}

/** Stores a stream under a path of the project's artifacts, as MLflow's clients do. */
export async function putFile({ url, token }: ImportTarget, path: string, body: ReadableStream<Uint8Array>): Promise<void> {
  const name = path.split("/").map(encodeURIComponent).join("/");
  const answer = await fetch(`${url}/api/2.0/mlflow-artifacts/artifacts/${name}`, {
    method: "PUT",
    headers: { authorization: `Bearer ${token}` },
    body,
    duplex: "half",
  } as RequestInit);
  if (!answer.ok) throw new Error(`${path}: ${(await answer.text()).slice(0, 300)}`);
}

/** MLflow's protocol of the target, for what Orrery's own has no route for. */
export async function call<T>({ url, token }: ImportTarget, method: "POST" | "PATCH", path: string, body: object): Promise<T> {
  const answer = await fetch(`${url}/api/2.0/mlflow/${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(text.slice(0, 300));
  return JSON.parse(text) as T;
}

export const isCode = (error: unknown, code: string): boolean => error instanceof ApiError && error.body.code === code;

export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
