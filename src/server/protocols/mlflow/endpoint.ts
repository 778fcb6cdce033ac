import type { Permission } from "../../../contract/index.ts";
import type { Actor } from "../../../core/scope.ts";
import type { TrackingRoom } from "../../../platform/tracking-rooms.ts";
import type { Fields } from "./wire.ts";

export interface MlflowCall {
  /** Of the query (GET) or the body, with what the path names. */
  readonly fields: Fields;
  readonly room: TrackingRoom;
  readonly actor: Actor;
  /** Names the request: what is decided once for it is not decided twice. */
  readonly traceId: string;
  /** Bytes of the body as the caller counted them; 0 where it did not. */
  readonly bodyBytes: number;
}

/** One endpoint of the protocol; the answer is a message without its empty fields. */
export interface MlflowEndpoint {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  /** Below "/api/2.0/mlflow". */
  readonly path: string;
  readonly permission: Permission;
  handle(call: MlflowCall): Promise<object>;
}

type Handle = MlflowEndpoint["handle"];
const endpoint =
  (method: MlflowEndpoint["method"], permission: Permission) =>
  (path: string, handle: Handle): MlflowEndpoint => ({ method, permission, path, handle });

/** What only looks. */
export const get = endpoint("GET", "read");
export const ask = endpoint("POST", "read");

export const changes = (permission: Permission) => ({
  post: endpoint("POST", permission),
  patch: endpoint("PATCH", permission),
  delete: endpoint("DELETE", permission),
});
