import type { Snapshot } from "../../core/data/index.ts";
import type { FeatureReference, ModelDefinition, SourceDefinition } from "../../core/definitions/index.ts";
import { OrreryError } from "../../core/errors.ts";
import { buildTrainingSet, type FeaturePlan, recordedFeatures, type TrainingSet } from "../../core/features/index.ts";
import { VirtualClock } from "../../core/ports/index.ts";
import { createTracking } from "../../core/tracking/index.ts";
import { type Dataset, loadDataset, type ModelPackage } from "../../core/training/index.ts";
import { getTrainingSet, TRAINING_SET_TAG } from "../training-sets.ts";
import type { Stage } from "./stage.ts";

/** The rows that a champion is scored on, or why it cannot be. */
export type ChampionDataset = { readonly dataset: Dataset } | { readonly reason: string };

interface Compared {
  readonly champion: { readonly runId: string; readonly model: ModelPackage };
  readonly model: ModelDefinition;
  readonly set: TrainingSet;
  readonly dataset: Dataset;
}

/**
 * The rows of a training set with the features as the champion was trained on them: where the project defines others by now, they are joined
 * again to the same labels by the definitions that the champion's own training set was recorded with.
 */
export async function championDataset(opened: Stage, compared: Compared): Promise<ChampionDataset> {
  const { champion, set, dataset } = compared;
  const { plan } = champion.model;
  if (definitionsIn(plan) === definitionsIn(set.plan)) return { dataset };
  const own = await ownDataset(opened, compared).catch((error: unknown) => {
    if (error instanceof OrreryError && error.kind !== "internal") return { reason: error.message };
    throw error;
  });
  if ("dataset" in own) return own;
  // The features have their old names at least.
  const isNamed = plan.features.every(({ id, type }, index) => {
    const feature = set.plan.features[index];
    return feature?.id === id && feature.type === type;
  });
  return isNamed && plan.features.length === set.plan.features.length ? { dataset } : own;
}

/** What the values of a plan's features depend on. */
const definitionsIn = ({ features, views, onDemand }: FeaturePlan): string =>
  JSON.stringify({
    features: features.map(({ id, type }) => [id, type]),
    views: views.map(({ name, ttl, definitions = null }) => [name, ttl, definitions]),
    onDemand: onDemand.map(({ name, sha256 }) => [name, sha256]),
  });

async function ownDataset(opened: Stage, { champion, model, set, dataset }: Compared): Promise<ChampionDataset> {
  const { artifacts, environment, project, paths } = opened;
  const { scope } = environment;
  const store = await opened.metadata();
  const tracking = createTracking({ store, artifacts, clock: new VirtualClock(environment.now), scope });
  const id = (await tracking.runs.get(champion.runId)).tags[TRAINING_SET_TAG];
  if (id === undefined) return { reason: "it was trained before training sets were recorded" };
  const { record } = await getTrainingSet({ store, scope, artifacts, tracking }, id);
  if (record === null) return { reason: "the record of its training set is not there any more" };
  const recorded = recordedFeatures(record);
  const features: FeatureReference[] = [];
  for (const { id: feature } of champion.model.plan.features) {
    const found = recorded.features.find((each) => each.id === feature);
    if (found === undefined) return { reason: `the record of its training set does not hold ${feature}` };
    features.push(found);
  }
  const snapshots = new Map<string, { snapshot: Snapshot; source: SourceDefinition }>();
  for (const [name, source] of [...recorded.sources, [model.labels.source.name, model.labels.source] as const]) {
    const known = set.snapshots[name];
    const snapshot = known === undefined ? await tracking.latestSnapshot(name) : await tracking.getSnapshot(known);
    if (snapshot !== null) snapshots.set(name, { snapshot, source });
  }
  const engine = await opened.engine();
  const { target, alternative } = project.charter;
  const isRule = champion.model.estimator.kind === "rule";
  const built = await buildTrainingSet(
    { engine, artifacts, tmpDirectory: paths.tmp },
    {
      model: { name: model.name, labels: model.labels, features, segments: [] },
      charter: { target, ...(isRule && alternative !== undefined ? { alternative } : {}) },
      snapshots,
      asOf: set.asOf,
      ...(set.from === null ? {} : { from: set.from }),
      to: set.to,
    },
  );
  const own = await loadDataset(engine, await artifacts.localPath(built.file.sha256), built.plan, [], target.type);
  const isSame = own.rows === dataset.rows && own.at.every((at, row) => at === dataset.at[row]);
  return isSame ? { dataset: own } : { reason: "its features are of other rows" };
}
