import type { ColumnType, SourceDefinition } from "../definitions/index.ts";
import { deliveredType } from "./column-sql.ts";
import { nearestName } from "./nearest-name.ts";

/** How the columns of a delivery differ from those that its source declares. */
export interface DeliveredSchema {
  /** Declared, and not there. `perhaps`: the undeclared column that it may be called now. */
  readonly missing: readonly { readonly column: string; readonly type: ColumnType; readonly perhaps: string | null }[];
  /** There, and not declared. Texts of CSV and JSON may be of any type; null then. */
  readonly undeclared: readonly { readonly column: string; readonly type: ColumnType | null }[];
  /** Of another type than the declared one; their values are read where they can be. */
  readonly retyped: readonly { readonly column: string; readonly declared: ColumnType; readonly delivered: ColumnType }[];
}

/**
 * What a delivery has instead of what was declared. A missing column may have been renamed to an undeclared one whose name is near, or
 * which stands in its place with its type, or which is the only one that it can be.
 * @param types DuckDB's type of each column that is there, in their order; "VARCHAR" for texts whose type is not said
 * @param saysTypes whether the format says types at all
 */
export function deliveredSchema(
  { contracts }: Pick<SourceDefinition, "contracts">,
  types: ReadonlyMap<string, string>,
  saysTypes: boolean,
): DeliveredSchema {
  const typeOf = (column: string) => (saysTypes ? deliveredType(types.get(column) ?? "") : null);
  const undeclared = [...types.keys()]
    .filter((column) => !Object.hasOwn(contracts, column))
    .map((column) => ({ column, type: typeOf(column) }));
  const absent = Object.entries(contracts).filter(([column]) => !types.has(column));
  const order = [...types.keys()];
  const places = Object.keys(contracts);
  const missing = absent.map(([column, { type }]) => {
    const fitting = undeclared.filter((each) => each.type === null || isLike(each.type, type)).map((each) => each.column);
    const there = order[places.indexOf(column)];
    const inPlace = fitting.includes(there) ? there : null;
    const only = absent.length === 1 && fitting.length === 1 ? fitting[0] : null;
    return { column, type, perhaps: nearestName(column, fitting) ?? (order.length === places.length ? inPlace : null) ?? only };
  });
  const retyped = Object.entries(contracts).flatMap(([column, { type }]) => {
    const delivered = types.has(column) ? typeOf(column) : null;
    return delivered === null || isLike(delivered, type) ? [] : [{ column, declared: type, delivered }];
  });
  return { missing, undeclared, retyped };
}

const NUMBERS: readonly ColumnType[] = ["int32", "int64", "float64"];
/** A whole number is often delivered in a wider type; whether its values fit is judged row by row. */
const isLike = (delivered: ColumnType, declared: ColumnType): boolean =>
  delivered === declared || (NUMBERS.includes(delivered) && NUMBERS.includes(declared));

/** Says what is other than declared, for people: one line for each column. Empty where nothing is. */
export function schemaLines({
  undeclared,
  retyped,
}: {
  readonly undeclared: readonly { readonly column: string; readonly type: string | null }[];
  readonly retyped: readonly { readonly column: string; readonly declared: string; readonly delivered: string }[];
}): string[] {
  return [
    ...undeclared.map(({ column, type }) => `+ ${column}${type === null ? "" : `: ${type}`} (not declared)`),
    ...retyped.map(({ column, declared, delivered }) => `~ ${column}: ${declared} is declared, ${delivered} is delivered`),
  ];
}

/** What to write in the project file so that it says what is delivered. */
export function schemaAdvice({ missing, undeclared, retyped }: DeliveredSchema): string {
  const renamed = new Set(missing.flatMap(({ perhaps }) => perhaps ?? []));
  const advice = [
    ...missing.map(({ column, type, perhaps }) =>
      perhaps === null
        ? `take out "${column}", or have it delivered again`
        : `write "${perhaps}: ${type}()" for "${column}" if it was renamed`,
    ),
    ...undeclared
      .filter(({ column }) => !renamed.has(column))
      .map(({ column, type }) => `write "${column}: ${type ?? "string"}()" to take in "${column}"`),
    ...retyped.map(({ column, delivered }) => `write "${column}: ${delivered}()" if its type is another now`),
  ];
  return `In the source's columns: ${advice.join("; ")}.`;
}
