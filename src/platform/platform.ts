import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { openLocalExecutor } from "../adapters/executors/local.ts";
import { isOnlineMade, openOnline } from "../adapters/online/open-online.ts";
import { openDuckDb } from "../adapters/tables/duckdb.ts";
import type { References, Snapshot } from "../core/data/index.ts";
import type { PipelineDefinition, ProjectDefinition } from "../core/definitions/index.ts";
import type { RebuiltTrainingSet } from "../core/features/index.ts";
import type { ConsistencyReport } from "../core/monitoring/index.ts";
import { createPipelineEngine, type PipelineEngine, type PipelineLog, type RunTrigger } from "../core/pipelines/index.ts";
import type { ArtifactStore, Clock, Executor, MetadataStore, OnlineStore, TableEngine } from "../core/ports/index.ts";
import { createRegistry, type Registry } from "../core/registry/index.ts";
import type { Actor, Scope } from "../core/scope.ts";
import { createTracking, type Tracking } from "../core/tracking/index.ts";
import { deployedPlans } from "./deployed-plans.ts";
import { createEffects } from "./effects.ts";
import { blockedRows } from "./erase/blocked-rows.ts";
import { type Erasures, openErasures } from "./erase/erase-entities.ts";
import { platformErrors } from "./errors.ts";
import { Gate } from "./gate.ts";
import { CONFIG_FILE, loadProject } from "./load-project.ts";
import { buildPlan, type Suspicion } from "./plans.ts";
import { openPush } from "./push/open-push.ts";
import type { PushRoom } from "./push/push-room.ts";
import { takesPushes } from "./push/takes-pushes.ts";
import { recordConsistency } from "./record-consistency.ts";
import { recordSnapshots } from "./record-snapshots.ts";
import type { CheckConsistencyOutput } from "./stages/check-consistency.ts";
import type { ConsistencyOptions } from "./stages/consistency.ts";
import type { CounterfactualOutput, CounterfactualQuestion } from "./stages/counterfactuals.ts";
import type { RefreshInput, RefreshOutput } from "./stages/refresh.ts";
import type { RenewOutput } from "./stages/renew-online.ts";
import type { TrainingRowsOutput, TrainingRowsQuestion } from "./stages/training-rows.ts";
import { lockStateFolder, prepareStateFolder, type StatePaths, statePaths } from "./state-folder.ts";
import { openStores, storeSettings } from "./stores.ts";
import { rebuildInput } from "./training-sets.ts";

export interface PlatformOptions {
  readonly projectDirectory: string;
  readonly stateDirectory: string;
  readonly clock: Clock;
  readonly log: PipelineLog;
  readonly workspace?: string;
  /** Worker processes for pipeline steps. */
  readonly workers?: number;
}

/** A project with everything it needs to run: the owner of its state folder. */
export interface Platform {
  readonly project: ProjectDefinition;
  readonly projectDirectory: string;
  readonly scope: Scope;
  readonly paths: StatePaths;
  readonly clock: Clock;
  readonly store: MetadataStore;
  readonly artifacts: ArtifactStore;
  readonly tracking: Tracking;
  readonly registry: Registry;
  readonly pipelines: PipelineEngine;
  /** For questions of people; opened at the first. */
  engine(): Promise<TableEngine>;
  /** The online store to read; `null` before anything was materialized. */
  online(): OnlineStore | null;
  /** @throws PROJECT_PIPELINE_UNKNOWN */
  pipelineNamed(name: string): PipelineDefinition;
  startPipeline(
    name: string,
    options: { trigger: RunTrigger; actor: Actor; dedupeKey?: string; suspicion?: Suspicion; traceId?: string },
  ): Promise<string>;
  /** Takes rows of sources that they are pushed to; null where the project has none. */
  readonly push: PushRoom | null;
  /** Takes everything of an entity out of what was kept. */
  readonly erasures: Erasures;
  /**
   * Takes in what arrived and brings the online store up to now.
   * @param recordedBy puts snapshots whose rows are new on record; absent: none, since a refresh every hour would leave thousands
   */
  refresh(recordedBy?: Actor): Promise<RefreshOutput>;
  /** Refreshes, compares online reads and logged predictions with the offline values, keeps the report, and alerts. */
  checkConsistency(options: ConsistencyOptions): Promise<ConsistencyReport>;
  /** In a worker. @throws what stages/counterfactuals.ts throws, EXECUTOR_STEP_TIMEOUT */
  counterfactuals(question: CounterfactualQuestion): Promise<CounterfactualOutput>;
  /**
   * Historical features of rows that somebody sent, in a worker; its files stay until the folder is removed.
   * @throws what stages/training-rows.ts throws, EXECUTOR_STEP_TIMEOUT
   */
  trainingRows(question: Omit<TrainingRowsQuestion, "snapshots">): Promise<TrainingRowsOutput>;
  /**
   * Builds a saved training set again from its record, in a process of its own.
   * @throws FEATURE_SET_…, and what building a training set throws
   */
  rebuildTrainingSet(id: string): Promise<RebuiltTrainingSet>;
  close(): Promise<void>;
}

