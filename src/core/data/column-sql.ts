import type { ColumnType } from "../definitions/index.ts";

/** DuckDB's name of each column type. Timestamps are kept without a zone, in UTC. */
export const SQL_TYPES: Readonly<Record<ColumnType, string>> = {
  string: "VARCHAR",
  int32: "INTEGER",
  int64: "BIGINT",
  float64: "DOUBLE",
  bool: "BOOLEAN",
  timestamp: "TIMESTAMP",
};
