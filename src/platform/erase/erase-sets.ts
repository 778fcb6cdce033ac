import type { ErasedTrainingSet } from "../../core/features/index.ts";
import { eraseFromSample, type ReferenceSample } from "../stages/reference-sample.ts";
import type { EraseAnswer, Erasing } from "./erasing.ts";

/** Beside a model in the tree of artifacts. */
const SAMPLE_FILE = "background.json";

/** Writes training sets without the entities' rows, and the samples of such rows beside models; a dry run only counts. After the snapshots. */
export async function eraseSets(work: Erasing): Promise<Pick<EraseAnswer, "sets" | "samples">> {
  const { question, engines, labels, note } = work;
  const sets: ErasedTrainingSet[] = [];
  const samples: EraseAnswer["samples"][number][] = [];
  for (const { sha256, where } of question.sets) {
    if (!(await engines.artifacts.has(sha256))) continue;
    samples.push(...(await eraseSamples(work, sha256, where)));
    const made = question.dryRun ? null : await labels.erase(sha256);
    if (made !== null) sets.push(made);
    const counted = question.dryRun ? await labels.count(await engines.artifacts.localPath(sha256)) : (made?.erased ?? 0);
    note("training set", where, counted);
  }
  return { sets, samples };
}

/** The samples beside the models that runs below this one have learned from the training set. */
async function eraseSamples(work: Erasing, set: string, run: string): Promise<EraseAnswer["samples"]> {
  const { question, engines, opened, labels, note } = work;
  const beside = question.files.filter(
    ({ where }) => where.split("/")[1]?.startsWith(run) === true && where.endsWith(`/${SAMPLE_FILE}`),
  );
  const rows = beside.length === 0 ? [] : await labels.featuresIn(await engines.artifacts.localPath(set));
  const samples: EraseAnswer["samples"][number][] = [];
  for (const { sha256, where } of rows.length === 0 ? [] : beside) {
    if (!(await engines.artifacts.has(sha256))) continue;
    const sample = await opened.readJson<ReferenceSample>({ sha256 });
    const left = eraseFromSample(sample, rows);
    if (left === null) continue;
    note("row of a model's sample", where, sample.rows - left.rows);
    if (!question.dryRun) samples.push({ path: where, from: sha256, to: await opened.putJson(left) });
  }
  return samples;
}
