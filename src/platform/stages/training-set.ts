import type { Snapshot } from "../../core/data/index.ts";
import type { SourceDefinition } from "../../core/definitions/index.ts";
import { buildTrainingSet, recordTrainingSet, type TrainingSet } from "../../core/features/index.ts";
import type { ArtifactRef } from "../../core/ports/index.ts";
import { platformErrors } from "../errors.ts";
import type { IngestOutput } from "./ingest.ts";
import { modelNamed } from "./model-named.ts";
import { stage } from "./stage.ts";

export interface TrainingSetInput {
  readonly params: { readonly model: string };
  readonly needs: { readonly ingest: IngestOutput };
}

export interface TrainingSetOutput extends TrainingSet {
  /** What it can be built from again; absent where the step ran before that was kept. */
  readonly record?: ArtifactRef;
}

export default stage<TrainingSetInput, TrainingSetOutput>(async (opened, { params, needs }) => {
  const { project, artifacts, paths, environment } = opened;
  const unmet = needs.ingest.requirements.filter(({ passed }) => !passed);
  if (unmet.length > 0) {
    throw platformErrors.PROJECT_REQUIREMENTS_UNMET(
      `The charter's data requirements are not met: ${unmet.map(({ text }) => text).join("; ")}`,
      {
        details: { unmet },
      },
    );
  }
  const snapshots = new Map<string, { snapshot: Snapshot; source: SourceDefinition }>();
  for (const source of project.sources) {
    const snapshot = needs.ingest.snapshots[source.name];
    if (snapshot !== undefined) snapshots.set(source.name, { snapshot, source });
  }
  const engine = await opened.engine();
  const input = { model: modelNamed(project, params.model), charter: project.charter, snapshots, asOf: environment.now };
  const set = await buildTrainingSet({ engine, artifacts, tmpDirectory: paths.tmp }, input);
  return { ...set, record: await opened.putJson(await recordTrainingSet({ engine }, input, set)) };
});
