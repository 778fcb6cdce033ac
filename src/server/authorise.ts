import { createHash, timingSafeEqual } from "node:crypto";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Permission } from "../contract/index.ts";
import { type Access, administrator, type Identity, may, rolesIn } from "../core/access/index.ts";
import type { OrreryError } from "../core/errors.ts";
import type { Actor } from "../core/scope.ts";
import { actorText } from "../core/tracking/index.ts";
import { serverErrors } from "./errors.ts";
import { createFailedAttempts } from "./failed-attempts.ts";
import { isLoopback, type OwnAddresses } from "./own-hosts.ts";

export interface AccessPolicy extends OwnAddresses {
  /** An administrator's token from outside (ORRERY_TOKEN, --token-file); null where there is none. */
  readonly token: string | null;
  /** An administrator's token that only those know who may read the state folder: the commands of this machine. */
  readonly machineToken?: string;
  /** Addresses of proxies whose X-Forwarded headers are believed. */
  readonly trustedProxies?: readonly string[];
}

/** Who may call a route. "public": everybody, it says nothing worth protecting. */
export type RoutePermission = Permission | "public";

declare module "fastify" {
  interface FastifyContextConfig {
    permission?: RoutePermission;
    /** False where what changes names its author itself, or changes too often to be news. */
    audited?: false;
  }
  interface FastifyRequest {
    /** Set before any handler runs; of a public route it is nobody. */
    identity: Identity;
    /** The identity's. */
    readonly actor: Actor;
  }
}

export const NOBODY: Identity = { actor: { kind: "anonymous", name: "anonymous" }, tokenId: null, grants: new Map() };
const ANYBODY = administrator(NOBODY.actor);
const HOLDER = administrator({ kind: "token", name: "token" });
const MACHINE = administrator({ kind: "token", name: "machine" });

/** Whether requests come from this machine alone, so that nobody else can be behind one without a token. */
const isPrivate = ({ host, publicUrl, trustedProxies = [] }: AccessPolicy) =>
  isLoopback(host) && publicUrl === undefined && trustedProxies.length === 0;

/**
 * Refuses to be reached from other machines before there is a token or a user: there is no default password.
 * @throws SERVER_TOKEN_MISSING
 */
export async function checkAccessPolicy(policy: AccessPolicy, accounts?: Access): Promise<void> {
  if (isPrivate(policy) || policy.token !== null || (await accounts?.hasUsers())) return;
  throw serverErrors.SERVER_TOKEN_MISSING(`Listening on ${policy.host} needs an access token or a user`);
}

const digest = (text: string) => createHash("sha256").update(text).digest();

const tokenMissing = () => serverErrors.SERVER_TOKEN_REQUIRED("An access token is required");
const tokenWrong = () => serverErrors.SERVER_TOKEN_REQUIRED("The access token is not valid: unknown, expired or revoked");

/** The token of an Authorization header: of Bearer, or the password of Basic, whose user name says nothing. */
function secretOf(header: string | undefined): string | null {
  if (header === undefined) return null;
  const bearer = /^Bearer +(\S+)$/i.exec(header)?.[1];
  if (bearer !== undefined) return bearer;
  const basic = /^Basic +([A-Za-z0-9+/=_-]+)$/i.exec(header)?.[1];
  return basic === undefined ? null : (/^[^:]*:(.+)$/s.exec(Buffer.from(basic, "base64").toString("utf8"))?.[1] ?? null);
}

/**
 * Who sends a request; the same for every route. Nobody needs a token while the server is this machine's alone and has no users; as soon as
 * there is a user or an administrator's token, everybody does. At once wherever the answer is known.
 */
export function createIdentification(
  policy: AccessPolicy,
  accounts?: Access,
): (request: FastifyRequest) => Identity | Promise<Identity> {
  const fixed = [
    ...(policy.token === null ? [] : [{ digest: digest(policy.token), identity: HOLDER }]),
    ...(policy.machineToken === undefined ? [] : [{ digest: digest(policy.machineToken), identity: MACHINE }]),
  ];
  const attempts = createFailedAttempts();
  const isOpen = isPrivate(policy) && policy.token === null;

  // An error takes its stack when it is made, which most requests would pay for in vain.
  const nobody = (refusal: () => OrreryError, address: string | null): Identity | Promise<Identity> => {
    const refuse = (): never => {
      if (address !== null) attempts.note(address);
      throw refusal();
    };
    if (!isOpen) return refuse();
    const users = accounts?.hasUsers() ?? false;
    if (typeof users === "boolean") return users ? refuse() : ANYBODY;
    return users.then((any) => (any ? refuse() : ANYBODY));
  };

  return (request) => {
    const secret = secretOf(request.headers.authorization);
    if (secret === null) return nobody(tokenMissing, null);
    if (fixed.length > 0) {
      const sent = digest(secret);
      for (const { digest: expected, identity } of fixed) if (timingSafeEqual(sent, expected)) return identity;
    }
    const { ip } = request;
    const wait = attempts.wait(ip);
    const found = accounts?.identify(secret, wait > 0) ?? null;
    if (found !== null && !(found instanceof Promise)) return found;
    if (wait > 0)
      throw serverErrors.SERVER_ATTEMPTS_EXCEEDED(`Too many wrong tokens from ${ip}; wait ${wait} s`, {
        details: { seconds: wait },
      });
    return found === null ? nobody(tokenWrong, ip) : found.then((identity) => identity ?? nobody(tokenWrong, ip));
  };
}

/** The refusal of an identity that may not use a route; null where it may. */
export function refusalOf(identity: Identity, permission: Permission, project: string): OrreryError | null {
  if (may(identity, permission, project)) return null;
  const roles = rolesIn(identity, project);
  return serverErrors.SERVER_PERMISSION_MISSING(
    `${actorText(identity.actor)} may not ${permission} in ${project}: ${roles.length === 0 ? "there is no role for that" : `the role is ${roles.join(" and ")}`}`,
    { details: { permission, project, roles } },
  );
}

/** Headers that tell a client how to come in, or when. */
export function explainRefusal(reply: FastifyReply, { code, details }: OrreryError): void {
  // Basic is understood but not offered: a browser would ask for a password in a box of its own.
  if (code === "SERVER_TOKEN_REQUIRED") reply.header("www-authenticate", 'Bearer realm="orrery"');
  if (code === "SERVER_ATTEMPTS_EXCEEDED") reply.header("retry-after", String(details.seconds));
}
