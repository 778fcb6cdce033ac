import { type Duration, durationToMicros, type Micros } from "../time.ts";
import { type AggregateDefinition, type Aggregates, type AggregateTypes, aggregateFeatures } from "./aggregates.ts";
import type { Columns, ColumnType, TypesOf } from "./columns.ts";
import { definitionErrors } from "./errors.ts";
import type { OnDemandDefinition } from "./on-demand.ts";
import type { SourceDefinition } from "./source.ts";

type Types = Readonly<Record<string, ColumnType>>;
type Flat<T> = { [K in keyof T]: T[K] } & {};
type Intersect<U> = (U extends unknown ? (u: U) => void : never) extends (u: infer I) => void ? I : never;
export type Merge<U extends Types> = Flat<Intersect<U>> extends infer M extends Types ? M : {};

/** The thing that features describe, and the columns that name it. */
export interface EntityDefinition<K extends Types = Types> {
  readonly kind: "entity";
  readonly name: string;
  readonly keys: K;
}

export function entity<const C extends Columns>(name: string, keys: C): EntityDefinition<Flat<TypesOf<C>>> {
  const types = Object.fromEntries(Object.entries(keys).map(([key, builder]) => [key, builder.contract.type]));
  return { kind: "entity", name, keys: types as Flat<TypesOf<C>> };
}

/** What a view without an entity describes: everything at once, by one record. */
export const noEntity: EntityDefinition<{}> = { kind: "entity", name: "", keys: {} };

/** A feature that is a SQL scalar expression over the source's row. */
export interface ExpressionDefinition<T extends ColumnType = ColumnType> {
  readonly expression: string;
  readonly type: T;
}

/** `sql("year < 1990", "bool")`: of the latest row, as a column's value would be. The expression gives exactly this type. */
export const sql = <const T extends ColumnType>(expression: string, type: T): ExpressionDefinition<T> => ({ expression, type });

/** One value that a model can take. K are the entity keys and R the request fields it needs. */
export interface FeatureReference<
  N extends string = string,
  T extends ColumnType = ColumnType,
  K extends Types = Types,
  R extends Types = Types,
> {
  readonly name: N;
  readonly type: T;
  /** "view.feature" or "on-demand.feature": unique in a project. */
  readonly id: string;
  readonly keys: K;
  readonly request: R;
  /** Moves with the calendar: its drift is reported apart. */
  readonly seasonal: boolean;
  readonly from: FeatureViewDefinition | OnDemandDefinition;
}

/** Features of one entity from one source, as data. */
export interface FeatureViewDefinition {
  readonly kind: "feature-view";
  readonly name: string;
  /** `noEntity` where the view describes everything at once. */
  readonly entity: EntityDefinition;
  readonly source: SourceDefinition;
  /** Columns whose latest value is the feature. */
  readonly features: readonly string[];
  readonly expressions: Readonly<Record<string, ExpressionDefinition>>;
  readonly aggregates: Readonly<Record<string, AggregateDefinition>>;
  /** A latest value older than this is null. Absent: never too old. */
  readonly ttl?: Micros;
  /** The newest event of its online values may be this old. Absent: nobody minds. */
  readonly freshWithin?: Micros;
  readonly seasonal: readonly string[];
  readonly owner?: string;
  readonly description?: string;
  readonly tags: Readonly<Record<string, string>>;
  /** The view that this is another name of, and the field that holds each of its keys. Values are stored under the other one. */
  readonly alias?: { readonly of: FeatureViewDefinition; readonly fields: Readonly<Record<string, string>> };
}

/** Every feature of a view with its type, in order: columns, expressions, aggregates. */
export function viewFeatures({ source, features, expressions, aggregates }: FeatureViewDefinition): [string, ColumnType][] {
  return [
    // A column that is not declared is an availability or the event's time.
    ...features.map((column): [string, ColumnType] => [column, source.contracts[column]?.type ?? "timestamp"]),
    ...Object.entries(expressions).map(([name, { type }]): [string, ColumnType] => [name, type]),
    ...Object.entries(aggregates).map(([name, { type }]): [string, ColumnType] => [name, type]),
  ];
}

/** The field of a request or of a label row that holds each key of the view, by the key's own name. */
export const keyFields = ({ entity, alias }: FeatureViewDefinition): Record<string, string> =>
  Object.fromEntries(Object.keys(entity.keys).map((key) => [key, alias?.fields[key] ?? key]));

/** The view whose values are stored: itself, unless it is another name of one. */
export const storedView = (view: FeatureViewDefinition): FeatureViewDefinition => view.alias?.of ?? view;

type RenamedKeys<K extends Types, M> =
  Flat<{
    readonly [P in keyof K & string as P extends keyof M ? (M[P] extends string ? M[P] : P) : P]: K[P];
  }> extends infer T extends Types
    ? T
    : {};
type OnlyKeysOf<K, M> = { readonly [P in Exclude<keyof M, keyof K>]: never };

