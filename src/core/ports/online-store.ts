/**
 * Keys to small binary values with the latest features of each entity. One process writes at a time; any number read.
 * Values are opaque bytes: core/features owns their encoding.
 */
export interface OnlineStore {
  /** One value per key, `null` where there is none; one round trip however many keys. */
  getMany(keys: readonly string[]): Promise<readonly (Uint8Array | null)[]>;
  /** All or nothing, durable when it returns. */
  putMany(entries: readonly (readonly [key: string, value: Uint8Array | null])[]): Promise<void>;
  /** Keys that start with a prefix, in byte order. */
  keys(prefix: string): AsyncIterable<string>;
  close(): Promise<void>;
}
