import { join, resolve } from "node:path";
import type { FastifyInstance } from "fastify";
import { createAccess, newSecret } from "../core/access/index.ts";
import { ageOf } from "../core/monitoring/index.ts";
import { createLogger, createMetrics, type Metrics } from "../core/observability/index.ts";
import { type Clock, systemClock } from "../core/ports/index.ts";
import { projectDecisions } from "../platform/model-decisions.ts";
import { openPlatform, type Platform } from "../platform/platform.ts";
import { createScheduler, type Scheduler } from "../platform/scheduler.ts";
import { trackingRooms } from "../platform/tracking-rooms.ts";
import { viewFreshness } from "../platform/view-freshness.ts";
import { announce } from "./announcement.ts";
import { createApp } from "./app.ts";
import type { AccessPolicy } from "./authorise.ts";
import { FEATURE_SERVER, featureServerArguments } from "./feature-process.ts";
import { ensureInference, ensureServer, type InferenceProcess, stopInference } from "./inference-process.ts";
import { listen } from "./listen.ts";
import { mlflowProtocols } from "./protocols/mlflow/protocol.ts";
import { runFileRoutes } from "./routes/artifacts.ts";
import { createHandlers, trackingOfOwn } from "./routes/index.ts";
import { trainingSetRoutes } from "./routes/training-sets.ts";
import type { Certificate } from "./tls.ts";
import { VERSION } from "./version.ts";

export interface ControlPlaneOptions {
  readonly projectDirectory: string;
  readonly stateDirectory: string;
  readonly clock: Clock;
  readonly access: AccessPolicy;
  readonly tls?: Certificate;
  readonly logLevel: string;
  /** How large one artifact may be, in bytes. */
  readonly maxUploadBytes?: number;
}

export interface ControlPlane {
  readonly platform: Platform;
  readonly app: FastifyInstance;
  readonly scheduler: Scheduler;
  close(): Promise<void>;
}

/** Platform, API and scheduler in this process, not listening yet. */
export async function openControlPlane(
  options: ControlPlaneOptions,
  inference: () => readonly InferenceProcess[] = () => [],
): Promise<ControlPlane> {
  const log = createLogger({
    level: options.logLevel,
    file: join(options.stateDirectory, "logs", "control-plane.log"),
    bindings: { process: "control-plane" },
  });
  const platform = await openPlatform({ ...options, log });
  const metrics = createMetrics({ stateDirectory: options.stateDirectory });
  platform.pipelines.subscribe((event) => {
    if (event.kind === "run" && event.status !== "running" && event.status !== "queued")
      metrics.pipelineRuns.inc({ pipeline: event.pipeline, status: event.status });
  });
  const scheduler = createScheduler(platform, log);
  const accounts = createAccess({ store: platform.store, clock: systemClock, workspace: platform.scope.workspace });
  const closeAll = async () => {
    await scheduler.stop();
    metrics.close();
    await accounts.close();
    await platform.close();
  };
  let app: FastifyInstance;
  try {
    app = await createApp({
      scope: platform.scope,
      version: VERSION,
      access: options.access,
      accounts,
      handlers: createHandlers({ platform, scheduler, accounts, version: VERSION, startedAt: Date.now(), inference }),
      protocols: [
        ...mlflowProtocols({
          rooms: platformRooms(platform),
          project: platform.scope.project,
          maxUploadBytes: options.maxUploadBytes,
          publicUrl: options.access.publicUrl,
        }),
        { plugin: runFileRoutes({ trackingOf: trackingOfOwn(platform) }) },
        { plugin: trainingSetRoutes(platform) },
      ],
      metrics: async () => {
        await Promise.all([noteFreshness(metrics, platform), noteAlerts(metrics, platform)]);
        return metrics.registry.metrics();
      },
      logger: log,
      ...(options.tls === undefined ? {} : { tls: options.tls }),
    });
  } catch (error) {
    await closeAll();
    throw error;
  }
  // Before runs go on, whose steps would hold the rows again.
  await platform.erasures.resume();
  await platform.pipelines.resume();
  return {
    platform,
    app,
    scheduler,
    async close() {
      await app.close();
      await closeAll();
    },
  };
}

