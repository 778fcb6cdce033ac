import { type LoggedMetric, type MetricPoint, TRACKING_LIMITS } from "../../../core/tracking/index.ts";
import { changes, get, type MlflowEndpoint } from "./endpoint.ts";
import { metricMessage } from "./run-messages.ts";
import { runIdOf } from "./runs.ts";
import {
  cursor,
  type Fields,
  fromMillis,
  integer,
  nextPage,
  objects,
  pageSize,
  refused,
  requiredDouble,
  requiredInteger,
  requiredText,
  some,
  text,
  texts,
} from "./wire.ts";

const track = changes("track");

/** A batch may have so many bytes, as clients know. */
const BATCH_BYTES = 1_000_000;
const MOST_RUNS = 100;
const MOST_POINTS = 2_500;
const HISTORY_PAGE = 25_000;
const DONE = {};

/** `at` is where it stands: "metrics[3]." in a batch, "" alone. */
function metricOf(fields: Fields, at: string): LoggedMetric {
  const dataset = text(fields, "dataset_name", `${at}dataset_name`);
  const modelId = text(fields, "model_id", `${at}model_id`);
  const metric = {
    key: requiredText(fields, "key", `${at}key`),
    value: requiredDouble(fields, "value", `${at}value`),
    at: fromMillis(requiredInteger(fields, "timestamp", `${at}timestamp`)),
    step: integer(fields, "step", `${at}step`) ?? 0,
  };
  // Most have neither.
  if (!modelId && !dataset) return metric;
  return {
    ...metric,
    ...(modelId ? { modelId } : {}),
    ...(dataset ? { dataset: { name: dataset, digest: text(fields, "dataset_digest", `${at}dataset_digest`) ?? "" } } : {}),
  };
}

/** A value that is too long is cut, as MLflow's server does: a program that logs a long text shall not fail for it. */
const entryOf = (fields: Fields, longest: number, at = "") => ({
  key: requiredText(fields, "key", `${at}key`),
  value: (text(fields, "value", `${at}value`) ?? "").slice(0, longest),
});
const paramOf = (fields: Fields, at = "") => entryOf(fields, TRACKING_LIMITS.paramValue, at);
const tagOf = (fields: Fields, at = "") => entryOf(fields, TRACKING_LIMITS.tagValue, at);

const keyOf = (fields: Fields) => requiredText(fields, "metric_key");

