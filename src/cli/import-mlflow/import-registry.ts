import { type Importing, ORIGIN_TAG } from "./import-experiments.ts";
import { isCode, reasonOf } from "./import-target.ts";
import { type SourceModel, type SourceVersion, textsOf } from "./mlflow-source.ts";

const REASON = "imported";

/** A registered model with its versions under the numbers they have, its aliases, stages and tags. */
export async function importModel(importing: Importing, model: SourceModel): Promise<void> {
  const { source, target, summary, onProgress } = importing;
  const { client } = target;
  const { name } = model;
  try {
    await client.models.create({ name, description: model.description, tags: textsOf(model.tags) });
    summary.models += 1;
  } catch (error) {
    if (!isCode(error, "REGISTRY_MODEL_EXISTS")) throw error;
    summary.unchanged += 1;
  }
  const { versions: here, aliases } = await client.models.get({ name });
  const known = importedVersions(here);
  const versions = await source.versions(name);
  for (const version of versions) {
    if (known.has(version.version)) summary.unchanged += 1;
    else
      await importVersion(importing, version, known).catch((error) => {
        summary.problems.push({ what: `version ${version.version} of ${name}`, reason: reasonOf(error) });
      });
  }
  for (const { alias, version } of model.aliases) {
    const number = known.get(version);
    if (number !== undefined && aliases[alias] !== number)
      await client.models.setAlias({ name, alias, version: number, reason: REASON });
  }
  onProgress(`${name}: ${versions.length} versions`);
}

/** Number here by number there. */
const importedVersions = (
  versions: readonly { readonly version: number; readonly tags: Readonly<Record<string, string>> }[],
): Map<number, number> =>
  new Map(
    versions.flatMap(({ version, tags }) =>
      tags[ORIGIN_TAG] === undefined ? [] : [[Number(tags[ORIGIN_TAG]), version] as const],
    ),
  );

async function importVersion(importing: Importing, asked: SourceVersion, known: Map<number, number>): Promise<void> {
  const { target, summary } = importing;
  const { name, version: wanted } = asked;
  const { client } = target;
  const make = () =>
    client.models.createVersion({
      name,
      source: sourceHere(importing, asked.source),
      description: asked.description,
      tags: { ...textsOf(asked.tags), [ORIGIN_TAG]: String(wanted) },
      ...(asked.run_id !== "" && { runId: asked.run_id }),
      ...(asked.run_link !== "" && { runLink: asked.run_link }),
    });
  let made = await make();
  // Numbers of versions that were deleted there are given to nobody here either.
  while (made.version < wanted) {
    await client.models.deleteVersion({ name, version: made.version });
    made = await make();
  }
  if (made.version !== wanted)
    summary.problems.push({
      what: `version ${wanted} of ${name}`,
      reason: `it is version ${made.version} here: the number was taken`,
    });
  if (asked.current_stage !== "None") await client.models.setStage({ name, version: made.version, stage: asked.current_stage });
  known.set(wanted, made.version);
  summary.versions += 1;
}

/** Where the model's folder is here: experiments and logged models have other ids. */
function sourceHere({ experiments, loggedModels }: Importing, source: string): string {
  const logged = /^models:\/(m-[^/]+)(.*)$/.exec(source);
  if (logged !== null) return `models:/${loggedModels.get(logged[1] ?? "") ?? logged[1]}${logged[2]}`;
  const proxied = /^mlflow-artifacts:(?:\/\/[^/]*)?\/([^/]+)\/(.*)$/.exec(source);
  if (proxied === null) return source;
  const [, experiment = "", rest = ""] = proxied;
  const path = rest.replace(/^models\/(m-[^/]+)/, (whole, id: string) =>
    loggedModels.has(id) ? `models/${loggedModels.get(id)}` : whole,
  );
  return `mlflow-artifacts:/${experiments.get(experiment) ?? experiment}/${path}`;
}
