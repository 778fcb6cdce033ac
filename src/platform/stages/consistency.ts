import { existsSync } from "node:fs";
import type { Snapshot } from "../../core/data/index.ts";
import { storedView } from "../../core/definitions/index.ts";
import {
  compareWithOffline,
  type FeatureConsistency,
  type FeatureDeps,
  type FeatureSample,
  planChanges,
  projectReferences,
  referencesOf,
  type SnapshotMap,
  sampleReads,
} from "../../core/features/index.ts";
import type { ConsistencyReport } from "../../core/monitoring/index.ts";
import type { PredictionRecord } from "../../core/serving/index.ts";
import { DAY, type Micros } from "../../core/time.ts";
import { unpackModel } from "../../core/training/index.ts";
import { drawPredictions } from "../prediction-log.ts";
import { ingestUpTo } from "./ingest.ts";
import { type Stage, stage } from "./stage.ts";

export interface ConsistencyOptions {
  /** Entities of each view, and predictions of each endpoint, that are compared; 500 unless given. */
  readonly sample?: number;
  /** Predictions asked for since then; of the last seven days unless given. */
  readonly since?: Micros;
}

const SAMPLE = 500;

/**
 * Reads the online store for entities drawn at random, and the prediction log, and compares both with the offline values as of the same
 * moments.
 */
export async function checkConsistency(
  opened: Stage,
  taken: Readonly<Record<string, Snapshot>>,
  { sample = SAMPLE, since }: ConsistencyOptions,
): Promise<ConsistencyReport> {
  const { project, artifacts, environment, paths } = opened;
  const { now } = environment;
  const deps = { engine: await opened.engine(), artifacts };
  const snapshots: SnapshotMap = new Map(
    project.sources.flatMap((source) => {
      const snapshot = taken[source.name];
      return snapshot === undefined ? [] : [[source.name, { snapshot, source }] as const];
    }),
  );
  const online: FeatureConsistency[] = [];
  for (const view of project.features) {
    const found = snapshots.get(view.source.name);
    // Another name of a view reads the same values.
    if (found === undefined || storedView(view) !== view) continue;
    const input = { scope: environment.scope, view, ...found, at: now, entities: sample, seed: Math.floor(now / DAY) };
    const { samples, pushedTo } = await sampleReads({ ...deps, online: opened.online() }, input);
    // Rows go on coming while this looks: what was online is compared with the same rows.
    const known = pushedTo === null ? snapshots : await withRowsUpTo(opened, snapshots, view.source.name, pushedTo);
    online.push(...(await compareWithOffline(deps, { features: referencesOf(view), snapshots: known, samples, asOf: now })));
  }
  const endpoints = [];
  const from = since ?? now - 7 * DAY;
  for (const { name } of project.endpoints) {
    const directory = paths.predictions(name);
    if (!existsSync(directory)) continue;
    const records = await drawPredictions(deps.engine, directory, { from, to: now + 1, limit: sample });
    endpoints.push({
      endpoint: name,
      since: from,
      predictions: records.length,
      ...(await compareLogged(opened, deps, snapshots, records)),
    });
  }
  return { formatVersion: 1, at: now, online, endpoints };
}

async function withRowsUpTo(opened: Stage, snapshots: SnapshotMap, name: string, place: number): Promise<SnapshotMap> {
  const found = snapshots.get(name);
  if (found === undefined) return snapshots;
  return new Map(snapshots).set(name, { ...found, snapshot: await ingestUpTo(opened, name, place, snapshots) });
}

/** Each version's predictions by themselves: they were made of what its own plan says. */
async function compareLogged(
  { project, artifacts, environment }: Stage,
  deps: FeatureDeps,
  snapshots: SnapshotMap,
  records: readonly PredictionRecord[],
): Promise<{ features: FeatureConsistency[]; changed: string[] }> {
  const known = projectReferences(project);
  const results: FeatureConsistency[] = [];
  const changed = new Set<string>();
  for (const [artifact, logged] of Map.groupBy(records, (record) => record.artifact)) {
    const { plan } = unpackModel(await artifacts.read(artifact));
    const other = new Set(planChanges(plan, known).map(({ feature }) => feature));
    const features = plan.features.flatMap(({ id }) => known.get(id) ?? []);
    const same = features.filter((feature) => !readsAny(feature, other));
    for (const { id } of plan.features) if (!same.some((feature) => feature.id === id)) changed.add(id);
    const samples = logged.map(sampleOf);
    results.push(...(await compareWithOffline(deps, { features: same, snapshots, samples, asOf: environment.now })));
  }
  return { features: together(results), changed: [...changed] };
}

type Reference = ReturnType<typeof referencesOf>[number];

/** Whether a feature, or one that it is computed from, is among these. */
const readsAny = ({ id, name, from }: Reference, ids: ReadonlySet<string>): boolean =>
  from.kind === "feature-view"
    ? ids.has(`${storedView(from).name}.${name}`)
    : ids.has(id) || from.inputs.some((input) => readsAny(input, ids));

const sampleOf = ({ id, at, keys, request, features, materialized }: PredictionRecord): FeatureSample => ({
  at,
  fields: { ...request, ...keys },
  values: features,
  // Records of before it was written down lack it.
  materialized: materialized ?? null,
  prediction: id,
});

const EXAMPLES = 5;

/** The same feature of several versions in one line. */
const together = (results: readonly FeatureConsistency[]): FeatureConsistency[] =>
  [...Map.groupBy(results, ({ feature }) => feature)].map(([feature, parts]) => ({
    feature,
    compared: parts.reduce((sum, { compared }) => sum + compared, 0),
    mismatched: parts.reduce((sum, { mismatched }) => sum + mismatched, 0),
    stale: parts.reduce((sum, { stale }) => sum + stale, 0),
    examples: parts.flatMap(({ examples }) => examples).slice(0, EXAMPLES),
  }));

/** After `materialize`: what is not materialized yet cannot be read. */
export default stage<
  { params: ConsistencyOptions; needs: { ingest: { snapshots: Readonly<Record<string, Snapshot>> } } },
  ConsistencyReport
>((opened, { params, needs }) => checkConsistency(opened, needs.ingest.snapshots, params));
