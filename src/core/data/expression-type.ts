import type { ColumnType } from "../definitions/index.ts";

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

const SQL: Readonly<Record<ColumnType, string>> = {
  string: "VARCHAR",
  int32: "INTEGER",
  int64: "BIGINT",
  float64: "DOUBLE",
  bool: "BOOLEAN",
  timestamp: "TIMESTAMP",
};

export const isCondition = (sqlType: string): boolean => CONDITION.test(sqlType);
export const isNumber = (sqlType: string): boolean => NUMBER.test(sqlType);

/** SQL of an expression as a declared type; null where its own type (DuckDB's name of it) does not fit. */
export function declaredExpression(expression: string, sqlType: string, type: ColumnType): string | null {
  // The line break ends a comment in the expression.
  return FITTING[type].test(sqlType) ? `CAST((${expression}\n) AS ${SQL[type]})` : null;
}

/** A window's value: a DOUBLE, or a text where a double would not tell all values apart. */
export interface ValueExpression {
  readonly sql: string;
  readonly text: boolean;
}

const EXACT = /^(BOOLEAN|TINYINT|SMALLINT|INTEGER|UTINYINT|USMALLINT|UINTEGER|FLOAT|REAL|DOUBLE)$/i;

/** An expression whose values are told apart, whatever they are. */
export function distinctValue(expression: string, sqlType: string): ValueExpression {
  if (EXACT.test(sqlType)) return { sql: asDouble(expression), text: false };
  if (MOMENT.test(sqlType)) return { sql: asMicros(expression), text: false };
  return { sql: `CAST((${expression}\n) AS VARCHAR)`, text: true };
}

/** An expression whose values are given back as a declared type; null where its own type does not fit. Conditions are numbers too. */
export function orderedValue(expression: string, sqlType: string, type: ColumnType): ValueExpression | null {
  if (type === "float64" && isCondition(sqlType)) return { sql: asDouble(expression), text: false };
  const declared = declaredExpression(expression, sqlType, type);
  if (declared === null) return null;
  if (type === "timestamp") return { sql: asMicros(expression), text: false };
  const text = type === "string" || (type === "int64" && !EXACT.test(sqlType));
  return text ? { sql: `CAST(${declared} AS VARCHAR)`, text } : { sql: `CAST(${declared} AS DOUBLE)`, text };
}

export const asDouble = (expression: string): string => `CAST((${expression}\n) AS DOUBLE)`;
const asMicros = (expression: string) => `CAST(epoch_us(CAST((${expression}\n) AS TIMESTAMP)) AS DOUBLE)`;
