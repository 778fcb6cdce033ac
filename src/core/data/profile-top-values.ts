import type { TableEngine } from "../ports/index.ts";

const TOP = 10;
/** GROUPING answers in 64 bits, one a column. */
const COLUMNS_A_SCAN = 32;

/** The most frequent values of each column (by `i`), as text of at most 100 characters; of equally frequent ones the first in order. */
export async function topValues(
  engine: TableEngine,
  relation: string,
  columns: readonly { readonly i: number; readonly quoted: string }[],
): Promise<Map<number, { value: string; count: number }[]>> {
  const found = new Map<number, { value: string; count: number }[]>();
  for (let start = 0; start < columns.length; start += COLUMNS_A_SCAN) {
    const some = columns.slice(start, start + COLUMNS_A_SCAN);
    const which = some.map(({ i, quoted }) => `WHEN GROUPING(${quoted}) = 0 THEN ${i}`).join(" ");
    const value = some.map(({ quoted }) => `WHEN GROUPING(${quoted}) = 0 THEN ${quoted}::VARCHAR`).join(" ");
    const sets = some.map(({ quoted }) => `(${quoted})`).join(", ");
    const rows = await engine.rows(
      `SELECT i, left(value, 100) AS value, n FROM (
         SELECT CASE ${which} END AS i, CASE ${value} END AS value, count(*) AS n FROM ${relation} GROUP BY GROUPING SETS (${sets}))
       WHERE value IS NOT NULL
       QUALIFY row_number() OVER (PARTITION BY i ORDER BY n DESC, value) <= ${TOP} ORDER BY i, n DESC, value`,
    );
    for (const { i, value: text, n } of rows) {
      const values = found.get(Number(i)) ?? [];
      found.set(Number(i), values);
      values.push({ value: String(text), count: Number(n) });
    }
  }
  return found;
}
