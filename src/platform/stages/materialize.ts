import { type Snapshot, snapshotPaths } from "../../core/data/index.ts";
import {
  catalogOf,
  type FeaturePlan,
  materialize,
  materializeDropped,
  materializeEarlier,
  writeCatalog,
} from "../../core/features/index.ts";
import { deployedPlans } from "../deployed-plans.ts";
import { recordStatistics } from "../view-statistics.ts";
import { recordPushedStatistics } from "./pushed-statistics.ts";
import { type Stage, stage } from "./stage.ts";

export interface MaterializedView {
  readonly view: string;
  readonly rows: number;
  readonly entities: number;
  /** Which earlier version it is that a deployed model reads; absent for the view as the project defines it. */
  readonly version?: string;
  /** Why that stays as it is, readable and growing old. */
  readonly halted?: string | null;
}

export interface MaterializeOutput {
  readonly views: readonly MaterializedView[];
}

export async function materializeAll(opened: Stage, snapshots: Readonly<Record<string, Snapshot>>): Promise<MaterializeOutput> {
  const { project, environment, artifacts } = opened;
  const { scope, now: until } = environment;
  const plans = () => deployedPlans(opened.paths, until).map(({ plan }) => plan);
  const views: MaterializedView[] = [];
  for (const view of project.features) {
    const snapshot = snapshots[view.source.name];
    // Rows that are pushed go online as they come, by the control plane.
    if (snapshot === undefined || view.source.origin.kind === "push") continue;
    const paths = await snapshotPaths(artifacts, snapshot);
    const deps = { engine: await opened.engine(), online: opened.online() };
    const input = { scope, view, snapshot, source: view.source, paths, until };
    const done = await materialize(deps, input);
    await recordStatistics(opened.paths.statistics(view.name), done);
    views.push({ view: done.view, rows: done.rows, entities: done.entities });
    views.push(...(await materializeEarlier(deps, { ...input, plans })));
  }
  await recordPushedStatistics(opened);
  views.push(...(await droppedViews(opened, snapshots, plans())));
  // Whoever reads features without the project finds out here what there is.
  await writeCatalog(opened.online(), scope, catalogOf(project));
  return { views };
}

/** Views that a deployed model reads, though the project has them no more. */
async function droppedViews(
  { project, environment, artifacts, ...opened }: Stage,
  snapshots: Readonly<Record<string, Snapshot>>,
  plans: readonly FeaturePlan[],
): Promise<MaterializedView[]> {
  const read = new Set(plans.flatMap((plan) => plan.views.map(({ name, stored }) => stored ?? name)));
  const { scope, now: until } = environment;
  const done: MaterializedView[] = [];
  for (const name of read) {
    if (project.features.some((view) => view.name === name)) continue;
    const deps = { engine: await opened.engine(), online: opened.online() };
    const dropped = await materializeDropped(deps, {
      scope,
      name,
      until,
      async from(sourceName) {
        const source = project.sources.find((each) => each.name === sourceName);
        const snapshot = snapshots[sourceName];
        if (source === undefined || snapshot === undefined || source.origin.kind === "push") return null;
        return { source, snapshot, paths: await snapshotPaths(artifacts, snapshot) };
      },
    });
    if (dropped !== null) done.push(dropped);
  }
  return done;
}

export default stage<{ needs: { ingest: { snapshots: Readonly<Record<string, Snapshot>> } } }, MaterializeOutput>(
  (opened, { needs }) => materializeAll(opened, needs.ingest.snapshots),
);
