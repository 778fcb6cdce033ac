import type { Kysely } from "kysely";
import type { ArtifactRef, Clock, Database, MetadataStore } from "../ports/index.ts";
import type { Scope } from "../scope.ts";
import type { Micros } from "../time.ts";
import { trackingErrors } from "./errors.ts";

export interface LoggedMetric {
  readonly key: string;
  /** NaN and the infinities are kept as they are. */
  readonly value: number;
  readonly low?: number | undefined;
  readonly high?: number | undefined;
  /** 0 where the metric has no steps. */
  readonly step?: number;
  readonly at?: Micros;
}

export interface MetricPoint {
  readonly value: number;
  /** Bounds of the interval, null where the metric has none. */
  readonly low: number | null;
  readonly high: number | null;
  readonly step: number;
  readonly at: Micros;
}

export interface RunArtifact extends ArtifactRef {
  readonly path: string;
}

export interface RunLogs {
  /** Values are kept as text. Logging the same value again is allowed. @throws TRACKING_PARAM_CHANGED */
  logParams(runId: string, params: Readonly<Record<string, string | number | boolean | null>>): Promise<void>;
  /** All or none. The same key, step and time again replaces the value, so that a repeated call logs nothing twice. */
  logMetrics(runId: string, metrics: readonly LoggedMetric[]): Promise<void>;
  setTags(runId: string, tags: Readonly<Record<string, string>>): Promise<void>;
  /** Names bytes that are in the artifact store already. @throws TRACKING_ARTIFACT_CHANGED */
  logArtifact(runId: string, path: string, ref: ArtifactRef): Promise<void>;
  artifacts(runId: string): Promise<RunArtifact[]>;
  /** Every logged value of one metric, by step, then time. */
  metricHistory(runId: string, key: string): Promise<MetricPoint[]>;
}

/** SQLite binds at most 32,766 values in a statement; a metric has 10. */
const ROWS_A_STATEMENT = 1_000;

