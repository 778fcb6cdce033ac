import type { Clock, LoggedModelMetricTable, MetadataStore, MetricTable } from "../ports/index.ts";
import type { Scope } from "../scope.ts";
import { trackingErrors } from "./errors.ts";
import { groupCommit } from "./group-commit.ts";
import type { LoggedMetric } from "./interfaces.ts";
import { checkKey, checkText, TRACKING_LIMITS } from "./limits.ts";
import { type RunWrite, RunWriteGroup, type RunWriteJob } from "./run-write-group.ts";

/** On disk when it resolves. Writes that wait for the same commit share it. */
export type WriteRun = (write: RunWrite) => Promise<void>;

/** Writes to runs, checked before they wait: see groupCommit. */
export function runWrites(store: MetadataStore, clock: Clock, scope: Scope): WriteRun {
  const submit = groupCommit<RunWriteJob, undefined>({
    store,
    weightOf: ({ write, metrics }) => 1 + 2 * metrics.length + (write.params?.length ?? 0) + (write.tags?.length ?? 0),
    work: (db, jobs) => new RunWriteGroup(store, db, scope).commit(jobs),
  });
  return async (write) => {
    checkEntries(write);
    const metrics = metricRows(scope, write, clock);
    await submit({ write, metrics, modelMetrics: modelMetricRows(scope, write, metrics) });
  };
}

/** @throws TRACKING_NAME_INVALID, TRACKING_VALUE_TOO_LONG, TRACKING_PARAM_TWICE */
function checkEntries({ params = [], tags = [] }: RunWrite): void {
  for (const { key, value } of params) checkText(`Param ${checkKey(key)}`, value, TRACKING_LIMITS.paramValue);
  for (const { key, value } of tags) checkText(`Tag ${checkKey(key)}`, value, TRACKING_LIMITS.tagValue);
  if (new Set(params.map(({ key }) => key)).size < params.length)
    throw trackingErrors.TRACKING_PARAM_TWICE("The same param is in the call more than once");
}

function metricRows({ workspace, project }: Scope, { runId, metrics = [] }: RunWrite, clock: Clock): MetricTable[] {
  const now = metrics.length === 0 ? 0 : clock.now();
  // Most batches repeat a few keys many times.
  const checked = new Set<string>();
  return metrics.map(({ key, value, low, high, step = 0, at = now }: LoggedMetric) => {
    if (!checked.has(key)) checked.add(checkKey(key));
    if (!Number.isSafeInteger(step) || !Number.isSafeInteger(at) || at < 0)
      throw trackingErrors.TRACKING_STEP_INVALID(`Metric ${key} has step ${step} at ${at}`);
    const isNan = Number.isNaN(value);
    return {
      workspace,
      project,
      run_id: runId,
      key,
      step,
      logged_at: at,
      // One zero only: databases disagree whether -0 is another number.
      value: isNan || value === 0 ? 0 : value,
      is_nan: isNan ? 1 : 0,
      low: bound(low),
      high: bound(high),
    };
  });
}

const bound = (value: number | null | undefined) => (value === undefined || value === null || Number.isNaN(value) ? null : value);

function modelMetricRows(scope: Scope, { metrics = [] }: RunWrite, rows: readonly MetricTable[]): LoggedModelMetricTable[] {
  return metrics.flatMap(({ modelId, dataset }, i) => {
    const row = rows[i];
    if (modelId === undefined || row === undefined) return [];
    const { run_id, key, step, logged_at, value, is_nan } = row;
    return [
      {
        workspace: scope.workspace,
        project: scope.project,
        model_id: modelId,
        run_id,
        key,
        step,
        logged_at,
        value,
        is_nan,
        dataset_name: dataset?.name ?? "",
        dataset_digest: dataset?.digest ?? "",
      },
    ];
  });
}
