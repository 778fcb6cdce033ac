import { isCode, reasonOf } from "./import-target.ts";
import { type Importing, ORIGIN_TAG, STATE_TAG } from "./importing.ts";
import { type SourceModel, type SourceVersion, textsOf } from "./source-records.ts";

const REASON = "imported";
/** Of a version whose number is not known to be the right one yet. */
const FILLER_TAG = "orrery.import.filler";
/** A source that says it has a version 1,000,000 gets no million deleted ones before it. */
const MOST_FILLERS = 1_000;

type VersionHere = { readonly version: number; readonly stage: string; readonly tags: Readonly<Record<string, string>> };

/** A registered model with its versions under the numbers they have, its aliases, stages and tags. */
export async function importModel(importing: Importing, model: SourceModel): Promise<void> {
  const { source, target, summary, report, onProgress } = importing;
  const { client } = target;
  const { name } = model;
  try {
    await client.models.create({ name, description: model.description, tags: textsOf(model.tags) });
    summary.models.taken += 1;
  } catch (error) {
    if (!isCode(error, "REGISTRY_MODEL_EXISTS")) throw error;
    summary.models.unchanged += 1;
  }
  const here = await client.models.get({ name });
  for (const { key, value } of model.tags) if (here.tags[key] !== value) await client.models.setTag({ name, key, value });
  const known = new Map<number, VersionHere>();
  const fillers = new Map<number, VersionHere>();
  for (const version of here.versions) {
    if (version.tags[FILLER_TAG] !== undefined) fillers.set(version.version, version);
    const [origin, number] = version.tags[ORIGIN_TAG]?.split("#") ?? [];
    if (origin === source.origin) known.set(Number(number), version);
  }
  const versions = await source.versions(name);
  for (const version of versions) {
    summary.versions.found += 1;
    const there = known.get(version.version) ?? fillers.get(version.version);
    try {
      known.set(version.version, await importVersion(importing, version, there));
      fillers.delete(version.version);
    } catch (error) {
      report(`version ${version.version} of ${name}`, reasonOf(error));
    }
  }
  // Left by an import that was cut off.
  for (const [version, { tags }] of fillers)
    if (tags[ORIGIN_TAG] === undefined) await client.models.deleteVersion({ name, version });
  for (const { alias, version } of model.aliases) {
    const number = known.get(version)?.version;
    if (number === undefined) report(`alias ${alias} of ${name}`, `version ${version} was not taken`);
    else if (here.aliases[alias] === undefined) await client.models.setAlias({ name, alias, version: number, reason: REASON });
    else if (here.aliases[alias] !== number)
      report(`alias ${alias} of ${name}`, `it points at version ${here.aliases[alias]} here, and stays so`);
  }
  onProgress(`${name}: ${versions.length} versions`);
}

async function importVersion(importing: Importing, asked: SourceVersion, known: VersionHere | undefined): Promise<VersionHere> {
  const { target, summary, source, report, runs, loggedModels } = importing;
  const { name, version: wanted } = asked;
  const { client } = target;
  const state = [asked.last_updated_timestamp ?? "", asked.current_stage].join(" ");
  if (known?.tags[STATE_TAG] === state) {
    summary.versions.unchanged += 1;
    return known;
  }
  const make = (tags: Record<string, string>) =>
    client.models.createVersion({
      name,
      source: sourceHere(importing, asked.source),
      description: asked.description,
      tags,
      ...(asked.run_id !== "" && { runId: runs.get(asked.run_id) ?? asked.run_id }),
      ...(loggedModels.has(asked.model_id) && { modelId: loggedModels.get(asked.model_id) ?? "" }),
      ...(asked.run_link !== "" && { runLink: asked.run_link }),
    });
  let made = known;
  for (let fillers = 0; made === undefined; fillers++) {
    if (fillers > MOST_FILLERS) throw new Error(`more than ${MOST_FILLERS} numbers before it are not used`);
    const next = await make({ ...textsOf(asked.tags), [FILLER_TAG]: "true" });
    // Numbers of versions that were deleted there are given to nobody here either.
    if (next.version < wanted) await client.models.deleteVersion({ name, version: next.version });
    else made = next;
  }
  const { version } = made;
  if (made.tags[ORIGIN_TAG] === undefined) {
    if (version !== wanted)
      report(`the number of version ${wanted} of ${name}`, `it is version ${version} here: the number was taken`);
    await client.models.setVersionTag({ name, version, key: ORIGIN_TAG, value: `${source.origin}#${wanted}` });
  }
  if (made.tags[FILLER_TAG] !== undefined) await client.models.deleteVersionTag({ name, version, key: FILLER_TAG });
  for (const { key, value } of asked.tags)
    if (made.tags[key] !== value) await client.models.setVersionTag({ name, version, key, value });
  if (known !== undefined) await client.models.updateVersion({ name, version, description: asked.description });
  if (asked.current_stage !== made.stage) await client.models.setStage({ name, version, stage: asked.current_stage });
  // Last: a version that was cut off is taken again.
  await client.models.setVersionTag({ name, version, key: STATE_TAG, value: state });
  summary.versions.taken += 1;
  return made;
}

/** Where the model's folder is here: experiments, runs and logged models may have other ids. */
function sourceHere({ experiments, loggedModels, runs }: Importing, source: string): string {
  const logged = /^models:\/+(m-[^/]+)(.*)$/.exec(source);
  if (logged !== null) return `models:/${loggedModels.get(logged[1] ?? "") ?? logged[1]}${logged[2]}`;
  const ofRun = /^runs:\/+([^/]+)(.*)$/.exec(source);
  if (ofRun !== null) return `runs:/${runs.get(ofRun[1] ?? "") ?? ofRun[1]}${ofRun[2]}`;
  const ofModel = /([^/]+)\/models\/(m-[^/]+)\/artifacts(\/.*)?$/.exec(source);
  const model = loggedModels.get(ofModel?.[2] ?? "");
  const modelExperiment = experiments.get(ofModel?.[1] ?? "");
  if (model !== undefined && modelExperiment !== undefined)
    return `mlflow-artifacts:/${modelExperiment}/models/${model}/artifacts${ofModel?.[3] ?? ""}`;
  const [, there = "", run = "", rest = ""] = /([^/]+)\/([^/]+)\/artifacts(\/.*)?$/.exec(source) ?? [];
  const experiment = experiments.get(there);
  return experiment === undefined ? source : `mlflow-artifacts:/${experiment}/${runs.get(run) ?? run}/artifacts${rest}`;
}
