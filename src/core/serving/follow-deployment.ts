import { type OrreryError, toOrreryError } from "../errors.ts";
import type { Clock } from "../ports/index.ts";
import type { Micros } from "../time.ts";
import { currentRevision, listRevisions, readPointer } from "./deployment.ts";
import { type DeploymentPlace, type LoadedDeployment, type LoadedModel, loadDeployment } from "./load-deployment.ts";

export interface DeploymentFollower {
  /** Looks at the endpoint's folder and takes up what is new; never rejects. */
  look(): Promise<void>;
  /** What serves a request made at `at`; `null` before the first deployment. */
  deploymentAt(at: Micros): LoadedDeployment | null;
  readonly current: LoadedDeployment | null;
  /** Why the revision that the pointer names is not the one that serves. */
  readonly problem: OrreryError | null;
}

/** Told when a revision was taken up, or why it could not be. */
export type RevisionListener = (revision: number, problem: OrreryError | null) => void;

const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 8_000;

/**
 * Keeps the newest good revision in memory. A revision is loaded beside the one that serves and taken up whole; one that cannot be
 * loaded leaves things as they are and is tried again now and then, because its views may be materialized meanwhile.
 */
export function followDeployment(place: DeploymentPlace, clock: Clock, onRevision: RevisionListener): DeploymentFollower {
  let current: LoadedDeployment | null = null;
  /** Loaded, but a replay's clock has not come to the moment from which it counts. */
  let next: LoadedDeployment | null = null;
  let problem: OrreryError | null = null;
  /** The pointer's text when the revision it names was last taken up. */
  let settled: string | null = null;
  let failed: { readonly pointer: string; readonly delay: number; readonly again: number } | null = null;
  let looking: Promise<void> | null = null;
  const reported = new Map<number, string>();

  function takeUp(deployment: LoadedDeployment): void {
    current = deployment;
    next = null;
    reported.clear();
    onRevision(deployment.spec.revision, null);
  }

  async function tryRevision(revision: number): Promise<OrreryError | null> {
    const known = new Map<string, LoadedModel>();
    for (const route of [...(current?.routes ?? []), ...(next?.routes ?? [])]) known.set(route.artifact, route);
    try {
      const loaded = await loadDeployment(place, revision, known);
      if (clock.kind === "virtual" && current !== null && loaded.spec.at > clock.now()) next = loaded;
      else takeUp(loaded);
      return null;
    } catch (error) {
      const trouble = toOrreryError(error);
      if (reported.get(revision) !== trouble.message) onRevision(revision, trouble);
      reported.set(revision, trouble.message);
      return trouble;
    }
  }

  async function lookNow(): Promise<void> {
    const pointer = readPointer(place.directory);
    if (pointer === null || pointer === settled) return;
    if (failed?.pointer === pointer && performance.now() < failed.again) return;
    const wanted = currentRevision(place.directory, pointer);
    if (wanted === null) return;
    const have = (next ?? current)?.spec.revision;
    problem = wanted === have ? null : await tryRevision(wanted);
    if (problem === null) {
      settled = pointer;
      failed = null;
      return;
    }
    const delay = failed?.pointer === pointer ? Math.min(failed.delay * 2, LONGEST_RETRY_MS) : FIRST_RETRY_MS;
    failed = { pointer, delay, again: performance.now() + delay };
    for (const revision of listRevisions(place.directory)) {
      if (revision >= wanted) continue;
      if ((have !== undefined && revision <= have) || (await tryRevision(revision)) === null) break;
    }
  }

  return {
    look() {
      looking ??= lookNow()
        .catch((error: unknown) => {
          problem = toOrreryError(error);
        })
        .finally(() => {
          looking = null;
        });
      return looking;
    },
    deploymentAt(at) {
      if (next !== null && at >= next.spec.at) takeUp(next);
      return current;
    },
    get current() {
      return current;
    },
    get problem() {
      return problem;
    },
  };
}
