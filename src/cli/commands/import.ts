import { createClient } from "../../client/index.ts";
import { type ConnectionOptions, fetchOf, findControlPlane } from "../connection.ts";
import { cliErrors } from "../errors.ts";
import { importErrors } from "../import-mlflow/errors.ts";
import { importEverything } from "../import-mlflow/import-everything.ts";
import { emptySummary, type ImportSummary } from "../import-mlflow/importing.ts";
import { openSource } from "../import-mlflow/open-source.ts";
import type { MlflowSource } from "../import-mlflow/source-records.ts";
import { show, table } from "../output.ts";

interface ImportOptions extends ConnectionOptions {
  json?: boolean;
  dryRun?: boolean;
  into?: string;
  artifactsRoot?: string;
}

/** @throws CLI_ACTION_UNKNOWN, CLI_SERVER_NOT_RUNNING, IMPORT_… */
export default async function importFrom(options: ImportOptions, kind: string, address: string): Promise<void> {
  if (kind !== "mlflow") throw cliErrors.CLI_ACTION_UNKNOWN(`There is no import from "${kind}"; there is one from mlflow`);
  const summary = emptySummary();
  const source = await openSource(address, (what, reason) => summary.problems.push({ what, reason }), options.artifactsRoot);
  try {
    if (options.dryRun) await count(source, summary);
    else await take(options, source, summary);
  } finally {
    source.close();
  }
  show(options.json, summary, () => described(summary));
  const { length } = summary.problems;
  if (length > 0)
    throw importErrors.IMPORT_INCOMPLETE(length === 1 ? "One thing was not taken" : `${length} things were not taken`);
}

async function take(options: ImportOptions, source: MlflowSource, summary: ImportSummary): Promise<void> {
  const running = await findControlPlane(options);
  if (running === null) throw cliErrors.CLI_SERVER_NOT_RUNNING("No server of this state folder runs");
  const { url, workspace } = running;
  const project = options.into ?? running.project;
  const token = process.env.ORRERY_TOKEN ?? running.machineToken;
  const send = fetchOf(running);
  await importEverything({
    source,
    target: {
      client: createClient({ baseUrl: url, workspace, project, token, fetch: send }),
      url: `${url}/projects/${encodeURIComponent(project)}`,
      token,
      fetch: send,
    },
    summary,
    onProgress: (line) => console.error(line),
  });
}

async function count(source: MlflowSource, summary: ImportSummary): Promise<void> {
  for await (const { experiment_id } of source.experiments()) {
    summary.experiments.found += 1;
    for await (const _ of source.runs(experiment_id)) summary.runs.found += 1;
    for await (const _ of source.loggedModels(experiment_id)) summary.loggedModels.found += 1;
  }
  for await (const { name } of source.registeredModels()) {
    summary.models.found += 1;
    summary.versions.found += (await source.versions(name)).length;
  }
}

const described = ({ experiments, runs, loggedModels, models, versions, metrics, files, bytes, problems }: ImportSummary) =>
  [
    table([
      { what: "experiments", ...experiments },
      { what: "runs", ...runs },
      { what: "logged models", ...loggedModels },
      { what: "registered models", ...models },
      { what: "model versions", ...versions },
    ]),
    `${metrics} values of metrics and ${files} files (${bytes} bytes) were sent`,
    ...problems.map(({ what, reason }) => `not taken: ${what}: ${reason}`),
  ].join("\n");
