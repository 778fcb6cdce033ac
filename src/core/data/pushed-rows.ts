import type { SourceDefinition } from "../definitions/index.ts";
import type { ArtifactStore, LoggedRow } from "../ports/index.ts";
import type { Micros } from "../time.ts";
import { ROW } from "./column-sql.ts";
import { contractRules } from "./contract-rules.ts";
import type { DeliveredRows } from "./delivered-rows.ts";
import { judgedRows, reason } from "./ingest-part.ts";
import { type References, referenceQueries } from "./reference-values.ts";
import { rowsRelation } from "./snapshot-relation.ts";
import { quoteIdentifier, quoteLiteral } from "./sql.ts";

/** Later than any row. */
const ALWAYS: Micros = 253_402_300_799_000_000;

/** The parameter `$1` of the queries below. */
export const loggedText = (rows: readonly LoggedRow[]): string =>
  `[${rows.map(({ seq, row }) => `{"seq":${seq},"row":${row}}`).join(",")}]`;

/** Rows in the text of `$1`, as a file of them would be read. */
function loggedRows({ contracts }: SourceDefinition): DeliveredRows {
  const columns = Object.keys(contracts);
  const row = Object.fromEntries(columns.map((column) => [column, "VARCHAR"]));
  const shape = quoteLiteral(JSON.stringify([{ seq: "BIGINT", row }]));
  const cells = columns.map((column) => `l.row.${quoteIdentifier(column)} AS ${quoteIdentifier(column)}`);
  return {
    relation: `(SELECT ${[...cells, `l.seq AS ${ROW}`].join(", ")} FROM (SELECT unnest(from_json($1::VARCHAR, ${shape})) AS l))`,
    types: new Map(columns.map((column) => [column, "VARCHAR"])),
  };
}

/**
 * A parenthesised query over the logged rows in `$1`, as a snapshot of them would be read with row numbers: `__row` is a row's place in
 * the log. With `versions`, `__superseded_at` is known as far as the rows that supersede others are among them.
 */
export function loggedRelation(source: SourceDefinition, versions: boolean): string {
  const columns = Object.keys(source.contracts);
  const rows = `(SELECT *, ${ROW} AS __row FROM (${judgedRows(source, [], loggedRows(source))}))`;
  return rowsRelation(rows, source, { asOf: ALWAYS, columns, rowNumber: true, versions: true, repeats: versions });
}

export interface PushContract {
  /**
   * A query over `$1`: `__n`, `problem` (null for a sound row), `stops` (what stops the push, null where nothing does), `blocked` (whether it
   * is of somebody who was erased) and the columns.
   */
  readonly query: string;
}

/**
 * Judges pushed rows each by itself, by the rules that ingestion judges the same rows by. What only a whole delivery shows (a value that
 * has to be unique) is found when the rows are taken in.
 * @param blocked SQL that is true for typed rows of whom was erased
 * @throws DATA_CONTRACT_INVALID, DATA_REFERENCE_UNKNOWN
 */
export async function pushContract(
  artifacts: ArtifactStore,
  source: SourceDefinition,
  references: References | undefined,
  blocked: string | null = null,
): Promise<PushContract> {
  const rules = contractRules(source, await referenceQueries(artifacts, source, references));
  const key = source.key.map(quoteIdentifier);
  const keyless =
    key.length === 0
      ? []
      : [
          `CASE WHEN ${key.map((name) => `${name} IS NULL`).join(" OR ")} THEN ${quoteLiteral(`${source.key.join(", ")}: key`)} END`,
        ];
  const broken = [reason(rules, ({ among }) => among === "row"), ...keyless];
  const stops = reason(rules, ({ among }) => among === "row", "stop");
  const columns = Object.keys(source.contracts).map(quoteIdentifier).join(", ");
  return {
    query: `SELECT ${ROW}, nullif(concat_ws('; ', ${broken.map((each) => `nullif(${each}, '')`).join(", ")}), '') AS problem,
      nullif(${stops}, '') AS stops, ${blocked ?? "false"} AS blocked, ${columns} FROM (${judgedRows(source, rules, loggedRows(source))}) ORDER BY ${ROW}`,
  };
}

/**
 * A query over `$1`: `seq` and `key` (text; null where the source has none) of the logged rows that are true to a condition over typed columns.
 */
export function loggedWhere(source: SourceDefinition, condition: string): string {
  return `SELECT ${ROW} AS seq, ${loggedKey(source)} AS key FROM (${judgedRows(source, [], loggedRows(source))}) WHERE ${condition}`;
}

/** SQL that is true for rows which delete one of these keys, as `loggedWhere` gives them. */
export const deletionOf = (source: SourceDefinition, keys: readonly string[]): string | null =>
  source.deleted === undefined || source.key.length === 0 || keys.length === 0
    ? null
    : `coalesce(${quoteIdentifier(source.deleted)}, false) AND ${loggedKey(source)} IN (${keys.map(quoteLiteral).join(", ")})`;

const loggedKey = ({ key }: SourceDefinition): string =>
  key.length === 0
    ? "NULL::VARCHAR"
    : `to_json([${key.map((column) => `${quoteIdentifier(column)}::VARCHAR`).join(", ")}])::VARCHAR`;
