import type { z } from "zod";
import { API_PREFIX, type Context, type ErrorBody, entities, type Route, type Routes, routes } from "../contract/index.ts";

type Input<R extends Route> = (R extends { params: infer P extends z.ZodType } ? z.input<P> : unknown) &
  (R extends { query: infer Q extends z.ZodType } ? z.input<Q> : unknown) &
  (R extends { body: infer B extends z.ZodType } ? z.input<B> : unknown);
type Output<R extends Route> = z.output<R["response"]>;
type Call<R extends Route> =
  unknown extends Input<R>
    ? () => Promise<Output<R>>
    : {} extends Input<R>
      ? (input?: Input<R>) => Promise<Output<R>>
      : (input: Input<R>) => Promise<Output<R>>;

/** `client.runs.list({ limit: 10 })`: one method a route, typed by the contract. */
export type Client = {
  readonly [Room in keyof Routes]: { readonly [Name in keyof Routes[Room]]: Call<Routes[Room][Name] & Route> };
};

export interface ClientOptions {
  /** "http://127.0.0.1:4100", or "" in a page that the server itself gave out. */
  baseUrl: string;
  workspace: string;
  project: string;
  token?: string;
  /** Replaces the global fetch, for instance to call a server in this process. */
  fetch?: (url: string, init: RequestInit) => Promise<Response>;
}

/** What the server answered when it did not answer with success. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly body: ErrorBody;

  constructor(status: number, body: ErrorBody) {
    super(body.message);
    this.status = status;
    this.body = body;
  }
}

async function failure(response: Response): Promise<ApiError> {
  const text = await response.text();
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === "object" && body !== null && "code" in body) return new ApiError(response.status, body as ErrorBody);
  } catch {
    // Not ours: something between here and the server answered.
  }
  const message = `The server answered ${response.status} without a reason`;
  return new ApiError(response.status, {
    code: "CLIENT_UNEXPECTED_ANSWER",
    kind: "unavailable",
    message,
    hint: "Is this the address of an Orrery server?",
    details: {},
  });
}

function makeCall(route: Route, options: ClientOptions) {
  const names = [...route.path.matchAll(/:(\w+)/g)].map((match) => match[1] ?? "");
  const send = options.fetch ?? ((url, init) => fetch(url, init));
  return async (input: Record<string, unknown> = {}): Promise<unknown> => {
    const rest = { ...input };
    const path = names.reduce((text, name) => {
      delete rest[name];
      return text.replace(`:${name}`, encodeURIComponent(String(input[name])));
    }, route.path);
    const headers: Record<string, string> = { accept: "application/json" };
    if (options.token !== undefined) headers.authorization = `Bearer ${options.token}`;
    let url = `${options.baseUrl}${API_PREFIX}/${encodeURIComponent(options.workspace)}/${encodeURIComponent(options.project)}${path}`;
    const init: RequestInit = { method: route.method, headers };
    if (route.body !== undefined) {
      headers["content-type"] = "application/json";
      init.body = JSON.stringify(rest);
    } else if (route.query !== undefined) {
      const query = Object.entries(rest).filter(([, value]) => value !== undefined);
      if (query.length > 0)
        url += `?${new URLSearchParams(query.map(([name, value]): [string, string] => [name, String(value)]))}`;
    }
    const response = await send(url, init);
    if (!response.ok) throw await failure(response);
    return response.json();
  };
}

/** Which workspace and project the server holds; asked before a client can be made. Throws ApiError (401: a token is needed). */
export async function fetchContext(options: Pick<ClientOptions, "baseUrl" | "token" | "fetch">): Promise<Context> {
  const send = options.fetch ?? ((url, init) => fetch(url, init));
  const headers: Record<string, string> = { accept: "application/json" };
  if (options.token !== undefined) headers.authorization = `Bearer ${options.token}`;
  const response = await send(`${options.baseUrl}${API_PREFIX}/context`, { headers });
  if (!response.ok) throw await failure(response);
  return entities.context.parse(await response.json());
}

/** The bytes of a file of a run, or the first `most` of them: the whole answer, to be read as its caller likes. Throws ApiError. */
export async function fetchRunFile(options: ClientOptions, file: { id: string; path: string; most?: number }): Promise<Response> {
  const send = options.fetch ?? ((url, init) => fetch(url, init));
  const headers: Record<string, string> = {};
  if (options.token !== undefined) headers.authorization = `Bearer ${options.token}`;
  if (file.most !== undefined) headers.range = `bytes=0-${file.most - 1}`;
  const steps = [options.workspace, options.project, "runs", file.id, "artifacts", ...file.path.split("/")];
  const response = await send(`${options.baseUrl}${API_PREFIX}/${steps.map(encodeURIComponent).join("/")}`, { headers });
  if (!response.ok) throw await failure(response);
  return response;
}

/** A client of the control plane's API; runs in Node and in browsers. */
export function createClient(options: ClientOptions): Client {
  const rooms = Object.entries(routes).map(([room, calls]) => [
    room,
    Object.fromEntries(Object.entries(calls).map(([name, route]) => [name, makeCall(route, options)])),
  ]);
  return Object.fromEntries(rooms);
}
