import { execFile } from "node:child_process";
import { userInfo } from "node:os";
import { ActiveRun } from "./active-run.ts";
import { currentRun } from "./current-run.ts";
import { nextMicros, type RunOptions } from "./entries.ts";
import { forget, remember } from "./process-end.ts";
import { type DeliverySettings, RunDelivery, type TrackerWarning } from "./run-delivery.ts";
import { newRunId } from "./run-id.ts";
import { type RunHeader, RunSpool, spoolFolder, takeLeftRuns } from "./spool.ts";
import { TrackingServer } from "./tracking-server.ts";
import { whileRunning } from "./while-running.ts";

export interface TrackerOptions {
  /** ORRERY_URL, else http://127.0.0.1:4100. */
  readonly url?: string;
  /** ORRERY_PROJECT, else the server's own. */
  readonly project?: string;
  /** ORRERY_TOKEN. */
  readonly token?: string;
  /** How long an entry waits for others, at most; 200. */
  readonly batchMs?: number;
  /** How long startRun, flush and end wait for a server that cannot be reached; 60,000. */
  readonly patienceMs?: number;
  /** How long the end of the process may wait for it; 5,000. */
  readonly exitMs?: number;
  /** Where what could not be sent waits: ORRERY_SPOOL, else a folder in the home folder. */
  readonly spool?: string;
  /** process.emitWarning when absent. */
  readonly onWarning?: (warning: TrackerWarning) => void;
}

export interface StartOptions extends RunOptions {
  /** Nested below this run; below the current one when absent; null: below none. */
  readonly parent?: { readonly id: string | null } | null;
}

export interface Tracker {
  /**
   * A run that is its body's current one and ends with it: finished, failed when it throws (the error goes on), killed by a signal.
   * @throws ApiError, TRACKER_UNREACHABLE when it cannot be created; TRACKER_ENTRIES_REFUSED
   */
  startRun<T>(options: StartOptions, body: (run: ActiveRun) => Promise<T> | T): Promise<T>;
  /** A run that its starter ends. It is nobody's current run: see run.within. */
  startRun(options?: StartOptions): Promise<ActiveRun>;
  /** Sends what earlier processes could not. Answers ids of the runs that are complete by it. @throws as flush of a run */
  sync(): Promise<readonly string[]>;
}

const warn = ({ code, message }: TrackerWarning) => process.emitWarning(message, { code, type: "TrackerWarning" });

/** Everything about logging to one server: see docs/guides/tracking.md. */
export function createTracker(options: TrackerOptions = {}): Tracker {
  const { url = process.env.ORRERY_URL ?? "http://127.0.0.1:4100" } = options;
  const project = options.project ?? process.env.ORRERY_PROJECT;
  const token = options.token ?? process.env.ORRERY_TOKEN;
  const server = new TrackingServer({ url, ...(project !== undefined && { project }), ...(token !== undefined && { token }) });
  const root = options.spool ?? spoolFolder();
  const settings: DeliverySettings = {
    batchMs: options.batchMs ?? 200,
    patienceMs: options.patienceMs ?? 60_000,
    onWarning: options.onWarning ?? warn,
  };
  let looked = false;

  const isOwn = (header: RunHeader) => header.url === server.address.url && header.project === (project ?? null);

  /** A run of another server can have none below it here. */
  function ownCurrentRun(): ActiveRun | null {
    const run = currentRun();
    return run instanceof ActiveRun && isOwn(run.header) ? run : null;
  }

  async function sync(): Promise<string[]> {
    const { runs, unreadable } = takeLeftRuns(root, isOwn);
    for (const { code, message } of unreadable) settings.onWarning({ code, message });
    const sent: string[] = [];
    for (const { header, spool } of runs) {
      const delivery = new RunDelivery(server, header, spool, settings);
      try {
        await delivery.flush();
        sent.push(delivery.id);
      } finally {
        if (delivery.isEmpty) delivery.close();
        else delivery.spoolRest();
      }
    }
    return sent;
  }

  async function start(given: StartOptions): Promise<ActiveRun> {
    const { experiment, name, tags, params } = given;
    const above = given.parent === undefined ? ownCurrentRun() : given.parent;
    const parent = above?.id ?? null;
    const inherited = experiment ?? (above instanceof ActiveRun ? above.header.create.experiment : undefined);
    const header: RunHeader = {
      formatVersion: 1,
      url: server.address.url,
      project: project ?? null,
      create: {
        id: newRunId(),
        startedAt: nextMicros(),
        userName: userName(),
        git: { commit: await gitCommit(), diff: null },
        ...(inherited !== undefined && { experiment: inherited }),
        ...(name !== undefined && { name }),
        ...(parent !== null && { parentRunId: parent }),
        ...(tags !== undefined && { tags }),
      },
    };
    const delivery = new RunDelivery(server, header, new RunSpool(root, header), settings);
    try {
      await delivery.create(settings.patienceMs);
    } catch (error) {
      delivery.close();
      throw error;
    }
    const run: ActiveRun = new ActiveRun(
      delivery,
      (parentRun, nested) => start({ ...nested, parent: parentRun }),
      () => forget(run),
    );
    remember({ run, delivery, waitMs: options.exitMs ?? 5_000 });
    if (params !== undefined) run.logParams(params);
    if (!looked) {
      looked = true;
      // Nobody waits for it; what fails is kept and tried again by the next start.
      void sync().catch(() => undefined);
    }
    return run;
  }

  function startRun<T>(given: StartOptions, body: (run: ActiveRun) => Promise<T> | T): Promise<T>;
  function startRun(given?: StartOptions): Promise<ActiveRun>;
  async function startRun<T>(given: StartOptions = {}, body?: (run: ActiveRun) => Promise<T> | T): Promise<T | ActiveRun> {
    const run = await start(given);
    return body === undefined ? run : whileRunning(run, body);
  }

  return { startRun, sync };
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A process may run as a user that the machine has no name for.
    return "";
  }
}

let commit: Promise<string | null> | null = null;
/** Of the working directory, asked once. */
const gitCommit = (): Promise<string | null> =>
  (commit ??= new Promise((resolve) => {
    execFile("git", ["--no-optional-locks", "rev-parse", "--verify", "HEAD"], { timeout: 5_000 }, (error, out) =>
      resolve(error === null ? out.trim() : null),
    );
  }));
