import type { Redis } from "ioredis";
import type { OrreryError } from "../../core/errors.ts";
import type { OnlineStore } from "../../core/ports/index.ts";
import { checkKey, onlineErrors } from "./errors.ts";
import { parseRedisAddress, type RedisAddress } from "./redis-address.ts";

/** Redis answers nobody else while it makes its list of keys. */
const SCAN_COUNT = 1_000;
/** A command waits so long for a connection to come back; a prediction would rather fail. */
const COMMAND_TIMEOUT_MS = 5_000;
const CONNECT_TIMEOUT_MS = 5_000;

/**
 * Online features in one database of a Redis (6 or newer, not a cluster), any number of readers and writers. A call is one round trip however
 * many keys. What is written is as durable as the server is set to be (`appendonly yes`, `appendfsync always` for as much as LMDB gives).
 */
export class RedisOnlineStore implements OnlineStore {
  readonly #connection: RedisAddress["connection"];
  readonly #prefix: string;
  #redis: Promise<Redis> | null = null;

  constructor({ connection, prefix }: RedisAddress) {
    this.#connection = connection;
    this.#prefix = prefix;
  }

  async getMany(keys: readonly string[]): Promise<readonly (Uint8Array | null)[]> {
    for (const key of keys) checkKey(key);
    if (keys.length === 0) return [];
    try {
      const redis = await this.#connected();
      const found = await redis.mgetBuffer(keys.map((key) => this.#prefix + key));
      return found.map((value) => value && new Uint8Array(value.buffer, value.byteOffset, value.length));
    } catch (cause) {
      throw storeError(cause);
    }
  }

  async putMany(entries: readonly (readonly [key: string, value: Uint8Array | null])[]): Promise<void> {
    for (const [key] of entries) checkKey(key);
    if (entries.length === 0) return;
    // Of a key that is given twice the last value stands, whichever command comes last.
    const last = new Map(entries);
    const put: (string | Buffer)[] = [];
    const removed: string[] = [];
    for (const [key, value] of last) {
      if (value === null) removed.push(this.#prefix + key);
      else put.push(this.#prefix + key, Buffer.from(value.buffer, value.byteOffset, value.length));
    }
    try {
      const redis = await this.#connected();
      const transaction = redis.multi();
      if (put.length > 0) transaction.mset(...put);
      if (removed.length > 0) transaction.unlink(...removed);
      const results = (await transaction.exec()) ?? [];
      for (const [error] of results) if (error !== null) throw error;
    } catch (cause) {
      throw storeError(cause);
    }
  }

  async *keys(prefix: string): AsyncIterable<string> {
    const match = `${escapeGlob(this.#prefix + prefix)}*`;
    let cursor = "0";
    do {
      let found: string[];
      try {
        const redis = await this.#connected();
        [cursor, found] = await redis.scan(cursor, "MATCH", match, "COUNT", SCAN_COUNT);
      } catch (cause) {
        throw storeError(cause);
      }
      for (const key of found) yield key.slice(this.#prefix.length);
    } while (cursor !== "0");
  }

  async scrub(): Promise<void> {}

  async close(): Promise<void> {
    (await this.#redis)?.disconnect();
  }

  #connected = (): Promise<Redis> => (this.#redis ??= connect(this.#connection));
}

const escapeGlob = (text: string) => text.replace(/[*?[\]\\^]/g, "\\$&");

/**
 * Connects at the first call; a connection that is lost is made again.
 * @throws ONLINE_STORE_SETTING_INVALID; calls throw ONLINE_STORE_UNREACHABLE, ONLINE_STORE_LOGIN_REFUSED, ONLINE_STORE_FULL,
 * ONLINE_STORE_READ_ONLY, ONLINE_STORE_FAILED
 */
export const openRedis = (url: string): OnlineStore => new RedisOnlineStore(parseRedisAddress(url));

async function connect(connection: RedisAddress["connection"]): Promise<Redis> {
  const { Redis } = await import("ioredis");
  const redis = new Redis({
    ...connection,
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: COMMAND_TIMEOUT_MS,
    // A call fails after the second attempt to connect, but attempts go on for the calls to come.
    maxRetriesPerRequest: 1,
    retryStrategy: (attempt) => Math.min(50 * 2 ** attempt, 2_000),
    connectionName: "orrery",
  });
  // Every call that meets it says so; without a listener it would be printed besides.
  redis.on("error", () => {});
  return redis;
}

function storeError(given: unknown): OrreryError {
  // A transaction that was not begun says only that; what its commands were answered is kept beside it.
  const { previousErrors: [refused] = [] } = Object(given) as { previousErrors?: readonly unknown[] };
  const cause = refused ?? given;
  const message = (cause instanceof Error ? cause.message : String(cause)).split("\n", 1)[0] ?? "";
  if (/^OOM|used memory > 'maxmemory'/.test(message))
    return onlineErrors.ONLINE_STORE_FULL("Redis has no memory left for features", { cause });
  if (/^MISCONF/.test(message)) return onlineErrors.ONLINE_STORE_FULL("Redis cannot write to its disk", { cause });
  if (/^READONLY/.test(message)) return onlineErrors.ONLINE_STORE_READ_ONLY("This Redis is a replica", { cause });
  if (/^(?:NOAUTH|WRONGPASS|NOPERM)|invalid password/i.test(message))
    return onlineErrors.ONLINE_STORE_LOGIN_REFUSED("Redis does not let Orrery in", { cause });
  if (
    /^(?:LOADING|MASTERDOWN|CLUSTERDOWN)|max retries|timed out|Connection is closed|ECONN|ENOTFOUND|EPIPE|stream isn't/i.test(
      message,
    )
  )
    return onlineErrors.ONLINE_STORE_UNREACHABLE("Redis does not answer", { cause });
  if (/^(?:MOVED|CROSSSLOT)/.test(message))
    return onlineErrors.ONLINE_STORE_SETTING_INVALID("The online store is a Redis cluster, which is not supported", {
      cause,
      hint: "Name a Redis that is not part of a cluster.",
    });
  return onlineErrors.ONLINE_STORE_FAILED(`Redis failed: ${message}`, { cause });
}
