import type { Readable } from "node:stream";

/** Names bytes by what they are. */
export interface ArtifactRef {
  readonly sha256: string;
  readonly bytes: number;
  readonly mediaType: string;
}

/** Bytes `from` to `to`, both included, counted from 0. */
export interface ByteRange {
  readonly from: number;
  readonly to: number;
}

export interface UploadPart {
  readonly number: number;
  readonly sha256: string;
  readonly bytes: number;
}

/**
 * Parts of files that are not whole yet. They wait under names that the caller makes up (letters, digits and "-"), are no artifacts, and
 * are in no list; those that nobody adds to for a day are removed.
 */
export interface PartStore {
  /** In constant memory; takes the place of a part with this number. @throws as putStream */
  put(upload: string, number: number, source: AsyncIterable<Uint8Array>): Promise<UploadPart>;
  /** By number; empty where nothing was put. */
  list(upload: string): Promise<readonly UploadPart[]>;
  /** @throws ARTIFACT_MISSING */
  read(upload: string, part: UploadPart): Promise<Readable>;
  drop(upload: string): Promise<void>;
}

/** Immutable bytes under their content hash. Partial writes are never visible; nothing is ever replaced. */
export interface ArtifactStore {
  put(bytes: Uint8Array | string, mediaType: string): Promise<ArtifactRef>;
  /**
   * In constant memory, however long the stream is: a chunk is not looked at any more once the next is asked for. Nothing is left of a
   * stream that fails.
   * @throws ARTIFACT_STORE_FULL, ARTIFACT_STORE_READ_ONLY, ARTIFACT_STORE_UNREACHABLE
   */
  putStream(source: AsyncIterable<Uint8Array>, mediaType: string): Promise<ArtifactRef>;
  /** Takes over a finished file (it may be moved); the path must not be used afterwards. */
  putFile(path: string, mediaType: string): Promise<ArtifactRef>;
  /** @throws ARTIFACT_MISSING, ARTIFACT_CORRUPT when the bytes no longer match their hash */
  read(sha256: string): Promise<Uint8Array>;
  /** In constant memory; whole unless a range is asked for. @throws ARTIFACT_MISSING before the first byte */
  readStream(sha256: string, range?: ByteRange): Promise<Readable>;
  has(sha256: string): Promise<boolean>;
  /** A local path with the bytes, for engines that read files by name. Read-only. */
  localPath(sha256: string): Promise<string>;
  /** Removes the bytes for good; nothing happens where there are none. Only garbage collection calls it. */
  remove(sha256: string): Promise<void>;
  /** Every stored hash, in no order. `writtenAt` is when the bytes were last put, again or for the first time. */
  list(): AsyncIterable<{ readonly sha256: string; readonly bytes: number; readonly writtenAt: Date }>;
  readonly parts: PartStore;
}
