import type { FastifyRequest } from "fastify";
import type { Change } from "../core/access/index.ts";

/**
 * Changes that name their author themselves, or come by the thousand: runs carry who started them, files belong to a run, and stages are
 * written down by the registry.
 */
const UNAUDITED = [
  /\/mlflow\/model-versions\/transition-stage$/,
  /\/mlflow\/runs\/(create|update|log-|set-tag|delete-tag|outputs)/,
  /\/mlflow\/logged-models(\/:[^/]+(\/(params|tags|finalize))?)?$/,
  /\/mlflow-artifacts\/(artifacts|mpu)\//,
];
/** What these ask for changes nothing that lasts. */
const READS: ReadonlySet<string | undefined> = new Set([undefined, "public", "read", "predict"]);

/** Whether an answered request belongs into the trail of changes. */
export function isChange({ method, routeOptions: { config, url = "" } }: FastifyRequest): boolean {
  if (method === "GET" || method === "HEAD" || READS.has(config.permission) || config.audited === false) return false;
  return method === "DELETE" || !UNAUDITED.some((each) => each.test(url));
}

/** Fields of a request that say what it was about. None of them can hold a secret. */
const TELLING = [
  ...[
    "id",
    "name",
    "new_name",
    "newName",
    "version",
    "alias",
    "stage",
    "key",
    "run_id",
    "run_uuid",
    "experiment_id",
    "model_id",
    "path",
    "*",
  ],
  ...["user", "role", "label", "reason", "pipeline", "endpoint"],
];
const LONGEST_TEXT = 200;

/** What a request changed, for the trail. */
export function changeOf(request: FastifyRequest): Change {
  const { workspace: _, project: __, ...params } = request.params as Record<string, unknown>;
  const fields: Record<string, unknown> = { ...bodyFields(request.body), ...params };
  const told = TELLING.flatMap((field) => {
    const value = fields[field];
    if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") return [];
    return [[field, typeof value === "string" ? value.slice(0, LONGEST_TEXT) : value] as const];
  });
  const { actor, tokenId } = request.identity;
  return {
    actor,
    action: actionOf(request),
    target: told[0] === undefined ? "" : targetOf(Object.fromEntries(told)),
    details: { ...Object.fromEntries(told), traceId: request.id, ...(tokenId === null ? {} : { token: tokenId }) },
  };
}

const bodyFields = (body: unknown): object => (typeof body === "object" && body !== null && !Buffer.isBuffer(body) ? body : {});

function targetOf(told: Readonly<Record<string, unknown>>): string {
  const thing =
    told.id ?? told.run_id ?? told.run_uuid ?? told.model_id ?? told.name ?? told.experiment_id ?? told.path ?? told["*"] ?? "";
  return told.version === undefined ? String(thing) : `${thing}@${told.version}`;
}

/** "models.promote" of the contract's routes, "mlflow.runs.delete" of the protocol's. */
function actionOf({ method, routeOptions: { schema, url = "" } }: FastifyRequest): string {
  const id = (schema as { readonly operationId?: unknown } | undefined)?.operationId;
  if (typeof id === "string") return id;
  const segments = url.replace(/^.*\/api\/[\d.]+\//, "").split("/");
  const words = segments.filter((segment) => segment !== "" && !/^[:*]/.test(segment));
  const last = words.at(-1) ?? "";
  return [...words, ...(method === "POST" || last.startsWith(method.toLowerCase()) ? [] : [method.toLowerCase()])].join(".");
}
