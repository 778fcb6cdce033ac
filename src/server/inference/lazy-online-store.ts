import { ONLINE_VARIABLE, openOnline } from "../../adapters/online/open-online.ts";
import type { OnlineStore } from "../../core/ports/index.ts";

/**
 * The project's online store for reading, opened at the first read that finds one: an inference process may start before
 * anything was materialized, and then says that it is not ready instead of failing.
 */
export function lazyOnlineStore(directory: string): OnlineStore {
  let store: OnlineStore | null = null;
  const url = process.env[ONLINE_VARIABLE] || null;
  const opened = () => (store ??= openOnline({ url, directory, readOnly: true }));
  return {
    // Asynchronous, so that a store that cannot be opened rejects like one that cannot be read.
    getMany: async (keys) => opened().getMany(keys),
    putMany: async (entries) => opened().putMany(entries),
    async *keys(prefix) {
      yield* opened().keys(prefix);
    },
    scrub: async () => opened().scrub(),
    async close() {
      await store?.close();
    },
  };
}
