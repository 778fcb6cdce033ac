import type { ColumnType } from "../../core/definitions/index.ts";
import {
  type ExactValue,
  type ExactVectors,
  type FeaturePlan,
  parseRequest,
  type ValueStatus,
} from "../../core/features/index.ts";
import { formatTimestamp, type Micros } from "../../core/time.ts";
import { AnswerBytes } from "./answer-bytes.ts";
import { featureServerErrors } from "./errors.ts";
import { writeFeastColumn } from "./json-values.ts";
import type { FeatureAsk } from "./online-features.ts";
import { isObject, type JsonObject } from "./read-json.ts";

/** POST /get-online-features, as Feast's feature server takes and answers it: columns of entities in, columns of features out. */
export interface FeastRequest {
  readonly ask: FeatureAsk;
  readonly entities: ReadonlyMap<string, readonly unknown[]>;
  readonly fullNames: boolean;
}

const invalid = (message: string) => featureServerErrors.FEATURE_SERVER_REQUEST_INVALID(message);

/** @throws FEATURE_SERVER_REQUEST_INVALID */
export function feastRequest(body: JsonObject): FeastRequest {
  const { entities = {}, features = [], feature_service: service = null, full_feature_names: fullNames = false } = body;
  if (!isObject(entities)) throw invalid("entities takes an object with a list for each join key");
  if (typeof fullNames !== "boolean") throw invalid("full_feature_names takes true or false");
  if (service !== null && typeof service !== "string") throw invalid("feature_service takes a name");
  const columns = new Map<string, readonly unknown[]>();
  for (const [name, values] of Object.entries(entities)) {
    if (!Array.isArray(values)) throw invalid(`entities.${name} takes a list`);
    columns.set(name, values);
  }
  const lengths = new Set([...columns.values()].map(({ length }) => length));
  if (lengths.size > 1) throw invalid(`The lists of entities have different lengths: ${[...lengths].join(", ")}`);
  if (service !== null) return { ask: { service }, entities: columns, fullNames };
  if (!Array.isArray(features) || features.length === 0)
    throw invalid("features takes a list of view:feature, unless feature_service names one");
  return { ask: { ids: features.map(idOf) }, entities: columns, fullNames };
}

/** "view:feature" as "view.feature". */
function idOf(reference: unknown): string {
  const [view, feature, ...more] = typeof reference === "string" ? reference.split(":") : [];
  if (view === undefined || feature === undefined || more.length > 0)
    throw invalid(`features takes view:feature, not ${JSON.stringify(reference)?.slice(0, 60)}`);
  return `${view}.${feature}`;
}

/**
 * The rows of a request's columns, checked.
 * @throws FEATURE_REQUEST_INVALID, whose path is the row's number and the column's name
 */
export function feastRows(plan: FeaturePlan, { entities }: FeastRequest): Record<string, ExactValue>[] {
  const fields = [...Object.keys(plan.keys), ...Object.keys(plan.request)];
  const given = fields.map((name) => [name, entities.get(name)] as const);
  // What describes everything at once is asked for without an entity.
  const [first] = entities.values();
  const rows = first?.length ?? (fields.length === 0 ? 1 : 0);
  const missing = given.filter(([, values]) => values === undefined).map(([name]) => name);
  if (missing.length > 0) throw invalid(`entities lacks ${missing.join(", ")}, which the features are asked by`);
  return Array.from({ length: rows }, (_, row) =>
    parseRequest(plan, Object.fromEntries(given.map(([name, values]) => [name, values?.[row]]))),
  );
}

/** A double's, with its comma; times of some features have microseconds, which epochs have not. */
const BYTES_OF_VALUE = 30;
const EPOCH = "1970-01-01T00:00:00Z";
const STATUS: Readonly<Record<ValueStatus, string>> = {
  present: '"PRESENT"',
  null: '"NULL_VALUE"',
  missing: '"NOT_FOUND"',
  expired: '"OUTSIDE_MAX_AGE"',
};

