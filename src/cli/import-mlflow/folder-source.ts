import { closeSync, constants, createReadStream, fstatSync, openSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { parse } from "yaml";
import { z } from "zod";
import type { LocalFiles } from "./local-files.ts";
import {
  experimentRecord,
  loggedModelRecord,
  type MlflowSource,
  type Report,
  readRecord,
  registeredModelRecord,
  runRecord,
  type SourceFile,
  type SourceMetric,
  type SourceRun,
  type SourceValue,
  type SourceVersion,
  versionRecord,
} from "./source-records.ts";

const RESERVED = new Set(["models", "datasets", "tags", "traces", "artifacts"]);
const STATUSES = ["", "RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"];
/** A description of a data set has up to 16 MB, other files less. */
const MOST_BYTES = 32 * 1024 * 1024;
const DEEPEST = 16;

const meta = z.record(z.string(), z.unknown());
const input = z.object({
  source_type: z.string(),
  source_id: z.string(),
  destination_id: z.string().default(""),
  tags: z.record(z.string(), z.string()).nullish(),
  step: z.number().default(0),
});

/** A folder of MLflow's file store ("mlruns"): an experiment a folder, a run a folder below it, a file a param, tag or metric. */
export class FolderSource implements MlflowSource {
  readonly origin: string;
  readonly #root: string;
  readonly #files: LocalFiles;
  readonly #report: Report;
  /** Where experiments and runs lie: those that were deleted are elsewhere. */
  readonly #folders = new Map<string, string>();

  constructor(root: string, files: LocalFiles, report: Report) {
    this.#root = realpathSync(root);
    this.origin = pathToFileURL(this.#root).href;
    this.#files = files;
    this.#report = report;
  }

  async *experiments() {
    for (const parent of [this.#root, join(this.#root, ".trash")])
      for (const name of folders(parent)) {
        if (name === ".trash" || (parent === this.#root && name === "models")) continue;
        const folder = join(parent, name);
        const raw = this.#meta(folder, `experiment ${name}`);
        if (raw === undefined) continue;
        const record = { ...raw, experiment_id: name, tags: this.#entries(join(folder, "tags")) };
        const experiment = readRecord(experimentRecord, record, `experiment ${name}`, this.#report);
        if (experiment === undefined) continue;
        this.#folders.set(name, folder);
        yield experiment;
      }
  }

  async *runs(experimentId: string) {
    const parent = this.#folder(experimentId);
    for (const id of folders(parent)) {
      if (RESERVED.has(id)) continue;
      const folder = join(parent, id);
      const raw = this.#meta(folder, `run ${id}`);
      if (raw === undefined) continue;
      const { tags, ...info } = raw;
      const metrics = names(join(folder, "metrics")).map((key) => ({ key }));
      const record = {
        info: {
          ...info,
          run_id: info.run_id ?? info.run_uuid,
          run_name: info.run_name ?? info.name,
          status: statusOf(info.status),
        },
        data: { metrics, params: this.#entries(join(folder, "params")), tags: this.#entries(join(folder, "tags")) },
        ...this.#inputsAndOutputs(parent, folder),
      };
      const run = readRecord(runRecord, record, `run ${id}`, this.#report);
      if (run === undefined) continue;
      if (run.info.run_id !== id) this.#report(`run ${id}`, `its meta.yaml says that it is ${run.info.run_id.slice(0, 100)}`);
      else {
        this.#folders.set(id, folder);
        yield run;
      }
    }
  }

  complete = async (run: SourceRun): Promise<SourceRun> => run;

  async *loggedModels(experimentId: string) {
    const parent = join(this.#folder(experimentId), "models");
    for (const id of folders(parent)) {
      const folder = join(parent, id);
      const raw = this.#meta(folder, `logged model ${id}`);
      if (raw === undefined || raw.lifecycle_stage === "deleted") continue;
      const record = {
        info: {
          ...raw,
          model_id: id,
          experiment_id: experimentId,
          artifact_uri: raw.artifact_location,
          creation_timestamp_ms: raw.creation_timestamp,
          last_updated_timestamp_ms: raw.last_updated_timestamp,
          tags: this.#entries(join(folder, "tags")),
        },
        data: {
          params: this.#entries(join(folder, "params")),
          metrics: names(join(folder, "metrics")).flatMap((key) => this.#modelMetrics(folder, key)),
        },
      };
      const model = readRecord(loggedModelRecord, record, `logged model ${id}`, this.#report);
      if (model !== undefined) yield model;
    }
  }

  async *registeredModels() {
    const parent = join(this.#root, "models");
    for (const name of folders(parent)) {
      const folder = join(parent, name);
      const raw = this.#meta(folder, `registered model ${name}`);
      if (raw === undefined) continue;
      const aliases = this.#entries(join(folder, "aliases")).map(({ key, value }) => ({ alias: key, version: value }));
      const record = { ...raw, name, aliases, tags: this.#entries(join(folder, "tags")) };
      const model = readRecord(registeredModelRecord, record, `registered model ${name}`, this.#report);
      if (model !== undefined) yield model;
    }
  }

  async versions(name: string) {
    const parent = join(this.#root, "models", name);
    const found = folders(parent).flatMap((each): SourceVersion[] => {
      if (!/^version-\d+$/.test(each)) return [];
      const folder = join(parent, each);
      const what = `${each} of ${name}`;
      const raw = this.#meta(folder, what);
      if (raw === undefined || raw.current_stage === "Deleted_Internal") return [];
      const record = { ...raw, name, version: each.slice("version-".length), tags: this.#entries(join(folder, "tags")) };
      const version = readRecord(versionRecord, record, what, this.#report);
      return version === undefined ? [] : [version];
    });
    return found.sort((a, b) => a.version - b.version);
  }

  async *history({ info }: SourceRun, key: string): AsyncGenerator<SourceMetric> {
    const path = join(this.#folder(info.run_id), "metrics", key);
    const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
    let number = 0;
    for await (const line of createInterface({ input: createReadStream("", { fd: handle, encoding: "utf8" }) })) {
      number += 1;
      if (line.trim() === "") continue;
      const [timestamp = "", value = "", step = "0"] = line.trim().split(" ");
      const read = numberIn(value);
      if (read === undefined || !isWhole(timestamp) || !isWhole(step))
        this.#report(`metric ${key} of run ${info.run_id}`, `line ${number} cannot be read`);
      else yield { key, value: read, timestamp: Number(timestamp), step: Number(step) };
    }
  }

  files = (uri: string): AsyncIterable<SourceFile> | null => this.#files.below(uri);

  close(): void {}

  #folder = (id: string): string => this.#folders.get(id) ?? join(this.#root, id);

  #meta(folder: string, what: string): Record<string, unknown> | undefined {
    try {
      return readRecord(meta, parse(contents(join(folder, "meta.yaml")), { maxAliasCount: 0 }), what, this.#report);
    } catch (error) {
      this.#report(what, `its meta.yaml cannot be read: ${error instanceof Error ? error.message : ""}`);
      return undefined;
    }
  }

  #entries(folder: string): { key: string; value: string }[] {
    return names(folder).flatMap((key) => {
      try {
        return { key, value: contents(join(folder, key)) };
      } catch (error) {
        this.#report(`${key} in ${folder.slice(this.#root.length)}`, error instanceof Error ? error.message : "");
        return [];
      }
    });
  }

  #inputsAndOutputs(experiment: string, run: string) {
    const read = (kind: "inputs" | "outputs") =>
      folders(join(run, kind)).flatMap((id) => {
        const what = `${kind} ${id} of run ${run.slice(this.#root.length)}`;
        const raw = this.#meta(join(run, kind, id), what);
        return raw === undefined ? [] : (readRecord(input, raw, what, this.#report) ?? []);
      });
    const inputs = read("inputs");
    return {
      inputs: {
        dataset_inputs: inputs.flatMap(({ source_type, source_id, tags }) => {
          if (source_type !== "DATASET" || !/^\w+$/.test(source_id)) return [];
          const dataset = this.#meta(join(experiment, "datasets", source_id), `data set ${source_id}`);
          const entries = Object.entries(tags ?? {}).map(([key, value]) => ({ key, value }));
          return dataset === undefined ? [] : [{ dataset, tags: entries }];
        }),
        model_inputs: inputs.flatMap(({ source_type, source_id }) => (source_type === "MODEL" ? [{ model_id: source_id }] : [])),
      },
      outputs: { model_outputs: read("outputs").map(({ destination_id, step }) => ({ model_id: destination_id, step })) },
    };
  }

  #modelMetrics(folder: string, key: string) {
    const lines =
      this.#entries(join(folder, "metrics"))
        .find((entry) => entry.key === key)
        ?.value.split("\n") ?? [];
    return lines.flatMap((line) => {
      if (line.trim() === "") return [];
      const [timestamp, value = "", step, run_id, dataset_name, dataset_digest] = line.trim().split(" ");
      return [{ key, timestamp, value: numberIn(value), step, run_id, dataset_name, dataset_digest }];
    });
  }
}

/** Whether a folder looks like a file store's. */
export const isFileStore = (folder: string): boolean =>
  folders(folder).some((name) => names(join(folder, name)).includes("meta.yaml")) || folders(folder).includes(".trash");

/** Symbolic links are none. */
function folders(parent: string): string[] {
  return entriesOf(parent)
    .flatMap((entry) => (entry.isDirectory() ? entry.name : []))
    .sort();
}

/** Files below a folder: a key with a "/" is a file in a folder. */
function names(folder: string, below = "", depth = 0): string[] {
  return entriesOf(join(folder, below))
    .flatMap((entry) => {
      const name = below === "" ? entry.name : `${below}/${entry.name}`;
      if (entry.isFile()) return name;
      return entry.isDirectory() && depth < DEEPEST ? names(folder, name, depth + 1) : [];
    })
    .sort();
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

/** @throws where it is a link, or larger than anything that MLflow writes */
function contents(path: string): string {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const { size } = fstatSync(file);
    if (size > MOST_BYTES) throw new Error(`it has ${size} bytes, ${MOST_BYTES} are the limit`);
    return readFileSync(file, "utf8");
  } finally {
    closeSync(file);
  }
}

const statusOf = (status: unknown) => (typeof status === "number" ? STATUSES[status] : status);
const isWhole = (text: string) => /^-?\d{1,16}$/.test(text);

/** As Python writes it. */
function numberIn(text: string): SourceValue | undefined {
  const special = { nan: "NaN", inf: "Infinity", "-inf": "-Infinity" } as const;
  const lower = text.toLowerCase();
  if (lower === "nan" || lower === "inf" || lower === "-inf") return special[lower];
  const number = Number(text);
  return text === "" || !Number.isFinite(number) ? undefined : number;
}
