import { createClient } from "../../client/index.ts";
import { type ConnectionOptions, findControlPlane } from "../connection.ts";
import { cliErrors } from "../errors.ts";
import { importErrors } from "../import-mlflow/errors.ts";
import { type ImportSummary, importExperiment } from "../import-mlflow/import-experiments.ts";
import { importModel } from "../import-mlflow/import-registry.ts";
import { reasonOf } from "../import-mlflow/import-target.ts";
import { MlflowSource } from "../import-mlflow/mlflow-source.ts";
import { show, table } from "../output.ts";

interface ImportOptions extends ConnectionOptions {
  json?: boolean;
  dryRun?: boolean;
  into?: string;
}

/** @throws CLI_ACTION_UNKNOWN, CLI_SERVER_NOT_RUNNING, IMPORT_… */
export default async function importFrom(options: ImportOptions, kind: string, address: string): Promise<void> {
  if (kind !== "mlflow") throw cliErrors.CLI_ACTION_UNKNOWN(`There is no import from "${kind}"; there is one from mlflow`);
  const source = new MlflowSource(address);
  if (options.dryRun) return count(source, options.json);
  const running = await findControlPlane(options);
  if (running === null) throw cliErrors.CLI_SERVER_NOT_RUNNING("No server of this state folder runs");
  const { url, workspace } = running;
  const project = options.into ?? running.project;
  const token = process.env.ORRERY_TOKEN ?? running.machineToken;
  const target = {
    client: createClient({ baseUrl: url, workspace, project, token }),
    url: `${url}/projects/${encodeURIComponent(project)}`,
    token,
  };
  const summary: ImportSummary = {
    experiments: 0,
    runs: 0,
    metrics: 0,
    loggedModels: 0,
    models: 0,
    versions: 0,
    files: 0,
    bytes: 0,
    unchanged: 0,
    problems: [],
  };
  const importing = {
    source,
    target,
    summary,
    experiments: new Map<string, string>(),
    loggedModels: new Map<string, string>(),
    onProgress: (line: string) => console.error(line),
  };
  for await (const experiment of source.experiments())
    await importExperiment(importing, experiment).catch((error) => {
      summary.problems.push({ what: `experiment ${experiment.name}`, reason: reasonOf(error) });
    });
  for await (const model of source.registeredModels())
    await importModel(importing, model).catch((error) => {
      summary.problems.push({ what: `registered model ${model.name}`, reason: reasonOf(error) });
    });
  const { problems, ...counts } = summary;
  show(options.json, summary, () =>
    [
      table(Object.entries(counts).map(([what, number]) => ({ what, count: number }))),
      ...problems.map(({ what, reason }) => `not taken: ${what}: ${reason}`),
    ].join("\n"),
  );
  if (problems.length > 0) throw importErrors.IMPORT_INCOMPLETE(`${problems.length} things were not taken`);
}

async function count(source: MlflowSource, json: boolean | undefined): Promise<void> {
  const counts = { experiments: 0, runs: 0, models: 0, versions: 0 };
  for await (const { experiment_id } of source.experiments()) {
    counts.experiments += 1;
    for await (const _ of source.runs(experiment_id)) counts.runs += 1;
  }
  for await (const { name } of source.registeredModels()) {
    counts.models += 1;
    counts.versions += (await source.versions(name)).length;
  }
  show(json, counts, () => table(Object.entries(counts).map(([what, number]) => ({ what, count: number }))));
}
