import type { ColumnBuilder, Columns, ColumnType, TypesOf, ValueOf } from "./columns.ts";
import { definitionErrors } from "./errors.ts";
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

/**
 * Definitions are plain data: one that was changed after it was made can lead back to itself.
 * @throws DEFINITION_FEATURE_CYCLE, with the way that leads back
 */
export function refuseOnDemandCycles(features: readonly FeatureReference[]): void {
  const sound = new Set<FeatureReference["from"]>();
  const visit = ({ id, from }: FeatureReference, trail: ReadonlyMap<FeatureReference["from"], string>): void => {
    if (from.kind === "feature-view" || sound.has(from)) return;
    const way = [...trail.values(), id];
    if (trail.has(from))
      throw definitionErrors.DEFINITION_FEATURE_CYCLE(`On-demand features are made of one another: ${way.join(" reads ")}`);
    for (const input of from.inputs) visit(input, new Map([...trail, [from, id]]));
    sound.add(from);
  };
  for (const feature of features) visit(feature, new Map());
}
