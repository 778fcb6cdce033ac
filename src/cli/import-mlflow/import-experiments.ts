import { call, type ImportTarget, isCode, putFile, reasonOf } from "./import-target.ts";
import { type MlflowSource, type SourceExperiment, type SourceLoggedModel, type SourceRun, textsOf } from "./mlflow-source.ts";

/** Tags by which a later import knows what is there already. */
export const ORIGIN_TAG = "orrery.import.origin";
const STATE_TAG = "orrery.import.state";

export interface ImportSummary {
  experiments: number;
  runs: number;
  metrics: number;
  loggedModels: number;
  models: number;
  versions: number;
  files: number;
  bytes: number;
  /** There already, and not changed since. */
  unchanged: number;
  readonly problems: { readonly what: string; readonly reason: string }[];
}

export interface Importing {
  readonly source: MlflowSource;
  readonly target: ImportTarget;
  readonly summary: ImportSummary;
  /** Id here by id there. */
  readonly experiments: Map<string, string>;
  readonly loggedModels: Map<string, string>;
  onProgress(line: string): void;
}

const RUNS_AT_ONCE = 4;
const BATCH = 1_000;
const STATUSES: Readonly<Record<string, "scheduled" | "running" | "finished" | "failed" | "killed">> = {
  SCHEDULED: "scheduled",
  RUNNING: "running",
  FINISHED: "finished",
  FAILED: "failed",
  KILLED: "killed",
};

export async function importExperiment(importing: Importing, experiment: SourceExperiment): Promise<void> {
  const { target, source, summary, onProgress } = importing;
  const id = await experimentHere(target, experiment);
  if (id === null) {
    summary.unchanged += 1;
    return;
  }
  importing.experiments.set(experiment.experiment_id, id);
  summary.experiments += 1;
  const waiting: Promise<void>[] = [];
  let count = 0;
  for await (const run of source.runs(experiment.experiment_id)) {
    count += 1;
    const imported = importRun(importing, id, run).catch((error) => {
      summary.problems.push({ what: `run ${run.info.run_id}`, reason: reasonOf(error) });
    });
    waiting.push(imported);
    if (waiting.length >= RUNS_AT_ONCE) await waiting.shift();
  }
  await Promise.all(waiting);
  try {
    for await (const model of source.loggedModels(experiment.experiment_id)) await importLoggedModel(importing, id, model);
  } catch (error) {
    // Servers before 3.0 have none.
    if (!reasonOf(error).includes("answered 404"))
      summary.problems.push({ what: `logged models of ${experiment.name}`, reason: reasonOf(error) });
  }
  if (experiment.lifecycle_stage === "deleted") await target.client.experiments.delete({ id });
  onProgress(`${experiment.name}: ${count} runs`);
}

/** Its id here, made where it is not there; null of a deleted one that was taken before. */
async function experimentHere({ client }: ImportTarget, experiment: SourceExperiment): Promise<string | null> {
  const origin = experiment.experiment_id;
  const filter = `tags.\`${ORIGIN_TAG}\` = '${origin}'`;
  const { items } = await client.experiments.list({ view: "all", filter, limit: 1 });
  const [known] = items;
  if (known !== undefined) return known.lifecycle === "deleted" ? null : known.id;
  const tags = { ...textsOf(experiment.tags), [ORIGIN_TAG]: origin };
  try {
    return (await client.experiments.create({ name: experiment.name, tags })).id;
  } catch (error) {
    if (!isCode(error, "TRACKING_EXPERIMENT_EXISTS") || experiment.lifecycle_stage === "deleted") throw error;
    // One of this name goes on with what is imported into it.
    return (await client.experiments.named({ name: experiment.name })).id;
  }
}

