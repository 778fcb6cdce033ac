import type { Kysely } from "kysely";
import type { Database } from "../ports/index.ts";
import type { Scope } from "../scope.ts";
import type { Micros } from "../time.ts";
import { artifactPath } from "./artifact-location.ts";

/** Runs, logged models and files that registered versions came from: as long as a version is there, so are they. */
export interface RegistryUse {
  usesRun(run: { readonly id: string; readonly artifact_uri: string }): boolean;
  usesModel(model: { readonly id: string; readonly artifact_location: string }): boolean;
}

/**
 * What the project's versions use, deleted ones too, since they can be restored; those deleted before `ignored` are left out, for
 * whoever asks what would be if they were removed.
 */
export async function loadRegistryUse(
  db: Kysely<Database>,
  { workspace, project }: Scope,
  ignored: Micros | null = null,
): Promise<RegistryUse> {
  const versions = await versionsKept(db, ignored)
    .select(["model_versions.run_id", "model_versions.model_id", "model_versions.source", "model_versions.location"])
    .where("model_versions.workspace", "=", workspace)
    .where("model_versions.project", "=", project)
    .execute();
  const runs = new Set<string>();
  const models = new Set<string>();
  /** Everything at or above a version's files. */
  const paths = new Set<string>();
  for (const { run_id, model_id, source, location } of versions) {
    if (run_id !== null) runs.add(run_id);
    if (model_id !== null) models.add(model_id);
    for (const uri of [source, location ?? ""]) {
      const run = /^runs:\/+([^/]+)/i.exec(uri)?.[1];
      if (run !== undefined) runs.add(run);
      const model = /^models:\/+([^/]+)/i.exec(uri)?.[1];
      if (model !== undefined) models.add(model);
      const parts = artifactPath(uri)?.split("/") ?? [];
      for (const [depth] of parts.entries()) paths.add(parts.slice(0, depth + 1).join("/"));
    }
  }
  return {
    usesRun: ({ id, artifact_uri }) => runs.has(id) || paths.has(artifactPath(artifact_uri) ?? ""),
    usesModel: ({ id, artifact_location }) => models.has(id) || paths.has(artifactPath(artifact_location) ?? ""),
  };
}

/** Versions but those that were deleted before `ignored`, by themselves or with their model. */
export function versionsKept(db: Kysely<Database>, ignored: Micros | null) {
  const versions = db
    .selectFrom("model_versions")
    .innerJoin("registered_models", (join) =>
      join
        .onRef("registered_models.workspace", "=", "model_versions.workspace")
        .onRef("registered_models.project", "=", "model_versions.project")
        .onRef("registered_models.name", "=", "model_versions.model"),
    );
  if (ignored === null) return versions;
  return versions.where((each) =>
    each.and(
      (["model_versions", "registered_models"] as const).map((table) =>
        each.or([each(`${table}.deleted_at`, "is", null), each(`${table}.deleted_at`, ">=", ignored)]),
      ),
    ),
  );
}
