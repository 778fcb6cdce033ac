import { AsyncResource } from "node:async_hooks";
import type { Kysely } from "kysely";
import { toOrreryError } from "../errors.ts";
import type { Database, MetadataStore } from "../ports/index.ts";

/** How one job of a group ended, where the group's transaction itself went well. */
export type Outcome<Result> = { readonly result: Result } | { readonly error: unknown };

export interface GroupCommitOptions<Job, Result> {
  readonly store: MetadataStore;
  /** How much of a group's bounded size the job takes: about the rows it writes. */
  weightOf(job: Job): number;
  /** Decides and writes the jobs in their order, within one transaction; one outcome a job. */
  work(db: Kysely<Database>, jobs: readonly Job[]): Promise<readonly Outcome<Result>[]>;
}

interface Waiting<Job, Result> {
  readonly job: Job;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

const MOST_JOBS = 1_000;
const MOST_WEIGHT = 20_000;

/**
 * One commit for all jobs that came while the one before was under way: a commit waits for the disk, however little it holds. Jobs
 * are done in the order they came. Do not await one inside a transaction of the same store: it would wait for itself.
 */
export function groupCommit<Job, Result>({
  store,
  weightOf,
  work,
}: GroupCommitOptions<Job, Result>): (job: Job) => Promise<Result> {
  const waiting: Waiting<Job, Result>[] = [];
  let busy = false;

  const take = (): Waiting<Job, Result>[] => {
    let weight = 0;
    let jobs = 0;
    for (const { job } of waiting) {
      weight += weightOf(job);
      if (jobs > 0 && (weight > MOST_WEIGHT || jobs >= MOST_JOBS)) break;
      jobs++;
    }
    return waiting.splice(0, jobs);
  };

  async function commit(group: readonly Waiting<Job, Result>[]): Promise<void> {
    try {
      const outcomes = await store.transaction((db) =>
        work(
          db,
          group.map(({ job }) => job),
        ),
      );
      for (const [i, { resolve, reject }] of group.entries()) {
        const outcome = outcomes[i];
        if (outcome !== undefined && "result" in outcome) resolve(outcome.result);
        else reject(outcome?.error);
      }
    } catch (error) {
      // Nothing was written. Where the database itself is well, one job may have spoiled it for the others.
      if (group.length > 1 && toOrreryError(error).kind !== "unavailable") for (const each of group) await commit([each]);
      else for (const { reject } of group) reject(error);
    }
  }

  // Bound to where the queue was made: a group belongs to no caller, least of all to one's transaction.
  const drain = AsyncResource.bind(async () => {
    // Whoever calls in the same turn comes along.
    await null;
    while (waiting.length > 0) await commit(take());
    busy = false;
  });

  return (job) =>
    new Promise((resolve, reject) => {
      waiting.push({ job, resolve, reject });
      if (busy) return;
      busy = true;
      void drain();
    });
}
