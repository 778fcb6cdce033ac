import { importLoggedModel } from "./import-logged-models.ts";
import { importRun } from "./import-runs.ts";
import { isCode, reasonOf } from "./import-target.ts";
import { type Importing, ORIGIN_TAG } from "./importing.ts";
import { type SourceExperiment, textsOf } from "./source-records.ts";

const RUNS_AT_ONCE = 4;

/** An experiment with its runs and logged models; not yet deleted where it was. */
export async function importExperiment(importing: Importing, experiment: SourceExperiment): Promise<void> {
  const { source, target, summary, report, onProgress } = importing;
  const { name } = experiment;
  const { id, isNew, isGone } = await experimentHere(importing, experiment);
  importing.experiments.set(experiment.experiment_id, id);
  if (isNew) summary.experiments.taken += 1;
  else summary.experiments.unchanged += 1;
  if (isGone) return onProgress(`${name}: deleted here`);
  const waiting = new Set<Promise<void>>();
  let count = 0;
  for await (const run of source.runs(experiment.experiment_id)) {
    count += 1;
    summary.runs.found += 1;
    const imported: Promise<void> = importRun(importing, id, run)
      .catch((error) => report(`run ${run.info.run_id}`, reasonOf(error)))
      .finally(() => waiting.delete(imported));
    waiting.add(imported);
    if (waiting.size >= RUNS_AT_ONCE) await Promise.race(waiting);
    if (count % 1_000 === 0) onProgress(`${name}: ${count} runs …`);
  }
  await Promise.all(waiting);
  for await (const model of source.loggedModels(experiment.experiment_id)) {
    summary.loggedModels.found += 1;
    await importLoggedModel(importing, id, model).catch((error) =>
      report(`logged model ${model.info.model_id}`, reasonOf(error)),
    );
  }
  if (experiment.lifecycle_stage === "deleted") importing.deletions.push(() => target.client.experiments.delete({ id }));
  onProgress(`${name}: ${count} runs`);
}

/** Made where it is not there. One that is deleted here stays so. */
async function experimentHere({ target, source }: Importing, experiment: SourceExperiment) {
  const { client } = target;
  const origin = `${source.origin}#${experiment.experiment_id}`;
  const filter = `tags.\`${ORIGIN_TAG}\` = '${origin.replaceAll("'", "''")}'`;
  const [known] = (await client.experiments.list({ view: "all", filter, limit: 1 })).items;
  if (known !== undefined) {
    if (known.lifecycle === "active") await setTags(known);
    return { id: known.id, isNew: false, isGone: known.lifecycle === "deleted" };
  }
  const tags = { ...textsOf(experiment.tags), [ORIGIN_TAG]: origin };
  try {
    const made = experiment.creation_time;
    const { id } = await client.experiments.create({
      name: experiment.name,
      tags,
      ...(made !== null && { createdAt: made * 1_000 }),
    });
    return { id, isNew: true, isGone: false };
  } catch (error) {
    if (!isCode(error, "TRACKING_EXPERIMENT_EXISTS") || experiment.lifecycle_stage === "deleted") throw error;
    // One of this name goes on with what is imported into it.
    const there = await client.experiments.named({ name: experiment.name });
    await setTags(there);
    return { id: there.id, isNew: false, isGone: false };
  }

  async function setTags({ id, tags }: { readonly id: string; readonly tags: Readonly<Record<string, string>> }) {
    for (const { key, value } of experiment.tags) if (tags[key] !== value) await client.experiments.setTag({ id, key, value });
  }
}
