import type { Kysely } from "kysely";
import type { Clock, Database, ExperimentTable, MetadataStore, RunTable } from "../ports/index.ts";
import type { Scope } from "../scope.ts";
import { runArtifactUri } from "./artifact-location.ts";
import { trackingErrors } from "./errors.ts";
import { deletedExperiment, experimentsNamed, unknownExperiment } from "./experiments.ts";
import { groupCommit, type Outcome } from "./group-commit.ts";
import { inChunks } from "./in-chunks.ts";
import type { NewRun, RunSummary } from "./interfaces.ts";
import { checkKey, checkName, checkText, TRACKING_LIMITS } from "./limits.ts";
import { generatedName } from "./run-names.ts";
import { newRunSummary } from "./run-records.ts";
import { actorText, sortableId } from "./sortable-id.ts";
import { PARENT_RUN_TAG, RUN_NAME_TAG, USER_TAG } from "./well-known-tags.ts";

interface Job {
  /** null where it is made, and cannot be there yet. */
  readonly givenId: string | null;
  readonly experiment: { readonly name: string } | { readonly id: string };
  readonly tags: ReadonlyMap<string, string>;
  row(experiment: ExperimentTable): RunTable;
}

/** The new run's summary; null where a run of the given id was there already. */
export type CreateRun = (run: NewRun, gitDiff: string | null) => Promise<RunSummary | null>;

/** Creates runs; those that wait for the same commit share it. */
export function createRuns(store: MetadataStore, clock: Clock, scope: Scope): CreateRun {
  const submit = groupCommit<Job, RunSummary | null>({
    store,
    weightOf: ({ tags }) => 1 + tags.size,
    work: (db, jobs) => createTogether(store, db, clock, scope, jobs),
  });
  return async (run, gitDiff) => submit(jobOf(run, gitDiff, clock, scope));
}

/** @throws TRACKING_NAME_INVALID, TRACKING_VALUE_TOO_LONG, TRACKING_RUN_NAMED_TWICE */
function jobOf(run: NewRun, gitDiff: string | null, clock: Clock, { workspace, project }: Scope): Job {
  const tags = new Map(Object.entries(run.tags ?? {}));
  for (const [key, value] of tags) checkText(`Tag ${checkKey(key)}`, value, TRACKING_LIMITS.tagValue);
  const tagged = tags.get(RUN_NAME_TAG) ?? "";
  if (run.name && tagged && run.name !== tagged)
    throw trackingErrors.TRACKING_RUN_NAMED_TWICE(`The run is named "${run.name}" and by its tag ${RUN_NAME_TAG} "${tagged}"`);
  const name = checkName(run.name || tagged || generatedName(), TRACKING_LIMITS.runName);
  if (run.id !== undefined && !RUN_ID.test(run.id))
    throw trackingErrors.TRACKING_NAME_INVALID(`"${run.id.slice(0, 60)}" cannot be a run's id`);
  const id = run.id ?? sortableId("run", clock);
  const parent = run.parentRunId ?? (tags.get(PARENT_RUN_TAG) || null);
  tags.set(RUN_NAME_TAG, name);
  if (parent !== null) tags.set(PARENT_RUN_TAG, checkText("A parent's id", parent, TRACKING_LIMITS.tagValue));
  const startedAt = run.startedAt ?? clock.now();
  if (!Number.isSafeInteger(startedAt)) throw trackingErrors.TRACKING_STEP_INVALID(`A run cannot start at ${startedAt}`);
  return {
    givenId: run.id ?? null,
    experiment:
      run.experimentId === undefined
        ? { name: checkName(run.experiment ?? "Default", TRACKING_LIMITS.experimentName) }
        : { id: run.experimentId },
    tags,
    row: (experiment) => ({
      workspace,
      project,
      id,
      experiment_id: experiment.id,
      parent_run_id: parent,
      name,
      status: "running",
      started_at: startedAt,
      ended_at: null,
      lifecycle: "active",
      deleted_at: null,
      artifact_uri: runArtifactUri(experiment.artifact_location, id),
      user_name: checkText("A user's name", run.userName || (tags.get(USER_TAG) ?? ""), TRACKING_LIMITS.tagValue),
      actor: actorText(run.actor),
      trace_id: run.traceId ?? null,
      snapshots: JSON.stringify(run.snapshots ?? []),
      git_commit: run.git?.commit ?? null,
      git_diff: gitDiff,
    }),
  };
}

/** It becomes part of paths. */
const RUN_ID = /^[a-zA-Z0-9][\w.-]{0,255}$/;

async function createTogether(
  store: MetadataStore,
  db: Kysely<Database>,
  clock: Clock,
  scope: Scope,
  jobs: readonly Job[],
): Promise<Outcome<RunSummary | null>[]> {
  const { workspace, project } = scope;
  const given = jobs.flatMap(({ givenId }) => givenId ?? []);
  const existing = await inChunks(given, (some) =>
    db
      .selectFrom("runs")
      .select("id")
      .where((each) => each.and({ workspace, project }))
      .where("id", "in", some)
      .execute(),
  );
  const there = new Set(existing.map(({ id }) => id));
  const needed = jobs.filter(({ givenId }) => givenId === null || !there.has(givenId));
  const names = needed.flatMap(({ experiment }) => ("name" in experiment ? experiment.name : []));
  const ids = needed.flatMap(({ experiment }) => ("id" in experiment ? experiment.id : []));
  const byName = new Map((await experimentsNamed(store, db, clock, scope, [...new Set(names)])).map((row) => [row.name, row]));
  const found = await inChunks([...new Set(ids)], (some) =>
    db
      .selectFrom("experiments")
      .selectAll()
      .where((each) => each.and({ workspace, project }))
      .where("id", "in", some)
      .execute(),
  );
  const byId = new Map(found.map((row) => [row.id, row]));

  const rows: RunTable[] = [];
  const tagRows: Database["tags"][] = [];
  const outcomes = jobs.map((job): Outcome<RunSummary | null> => {
    if (job.givenId !== null && there.has(job.givenId)) return { result: null };
    const asked = job.experiment;
    const experiment = "name" in asked ? byName.get(asked.name) : byId.get(asked.id);
    if (experiment === undefined) return { error: unknownExperiment("name" in asked ? asked.name : asked.id) };
    if (experiment.lifecycle === "deleted") return { error: deletedExperiment(experiment.id) };
    const row = job.row(experiment);
    // The same id may be asked for twice in one group.
    there.add(row.id);
    rows.push(row);
    const tags = [...job.tags].map(([key, value]) => ({ key, value }));
    for (const { key, value } of tags) tagRows.push({ workspace, project, run_id: row.id, key, value });
    return { result: newRunSummary(row, experiment.name, tags) };
  });
  await store.insertMany(db, "runs", rows);
  await store.insertMany(db, "tags", tagRows);
  return outcomes;
}
