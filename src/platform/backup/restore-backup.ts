import { createReadStream, existsSync } from "node:fs";
import { copyFile, mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { FilesystemArtifactStore } from "../../adapters/artifacts/filesystem.ts";
import { restoreInto } from "../../adapters/metadata/restore.ts";
import type { Clock } from "../../core/ports/index.ts";
import type { Scope } from "../../core/scope.ts";
import { lockStateFolder, prepareStateFolder, type StatePaths, statePaths } from "../state-folder.ts";
import { openStores, type StoreSettings } from "../stores.ts";
import {
  ARTIFACTS,
  backupErrors,
  hashOfFile,
  type Manifest,
  METADATA,
  ONLINE,
  PUSH,
  readManifest,
  STATE_FOLDERS,
} from "./manifest.ts";

export interface RestoreOptions {
  /** What makeBackup made. */
  readonly folder: string;
  readonly stateDirectory: string;
  /** Need not be what the backup came from: this moves a state from SQLite to PostgreSQL, from a folder to S3, and back. */
  readonly stores: StoreSettings;
  readonly clock: Clock;
}

const NO_SCOPE: Scope = { workspace: "default", project: "default" };

/**
 * Makes a state of a backup: every file is checked first, bytes come before the metadata that names them, and the metadata comes whole or not
 * at all. A state folder that this made is removed again when it fails.
 * @throws BACKUP_MISSING, BACKUP_DAMAGED, BACKUP_NEWER, BACKUP_TARGET_IN_USE, STATE_NOT_EMPTY
 */
export async function restoreBackup({ folder, stateDirectory, stores, clock }: RestoreOptions): Promise<Manifest> {
  const manifest = await readManifest(folder);
  await checkFiles(folder, manifest);
  const paths = statePaths(stateDirectory, NO_SCOPE);
  if (existsSync(paths.metadata)) throw backupErrors.BACKUP_TARGET_IN_USE(`There is a state in ${stateDirectory} already`);
  const isNew = !existsSync(stateDirectory);
  prepareStateFolder(paths);
  const lock = lockStateFolder(paths);
  try {
    await restoreState(folder, manifest, paths, stores, clock);
  } catch (error) {
    lock.release();
    if (isNew) await rm(stateDirectory, { recursive: true, force: true });
    throw error;
  }
  lock.release();
  return manifest;
}

async function restoreState(
  folder: string,
  manifest: Manifest,
  paths: StatePaths,
  stores: StoreSettings,
  clock: Clock,
): Promise<void> {
  for (const file of Object.keys(manifest.files)) {
    if (![...STATE_FOLDERS, ONLINE, PUSH].some((name) => file.startsWith(`${name}/`))) continue;
    const to = join(paths.root, file);
    await mkdir(dirname(to), { recursive: true });
    await copyFile(join(folder, file), to);
  }
  const target = await openStores(stores, paths, clock);
  try {
    const copies = new FilesystemArtifactStore(join(folder, ARTIFACTS));
    let count = 0;
    for await (const { sha256 } of copies.list()) {
      const path = await copies.localPath(sha256);
      const stored = await target.artifacts.putStream(
        createReadStream(path, { highWaterMark: 1 << 20 }),
        "application/octet-stream",
      );
      if (stored.sha256 !== sha256) {
        await target.artifacts.remove(stored.sha256);
        throw backupErrors.BACKUP_DAMAGED(`The artifact ${sha256} in the backup does not match its hash`);
      }
      count += 1;
    }
    if (count !== manifest.artifacts.count)
      throw backupErrors.BACKUP_DAMAGED(`The backup has ${count} artifacts instead of ${manifest.artifacts.count}`);
    // Last: what names the bytes comes when they are there.
    await restoreInto(target.store, join(folder, METADATA), clock);
  } finally {
    await target.close();
  }
}

/** Nothing is written before every file is known to be whole. The manifest's names are checked too: they become paths. */
async function checkFiles(folder: string, { files }: Manifest): Promise<void> {
  const damaged = (why: string) => backupErrors.BACKUP_DAMAGED(why);
  if (files[METADATA] === undefined) throw damaged(`The backup has no ${METADATA}`);
  for (const [file, expected] of Object.entries(files)) {
    const isPlain = !file.includes("\\") && file.split("/").every((part) => part !== "" && part !== "." && part !== "..");
    if (!isPlain) throw damaged(`"${file.slice(0, 100)}" is no file of a backup`);
    const found = await hashOfFile(join(folder, file)).catch(() => null);
    if (found === null) throw damaged(`The backup has no ${file}`);
    if (found.sha256 !== expected.sha256) throw damaged(`${file} has changed since the backup was made`);
  }
}
