import { type IngestEngines, ingest, inReferenceOrder, type Snapshot } from "../core/data/index.ts";
import type { ModelDefinition, ProjectDefinition, SourceDefinition } from "../core/definitions/index.ts";
import { evenSample } from "../core/explain/index.ts";
import { buildTrainingSet, joinedRows } from "../core/features/index.ts";
import type { Micros } from "../core/time.ts";
import { labelTarget, leakageSuspicions, loadDataset, targetRelations } from "../core/training/index.ts";

/** A feature that seems to know the answer. Not proof of a leak, and none is no proof that there is none. */
export interface LeakageWarning {
  readonly model: string;
  readonly feature: string;
  readonly says: string;
}

/** Relations are much the same on so many rows, and sorting all of a million takes seconds. */
const LOOKED_AT = 30_000;

/**
 * Takes the project's sources in, builds each model's training set as of `now` and looks at what its features say about the label. Leaves
 * nothing but what is in the engines' store.
 * @throws what ingestion and training sets throw
 */
export async function leakageWarnings(
  project: ProjectDefinition,
  engines: IngestEngines,
  { projectDirectory, now }: { readonly projectDirectory: string; readonly now: Micros },
): Promise<LeakageWarning[]> {
  const taken = new Map<string, { snapshot: Snapshot; source: SourceDefinition }>();
  // Before anything was pushed such a source is empty.
  const taking = { pushed: { end: () => 0, lastPlace: () => 0, rows: () => [] }, ...engines };
  for (const source of inReferenceOrder(project.sources)) {
    const snapshot = await ingest(taking, source, {
      projectDirectory,
      asOf: now,
      createdAt: now,
      references: taken,
      joined: (joined, origin) => joinedRows(engines, joined, origin, taken, now),
    });
    taken.set(source.name, { snapshot, source });
  }
  const warnings: LeakageWarning[] = [];
  for (const model of project.models) warnings.push(...(await warningsOf(project, model, engines, taken, now)));
  return warnings;
}

async function warningsOf(
  { charter }: ProjectDefinition,
  model: ModelDefinition,
  engines: IngestEngines,
  snapshots: ReadonlyMap<string, { readonly snapshot: Snapshot; readonly source: SourceDefinition }>,
  asOf: Micros,
): Promise<LeakageWarning[]> {
  const { engine, artifacts } = engines;
  const set = await buildTrainingSet(engines, { model, charter, snapshots, asOf });
  if (set.labelled === 0) return [];
  const path = await artifacts.localPath(set.file.sha256);
  const dataset = await loadDataset(engine, path, set.plan, model.segments, charter.target.type);
  const rows = evenSample(
    Uint32Array.from({ length: dataset.rows }, (_, row) => row),
    LOOKED_AT,
  );
  const target = labelTarget(dataset, rows);
  const timestamps = set.plan.features.filter(({ type }) => type === "timestamp").map(({ id }) => id);
  const found = leakageSuspicions(dataset, rows, target, targetRelations(dataset, rows, target), { timestamps });
  return found.map(({ feature, says }) => ({ model: model.name, feature, says }));
}