async function importRun(importing: Importing, experimentId: string, { info, data, inputs }: SourceRun): Promise<void> {
  const { target, source, summary } = importing;
  const { client } = target;
  const id = info.run_id;
  const status = STATUSES[info.status] ?? "finished";
  const state = [info.status, info.end_time ?? "", info.lifecycle_stage, data.params.length, data.tags.length].join(" ");
  const run = await client.runs.create({
    id,
    experimentId,
    name: info.run_name,
    userName: info.user_id,
    startedAt: info.start_time * 1_000,
  });
  if (run.tags[STATE_TAG] === state && status !== "running") {
    summary.unchanged += 1;
    return;
  }
  if (run.lifecycle === "deleted") await client.runs.restore({ id });
  for (let at = 0; at < data.params.length; at += 100)
    await client.runs.logBatch({
      id,
      params: data.params.slice(at, at + 100).map(({ key, value }) => ({ key, value: value.slice(0, 6_000) })),
    });
  for (let at = 0; at < data.tags.length; at += 100)
    await client.runs.logBatch({
      id,
      tags: data.tags.slice(at, at + 100).map(({ key, value }) => ({ key, value: value.slice(0, 8_000) })),
    });
  for (const { key } of data.metrics) {
    let batch: { key: string; value: (typeof data.metrics)[number]["value"]; at: number; step: number }[] = [];
    for await (const point of source.history(id, key)) {
      batch.push({ key, value: point.value, at: point.timestamp * 1_000, step: point.step });
      summary.metrics += 1;
      if (batch.length < BATCH) continue;
      await client.runs.logBatch({ id, metrics: batch });
      batch = [];
    }
    if (batch.length > 0) await client.runs.logBatch({ id, metrics: batch });
  }
  const datasets = inputs.dataset_inputs.map(({ dataset: { source_type, schema, profile, ...dataset }, tags }) => ({
    dataset: { ...dataset, sourceType: source_type, schema: schema ?? null, profile: profile ?? null },
    tags: textsOf(tags),
  }));
  if (datasets.length > 0) await client.runs.logDatasets({ id, datasets });
  await copyFiles(importing, info.artifact_uri, `${experimentId}/${id}/artifacts`, `run ${id}`);
  const endedAt = info.end_time === undefined ? null : info.end_time * 1_000;
  await client.runs.update({ id, status, endedAt });
  // Last: a run that was cut off is taken again.
  await client.runs.logBatch({ id, tags: [{ key: STATE_TAG, value: state }] });
  if (info.lifecycle_stage === "deleted") await client.runs.delete({ id });
  summary.runs += 1;
}

async function importLoggedModel(importing: Importing, experimentId: string, { info, data }: SourceLoggedModel): Promise<void> {
  const { target, summary } = importing;
  const origin = info.model_id;
  try {
    const filter = `tags.\`${ORIGIN_TAG}\` = '${origin}'`;
    const { items } = await target.client.loggedModels.list({ filter, limit: 1 });
    if (items[0] !== undefined) {
      importing.loggedModels.set(origin, items[0].id);
      summary.unchanged += 1;
      return;
    }
    const { model } = await call<{ model: { info: { model_id: string } } }>(target, "POST", "logged-models", {
      experiment_id: experimentId,
      name: info.name,
      model_type: info.model_type,
      source_run_id: info.source_run_id,
      params: data.params,
      tags: info.tags,
    });
    const id = model.info.model_id;
    await copyFiles(importing, info.artifact_uri, `${experimentId}/models/${id}/artifacts`, `logged model ${origin}`);
    await call(target, "PATCH", `logged-models/${id}`, { model_id: id, status: /FAILED|3/.test(String(info.status)) ? 3 : 2 });
    await call(target, "PATCH", `logged-models/${id}/tags`, { tags: [{ key: ORIGIN_TAG, value: origin }] });
    importing.loggedModels.set(origin, id);
    summary.loggedModels += 1;
  } catch (error) {
    summary.problems.push({ what: `logged model ${origin}`, reason: reasonOf(error) });
  }
}

/** Only what the source's own proxy gives out: other places are asked by nobody. */
async function copyFiles({ source, target, summary }: Importing, uri: string, to: string, what: string): Promise<void> {
  const from = /^mlflow-artifacts:(?:\/\/[^/]*)?\/(.+?)\/?$/.exec(uri)?.[1];
  if (from === undefined) {
    if (uri !== "")
      summary.problems.push({
        what: `files of ${what}`,
        reason: `they lie at ${uri.slice(0, 200)}, which the source's artifact proxy does not serve`,
      });
    return;
  }
  for await (const { path, bytes } of source.files(from)) {
    await putFile(target, `${to}/${path}`, await source.download(`${from}/${path}`));
    summary.files += 1;
    summary.bytes += bytes;
  }
}
