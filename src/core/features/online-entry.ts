import type { OnlineStore } from "../ports/index.ts";
import type { Scope } from "../scope.ts";
import { featureErrors } from "./errors.ts";
import { type OnlineView, viewKey } from "./online-view.ts";

/** Of views' entries. */
export const FORMAT_VERSION = 2;

/** @throws FEATURE_RECORD_CORRUPT */
export async function readOnlineView(online: OnlineStore, scope: Scope, view: string): Promise<OnlineView | null> {
  const [bytes] = await online.getMany([viewKey(scope, view)]);
  if (bytes === null || bytes === undefined) return null;
  // What an earlier version of Orrery wrote is written anew.
  const { formatVersion } = readEntry(bytes, view) as Pick<OnlineView, "formatVersion">;
  return Number(formatVersion) < FORMAT_VERSION ? null : parseOnlineView(bytes, view);
}

/** @throws FEATURE_RECORD_CORRUPT */
export function parseOnlineView(bytes: Uint8Array, view: string): OnlineView {
  const parsed = readEntry(bytes, view) as OnlineView;
  if (parsed.formatVersion === FORMAT_VERSION) return parsed;
  throw featureErrors.FEATURE_RECORD_CORRUPT(`Feature view "${view}" was materialized by another version of Orrery`);
}

/** What JSON an entry holds. @throws FEATURE_RECORD_CORRUPT */
export function readEntry(bytes: Uint8Array, view: string): unknown {
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8"));
  } catch (cause) {
    throw featureErrors.FEATURE_RECORD_CORRUPT(`The online entry of feature view "${view}" cannot be read`, { cause });
  }
}
