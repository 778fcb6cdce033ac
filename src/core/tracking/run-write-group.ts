import type { Kysely } from "kysely";
import type {
  Database,
  LatestMetricTable,
  LoggedModelMetricTable,
  MetadataStore,
  MetricTable,
  RunTable,
} from "../ports/index.ts";
import type { Scope } from "../scope.ts";
import { trackingErrors } from "./errors.ts";
import type { Outcome } from "./group-commit.ts";
import { inChunks } from "./in-chunks.ts";
import type { LogBatch } from "./interfaces.ts";
import { deletedRun, unknownRun } from "./run-records.ts";
import { PARENT_RUN_TAG, RUN_NAME_TAG, USER_TAG } from "./well-known-tags.ts";

/** What of a run's own row a write looks at or changes. */
export type RunState = Pick<RunTable, "id" | "lifecycle" | "status" | "ended_at" | "name" | "user_name" | "parent_run_id">;
export type RunChange = Partial<Pick<RunState, "status" | "ended_at" | "name" | "user_name" | "parent_run_id">>;

/** One call's writes to one run: all of them or none. */
export interface RunWrite extends LogBatch {
  readonly runId: string;
  readonly removedTags?: readonly string[];
  /** Decides over the run's own row as it is when the write's turn comes; may refuse by throwing. */
  readonly change?: (run: RunState) => RunChange;
}

/** A checked write with its rows. */
export interface RunWriteJob {
  readonly write: RunWrite;
  readonly metrics: readonly MetricTable[];
  readonly modelMetrics: readonly LoggedModelMetricTable[];
}

/** The key of latest_metrics and of tags. */
const KEY = ["workspace", "project", "run_id", "key"] as const;

/** Writes of many calls in one transaction: what they need to know is read first, each call is decided alone, then all is written. */
export class RunWriteGroup {
  readonly #store: MetadataStore;
  readonly #db: Kysely<Database>;
  readonly #own: Scope;
  readonly #runs = new Map<string, RunState>();
  readonly #changes = new Map<string, RunChange>();
  /** By run, the stored ones of those that are to be removed. */
  readonly #tags = new Map<string, Set<string>>();
  /** By run, then key; null where the tag is removed. */
  readonly #newTags = new Map<string, Map<string, string | null>>();
  readonly #params = new Map<string, Map<string, string>>();
  readonly #newParams: Database["params"][] = [];
  readonly #models = new Set<string>();
  readonly #metrics: MetricTable[] = [];
  readonly #modelMetrics: LoggedModelMetricTable[] = [];

  constructor(store: MetadataStore, db: Kysely<Database>, { workspace, project }: Scope) {
    this.#store = store;
    this.#db = db;
    this.#own = { workspace, project };
  }

  async commit(jobs: readonly RunWriteJob[]): Promise<Outcome<undefined>[]> {
    await this.#read(jobs);
    const outcomes = jobs.map((job) => {
      try {
        this.#apply(job);
        return { result: undefined };
      } catch (error) {
        return { error };
      }
    });
    await this.#write();
    return outcomes;
  }