export const runLogEndpoints: readonly MlflowEndpoint[] = [
  track.post("/runs/log-metric", async ({ fields, room }) => {
    await room.tracking.logBatch(runIdOf(fields), { metrics: [metricOf(fields, "")] });
    return DONE;
  }),
  track.post("/runs/log-parameter", async ({ fields, room }) => {
    await room.tracking.logBatch(runIdOf(fields), { params: [paramOf(fields)] });
    return DONE;
  }),
  track.post("/runs/set-tag", async ({ fields, room }) => {
    await room.tracking.logBatch(runIdOf(fields), { tags: [tagOf(fields)] });
    return DONE;
  }),
  track.post("/runs/delete-tag", async ({ fields, room }) => {
    await room.tracking.deleteTag(runIdOf(fields), requiredText(fields, "key"));
    return DONE;
  }),
  track.post("/runs/log-batch", async ({ fields, room, bodyBytes }) => {
    if (bodyBytes > BATCH_BYTES)
      throw refused(`Batched logging API requests must be at most ${BATCH_BYTES} bytes, got a request of size ${bodyBytes}.`);
    await room.tracking.logBatch(runIdOf(fields), {
      metrics: objects(fields, "metrics").map((each, at) => metricOf(each, `metrics[${at}].`)),
      params: objects(fields, "params").map((each, at) => paramOf(each, `params[${at}].`)),
      tags: objects(fields, "tags").map((each, at) => tagOf(each, `tags[${at}].`)),
    });
    return DONE;
  }),
  get("/metrics/get-history", async ({ fields, room }) => {
    const runId = runIdOf(fields);
    const key = keyOf(fields);
    const asked = integer(fields, "max_results");
    if (asked !== undefined && asked <= 0)
      throw refused(`Invalid value ${asked} for parameter 'max_results' supplied. It must be a positive integer.`, "max_results");
    const limit = Math.min(asked ?? HISTORY_PAGE, HISTORY_PAGE);
    const first = await room.tracking.metricHistory(runId, key, { limit, cursor: cursor(fields) });
    if (asked !== undefined)
      return {
        ...some(
          "metrics",
          first.items.map((point) => metricMessage(key, point)),
        ),
        ...nextPage(first.nextCursor),
      };
    // Who asks for no page has the whole.
    const points: MetricPoint[] = [...first.items];
    for (let next = first.nextCursor; next !== null; ) {
      const page = await room.tracking.metricHistory(runId, key, { limit, cursor: next });
      for (const point of page.items) points.push(point);
      next = page.nextCursor;
    }
    return some(
      "metrics",
      points.map((point) => metricMessage(key, point)),
    );
  }),
  get("/metrics/get-history-bulk", async ({ fields, room }) => {
    const runIds = [...new Set(texts(fields, "run_id"))].sort();
    if (runIds.length === 0) throw refused("GetMetricHistoryBulk request must specify at least one run_id.", "run_id");
    if (runIds.length > MOST_RUNS)
      throw refused(
        `GetMetricHistoryBulk request cannot specify more than ${MOST_RUNS} run_ids. Received ${runIds.length} run_ids.`,
        "run_id",
      );
    const key = text(fields, "metric_key");
    if (!key) throw refused("GetMetricHistoryBulk request must specify a metric_key.", "metric_key");
    const most = pageSize(fields, HISTORY_PAGE, HISTORY_PAGE);
    const found: object[] = [];
    for (const runId of runIds) {
      if (found.length === most) break;
      const { items } = await room.tracking.metricHistory(runId, key, { limit: most - found.length });
      for (const point of items) found.push({ ...metricMessage(key, point), run_id: runId });
    }
    return some("metrics", found);
  }),
  get("/metrics/get-history-bulk-interval", async ({ fields, room }) => {
    const runIds = texts(fields, "run_ids");
    if (runIds.length === 0) requiredText({}, "run_ids");
    if (runIds.length > MOST_RUNS)
      throw refused(
        `GetMetricHistoryBulkInterval request must specify at most ${MOST_RUNS} run_ids. Received ${runIds.length} run_ids.`,
        "run_ids",
      );
    const key = keyOf(fields);
    const most = integer(fields, "max_results") ?? MOST_POINTS;
    if (most < 1 || most > MOST_POINTS) throw refused(`max_results must be between 1 and ${MOST_POINTS}.`, "max_results");
    const within = stepsOf(fields);
    const found: object[] = [];
    for (const runId of runIds) {
      const points: MetricPoint[] = [];
      for (let next: string | null | undefined; next !== null; ) {
        const page = await room.tracking.metricHistory(runId, key, { limit: HISTORY_PAGE, cursor: next });
        for (const point of page.items) if (point.step >= within.from && point.step <= within.to) points.push(point);
        next = page.nextCursor;
      }
      for (const point of sampled(points, most)) found.push({ ...metricMessage(key, point), run_id: runId });
    }
    return some("metrics", found);
  }),
];

function stepsOf(fields: Fields): { readonly from: number; readonly to: number } {
  const from = integer(fields, "start_step");
  const to = integer(fields, "end_step");
  if (from === undefined && to === undefined) return { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };
  if (from === undefined || to === undefined)
    throw refused("If either start step or end step are specified, both must be specified.");
  if (from > to) throw refused(`end_step must be greater than start_step. Found start_step=${from} and end_step=${to}.`);
  return { from, to };
}

/** At most so many points, evenly over the steps, with the first and the last of them. */
function sampled(points: readonly MetricPoint[], most: number): readonly MetricPoint[] {
  const last = points.length - 1;
  if (points.length <= most) return points;
  if (most === 1) return points.slice(last);
  const chosen = new Set(Array.from({ length: most }, (_, at) => Math.round((at * last) / (most - 1))));
  return points.filter((_, at) => chosen.has(at));
}
