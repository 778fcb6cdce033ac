import { type Kysely, sql } from "kysely";
import type { ArtifactStore, Clock, Database, MetadataStore, RunTable } from "../ports/index.ts";
import type { Actor, Scope } from "../scope.ts";
import type { Micros } from "../time.ts";
import { trackingErrors } from "./errors.ts";
import type { GitState } from "./git-state.ts";
import { listRuns, type RunQuery } from "./list-runs.ts";
import { checkName, type MetricPoint, metricPoint, type RunArtifact, type RunLogs } from "./run-logs.ts";
import { actorText, sortableId } from "./sortable-id.ts";

export type RunStatus = RunTable["status"];

export interface RunSummary {
  readonly id: string;
  readonly name: string;
  /** The experiment's name. */
  readonly experiment: string;
  readonly status: RunStatus;
  readonly parentRunId: string | null;
  readonly startedAt: Micros;
  readonly endedAt: Micros | null;
  readonly actor: string;
  readonly traceId: string | null;
  /** Ids of the data snapshots it read. */
  readonly snapshots: readonly string[];
  readonly gitCommit: string | null;
  /** sha256 of the artifact with the dirty tree's diff. */
  readonly gitDiff: string | null;
  /** The last logged value of each metric. */
  readonly metrics: Readonly<Record<string, MetricPoint>>;
  readonly tags: Readonly<Record<string, string>>;
}

export interface Run extends RunSummary {
  readonly params: Readonly<Record<string, string>>;
  readonly artifacts: readonly RunArtifact[];
}

export interface NewRun {
  /** Name of the experiment; made when it is not there. */
  readonly experiment: string;
  readonly name: string;
  readonly actor: Actor;
  readonly parentRunId?: string | null;
  readonly traceId?: string | null;
  readonly snapshots?: readonly string[];
  readonly git?: GitState;
  /** Of a run that is recorded after it ran; now when absent. */
  readonly startedAt?: Micros;
  /** Makes creating repeatable: the run with this id is returned when it is there already. */
  readonly id?: string;
}

export interface Experiment {
  readonly id: string;
  readonly name: string;
  readonly createdAt: Micros;
}

export interface Experiments {
  getOrCreate(name: string): Promise<Experiment>;
  /** @throws TRACKING_EXPERIMENT_UNKNOWN */
  get(name: string): Promise<Experiment>;
  /** By name. */
  list(): Promise<Experiment[]>;
}

export interface Runs {
  create(run: NewRun): Promise<RunSummary>;
  /**
   * Ending a run again as it ended changes nothing. `endedAt` is for a run that is recorded after it ran; now when absent.
   * @throws TRACKING_RUN_UNKNOWN, TRACKING_RUN_ENDED when it ended otherwise
   */
  finish(id: string, status?: Exclude<RunStatus, "running">, endedAt?: Micros): Promise<void>;
  /** @throws TRACKING_RUN_UNKNOWN */
  get(id: string): Promise<Run>;
  /** @throws TRACKING_CURSOR_INVALID, TRACKING_LIMIT_INVALID */
  list(query?: RunQuery): Promise<{ items: RunSummary[]; nextCursor: string | null }>;
}

export function experiments(store: MetadataStore, clock: Clock, scope: Scope): Experiments {
  const scoped = () =>
    store.db
      .selectFrom("experiments")
      .select(["id", "name", "created_at as createdAt"])
      .where("workspace", "=", scope.workspace)
      .where("project", "=", scope.project);
  return {
    getOrCreate: (name) => store.transaction((db) => experimentNamed(db, clock, scope, name)),
    async get(name) {
      const found = await scoped().where("name", "=", name).executeTakeFirst();
      if (found === undefined) throw trackingErrors.TRACKING_EXPERIMENT_UNKNOWN(`There is no experiment ${name}`);
      return found;
    },
    list: () => scoped().orderBy("name").execute(),
  };
}

async function experimentNamed(
  db: Kysely<Database>,
  clock: Clock,
  { workspace, project }: Scope,
  name: string,
): Promise<Experiment> {
  const made = { workspace, project, id: sortableId("experiment", clock), name: checkName(name), created_at: clock.now() };
  await db
    .insertInto("experiments")
    .values(made)
    .onConflict((conflict) => conflict.columns(["workspace", "project", "name"]).doNothing())
    .execute();
  return db
    .selectFrom("experiments")
    .select(["id", "name", "created_at as createdAt"])
    .where("workspace", "=", workspace)
    .where("project", "=", project)
    .where("name", "=", name)
    .executeTakeFirstOrThrow();
}

export interface RunsContext {
  readonly store: MetadataStore;
  readonly artifacts: ArtifactStore;
  readonly clock: Clock;
  readonly scope: Scope;
  readonly logs: RunLogs;
}