const repeated = (text: string, times: number) => (times === 0 ? "" : text + `,${text}`.repeat(times - 1));

/** What a plan's answers have in common. */
export interface FeastColumns {
  /** Join keys and request fields that the features are asked by. */
  readonly fields: readonly string[];
  readonly names: readonly string[];
}

/** @throws FEATURE_SERVER_REQUEST_INVALID where two features would have one name */
export function feastColumns(plan: FeaturePlan, { entities, fullNames }: FeastRequest): FeastColumns {
  const isKey = (name: string) => Object.hasOwn(plan.keys, name);
  const known = [...entities.keys()].filter((name) => isKey(name) || Object.hasOwn(plan.request, name));
  // Join keys come first.
  const fields = [...known.filter(isKey), ...known.filter((name) => !isKey(name))];
  const names = plan.features.map(({ id }) => (fullNames ? id.replace(".", "__") : id.slice(id.indexOf(".") + 1)));
  const all = [...fields, ...names];
  const twice = all.find((name, index) => all.indexOf(name) !== index);
  if (twice !== undefined)
    throw invalid(`Two columns would be named ${twice}: ask with full_feature_names, or for one of them alone`);
  return { fields, names };
}

/** The answer's JSON. */
export function writeFeastAnswer(
  plan: FeaturePlan,
  { fields, names }: FeastColumns,
  rows: readonly Readonly<Record<string, ExactValue>>[],
  { values, details }: ExactVectors,
): Buffer {
  const count = rows.length;
  const present = repeated(STATUS.present, count);
  const epochs = repeated(`"${EPOCH}"`, count);
  const oneColumn = present.length + epochs.length + BYTES_OF_VALUE * count + 64;
  const answer = new AnswerBytes((fields.length + names.length) * oneColumn + 4_096);
  let separator = '{"results":[';
  const add = (type: ColumnType, column: readonly ExactValue[], end: Uint8Array) => {
    const written = `${separator}{"values":[${writeFeastColumn(type, column)}`;
    if (type === "string") answer.text(written);
    else answer.ascii(written);
    answer.bytes(end);
    separator = ",";
  };
  const ofEpoch = endOf(present, epochs);
  for (const field of fields) {
    const type = plan.keys[field] ?? plan.request[field];
    add(
      type,
      rows.map((row) => row[field]),
      ofEpoch,
    );
  }
  // Most of the time all values are there, and features of one view are of the same rows.
  let events: readonly (Micros | null)[] = [];
  let timestamps = epochs;
  let ofPresent = ofEpoch;
  plan.features.forEach(({ type }, slot) => {
    const column = new Array<ExactValue>(count);
    let isAllPresent = true;
    let isSameEvents = events.length === count;
    for (let row = 0; row < count; row++) {
      column[row] = values[row][slot];
      const { statuses, eventAt } = details[row];
      if (statuses[slot] !== "present") isAllPresent = false;
      if (eventAt[slot] !== events[row]) isSameEvents = false;
    }
    if (!isSameEvents) {
      events = details.map(({ eventAt }) => eventAt[slot]);
      timestamps = events.map((at) => (at === null ? `"${EPOCH}"` : `"${formatTimestamp(at)}"`)).join(",");
      ofPresent = endOf(present, timestamps);
    }
    const statuses = () => details.map((detail) => STATUS[detail.statuses[slot]]).join(",");
    add(type, column, isAllPresent ? ofPresent : endOf(statuses(), timestamps));
  });
  if (fields.length + plan.features.length === 0) answer.ascii(separator);
  answer.text(`],"metadata":{"feature_names":${JSON.stringify([...fields, ...names])}}}`);
  return answer.whole();
}

/** What follows a column's values. */
const endOf = (statuses: string, timestamps: string) =>
  Buffer.from(`],"statuses":[${statuses}],"event_timestamps":[${timestamps}]}`, "latin1");
