import { join, resolve } from "node:path";
import type { FastifyInstance } from "fastify";
import { createAccess, newSecret } from "../core/access/index.ts";
import { createLogger } from "../core/observability/create-logger.ts";
import { type Clock, systemClock } from "../core/ports/index.ts";
import type { Scope } from "../core/scope.ts";
import { lockStateFolder, prepareStateFolder, statePaths } from "../platform/state-folder.ts";
import { openStores, type StoreSettings } from "../platform/stores.ts";
import { type TrackingRooms, trackingRooms } from "../platform/tracking-rooms.ts";
import { announce } from "./announcement.ts";
import { createApp } from "./app.ts";
import type { AccessPolicy } from "./authorise.ts";
import type { Handlers } from "./handlers.ts";
import { absentHandlers, lazyHandlers } from "./lazy-handlers.ts";
import { listen } from "./listen.ts";
import { mlflowProtocols } from "./protocols/mlflow/protocol.ts";
import { runFileRoutes } from "./routes/artifacts.ts";
import type { Certificate } from "./tls.ts";
import { VERSION } from "./version.ts";

export interface OpenTrackingOptions {
  readonly stateDirectory: string;
  readonly stores: StoreSettings;
  /** The project of addresses that name none; others are under /projects/<name>. */
  readonly project: string;
  readonly access: AccessPolicy;
  readonly tls?: Certificate;
  readonly clock?: Clock;
  readonly logLevel?: string;
  /** How large one artifact may be, in bytes. */
  readonly maxUploadBytes?: number;
}

export interface TrackingServerOptions extends OpenTrackingOptions {
  readonly port: number;
}

/** Tracking's API in this process, not listening yet. */
export interface OpenTracking {
  readonly scope: Scope;
  readonly app: FastifyInstance;
  /** Lets requests that are under way end, then closes the stores. */
  close(): Promise<void>;
}

export interface TrackingServer extends OpenTracking {
  readonly url: string;
}

const WORKSPACE = "default";

/**
 * `orrery server`: tracking, artifacts and the registry of any number of projects, without a project file, pipelines or endpoints. It owns
 * its state folder unless the metadata is in PostgreSQL, which several servers may share.
 * @throws SERVER_PORT_IN_USE, SERVER_TOKEN_MISSING, STATE_…, ARTIFACT_…
 */
export async function serveTracking(options: TrackingServerOptions): Promise<TrackingServer> {
  const machineToken = newSecret();
  const opened = await openTracking({ ...options, access: { ...options.access, machineToken } });
  const { app, scope } = opened;
  try {
    const url = await listen(app, options.access.host, options.port);
    const certificate = options.tls === undefined ? {} : { certFile: resolve(options.tls.certFile) };
    const withdraw = announce(statePaths(options.stateDirectory, scope).run, { url, machineToken, ...certificate, ...scope });
    return {
      ...opened,
      url,
      async close() {
        withdraw();
        await opened.close();
      },
    };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

/** @throws STATE_…, ARTIFACT_…, SERVER_TOKEN_MISSING */
export async function openTracking(options: OpenTrackingOptions): Promise<OpenTracking> {
  const { stateDirectory, stores: settings, project, access, clock = systemClock } = options;
  const scope: Scope = { workspace: WORKSPACE, project };
  const paths = statePaths(stateDirectory, scope);
  prepareStateFolder(paths);
  const lock = settings.database === null ? lockStateFolder(paths) : null;
  const undo: (() => Promise<void> | void)[] = [() => lock?.release()];
  const close = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const log = createLogger({
      level: options.logLevel ?? "info",
      file: join(paths.logs, "tracking-server.log"),
      bindings: { process: "tracking-server" },
    });
    const { store, artifacts, close: closeStores } = await openStores(settings, paths, clock);
    undo.push(closeStores);
    const accounts = createAccess({ store, clock: systemClock, workspace: WORKSPACE });
    undo.push(() => accounts.close());
    const rooms = trackingRooms({ store, artifacts, clock, workspace: WORKSPACE });
    // What cannot be a project is not found out at the first request.
    rooms.of(project);
    const trackingOf = ({ project: named }: Scope) => rooms.of(named).tracking;
    const { publicUrl } = access;
    const app = await createApp({
      scope,
      version: VERSION,
      access,
      accounts,
      handlers: trackingHandlers(rooms, { accounts, store, root: paths.root }),
      holds: ({ workspace }) => workspace === WORKSPACE,
      projectFile: false,
      protocols: [
        ...mlflowProtocols({ rooms, project, maxUploadBytes: options.maxUploadBytes, publicUrl }),
        { plugin: runFileRoutes({ trackingOf }) },
      ],
      logger: log,
      ...(options.tls === undefined ? {} : { tls: options.tls }),
    });
    undo.push(() => app.close());
    return { scope, app, close };
  } catch (error) {
    await close();
    throw error;
  }
}

interface Around {
  readonly accounts: ReturnType<typeof createAccess>;
  readonly store: Parameters<typeof createAccess>[0]["store"];
  readonly root: string;
}

/** The contract's rooms that need no project file; of any project of the workspace. */
function trackingHandlers(rooms: TrackingRooms, { accounts, store, root }: Around): Handlers {
  const trackingOf = ({ project }: Scope) => rooms.of(project).tracking;
  return {
    experiments: lazyHandlers(async () => (await import("./routes/experiments.ts")).experimentHandlers(trackingOf)),
    runs: lazyHandlers(async () => (await import("./routes/runs.ts")).runHandlers(trackingOf)),
    artifacts: lazyHandlers(async () => (await import("./routes/artifacts.ts")).artifactHandlers(trackingOf)),
    loggedModels: lazyHandlers(async () => (await import("./routes/runs.ts")).loggedModelHandlers(trackingOf)),
    models: lazyHandlers(async () =>
      (await import("./routes/models.ts")).modelHandlers(({ project }) => ({ ...rooms.of(project), charter: null })),
    ),
    garbage: lazyHandlers(async () =>
      (await import("./routes/garbage.ts")).garbageHandlers((scope) => ({
        store,
        scope,
        tracking: trackingOf(scope),
        stateFolder: root,
      })),
    ),
    users: lazyHandlers(async () => (await import("./routes/access.ts")).userHandlers(accounts)),
    tokens: lazyHandlers(async () => (await import("./routes/access.ts")).tokenHandlers(accounts)),
    audit: lazyHandlers(async () => (await import("./routes/access.ts")).auditHandlers(accounts)),
    loop: absentHandlers("loop"),
    data: absentHandlers("data"),
    sources: absentHandlers("sources"),
    features: absentHandlers("features"),
    trainingSets: absentHandlers("trainingSets"),
    erasures: absentHandlers("erasures"),
    pipelines: absentHandlers("pipelines"),
    endpoints: absentHandlers("endpoints"),
    predictions: absentHandlers("predictions"),
    monitoring: absentHandlers("monitoring"),
    clock: absentHandlers("clock"),
    system: absentHandlers("system"),
  };
}
