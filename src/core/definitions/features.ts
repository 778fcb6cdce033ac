import { type Duration, durationToMicros, type Micros } from "../time.ts";
import type { ColumnBuilder, Columns, ColumnType, TypesOf, ValueOf } from "./columns.ts";
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

export type AggregateFunction = "count" | "sum" | "mean" | "min" | "max" | "std";

/** One number over a window (t - window, t] of event time, of the rows available by t. */
export interface AggregateDefinition<T extends ColumnType = ColumnType> {
  readonly type: T;
  readonly fn: AggregateFunction;
  /** SQL scalar expression over the source's columns; booleans count as 0 and 1. `null` for count of rows. */
  readonly expression: string | null;
  readonly window: Micros;
}

const aggregate =
  (fn: AggregateFunction) =>
  (expression: string): { over(window: Duration): AggregateDefinition<"float64"> } => ({
    over: (window) => ({ type: "float64", fn, expression, window: durationToMicros(window) }),
  });

export const mean = aggregate("mean");
export const sum = aggregate("sum");
export const min = aggregate("min");
export const max = aggregate("max");
/** Sample standard deviation (n - 1); null with fewer than two values. */
export const std = aggregate("std");
/** Rows in the window, or rows where the expression is true. 0 where there are none. */
export const count = (expression: string | null = null): { over(window: Duration): AggregateDefinition<"int64"> } => ({
  over: (window) => ({ type: "int64", fn: "count", expression, window: durationToMicros(window) }),
});

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
  readonly entity: EntityDefinition;
  readonly source: SourceDefinition;
  /** Columns whose latest value is the feature. */
  readonly features: readonly string[];
  readonly aggregates: Readonly<Record<string, AggregateDefinition>>;
  /** A latest value older than this is null. Absent: never too old. */
  readonly ttl?: Micros;
  readonly seasonal: readonly string[];
  readonly owner?: string;
  readonly description?: string;
}

export interface FeatureView<K extends Types, F extends Types> {
  readonly definition: FeatureViewDefinition;
  readonly name: string;
  readonly feature: { readonly [N in keyof F & string]: FeatureReference<N, F[N], K, {}> };
  all(): readonly this["feature"][keyof F & string][];
  pick<const P extends keyof F & string>(...names: P[]): readonly this["feature"][P][];
  omit<const P extends keyof F & string>(...names: P[]): readonly this["feature"][Exclude<keyof F & string, P>][];
}

export function featureView<
  K extends Types,
  C extends K,
  const F extends keyof C & string = never,
  A extends Record<string, AggregateDefinition> = {},
>(
  name: string,
  options: {
    entity: EntityDefinition<K>;
    source: SourceDefinition<C>;
    features?: readonly F[];
    aggregate?: A;
    ttl?: Duration;
    seasonal?: readonly (F | (keyof A & string))[];
    owner?: string;
    description?: string;
  },
): FeatureView<K, Flat<Pick<C, F> & { readonly [N in keyof A]: A[N]["type"] }>> {
  type Features = Flat<Pick<C, F> & { readonly [N in keyof A]: A[N]["type"] }>;
  const aggregates: Record<string, AggregateDefinition> = options.aggregate ?? {};
  const columns = options.features ?? [];
  const definition: FeatureViewDefinition = {
    kind: "feature-view",
    name,
    entity: options.entity,
    source: options.source,
    features: columns,
    aggregates,
    seasonal: options.seasonal ?? [],
    ...(options.ttl === undefined ? {} : { ttl: durationToMicros(options.ttl) }),
    ...(options.owner === undefined ? {} : { owner: options.owner }),
    ...(options.description === undefined ? {} : { description: options.description }),
  };
  const reference = (feature: string, type: ColumnType): FeatureReference => ({
    name: feature,
    type,
    id: `${name}.${feature}`,
    keys: options.entity.keys,
    request: {},
    seasonal: definition.seasonal.includes(feature),
    from: definition,
  });
  const references = [
    ...columns.map((column) => reference(column, options.source.contracts[column]?.type ?? "timestamp")),
    ...Object.entries(aggregates).map(([feature, { type }]) => reference(feature, type)),
  ];
  const chosen = (keep: (feature: string) => boolean) => references.filter(({ name }) => keep(name));
  const view = {
    definition,
    name,
    feature: Object.fromEntries(references.map((feature) => [feature.name, feature])),
    all: () => references,
    pick: (...names: string[]) => chosen((feature) => names.includes(feature)),
    omit: (...names: string[]) => chosen((feature) => !names.includes(feature)),
  };
  // The references carry their types only here: everything above is built from names.
  return view as unknown as FeatureView<K, Features>;
}

