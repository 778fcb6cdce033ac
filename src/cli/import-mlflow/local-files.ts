import { constants, createReadStream, existsSync, lstatSync, realpathSync } from "node:fs";
import { open, readdir } from "node:fs/promises";
import { dirname, isAbsolute, join, sep } from "node:path";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { Report, SourceFile } from "./source-records.ts";

const DEEPEST = 64;

/** Artifacts below one folder. What leads out of it, by a location or a symbolic link, is never read. */
export class LocalFiles {
  readonly #root: string;
  readonly #report: Report;

  constructor(root: string, report: Report) {
    this.#root = realpathSync(root);
    this.#report = report;
  }

  /** The files below a location, none where nothing was ever written to it; null where it is not here. */
  below(uri: string): AsyncIterable<SourceFile> | null {
    const places = this.#places(uri);
    for (const place of places) {
      if (!existsSync(place)) continue;
      const folder = realpathSync(place);
      if (this.#holds(folder) && lstatSync(folder).isDirectory()) return this.#walk(folder);
    }
    // Its experiment has a folder: MLflow makes a run's when there is a first file.
    const isHere = places.some((place) => {
      if (place === pathOf(uri)) return this.#holds(place);
      const experiment = dirname(dirname(place));
      return existsSync(experiment) && this.#holds(realpathSync(experiment));
    });
    return isHere ? nothing() : null;
  }

  #holds = (path: string) => path === this.#root || path.startsWith(this.#root + sep);

  /** Where it may be: as it is written, else under the names it has in a folder that was moved or copied here. */
  #places(uri: string): string[] {
    const path = pathOf(uri);
    if (path === null) return [];
    const parts = path.split("/").filter((part) => part !== "");
    if (parts.includes("..")) return [];
    const [end, below] = parts.at(-3) === "models" ? [4, parts.slice(-4)] : [3, parts.slice(-3)];
    const tail = parts.length >= end && parts.at(-1) === "artifacts" ? below.join("/") : null;
    const proxied = uri.startsWith("mlflow-artifacts:");
    return [
      ...(proxied || !isAbsolute(path) ? [] : [path]),
      ...["", ".trash", "mlruns", "mlartifacts"].flatMap((folder) => [
        ...(proxied || !isAbsolute(path) ? [join(this.#root, folder, ...parts)] : []),
        ...(tail === null ? [] : [join(this.#root, folder, tail)]),
      ]),
    ];
  }

  async *#walk(folder: string): AsyncGenerator<SourceFile> {
    const waiting = [""];
    for (let below = waiting.pop(); below !== undefined; below = waiting.pop()) {
      for (const entry of await readdir(join(folder, below), { withFileTypes: true })) {
        const path = below === "" ? entry.name : `${below}/${entry.name}`;
        if (entry.isFile()) yield { path, open: () => opened(join(folder, path)) };
        else if (!entry.isDirectory()) this.#report(`file ${path}`, "it is a symbolic link or no file at all");
        else if (path.split("/").length < DEEPEST) waiting.push(path);
        else this.#report(`folder ${path}`, "it lies too deep");
      }
    }
  }
}

async function* nothing(): AsyncGenerator<SourceFile> {}

/** Should the file have become a link since it was listed, it is not followed. */
async function opened(path: string): Promise<ReadableStream<Uint8Array>> {
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  return Readable.toWeb(createReadStream("", { fd: handle })) as ReadableStream<Uint8Array>;
}

function pathOf(uri: string): string | null {
  const proxied = /^mlflow-artifacts:(?:\/\/[^/]*)?\/(.*)$/.exec(uri)?.[1];
  if (proxied !== undefined) return proxied;
  if (uri.startsWith("file:")) {
    try {
      return fileURLToPath(uri);
    } catch {
      return null;
    }
  }
  return uri === "" || /^[a-z][a-z0-9+.-]+:/i.test(uri) ? null : uri;
}
