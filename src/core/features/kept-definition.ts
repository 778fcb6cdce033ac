import type { ColumnType, FeatureViewDefinition, SourceDefinition } from "../definitions/index.ts";
import { featureErrors } from "./errors.ts";
import { readEntry } from "./online-entry.ts";

/** What a version of a view was defined by, without where its rows come from: that is the project's. JSON. */
interface KeptDefinition {
  readonly formatVersion: 1;
  readonly view: Pick<FeatureViewDefinition, "name" | "entity" | "features" | "expressions" | "aggregates" | "ttl" | "seasonal">;
  readonly source: Pick<SourceDefinition, "name" | "eventTime" | "availability"> & {
    readonly columns: Readonly<Record<string, ColumnType>>;
  };
}

const FORMAT_VERSION = 1;

export function keepDefinition(definition: FeatureViewDefinition): Uint8Array {
  const { name, entity, features, expressions, aggregates, ttl, seasonal, source } = definition;
  const { eventTime, availability, contracts } = source;
  const kept: KeptDefinition = {
    formatVersion: FORMAT_VERSION,
    view: { name, entity, features, expressions, aggregates, seasonal, ...(ttl === undefined ? {} : { ttl }) },
    source: {
      name: source.name,
      availability,
      columns: Object.fromEntries(Object.entries(contracts).map(([column, { type }]) => [column, type])),
      ...(eventTime === undefined ? {} : { eventTime }),
    },
  };
  return Buffer.from(JSON.stringify(kept));
}

/**
 * A view as it was defined, over its source as it is now: what a row is (key, deletions) is today's, when it happened and could be known
 * is the version's.
 * @param columns that the source has now
 * @throws FEATURE_COLUMN_UNKNOWN where a column that rows are found by is not there any more; FEATURE_RECORD_CORRUPT. That others are
 * missing is found by compiling it
 */
export function keptDefinition(
  bytes: Uint8Array,
  view: string,
  now: SourceDefinition,
  columns: Readonly<Record<string, ColumnType>>,
): FeatureViewDefinition {
  const kept = readKept(bytes, view);
  const { name, eventTime, availability } = kept.source;
  const there = Object.entries(kept.source.columns).filter(([column, type]) => columns[column] === type);
  const has = new Set(there.map(([column]) => column));
  const times = Object.values(availability.groups).map(({ at }) => at);
  const needed = [eventTime, availability.default, ...times, ...now.key, now.deleted];
  const missing = needed.find((column) => column !== undefined && !has.has(column));
  if (missing !== undefined)
    throw featureErrors.FEATURE_COLUMN_UNKNOWN(`Source "${name}" does not have the column "${missing}" as it was`);
  const { eventTime: _, ...source } = now;
  return {
    ...kept.view,
    kind: "feature-view",
    tags: {},
    source: {
      ...source,
      availability,
      ...(eventTime === undefined ? {} : { eventTime }),
      contracts: Object.fromEntries(there.map(([column, type]) => [column, { type, nullable: { atMost: 1 }, severity: "warn" }])),
    },
  };
}

/** Name of the source that a kept definition is over. @throws FEATURE_RECORD_CORRUPT */
export const keptSource = (bytes: Uint8Array, view: string): string => readKept(bytes, view).source.name;

function readKept(bytes: Uint8Array, view: string): KeptDefinition {
  const kept = readEntry(bytes, view) as KeptDefinition;
  if (kept.formatVersion === FORMAT_VERSION) return kept;
  throw featureErrors.FEATURE_RECORD_CORRUPT(`A definition of feature view "${view}" was kept by another version of Orrery`);
}
