import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Access, Identity } from "../core/access/index.ts";
import { toOrreryError } from "../core/errors.ts";
import type { Scope } from "../core/scope.ts";
import { type AccessPolicy, createIdentification, explainRefusal, NOBODY, refusalOf } from "./authorise.ts";
import { BODY_LIMITS } from "./limits.ts";
import { createHostCheck } from "./own-hosts.ts";
import { changeOf, isChange } from "./record-changes.ts";

export interface GuardOptions {
  /** The server's own project: the one meant where a route names none. */
  readonly scope: Scope;
  readonly policy: AccessPolicy;
  readonly accounts?: Access;
}

/** Pages load nothing from elsewhere; Mantine writes style attributes, hence 'unsafe-inline' for styles only. */
const CONTENT_POLICY =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";
const HEADERS = {
  "x-content-type-options": "nosniff",
  "content-security-policy": CONTENT_POLICY,
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
};

/**
 * What stands before every route, those of protocols too: is the request meant for us, who sends it, may they, and was something changed that the
 * trail should know. A route that names no permission does not start.
 */
export function guard(app: FastifyInstance, { scope, policy, accounts }: GuardOptions): void {
  const hostRefusal = createHostCheck(policy);
  const identify = createIdentification(policy, accounts);
  app.decorateRequest("identity");
  app.decorateRequest("actor", {
    getter() {
      return this.identity.actor;
    },
  });

  app.addHook("onRoute", (route) => {
    const permission = route.config?.permission;
    if (permission === undefined) throw new TypeError(`${String(route.method)} ${route.url} names no permission`);
    route.bodyLimit ??= BODY_LIMITS[permission];
    if (route.schema?.operationId === undefined) route.schema = { ...route.schema, hide: true };
  });

  app.addHook("onRequest", (request, reply, done) => {
    reply.headers(HEADERS);
    request.identity = NOBODY;
    const refused = hostRefusal(request);
    if (refused !== null) return done(refused);
    const { permission } = request.routeOptions.config;
    // A path that has no route has none either.
    if (permission === undefined || permission === "public") return done();
    const enter = (identity: Identity) => {
      request.identity = identity;
      done(refusalOf(identity, permission, projectOf(request, scope)) ?? undefined);
    };
    const refuse = (error: unknown) => {
      const refusal = toOrreryError(error);
      explainRefusal(reply, refusal);
      done(refusal);
    };
    try {
      const found = identify(request);
      if (found instanceof Promise) found.then(enter, refuse);
      else enter(found);
    } catch (error) {
      refuse(error);
    }
  });

  if (accounts === undefined) return;
  // Before the answer: what was acknowledged is in the trail.
  app.addHook("onSend", (request, reply, payload, done) => {
    if (reply.statusCode >= 400 || !isChange(request)) return done(null, payload);
    const { project } = request.params as { readonly project?: string };
    accounts.audit.record({ workspace: scope.workspace, project: project ?? scope.project }, changeOf(request)).then(
      () => done(null, payload),
      (error: unknown) => {
        // The change is made; to call it failed would be wrong too.
        request.log.error({ err: error }, "a change could not be written into the trail");
        done(null, payload);
      },
    );
  });
}

/** The project that a request is about: the one its path names, else the server's own. */
function projectOf({ params }: FastifyRequest, { project }: Scope): string {
  const named = (params as { readonly project?: unknown } | null)?.project;
  return typeof named === "string" ? named : project;
}
