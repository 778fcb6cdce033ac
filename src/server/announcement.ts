import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Scope } from "../core/scope.ts";

export interface Announcement extends Scope {
  readonly url: string;
  /** What commands on this machine show to the server. */
  readonly machineToken: string;
  /** The PEM file of the certificate it shows, where it speaks TLS. */
  readonly certFile?: string;
}

/** In the folder for what runs: who may read the file is the administrator, as who may write the database is. */
export const ANNOUNCEMENT = "control-plane.json";

/** Tells the commands of this machine where the server is and what lets them in. Returns what takes it back. */
export function announce(runDirectory: string, announcement: Announcement): () => void {
  const file = join(runDirectory, ANNOUNCEMENT);
  mkdirSync(runDirectory, { recursive: true });
  rmSync(`${file}.new`, { force: true });
  writeFileSync(`${file}.new`, JSON.stringify({ ...announcement, pid: process.pid }), { mode: 0o600 });
  renameSync(`${file}.new`, file);
  return () => rmSync(file, { force: true });
}
