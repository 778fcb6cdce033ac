import { watch } from "node:fs";
import { type OrreryError, toOrreryError } from "../../core/errors.ts";
import type { GraphModel } from "../../core/training/formats/mlflow-model/graph-model.ts";
import type { Signature } from "../../core/training/formats/mlflow-model/signature.ts";
import { loadCached, type ModelPointer, readPointer } from "./model-cache.ts";

/** A model in this process's memory. */
export interface ReadyModel {
  readonly pointer: ModelPointer;
  readonly signature: Signature;
  readonly model: GraphModel;
}

export interface ServedModel {
  /** null before the first one. Whoever has begun with one ends with it. */
  readonly current: ReadyModel | null;
  readonly problem: OrreryError | null;
  /** Takes up what the pointer says now. Never rejects. */
  look(): Promise<void>;
}

const POLL_MS = 500;

/** Follows the pointer of a cache's folder: another model is loaded beside the one that answers, and takes its place at once. */
export function serveModel(
  folder: string,
  onModel: (ready: ReadyModel | null, problem: OrreryError | null) => void,
): ServedModel {
  let current: ReadyModel | null = null;
  let problem: OrreryError | null = null;
  let looking: Promise<void> | null = null;
  /** A revision never changes: one that could not be loaded is not tried twice. */
  let refused: number | null = null;

  async function renew(): Promise<void> {
    const pointer = readPointer(folder);
    if (pointer === null || pointer.revision === current?.pointer.revision || pointer.revision === refused) return;
    try {
      const { model, mlmodel } = await loadCached(folder, pointer);
      current = { pointer, model, signature: mlmodel.signature };
      problem = null;
      onModel(current, null);
    } catch (error) {
      problem = toOrreryError(error);
      refused = pointer.revision;
      onModel(null, problem);
    }
  }

  return {
    look() {
      looking ??= renew().finally(() => {
        looking = null;
      });
      return looking;
    },
    get current() {
      return current;
    },
    get problem() {
      return problem;
    },
  };
}

/** The watcher is quick, the timer is sure: file systems do lose events. */
export function keepLooking(folder: string, served: Pick<ServedModel, "look">): void {
  const watcher = watch(folder, () => void served.look());
  watcher.on("error", () => watcher.close());
  watcher.unref();
  setInterval(() => void served.look(), POLL_MS).unref();
}
