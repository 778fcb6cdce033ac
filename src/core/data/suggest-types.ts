import type { ColumnType } from "../definitions/index.ts";
import type { TableEngine } from "../ports/index.ts";
import { ROW, rawColumn, rawName, SQL_TYPES, typedColumn } from "./column-sql.ts";
import { quoteIdentifier } from "./sql.ts";

/** A column as it was delivered: its name and DuckDB's type of it. */
export interface DeliveredColumn {
  readonly column: string;
  readonly delivered: string;
}

/** Types that a text may be of, the narrowest first. */
const NARROWEST: readonly ColumnType[] = ["bool", "int32", "int64", "float64", "timestamp"];
/** What a number with a leading zero loses when it is read as one: it is a code. */
const CODE = "^[+-]?0[0-9]";
/** Integers of so many digits are not all told apart by a float64. */
const LARGE = "^[+-]?[0-9]{17,}$";

/**
 * The types that a column may be declared as, the narrowest first; `string` is always one of them. Integers that no integer holds are
 * texts: as float64 they would lose digits, and be the same as others.
 */
function candidateTypes(delivered: string): readonly ColumnType[] {
  if (/^(TINY|SMALL|UTINY|USMALL)?INT(EGER)?$/.test(delivered)) return ["int32", "string"];
  if (/^(BIGINT|U?INTEGER|UBIGINT|U?HUGEINT)$/.test(delivered)) return ["int32", "int64", "string"];
  if (/^(FLOAT|DOUBLE|DECIMAL.*)$/.test(delivered)) return ["float64", "string"];
  if (delivered === "BOOLEAN") return ["bool", "string"];
  if (/^(DATE|TIMESTAMP.*)$/.test(delivered)) return ["timestamp", "string"];
  return [...NARROWEST, "string"];
}

/**
 * SQL of how many values of a column cannot be read as a type, by the rules of ingestion: 0 where the column may be declared as it.
 * Expects the relation of `rawColumns`. Of texts, only words are bools, and numbers that begin with a zero are codes.
 */
function unreadable({ column, delivered }: DeliveredColumn, type: ColumnType): string {
  if (type === "string") return "0";
  const raw = rawName(column);
  const lost = `${raw} IS NOT NULL AND ${typedColumn(column, type, delivered)} IS NULL`;
  const text = `lower(trim(${raw}::VARCHAR))`;
  const also =
    delivered !== "VARCHAR"
      ? []
      : type === "bool"
        ? [`${text} NOT IN ('true', 'false', 't', 'f', 'yes', 'no')`]
        : type === "timestamp"
          ? []
          : [`regexp_matches(${text}, '${type === "float64" ? `${CODE}|${LARGE}` : CODE}')`];
  return `count(*) FILTER (WHERE ${[lost, ...also].map((each) => `(${each})`).join(" OR ")})`;
}

/** Every column of `relation` under its raw name, "no value" as null, as ingestion would read it for `types`. */
const rawColumns = (relation: string, columns: readonly DeliveredColumn[], types: ReadonlyMap<string, ColumnType>): string =>
  `(SELECT ${[
    ...columns.map(
      ({ column, delivered }) => `${rawColumn(column, types.get(column) ?? "float64", delivered)} AS ${rawName(column)}`,
    ),
    ROW,
  ].join(", ")} FROM ${relation})`;

/** The narrowest type of each column that all of its values can be read as. */
export async function suggestTypes(
  engine: TableEngine,
  relation: string,
  columns: readonly DeliveredColumn[],
): Promise<ReadonlyMap<string, ColumnType>> {
  const tried = columns.flatMap((each, i) =>
    candidateTypes(each.delivered).map((type, t) => ({ ...each, type, name: `c${i}_${t}` })),
  );
  const counts = columns.map(({ column }, i) => `count(${rawName(column)}) AS k${i}`);
  const [row = {}] = await engine.rows(
    `SELECT ${[...counts, ...tried.map((each) => `${unreadable(each, each.type)} AS ${each.name}`)].join(", ")}
     FROM ${rawColumns(relation, columns, new Map())}`,
  );
  return new Map(
    columns.map(({ column, delivered }, i) => {
      // What has no value at all may be anything.
      const isEmpty = Number(row[`k${i}`]) === 0 && delivered === "VARCHAR";
      const fits = tried.find((each) => each.column === column && Number(row[each.name]) === 0);
      return [column, isEmpty ? "string" : (fits?.type ?? "string")];
    }),
  );
}

/** The rows as typed by `types`. */
export function typedColumns(
  relation: string,
  columns: readonly DeliveredColumn[],
  types: ReadonlyMap<string, ColumnType>,
): string {
  const typed = columns.map(({ column, delivered }) => {
    const type = types.get(column) ?? "string";
    return `${typedColumn(column, type, delivered)}::${SQL_TYPES[type]} AS ${quoteIdentifier(column)}`;
  });
  return `(SELECT ${[...typed, ROW].join(", ")} FROM ${rawColumns(relation, columns, types)})`;
}
