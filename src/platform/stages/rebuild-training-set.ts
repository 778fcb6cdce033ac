import type { Snapshot } from "../../core/data/index.ts";
import { type RebuiltTrainingSet, rebuildTrainingSet, type TrainingSetRecord } from "../../core/features/index.ts";
import { stage } from "./stage.ts";

export interface RebuildInput {
  readonly record: TrainingSetRecord;
  /** By source; null where one is not on record any more. */
  readonly snapshots: Readonly<Record<string, Snapshot | null>>;
}

/** Builds a saved training set again, by its record and nothing that the project says. */
export default stage<RebuildInput, RebuiltTrainingSet>(async (opened, { record, snapshots }) => {
  const { artifacts, paths } = opened;
  const deps = { engine: await opened.engine(), artifacts, tmpDirectory: paths.tmp };
  return rebuildTrainingSet(deps, record, new Map(Object.entries(snapshots)));
});
