import { createHash } from "node:crypto";
import { lstat, open, realpath } from "node:fs/promises";
import { join, sep } from "node:path";
import { type OrreryError, toOrreryError } from "../../core/errors.ts";
import { servingErrors } from "../../core/serving/index.ts";
import { loadModelFolder } from "../../core/training/formats/mlflow-model/load-model-folder.ts";
import { type ModelPointer, readPointer, takeUp } from "./model-cache.ts";
import { type ModelUri, moves } from "./model-uri.ts";
import { MOST_FILE_BYTES, type ModelPlace, type RegistryClient } from "./registry-client.ts";

/** Told when another model was taken up, and when one could not be: once for each reason. */
export type ModelListener = (pointer: ModelPointer | null, problem: OrreryError | null) => void;

export interface ModelFollower {
  /** Looks what the address means now. Never rejects; the last good model stays where anything goes wrong. */
  look(): Promise<void>;
  readonly problem: OrreryError | null;
}

export interface FollowOptions {
  readonly uri: ModelUri;
  readonly registry: RegistryClient;
  readonly folder: string;
  readonly onModel: ModelListener;
}

/**
 * Keeps the newest good model of an address in the cache's folder. A model is fetched, read and made ready here before anything points at it, so
 * that no worker meets one that cannot serve.
 */
export function followModel({ uri, registry, folder, onModel }: FollowOptions): ModelFollower {
  let problem: OrreryError | null = null;
  let looking: Promise<void> | null = null;
  /** What could not be served does not get better by being fetched again. */
  let refused: string | null = null;

  async function renew(): Promise<void> {
    const place = await placeOf(uri, registry);
    const identity = place.identity;
    if (identity === readPointer(folder)?.identity || identity === refused) {
      if (identity !== refused) problem = null;
      return;
    }
    try {
      const { files } = await loadModelFolder((path) => place.read(path));
      const pointer = takeUp(folder, { identity, version: place.version, location: place.location }, files);
      refused = null;
      problem = null;
      onModel(pointer, null);
    } catch (error) {
      const trouble = toOrreryError(error);
      if (trouble.kind !== "unavailable") refused = identity;
      throw trouble;
    }
  }

  return {
    look() {
      looking ??= renew()
        .catch((error: unknown) => {
          const trouble = toOrreryError(error);
          if (trouble.message !== problem?.message) onModel(null, trouble);
          problem = trouble;
        })
        .finally(() => {
          looking = null;
        });
      return looking;
    },
    get problem() {
      return problem;
    },
  };
}

/** Whether looking again can find another model. */
export const isFollowed = (uri: ModelUri): boolean => moves(uri);

interface Place extends ModelPlace {
  readonly identity: string;
  read(path: string): Promise<Uint8Array>;
}

async function placeOf(uri: ModelUri, registry: RegistryClient): Promise<Place> {
  if (uri.kind === "folder") return folderPlace(uri.path);
  const place = await remotePlace(uri, registry);
  return {
    ...place,
    identity: JSON.stringify([place.version, place.location]),
    read: (path) => registry.file(place.location, path),
  };
}

function remotePlace(uri: Exclude<ModelUri, { kind: "folder" }>, registry: RegistryClient): Promise<ModelPlace> {
  switch (uri.kind) {
    case "alias":
      return registry.byAlias(uri.name, uri.alias);
    case "version":
      return registry.byVersion(uri.name, uri.version);
    case "stage":
      return registry.byStage(uri.name, uri.stage);
    case "logged":
      return registry.byLoggedModel(uri.id);
    case "run":
      return registry.byRun(uri.run, uri.path);
  }
}

async function folderPlace(path: string): Promise<Place> {
  const read = (below: string) => readBelow(path, below);
  const mlmodel = await read("MLmodel");
  const { mtimeMs } = await lstat(join(path, "MLmodel"));
  const hash = createHash("sha256").update(mlmodel).digest("hex");
  return { version: null, location: path, identity: JSON.stringify([path, hash, mtimeMs]), read };
}

/** A file of the folder; a link out of it is not followed. @throws SERVING_MODEL_MISSING, SERVING_MODEL_ELSEWHERE */
async function readBelow(folder: string, path: string): Promise<Uint8Array> {
  let place: string;
  let root: string;
  try {
    root = await realpath(folder);
    place = await realpath(join(folder, path));
  } catch (cause) {
    throw servingErrors.SERVING_MODEL_MISSING(`there is no ${path} in ${folder}`, { cause });
  }
  if (!place.startsWith(root + sep)) throw servingErrors.SERVING_MODEL_ELSEWHERE(`${path} leads out of ${folder}`);
  const file = await open(place);
  try {
    const { size } = await file.stat();
    if (size > MOST_FILE_BYTES) throw servingErrors.SERVING_MODEL_ELSEWHERE(`${path} has more than ${MOST_FILE_BYTES} bytes`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}
