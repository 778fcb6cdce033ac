import type { ColumnType } from "../definitions/index.ts";
import { nearestName } from "./nearest-name.ts";
import type { Snapshot } from "./snapshot.ts";

/** How the columns of two snapshots differ; empty lists where they do not. */
export interface SchemaDiff {
  readonly added: readonly { readonly column: string; readonly type: ColumnType }[];
  /** `perhaps`: the added column that it may be called now. */
  readonly removed: readonly { readonly column: string; readonly type: ColumnType; readonly perhaps: string | null }[];
  readonly retyped: readonly { readonly column: string; readonly from: ColumnType; readonly to: ColumnType }[];
  /** Shares of null that are allowed, 0 for none. */
  readonly nullability: readonly { readonly column: string; readonly from: number; readonly to: number }[];
}

/** What changed from one snapshot of a source to another, columns in the order in which they stand. */
export function schemaDiff(from: Pick<Snapshot, "columns" | "nullable">, to: Pick<Snapshot, "columns" | "nullable">): SchemaDiff {
  const added = Object.entries(to.columns).flatMap(([column, type]) =>
    Object.hasOwn(from.columns, column) ? [] : [{ column, type }],
  );
  const shared = Object.keys(to.columns).filter((column) => Object.hasOwn(from.columns, column));
  const candidates = (type: ColumnType) => added.filter((each) => each.type === type).map(({ column }) => column);
  return {
    added,
    removed: Object.entries(from.columns).flatMap(([column, type]) =>
      Object.hasOwn(to.columns, column) ? [] : [{ column, type, perhaps: nearestName(column, candidates(type)) }],
    ),
    retyped: shared.flatMap((column) =>
      from.columns[column] === to.columns[column] ? [] : [{ column, from: from.columns[column], to: to.columns[column] }],
    ),
    nullability: shared.flatMap((column) => {
      const [before, now] = [from.nullable?.[column], to.nullable?.[column]];
      return before === undefined || now === undefined || before === now ? [] : [{ column, from: before, to: now }];
    }),
  };
}
