import { isIP } from "node:net";
import { hostname } from "node:os";
import type { FastifyRequest } from "fastify";
import type { OrreryError } from "../core/errors.ts";
import { serverErrors } from "./errors.ts";

export interface OwnAddresses {
  /** The address the server listens on. */
  readonly host: string;
  /** Where people find it, when a proxy stands before it: "https://models.example". */
  readonly publicUrl?: string;
  /** Further names it may be called by, with or without a port. */
  readonly allowedHosts?: readonly string[];
}

export const isLoopback = (host: string): boolean => /^127(\.\d{1,3}){3}$/.test(host) || host === "localhost" || host === "::1";

/** Name and port of a Host header, small letters; null where it is none. */
function authorityOf(text: string): { readonly name: string; readonly whole: string } | null {
  const [, bracketed, plain, port = ""] = /^(?:\[([0-9a-f:.]+)\]|([^\s:/?#@[\]\\]+))(?::(\d{1,5}))?$/i.exec(text) ?? [];
  const name = (bracketed ?? plain)?.toLowerCase();
  return name === undefined ? null : { name, whole: port === "" ? name : `${name}:${port}` };
}

const MOST_KNOWN = 100;

/**
 * Whether a request is meant for this server, and not sent by a page of another site. A page that makes its own name point here (DNS
 * rebinding) still calls us by that name; a page elsewhere says in Origin or Sec-Fetch-Site where it is from. An address in figures cannot be
 * made to point elsewhere, so off loopback it may be used; on loopback only loopback names may. Returns the refusal, or null.
 */
export function createHostCheck(own: OwnAddresses): (request: FastifyRequest) => OrreryError | null {
  const publicAuthority = own.publicUrl === undefined ? null : new URL(own.publicUrl).host;
  const listed = new Set(
    [...(own.allowedHosts ?? []), ...(publicAuthority === null ? [] : [publicAuthority])].map((each) => each.toLowerCase()),
  );
  const local = isLoopback(own.host);
  const named = new Set(local ? [] : [own.host.toLowerCase(), hostname().toLowerCase()]);
  // Clients send the same few values all the time.
  const known = new Set<string>();

  function isOwn(host: string): boolean {
    if (known.has(host)) return true;
    const authority = authorityOf(host);
    if (authority === null) return false;
    const { name, whole } = authority;
    const mine = isLoopback(name) || listed.has(name) || listed.has(whole) || named.has(name) || (!local && isIP(name) !== 0);
    if (mine && known.size < MOST_KNOWN) known.add(host);
    return mine;
  }

  const isSameOrigin = (origin: string, host: string) => {
    const authority = /^https?:\/\/([^/]+)$/i.exec(origin)?.[1]?.toLowerCase();
    return authority !== undefined && (authority === host.toLowerCase() || authority === publicAuthority);
  };

  return (request) => {
    const { host } = request;
    if (!isOwn(host))
      return serverErrors.SERVER_HOST_REFUSED(`The host ${JSON.stringify(host.slice(0, 200))} is not this server's`);
    const { origin, "sec-fetch-site": site, "sec-fetch-mode": mode } = request.headers;
    if (origin !== undefined && !isSameOrigin(origin, host))
      return serverErrors.SERVER_ORIGIN_REFUSED(`Requests from pages of ${JSON.stringify(origin.slice(0, 200))} are not allowed`);
    // Images, scripts and frames of other pages send no Origin. A link to a page of ours does not either, and may be followed.
    if ((site === "cross-site" || site === "same-site") && mode !== "navigate")
      return serverErrors.SERVER_ORIGIN_REFUSED("Requests from pages of other sites are not allowed");
    return null;
  };
}
