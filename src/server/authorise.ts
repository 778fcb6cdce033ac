import { createHash, timingSafeEqual } from "node:crypto";
import type { FastifyRequest } from "fastify";
import type { Actor } from "../core/scope.ts";
import { serverErrors } from "./errors.ts";

export interface AccessPolicy {
  /** The address the server listens on. */
  readonly host: string;
  /** Required for every call when set; must be set off loopback. */
  readonly token: string | null;
}

const LOOPBACK = new Set(["127.0.0.1", "::1", "localhost"]);
export const isLoopback = (host: string): boolean => LOOPBACK.has(host) || host.startsWith("127.");

/**
 * Refuses to listen beyond loopback without a token.
 * @throws SERVER_TOKEN_MISSING
 */
export function checkAccessPolicy({ host, token }: AccessPolicy): void {
  if (!isLoopback(host) && token === null) {
    throw serverErrors.SERVER_TOKEN_MISSING(`Listening on ${host} needs an access token`);
  }
}

const digest = (text: string) => createHash("sha256").update(text).digest();

/** Name without port, brackets or case. */
const hostName = (authority: string) =>
  authority
    .replace(/:\d+$/, "")
    .replace(/^\[|\]$/g, "")
    .toLowerCase();

/**
 * Who sends this request; the one hook before every route. On loopback the Host (and Origin, where a browser sends one) must be
 * a loopback name, so that a page elsewhere cannot reach the server through a name of its own (DNS rebinding).
 * @throws SERVER_TOKEN_REQUIRED, SERVER_ORIGIN_REFUSED
 */
export function authorise(request: FastifyRequest, policy: AccessPolicy): Actor {
  if (isLoopback(policy.host)) {
    const { origin, host = "" } = request.headers;
    if (!isLoopback(hostName(host))) throw serverErrors.SERVER_ORIGIN_REFUSED(`The host ${host} is not this server's`);
    if (origin !== undefined && !isLoopback(hostName(origin.replace(/^https?:\/\//, "")))) {
      throw serverErrors.SERVER_ORIGIN_REFUSED(`Requests from ${origin} are not allowed`);
    }
  }
  if (policy.token === null) return { kind: "anonymous", name: "anonymous" };
  const sent = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1];
  if (sent === undefined || !timingSafeEqual(digest(sent), digest(policy.token))) {
    throw serverErrors.SERVER_TOKEN_REQUIRED("A valid access token is required");
  }
  return { kind: "token", name: "token" };
}
