import type { ModelVersion, RegisteredModel, VersionStatus } from "../../../core/registry/index.ts";
import { entries, type Fields, refused, requiredText, some, toMillis } from "./wire.ts";

const STATUS_NAMES: Readonly<Record<VersionStatus, string>> = {
  pending: "PENDING_REGISTRATION",
  ready: "READY",
  failed: "FAILED_REGISTRATION",
};

export const versionMessage = (version: ModelVersion) => ({
  name: version.model,
  version: String(version.version),
  creation_timestamp: toMillis(version.createdAt),
  last_updated_timestamp: toMillis(version.updatedAt),
  current_stage: version.stage,
  description: version.description,
  source: version.source,
  run_id: version.runId ?? "",
  status: STATUS_NAMES[version.status],
  ...(version.statusMessage === null ? {} : { status_message: version.statusMessage }),
  run_link: version.runLink ?? "",
  ...(version.modelId === null ? {} : { model_id: version.modelId }),
  ...some("tags", entries(version.tags)),
  ...some("aliases", version.aliases),
});

export const modelMessage = (model: RegisteredModel, latest: readonly ModelVersion[]) => ({
  name: model.name,
  creation_timestamp: toMillis(model.createdAt),
  last_updated_timestamp: toMillis(model.updatedAt),
  description: model.description,
  ...some("latest_versions", latest.map(versionMessage)),
  ...some("tags", entries(model.tags)),
  ...some(
    "aliases",
    Object.entries(model.aliases).map(([alias, version]) => ({ alias, version: String(version) })),
  ),
});

/** Text in the protocol, also where a client sends a number. */
export function versionOf(fields: Fields): number {
  const given = typeof fields.version === "number" ? String(fields.version) : requiredText(fields, "version");
  if (!/^\d{1,15}$/.test(given))
    throw refused(`Parameter 'version' must be an integer, got '${given.slice(0, 100)}'.`, "version");
  return Number(given);
}
