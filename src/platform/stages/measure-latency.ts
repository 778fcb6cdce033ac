import { OrreryError } from "../../core/errors.ts";
import { createFeatureReader, type FeaturePlan, type FeatureValue } from "../../core/features/index.ts";
import { createRowPredictor, type Dataset, type ModelPackage } from "../../core/training/index.ts";
import type { Stage } from "./stage.ts";

const WARM_UP = 200;
const MEASURED = 1_000;

export interface LatencyFigures {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/**
 * Feature read and prediction of one request at a time, in ms, over entities of the training set: what the model costs before HTTP. The
 * live endpoint's own latency is monitored apart. `null` where the online store has not been filled yet.
 */
export async function measureLatency(
  opened: Stage,
  model: ModelPackage,
  requests: readonly Record<string, FeatureValue>[],
): Promise<LatencyFigures | null> {
  const { scope, now } = opened.environment;
  const reader = createFeatureReader(model.plan, opened.online(), scope);
  const predictRow = createRowPredictor(model);
  const times: number[] = [];
  try {
    for (let i = 0; i < WARM_UP + MEASURED; i++) {
      const started = performance.now();
      const { values } = await reader.read([requests[i % requests.length] ?? {}], now);
      for (const row of values) predictRow(row);
      if (i >= WARM_UP) times.push(performance.now() - started);
    }
  } catch (error) {
    if (error instanceof OrreryError && error.code === "FEATURE_VIEW_NOT_MATERIALIZED") return null;
    throw error;
  }
  times.sort((a, b) => a - b);
  const at = (q: number) => times[Math.min(times.length - 1, Math.floor(q * times.length))] ?? Number.NaN;
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

/** Requests as the endpoint gets them, from columns of the dataset that are request fields taken as they are, keys included where they are. */
export function sampleRequests(
  plan: FeaturePlan,
  dataset: Dataset,
  rows: Uint32Array,
  count = 200,
): Record<string, FeatureValue>[] {
  const fields = Object.keys({ ...plan.request, ...plan.keys });
  const columns = fields.map((field) => dataset.features.find(({ id }) => id === `on-demand.${field}`));
  const step = Math.max(1, Math.floor(rows.length / count));
  return Array.from({ length: Math.min(count, rows.length) }, (_, i) => {
    const row = rows[i * step] ?? 0;
    return Object.fromEntries(
      fields.map((field, f) => {
        const column = columns[f];
        if (column === undefined)
          return [field, { ...plan.request, ...plan.keys }[field] === "timestamp" ? (dataset.at[row] ?? 0) : null];
        if (column.kind === "numeric") return [field, column.values[row] ?? null];
        return [field, column.categories[column.codes[row] ?? -1] ?? null];
      }),
    );
  });
}