export function runs({ store, artifacts, clock, scope, logs }: RunsContext): Runs {
  const { workspace, project } = scope;

  async function summaries(rows: readonly (RunTable & { readonly experiment: string })[]): Promise<RunSummary[]> {
    const ids = rows.map(({ id }) => id);
    if (ids.length === 0) return [];
    const metrics = Map.groupBy(await lastMetrics(store.db, scope, ids), ({ run_id }) => run_id);
    const tagRows = await store.db
      .selectFrom("tags")
      .select(["run_id", "key", "value"])
      .where("workspace", "=", workspace)
      .where("project", "=", project)
      .where("run_id", "in", ids)
      .execute();
    const tags = Map.groupBy(tagRows, ({ run_id }) => run_id);
    return rows.map((row) => ({
      id: row.id,
      name: row.name,
      experiment: row.experiment,
      status: row.status,
      parentRunId: row.parent_run_id,
      startedAt: row.started_at,
      endedAt: row.ended_at,
      actor: row.actor,
      traceId: row.trace_id,
      // Written by create below.
      snapshots: JSON.parse(row.snapshots) as string[],
      gitCommit: row.git_commit,
      gitDiff: row.git_diff,
      metrics: Object.fromEntries((metrics.get(row.id) ?? []).map((metric) => [metric.key, metricPoint(metric)])),
      tags: Object.fromEntries((tags.get(row.id) ?? []).map(({ key, value }) => [key, value])),
    }));
  }

  async function summary(id: string): Promise<RunSummary> {
    const row = await store.db
      .selectFrom("runs")
      .innerJoin("experiments", (join) =>
        join
          .onRef("experiments.workspace", "=", "runs.workspace")
          .onRef("experiments.project", "=", "runs.project")
          .onRef("experiments.id", "=", "runs.experiment_id"),
      )
      .selectAll("runs")
      .select("experiments.name as experiment")
      .where("runs.workspace", "=", workspace)
      .where("runs.project", "=", project)
      .where("runs.id", "=", id)
      .executeTakeFirst();
    const [found] = row === undefined ? [] : await summaries([row]);
    if (found === undefined) throw unknownRun(id);
    return found;
  }

  return {
    async create({ experiment, name, actor, parentRunId = null, traceId = null, snapshots = [], git, startedAt, id }) {
      checkName(name);
      // Bytes first: a row never names a diff that is not there.
      const diff = git?.diff == null ? null : await artifacts.put(git.diff, "text/x-diff");
      const runId = id ?? sortableId("run", clock);
      await store.transaction(async (db) => {
        if (parentRunId !== null) {
          const parent = await db
            .selectFrom("runs")
            .select("id")
            .where("workspace", "=", workspace)
            .where("project", "=", project)
            .where("id", "=", parentRunId)
            .executeTakeFirst();
          if (parent === undefined) throw unknownRun(parentRunId);
        }
        const { id: experiment_id } = await experimentNamed(db, clock, scope, experiment);
        await db
          .insertInto("runs")
          .values({
            workspace,
            project,
            id: runId,
            experiment_id,
            parent_run_id: parentRunId,
            name,
            status: "running",
            started_at: startedAt ?? clock.now(),
            ended_at: null,
            actor: actorText(actor),
            trace_id: traceId,
            snapshots: JSON.stringify(snapshots),
            git_commit: git?.commit ?? null,
            git_diff: diff?.sha256 ?? null,
          })
          .onConflict((conflict) => conflict.columns(["workspace", "project", "id"]).doNothing())
          .execute();
      });
      return summary(runId);
    },

    finish: (id, status = "finished", endedAt) =>
      store.transaction(async (db) => {
        const run = await db
          .selectFrom("runs")
          .select("status")
          .where("workspace", "=", workspace)
          .where("project", "=", project)
          .where("id", "=", id)
          .executeTakeFirst();
        if (run === undefined) throw unknownRun(id);
        if (run.status === status) return;
        if (run.status !== "running")
          throw trackingErrors.TRACKING_RUN_ENDED(`${id} is ${run.status} and cannot become ${status}`);
        await db
          .updateTable("runs")
          .set({ status, ended_at: endedAt ?? clock.now() })
          .where("workspace", "=", workspace)
          .where("project", "=", project)
          .where("id", "=", id)
          .execute();
      }),

    async get(id) {
      const params = await store.db
        .selectFrom("params")
        .select(["key", "value"])
        .where("workspace", "=", workspace)
        .where("project", "=", project)
        .where("run_id", "=", id)
        .orderBy("key")
        .execute();
      return {
        ...(await summary(id)),
        params: Object.fromEntries(params.map(({ key, value }) => [key, value])),
        artifacts: await logs.artifacts(id),
      };
    },

    async list(query = {}) {
      const { rows, nextCursor } = await listRuns(store.db, scope, query);
      return { items: await summaries(rows), nextCursor };
    },
  };
}

const unknownRun = (id: string) => trackingErrors.TRACKING_RUN_UNKNOWN(`There is no run ${id}`);

/** The last value of each metric of each run: greatest step, then latest. */
async function lastMetrics(db: Kysely<Database>, { workspace, project }: Scope, runIds: readonly string[]) {
  const ranked = db
    .selectFrom("metrics")
    .selectAll()
    .select(sql<number>`row_number() OVER (PARTITION BY run_id, key ORDER BY step DESC, logged_at DESC)`.as("place"))
    .where("workspace", "=", workspace)
    .where("project", "=", project)
    .where("run_id", "in", runIds);
  return db.selectFrom(ranked.as("ranked")).selectAll().where("place", "=", 1).orderBy("key").execute();
}
