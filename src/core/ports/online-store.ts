/**
 * Keys to small binary values with the latest features of each entity. Of LMDB one process writes at a time; any number read.
 * Values are opaque bytes: core/features owns their encoding.
 */
export interface OnlineStore {
  /** One value per key, `null` where there is none; one round trip however many keys. */
  getMany(keys: readonly string[]): Promise<readonly (Uint8Array | null)[]>;
  /** All or nothing, and as durable when it returns as the store is set to be (LMDB: on disk). */
  putMany(entries: readonly (readonly [key: string, value: Uint8Array | null])[]): Promise<void>;
  /** Keys that start with a prefix, in any order; one that is written or removed meanwhile may be missing or come twice. */
  keys(prefix: string): AsyncIterable<string>;
  /**
   * Writes over what was removed or replaced before, so that its bytes are no more in the store's own files; others may read and write
   * meanwhile. To be asked of a process that has not handled those values itself. Of a server's files its administrator disposes: nothing
   * happens there.
   */
  scrub(): Promise<void>;
  close(): Promise<void>;
}
