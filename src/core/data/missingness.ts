import type { TableEngine } from "../ports/index.ts";
import { quoteIdentifier } from "./sql.ts";

/** Which columns are null together: whether what is missing is missing for one reason. */
export interface Missingness {
  /** Sets of columns that are null together and no others with them, the most frequent first, at most 20; rows without null are in none. */
  readonly patterns: readonly { readonly columns: readonly string[]; readonly rows: number }[];
  /** Pairs of columns that are null in some rows and not in all, the most closely related first, at most 100. */
  readonly pairs: readonly MissingPair[];
}

export interface MissingPair {
  readonly columns: readonly [string, string];
  /** Rows in which both are null. */
  readonly both: number;
  /** Pearson's correlation of "is null", -1…1: 1 where they are null in the same rows. */
  readonly correlation: number;
}

const PATTERNS = 20;
const PAIRS = 100;
/** Pairs grow with the square: of more columns with nulls, those with the most. */
const COLUMNS = 60;

/** `nulls`: how many rows each column is null in, as a profile has counted them. */
export async function missingness(
  engine: TableEngine,
  relation: string,
  rows: number,
  nulls: readonly { readonly name: string; readonly nulls: number }[],
): Promise<Missingness> {
  const partly = nulls
    .filter((column) => column.nulls > 0)
    .toSorted((a, b) => b.nulls - a.nulls)
    .slice(0, COLUMNS);
  if (partly.length === 0) return { patterns: [], pairs: [] };
  const flags = partly.map(({ name }, i) => `${quoteIdentifier(name)} IS NULL AS m${i}`);
  const names = partly.map((_, i) => `m${i}`);
  const grouped = `(SELECT ${names.join(", ")}, count(*) AS n FROM (SELECT ${flags.join(", ")} FROM ${relation}) GROUP BY ALL)`;
  const found = await engine.rows(
    `SELECT * FROM ${grouped} WHERE ${names.join(" OR ")} ORDER BY n DESC, ${names.map((name) => `${name} DESC`).join(", ")} LIMIT ${PATTERNS}`,
  );
  const patterns = found.map((row) => ({
    columns: partly.flatMap(({ name }, i) => (row[`m${i}`] === true || row[`m${i}`] === 1 ? [name] : [])),
    rows: Number(row.n),
  }));
  const pairs = partly.flatMap((a, i) =>
    a.nulls === rows ? [] : partly.slice(i + 1).flatMap((b, j) => (b.nulls === rows ? [] : [{ a, b, i, j: i + 1 + j }])),
  );
  if (pairs.length === 0) return { patterns, pairs: [] };
  const [row = {}] = await engine.rows(
    `SELECT ${pairs.map(({ i, j }, at) => `sum(n) FILTER (WHERE m${i} AND m${j}) AS p${at}`).join(", ")} FROM ${grouped}`,
  );
  const related = pairs.map(({ a, b }, at): MissingPair => {
    const both = Number(row[`p${at}`] ?? 0);
    const spread = Math.sqrt(a.nulls * (rows - a.nulls)) * Math.sqrt(b.nulls * (rows - b.nulls));
    return { columns: [a.name, b.name], both, correlation: (rows * both - a.nulls * b.nulls) / spread };
  });
  return { patterns, pairs: related.toSorted((a, b) => Math.abs(b.correlation) - Math.abs(a.correlation)).slice(0, PAIRS) };
}
