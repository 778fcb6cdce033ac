import { createHash } from "node:crypto";
import { copyFiles } from "./copy-files.ts";
import { call, isRefused, reasonOf } from "./import-target.ts";
import { type Importing, ORIGIN_TAG, STATE_TAG } from "./importing.ts";
import { type SourceRun, textsOf } from "./source-records.ts";

const BATCH = 1_000;
const TEXTS = 100;
const KINDS = ["metrics", "params", "tags"] as const;
const RUN_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
const STATUSES: Readonly<Record<string, "scheduled" | "running" | "finished" | "failed" | "killed">> = {
  SCHEDULED: "scheduled",
  RUNNING: "running",
  FINISHED: "finished",
  FAILED: "failed",
  KILLED: "killed",
};

type Batch = Pick<Parameters<Importing["target"]["client"]["runs"]["logBatch"]>[0], (typeof KINDS)[number]>;

/** A run under its id, with everything but the models it names (linkRun), and not yet deleted where it was. */
export async function importRun(importing: Importing, experimentId: string, listed: SourceRun): Promise<void> {
  const { target, source, summary } = importing;
  const run = await source.complete(listed);
  const { info, data, inputs } = run;
  const { client } = target;
  const what = `run ${info.run_id}`;
  const here = await runHere(importing, experimentId, run);
  const { id } = here;
  if (id !== info.run_id) importing.runs.set(info.run_id, id);
  const state = digestOf(run);
  const isGone = info.lifecycle_stage === "deleted";
  if (here.tags[STATE_TAG] === state) {
    summary.runs.unchanged += 1;
    if (here.lifecycle === "active") finishLater(importing, id, run, isGone);
    return;
  }
  if (here.lifecycle === "deleted") await client.runs.restore({ id });
  await logTexts(importing, id, "params", data.params, 6_000);
  await logTexts(importing, id, "tags", data.tags, 8_000);
  for (const { key } of data.metrics) {
    let batch: { key: string; value: (typeof data.metrics)[number]["value"]; at: number; step: number }[] = [];
    for await (const point of source.history(run, key)) {
      batch.push({ key, value: point.value, at: point.timestamp * 1_000, step: point.step });
      summary.metrics += 1;
      if (batch.length < BATCH) continue;
      await log(importing, id, { metrics: batch }, `metric ${key} of ${what}`);
      batch = [];
    }
    if (batch.length > 0) await log(importing, id, { metrics: batch }, `metric ${key} of ${what}`);
  }
  const datasets = inputs.dataset_inputs.map(({ dataset: { source_type, schema, profile, ...dataset }, tags }) => ({
    dataset: { ...dataset, sourceType: source_type, schema: schema ?? null, profile: profile ?? null },
    tags: textsOf(tags),
  }));
  for (let at = 0; at < datasets.length; at += TEXTS)
    await refusing(importing, `data sets of ${what}`, () =>
      client.runs.logDatasets({ id, datasets: datasets.slice(at, at + TEXTS) }),
    );
  const whole = await copyFiles(importing, info.artifact_uri, `${experimentId}/${id}/artifacts`, what);
  const endedAt = info.end_time === null ? null : info.end_time * 1_000;
  await client.runs.update({
    id,
    status: STATUSES[info.status] ?? "finished",
    endedAt,
    ...(info.run_name && { name: info.run_name }),
  });
  // Last: a run that was cut off is taken again.
  if (whole) await client.runs.logBatch({ id, tags: [{ key: STATE_TAG, value: state }] });
  finishLater(importing, id, run, isGone);
  summary.runs.taken += 1;
}

function finishLater({ linked, deletions, target }: Importing, id: string, run: SourceRun, isGone: boolean): void {
  if (run.inputs.model_inputs.length + run.outputs.model_outputs.length > 0) linked.push({ id, run });
  if (isGone) deletions.push(() => target.client.runs.delete({ id }));
}

/** The models that a run read and made, under the ids that they have here. */
export async function linkRun(
  importing: Importing,
  { id, run }: { readonly id: string; readonly run: SourceRun },
): Promise<void> {
  const { target, loggedModels } = importing;
  const known = (models: readonly { readonly model_id: string; readonly step: number }[]) =>
    models.flatMap((model) => {
      const model_id = loggedModels.get(model.model_id);
      return model_id === undefined ? [] : [{ ...model, model_id }];
    });
  const inputs = known(run.inputs.model_inputs);
  const outputs = known(run.outputs.model_outputs);
  await refusing(importing, `models of run ${run.info.run_id}`, async () => {
    if (inputs.length > 0) await call(target, "POST", "runs/log-inputs", { run_id: id, models: inputs });
    if (outputs.length > 0) await call(target, "POST", "runs/outputs", { run_id: id, models: outputs });
  });
}

/** One that is here under the id, but came from elsewhere, is left alone: this one gets another id. */
async function runHere({ target, report }: Importing, experimentId: string, { info }: SourceRun) {
  const { client } = target;
  const origin = info.run_id;
  const made = {
    experimentId,
    tags: { [ORIGIN_TAG]: origin.slice(0, 1_000) },
    userName: info.user_id,
    startedAt: (info.start_time ?? 0) * 1_000,
    ...(info.run_name && { name: info.run_name }),
  };
  if (RUN_ID.test(origin)) {
    const run = await client.runs.create({ ...made, id: origin });
    if (run.tags[ORIGIN_TAG] === origin) return run;
  }
  const filter = `tags.\`${ORIGIN_TAG}\` = '${origin.slice(0, 1_000).replaceAll("'", "''")}'`;
  const { items } = await client.runs.list({ filter, view: "all", limit: 1 });
  if (items[0] !== undefined) return items[0];
  const run = await client.runs.create(made);
  report(`the id of run ${origin.slice(0, 100)}`, `it cannot be used here or is taken; the run is ${run.id}`);
  return run;
}

async function logTexts(
  importing: Importing,
  id: string,
  kind: "params" | "tags",
  given: readonly { readonly key: string; readonly value: string }[],
  most: number,
): Promise<void> {
  const entries = given.map(({ key, value }) => {
    if (value.length <= most) return { key, value };
    importing.report(`${kind} ${key.slice(0, 100)} of run ${id}`, `its ${value.length} characters are cut to ${most}`);
    return { key, value: value.slice(0, most) };
  });
  for (let at = 0; at < entries.length; at += TEXTS)
    await log(importing, id, { [kind]: entries.slice(at, at + TEXTS) }, `${kind} of run ${id}`);
}

/** A batch; where it is refused each entry alone, so that one that cannot be taken does not cost the others. */
async function log(importing: Importing, id: string, batch: Batch, what: string): Promise<void> {
  const { client } = importing.target;
  try {
    await client.runs.logBatch({ id, ...batch });
  } catch (error) {
    if (!isRefused(error)) throw error;
    for (const kind of KINDS)
      for (const entry of batch[kind] ?? [])
        await refusing(importing, `${what}: ${entry.key.slice(0, 100)}`, () => client.runs.logBatch({ id, [kind]: [entry] }));
  }
}

/** Reports what is refused, and goes on. */
export async function refusing({ report }: Importing, what: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isRefused(error)) throw error;
    report(what, reasonOf(error));
  }
}

/** Changes when anything of the run does, but for files and for metrics that are not the last of theirs. */
const digestOf = (run: SourceRun): string => createHash("sha256").update(JSON.stringify(run)).digest("hex");
