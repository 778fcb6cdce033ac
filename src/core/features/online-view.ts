import { createHash } from "node:crypto";
import type { ColumnType, FeatureViewDefinition } from "../definitions/index.ts";
import type { Scope } from "../scope.ts";
import type { Micros } from "../time.ts";
import type { AvailabilityClass, CompiledView } from "./compile-view.ts";
import type { ExactValue } from "./plan.ts";

/** How a view stands in the online store: written when the entities' records are. JSON. */
export interface OnlineView {
  readonly formatVersion: 2;
  readonly view: string;
  /** Names the records that are read: writing all of them anew makes others beside them, and this entry turns to those at once. */
  readonly generation: string;
  /** Whether records of earlier generations may still be there. */
  readonly leftovers: boolean;
  /** Sha256 of everything the records depend on; another one means that the view has to be written anew. */
  readonly fingerprint: string;
  readonly keys: readonly string[];
  readonly keyTypes: Readonly<Record<string, ColumnType>>;
  /** Hash of each feature's definition: a model that was trained on another one must not be served from here. */
  readonly definitions: Readonly<Record<string, string>>;
  readonly classes: readonly AvailabilityClass[];
  /** Whether records say until when rows are true: only where some have later versions. */
  readonly versions: boolean;
  /** Rows visible by then are in. Reads are exact from `until - retention` on. */
  readonly until: Micros;
  readonly retention: Micros;
  /** Content of the snapshot that was read, and its parts. */
  readonly contentHash: string;
  readonly parts: readonly string[];
  /** Longest time from any row's event to the moment it is visible: how far back an increment has to look. */
  readonly lateness: Micros;
  readonly newestEventAt: Micros | null;
  /**
   * Of a source whose rows are pushed: the place in the log up to which its rows are in. All of them are, whenever they become visible;
   * `until` only says from when on reads are exact.
   */
  readonly pushedTo?: number;
  /** When this version of the view was first whole; absent in entries of before there were versions. */
  readonly since?: Micros;
  /** In the entry of the current version: the others that can be read. */
  readonly earlier?: readonly EarlierVersion[];
  /** In the entry of an earlier version: since when nothing that is deployed reads it. */
  readonly unusedSince?: Micros;
  /** In the entry of an earlier version: why it can not be brought further any more. It stays readable. */
  readonly halted?: string;
}

/** A version of a view that is not the current one: what a model that was trained on it finds it by. */
export interface EarlierVersion {
  readonly version: string;
  /** Hash of each feature's definition. */
  readonly definitions: Readonly<Record<string, string>>;
}

/** Online reads are exact this long before the last materialization, so that requests under way during one are too. */
export const ONLINE_RETENTION: Micros = 2 * 3_600_000_000;

const MAX_KEY_LENGTH = 600;

/** Key of a view's own entry. */
export const viewKey = (scope: Scope, view: string): string => JSON.stringify([scope.workspace, scope.project, view]);

/** Key of how far the writing of a generation has come: of the current version, or of an earlier one. */
export const progressKey = (scope: Scope, view: string, version?: string): string =>
  `${viewKey(scope, view)}:progress${version === undefined ? "" : `:${version}`}`;

/** Key of an earlier version's entry. */
export const versionKey = (scope: Scope, view: string, version: string): string => `${viewKey(scope, view)}:version:${version}`;

/** Key of what a version was defined by. */
export const definitionKey = (scope: Scope, view: string, version: string): string =>
  `${viewKey(scope, view)}:definition:${version}`;

/** All keys of a view's entities start with this, those of one generation with that; no other key does. */
export const entityPrefix = (scope: Scope, view: string, generation?: string): string => {
  const all = `${viewKey(scope, view).slice(0, -1)},`;
  return generation === undefined ? all : `${all}${JSON.stringify(generation)},`;
};

/** Key of an entity's record, from its key values in the order of the view's keys. Null where one of them is null. */
export function entityKey(prefix: string, values: readonly ExactValue[]): string | null {
  if (values.includes(null)) return null;
  const text = `[${values.map((value) => (typeof value === "bigint" ? String(value) : JSON.stringify(value))).join(",")}]`;
  // Stores limit the length of keys (LMDB: 1978 bytes).
  return prefix + (text.length > MAX_KEY_LENGTH ? `#${createHash("sha256").update(text).digest("hex")}` : text);
}

/** Hash of what a feature's values depend on, ttl apart (the model's plan brings its own). */
export function featureDefinition(view: FeatureViewDefinition, feature: string): string {
  const { source, entity, aggregates, expressions } = view;
  const { eventTime = null, availability, name } = source;
  const content = {
    source: name,
    keys: entity.keys,
    eventTime,
    availability,
    feature,
    aggregate: Object.hasOwn(aggregates, feature) ? aggregates[feature] : null,
    // A column's hash stays what it was before there were expressions.
    ...(Object.hasOwn(expressions, feature) ? { expression: expressions[feature] } : {}),
  };
  return createHash("sha256").update(JSON.stringify(content)).digest("hex").slice(0, 16);
}

export function fingerprintOf(view: CompiledView): string {
  const { name, source, keys, keyTypes, eventTime, ttl, classes } = view;
  const content = { version: 2, name, source: source.name, key: source.key, keys, keyTypes, eventTime, ttl, classes };
  return createHash("sha256").update(JSON.stringify(content)).digest("hex");
}
