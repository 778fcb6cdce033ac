import type { AggregateDefinition, ColumnType } from "../definitions/index.ts";
import { SQL_TYPES } from "./column-sql.ts";

const NUMBER = /^(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT|U\w+INT\w*|FLOAT|REAL|DOUBLE|DECIMAL.*)$/i;
const CONDITION = /^BOOLEAN$/i;
const MOMENT = /^(DATE|TIMESTAMP.*)$/i;

/** DuckDB's types whose every value is one of the declared type. */
const FITTING: Readonly<Record<ColumnType, RegExp>> = {
  string: /^(VARCHAR|ENUM.*)$/i,
  int32: /^(TINYINT|SMALLINT|INTEGER|UTINYINT|USMALLINT)$/i,
  int64: /^(TINYINT|SMALLINT|INTEGER|BIGINT|UTINYINT|USMALLINT|UINTEGER)$/i,
  float64: NUMBER,
  bool: CONDITION,
  timestamp: MOMENT,
};

/** SQL of an expression as a declared type; null where its own type (DuckDB's name of it) does not fit. */
export function declaredExpression(expression: string, sqlType: string, type: ColumnType): string | null {
  // The line break ends a comment in the expression.
  return FITTING[type].test(sqlType) ? `CAST((${expression}\n) AS ${SQL_TYPES[type]})` : null;
}

/** A window's value: a DOUBLE, or a text where a double would not tell all values apart. */
export interface ValueExpression {
  readonly sql: string;
  readonly text: boolean;
}

const EXACT = /^(BOOLEAN|TINYINT|SMALLINT|INTEGER|UTINYINT|USMALLINT|UINTEGER|FLOAT|REAL|DOUBLE)$/i;

/** What an aggregate's function takes of a row; null where an expression of this type (DuckDB's name of it) does not suit it. */
export function aggregateValue(
  { fn, expression, type }: Pick<AggregateDefinition, "fn" | "expression" | "type">,
  sqlType: string,
): ValueExpression | null {
  const value = expression ?? "";
  const isCondition = CONDITION.test(sqlType);
  switch (fn) {
    case "count-distinct":
      return distinctValue(value, sqlType);
    case "first":
    case "last":
      return orderedValue(value, sqlType, type);
    case "count":
      return isCondition ? number(value) : null;
    case "rate":
      return isCondition ? number(`coalesce((${value}\n), false)`) : null;
    default:
      return isCondition || NUMBER.test(sqlType) ? number(value) : null;
  }
}

/** Values are told apart, whatever they are. */
function distinctValue(expression: string, sqlType: string): ValueExpression {
  if (EXACT.test(sqlType)) return number(expression);
  if (MOMENT.test(sqlType)) return moment(expression);
  return { sql: `CAST((${expression}\n) AS VARCHAR)`, text: true };
}

/** Values are given back as a declared type. Conditions are numbers too. */
function orderedValue(expression: string, sqlType: string, type: ColumnType): ValueExpression | null {
  if (type === "float64" && CONDITION.test(sqlType)) return number(expression);
  const declared = declaredExpression(expression, sqlType, type);
  if (declared === null) return null;
  if (type === "timestamp") return moment(expression);
  const text = type === "string" || (type === "int64" && !EXACT.test(sqlType));
  return text ? { sql: `CAST(${declared} AS VARCHAR)`, text } : { sql: `CAST(${declared} AS DOUBLE)`, text };
}

const number = (expression: string): ValueExpression => ({ sql: `CAST((${expression}\n) AS DOUBLE)`, text: false });
const moment = (expression: string): ValueExpression => ({
  sql: `CAST(epoch_us(CAST((${expression}\n) AS TIMESTAMP)) AS DOUBLE)`,
  text: false,
});
