import type { RedisOptions } from "ioredis";
import { onlineErrors } from "./errors.ts";

export interface RedisAddress {
  readonly connection: Pick<RedisOptions, "host" | "port" | "path" | "username" | "password" | "db" | "tls">;
  /** In front of every key. */
  readonly prefix: string;
}

const PREFIX = "orrery:";

/**
 * `redis://user:password@host:port/database?prefix=orrery:`; `rediss:` for TLS; `redis+unix:///path/of/socket?db=0`. All but the host may be
 * left out.
 * @throws ONLINE_STORE_SETTING_INVALID, without repeating the address: it may hold a password
 */
export function parseRedisAddress(url: string): RedisAddress {
  const refused = (why: string) =>
    onlineErrors.ONLINE_STORE_SETTING_INVALID(`The address of the online store cannot be used: ${why}`);
  if (!URL.canParse(url)) throw refused("it is no URL");
  const { protocol, hostname, port, username, password, pathname, searchParams } = new URL(url);
  const isSocket = protocol === "redis+unix:";
  if (!isSocket && protocol !== "redis:" && protocol !== "rediss:")
    throw refused(`it begins with ${protocol} instead of redis:, rediss: or redis+unix:`);
  const settings = isSocket ? ["prefix", "db"] : ["prefix"];
  for (const name of searchParams.keys()) if (!settings.includes(name)) throw refused(`there is no setting ${name}`);
  const database = isSocket ? (searchParams.get("db") ?? "") : pathname.replace(/^\//, "");
  if (!/^\d{0,4}$/.test(database)) throw refused("the database is no number");
  if (!isSocket && hostname === "") throw refused("it names no host");
  if (isSocket && pathname.length < 2) throw refused("it names no socket");
  return {
    connection: {
      ...(isSocket ? { path: decodeURIComponent(pathname) } : { host: hostname, port: port === "" ? 6_379 : Number(port) }),
      ...(username === "" ? {} : { username: decodeURIComponent(username) }),
      ...(password === "" ? {} : { password: decodeURIComponent(password) }),
      ...(protocol === "rediss:" ? { tls: {} } : {}),
      db: Number(database),
    },
    prefix: searchParams.get("prefix") ?? PREFIX,
  };
}
