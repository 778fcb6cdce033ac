import type { MetadataStore } from "../../core/ports/index.ts";
import type { Scope } from "../../core/scope.ts";
import { formatTimestamp } from "../../core/time.ts";
import type { ErasedContent } from "./rewrite-document.ts";

/** Tag of runs and model versions that were made of rows which are no more. */
export const ERASED_TAG = "orrery.erased";

const KEY = ["workspace", "project"] as const;

/**
 * Tags the runs that read snapshots whose rows were erased, and the model versions of these runs: they can no longer be made again. In a
 * transaction.
 * @returns the versions, as "model@version"
 */
export async function markLineage(
  store: Pick<MetadataStore, "insertMany">,
  db: MetadataStore["db"],
  { workspace, project }: Scope,
  { mark, rows, files }: Pick<ErasedContent, "mark" | "rows" | "files">,
): Promise<string[]> {
  const changed = new Set(Object.keys(rows));
  if (changed.size === 0) return [];
  const own = { workspace, project };
  const taken = [...files.values()].reduce((sum, { erased }) => sum + erased, 0);
  const value = `No longer reproducible: erasure ${mark.erasure} of ${formatTimestamp(mark.at).slice(0, 10)} took ${taken} rows out of what it was made of`;
  const runs = await db
    .selectFrom("runs")
    .select(["id", "snapshots"])
    .where((each) => each.and(own))
    .where("snapshots", "!=", "[]")
    .execute();
  // Written when the run was made.
  const made = runs.filter(({ snapshots }) => (JSON.parse(snapshots) as string[]).some((id) => changed.has(id)));
  const tags = made.map(({ id }) => ({ ...own, run_id: id, key: ERASED_TAG, value }));
  await store.insertMany(db, "tags", tags, { key: [...KEY, "run_id", "key"], update: ["value"] });
  const ids = new Set(made.map(({ id }) => id));
  const versions = await db
    .selectFrom("model_versions")
    .select(["model", "version", "run_id"])
    .where((each) => each.and(own))
    .where("run_id", "is not", null)
    .execute();
  const learned = versions.filter(({ run_id }) => run_id !== null && ids.has(run_id));
  const versionTags = learned.map(({ model, version }) => ({ ...own, model, version, key: ERASED_TAG, value }));
  await store.insertMany(db, "model_version_tags", versionTags, { key: [...KEY, "model", "version", "key"], update: ["value"] });
  return learned.map(({ model, version }) => `${model}@${version}`);
}
