/** Names bytes by what they are. */
export interface ArtifactRef {
  readonly sha256: string;
  readonly bytes: number;
  readonly mediaType: string;
}

/** Immutable bytes under their content hash. Partial writes are never visible; nothing is ever replaced. */
export interface ArtifactStore {
  put(bytes: Uint8Array | string, mediaType: string): Promise<ArtifactRef>;
  /** Takes over a finished file (it may be moved); the path must not be used afterwards. */
  putFile(path: string, mediaType: string): Promise<ArtifactRef>;
  /** @throws ARTIFACT_MISSING, ARTIFACT_CORRUPT when the bytes no longer match their hash */
  read(sha256: string): Promise<Uint8Array>;
  has(sha256: string): Promise<boolean>;
  /** A local path with the bytes, for engines that read files by name. Read-only. */
  localPath(sha256: string): Promise<string>;
}
