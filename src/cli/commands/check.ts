import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { IngestEngines } from "../../core/data/index.ts";
import type { ProjectDefinition } from "../../core/definitions/index.ts";
import { systemClock, type TableEngine } from "../../core/ports/index.ts";
import { checkProject, checkSources } from "../../core/project/index.ts";
import type { leakageWarnings } from "../../platform/leakage-warnings.ts";
import { loadProject } from "../../platform/load-project.ts";
import { statePaths } from "../../platform/state-folder.ts";
import { storeSettings } from "../../platform/stores.ts";
import { type ConnectionOptions, stateDirectory } from "../connection.ts";
import { cliErrors } from "../errors.ts";
import { show, table } from "../output.ts";

/** Loaded where it is asked for: it brings the training room. Reads what was pushed to the project so far. */
async function leaks(
  options: ConnectionOptions,
  project: ProjectDefinition,
  engines: IngestEngines,
  place: Parameters<typeof leakageWarnings>[2],
) {
  const { leakageWarnings } = await import("../../platform/leakage-warnings.ts");
  const { openSqlitePushLog } = await import("../../adapters/push/sqlite.ts");
  const { push } = statePaths(stateDirectory(options), { workspace: "default", project: project.name });
  const pushed = existsSync(push) ? openSqlitePushLog(push, { readOnly: true }) : undefined;
  try {
    return await leakageWarnings(project, { ...engines, ...(pushed === undefined ? {} : { pushed }) }, place);
  } finally {
    pushed?.close();
  }
}

/** The state is only read, and whatever is running goes on meanwhile. */
async function changes(options: ConnectionOptions, project: ProjectDefinition, engine: TableEngine) {
  const { definitionChanges } = await import("../../platform/definition-changes.ts");
  const scope = { workspace: "default", project: project.name };
  const paths = statePaths(stateDirectory(options), scope);
  return definitionChanges(project, engine, { paths, scope, settings: storeSettings() });
}

interface CheckOptions extends ConnectionOptions {
  json?: boolean;
  leaks?: boolean;
  allowBreaking?: boolean;
}

/**
 * Definitions first, then what they say about the files, taken in for a moment in a scratch folder; then what they change for what was
 * made by earlier ones.
 */
export default async function check(options: CheckOptions): Promise<void> {
  const directory = resolve(options.project);
  const project = await loadProject(directory);
  const { openDuckDb } = await import("../../adapters/tables/duckdb.ts");
  const { FilesystemArtifactStore } = await import("../../adapters/artifacts/filesystem.ts");
  const { openSourceInputs } = await import("../../adapters/sources/open-inputs.ts");
  const scratch = await mkdtemp(join(tmpdir(), "orrery-check-"));
  const engine = await openDuckDb({ tempDirectory: join(scratch, "duckdb") });
  try {
    const engines = {
      engine,
      artifacts: new FilesystemArtifactStore(scratch),
      tmpDirectory: scratch,
      inputs: openSourceInputs(),
    };
    const place = { projectDirectory: directory, now: systemClock.now() };
    const found = await checkProject(project, engine, directory);
    const findings = [...found, ...(await checkSources(project.sources, engines, { ...place, found }))];
    // What does not fit together has no training set.
    const warnings = options.leaks === true && findings.length === 0 ? await leaks(options, project, engines, place) : [];
    const changed = findings.length === 0 ? await changes(options, project, engine) : [];
    show(options.json, { findings, warnings, changes: changed }, () =>
      findings.length === 0
        ? [
            `${project.name} is sound: ${project.sources.length} sources, ${project.features.length} feature views, ${project.models.length} models`,
            ...(warnings.length === 0 ? [] : ["What may be a leak:"]),
            ...warnings.map(({ model, feature, says }) => `  ${model}: ${feature}: ${says}`),
            ...(changed.length === 0 ? [] : ["What changes for what is there:"]),
            ...changed.map(({ where, feature, says }) => `  ${where}: ${feature === null ? "" : `${feature} `}${says}`),
          ].join("\n")
        : table(findings.map(({ where, message, code, hint }) => ({ where, message, code, hint }))),
    );
    if (findings.length > 0)
      throw cliErrors.CLI_CHECK_FAILED(`${findings.length} finding${findings.length === 1 ? "" : "s"} in ${project.name}`);
    const breaking = changed.filter((change) => change.breaking);
    if (breaking.length > 0 && options.allowBreaking !== true)
      throw cliErrors.CLI_CHECK_BREAKING(
        `What is deployed depends on ${breaking.map(({ feature }) => feature).join(", ")}, which could not go on as it was`,
      );
  } finally {
    engine.close();
    await rm(scratch, { recursive: true, force: true });
  }
}
