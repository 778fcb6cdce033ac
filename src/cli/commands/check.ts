import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { systemClock } from "../../core/ports/index.ts";
import { checkProject, checkSources } from "../../core/project/index.ts";
import type { leakageWarnings } from "../../platform/leakage-warnings.ts";
import { loadProject } from "../../platform/load-project.ts";
import type { ConnectionOptions } from "../connection.ts";
import { cliErrors } from "../errors.ts";
import { show, table } from "../output.ts";

/** Loaded where it is asked for: it brings the training room. */
const leaks = async (...given: Parameters<typeof leakageWarnings>) =>
  (await import("../../platform/leakage-warnings.ts")).leakageWarnings(...given);

/** Definitions first, then what they say about the files, taken in for a moment in a scratch folder. */
export default async function check(options: ConnectionOptions & { json?: boolean; leaks?: boolean }): Promise<void> {
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
    const findings = [
      ...(await checkProject(project, engine, directory)),
      ...(await checkSources(project.sources, engines, place)),
    ];
    // What does not fit together has no training set.
    const warnings = options.leaks === true && findings.length === 0 ? await leaks(project, engines, place) : [];
    show(options.json, options.leaks === true ? { findings, warnings } : findings, () =>
      findings.length === 0
        ? [
            `${project.name} is sound: ${project.sources.length} sources, ${project.features.length} feature views, ${project.models.length} models`,
            ...(warnings.length === 0 ? [] : ["What may be a leak:"]),
            ...warnings.map(({ model, feature, says }) => `  ${model}: ${feature}: ${says}`),
          ].join("\n")
        : table(findings.map(({ where, message, code, hint }) => ({ where, message, code, hint }))),
    );
    if (findings.length > 0)
      throw cliErrors.CLI_CHECK_FAILED(`${findings.length} finding${findings.length === 1 ? "" : "s"} in ${project.name}`);
  } finally {
    engine.close();
    await rm(scratch, { recursive: true, force: true });
  }
}