export function runLogs(store: MetadataStore, clock: Clock, { workspace, project }: Scope): RunLogs {
  const writing = <T>(runId: string, work: (db: Kysely<Database>) => Promise<T>) =>
    store.transaction(async (db) => {
      const run = await db
        .selectFrom("runs")
        .select("id")
        .where("workspace", "=", workspace)
        .where("project", "=", project)
        .where("id", "=", runId)
        .executeTakeFirst();
      if (run === undefined) throw trackingErrors.TRACKING_RUN_UNKNOWN(`There is no run ${runId}`);
      return work(db);
    });
  const scoped = { workspace, project };

  return {
    async logParams(runId, params) {
      const rows = Object.entries(params).map(([key, value]) => ({
        ...scoped,
        run_id: runId,
        key: checkName(key),
        value: String(value),
      }));
      if (rows.length === 0) return;
      await writing(runId, async (db) => {
        const stored = await db
          .selectFrom("params")
          .select(["key", "value"])
          .where("workspace", "=", workspace)
          .where("project", "=", project)
          .where("run_id", "=", runId)
          .execute();
        const before = new Map(stored.map(({ key, value }) => [key, value]));
        for (const { key, value } of rows) {
          const old = before.get(key);
          if (old !== undefined && old !== value)
            throw trackingErrors.TRACKING_PARAM_CHANGED(`Param ${key} of ${runId} is "${old}" and cannot become "${value}"`);
        }
        const fresh = rows.filter(({ key }) => !before.has(key));
        for (const batch of batches(fresh)) await db.insertInto("params").values(batch).execute();
      });
    },

    async logMetrics(runId, metrics) {
      const now = clock.now();
      const rows = metrics.map(({ key, value, low, high, step = 0, at = now }) => {
        if (!Number.isSafeInteger(step) || !Number.isSafeInteger(at))
          throw trackingErrors.TRACKING_STEP_INVALID(`Metric ${key} has step ${step} at ${at}`);
        const isNan = Number.isNaN(value);
        return {
          ...scoped,
          run_id: runId,
          key: checkName(key),
          step,
          logged_at: at,
          value: isNan ? null : value,
          is_nan: isNan ? 1 : 0,
          low: bound(low),
          high: bound(high),
        };
      });
      if (rows.length === 0) return;
      await writing(runId, async (db) => {
        for (const batch of batches(rows)) {
          await db
            .insertInto("metrics")
            .values(batch)
            .onConflict((conflict) =>
              conflict.columns(["workspace", "project", "run_id", "key", "step", "logged_at"]).doUpdateSet((row) => ({
                value: row.ref("excluded.value"),
                is_nan: row.ref("excluded.is_nan"),
                low: row.ref("excluded.low"),
                high: row.ref("excluded.high"),
              })),
            )
            .execute();
        }
      });
    },

    async setTags(runId, tags) {
      const rows = Object.entries(tags).map(([key, value]) => ({ ...scoped, run_id: runId, key: checkName(key), value }));
      if (rows.length === 0) return;
      await writing(runId, async (db) => {
        for (const batch of batches(rows)) {
          await db
            .insertInto("tags")
            .values(batch)
            .onConflict((conflict) =>
              conflict
                .columns(["workspace", "project", "run_id", "key"])
                .doUpdateSet((row) => ({ value: row.ref("excluded.value") })),
            )
            .execute();
        }
      });
    },

    async logArtifact(runId, path, { sha256, bytes, mediaType }) {
      checkPath(path);
      await writing(runId, async (db) => {
        const stored = await db
          .selectFrom("run_artifacts")
          .select("sha256")
          .where("workspace", "=", workspace)
          .where("project", "=", project)
          .where("run_id", "=", runId)
          .where("path", "=", path)
          .executeTakeFirst();
        if (stored?.sha256 === sha256) return;
        if (stored !== undefined)
          throw trackingErrors.TRACKING_ARTIFACT_CHANGED(`${runId} has other content under ${path} already`);
        await db
          .insertInto("run_artifacts")
          .values({ ...scoped, run_id: runId, path, sha256, bytes, media_type: mediaType })
          .execute();
      });
    },

    async artifacts(runId) {
      const rows = await store.db
        .selectFrom("run_artifacts")
        .select(["path", "sha256", "bytes", "media_type"])
        .where("workspace", "=", workspace)
        .where("project", "=", project)
        .where("run_id", "=", runId)
        .orderBy("path")
        .execute();
      return rows.map(({ path, sha256, bytes, media_type }) => ({ path, sha256, bytes, mediaType: media_type }));
    },

    async metricHistory(runId, key) {
      const rows = await store.db
        .selectFrom("metrics")
        .select(["value", "is_nan", "low", "high", "step", "logged_at"])
        .where("workspace", "=", workspace)
        .where("project", "=", project)
        .where("run_id", "=", runId)
        .where("key", "=", key)
        .orderBy("step")
        .orderBy("logged_at")
        .execute();
      return rows.map(metricPoint);
    },
  };
}

/** A stored metric as it was logged. */
export const metricPoint = (row: {
  value: number | null;
  is_nan: number;
  low: number | null;
  high: number | null;
  step: number;
  logged_at: Micros;
}): MetricPoint => ({
  value: row.is_nan === 1 || row.value === null ? Number.NaN : row.value,
  low: row.low,
  high: row.high,
  step: row.step,
  at: row.logged_at,
});

const bound = (value: number | undefined) => (value === undefined || Number.isNaN(value) ? null : value);

function batches<T>(rows: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(rows.length / ROWS_A_STATEMENT) }, (_, batch) =>
    rows.slice(batch * ROWS_A_STATEMENT, (batch + 1) * ROWS_A_STATEMENT),
  );
}

/** @throws TRACKING_NAME_INVALID */
export function checkName(name: string): string {
  if (name.length === 0 || name.length > 250 || /[\r\n]/.test(name))
    throw trackingErrors.TRACKING_NAME_INVALID(`A name of ${name.length} characters cannot be used: "${name.slice(0, 40)}"`);
  return name;
}

function checkPath(path: string): void {
  const parts = path.split("/");
  if (
    path.length > 500 ||
    path.includes("\\") ||
    path.includes("\0") ||
    parts.some((part) => part === "" || part === "." || part === "..")
  )
    throw trackingErrors.TRACKING_PATH_INVALID(`"${path.slice(0, 80)}" is not an artifact path`);
}
