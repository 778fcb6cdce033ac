import { ERROR_KINDS, type OrreryError } from "../../core/errors.ts";

/** Feast's classes of what is not there and of what is forbidden; a client of Feast raises the one that it is told. */
const CLASSES: Readonly<Record<string, readonly [module: string, name: string]>> = {
  FEATURE_VIEW_UNKNOWN: ["feast.errors", "FeatureViewNotFoundException"],
  FEATURE_UNKNOWN: ["feast.errors", "FeatureViewNotFoundException"],
  FEATURE_SERVER_SERVICE_UNKNOWN: ["feast.errors", "FeatureServiceNotFoundException"],
  FEATURE_SERVER_VIEW_UNKNOWN: ["feast.errors", "FeatureViewNotFoundException"],
  FEATURE_SERVER_SOURCE_UNKNOWN: ["feast.errors", "PushSourceNotFoundException"],
  SERVING_TOKEN_REQUIRED: ["feast.errors", "FeastPermissionError"],
};
const OTHER = ["feast.errors", "FeastError"] as const;
const DENIED = ["feast.errors", "FeastPermissionError"] as const;

/** Feast sends a JSON string that holds JSON. */
export function feastErrorBody(error: OrreryError): string {
  const [module, name] = CLASSES[error.code] ?? (error.kind === "denied" ? DENIED : OTHER);
  const message = `${error.message} [${error.code}] ${error.hint}`;
  return JSON.stringify(JSON.stringify({ module, class: name, message, code: error.code }));
}

/** A feature that its view has not is as little there as the view. */
export const feastErrorStatus = (error: OrreryError): number =>
  error.code === "FEATURE_UNKNOWN" ? 404 : error.code === "SERVING_TOKEN_REQUIRED" ? 401 : ERROR_KINDS[error.kind].status;
