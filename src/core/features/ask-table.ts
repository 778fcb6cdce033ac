import type { ColumnTypes } from "./plan.ts";

/**
 * A temporary table with who is asked about and when: `__ordinal` (0, 1, …), `__at` (TIMESTAMP, not null), and the keys and request fields of a plan as the columns `field_0`, `field_1`, ….
 */
export interface AskTable {
  readonly name: string;
  readonly rows: number;
  readonly fields: ColumnTypes;
}

export const fieldColumn = (asks: Pick<AskTable, "fields">, field: string): string =>
  `field_${Object.keys(asks.fields).indexOf(field)}`;

let tables = 0;
/** A name for a temporary table: several may be in use on one engine. */
export const temporaryTable = (purpose: string): string => `__${purpose}_${++tables}`;
