import { importExperiment } from "./import-experiments.ts";
import { importModel } from "./import-registry.ts";
import { linkRun } from "./import-runs.ts";
import { type ImportTarget, reasonOf } from "./import-target.ts";
import type { Importing, ImportSummary } from "./importing.ts";
import type { MlflowSource } from "./source-records.ts";

/**
 * Takes over what an MLflow has. What is there already is not there twice; what cannot be taken is in the summary's problems, and the rest
 * goes on.
 */
export async function importEverything(given: {
  readonly source: MlflowSource;
  readonly target: ImportTarget;
  readonly summary: ImportSummary;
  onProgress(line: string): void;
}): Promise<void> {
  const { source, summary } = given;
  const report = (what: string, reason: string) => summary.problems.push({ what, reason });
  const trying = async (what: string, work: () => Promise<unknown>) => {
    try {
      await work();
    } catch (error) {
      report(what, reasonOf(error));
    }
  };
  const importing: Importing = {
    ...given,
    report,
    experiments: new Map(),
    runs: new Map(),
    loggedModels: new Map(),
    linked: [],
    deletions: [],
  };
  // A run of one experiment may have read a model of another, and a version may come from either: first all runs and models.
  for await (const experiment of source.experiments()) {
    summary.experiments.found += 1;
    await trying(`experiment ${experiment.name}`, () => importExperiment(importing, experiment));
  }
  for (const linked of importing.linked)
    await trying(`models of run ${linked.run.info.run_id}`, () => linkRun(importing, linked));
  for await (const model of source.registeredModels()) {
    summary.models.found += 1;
    await trying(`registered model ${model.name}`, () => importModel(importing, model));
  }
  for (const remove of importing.deletions) await trying("deleting what is deleted there", remove);
}
