import type { OnlineStore } from "../ports/index.ts";
import type { Scope } from "../scope.ts";
import { formatTimestamp, type Micros, parseTimestamp } from "../time.ts";
import { type ClassLayout, decodeRecord, type EntityRecord, isTiled, recordLayout } from "./entity-record.ts";
import { featureErrors } from "./errors.ts";
import { loadOnDemand, type OnDemandFunction } from "./on-demand.ts";
import { parseOnlineView } from "./online-entry.ts";
import { entityKey, entityPrefix, type OnlineView, versionKey, viewKey } from "./online-view.ts";
import type { ExactValue, FeaturePlan, FeatureValue, PlannedView } from "./plan.ts";
import { type RecordReading, readRecord, recordReading, type ValueDetails, type ValueStatus } from "./read-record.ts";
import { readTiles, type TilesOf, withTiles } from "./tiles.ts";
import { tilesToRead } from "./tiles-to-read.ts";
import { versionRead } from "./view-versions.ts";

export interface FeatureVectors<V = FeatureValue> {
  /** One row per request, in the order of `plan.features`. */
  readonly values: V[][];
  /** Per request, the views that know nothing of its entity: their counts are 0 and their other features null. */
  readonly unknownEntities: string[][];
  /** Per view, the newest event that is in the online store; null where there is none or the source has no time. */
  readonly newestEventAt: Readonly<Record<string, Micros | null>>;
  /** Per view, up to when its online values were made. */
  readonly materializedUntil: Readonly<Record<string, Micros>>;
}

export interface FeatureReader<V = FeatureValue> {
  /**
   * Feature vectors as of `at`, by one round trip to the online store. Requests carry keys and request fields as
   * `parseRequest` gives them; a timestamp may also be ISO text, and an absent field is null.
   * @throws FEATURE_VIEW_NOT_MATERIALIZED, FEATURE_VIEW_CHANGED, FEATURE_READ_TOO_EARLY, FEATURE_RECORD_CORRUPT, FEATURE_ON_DEMAND_…
   */
  read(requests: readonly Readonly<Record<string, ExactValue>>[], at: Micros | readonly Micros[]): Promise<FeatureVectors<V>>;
}

export interface ExactVectors extends FeatureVectors<ExactValue> {
  /** Per request, of each of `plan.features`; "missing" where the entity is unknown, though its counts are 0. */
  readonly details: readonly ValueDetails[];
  /** Per view over pushed rows, the place in the log up to which rows are in the values, and none after it. */
  readonly pushedTo: Readonly<Record<string, number>>;
}

export interface ExactReader extends FeatureReader<ExactValue> {
  read(requests: readonly Readonly<Record<string, ExactValue>>[], at: Micros | readonly Micros[]): Promise<ExactVectors>;
}

interface OpenView {
  readonly planned: PlannedView;
  readonly key: string;
  /** Bytes of the view's entry at the last read. */
  bytes: Uint8Array | null;
  /** Key of the entry of the version that is read, where that is not the view's own. */
  version: string | null;
  /** Of the records' keys, as the last read found it. */
  prefix: string;
  readonly slots: ReadonlyMap<string, number>;
  /** Bytes of the entry of the version that is read, and what was made of them. */
  versionBytes: Uint8Array | null;
  online: OnlineView | null;
  layouts: readonly ClassLayout[];
  reading: RecordReading | null;
}

interface OpenFunction {
  readonly compute: OnDemandFunction;
  readonly slot: number;
  readonly inputs: readonly (readonly [name: string, slot: number])[];
  readonly request: readonly string[];
}

/** Reads a model's features online, as it takes them. Everything that depends on the plan alone is prepared here, once. */
export function createFeatureReader(plan: FeaturePlan, online: OnlineStore, scope: Scope): FeatureReader {
  const reader = openReader(plan, online, scope, false);
  const integers = plan.features.flatMap(({ type }, slot) => (type === "int64" ? [slot] : []));
  return {
    async read(requests, at) {
      const { values, details: _, pushedTo: __, ...vectors } = await reader.read(requests, at);
      for (const vector of values)
        for (const slot of integers) if (typeof vector[slot] === "bigint") vector[slot] = Number(vector[slot]);
      // Only integers of 64 bits are ever bigints.
      return { ...vectors, values: values as FeatureValue[][] };
    },
  };
}

/** Reads features online to the last digit, with why a value is not there. Everything that depends on the plan alone is prepared here, once. */
export const createExactReader = (plan: FeaturePlan, online: OnlineStore, scope: Scope): ExactReader =>
  openReader(plan, online, scope, true);

