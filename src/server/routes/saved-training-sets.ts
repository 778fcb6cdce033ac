import { getTrainingSet, listTrainingSets, rebuildProblems, type SavedTrainingSet } from "../../platform/training-sets.ts";
import type { RoomHandlers } from "../handlers.ts";
import { optionalTime, time } from "./entity-values.ts";
import type { RouteContext } from "./index.ts";

export function trainingSetHandlers({ platform }: RouteContext): RoomHandlers<"trainingSets"> {
  return {
    async list() {
      const sets = await listTrainingSets(platform);
      const problems = await rebuildProblems(platform, sets);
      return { items: sets.map((set) => trainingSetEntity(set, problems.get(set.id) ?? null)) };
    },
    async get({ id }) {
      const set = await getTrainingSet(platform, id);
      const problem = (await rebuildProblems(platform, [set])).get(id) ?? null;
      return { ...trainingSetEntity(set, problem), record: set.record === null ? null : { ...set.record } };
    },
    async rebuild({ id }) {
      const { file, rows } = await platform.rebuildTrainingSet(id);
      return { id, sha256: file.sha256, bytes: file.bytes, rows };
    },
  };
}

function trainingSetEntity({ id, savedAt, file, record }: SavedTrainingSet, problem: string | null) {
  const erased = record?.erased ?? [];
  return {
    id,
    model: record?.model ?? null,
    savedAt: time(savedAt),
    sha256: file.sha256,
    bytes: file.bytes,
    rebuildable: problem === null,
    problem,
    rows: record?.set.rows ?? null,
    labelled: record?.set.labelled ?? null,
    asOf: optionalTime(record?.set.asOf ?? null),
    engine: record?.engine ?? null,
    snapshots: Object.entries(record?.snapshots ?? {}).map(([source, snapshot]) => ({ source, ...snapshot })),
    erased: erased.map(({ erasure, at, rows }) => ({ erasure, at: time(at), rows })),
  };
}
