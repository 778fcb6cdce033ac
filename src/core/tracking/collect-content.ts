import type { Kysely } from "kysely";
import type { ArtifactStore, Database, MetadataStore } from "../ports/index.ts";
import type { Scope } from "../scope.ts";
import type { Micros } from "../time.ts";
import { hashesInDocuments } from "./content-references.ts";
import { inChunks } from "./in-chunks.ts";
import { type DoomedFolder, type GarbagePlan, isWithin } from "./plan-garbage.ts";
import { versionsKept } from "./registry-use.ts";

/** Of a dry run: rows that are still there and count as gone. */
export interface CountedAsGone {
  readonly scope: Scope;
  readonly plan: GarbagePlan;
  readonly folders: readonly DoomedFolder[];
  /** Versions deleted before. */
  readonly deletedBefore: Micros;
}

export interface ContentOptions {
  readonly store: MetadataStore;
  readonly artifacts: ArtifactStore;
  /** Bytes written later stay: whoever stored them may not have named them yet. By the store's own clock. */
  readonly writtenBefore: Date;
  /** Hashes that are needed by something outside of the database. */
  readonly inUse: ReadonlySet<string>;
  /** Nothing is removed, and this counts as gone; null to remove. */
  readonly dryRun: CountedAsGone | null;
}

const BATCH = 500;

/** Removes bytes that nothing in any project names. */
export async function collectContent(options: ContentOptions): Promise<{ artifacts: number; bytes: number }> {
  const { store, artifacts, writtenBefore, inUse, dryRun } = options;
  const used = await usedByRows(store.db, dryRun);
  const counted = { artifacts: 0, bytes: 0 };
  let batch: { sha256: string; bytes: number }[] = [];
  const flush = async () => {
    const named = await namedAmong(
      store.db,
      batch.map(({ sha256 }) => sha256),
      dryRun,
    );
    for (const { sha256, bytes } of batch) {
      if (named.has(sha256)) continue;
      if (dryRun === null) await artifacts.remove(sha256);
      counted.artifacts++;
      counted.bytes += bytes;
    }
    batch = [];
  };
  for await (const { sha256, bytes, writtenAt } of artifacts.list()) {
    if (writtenAt >= writtenBefore || used.has(sha256) || inUse.has(sha256)) continue;
    batch.push({ sha256, bytes });
    if (batch.length >= BATCH) await flush();
  }
  if (batch.length > 0) await flush();
  return counted;
}

/** All bytes that something in the database names: files of the trees, and hashes in documents, not all of which are artifacts. */
export async function contentInUse(db: Kysely<Database>): Promise<{ files: Set<string>; others: Set<string> }> {
  const rows = await db.selectFrom("artifact_files").select("sha256").distinct().execute();
  const files = new Set(rows.map(({ sha256 }) => sha256));
  return { files, others: (await usedByRows(db, null)).difference(files) };
}

/** Hashes that are needed though they are no file of the tree. */
async function usedByRows(db: Kysely<Database>, dryRun: CountedAsGone | null): Promise<Set<string>> {
  const used = await hashesInDocuments(db);
  const versions = await versionsKept(db, dryRun?.deletedBefore ?? null)
    .select(["model_versions.artifact"])
    .distinct()
    .where("model_versions.artifact", "is not", null)
    .execute();
  for (const { artifact } of versions) if (artifact !== null) used.add(artifact);
  const diffs = await db
    .selectFrom("runs")
    .select((each) => ["git_diff", each.fn.countAll<number>().as("runs")])
    .where("git_diff", "is not", null)
    .groupBy("git_diff")
    .execute();
  const gone = Map.groupBy(dryRun?.plan.runs ?? [], ({ git_diff }) => git_diff);
  for (const { git_diff, runs } of diffs)
    if (git_diff !== null && Number(runs) > (gone.get(git_diff)?.length ?? 0)) used.add(git_diff);
  return used;
}

/** Which of the hashes a file of the tree has. */
async function namedAmong(db: Kysely<Database>, hashes: readonly string[], dryRun: CountedAsGone | null): Promise<Set<string>> {
  const rows = await inChunks(hashes, (some) =>
    db.selectFrom("artifact_files").select(["workspace", "project", "path", "sha256"]).where("sha256", "in", some).execute(),
  );
  const isGone = dryRun === null ? () => false : goneFiles(dryRun);
  return new Set(rows.filter((row) => !isGone(row)).map(({ sha256 }) => sha256));
}

function goneFiles({ scope, folders }: CountedAsGone) {
  const byRoot = new Map(folders.map((folder) => [folder.root, folder]));
  return ({ workspace, project, path }: { workspace: string; project: string; path: string }): boolean => {
    if (workspace !== scope.workspace || project !== scope.project) return false;
    const parts = path.split("/");
    return parts.some((_, depth) => {
      const folder = byRoot.get(parts.slice(0, depth + 1).join("/"));
      return folder !== undefined && !folder.spared.some((place) => isWithin(path, place));
    });
  };
}
