import type { CategoricalColumn, RowSelection } from "../../training/index.ts";
import { explainErrors } from "../errors.ts";

/** Rows by their values in one protected column, or in several together. */
export interface ProtectedGroups {
  /** Ids of the columns. */
  readonly columns: readonly string[];
  /** By group: its value in each column; `null` where it is missing, which is a group like any other. */
  readonly values: readonly (readonly (string | null)[])[];
  /** Of each row, the index of its group. */
  readonly group: Int32Array;
}

/** Combinations up to this many are counted in a table, more in a map. */
const TABLE_SIZE = 1 << 20;

/**
 * The groups that occur among the rows, in the order of the columns' categories, missing first.
 * @param rows of the columns; absent: all
 * @throws EXPLAIN_GROUPS_INVALID without a column, or where columns differ in length
 */
export function protectedGroups(columns: readonly CategoricalColumn[], rows?: RowSelection): ProtectedGroups {
  const [first, ...others] = columns;
  if (first === undefined) throw explainErrors.EXPLAIN_GROUPS_INVALID("no protected column is given");
  const other = others.find(({ codes }) => codes.length !== first.codes.length);
  if (other !== undefined) {
    throw explainErrors.EXPLAIN_GROUPS_INVALID(
      `${other.id} has ${other.codes.length} rows, ${first.id} has ${first.codes.length}`,
    );
  }
  let group: Int32Array = new Int32Array(rows?.length ?? first.codes.length);
  let values: (string | null)[][] = [[]];
  for (const column of columns) ({ group, values } = splitBy(column, rows, group, values));
  return { columns: columns.map(({ id }) => id), values, group };
}

/** Each group by the column's values. */
function splitBy(
  { codes, categories }: CategoricalColumn,
  rows: RowSelection | undefined,
  group: Int32Array,
  values: readonly (string | null)[][],
): { group: Int32Array; values: (string | null)[][] } {
  const width = categories.length + 1;
  // Doubles: of two columns of 100,000 categories there are more combinations than 32 bits can number.
  const combined = new Float64Array(group.length);
  for (let i = 0; i < group.length; i++) combined[i] = group[i] * width + codes[rows === undefined ? i : rows[i]] + 1;
  const found = distinct(combined, values.length * width);
  const numberOf = numbering(found, values.length * width);
  const split = new Int32Array(group.length);
  for (let i = 0; i < split.length; i++) split[i] = numberOf(combined[i]);
  return {
    group: split,
    values: found.map((each) => {
      const code = (each % width) - 1;
      return [...values[Math.floor(each / width)], code < 0 ? null : categories[code]];
    }),
  };
}

function distinct(combined: Float64Array, size: number): number[] {
  if (size > TABLE_SIZE) return [...new Set(combined)].sort((a, b) => a - b);
  const seen = new Uint8Array(size);
  for (const each of combined) seen[each] = 1;
  return Array.from(seen.keys()).filter((each) => seen[each] === 1);
}

function numbering(found: readonly number[], size: number): (combined: number) => number {
  if (size > TABLE_SIZE) {
    const numbers = new Map(found.map((each, number) => [each, number]));
    return (combined) => numbers.get(combined) ?? -1;
  }
  const table = new Int32Array(size);
  found.forEach((each, number) => {
    table[each] = number;
  });
  return (combined) => table[combined];
}
