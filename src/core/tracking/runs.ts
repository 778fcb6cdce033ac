import type { Kysely } from "kysely";
import type { ArtifactStore, Clock, Database, MetadataStore, RunTable } from "../ports/index.ts";
import type { Scope } from "../scope.ts";
import { CONDEMNED } from "./collect-garbage.ts";
import { createRuns } from "./create-runs.ts";
import { trackingErrors } from "./errors.ts";
import type { RunLogs, RunSummary, Runs } from "./interfaces.ts";
import { checkName, TRACKING_LIMITS } from "./limits.ts";
import { loadRecords, loadSummaries, unknownRun } from "./run-records.ts";
import type { RunChange } from "./run-write-group.ts";
import type { WriteRun } from "./run-writes.ts";
import { searchRunIds } from "./search/index.ts";

export interface RunsContext {
  readonly store: MetadataStore;
  readonly artifacts: ArtifactStore;
  readonly clock: Clock;
  readonly scope: Scope;
  readonly write: WriteRun;
  readonly logs: Pick<RunLogs, "artifacts">;
}

export function runs({ store, artifacts, clock, scope, write, logs }: RunsContext): Runs {
  const { workspace, project } = scope;
  const createRun = createRuns(store, clock, scope);

  async function summary(id: string): Promise<RunSummary> {
    const [found] = await loadSummaries(store, scope, [id]);
    if (found === undefined) throw unknownRun(id);
    return found;
  }

  async function record(id: string) {
    const [found] = await loadRecords(store, scope, [id]);
    if (found === undefined) throw unknownRun(id);
    return found;
  }

  /** Nothing changes where the run is so already. */
  const setLifecycle = (id: string, lifecycle: RunTable["lifecycle"]) =>
    store.transaction(async (db: Kysely<Database>) => {
      const run = await db
        .selectFrom("runs")
        .select(["lifecycle", "deleted_at"])
        .where((each) => each.and({ workspace, project, id }))
        .executeTakeFirst();
      if (run === undefined || run.deleted_at === CONDEMNED) throw unknownRun(id);
      if (run.lifecycle === lifecycle) return;
      await db
        .updateTable("runs")
        .set({ lifecycle, deleted_at: lifecycle === "deleted" ? clock.now() : null })
        .where((each) => each.and({ workspace, project, id }))
        .execute();
    });

  return {
    async create(run) {
      // Bytes first: a row never names a diff that is not there.
      const diff = run.git?.diff == null ? null : await artifacts.put(run.git.diff, "text/x-diff");
      const made = await createRun(run, diff?.sha256 ?? null);
      return made ?? summary(run.id ?? "");
    },

    async update(id, { status, endedAt, name }) {
      if (endedAt !== undefined && endedAt !== null && !Number.isSafeInteger(endedAt))
        throw trackingErrors.TRACKING_STEP_INVALID(`A run cannot end at ${endedAt}`);
      const change: RunChange = {
        ...(status !== undefined && { status }),
        ...(endedAt !== undefined && { ended_at: endedAt }),
        // An empty name names nothing.
        ...(name !== undefined && name !== "" && { name: checkName(name, TRACKING_LIMITS.runName) }),
      };
      await write({ runId: id, change: () => change });
      return summary(id);
    },

    finish: (id, status = "finished", endedAt) =>
      write({
        runId: id,
        change: (run) => {
          if (run.status === status) return {};
          if (run.status !== "running" && run.status !== "scheduled")
            throw trackingErrors.TRACKING_RUN_ENDED(`${id} is ${run.status} and cannot become ${status}`);
          return { status, ended_at: endedAt ?? clock.now() };
        },
      }),

    get: async (id) => ({ ...(await record(id)), artifacts: await logs.artifacts(id) }),
    record,
    delete: (id) => setLifecycle(id, "deleted"),
    restore: (id) => setLifecycle(id, "active"),

    async search(search) {
      const { ids, nextCursor } = await searchRunIds(store, scope, search);
      return { items: await loadRecords(store, scope, ids), nextCursor };
    },
  };
}
