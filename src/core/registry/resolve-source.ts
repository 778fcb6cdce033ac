import type { Kysely } from "kysely";
import type { Database } from "../ports/index.ts";
import type { Scope } from "../scope.ts";
import { registryErrors } from "./errors.ts";
import type { NewVersion } from "./interfaces.ts";
import { isStorable } from "./names.ts";
import type { RegistryRows } from "./registry-rows.ts";
import { checkSource } from "./source-rule.ts";

export interface VersionOrigin {
  readonly source: string;
  /** null where the source says it itself. */
  readonly location: string | null;
  readonly runId: string | null;
  readonly modelId: string | null;
}

/**
 * Where a new version comes from: which run and logged model, and where its files are now, since what a source names may be renamed
 * or deleted.
 * @throws REGISTRY_SOURCE_INVALID
 */
export async function resolveSource(
  db: Kysely<Database>,
  scope: Scope,
  rows: RegistryRows,
  given: NewVersion,
): Promise<VersionOrigin> {
  const runId = nonEmpty(given.runId);
  const modelId = nonEmpty(given.modelId);
  for (const id of [runId, modelId])
    if (id !== null && (!isStorable(id) || id.length > 256))
      throw registryErrors.REGISTRY_SOURCE_INVALID("An id of a run or logged model is too long or no text", {
        details: { reason: "malformed" },
      });
  const source = given.source ?? (await folderOf(db, scope, runId));
  checkSource(source);
  const named = /^models:\/+(.+)$/i.exec(source)?.[1];
  if (named !== undefined) return fromModel(db, scope, rows, { source, named, runId, modelId });
  const sourceRun = /^runs:\/+([^/]+)/i.exec(source)?.[1];
  return {
    source,
    location: null,
    runId: runId ?? (await knownRun(db, scope, sourceRun)) ?? (await loggedModel(db, scope, modelId))?.source_run_id ?? null,
    modelId,
  };
}

const nonEmpty = (id: string | null | undefined) => (id === undefined || id === "" ? null : id);

async function folderOf(db: Kysely<Database>, { workspace, project }: Scope, runId: string | null): Promise<string> {
  if (runId === null)
    throw registryErrors.REGISTRY_SOURCE_INVALID("A version needs a source, or the run that made it", {
      details: { reason: "malformed" },
    });
  const run = await db
    .selectFrom("runs")
    .select("artifact_uri")
    .where("workspace", "=", workspace)
    .where("project", "=", project)
    .where("id", "=", runId)
    .executeTakeFirst();
  return run === undefined ? `runs:/${runId}/model` : `${run.artifact_uri}/model`;
}

async function knownRun(db: Kysely<Database>, { workspace, project }: Scope, id: string | undefined): Promise<string | null> {
  if (id === undefined) return null;
  const run = await db
    .selectFrom("runs")
    .select("id")
    .where("workspace", "=", workspace)
    .where("project", "=", project)
    .where("id", "=", id)
    .executeTakeFirst();
  return run?.id ?? null;
}

const loggedModel = async (db: Kysely<Database>, { workspace, project }: Scope, id: string | null) =>
  id === null
    ? undefined
    : db
        .selectFrom("logged_models")
        .select(["artifact_location", "source_run_id"])
        .where("workspace", "=", workspace)
        .where("project", "=", project)
        .where("id", "=", id)
        .where("lifecycle", "=", "active")
        .executeTakeFirst();

/** "models:/m-…" names a logged model; "models:/name/3", "models:/name@alias", "models:/name/Production" and "…/latest" a version. */
async function fromModel(
  db: Kysely<Database>,
  scope: Scope,
  rows: RegistryRows,
  { source, named, runId, modelId }: { source: string; named: string; runId: string | null; modelId: string | null },
): Promise<VersionOrigin> {
  const unknown = () =>
    registryErrors.REGISTRY_SOURCE_INVALID(`${source} names no model or version of this project`, {
      details: { reason: "unknown" },
    });
  const text = decode(named);
  if (text === null || !isStorable(text)) throw unknown();
  if (!/[/@]/.test(text)) {
    const logged = await loggedModel(db, scope, text);
    if (logged === undefined || (modelId !== null && modelId !== text)) throw unknown();
    return { source, location: logged.artifact_location, runId: runId ?? logged.source_run_id, modelId: text };
  }
  const version = await versionNamed(db, scope, rows, text);
  if (version === undefined) throw unknown();
  return {
    source: `models:/${version.model}/${version.version}`,
    location: version.location ?? version.source,
    runId: runId ?? version.run_id,
    modelId: modelId ?? version.model_id,
  };
}

async function versionNamed(db: Kysely<Database>, { workspace, project }: Scope, rows: RegistryRows, text: string) {
  const [, model = "", separator, what = ""] = /^([^/]+)([/@])([^/]+)$/.exec(text) ?? [];
  const active = rows.versions(db).where("model", "=", model).where("lifecycle", "=", "active").orderBy("version", "desc");
  if (separator === "@")
    return active
      .where("version", "in", (select) =>
        select
          .selectFrom("model_aliases")
          .select("version")
          .where("workspace", "=", workspace)
          .where("project", "=", project)
          .where("model", "=", model)
          .where("alias", "=", what),
      )
      .executeTakeFirst();
  if (/^\d{1,15}$/.test(what)) return active.where("version", "=", Number(what)).executeTakeFirst();
  if (what.toLowerCase() === "latest") return active.executeTakeFirst();
  const stage = (["None", "Staging", "Production", "Archived"] as const).find(
    (each) => each.toLowerCase() === what.toLowerCase(),
  );
  return stage === undefined ? undefined : active.where("stage", "=", stage).executeTakeFirst();
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
