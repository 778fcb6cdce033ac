import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type LoadedFolder, loadModelFolder } from "../../core/training/formats/mlflow-model/load-model-folder.ts";

/** What is served of a model's address, and what has become of the last attempt to renew it. */
export interface ModelPointer {
  readonly formatVersion: 1;
  /** Counts on with each model that is taken up. */
  readonly revision: number;
  /** What the address meant: a version, a location, the contents of a folder. The same one is not fetched again. */
  readonly identity: string;
  /** null for what is no registered version. */
  readonly version: string | null;
  readonly location: string;
}

const POINTER = "current.json";
/** The one that serves, and the one before, which a worker may be reading. */
const KEPT = 2;

/** A folder for each address, so that a server that starts without its registry finds what it served last. */
export function cacheFolder(stateDirectory: string, address: string): string {
  const name = createHash("sha256").update(address).digest("hex").slice(0, 16);
  return join(stateDirectory, "served-models", name);
}

/** null before the first model. */
export function readPointer(folder: string): ModelPointer | null {
  try {
    const pointer: ModelPointer = JSON.parse(readFileSync(join(folder, POINTER), "utf8"));
    return pointer.formatVersion === 1 ? pointer : null;
  } catch {
    return null;
  }
}

const revisionFolder = (folder: string, revision: number) => join(folder, "revisions", String(revision));

/** Keeps the files and then points at them, so that whoever follows the pointer finds them whole. */
export function takeUp(
  folder: string,
  model: Omit<ModelPointer, "formatVersion" | "revision">,
  files: ReadonlyMap<string, Uint8Array>,
): ModelPointer {
  const pointer: ModelPointer = { formatVersion: 1, revision: (readPointer(folder)?.revision ?? 0) + 1, ...model };
  const place = revisionFolder(folder, pointer.revision);
  rmSync(place, { recursive: true, force: true });
  // Their paths have been checked by whoever read the model.
  for (const [path, bytes] of files) {
    mkdirSync(dirname(join(place, path)), { recursive: true });
    writeFileSync(join(place, path), bytes);
  }
  const next = join(folder, `${POINTER}.${process.pid}.new`);
  writeFileSync(next, JSON.stringify(pointer));
  renameSync(next, join(folder, POINTER));
  for (const name of readdirSync(join(folder, "revisions")))
    if (Number(name) <= pointer.revision - KEPT) rmSync(revisionFolder(folder, Number(name)), { recursive: true, force: true });
  return pointer;
}

/** @throws as loadModelFolder */
export const loadCached = (folder: string, { revision }: ModelPointer): Promise<LoadedFolder> =>
  loadModelFolder((path) => readFile(join(revisionFolder(folder, revision), path)));
