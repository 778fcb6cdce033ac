import type { ColumnContract, ColumnType } from "./columns.ts";
import { definitionErrors } from "./errors.ts";
import type { FeatureReference, Merge } from "./features.ts";
import { refuseUnknownFeatures } from "./known-features.ts";
import type { SourceDefinition } from "./source.ts";

type Types = Readonly<Record<string, ColumnType>>;
type Flat<T> = { [K in keyof T]: T[K] } & {};

/** When the features of a row of a joined source are known: with the row's event, which they are as of. */
export const JOINED_AT = "joined_at";

/** A source's columns and the features' own, by name. */
type JoinedColumns<C extends Types, F extends readonly FeatureReference[]> =
  Flat<C & { readonly [X in F[number] as X["name"]]: X["type"] } & { readonly [JOINED_AT]: "timestamp" }> extends infer J extends
    Types
    ? J
    : {};
/** Keys and request fields of the features, which the base has as columns. */
type Asked<F extends readonly FeatureReference[]> = Merge<F[number]["keys" | "request"]>;

/**
 * `source.joined("flights_with_plane", { base: flights, features: [planeInfo.feature.year] })`: the base's rows with other views' features
 * as of each row's event, for views over views. The features are columns of their own names, known from the event on.
 * @throws DEFINITION_VALUE_INVALID where the base has no event time or no column that a feature is asked by, or a feature is unknown;
 *   DEFINITION_FEATURE_TWICE
 */
export function joinedSource<const F extends readonly FeatureReference[], C extends Asked<NoInfer<F>>>(
  name: string,
  { base, features }: { base: SourceDefinition<C>; features: F },
): SourceDefinition<JoinedColumns<C, F>> {
  const { key, eventTime, availability, deleted } = base;
  if (eventTime === undefined)
    throw definitionErrors.DEFINITION_VALUE_INVALID(
      `Source "${name}" joins features as of the events of "${base.name}", which has no eventTime`,
      {
        hint: "Give the base an eventTime.",
      },
    );
  refuseUnknownFeatures(`Source "${name}"`, features);
  const before = base.origin.kind === "joined" ? (base.availability.groups[JOINED_AT]?.columns ?? []) : [];
  const added = features.map((feature) => feature.name);
  // A base that is joined itself has the time already, and it is the same.
  const names = [
    ...Object.keys(base.contracts).filter((column) => before.length === 0 || column !== JOINED_AT),
    JOINED_AT,
    ...added,
  ];
  const lower = names.map((each) => each.toLowerCase());
  const twice = names.find((_, index) => lower.indexOf(lower[index]) !== index);
  if (twice !== undefined)
    throw definitionErrors.DEFINITION_FEATURE_TWICE(`Source "${name}" would have two columns named "${twice}"`, {
      hint: `A joined source has its base's columns, ${JOINED_AT} and the features by their names: rename one.`,
    });
  for (const feature of features)
    for (const [field, type] of Object.entries({ ...feature.keys, ...feature.request }))
      if (base.contracts[field]?.type !== type)
        throw definitionErrors.DEFINITION_VALUE_INVALID(
          `${feature.id} is asked by "${field}" (${type}), which is ${base.contracts[field]?.type ?? "absent"} in source "${base.name}"`,
        );
  const column = (type: ColumnType): ColumnContract => ({ type, nullable: { atMost: 1 }, severity: "quarantine" });
  return {
    kind: "source",
    name,
    origin: { kind: "joined", base, features },
    key,
    eventTime,
    availability: {
      ...availability,
      groups: { ...availability.groups, [JOINED_AT]: { columns: [...before, ...added], at: JOINED_AT } },
    },
    ...(deleted === undefined ? {} : { deleted }),
    contracts: {
      ...base.contracts,
      [JOINED_AT]: column("timestamp"),
      ...Object.fromEntries(features.map((feature) => [feature.name, column(feature.type)])),
    },
  };
}