/** Somebody is waiting for the answer. */
const QUESTION_TIMEOUT_MS = 60_000;
/** As long as somebody may wait for a large training set. */
const TRAINING_ROWS_TIMEOUT_MS = 60 * 60_000;
const WORKER_MEMORY_MB = 1_024;

/**
 * Opens a project: locks its state folder, migrates what has to be, and takes up pipeline runs that were cut off.
 * @throws PROJECT_FILE_…, STATE_…
 */
export async function openPlatform(options: PlatformOptions): Promise<Platform> {
  const { projectDirectory, stateDirectory, clock, log } = options;
  const project = await loadProject(projectDirectory);
  const scope: Scope = { workspace: options.workspace ?? "default", project: project.name };
  const paths = statePaths(stateDirectory, scope);
  prepareStateFolder(paths);
  const lock = lockStateFolder(paths);
  try {
    const { store, artifacts, close: closeStores } = await openStores(storeSettings(), paths, clock);
    // A database may be shared by several machines: one of them runs this project's pipelines.
    const claim = await store.claim(`project ${scope.workspace}/${scope.project}`).catch(async (error: unknown) => {
      await closeStores();
      throw error;
    });
    // Inference servers open it to read, before anything has been materialized.
    const onlineSettings = { url: storeSettings().online, directory: paths.online };
    if (!isOnlineMade(onlineSettings)) await openOnline(onlineSettings).close();
    const tracking = createTracking({ store, artifacts, clock, scope });
    const registry = createRegistry({ store, clock, scope });
    const workers = options.workers ?? 2;
    const executor = openLocalExecutor({ workers, memoryLimitMb: WORKER_MEMORY_MB, log });
    // One process opens an LMDB folder once: what is written here is read through the same store.
    const written = takesPushes(project) ? openOnline(onlineSettings) : null;
    let read: OnlineStore | null = null;
    const online = () =>
      written ?? (read ??= isOnlineMade(onlineSettings) ? openOnline({ ...onlineSettings, readOnly: true }) : null);
    const effects = createEffects({
      project,
      projectDirectory,
      scope,
      paths,
      clock,
      store,
      artifacts,
      tracking,
      registry,
      online,
    });
    const pipelines = createPipelineEngine({
      store,
      executor,
      clock,
      scope,
      log,
      effects,
      concurrency: workers,
      context: { projectDirectory, stateDirectory },
    });
    claim.lost.addEventListener("abort", () => {
      log.error(
        { project: scope.project },
        "another process runs this project now; pipelines are stopped here, and no rows are taken",
      );
      void pipelines.close();
    });
    let engine: Promise<TableEngine> | null = null;
    const latestSnapshots = () => latest(tracking, project);
    // Apart from the steps' workers, which a training may occupy for an hour. Its process starts with the first question.
    const questions = openLocalExecutor({ workers: 1, memoryLimitMb: WORKER_MEMORY_MB, log });
    const trainingRows = openLocalExecutor({ workers: 1, memoryLimitMb: WORKER_MEMORY_MB, log });
    const environment = () => ({ projectDirectory, stateDirectory, scope, now: clock.now() });
    const references = async () => withSources(project, await latestSnapshots());
    const plans = () => deployedPlans(paths, clock.now()).map(({ plan }) => plan);
    const blocked = () => blockedRows(store, scope, project);
    const push =
      written === null
        ? null
        : await openPush({
            ...{ project, paths, scope, clock, artifacts, references, plans, blocked },
            ...{ online: written, journal: log, lost: claim.lost },
          });
    let refreshed: Readonly<Record<string, Snapshot>> | null = null;
    // Whatever reads or writes rows goes through it, so that an erasure finds them all.
    const gate = new Gate();
    /** In a new process, which has the project's file as it is now, and memory that never held any row. */
    const runApart = async <Output>(name: PlatformStage, input: unknown): Promise<Output> => {
      const apart = openLocalExecutor({ workers: 1, memoryLimitMb: WORKER_MEMORY_MB, log });
      return runStage<Output>(apart, name, input, environment()).finally(() => apart.close());
    };
    const erasures = openErasures({
      ...{ project, scope, store, artifacts, tracking, clock, log, push, gate },
      engine: () => (engine ??= openOwnEngine(paths)),
      eraseFiles: (question) => runStage(questions, "erase", question, environment()),
      renewOnline: async (input) => {
        const { snapshots, notRead } = await runApart<RenewOutput>("renew-online", input);
        if (notRead !== null) log.warn({ error: notRead }, "online values are as of the last snapshots: sources cannot be read");
        return snapshots;
      },
      scrubOnline: async () => {
        await runApart("scrub-online", {});
      },
      held: async () => newest(await latestSnapshots(), refreshed ?? {}),
      hold: (snapshots) => {
        refreshed = snapshots;
      },
    });
    return {
      project,
      projectDirectory,
      scope,
      paths,
      clock,
      store,
      artifacts,
      tracking,
      registry,
      pipelines,
      engine: () => (engine ??= openOwnEngine(paths)),
      push,
      erasures,
      online,
      pipelineNamed: (name) => pipelineNamed(project, name),
      startPipeline: (name, { trigger, actor, dedupeKey = randomUUID(), suspicion, traceId }) =>
        gate.shared(async () => {
          const plan = buildPlan(project, pipelineNamed(project, name), {
            config: pathToFileURL(join(projectDirectory, CONFIG_FILE)).href,
            previous: await latestSnapshots(),
            suspicion: suspicion ?? null,
          });
          return pipelines.start(plan, { trigger, actor, dedupeKey, ...(traceId === undefined ? {} : { traceId }) });
        }),
      refresh: (recordedBy) =>
        gate.shared(async () => {
          const previous = refreshed ?? (await latestSnapshots());
          const input: RefreshInput = { previous, countRows: recordedBy !== undefined };
          const output = await runStage<RefreshOutput>(executor, "refresh", input, environment());
          refreshed = output.snapshots;
          // Within the gate: an erasure finds them held or on record.
          if (recordedBy !== undefined) await recordSnapshots(tracking, output.snapshots, recordedBy);
          return { ...output, views: [...output.views, ...((await push?.settle()) ?? [])] };
        }),
      checkConsistency: (options) =>
        gate.shared(async () => {
          const previous = refreshed ?? (await latestSnapshots());
          const input = { ...options, previous };
          const { snapshots, report } = await runStage<CheckConsistencyOutput>(
            executor,
            "check-consistency",
            input,
            environment(),
          );
          refreshed = snapshots;
          await recordConsistency(store, scope, report);
          return report;
        }),
      counterfactuals: (question) =>
        gate.shared(() =>
          runStage<CounterfactualOutput>(questions, "counterfactuals", question, environment(), {
            timeoutMs: QUESTION_TIMEOUT_MS,
          }),
        ),
      trainingRows: (question) =>
        gate.shared(async () => {
          const snapshots = newest(await latestSnapshots(), refreshed ?? {});
          const limits = { timeoutMs: TRAINING_ROWS_TIMEOUT_MS };
          return runStage<TrainingRowsOutput>(trainingRows, "training-rows", { ...question, snapshots }, environment(), limits);
        }),
      rebuildTrainingSet: (id) =>
        gate.shared(async () => {
          const input = await rebuildInput({ store, scope, artifacts, tracking }, id);
          return runStage<RebuiltTrainingSet>(trainingRows, "rebuild-training-set", input, environment(), {
            timeoutMs: TRAINING_ROWS_TIMEOUT_MS,
          });
        }),
      async close() {
        await pipelines.close();
        await executor.close();
        await questions.close();
        await trainingRows.close();
        await push?.close();
        (await engine)?.close();
        await read?.close();
        await claim.release();
        await closeStores();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function latest(tracking: Tracking, project: ProjectDefinition): Promise<Record<string, Snapshot>> {
  const found = await Promise.all(project.sources.map(async ({ name }) => [name, await tracking.latestSnapshot(name)] as const));
  return Object.fromEntries(found.filter((entry): entry is [string, Snapshot] => entry[1] !== null));
}

/** Of each source the snapshot that was taken last. */
function newest(some: Readonly<Record<string, Snapshot>>, others: Readonly<Record<string, Snapshot>>): Record<string, Snapshot> {
  const found: Record<string, Snapshot> = { ...some };
  for (const [source, snapshot] of Object.entries(others))
    if (!(source in found) || found[source].createdAt < snapshot.createdAt) found[source] = snapshot;
  return found;
}

function withSources({ sources }: ProjectDefinition, snapshots: Readonly<Record<string, Snapshot>>): References {
  return new Map(
    sources.flatMap((source) => {
      const snapshot = snapshots[source.name];
      return snapshot === undefined ? [] : [[source.name, { snapshot, source }] as const];
    }),
  );
}

function pipelineNamed(project: ProjectDefinition, name: string): PipelineDefinition {
  const found = project.pipelines.find((pipeline) => pipeline.name === name);
  if (found === undefined) {
    const known = project.pipelines.map((pipeline) => pipeline.name).join(", ");
    throw platformErrors.PROJECT_PIPELINE_UNKNOWN(`The project has no pipeline "${name}"; it has ${known || "none"}`);
  }
  return found;
}

type PlatformStage =
  | "refresh"
  | "check-consistency"
  | "counterfactuals"
  | "training-rows"
  | "rebuild-training-set"
  | "erase"
  | "renew-online"
  | "scrub-online";

/** Runs a stage outside of any pipeline run. */
async function runStage<Output>(
  executor: Executor,
  name: PlatformStage,
  input: unknown,
  context: Record<string, unknown>,
  limits: { readonly timeoutMs?: number } = {},
): Promise<Output> {
  const module = new URL(`./stages/${name}.ts`, import.meta.url).href;
  // What the module answers is what its stage makes.
  return (await executor.submit({ id: `${name}-${randomUUID()}`, module, input, context, ...limits }).result) as Output;
}

function openOwnEngine(paths: StatePaths): Promise<TableEngine> {
  const tempDirectory = `${paths.tmp}/duckdb-${process.pid}`;
  mkdirSync(tempDirectory, { recursive: true });
  return openDuckDb({ memoryLimit: "512MB", threads: 1, tempDirectory });
}
