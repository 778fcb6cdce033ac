import fc from "fast-check";
import type { MetadataStore } from "../../../ports/index.ts";
import type { Scope } from "../../../scope.ts";

/** A run as the searches' brute force sees it. */
export interface ModelRun {
  readonly id: string;
  readonly name: string;
  readonly status: "scheduled" | "running" | "finished" | "failed" | "killed";
  readonly experimentId: string;
  readonly parentRunId: string | null;
  readonly lifecycle: "active" | "deleted";
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly userName: string;
  readonly metrics: Readonly<Record<string, number>>;
  readonly params: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly datasets: readonly { readonly name: string; readonly digest: string; readonly context: string | null }[];
}

export const KEYS = ["a", "B", "with space", "d.o.t", "tick`ed", 'dou"ble', "it's", "ü→😀", "select", "x-1/y", "%"] as const;
export const TEXTS = [
  "",
  "x",
  "X",
  "xy",
  "y%",
  "a_b",
  "axb",
  "é",
  "É",
  "it's",
  'say "x"',
  "back\\slash",
  "😀",
  "true",
  "null",
] as const;
export const NUMBERS = [-1, 0, 0.5, 1, 1e-300, 1e300, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY] as const;
export const EXPERIMENTS = ["0", "1", "2"] as const;
const STATUSES = ["scheduled", "running", "finished", "failed", "killed"] as const;
/** Some within the same millisecond. */
export const TIMES = [0, 999, 1_000, 1_999, 2_000, 1_700_000_000_000_000, 1_700_000_000_000_500] as const;

const keyed = <V>(value: fc.Arbitrary<V>) =>
  fc.dictionary(fc.constantFrom(...KEYS), value, { maxKeys: 4, noNullPrototype: true });

export const randomRun: fc.Arbitrary<Omit<ModelRun, "id">> = fc.record({
  name: fc.constantFrom(...TEXTS),
  status: fc.constantFrom(...STATUSES),
  experimentId: fc.constantFrom(...EXPERIMENTS),
  parentRunId: fc.constantFrom(null, null, "run-0", "x"),
  lifecycle: fc.constantFrom("active", "active", "active", "deleted"),
  startedAt: fc.constantFrom(...TIMES),
  endedAt: fc.constantFrom(null, ...TIMES),
  userName: fc.constantFrom(...TEXTS),
  metrics: keyed(fc.constantFrom(Number.NaN, ...NUMBERS)),
  params: keyed(fc.constantFrom(...TEXTS)),
  tags: keyed(fc.constantFrom(...TEXTS)),
  datasets: fc.uniqueArray(
    fc.record({
      name: fc.constantFrom("x", "é"),
      digest: fc.constantFrom("1", "2"),
      context: fc.constantFrom(null, "train", "X"),
    }),
    { maxLength: 2, selector: ({ name, digest }) => `${name} ${digest}` },
  ),
});

/** Written as the store's writers would. */
export async function insertRuns(store: MetadataStore, scope: Scope, runs: readonly ModelRun[]): Promise<void> {
  const at = 0;
  await store.transaction(async (db) => {
    await store.insertMany(
      db,
      "experiments",
      EXPERIMENTS.map((id) => ({
        ...scope,
        id,
        name: `experiment ${id}`,
        artifact_location: "",
        lifecycle: "active" as const,
        deleted_at: null,
        created_at: at,
        updated_at: at,
      })),
      "ignore",
    );
    await store.insertMany(
      db,
      "runs",
      runs.map((run) => ({
        ...scope,
        id: run.id,
        experiment_id: run.experimentId,
        parent_run_id: run.parentRunId,
        name: run.name,
        status: run.status,
        started_at: run.startedAt,
        ended_at: run.endedAt === null ? null : run.endedAt,
        lifecycle: run.lifecycle,
        deleted_at: null,
        artifact_uri: `mlflow-artifacts:/${run.experimentId}/${run.id}/artifacts`,
        user_name: run.userName,
        actor: "system:test",
        trace_id: null,
        snapshots: "[]",
        git_commit: null,
        git_diff: null,
      })),
    );
    await store.insertMany(
      db,
      "latest_metrics",
      runs.flatMap(({ id, metrics }) =>
        Object.entries(metrics).map(([key, value]) => ({
          ...scope,
          run_id: id,
          key,
          step: 0,
          logged_at: at,
          value: Number.isNaN(value) ? 0 : value,
          is_nan: Number.isNaN(value) ? 1 : 0,
          low: null,
          high: null,
        })),
      ),
    );
    for (const table of ["params", "tags"] as const)
      await store.insertMany(
        db,
        table,
        runs.flatMap((run) => Object.entries(run[table]).map(([key, value]) => ({ ...scope, run_id: run.id, key, value }))),
      );
    await store.insertMany(
      db,
      "datasets",
      runs.flatMap(({ experimentId, datasets }) =>
        datasets.map(({ name, digest }) => ({
          ...scope,
          experiment_id: experimentId,
          name,
          digest,
          source_type: "",
          source: "",
          schema: null,
          profile: null,
        })),
      ),
      "ignore",
    );
    await store.insertMany(
      db,
      "run_datasets",
      runs.flatMap(({ id, experimentId, datasets }) =>
        datasets.map(({ name, digest, context }, position) => ({
          ...scope,
          run_id: id,
          experiment_id: experimentId,
          name,
          digest,
          position,
          tags: JSON.stringify(context === null ? { other: "x" } : { "mlflow.data.context": context }),
        })),
      ),
    );
  });
}
