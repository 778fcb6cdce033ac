import { OrreryError } from "../../core/errors.ts";
import {
  type ExactValue,
  type ExactVectors,
  type FeaturePlan,
  type OnlineCatalog,
  parseRequest,
} from "../../core/features/index.ts";
import { formatTimestamp, type Micros, parseTimestamp } from "../../core/time.ts";
import { featureServerErrors } from "./errors.ts";
import { writeValueOf } from "./json-values.ts";
import type { FeatureAsk } from "./online-features.ts";
import { isObject, type JsonObject } from "./read-json.ts";

/** POST /features: entities in, an object of values for each of them out. */
export interface OwnRequest {
  readonly ask: FeatureAsk;
  readonly entities: readonly JsonObject[];
  /** Null: now. */
  readonly at: Micros | null;
}

const MOST_ENTITIES = 10_000;

const invalid = (path: string, message: string) =>
  featureServerErrors.FEATURE_SERVER_REQUEST_INVALID(`${path} ${message}`, { details: { problems: [{ path, message }] } });

/** @throws FEATURE_SERVER_REQUEST_INVALID */
export function ownRequest({ features, service, entities = [{}], at = null }: JsonObject): OwnRequest {
  if ((features === undefined) === (service === undefined)) throw invalid("features", "or service is given, one of them");
  if (service !== undefined && typeof service !== "string") throw invalid("service", "takes a name");
  const isIds = Array.isArray(features) && features.every((id) => typeof id === "string");
  if (features !== undefined && !isIds) throw invalid("features", 'takes a list of ids, such as "view.feature"');
  if (!Array.isArray(entities) || entities.length > MOST_ENTITIES)
    throw invalid("entities", `takes a list of at most ${MOST_ENTITIES} objects`);
  const wrong = entities.findIndex((entity) => !isObject(entity));
  if (wrong >= 0) throw invalid(`entities.${wrong}`, "takes an object with the fields that the features are asked by");
  const ask: FeatureAsk = isIds ? { ids: features } : { service: String(service) };
  return { ask, entities, at: at === null ? null : timeOf(at) };
}

function timeOf(at: unknown): Micros {
  try {
    return parseTimestamp(String(at));
  } catch {
    throw invalid("at", "takes an ISO 8601 timestamp, such as 2013-11-01T12:00:00Z");
  }
}

/** @throws FEATURE_SERVER_REQUEST_INVALID with the path of each field that is wrong */
export const ownRows = (plan: FeaturePlan, { entities }: OwnRequest): Record<string, ExactValue>[] =>
  entities.map((entity, index) => {
    try {
      return parseRequest(plan, entity);
    } catch (error) {
      if (!(error instanceof OrreryError)) throw error;
      const { problems } = error.details as { problems: readonly { path: string; message: string }[] }; // parseRequest's own
      const placed = problems.map(({ path, message }) => ({ path: `entities.${index}.${path}`, message }));
      throw featureServerErrors.FEATURE_SERVER_REQUEST_INVALID(`entities.${index}.${error.message}`, {
        details: { problems: placed },
      });
    }
  });

/** The answer's JSON. */
export function writeOwnAnswer(
  plan: FeaturePlan,
  { values, details, unknownEntities, newestEventAt }: ExactVectors,
  at: Micros,
): string {
  const columns = plan.features.map(({ id, type }) => ({ name: JSON.stringify(id), write: writeValueOf(type) }));
  const results = values.map((vector, row) => {
    const written = columns.map(({ name, write }, slot) => `${name}:${write(vector[slot])}`);
    const { statuses } = details[row];
    const those = (status: "missing" | "expired") =>
      columns
        .filter((_, slot) => statuses[slot] === status)
        .map(({ name }) => name)
        .join(",");
    const unknown = JSON.stringify(unknownEntities[row]);
    return `{"values":{${written.join(",")}},"missing":[${those("missing")}],"expired":[${those("expired")}],"unknownEntities":${unknown}}`;
  });
  return `{"at":"${formatTimestamp(at)}","results":[${results.join(",")}],"freshness":${JSON.stringify(freshness(newestEventAt))}}`;
}

const freshness = (newestEventAt: ExactVectors["newestEventAt"]) =>
  Object.fromEntries(
    Object.entries(newestEventAt).map(([view, at]) => [view, { newestEventAt: at === null ? null : formatTimestamp(at) }]),
  );

/** GET /features: what can be asked for, by which fields. */
export function describeCatalog({ views, onDemand, services }: OnlineCatalog) {
  return {
    views: views.map(({ name, keys, keyTypes, types, ttl }) => ({
      name,
      keys: keys.map((key) => ({ name: key, type: keyTypes[key] })),
      features: Object.entries(types).map(([feature, type]) => ({ id: `${name}.${feature}`, type })),
      ttlSeconds: ttl === null ? null : ttl / 1e6,
    })),
    onDemand: onDemand.map(({ name, request, returns }) => ({ id: `on-demand.${name}`, type: returns, request })),
    services,
  };
}
