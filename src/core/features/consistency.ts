import { quoteIdentifier, quoteLiteral } from "../data/index.ts";
import { type ColumnType, type FeatureReference, keyFields, type SourceDefinition } from "../definitions/index.ts";
import { formatTimestamp, type Micros, parseTimestamp } from "../time.ts";
import { compileFeaturePlan } from "./compile-plan.ts";
import { type FeatureDeps, historicalFeatures, type SnapshotMap } from "./historical-features.ts";
import type { ColumnTypes, ExactValue } from "./plan.ts";
import { valueAt } from "./view-rows.ts";

/** Feature values as somebody got them. */
export interface FeatureSample {
  /** As of when. */
  readonly at: Micros;
  /** Entity keys and request fields, by name; timestamps are Micros or ISO text. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** By feature id; a feature that is not among them is not compared. */
  readonly values: Readonly<Record<string, ExactValue>>;
  /** Up to when the online values of each view had been made; null where nobody wrote it down. */
  readonly materialized: Readonly<Record<string, Micros>> | null;
  /** Id of the prediction that was made of them; null for a read of the online store. */
  readonly prediction: string | null;
}

/** One value that is not what it should be; without values of personal columns. */
export interface ConsistencyExample {
  readonly at: Micros;
  /** The feature's keys and request fields, as text. */
  readonly fields: Readonly<Record<string, string>>;
  readonly prediction: string | null;
  /** As text, null where it is null or made of a personal column. */
  readonly got: string | null;
  readonly expected: string | null;
}

/** How the values of one feature compare with what the point-in-time join gives; JSON. */
export interface FeatureConsistency {
  readonly feature: string;
  readonly compared: number;
  /** Values that are neither right as of their time nor right for what had been materialized by then. */
  readonly mismatched: number;
  /** Values that were right for what had been materialized, when newer rows could have been known. */
  readonly stale: number;
  readonly examples: readonly ConsistencyExample[];
}

export interface ConsistencyInput {
  readonly features: readonly FeatureReference[];
  readonly snapshots: SnapshotMap;
  readonly samples: readonly FeatureSample[];
  /** What the snapshots are read as of; later samples are not compared. */
  readonly asOf: Micros;
  /** Mismatches that are shown of each feature; 5 unless given. */
  readonly examples?: number;
}

/**
 * Compares feature values with the offline values as of the same moments, by value: numbers to the last bit, null with null only. What
 * differs is compared once more with what could be known when the online values were made; what is right then is stale, anything else a
 * mismatch.
 * @throws what historicalFeatures throws
 */
export async function compareWithOffline(deps: FeatureDeps, input: ConsistencyInput): Promise<FeatureConsistency[]> {
  const { features, snapshots, asOf, examples = 5 } = input;
  const samples = input.samples.filter(({ at }) => at <= asOf);
  if (features.length === 0 || samples.length === 0) return [];
  const all = samples.map((_, index) => index);
  const found = await differences(deps, { features, snapshots, asOf }, samples, all);

  const stale = new Map<string, Set<number>>();
  for (const group of byMaterialization(features, samples, found)) {
    const asked = features.filter(({ id }) => group.features.has(id));
    const places = [...group.samples];
    const still = await differences(deps, { features: asked, snapshots, asOf, knownBy: group.until }, samples, places);
    for (const { id } of asked) {
      const explained = group.pairs.get(id) ?? [];
      const known = stale.get(id) ?? new Set();
      stale.set(id, known);
      for (const sample of explained) if (!still.get(id)?.has(sample)) known.add(sample);
    }
  }
  return features.map((feature): FeatureConsistency => {
    const different = found.get(feature.id) ?? new Map<number, ExactValue>();
    const explained = stale.get(feature.id) ?? new Set();
    const wrong = [...different].filter(([sample]) => !explained.has(sample));
    return {
      feature: feature.id,
      compared: samples.filter(({ values }) => Object.hasOwn(values, feature.id)).length,
      mismatched: wrong.length,
      stale: explained.size,
      examples: wrong.slice(0, examples).map(([sample, expected]) => exampleOf(feature, samples[sample], expected)),
    };
  });
}

interface OfflineInput {
  readonly features: readonly FeatureReference[];
  readonly snapshots: SnapshotMap;
  readonly asOf: Micros;
  readonly knownBy?: Micros;
}

/** By feature id, which of the samples differ, each with the value that it should have. */
async function differences(
  deps: FeatureDeps,
  input: OfflineInput,
  samples: readonly FeatureSample[],
  places: readonly number[],
): Promise<Map<string, Map<number, ExactValue>>> {
  const { keys, request } = compileFeaturePlan({ name: "consistency", features: input.features });
  const asked = places.map((place) => samples[place]);
  const { columns } = await historicalFeatures(deps, { ...input, entityRows: entityRows({ ...keys, ...request }, asked) });
  return new Map(
    input.features.map(({ id }) => {
      const column = columns.get(id);
      const different = places.flatMap((place, row): [number, ExactValue][] => {
        const { values, prediction } = samples[place];
        if (column === undefined || !Object.hasOwn(values, id)) return [];
        const expected = valueAt(column, row);
        const logged = prediction === null ? expected : asLogged(expected);
        return Object.is(values[id], logged) || values[id] === logged ? [] : [[place, expected]];
      });
      return [id, new Map(different)] as const;
    }),
  );
}

