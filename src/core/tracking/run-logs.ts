import { sql } from "kysely";
import type { ArtifactRef, Clock, MetadataStore, MetricTable } from "../ports/index.ts";
import type { Scope } from "../scope.ts";
import { checkFree } from "./artifact-files.ts";
import { artifactPath } from "./artifact-location.ts";
import { artifactFilePath } from "./artifact-path.ts";
import { trackingErrors } from "./errors.ts";
import type { Page, RunArtifact, RunLogs } from "./interfaces.ts";
import { TRACKING_LIMITS } from "./limits.ts";
import { readCursor, writeCursor } from "./page-cursor.ts";
import { runInputs } from "./run-inputs.ts";
import { deletedRun, metricPoint, unknownRun } from "./run-records.ts";
import type { WriteRun } from "./run-writes.ts";

export function runLogs(store: MetadataStore, clock: Clock, scope: Scope, write: WriteRun): RunLogs {
  const { workspace, project } = scope;
  const own = { workspace, project };

  const fileRows = (root: string) =>
    store.db
      .selectFrom("artifact_files")
      .select(["path", "sha256", "bytes", "media_type"])
      .where((each) => each.and(own))
      // "0" is the character after "/".
      .where("path", ">=", `${root}/`)
      .where("path", "<", `${root}0`)
      .orderBy("path")
      .execute();

  async function artifactUri(runId: string): Promise<string> {
    const run = await store.db
      .selectFrom("runs")
      .select("artifact_uri")
      .where((each) => each.and({ ...own, id: runId }))
      .executeTakeFirst();
    if (run === undefined) throw unknownRun(runId);
    return run.artifact_uri;
  }

  return {
    async logBatch(runId, batch) {
      const { metrics = [], params = [], tags = [] } = batch;
      const { batchMetrics, batchParams, batchTags, batchEntries } = TRACKING_LIMITS;
      const entries = metrics.length + params.length + tags.length;
      if (metrics.length > batchMetrics || params.length > batchParams || tags.length > batchTags || entries > batchEntries)
        throw trackingErrors.TRACKING_BATCH_TOO_LARGE(
          `The batch has ${metrics.length} metrics, ${params.length} params and ${tags.length} tags`,
        );
      await write({ runId, metrics, params, tags });
    },

    logParams: (runId, params) =>
      write({ runId, params: Object.entries(params).map(([key, value]) => ({ key, value: String(value) })) }),
    logMetrics: (runId, metrics) => write({ runId, metrics }),
    setTags: (runId, tags) => write({ runId, tags: Object.entries(tags).map(([key, value]) => ({ key, value })) }),
    deleteTag: (runId, key) => write({ runId, removedTags: [key] }),

    async metricHistory(runId, key, { limit = TRACKING_LIMITS.historyPage, cursor } = {}) {
      if (!Number.isInteger(limit) || limit < 1 || limit > TRACKING_LIMITS.historyPage)
        throw trackingErrors.TRACKING_LIMIT_INVALID(`A page cannot have ${limit} points`, {
          hint: `Ask for 1 to ${TRACKING_LIMITS.historyPage} points a page.`,
        });
      const list = `history of ${key} in ${runId}`;
      const after = cursor === undefined ? null : readPosition(cursor, list);
      const rows = await store.db
        .selectFrom("metrics")
        .select(["value", "is_nan", "low", "high", "step", "logged_at"])
        .where((each) => each.and({ ...own, run_id: runId, key }))
        .$if(after !== null, (each) =>
          each.where(
            sql<boolean>`(step, logged_at, value, is_nan) > (${after?.step}, ${after?.logged_at}, ${after?.value}, ${after?.is_nan})`,
          ),
        )
        .orderBy("step")
        .orderBy("logged_at")
        .orderBy("value")
        .orderBy("is_nan")
        .limit(limit + 1)
        .execute();
      return pageOf(rows, limit, list);
    },

    ...runInputs(store, scope),

    async logArtifact(runId, path, ref) {
      await store.transaction(async (db) => {
        const run = await db
          .selectFrom("runs")
          .select(["artifact_uri", "lifecycle"])
          .where((each) => each.and({ ...own, id: runId }))
          .executeTakeFirst();
        if (run === undefined) throw unknownRun(runId);
        if (run.lifecycle === "deleted") throw deletedRun(runId);
        const root = artifactPath(run.artifact_uri);
        if (root === null)
          throw trackingErrors.TRACKING_LOCATION_INVALID(`The artifacts of ${runId} lie at ${run.artifact_uri}, not here`);
        const full = artifactFilePath(`${root}/${path}`);
        await checkFree(db, own, full);
        const stored = await db
          .selectFrom("artifact_files")
          .select("sha256")
          .where((each) => each.and({ ...own, path: full }))
          .executeTakeFirst();
        if (stored?.sha256 === ref.sha256) return;
        if (stored !== undefined)
          throw trackingErrors.TRACKING_ARTIFACT_CHANGED(`${runId} has other content under ${path} already`);
        await store.insertMany(db, "artifact_files", [{ ...own, ...fileColumns(full, ref), written_at: clock.now() }]);
      });
    },

    async artifacts(runId) {
      const root = artifactPath(await artifactUri(runId));
      if (root === null) return [];
      return (await fileRows(root)).map(
        ({ path, sha256, bytes, media_type }): RunArtifact => ({
          path: path.slice(root.length + 1),
          sha256,
          bytes,
          mediaType: media_type,
        }),
      );
    },
  };
}

const fileColumns = (path: string, { sha256, bytes, mediaType }: ArtifactRef) => ({ path, sha256, bytes, media_type: mediaType });

type Point = Pick<MetricTable, "value" | "is_nan" | "low" | "high" | "step" | "logged_at">;

/** One row more than the page was asked for: whether there is a next page. */
function pageOf(rows: readonly Point[], limit: number, list: string): Page<ReturnType<typeof metricPoint>> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  const more = rows.length > limit && last !== undefined;
  return {
    items: items.map(metricPoint),
    // As text, because JSON knows no infinities.
    nextCursor: more ? writeCursor(list, [last.step, last.logged_at, String(last.value), last.is_nan]) : null,
  };
}

function readPosition(cursor: string, list: string): Pick<Point, "step" | "logged_at" | "value" | "is_nan"> {
  const [step, logged_at, text, is_nan] = readCursor(cursor, list);
  const value = typeof text === "string" ? Number(text) : Number.NaN;
  if (typeof step === "number" && typeof logged_at === "number" && typeof is_nan === "number" && !Number.isNaN(value))
    return { step, logged_at, value, is_nan };
  throw trackingErrors.TRACKING_CURSOR_INVALID("The cursor does not belong to this list");
}