async function noteFreshness(metrics: Metrics, platform: Platform): Promise<void> {
  const now = platform.clock.now();
  // A store that cannot be read takes no other figure away.
  const views = await viewFreshness(platform).catch(() => []);
  // An earlier version of a view may be gone.
  metrics.featureViewAge.reset();
  metrics.featureViewObjective.reset();
  for (const each of views) {
    const age = ageOf(each, now);
    if (age !== null) metrics.featureViewAge.set({ view: each.view }, age / 1e6);
    if (each.freshWithin !== null) metrics.featureViewObjective.set({ view: each.view }, each.freshWithin / 1e6);
  }
}

/** Alerts that are not resolved; no figure where they cannot be read. */
async function noteAlerts(metrics: Metrics, platform: Platform): Promise<void> {
  const { store, scope } = platform;
  const counted = await store.db
    .selectFrom("alerts")
    .select(({ fn }) => ["endpoint", fn.countAll().as("alerts")])
    .where("workspace", "=", scope.workspace)
    .where("project", "=", scope.project)
    .where("status", "!=", "resolved")
    .groupBy("endpoint")
    .execute()
    .catch(() => null);
  metrics.alertsOpen.reset();
  if (counted === null) return;
  for (const { name } of platform.project.endpoints) metrics.alertsOpen.set({ endpoint: name }, 0);
  for (const { endpoint, alerts } of counted) metrics.alertsOpen.set({ endpoint: endpoint ?? "" }, Number(alerts));
}

/** The project of the control plane, where aliases are deployed, and whatever others are tracked beside it. */
function platformRooms(platform: Platform) {
  const { store, artifacts, clock, scope, tracking, registry } = platform;
  const own = { scope, tracking, registry, artifacts, decisions: projectDecisions(platform) };
  return trackingRooms({ store, artifacts, clock, workspace: scope.workspace, own: [own] });
}

export interface ServeOptions extends ControlPlaneOptions {
  readonly port: number;
  readonly startInference: boolean;
}

interface RunningServer extends InferenceProcess {
  /** "endpoint NAME" or "feature server". */
  readonly name: string;
}

export interface ServingControlPlane {
  readonly url: string;
  /** The servers beside it, when they answer; one that could not be started is not among them. */
  readonly beside: Promise<readonly RunningServer[]>;
  /** Drains and ends the inference servers it started or found, then itself. */
  close(): Promise<void>;
}

/**
 * `orrery up`: the control plane on its port, the scheduler running, an inference server for every endpoint, and the feature server.
 * @throws SERVER_PORT_IN_USE, SERVER_TOKEN_MISSING and everything opening the platform says
 */
export async function serveControlPlane(options: ServeOptions): Promise<ServingControlPlane> {
  const inference: InferenceProcess[] = [];
  const machineToken = newSecret();
  const plane = await openControlPlane({ ...options, access: { ...options.access, machineToken } }, () => inference);
  const { platform, app, scheduler } = plane;
  const { host } = options.access;
  let url: string;
  try {
    url = await listen(app, host, options.port);
  } catch (error) {
    await plane.close();
    throw error;
  }
  const certificate = options.tls === undefined ? {} : { certFile: resolve(options.tls.certFile) };
  const withdraw = announce(platform.paths.run, { url, machineToken, ...certificate, ...platform.scope });
  const starting = options.startInference ? startInference(options, platform, inference) : Promise.resolve([]);
  if (options.clock.kind === "system") scheduler.start();
  return {
    url,
    beside: starting,
    async close() {
      withdraw();
      await starting;
      await Promise.all(inference.map(stopInference));
      await plane.close();
    },
  };
}

async function startInference(options: ServeOptions, platform: Platform, started: InferenceProcess[]): Promise<RunningServer[]> {
  const { project, scope, paths } = platform;
  const { stateDirectory, clock } = options;
  const common = { stateDirectory, scope, host: "127.0.0.1", port: 0, workers: 1 };
  const starting = project.endpoints.map(({ name }) => ({
    name: `endpoint ${name}`,
    server: ensureInference({ ...common, endpoint: name, clock: clock.kind }, paths),
  }));
  // It reads features as of now, which a replay's clock has nothing for.
  if (project.features.length > 0 && clock.kind === "system")
    starting.push({ name: "feature server", server: ensureServer(FEATURE_SERVER, featureServerArguments(common), paths) });
  const running = await Promise.all(
    starting.map(async ({ name, server }) => {
      const found = await server;
      if (found !== null) started.push(found);
      return found === null ? [] : [{ name, ...found }];
    }),
  );
  return running.flat();
}