function openReader(plan: FeaturePlan, online: OnlineStore, scope: Scope, detailed: boolean): ExactReader {
  // A vector holds the model's features first, then what only on-demand functions read.
  const slotOf = new Map(plan.features.map(({ id }, slot) => [id, slot] as const));
  const slot = (id: string) => slotOf.get(id) ?? slotOf.set(id, slotOf.size).size - 1;
  const views = plan.views.map(
    (planned): OpenView => ({
      planned,
      key: viewKey(scope, planned.stored ?? planned.name),
      prefix: "",
      slots: new Map(planned.features.map((feature) => [feature, slot(`${planned.name}.${feature}`)])),
      bytes: null,
      version: null,
      versionBytes: null,
      online: null,
      layouts: [],
      reading: null,
    }),
  );
  const functions = plan.onDemand.map(
    (planned): OpenFunction => ({
      compute: loadOnDemand(planned),
      slot: slot(`on-demand.${planned.name}`),
      inputs: planned.inputs.map(({ name, id }) => [name, slot(id)] as const),
      request: Object.keys(planned.request),
    }),
  );
  const types = { ...plan.request, ...plan.keys };
  const timestamps = Object.keys(types).filter((field) => types[field] === "timestamp");

  return {
    async read(requests, at) {
      const rows = timestamps.length === 0 ? requests : requests.map((request) => withMicros(request, timestamps));
      const { records, places } = await readRecords(online, scope, views, rows, at);

      const unknownEntities: string[][] = [];
      const details: ValueDetails[] = [];
      const values = rows.map((row, index) => {
        const time = typeof at === "number" ? at : at[index];
        const vector = new Array<ExactValue>(slotOf.size).fill(null);
        const unknown: string[] = [];
        const detail = detailed ? noDetails(slotOf.size) : undefined;
        views.forEach((view, which) => {
          const place = places[index * views.length + which];
          const record = place < 0 ? null : (records[place] ?? null);
          if (!readView(view, record, time, vector, detail)) unknown.push(view.planned.name);
        });
        for (const { compute, slot, inputs, request } of functions) {
          const given: Record<string, ExactValue> = {};
          for (const [name, from] of inputs) given[name] = vector[from];
          for (const name of request) given[name] = row[name] ?? null;
          vector[slot] = compute(given);
          if (detail !== undefined) detail.statuses[slot] = vector[slot] === null ? "null" : "present";
        }
        unknownEntities.push(unknown);
        if (detail !== undefined) {
          detail.statuses.length = detail.eventAt.length = plan.features.length;
          details.push(detail);
        }
        vector.length = plan.features.length;
        return vector;
      });
      return {
        values,
        unknownEntities,
        details,
        newestEventAt: Object.fromEntries(views.map((view) => [view.planned.name, view.online?.newestEventAt ?? null])),
        materializedUntil: Object.fromEntries(
          views.flatMap(({ planned, online }) => (online === null ? [] : [[planned.name, online.until]])),
        ),
        pushedTo: Object.fromEntries(
          views.flatMap(({ planned, online }) => (online?.pushedTo === undefined ? [] : [[planned.name, online.pushedTo]])),
        ),
      };
    },
  };
}

const noDetails = (slots: number): ValueDetails => ({
  statuses: new Array<ValueStatus>(slots).fill("missing"),
  eventAt: new Array<null>(slots).fill(null),
});

interface FoundRecords {
  /** Bytes, or, of an entity with tiles, the record with those that the read needs. */
  readonly records: readonly (Uint8Array | EntityRecord | null)[];
  /** Position of each view's record in `records`, request by request; -1 where a key is null. */
  readonly places: Int32Array;
}

/**
 * One round trip, and another where a view has been written anew since the last read, or was never read; a third for an earlier version.
 * One more for entities with tiles.
 */
async function readRecords(
  online: OnlineStore,
  scope: Scope,
  views: readonly OpenView[],
  rows: readonly Readonly<Record<string, ExactValue>>[],
  at: Micros | readonly Micros[],
): Promise<FoundRecords> {
  let missing = "";
  for (;;) {
    const keys: string[] = views.map(({ key }) => key);
    const versions = views.map(({ version }) => (version === null ? -1 : keys.push(version) - 1));
    const places = new Int32Array(rows.length * views.length).fill(-1);
    rows.forEach((row, index) => {
      views.forEach(({ planned, prefix }, view) => {
        if (prefix === "") return;
        const key = entityKey(
          prefix,
          planned.keys.map((name) => row[name] ?? null),
        );
        if (key !== null) places[index * views.length + view] = keys.push(key) - 1;
      });
    });
    const found = await online.getMany(keys);
    let isCurrent = true;
    for (const [index, view] of views.entries()) {
      const asked = view.version;
      choose(view, scope, found[index] ?? null);
      if (view.version === null) refresh(view, view.bytes);
      else if (view.version === asked) refresh(view, found[versions[index]] ?? null);
      else {
        isCurrent = false;
        continue;
      }
      const { planned, online } = view;
      const prefix = entityPrefix(scope, planned.stored ?? planned.name, online?.generation);
      if (prefix !== view.prefix) isCurrent = false;
      view.prefix = prefix;
    }
    if (!isCurrent) continue;
    const tiled = tiledRecords(views, found, keys, places, at);
    if (tiled.length === 0) return { records: found, places };
    const tiles = await readTiles(online, tiled);
    const lacking = tiled.findIndex((_, index) => tiles[index] === null);
    if (lacking < 0) {
      const records: (Uint8Array | EntityRecord | null)[] = [...found];
      tiled.forEach(({ place, layouts, record }, index) => {
        records[place] = withTiles(layouts, record, tiles[index] ?? new Map());
      });
      return { records, places };
    }
    // The record has been written anew since it was read; what is named twice and not there is lost.
    const names = JSON.stringify([tiled[lacking].key, tiled[lacking].tiles.map(({ id }) => id)]);
    if (names === missing) throw featureErrors.FEATURE_RECORD_CORRUPT("A tile of an entity is named but not there");
    missing = names;
  }
}

