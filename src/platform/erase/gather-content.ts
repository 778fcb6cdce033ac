import type { Snapshot } from "../../core/data/index.ts";
import type { ArtifactStore, MetadataStore } from "../../core/ports/index.ts";
import type { Scope } from "../../core/scope.ts";
import { contentInUse, readDocuments } from "../../core/tracking/index.ts";
import { listTrainingSets, type TrainingSetRooms } from "../training-sets.ts";
import type { EraseQuestion } from "./erasing.ts";
import { isSnapshot, isTrainingSet, valuesWithin } from "./rewrite-document.ts";

export interface ContentRooms extends TrainingSetRooms {
  readonly store: MetadataStore;
  readonly artifacts: ArtifactStore;
  readonly scope: Scope;
}

/** Everything of a project that may hold rows, by what names it. @param held snapshots that are in use and not on record */
export async function gatherContent(
  rooms: ContentRooms,
  held: readonly Snapshot[],
): Promise<Pick<EraseQuestion, "snapshots" | "sets" | "files" | "unnamed">> {
  const { store, artifacts, scope } = rooms;
  const snapshots = new Map(held.map((snapshot) => [snapshot.id, snapshot]));
  const sets = new Map<string, string>();
  for await (const document of readDocuments(store.db, scope))
    for (const value of valuesWithin(document, isSnapshot)) {
      if (isSnapshot(value)) snapshots.set(value.id, value);
      if (isTrainingSet(value)) sets.set(value.file.sha256, "of a pipeline run");
    }
  for (const { id, file } of await listTrainingSets(rooms)) sets.set(file.sha256, id);
  const named = await contentInUse(store.db);
  const known = new Set([...named.files, ...named.others, ...sets.keys()]);
  for (const { parts } of snapshots.values())
    for (const { sha256, quarantine } of parts) {
      known.add(sha256);
      if (quarantine !== null) known.add(quarantine);
    }
  const unnamed: string[] = [];
  for await (const { sha256 } of artifacts.list()) if (!known.has(sha256)) unnamed.push(sha256);
  const files = await store.db
    .selectFrom("artifact_files")
    .select(["sha256", "path"])
    .where((each) => each.and({ workspace: scope.workspace, project: scope.project }))
    .execute();
  return {
    snapshots: [...snapshots.values()].sort((one, other) => other.asOf - one.asOf),
    sets: [...sets].map(([sha256, where]) => ({ sha256, where })),
    files: files.flatMap(({ sha256, path }) => (sets.has(sha256) ? [] : [{ sha256, where: path }])),
    unnamed,
  };
}
