import type { Actor } from "../scope.ts";
import type { Micros } from "../time.ts";
import type { Page, Search } from "../tracking/index.ts";

export type Stage = "None" | "Staging" | "Production" | "Archived";
export type VersionStatus = "pending" | "ready" | "failed";

export interface ModelVersion {
  readonly model: string;
  readonly version: number;
  readonly aliases: readonly string[];
  readonly tags: Readonly<Record<string, string>>;
  /** null for a version that came without a run. */
  readonly runId: string | null;
  /** sha256 of the packaged model; null for a version that another tool trained. */
  readonly artifact: string | null;
  /** URI of the model's folder, as its creator named it. */
  readonly source: string;
  /** The same, with the models and versions that it names resolved: what a client downloads. */
  readonly location: string;
  readonly runLink: string | null;
  readonly modelId: string | null;
  readonly status: VersionStatus;
  readonly statusMessage: string | null;
  readonly stage: Stage;
  readonly createdAt: Micros;
  readonly updatedAt: Micros;
  readonly actor: string;
  readonly description: string;
}

export interface RegisteredModel {
  readonly name: string;
  readonly description: string;
  readonly createdAt: Micros;
  readonly updatedAt: Micros;
  readonly tags: Readonly<Record<string, string>>;
  /** Version by alias. */
  readonly aliases: Readonly<Record<string, number>>;
}

export interface NewVersion {
  readonly runId?: string | null | undefined;
  readonly artifact?: string | null | undefined;
  /** The folder "model" of the run's artifacts when absent. Aliases and stages in it ("models:/churn@champion") become the version of now. */
  readonly source?: string;
  readonly runLink?: string | null | undefined;
  readonly modelId?: string | null | undefined;
  readonly description?: string | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
}

/** Registered models, by name. */
export interface RegisteredModels {
  /** @throws REGISTRY_MODEL_EXISTS, REGISTRY_NAME_INVALID, REGISTRY_TAG_INVALID, REGISTRY_TEXT_INVALID */
  createModel(model: {
    readonly name: string;
    readonly description?: string | undefined;
    readonly tags?: Readonly<Record<string, string>> | undefined;
  }): Promise<RegisteredModel>;
  /** By name. */
  models(): Promise<readonly RegisteredModel[]>;
  /** @throws REGISTRY_MODEL_UNKNOWN */
  model(name: string): Promise<RegisteredModel>;
  /** With everything that belongs to it. @throws REGISTRY_MODEL_UNKNOWN, REGISTRY_MODEL_EXISTS, REGISTRY_NAME_INVALID */
  renameModel(name: string, to: string): Promise<RegisteredModel>;
  /** @throws REGISTRY_MODEL_UNKNOWN, REGISTRY_TEXT_INVALID */
  describeModel(name: string, description: string): Promise<RegisteredModel>;
  /** With its versions; its name can be used again at once. Undone by restoreModel until garbage collection. @throws REGISTRY_MODEL_UNKNOWN */
  deleteModel(name: string): Promise<void>;
  /**
   * The one of this name that was deleted last, with its aliases and the versions it had then.
   * @throws REGISTRY_MODEL_UNKNOWN, REGISTRY_MODEL_EXISTS
   */
  restoreModel(name: string): Promise<RegisteredModel>;
  /** @throws REGISTRY_MODEL_UNKNOWN, REGISTRY_TAG_INVALID */
  setModelTag(name: string, key: string, value: string): Promise<void>;
  /** Without effect where there is no such tag. @throws REGISTRY_MODEL_UNKNOWN, REGISTRY_TAG_INVALID */
  deleteModelTag(name: string, key: string): Promise<void>;
}

export interface ModelVersions {
  /**
   * Makes the model where it is not there and adds its next version number, from 1; numbers are never used again. The same run and
   * artifact again is the same version, so that a repeated call adds none.
   * @throws REGISTRY_NAME_INVALID, REGISTRY_SOURCE_INVALID
   */
  register(model: string, version: NewVersion, actor: Actor): Promise<number>;
  /**
   * A version of a model that is there. Its run and logged model are those of the source where they are not given.
   * @throws REGISTRY_MODEL_UNKNOWN, REGISTRY_SOURCE_INVALID, REGISTRY_TAG_INVALID, REGISTRY_TEXT_INVALID
   */
  createVersion(model: string, version: NewVersion & { readonly source: string }, actor: Actor): Promise<ModelVersion>;
  /** Newest first; empty for a model that is not there. */
  versions(model: string): Promise<readonly ModelVersion[]>;
  /** @throws REGISTRY_VERSION_UNKNOWN */
  version(model: string, version: number): Promise<ModelVersion>;
  /** @throws REGISTRY_VERSION_UNKNOWN, REGISTRY_TEXT_INVALID */
  describeVersion(model: string, version: number, description: string): Promise<ModelVersion>;
  /** Its aliases are removed. Undone by restoreVersion, but for them, until garbage collection. @throws REGISTRY_VERSION_UNKNOWN */
  deleteVersion(model: string, version: number, actor: Actor): Promise<void>;
  /** One that is not deleted stays as it is. @throws REGISTRY_VERSION_UNKNOWN */
  restoreVersion(model: string, version: number): Promise<ModelVersion>;
  /** @throws REGISTRY_VERSION_UNKNOWN, REGISTRY_TAG_INVALID */
  setVersionTag(model: string, version: number, key: string, value: string): Promise<void>;
  /** Without effect where there is no such tag. @throws REGISTRY_VERSION_UNKNOWN, REGISTRY_TAG_INVALID */
  deleteVersionTag(model: string, version: number, key: string): Promise<void>;
  /**
   * With `archiveOthers`, versions that are in the stage go to Archived.
   * @throws REGISTRY_VERSION_UNKNOWN, REGISTRY_STAGE_INVALID when others are to be archived for another stage than Staging and Production
   */
  setStage(model: string, version: number, stage: Stage, archiveOthers: boolean, actor: Actor): Promise<ModelVersion>;
  /** The newest version of each stage, or of the stages asked for. @throws REGISTRY_MODEL_UNKNOWN */
  latestByStage(model: string, stages?: readonly Stage[]): Promise<readonly ModelVersion[]>;
  /** Version by alias. */
  aliases(model: string): Promise<Readonly<Record<string, number>>>;
  /** The version an alias points at, null when it points at none; "latest" is the greatest version. */
  byAlias(model: string, alias: string): Promise<ModelVersion | null>;
}

export interface RegistrySearch {
  /** By name. @throws TRACKING_FILTER_INVALID, TRACKING_CURSOR_INVALID */
  searchModels(search: Search): Promise<Page<RegisteredModel & { readonly latestVersions: readonly ModelVersion[] }>>;
  /** The one that changed last first, then by name and newest version first. @throws TRACKING_FILTER_INVALID, TRACKING_CURSOR_INVALID */
  searchVersions(search: Search): Promise<Page<ModelVersion>>;
}

/** Everything about models and versions but their gates, approvals and promotions. */
export interface Versions extends RegisteredModels, ModelVersions, RegistrySearch {}
