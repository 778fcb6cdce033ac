import type { ColumnType } from "../definitions/index.ts";
import type { TableEngine } from "../ports/index.ts";
import { formatTimestamp } from "../time.ts";
import { SQL_TYPES } from "./column-sql.ts";
import type { Snapshot } from "./snapshot.ts";
import { quoteIdentifier, quoteLiteral, timestampLiteral } from "./sql.ts";

/** A key's value: integers of int64 are bigints, timestamps Micros. */
export type KeyValue = string | number | bigint | boolean;

/** Some entities of one kind, by their keys. */
export interface KeyedEntities {
  readonly types: Readonly<Record<string, ColumnType>>;
  /** Values by key. */
  readonly keys: readonly Readonly<Record<string, KeyValue>>[];
}

/** The column that holds each key, by the key's name. */
export type KeyColumns = Readonly<Record<string, string>>;

/** A value as files, logs and messages write it. */
export const keyText = (value: KeyValue, type: ColumnType): string =>
  type === "timestamp" && typeof value === "number" ? formatTimestamp(value) : String(value);

function literal(value: KeyValue, type: ColumnType): string {
  if (type === "timestamp" && typeof value === "number") return timestampLiteral(value);
  return `CAST(${quoteLiteral(String(value))} AS ${SQL_TYPES[type]})`;
}

/**
 * SQL that is true for rows of any of the entities, over typed columns; null where a column is not among `columns`. A column that was of
 * another type then is compared by its text.
 */
export function entityCondition({ types, keys }: KeyedEntities, by: KeyColumns, columns: Snapshot["columns"]): string | null {
  const names = Object.keys(types);
  if (names.some((key) => columns[by[key]] === undefined)) return null;
  const each = keys.map((values) => {
    const equal = names.map((key) => {
      const column = quoteIdentifier(by[key]);
      return columns[by[key]] === types[key]
        ? `${column} = ${literal(values[key], types[key])}`
        : `CAST(${column} AS VARCHAR) = ${quoteLiteral(keyText(values[key], types[key]))}`;
    });
    return `(${equal.join(" AND ")})`;
  });
  return `coalesce(${each.join(" OR ")}, false)`;
}

/** Hashes of keys under one salt, by which rows are known without the keys. */
export interface BlockedKeys {
  readonly salt: string;
  readonly hashes: readonly string[];
}

/** SQL of a key's salted hash: sha256 of the salt and each value's length and text, in the order of the keys. */
function hashSql(salt: string, values: readonly { readonly sql: string; readonly type: ColumnType }[]): string {
  const texts = values.map(({ sql, type }) => (type === "timestamp" ? `epoch_us(${sql})::VARCHAR` : `(${sql})::VARCHAR`));
  return `sha256(${quoteLiteral(salt)}${texts.map((text) => ` || length(${text}) || ':' || ${text}`).join("")})`;
}

/** SQL that is true for rows of keys that are not to be taken in. */
export const blockedCondition = (types: KeyedEntities["types"], by: KeyColumns, { salt, hashes }: BlockedKeys): string =>
  `coalesce(${hashSql(
    salt,
    Object.entries(types).map(([key, type]) => ({ sql: quoteIdentifier(by[key]), type })),
  )} IN (${hashes.map(quoteLiteral).join(", ")}), false)`;

/** The salted hash of each entity's key. */
export async function hashKeys(engine: TableEngine, { types, keys }: KeyedEntities, salt: string): Promise<string[]> {
  const hashes: string[] = [];
  for (const values of keys) {
    const parts = Object.entries(types).map(([key, type]) => ({ sql: literal(values[key], type), type }));
    const [row] = await engine.rows(`SELECT ${hashSql(salt, parts)} AS hash`);
    hashes.push(String(row?.hash));
  }
  return hashes;
}
