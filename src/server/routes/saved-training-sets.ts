import { getTrainingSet, listTrainingSets, type SavedTrainingSet } from "../../platform/training-sets.ts";
import type { RoomHandlers } from "../handlers.ts";
import { optionalTime, time } from "./entity-values.ts";
import type { RouteContext } from "./index.ts";

export function trainingSetHandlers({ platform }: RouteContext): RoomHandlers<"trainingSets"> {
  return {
    list: async () => ({ items: (await listTrainingSets(platform)).map(trainingSetEntity) }),
    async get({ id }) {
      const set = await getTrainingSet(platform, id);
      return { ...trainingSetEntity(set), record: set.record === null ? null : { ...set.record } };
    },
    async rebuild({ id }) {
      const { file, rows } = await platform.rebuildTrainingSet(id);
      return { id, sha256: file.sha256, bytes: file.bytes, rows };
    },
  };
}

function trainingSetEntity({ id, savedAt, file, record }: SavedTrainingSet) {
  const erased = record?.erased ?? [];
  return {
    id,
    model: record?.model ?? null,
    savedAt: time(savedAt),
    sha256: file.sha256,
    bytes: file.bytes,
    rebuildable: record !== null && erased.length === 0,
    rows: record?.set.rows ?? null,
    labelled: record?.set.labelled ?? null,
    asOf: optionalTime(record?.set.asOf ?? null),
    engine: record?.engine ?? null,
    snapshots: Object.entries(record?.snapshots ?? {}).map(([source, snapshot]) => ({ source, ...snapshot })),
    erased: erased.map(({ erasure, at, rows }) => ({ erasure, at: time(at), rows })),
  };
}