  async #read(jobs: readonly RunWriteJob[]): Promise<void> {
    const ids = [...new Set(jobs.map(({ write }) => write.runId))];
    const runs = await inChunks(ids, (some) =>
      this.#db
        .selectFrom("runs")
        .select(["id", "lifecycle", "status", "ended_at", "name", "user_name", "parent_run_id"])
        .where((each) => each.and(this.#own))
        .where("id", "in", some)
        .execute(),
    );
    for (const run of runs) this.#runs.set(run.id, run);
    await this.#readParams(jobs);
    await this.#readTags(jobs);
    const models = new Set(jobs.flatMap(({ modelMetrics }) => modelMetrics.map(({ model_id }) => model_id)));
    const known = await inChunks([...models], (some) =>
      this.#db
        .selectFrom("logged_models")
        .select("id")
        .where((each) => each.and({ ...this.#own, lifecycle: "active" }))
        .where("id", "in", some)
        .execute(),
    );
    for (const { id } of known) this.#models.add(id);
  }

  async #readParams(jobs: readonly RunWriteJob[]): Promise<void> {
    const logged = jobs.filter(({ write }) => (write.params?.length ?? 0) > 0);
    const runIds = [...new Set(logged.map(({ write }) => write.runId))];
    const keys = new Set(logged.flatMap(({ write }) => (write.params ?? []).map(({ key }) => key)));
    const rows = await inChunks([...keys], (someKeys) =>
      inChunks(runIds, (someRuns) =>
        this.#db
          .selectFrom("params")
          .select(["run_id", "key", "value"])
          .where((each) => each.and(this.#own))
          .where("run_id", "in", someRuns)
          .where("key", "in", someKeys)
          .execute(),
      ),
    );
    for (const id of runIds) this.#params.set(id, new Map());
    for (const { run_id, key, value } of rows) this.#params.get(run_id)?.set(key, value);
  }

  async #readTags(jobs: readonly RunWriteJob[]): Promise<void> {
    const removing = jobs.filter(({ write }) => (write.removedTags?.length ?? 0) > 0);
    const runIds = [...new Set(removing.map(({ write }) => write.runId))];
    const keys = new Set(removing.flatMap(({ write }) => write.removedTags ?? []));
    const rows = await inChunks([...keys], (someKeys) =>
      inChunks(runIds, (someRuns) =>
        this.#db
          .selectFrom("tags")
          .select(["run_id", "key"])
          .where((each) => each.and(this.#own))
          .where("run_id", "in", someRuns)
          .where("key", "in", someKeys)
          .execute(),
      ),
    );
    for (const id of runIds) this.#tags.set(id, new Set());
    for (const { run_id, key } of rows) this.#tags.get(run_id)?.add(key);
  }

  /** Throws before it has changed anything. */
  #apply({ write, metrics, modelMetrics }: RunWriteJob): void {
    const { runId, params = [], tags = [], removedTags = [] } = write;
    const run = this.#runs.get(runId);
    if (run === undefined) throw unknownRun(runId);
    if (run.lifecycle === "deleted") throw deletedRun(runId);
    const before = this.#params.get(runId);
    for (const { key, value } of params) {
      const old = before?.get(key);
      if (old !== undefined && old !== value)
        throw trackingErrors.TRACKING_PARAM_CHANGED(`Param ${key} of ${runId} is "${old}" and cannot become "${value}"`, {
          details: { key, old, value },
        });
    }
    for (const key of removedTags)
      if (!this.#hasTag(runId, key)) throw trackingErrors.TRACKING_TAG_UNKNOWN(`${runId} has no tag ${key}`);
    for (const { model_id } of modelMetrics)
      if (!this.#models.has(model_id)) throw trackingErrors.TRACKING_LOGGED_MODEL_UNKNOWN(`There is no logged model ${model_id}`);
    const change = write.change?.(run) ?? {};

    for (const { key, value } of params) {
      if (before?.has(key) === true) continue;
      before?.set(key, value);
      this.#newParams.push({ ...this.#own, run_id: runId, key, value });
    }
    const newTags = entry(this.#newTags, runId);
    for (const { key, value } of tags) if (key !== RUN_NAME_TAG || value !== "") newTags.set(key, value);
    for (const key of removedTags) newTags.set(key, null);
    if (change.name !== undefined) newTags.set(RUN_NAME_TAG, change.name);
    this.#change(run, { ...changeByTags(run, tags, removedTags), ...change });
    for (const row of metrics) this.#metrics.push(row);
    for (const row of modelMetrics) this.#modelMetrics.push(row);
  }

  #hasTag(runId: string, key: string): boolean {
    const written = this.#newTags.get(runId)?.get(key);
    return (written === undefined ? this.#tags.get(runId)?.has(key) : written !== null) ?? false;
  }

  #change(run: RunState, change: RunChange): void {
    if (Object.keys(change).length === 0) return;
    this.#runs.set(run.id, { ...run, ...change });
    this.#changes.set(run.id, { ...this.#changes.get(run.id), ...change });
  }

  async #write(): Promise<void> {
    const store = this.#store;
    for (const [id, change] of this.#changes)
      await this.#db
        .updateTable("runs")
        .set(change)
        .where((each) => each.and({ ...this.#own, id }))
        .execute();
    await store.insertMany(this.#db, "params", this.#newParams);
    await this.#writeTags();
    await store.insertMany(this.#db, "metrics", this.#metrics, "ignore");
    await store.insertMany(this.#db, "latest_metrics", latestOf(this.#metrics), {
      key: KEY,
      update: ["step", "logged_at", "value", "is_nan", "low", "high"],
      whereGreater: ["step", "logged_at", "value", "is_nan"],
    });
    await store.insertMany(this.#db, "logged_model_metrics", this.#modelMetrics, "ignore");
  }

  async #writeTags(): Promise<void> {
    const set: Database["tags"][] = [];
    for (const [run_id, tags] of this.#newTags) {
      const removed: string[] = [];
      for (const [key, value] of tags) {
        if (value === null) removed.push(key);
        else set.push({ ...this.#own, run_id, key, value });
      }
      if (removed.length > 0)
        await this.#db
          .deleteFrom("tags")
          .where((each) => each.and({ ...this.#own, run_id }))
          .where("key", "in", removed)
          .execute();
    }
    await this.#store.insertMany(this.#db, "tags", set, { key: KEY, update: ["value"] });
  }
}

/** What tags say that has a place of its own in the run's row. An empty name names nothing. */
function changeByTags(
  run: RunState,
  tags: readonly { readonly key: string; readonly value: string }[],
  removed: readonly string[],
): RunChange {
  let change: RunChange = {};
  for (const { key, value } of tags) {
    if (key === RUN_NAME_TAG && value !== "") change = { ...change, name: value };
    else if (key === PARENT_RUN_TAG) change = { ...change, parent_run_id: value };
    else if (key === USER_TAG && run.user_name === "") change = { ...change, user_name: value };
  }
  return removed.includes(PARENT_RUN_TAG) ? { ...change, parent_run_id: null } : change;
}

/** One row a run and key. */
function latestOf(metrics: readonly MetricTable[]): LatestMetricTable[] {
  const latest = new Map<string, Map<string, MetricTable>>();
  for (const row of metrics) {
    const ofRun = entry(latest, row.run_id);
    const last = ofRun.get(row.key);
    if (last === undefined || isLater(row, last)) ofRun.set(row.key, row);
  }
  return [...latest.values()].flatMap((ofRun) => [...ofRun.values()]);
}

function entry<Key, Inner, Value>(of: Map<Key, Map<Inner, Value>>, key: Key): Map<Inner, Value> {
  const found = of.get(key);
  if (found !== undefined) return found;
  const made = new Map<Inner, Value>();
  of.set(key, made);
  return made;
}

/** Later step, then time, then value; not-a-number is above zero, so that the order has no ties but the same metric. */
export function isLater(one: MetricTable, other: MetricTable): boolean {
  if (one.step !== other.step) return one.step > other.step;
  if (one.logged_at !== other.logged_at) return one.logged_at > other.logged_at;
  if (one.value !== other.value) return one.value > other.value;
  return one.is_nan > other.is_nan;
}
