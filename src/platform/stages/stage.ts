import { openOnline } from "../../adapters/online/open-online.ts";
import { openDuckDb } from "../../adapters/tables/duckdb.ts";
import type { ProjectDefinition } from "../../core/definitions/index.ts";
import {
  type ArtifactRef,
  type ArtifactStore,
  type MetadataStore,
  type OnlineStore,
  type TableEngine,
  VirtualClock,
} from "../../core/ports/index.ts";
import type { Scope } from "../../core/scope.ts";
import type { Micros } from "../../core/time.ts";
import { loadProject } from "../load-project.ts";
import { type StatePaths, statePaths } from "../state-folder.ts";
import { openArtifacts, openMetadata, storeSettings } from "../stores.ts";

/** What the control plane tells every step; travels as JSON with the task. */
export interface StageEnvironment {
  readonly projectDirectory: string;
  readonly stateDirectory: string;
  readonly scope: Scope;
  /** The control plane's time when the run was started: a step never asks the machine. */
  readonly now: Micros;
  readonly actor: string;
  readonly runId: string;
  readonly traceId: string;
}

/** A worker process's own engines: opened at the first step that needs them, kept warm for the next. */
export interface Stage {
  readonly environment: StageEnvironment;
  readonly project: ProjectDefinition;
  readonly paths: StatePaths;
  readonly artifacts: ArtifactStore;
  engine(): Promise<TableEngine>;
  online(): OnlineStore;
  /** Read-only: a worker hands its results back, the owner writes them. */
  metadata(): Promise<MetadataStore>;
  putJson(value: unknown): Promise<ArtifactRef>;
  readJson<T>(ref: Pick<ArtifactRef, "sha256">): Promise<T>;
}

interface Warm {
  readonly project: ProjectDefinition;
  readonly artifacts: ArtifactStore;
  engine?: Promise<TableEngine>;
  online?: OnlineStore;
  metadata?: Promise<MetadataStore>;
}

const warm = new Map<string, Warm>();

export async function openStage(environment: StageEnvironment): Promise<Stage> {
  const { projectDirectory, stateDirectory, scope } = environment;
  const paths = statePaths(stateDirectory, scope);
  const kept = warm.get(stateDirectory) ?? {
    project: await loadProject(projectDirectory),
    // The environment is the owner's: it says which stores.
    artifacts: await openArtifacts(storeSettings(), paths),
  };
  warm.set(stateDirectory, kept);
  const { artifacts } = kept;
  return {
    environment,
    project: kept.project,
    paths,
    artifacts,
    engine: () => (kept.engine ??= openDuckDb({ tempDirectory: `${paths.tmp}/duckdb-${process.pid}` })),
    online: () => (kept.online ??= openOnline({ url: storeSettings().online, directory: paths.online })),
    metadata: () => (kept.metadata ??= openMetadata(storeSettings(), paths, new VirtualClock(environment.now), true)),
    putJson: (value) => artifacts.put(JSON.stringify(value), "application/json"),
    readJson: async (ref) => JSON.parse(Buffer.from(await artifacts.read(ref.sha256)).toString("utf8")),
  };
}

/** What the executor passes beside the input. */
interface StepContext {
  readonly context: Readonly<Record<string, unknown>>;
  progress(progress: unknown): void;
}

/** Makes a step module's default export of a function that works on an opened stage. */
export const stage =
  <Input, Output>(work: (stage: Stage, input: Input, progress: (done: unknown) => void) => Promise<Output>) =>
  async (input: Input, { context, progress }: StepContext): Promise<Output> =>
    work(await openStage(context as unknown as StageEnvironment), input, progress);
