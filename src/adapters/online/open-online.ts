import { existsSync } from "node:fs";
import { join } from "node:path";
import type { OnlineStore } from "../../core/ports/index.ts";
import { openLmdb } from "./lmdb.ts";
import { openRedis } from "./redis.ts";

/** Every process that reads or writes features finds here where they are; unset for the state folder's own. */
export const ONLINE_VARIABLE = "ORRERY_ONLINE_URL";

export interface OnlineSettings {
  /** "redis://…"; null for LMDB in `directory`. */
  readonly url: string | null;
  readonly directory: string;
  readonly readOnly?: boolean;
}

/** @throws what openLmdb and openRedis throw */
export const openOnline = ({ url, directory, readOnly = false }: OnlineSettings): OnlineStore =>
  url === null ? openLmdb(directory, { readOnly }) : openRedis(url);

/** Whether there is something to read; a Redis is always there. */
export const isOnlineMade = ({ url, directory }: OnlineSettings): boolean =>
  url !== null || existsSync(join(directory, "data.mdb"));
