import type { Server } from "node:http";
import type { FastifyHttpOptions } from "fastify";
import type { RoutePermission } from "./authorise.ts";

const MIB = 1024 * 1024;

/** The largest JSON body of a route that names no limit of its own, in bytes, by what the route is for. */
export const BODY_LIMITS: Readonly<Record<RoutePermission, number>> = {
  public: 64 * 1024,
  read: 1 * MIB,
  // The profile of a data set may have 16 MB.
  track: 24 * MIB,
  register: 4 * MIB,
  promote: 1 * MIB,
  run: 1 * MIB,
  predict: 8 * MIB,
  administer: 64 * 1024,
};

/**
 * Who opens a connection has so long to say what it is about; after that the token has been seen, and a large file may take its time. A client
 * that is silent or drips is cut off, and holds nothing but a socket until then.
 */
export const TIMEOUTS = { headers: 20_000, request: 60 * 60_000, keepAlive: 72_000, checkedEvery: 5_000 };

/** Longer than any id, name or key that the rooms accept. */
const LONGEST_PARAM = 2_000;

export const LIMITS = {
  requestTimeout: TIMEOUTS.request,
  keepAliveTimeout: TIMEOUTS.keepAlive,
  http: { headersTimeout: TIMEOUTS.headers, connectionsCheckingInterval: TIMEOUTS.checkedEvery },
  routerOptions: { maxParamLength: LONGEST_PARAM },
} satisfies FastifyHttpOptions<Server>;