/** A value as the prediction log has it: models take doubles, and JSON knows no infinity. */
function asLogged(value: ExactValue): ExactValue {
  const number = typeof value === "bigint" ? Number(value) : value;
  return typeof number === "number" && !Number.isFinite(number) ? null : number;
}

interface MaterializationGroup {
  readonly until: Micros;
  readonly features: Set<string>;
  readonly samples: Set<number>;
  readonly pairs: Map<string, number[]>;
}

/** What differs, by the time up to which the values behind it had been materialized. */
function byMaterialization(
  features: readonly FeatureReference[],
  samples: readonly FeatureSample[],
  found: ReadonlyMap<string, ReadonlyMap<number, ExactValue>>,
): MaterializationGroup[] {
  const groups = new Map<Micros, MaterializationGroup>();
  for (const feature of features) {
    const views = viewsBehind(feature);
    for (const sample of found.get(feature.id)?.keys() ?? []) {
      const { materialized, at } = samples[sample];
      const times = views.flatMap((view) => materialized?.[view] ?? []);
      // Views of one refresh have one time; an older one has nothing newer to show.
      const until = Math.max(...times);
      if (times.length === 0 || until >= at) continue;
      const group = groups.get(until) ?? { until, features: new Set(), samples: new Set(), pairs: new Map() };
      groups.set(until, group);
      group.features.add(feature.id);
      group.samples.add(sample);
      group.pairs.set(feature.id, [...(group.pairs.get(feature.id) ?? []), sample]);
    }
  }
  return [...groups.values()];
}

const viewsBehind = ({ from }: FeatureReference): string[] =>
  from.kind === "feature-view" ? [from.name] : from.inputs.flatMap(viewsBehind);

const JSON_TYPES: Readonly<Record<ColumnType, string>> = {
  string: "VARCHAR",
  int32: "INTEGER",
  int64: "BIGINT",
  float64: "DOUBLE",
  bool: "BOOLEAN",
  timestamp: "BIGINT",
};

/** A SELECT with one row for each sample, in their order: the fields and "at". */
function entityRows(types: ColumnTypes, samples: readonly FeatureSample[]): string {
  const fields = Object.entries(types);
  const rows = samples.map(({ at, fields: given }) => [
    at,
    ...fields.map(([name, type]) => fieldValue(given[name] ?? null, type)),
  ]);
  // An object a row: positions as names, because fields may be called anything.
  const json = JSON.stringify(rows.map((row) => Object.fromEntries(row.map((value, index) => [`f${index}`, value]))));
  const shape = JSON.stringify([
    Object.fromEntries(["timestamp" as const, ...fields.map(([, type]) => type)].map((type, i) => [`f${i}`, JSON_TYPES[type]])),
  ]);
  const columns = [
    `make_timestamp(row.f0) AS "at"`,
    ...fields.map(([name, type], index) => {
      const value = `row.f${index + 1}`;
      return `${type === "timestamp" ? `make_timestamp(${value})` : value} AS ${quoteIdentifier(name)}`;
    }),
  ];
  return `SELECT ${columns.join(", ")} FROM (SELECT unnest(from_json(${quoteLiteral(json)}, ${quoteLiteral(shape)})) AS row)`;
}

function fieldValue(value: unknown, type: ColumnType): unknown {
  if (type === "timestamp" && typeof value === "string") return parseTimestamp(value);
  return typeof value === "bigint" ? String(value) : value;
}

function exampleOf(feature: FeatureReference, sample: FeatureSample, expected: ExactValue): ConsistencyExample {
  const personal = personalNames(feature);
  const fields = Object.keys({ ...feature.keys, ...feature.request }).filter((name) => !personal.fields.has(name));
  const text = (value: ExactValue) => (personal.isValue || value === null ? null : textOf(value, feature.type));
  return {
    at: sample.at,
    fields: Object.fromEntries(fields.map((name) => [name, String(sample.fields[name] ?? null)])),
    prediction: sample.prediction,
    got: text(sample.values[feature.id] ?? null),
    expected: text(expected),
  };
}

const textOf = (value: ExactValue, type: ColumnType) =>
  type === "timestamp" && typeof value === "number" ? formatTimestamp(value) : String(value);

/** Which fields of a feature hold personal data, and whether its value is made of some. */
function personalNames({ from, name }: FeatureReference): { fields: ReadonlySet<string>; isValue: boolean } {
  if (from.kind === "on-demand") {
    const inputs = from.inputs.map(personalNames);
    return { fields: new Set(inputs.flatMap(({ fields }) => [...fields])), isValue: inputs.some(({ isValue }) => isValue) };
  }
  const isPersonal = (column: string) => from.source.contracts[column]?.personal === true;
  const fields = Object.entries(keyFields(from)).flatMap(([key, field]) => (isPersonal(key) ? [field] : []));
  const expression = from.expressions[name]?.expression ?? from.aggregates[name]?.expression ?? null;
  return { fields: new Set(fields), isValue: expression === null ? isPersonal(name) : mentionsPersonal(from.source, expression) };
}

const mentionsPersonal = ({ contracts }: SourceDefinition, expression: string): boolean =>
  Object.entries(contracts).some(([column, { personal }]) => personal === true && expression.includes(column));
