import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import type { ConnectionOptions as TlsOptions } from "node:tls";
import type { ClientConfig } from "pg";
import { metadataErrors } from "./errors.ts";

/** A database and the schema in it, as the driver takes it. `shown` may stand in messages: it has no secrets. */
export interface PostgresAddress {
  readonly config: ClientConfig;
  readonly schema: string;
  readonly shown: string;
}

const DEFAULT_SCHEMA = "orrery";
const PARAMETERS = ["host", "port", "schema", "sslmode", "sslrootcert", "sslcert", "sslkey", "application_name"] as const;
/** Time a lock is waited for and a transaction may stand idle, in milliseconds: a process that hangs must not hold all others up for good. */
const LONGEST_WAIT = 60_000;

/**
 * Reads `postgres://user:password@host:port/database?sslmode=verify-full&schema=orrery`. Sockets by `?host=/var/run/postgresql`; the
 * password also from PGPASSWORD or ~/.pgpass. TLS: `sslmode` disable (default), require (encrypted, the server's certificate not
 * checked unless `sslrootcert` is given), verify-ca and verify-full; certificates as files.
 *
 * @throws STATE_ADDRESS_INVALID without the URL in the message: it may hold a password
 */
export function readPostgresUrl(text: string, schema?: string): PostgresAddress {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^postgres(?:ql)?:$/.test(url.protocol)) throw invalid("it is not a postgres:// address");
  for (const name of url.searchParams.keys())
    if (!PARAMETERS.some((known) => known === name))
      throw invalid(`"${name}" is not one of its parameters: ${PARAMETERS.join(", ")}`);
  const parameter = (name: (typeof PARAMETERS)[number]) => url.searchParams.get(name) || undefined;
  const host = parameter("host") ?? (decoded(url.hostname) || "localhost");
  const port = Number(parameter("port") ?? (url.port || 5432));
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw invalid("its port is not a number from 1 to 65535");
  const chosen = schema ?? parameter("schema") ?? DEFAULT_SCHEMA;
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(chosen) || chosen.startsWith("pg_"))
    throw invalid("its schema is not lower-case letters, digits and underscores");
  const user = decoded(url.username) || process.env.PGUSER || userInfo().username;
  const database = decoded(url.pathname.slice(1)) || process.env.PGDATABASE || user;
  const ssl = tls(parameter("sslmode"), {
    ca: file(parameter("sslrootcert")),
    cert: file(parameter("sslcert")),
    key: file(parameter("sslkey")),
  });
  return {
    schema: chosen,
    shown: `${host.startsWith("/") ? host : `${host}:${port}`}/${database}, schema ${chosen}`,
    config: {
      host,
      port,
      user,
      database,
      ...(url.password === "" ? {} : { password: decoded(url.password) }),
      ssl,
      application_name: parameter("application_name") ?? `orrery ${hostname().slice(0, 30)}:${process.pid}`,
      options: [
        `search_path=${chosen}`,
        "client_min_messages=warning",
        `lock_timeout=${LONGEST_WAIT}`,
        `idle_in_transaction_session_timeout=${LONGEST_WAIT}`,
      ]
        .map((setting) => `-c ${setting}`)
        .join(" "),
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
    },
  };
}

function tls(mode: string | undefined, files: Pick<TlsOptions, "ca" | "cert" | "key">): TlsOptions | false {
  const given = Object.fromEntries(Object.entries(files).filter(([, value]) => value !== undefined));
  switch (mode) {
    case undefined:
    case "disable":
      if (Object.keys(given).length > 0) throw invalid("it names certificates but no sslmode that uses them");
      return false;
    case "require":
      return files.ca === undefined
        ? { ...given, rejectUnauthorized: false }
        : { ...given, checkServerIdentity: () => undefined };
    case "verify-ca":
      return { ...given, checkServerIdentity: () => undefined };
    case "verify-full":
      return given;
    default:
      throw invalid("its sslmode is not disable, require, verify-ca or verify-full");
  }
}

function file(path: string | undefined): Buffer | undefined {
  if (path === undefined) return undefined;
  try {
    return readFileSync(path);
  } catch {
    throw invalid(`${path} cannot be read`);
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid("it has a % that encodes nothing");
  }
}

const invalid = (why: string) => metadataErrors.STATE_ADDRESS_INVALID(`The database's address cannot be used: ${why}`);

/** The key of an advisory lock: 64 bits of a hash, as PostgreSQL takes it. */
export function lockKey(...parts: readonly string[]): string {
  return createHash("sha256")
    .update(["orrery", ...parts].join("\0"))
    .digest()
    .readBigInt64BE(0)
    .toString();
}
