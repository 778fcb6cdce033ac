import type { OtherColumns, SnapshotPart } from "./snapshot.ts";

/** What parts have that is other than declared: each column once, as the last part that has it says it. */
export function otherColumns(parts: readonly SnapshotPart[]): Pick<SnapshotPart, "schema"> {
  const last = <C extends { readonly column: string }>(of: (schema: OtherColumns) => readonly C[]): C[] => [
    ...new Map(
      parts.flatMap(({ schema }) => (schema === undefined ? [] : of(schema))).map((each) => [each.column, each]),
    ).values(),
  ];
  const schema = { undeclared: last(({ undeclared }) => undeclared), retyped: last(({ retyped }) => retyped) };
  return schema.undeclared.length + schema.retyped.length === 0 ? {} : { schema };
}

/** What is other than declared, with columns of which only the names are known. */
export const withUndeclared = ({ undeclared, retyped }: OtherColumns, names: readonly string[]): OtherColumns => ({
  undeclared: [...undeclared, ...names.map((column) => ({ column, type: null }))],
  retyped,
});
