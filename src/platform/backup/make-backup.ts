import { existsSync } from "node:fs";
import { copyFile, mkdir, readdir, rename, rm, statfs, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { FilesystemArtifactStore } from "../../adapters/artifacts/filesystem.ts";
import { openSqlite } from "../../adapters/metadata/sqlite.ts";
import { backupLmdb } from "../../adapters/online/lmdb.ts";
import { backupSqlitePushLog } from "../../adapters/push/sqlite.ts";
import { OrreryError } from "../../core/errors.ts";
import type { ArtifactStore, Clock } from "../../core/ports/index.ts";
import { formatTimestamp } from "../../core/time.ts";
import { contentInUse } from "../../core/tracking/index.ts";
import type { StatePaths } from "../state-folder.ts";
import { openStores, type StoreSettings } from "../stores.ts";
import {
  ARTIFACTS,
  BACKUP_FORMAT,
  backupErrors,
  bytesBelow,
  filesBelow,
  hashOfFile,
  MANIFEST,
  type Manifest,
  METADATA,
  ONLINE,
  PUSH,
  STATE_FOLDERS,
} from "./manifest.ts";

export interface BackupOptions {
  readonly paths: Pick<StatePaths, "root" | "metadata" | "artifacts">;
  readonly stores: StoreSettings;
  /** A folder that is not there yet. */
  readonly target: string;
  readonly clock: Clock;
  /** Of Orrery, for whoever reads the manifest. */
  readonly version: string;
}

/**
 * A consistent copy of a state, whoever writes to it meanwhile: first the metadata as of one moment, then the bytes that it names, which never
 * change, then what endpoints have. The folder appears under its name when it is whole. Restored by restoreBackup, into either database and
 * either store of artifacts.
 * @throws BACKUP_EXISTS, BACKUP_NO_SPACE, STATE_MISSING
 */
export async function makeBackup({ paths, stores, target, clock, version }: BackupOptions): Promise<Manifest> {
  const folder = resolve(target);
  if (existsSync(folder)) throw backupErrors.BACKUP_EXISTS(`${folder} is there already`);
  const partial = `${folder}.partial`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  const source = await openStores(stores, paths, clock, { readOnly: true });
  try {
    await source.store.backup(join(partial, METADATA));
    const copied = await copyArtifacts(partial, source.artifacts, clock);
    await copyState(paths.root, partial);
    const manifest: Manifest = {
      formatVersion: BACKUP_FORMAT,
      madeAt: formatTimestamp(clock.now()),
      orrery: version,
      engine: source.store.engine,
      ...copied,
      files: await describe(partial),
    };
    await writeFile(join(partial, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`, { flush: true });
    await mkdir(dirname(folder), { recursive: true });
    await rename(partial, folder);
    return manifest;
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    if (isFull(error)) throw backupErrors.BACKUP_NO_SPACE(`The disk of ${folder} is full`, { cause: error });
    throw error;
  } finally {
    await source.close();
  }
}

const FULL = new Set(["ENOSPC", "EDQUOT", "ARTIFACT_STORE_FULL", "STATE_DISK_FULL"]);
const isFull = (error: unknown) => error instanceof Error && "code" in error && FULL.has(String(error.code));

/** The bytes that the copied metadata names. */
async function copyArtifacts(partial: string, artifacts: ArtifactStore, clock: Clock) {
  const metadata = await openSqlite({ path: join(partial, METADATA), clock, readOnly: true });
  const { files, others } = await contentInUse(metadata.db).finally(() => metadata.close());
  const sizes = new Map<string, number>();
  for await (const { sha256, bytes } of artifacts.list()) if (files.has(sha256) || others.has(sha256)) sizes.set(sha256, bytes);
  const needed = sizes.values().reduce((sum, bytes) => sum + bytes, 0);
  const { bavail, bsize } = await statfs(partial);
  if (needed > bavail * bsize)
    throw backupErrors.BACKUP_NO_SPACE(`The artifacts have ${needed} bytes; there is room for ${bavail * bsize}`);
  const copies = new FilesystemArtifactStore(join(partial, ARTIFACTS));
  const missing = [...files].filter((sha256) => !sizes.has(sha256));
  let count = 0;
  let bytes = 0;
  for (const sha256 of sizes.keys()) {
    try {
      const copy = await copies.putStream(await artifacts.readStream(sha256), "application/octet-stream");
      // Damaged bytes would be restored under another name, which nothing knows.
      if (copy.sha256 !== sha256) await copies.remove(copy.sha256).then(() => missing.push(sha256));
      else {
        count += 1;
        bytes += copy.bytes;
      }
    } catch (error) {
      if (!(error instanceof OrreryError) || !["ARTIFACT_MISSING", "ARTIFACT_CORRUPT"].includes(error.code)) throw error;
      missing.push(sha256);
    }
  }
  return { artifacts: { count, bytes }, missing };
}

/** What lies in the state folder beside metadata and artifacts. Logs are cut at their last whole record by whoever opens them. */
async function copyState(root: string, partial: string): Promise<void> {
  const { bavail, bsize } = await statfs(partial);
  let needed = 0;
  for (const name of [...STATE_FOLDERS, ONLINE, PUSH]) needed += await bytesBelow(join(root, name));
  if (needed > bavail * bsize)
    throw backupErrors.BACKUP_NO_SPACE(`The state has ${needed} bytes beside artifacts; there is room for ${bavail * bsize}`);
  for (const name of STATE_FOLDERS) {
    for (const file of await filesBelow(join(root, name))) {
      const to = join(partial, name, file);
      await mkdir(dirname(to), { recursive: true });
      // A segment may have been compacted, and a deployment replaced, since the folder was listed: their successors were not lost.
      await copyFile(join(root, name, file), to).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "ENOENT") throw error;
      });
    }
  }
  for (const folder of await projectFolders(root, ONLINE))
    if (existsSync(join(root, folder, "data.mdb"))) await backupLmdb(join(root, folder), join(partial, folder));
  // After what was made of it: snapshots and online values that know more than the log would not notice the next rows.
  for (const folder of await projectFolders(root, PUSH)) backupSqlitePushLog(join(root, folder), join(partial, folder));
}

/** Below `root`, of every project that has such a folder. */
async function projectFolders(root: string, name: string): Promise<string[]> {
  const below = async (folder: string) => (await readdir(join(root, folder)).catch(() => [])).map((each) => join(folder, each));
  return (await Promise.all((await below(name)).map(below))).flat();
}

async function describe(partial: string): Promise<Manifest["files"]> {
  const files: Manifest["files"] = {};
  for (const file of await filesBelow(partial))
    if (!file.startsWith(`${ARTIFACTS}/`)) files[file] = await hashOfFile(join(partial, file));
  return files;
}
