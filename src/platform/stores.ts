import { isAbsolute, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { ONLINE_VARIABLE } from "../adapters/online/open-online.ts";
import type { ArtifactStore, Clock, MetadataStore } from "../core/ports/index.ts";
import type { StatePaths } from "./state-folder.ts";

/** Where metadata and artifacts are kept; addresses may hold passwords and are never printed. */
export interface StoreSettings {
  /** "postgres://…"; null for SQLite in the state folder. */
  readonly database: string | null;
  /** "s3://bucket/prefix?endpoint=…&region=…", or another folder; null for the state folder's own. */
  readonly artifacts: string | null;
}

export interface ProjectStoreSettings extends StoreSettings {
  /** Of features: "redis://…"; null for the state folder's own. */
  readonly online: string | null;
}

/** Workers and commands find here what the process that started them was told. */
export const STORE_VARIABLES = {
  database: "ORRERY_DATABASE_URL",
  artifacts: "ORRERY_ARTIFACTS_URL",
  online: ONLINE_VARIABLE,
} as const;

/** What the environment says. */
export const storeSettings = (environment: NodeJS.ProcessEnv = process.env): ProjectStoreSettings => ({
  database: environment[STORE_VARIABLES.database] || null,
  artifacts: environment[STORE_VARIABLES.artifacts] || null,
  online: environment[STORE_VARIABLES.online] || null,
});

/** Puts options of the command line where this process and all below it look: a plan or a log never sees them. */
export function useStores(given: { readonly [S in keyof ProjectStoreSettings]?: string | undefined }): void {
  if (given.database !== undefined) process.env[STORE_VARIABLES.database] = given.database;
  if (given.online !== undefined) process.env[STORE_VARIABLES.online] = given.online;
  if (given.artifacts !== undefined)
    process.env[STORE_VARIABLES.artifacts] = /^[a-z0-9+.-]{2,}:/i.test(given.artifacts)
      ? given.artifacts
      : resolve(given.artifacts);
}

export interface Stores {
  readonly store: MetadataStore;
  readonly artifacts: ArtifactStore;
  close(): Promise<void>;
}

/**
 * Opens metadata and artifacts. `readOnly` is for processes beside the one that owns them.
 * @throws STATE_…, ARTIFACT_STORE_SETTING_INVALID
 */
export async function openStores(
  settings: StoreSettings,
  paths: Pick<StatePaths, "metadata" | "artifacts" | "root">,
  clock: Clock,
  { readOnly = false }: { readonly readOnly?: boolean } = {},
): Promise<Stores> {
  const artifacts = await openArtifacts(settings, paths);
  const store = await openMetadata(settings, paths, clock, readOnly);
  return { store, artifacts, close: () => store.close() };
}

/** A deployment needs one kind only: the others are not loaded. */
export async function openMetadata(
  { database }: Pick<StoreSettings, "database">,
  paths: Pick<StatePaths, "metadata" | "root">,
  clock: Clock,
  readOnly = false,
): Promise<MetadataStore> {
  if (database !== null) {
    const { openPostgres } = await import("../adapters/metadata/postgres.ts");
    return openPostgres({ url: database, clock, readOnly, backups: join(paths.root, "backups") });
  }
  const { openSqlite } = await import("../adapters/metadata/sqlite.ts");
  return openSqlite({ path: paths.metadata, clock, readOnly });
}

export async function openArtifacts(
  { artifacts }: Pick<StoreSettings, "artifacts">,
  paths: Pick<StatePaths, "artifacts" | "root">,
): Promise<ArtifactStore> {
  if (artifacts !== null && !isFolder(artifacts)) {
    const { openS3 } = await import("../adapters/artifacts/s3.ts");
    return openS3({ url: artifacts, cacheFolder: join(paths.root, "artifact-cache") });
  }
  const { FilesystemArtifactStore } = await import("../adapters/artifacts/filesystem.ts");
  return new FilesystemArtifactStore(artifacts === null ? paths.artifacts : folderOf(artifacts));
}

const isFolder = (address: string) => isAbsolute(address) || address.startsWith("file:");
const folderOf = (address: string) => (address.startsWith("file:") ? fileURLToPath(address) : address);