export interface FeatureView<K extends Types, F extends Types> {
  readonly definition: FeatureViewDefinition;
  readonly name: string;
  readonly feature: { readonly [N in keyof F & string]: FeatureReference<N, F[N], K, {}> };
  all(): readonly this["feature"][keyof F & string][];
  pick<const P extends keyof F & string>(...names: P[]): readonly this["feature"][P][];
  omit<const P extends keyof F & string>(...names: P[]): readonly this["feature"][Exclude<keyof F & string, P>][];
  /**
   * The same stored values under another name, asked for by other fields: `weather.as("dest_weather", { airport: "dest" })` beside
   * `weather.as("origin_weather", { airport: "origin" })`. Keys that are not named keep their field.
   * @throws DEFINITION_KEY_UNKNOWN
   */
  as<const M extends { readonly [P in keyof K]?: string }>(
    name: string,
    fields: M & OnlyKeysOf<K, M>,
  ): FeatureView<RenamedKeys<K, M>, F>;
}

type Expressions = Readonly<Record<string, ExpressionDefinition>>;
type FeaturesOf<C extends Types, F extends keyof C, X extends Expressions, A extends Aggregates> = Flat<
  Pick<C, F> & { readonly [N in keyof X]: X[N]["type"] } & AggregateTypes<A>
>;

/** @throws DEFINITION_FEATURE_TWICE, TIME_DURATION_INVALID */
export function featureView<
  C extends K,
  K extends Types = {},
  const F extends keyof C & string = never,
  const X extends Expressions = {},
  const A extends Aggregates = {},
>(
  name: string,
  options: {
    /** Absent: the features describe everything at once, and are asked for without a key. */
    entity?: EntityDefinition<K>;
    source: SourceDefinition<C>;
    features?: readonly F[];
    expressions?: X;
    aggregate?: A;
    ttl?: Duration;
    /** How old the newest event of the online values may be before an alert is raised. */
    freshWithin?: Duration;
    seasonal?: readonly (keyof FeaturesOf<C, NoInfer<F>, NoInfer<X>, NoInfer<A>> & string)[];
    owner?: string;
    description?: string;
    tags?: Readonly<Record<string, string>>;
  },
): FeatureView<K, FeaturesOf<C, F, X, A>> {
  const columns = options.features ?? [];
  const expressions: Expressions = options.expressions ?? {};
  const aggregates = aggregateFeatures(options.aggregate ?? {});
  refuseTwice(name, [...columns, ...Object.keys(expressions), ...aggregates.map(([feature]) => feature)]);
  const view = viewOf({
    kind: "feature-view",
    name,
    entity: options.entity ?? noEntity,
    source: options.source,
    features: columns,
    expressions,
    aggregates: Object.fromEntries(aggregates),
    seasonal: options.seasonal ?? [],
    tags: options.tags ?? {},
    ...(options.ttl === undefined ? {} : { ttl: durationToMicros(options.ttl) }),
    ...(options.freshWithin === undefined ? {} : { freshWithin: durationToMicros(options.freshWithin) }),
    ...(options.owner === undefined ? {} : { owner: options.owner }),
    ...(options.description === undefined ? {} : { description: options.description }),
  });
  // The references carry their types only here: everything below is built from names.
  return view as unknown as FeatureView<K, FeaturesOf<C, F, X, A>>;
}

/** Two of one name would become one where definitions are kept by name. */
function refuseTwice(view: string, names: readonly string[]): void {
  const twice = names.find((each, index) => names.indexOf(each) !== index);
  if (twice !== undefined)
    throw definitionErrors.DEFINITION_FEATURE_TWICE(`Feature view "${view}" has two features named "${twice}"`);
}

function viewOf(definition: FeatureViewDefinition) {
  const { name, entity, seasonal } = definition;
  const keys = Object.fromEntries(Object.entries(keyFields(definition)).map(([key, field]) => [field, entity.keys[key]]));
  const references = viewFeatures(definition).map(
    ([feature, type]): FeatureReference => ({
      name: feature,
      type,
      id: `${name}.${feature}`,
      keys,
      request: {},
      seasonal: seasonal.includes(feature),
      from: definition,
    }),
  );
  const chosen = (keep: (feature: string) => boolean) => references.filter(({ name }) => keep(name));
  return {
    definition,
    name,
    feature: Object.fromEntries(references.map((feature) => [feature.name, feature])),
    all: () => references,
    pick: (...names: string[]) => chosen((feature) => names.includes(feature)),
    omit: (...names: string[]) => chosen((feature) => !names.includes(feature)),
    as: (alias: string, fields: Readonly<Record<string, string>>) => viewOf(aliasOf(definition, alias, fields)),
  };
}

function aliasOf(view: FeatureViewDefinition, name: string, renamed: Readonly<Record<string, string>>): FeatureViewDefinition {
  const fields = { ...keyFields(view), ...renamed };
  const unknown = Object.keys(renamed).find((key) => !(key in view.entity.keys));
  if (unknown !== undefined)
    throw definitionErrors.DEFINITION_KEY_UNKNOWN(`"${unknown}" is no key of feature view "${view.name}"`);
  const names = Object.values(fields);
  const twice = names.find((field, index) => names.indexOf(field) !== index);
  if (twice !== undefined)
    throw definitionErrors.DEFINITION_KEY_UNKNOWN(`"${name}" would read two keys of feature view "${view.name}" from "${twice}"`);
  return { ...view, name, alias: { of: storedView(view), fields } };
}
