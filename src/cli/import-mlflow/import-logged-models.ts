import { copyFiles } from "./copy-files.ts";
import { refusing } from "./import-runs.ts";
import { call } from "./import-target.ts";
import { type Importing, ORIGIN_TAG, STATE_TAG } from "./importing.ts";
import type { SourceLoggedModel } from "./source-records.ts";

const READY = 2;
const FAILED = 3;

export async function importLoggedModel(importing: Importing, experimentId: string, model: SourceLoggedModel): Promise<void> {
  const { target, summary, loggedModels } = importing;
  const { info, data } = model;
  const origin = info.model_id;
  const state = String(info.last_updated_timestamp_ms ?? "taken");
  const filter = `tags.\`${ORIGIN_TAG}\` = '${origin.replaceAll("'", "''")}'`;
  const there = async (view: "active" | "deleted") =>
    (await target.client.loggedModels.list({ filter, limit: 1, view })).items[0];
  const known = await there("active");
  if (known !== undefined) loggedModels.set(origin, known.id);
  if (known?.tags[STATE_TAG] === state || (known === undefined && (await there("deleted")) !== undefined)) {
    summary.loggedModels.unchanged += 1;
    return;
  }
  const id = known?.id ?? (await make(importing, experimentId, model));
  loggedModels.set(origin, id);
  if (known !== undefined && info.tags.length > 0) await call(target, "PATCH", `logged-models/${id}/tags`, { tags: info.tags });
  await logMetrics(importing, id, data.metrics);
  const whole = await copyFiles(importing, info.artifact_uri, `${experimentId}/models/${id}/artifacts`, `logged model ${origin}`);
  const status = /FAILED|3/.test(String(info.status)) ? FAILED : READY;
  await call(target, "PATCH", `logged-models/${id}`, { model_id: id, status });
  // Last: a model that was cut off is taken again.
  if (whole) await call(target, "PATCH", `logged-models/${id}/tags`, { tags: [{ key: STATE_TAG, value: state }] });
  summary.loggedModels.taken += 1;
}

async function make({ target, runs }: Importing, experimentId: string, { info, data }: SourceLoggedModel): Promise<string> {
  const { model } = await call<{ model: { info: { model_id: string } } }>(target, "POST", "logged-models", {
    experiment_id: experimentId,
    name: info.name,
    model_type: info.model_type,
    source_run_id: runs.get(info.source_run_id) ?? info.source_run_id,
    params: data.params,
    tags: [...info.tags, { key: ORIGIN_TAG, value: info.model_id }],
  });
  return model.info.model_id;
}

type ModelMetric = SourceLoggedModel["data"]["metrics"][number];

/** They are metrics of runs that were measured on the model. */
async function logMetrics(importing: Importing, modelId: string, metrics: readonly ModelMetric[]): Promise<void> {
  const { client } = importing.target;
  for (const metric of metrics) {
    const { key, run_id, dataset_name, dataset_digest } = metric;
    const id = importing.runs.get(run_id) ?? run_id;
    const what = `metric ${key} of logged model ${modelId}`;
    await refusing(importing, what, async () => {
      const { tags, lifecycle } = await client.runs.get({ id });
      if (tags[ORIGIN_TAG] !== run_id || lifecycle === "deleted")
        return importing.report(what, `its run ${run_id.slice(0, 100)} was not imported or is deleted`);
      const dataset = dataset_name === "" ? {} : { dataset: { name: dataset_name, digest: dataset_digest } };
      await client.runs.logBatch({ id, metrics: [{ key, ...(await pointOf(importing, id, metric)), modelId, ...dataset }] });
    });
  }
}

/** As the run has it, which shall not get another: MLflow's database keeps no NaN of a model, its file store no step of a run. */
async function pointOf({ target }: Importing, id: string, { key, value, step, timestamp }: ModelMetric) {
  const at = timestamp * 1_000;
  for (let cursor: string | null = ""; cursor !== null; ) {
    const page: Awaited<ReturnType<typeof target.client.runs.metricHistory>> = await target.client.runs.metricHistory({
      id,
      key,
      limit: 25_000,
      ...(cursor !== "" && { cursor }),
    });
    const found = page.items.find((point) => point.at === at && (point.step === step || point.value === value));
    if (found !== undefined) return { value: found.value, step: found.step, at };
    cursor = page.nextCursor;
  }
  return { value, step, at };
}
