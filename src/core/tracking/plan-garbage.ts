import type { Kysely } from "kysely";
import type { Database } from "../ports/index.ts";
import type { Scope } from "../scope.ts";
import type { Micros } from "../time.ts";
import { artifactPath, experimentLocation } from "./artifact-location.ts";
import { loadRegistryUse } from "./registry-use.ts";

export interface DoomedRun {
  readonly id: string;
  readonly experiment_id: string;
  readonly artifact_uri: string;
  readonly git_diff: string | null;
}

export interface DoomedModel {
  readonly id: string;
  readonly experiment_id: string;
  readonly artifact_location: string;
}

/** What was deleted long enough ago and is needed by nothing that stays. */
export interface GarbagePlan {
  readonly runs: readonly DoomedRun[];
  readonly models: readonly DoomedModel[];
  readonly experiments: readonly { readonly id: string; readonly artifact_location: string }[];
}

const PAGE = 5_000;

/** With `ignoringVersions`, versions deleted before then count as gone. */
export async function planGarbage(
  db: Kysely<Database>,
  scope: Scope,
  deletedBefore: Micros,
  ignoringVersions: boolean,
): Promise<GarbagePlan> {
  const { workspace, project } = scope;
  const use = await loadRegistryUse(db, scope, ignoringVersions ? deletedBefore : null);
  const runs: DoomedRun[] = [];
  for await (const page of pages((after) =>
    db
      .selectFrom("runs")
      .select(["id", "experiment_id", "artifact_uri", "git_diff"])
      .where((each) => each.and({ workspace, project, lifecycle: "deleted" }))
      .where("deleted_at", "<", deletedBefore)
      .where("id", ">", after)
      .orderBy("id")
      .limit(PAGE)
      .execute(),
  ))
    runs.push(...page.filter((run) => !use.usesRun(run)));
  const models: DoomedModel[] = [];
  for await (const page of pages((after) =>
    db
      .selectFrom("logged_models")
      .select(["id", "experiment_id", "artifact_location"])
      .where((each) => each.and({ workspace, project, lifecycle: "deleted" }))
      .where("deleted_at", "<", deletedBefore)
      .where("id", ">", after)
      .orderBy("id")
      .limit(PAGE)
      .execute(),
  ))
    models.push(...page.filter((model) => !use.usesModel(model)));

  const deleted = await db
    .selectFrom("experiments")
    .select(["id", "artifact_location"])
    .where((each) => each.and({ workspace, project, lifecycle: "deleted" }))
    .where("deleted_at", "<", deletedBefore)
    .orderBy("id")
    .execute();
  const doomedIn = Map.groupBy([...runs, ...models], ({ experiment_id }) => experiment_id);
  const experiments: GarbagePlan["experiments"][number][] = [];
  // One that still holds something stays.
  for (const experiment of deleted)
    if ((await inhabitants(db, scope, experiment.id)) === (doomedIn.get(experiment.id)?.length ?? 0))
      experiments.push(experiment);
  return { runs, models, experiments };
}

/** How many runs and logged models an experiment has, whatever their state. */
export async function inhabitants(db: Kysely<Database>, { workspace, project }: Scope, experimentId: string): Promise<number> {
  let count = 0;
  for (const table of ["runs", "logged_models"] as const) {
    const row = await db
      .selectFrom(table)
      .select((each) => each.fn.countAll<number>().as("rows"))
      .where((each) => each.and({ workspace, project, experiment_id: experimentId }))
      .executeTakeFirstOrThrow();
    count += Number(row.rows);
  }
  return count;
}

async function* pages<Row extends { readonly id: string }>(page: (after: string) => Promise<readonly Row[]>) {
  for (let after = ""; ; ) {
    const rows = await page(after);
    if (rows.length > 0) yield rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return;
    after = last.id;
  }
}

/** Folders of the tree of artifacts: everything at or below one, but what lies at or below the spared. */
export interface DoomedFolder {
  readonly root: string;
  readonly spared: readonly string[];
}

/**
 * Where the doomed have their files. An experiment's own folder is all its; in one that its creator chose others may lie too, and an
 * experiment may have been put below another one's run: its place is spared.
 */
export async function doomedFolders(db: Kysely<Database>, scope: Scope, uris: readonly string[]): Promise<DoomedFolder[]> {
  const chosen = await chosenPlaces(db, scope);
  return uris.flatMap((uri) => {
    const root = artifactPath(uri);
    return root === null ? [] : [{ root, spared: chosen.filter((place) => isWithin(place, root)) }];
  });
}

export const isWithin = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);

/** The folder of a doomed experiment where it is all its own. */
export const ownFolder = ({ id, artifact_location }: GarbagePlan["experiments"][number]): string | null =>
  artifact_location === experimentLocation(id) ? artifact_location : null;

async function chosenPlaces(db: Kysely<Database>, { workspace, project }: Scope): Promise<string[]> {
  const rows = await db
    .selectFrom("experiments")
    .select(["id", "artifact_location"])
    .where((each) => each.and({ workspace, project }))
    .execute();
  return rows.flatMap(({ id, artifact_location }) => {
    const path = artifact_location === experimentLocation(id) ? null : artifactPath(artifact_location);
    return path === null ? [] : [path];
  });
}
