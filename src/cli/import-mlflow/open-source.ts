import { existsSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { importErrors } from "./errors.ts";
import { isFileStore } from "./folder-source.ts";
import { LocalFiles } from "./local-files.ts";
import type { MlflowSource, Report } from "./source-records.ts";

/**
 * The MLflow at an address: a server ("http://…"), a folder of files ("mlruns"), a SQLite file, or a folder with one of these.
 * `artifactsRoot` is where files are that lie on a disk.
 * @throws IMPORT_ADDRESS_INVALID, IMPORT_SOURCE_FAILED
 */
export async function openSource(address: string, report: Report, artifactsRoot?: string): Promise<MlflowSource> {
  const root = artifactsRoot === undefined ? null : resolve(artifactsRoot);
  if (root !== null && !isFolder(root)) throw importErrors.IMPORT_ADDRESS_INVALID(`${root} is no folder`);
  if (/^https?:/i.test(address)) {
    const { ServerSource } = await import("./server-source.ts");
    return new ServerSource(address, report, root === null ? null : new LocalFiles(root, report));
  }
  const path = pathOf(address);
  if (!existsSync(path)) throw importErrors.IMPORT_ADDRESS_INVALID(`There is nothing at ${path}`);
  const database = isFolder(path) ? join(path, "mlflow.db") : path;
  if (existsSync(database)) {
    const { DatabaseSource } = await import("./database-source.ts");
    return new DatabaseSource(database, new LocalFiles(root ?? dirname(database), report), report);
  }
  const folder = [path, join(path, "mlruns")].find(isFileStore);
  if (folder === undefined)
    throw importErrors.IMPORT_ADDRESS_INVALID(`${path} has neither mlflow.db nor experiments of a file store`);
  const { FolderSource } = await import("./folder-source.ts");
  return new FolderSource(folder, new LocalFiles(root ?? folder, report), report);
}

const isFolder = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;

/** As MLFLOW_TRACKING_URI has it, or a path. @throws IMPORT_ADDRESS_INVALID */
function pathOf(address: string): string {
  const sqlite = /^sqlite:\/\/\/(.+)$/.exec(address)?.[1];
  if (sqlite !== undefined) return resolve(sqlite);
  if (address.startsWith("file:"))
    try {
      return fileURLToPath(address.startsWith("file:/") ? address : `file:${resolve(address.slice("file:".length))}`);
    } catch {
      throw importErrors.IMPORT_ADDRESS_INVALID(`"${address}" is no path of this machine`);
    }
  if (/^[a-z][a-z0-9+.-]+:/i.test(address))
    throw importErrors.IMPORT_ADDRESS_INVALID(
      `An MLflow at "${address.split(":", 1)[0]}:" cannot be read; start mlflow server on it and import from that`,
    );
  return resolve(address);
}
