import type { Snapshot } from "../../core/data/index.ts";
import type { SourceDefinition } from "../../core/definitions/index.ts";
import { buildTrainingSet, type TrainingSet } from "../../core/features/index.ts";
import { platformErrors } from "../errors.ts";
import type { IngestOutput } from "./ingest.ts";
import { modelNamed } from "./model-named.ts";
import { stage } from "./stage.ts";

export interface TrainingSetInput {
  readonly params: { readonly model: string };
  readonly needs: { readonly ingest: IngestOutput };
}

export default stage<TrainingSetInput, TrainingSet>(async (opened, { params, needs }) => {
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
  return buildTrainingSet(
    { engine: await opened.engine(), artifacts, tmpDirectory: paths.tmp },
    { model: modelNamed(project, params.model), charter: project.charter, snapshots, asOf: environment.now },
  );
});
