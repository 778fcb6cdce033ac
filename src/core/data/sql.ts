/** Names and texts as SQL: the only place that quotes. */
export const quoteIdentifier = (name: string): string => `"${name.replaceAll('"', '""')}"`;
export const quoteLiteral = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** A list of files as DuckDB's table functions take it. */
export const fileList = (paths: readonly string[]): string => `[${paths.map(quoteLiteral).join(", ")}]`;

/** A moment as a TIMESTAMP. */
export const timestampLiteral = (micros: number): string => `make_timestamp(${Math.trunc(micros)}::BIGINT)`;