/** The records that have tiles, with those of them that a read at its time needs. */
function tiledRecords(
  views: readonly OpenView[],
  found: readonly (Uint8Array | null)[],
  keys: readonly string[],
  places: Int32Array,
  at: Micros | readonly Micros[],
): (TilesOf & { readonly place: number; readonly record: EntityRecord })[] {
  const tiled: (TilesOf & { readonly place: number; readonly record: EntityRecord })[] = [];
  for (let index = 0; index < places.length; index++) {
    const place = places[index];
    const bytes = place < 0 ? null : found[place];
    if (bytes === null || !isTiled(bytes)) continue;
    const { layouts, reading } = views[index % views.length];
    if (reading === null) continue;
    const record = decodeRecord(layouts, bytes);
    const time = typeof at === "number" ? at : at[Math.floor(index / views.length)];
    tiled.push({ key: keys[place], layouts, tiles: tilesToRead(reading, record, time), place, record });
  }
  return tiled;
}

/** Which version of a view is read: looked at whenever the view's entry has changed, which is once per materialization. */
function choose(view: OpenView, scope: Scope, bytes: Uint8Array | null): void {
  const { planned } = view;
  const { name, stored = name } = planned;
  if (bytes === null) throw featureErrors.FEATURE_VIEW_NOT_MATERIALIZED(`Feature view "${name}" has never been materialized`);
  if (view.bytes !== null && Buffer.compare(view.bytes, bytes) === 0) return;
  const current = parseOnlineView(bytes, name);
  const read = versionRead(planned, current);
  if (read === null) {
    const { definitions } = planned;
    const feature = planned.features.find((each) => (definitions?.[each] ?? "") !== current.definitions[each]);
    throw featureErrors.FEATURE_VIEW_CHANGED(`Feature "${name}.${feature}" is not what the model was trained on`);
  }
  view.version = read === "current" ? null : versionKey(scope, stored, read.version);
  view.bytes = bytes;
}

/** Takes up what was materialized of the version since the last read. */
function refresh(view: OpenView, bytes: Uint8Array | null): void {
  const { name, ttl } = view.planned;
  // It is removed together with what the view's entry says of it.
  if (bytes === null) throw featureErrors.FEATURE_RECORD_CORRUPT(`A version of feature view "${name}" is named but not there`);
  if (view.versionBytes !== null && Buffer.compare(view.versionBytes, bytes) === 0) return;
  const online = parseOnlineView(bytes, name);
  // What supersedes a pushed row is in the record too.
  const known = online.pushedTo === undefined ? online.until : Number.POSITIVE_INFINITY;
  view.reading = recordReading(online, view.slots, ttl, known);
  view.layouts = recordLayout(online);
  view.online = online;
  view.versionBytes = bytes;
}

/** Whether the store knows the entity. */
function readView(
  { planned, online, layouts, reading }: OpenView,
  record: Uint8Array | EntityRecord | null,
  at: Micros,
  vector: ExactValue[],
  details: ValueDetails | undefined,
): boolean {
  if (online === null || reading === null) return false;
  if (at < online.until - online.retention) {
    const { until, retention } = online;
    throw featureErrors.FEATURE_READ_TOO_EARLY(
      `Feature view "${planned.name}" can be read from ${formatTimestamp(until - retention)} on, not at ${formatTimestamp(at)}`,
    );
  }
  if (record === null) {
    for (const [slot, value] of reading.absent) vector[slot] = value;
    return false;
  }
  readRecord(reading, record instanceof Uint8Array ? decodeRecord(layouts, record) : record, at, vector, details);
  return true;
}

function withMicros(
  row: Readonly<Record<string, ExactValue>>,
  timestamps: readonly string[],
): Readonly<Record<string, ExactValue>> {
  const text = timestamps.filter((field) => typeof row[field] === "string");
  if (text.length === 0) return row;
  return { ...row, ...Object.fromEntries(text.map((field) => [field, parseTimestamp(String(row[field]))])) };
}
