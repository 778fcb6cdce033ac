import { type Snapshot, snapshotPaths } from "../../core/data/index.ts";
import { catalogOf, materialize, writeCatalog } from "../../core/features/index.ts";
import { recordStatistics } from "../view-statistics.ts";
import { type Stage, stage } from "./stage.ts";

export interface MaterializeOutput {
  readonly views: readonly { view: string; rows: number; entities: number }[];
}

export async function materializeAll(opened: Stage, snapshots: Readonly<Record<string, Snapshot>>): Promise<MaterializeOutput> {
  const { project, environment, artifacts } = opened;
  const views = [];
  for (const view of project.features) {
    const snapshot = snapshots[view.source.name];
    // Rows that are pushed go online as they come, by the control plane.
    if (snapshot === undefined || view.source.origin.kind === "push") continue;
    const paths = await snapshotPaths(artifacts, snapshot);
    const done = await materialize(
      { engine: await opened.engine(), online: opened.online() },
      { scope: environment.scope, view, snapshot, source: view.source, paths, until: environment.now },
    );
    await recordStatistics(opened.paths.statistics(view.name), done);
    views.push({ view: done.view, rows: done.rows, entities: done.entities });
  }
  // Whoever reads features without the project finds out here what there is.
  await writeCatalog(opened.online(), environment.scope, catalogOf(project));
  return { views };
}

export default stage<{ needs: { ingest: { snapshots: Readonly<Record<string, Snapshot>> } } }, MaterializeOutput>(
  (opened, { needs }) => materializeAll(opened, needs.ingest.snapshots),
);
