import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { OrreryError } from "../../core/errors.ts";
import { servingErrors } from "../../core/serving/index.ts";

export const isLoopback = (host: string): boolean => /^127(\.\d{1,3}){3}$/.test(host) || host === "localhost" || host === "::1";

const digest = (text: string) => createHash("sha256").update(text).digest();

/** Name without port and brackets. */
const hostName = (authority: string) =>
  authority
    .replace(/:\d+$/, "")
    .replace(/^\[|\]$/g, "")
    .toLowerCase();

/**
 * Decides who may ask. With a token, those who send it; without one this is loopback, and the Host (and Origin, where a browser
 * sends one) must be loopback names, so that a page elsewhere cannot reach the server through a name of its own (DNS rebinding).
 * Returns the refusal, or null.
 */
export function createAccess(token: string | null): (headers: IncomingHttpHeaders) => OrreryError | null {
  if (token !== null) {
    const expected = digest(token);
    return ({ authorization = "" }) => {
      const sent = /^Bearer (.+)$/i.exec(authorization)?.[1];
      // Digests have one length, and comparing them takes one time, whatever was sent.
      if (sent !== undefined && timingSafeEqual(digest(sent), expected)) return null;
      return servingErrors.SERVING_TOKEN_REQUIRED("A valid access token is required");
    };
  }
  // Clients send the same few values all the time.
  const known = new Set<string>();
  const isOwn = (authority: string) => {
    if (known.has(authority)) return true;
    const own = isLoopback(hostName(authority));
    if (own && known.size < 100) known.add(authority);
    return own;
  };
  return ({ host = "", origin }) => {
    if (!isOwn(host)) return servingErrors.SERVING_HOST_REFUSED(`The host ${host} is not this server's`);
    if (origin !== undefined && !isOwn(origin.replace(/^https?:\/\//, "")))
      return servingErrors.SERVING_HOST_REFUSED(`Requests from ${origin} are not allowed`);
    return null;
  };
}
