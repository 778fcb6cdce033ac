import { createReadStream } from "node:fs";
import {
  type ArtifactSource,
  type EndableRun,
  type EndStatus,
  type LogEntry,
  RunLog,
  type RunOptions,
} from "../../client/tracking/index.ts";
import type { ArtifactFile } from "../../contract/index.ts";
import type { ArtifactRef, ArtifactStore } from "../../core/ports/index.ts";
import type { Micros } from "../../core/time.ts";
import { platformErrors } from "../errors.ts";

/** What code within a step logged: plain JSON, recorded with the step's run by the owner of the state. */
export interface StepLog {
  readonly entries: readonly LogEntry[];
  readonly files: readonly { readonly path: string; readonly ref: ArtifactRef }[];
  readonly nested: readonly NestedLog[];
}

export interface NestedLog extends StepLog {
  readonly name: string | null;
  readonly tags: Readonly<Record<string, string>>;
  readonly startedAt: Micros;
  readonly endedAt: Micros;
  readonly status: EndStatus;
}

/** Of one step, nested runs and all: it is kept in memory until the step is done. */
const MOST_ENTRIES = 200_000;
const MOST_NESTED = 1_000;

/**
 * The run of a pipeline's step, while the step works: a worker process writes nothing to the state, so that what is logged is collected and
 * handed back with the step's output. A step that fails leaves no run, and nothing of it.
 */
export class StepRun extends RunLog implements EndableRun {
  readonly id = null;
  readonly #artifacts: ArtifactStore;
  readonly #now: () => Micros;
  readonly #room: { entries: number; nested: number };
  readonly #entries: LogEntry[] = [];
  readonly #files: { path: string; ref: ArtifactRef }[] = [];
  readonly #nested: { options: RunOptions; run: StepRun }[] = [];
  readonly #startedAt: Micros;
  #end: { readonly status: EndStatus; readonly at: Micros } | null = null;

  constructor(artifacts: ArtifactStore, now: () => Micros, room = { entries: MOST_ENTRIES, nested: MOST_NESTED }) {
    super();
    this.#artifacts = artifacts;
    this.#now = now;
    this.#room = room;
    this.#startedAt = now();
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0 && this.#files.length === 0 && this.#nested.length === 0;
  }

  /** @throws PROJECT_STEP_LOGS_TOO_MUCH */
  async startNested(options: RunOptions = {}): Promise<StepRun> {
    this.#room.nested -= 1;
    if (this.#room.nested < 0)
      throw platformErrors.PROJECT_STEP_LOGS_TOO_MUCH(`A step can have ${MOST_NESTED} runs below its own`);
    const run = new StepRun(this.#artifacts, this.#now, this.#room);
    this.#nested.push({ options, run });
    if (options.params !== undefined) run.logParams(options.params);
    return run;
  }

  async end(status: EndStatus = "finished"): Promise<void> {
    this.#end ??= { status, at: this.#now() };
  }

  collected(): StepLog {
    return {
      entries: this.#entries,
      files: this.#files,
      nested: this.#nested.map(({ options, run }) => ({
        name: options.name ?? null,
        tags: options.tags ?? {},
        startedAt: run.#startedAt,
        // One that nobody ended ended with the step.
        endedAt: run.#end?.at ?? this.#now(),
        status: run.#end?.status ?? "finished",
        ...run.collected(),
      })),
    };
  }

  protected record(entry: LogEntry): void {
    this.#room.entries -= 1;
    if (this.#room.entries < 0)
      throw platformErrors.PROJECT_STEP_LOGS_TOO_MUCH(`A step can log ${MOST_ENTRIES} metrics, params and tags`);
    this.#entries.push(entry);
  }

  protected async store(path: string, source: ArtifactSource, mediaType: string): Promise<ArtifactFile> {
    const ref =
      source.from === "bytes"
        ? await this.#artifacts.put(source.bytes, mediaType)
        : await this.#artifacts.putStream(source.from === "file" ? createReadStream(source.path) : source.stream, mediaType);
    this.#files.push({ path, ref });
    return { path, ...ref };
  }
}

/** When the first thing in it happened; Infinity where nothing has a time. */
export function startOf({ entries, nested }: StepLog): Micros {
  let first = Number.POSITIVE_INFINITY;
  for (const entry of entries) if ("at" in entry) first = Math.min(first, entry.at);
  for (const each of nested) first = Math.min(first, each.startedAt, startOf(each));
  return first;
}