/** A value as an on-demand function gives it back. */
export type OnDemandValue = string | number | boolean | Date | null;

/** A function of features and request fields, run by the same code offline and online. */
export interface OnDemandDefinition {
  readonly kind: "on-demand";
  readonly name: string;
  readonly inputs: readonly FeatureReference[];
  readonly request: Types;
  readonly returns: ColumnType;
  readonly seasonal: boolean;
  /** Pure, and free of names from outside its own body: its source text travels with the model. */
  readonly compute: (row: Readonly<Record<string, OnDemandValue>>) => OnDemandValue;
}

type Inputs<I extends readonly FeatureReference[]> = { [F in I[number] as F["name"]]: ValueOf[F["type"]] | null };

export function onDemand<
  const N extends string,
  const I extends readonly FeatureReference[],
  const R extends Columns,
  O extends ColumnType,
>(
  name: N,
  options: {
    inputs: I;
    request: R;
    returns: O;
    seasonal?: boolean;
    compute(row: Flat<Inputs<I> & { [K in keyof R]: ValueOf[R[K]["contract"]["type"]] }>): ValueOf[O] | null;
  },
): FeatureReference<N, O, Merge<I[number]["keys"]>, Merge<I[number]["request"] | TypesOf<R>>> {
  const types = (columns: Columns) =>
    Object.fromEntries(Object.entries(columns).map(([field, { contract }]) => [field, contract.type]));
  const request: Types = Object.assign({}, ...options.inputs.map((input) => input.request), types(options.request));
  const keys: Types = Object.assign({}, ...options.inputs.map((input) => input.keys));
  const definition: OnDemandDefinition = {
    kind: "on-demand",
    name,
    inputs: options.inputs,
    request,
    returns: options.returns,
    seasonal: options.seasonal ?? false,
    compute: options.compute as OnDemandDefinition["compute"],
  };
  return {
    name,
    type: options.returns,
    id: `on-demand.${name}`,
    keys: keys as Merge<I[number]["keys"]>,
    request: request as Merge<I[number]["request"] | TypesOf<R>>,
    seasonal: definition.seasonal,
    from: definition,
  };
}

/** A request field taken as a feature as it is; `seasonal` where it moves with the calendar. */
export function requestField<const N extends string, T extends ColumnType>(
  name: N,
  type: ColumnBuilder<T>,
  { seasonal = false }: { seasonal?: boolean } = {},
): FeatureReference<N, T, {}, { readonly [K in N]: T }> {
  const request = { [name]: type.contract.type } as { readonly [K in N]: T };
  // The field's name must stand in the function's own text, since that text is what travels with the model.
  const compute: OnDemandDefinition["compute"] = new Function(
    "row",
    `return row[${JSON.stringify(name)}] ?? null;`,
  ) as OnDemandDefinition["compute"];
  const from: OnDemandDefinition = {
    kind: "on-demand",
    name,
    inputs: [],
    request,
    returns: type.contract.type,
    seasonal,
    compute,
  };
  return { name, type: type.contract.type, id: `on-demand.${name}`, keys: {}, request, seasonal, from };
}
