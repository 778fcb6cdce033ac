import type { ColumnBuilder, Columns, ColumnType, TypesOf, ValueOf } from "./columns.ts";
import type { FeatureReference, Merge } from "./features.ts";

type Types = Readonly<Record<string, ColumnType>>;
type Flat<T> = { [K in keyof T]: T[K] } & {};

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
