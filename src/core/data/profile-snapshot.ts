import type { ColumnContract, ColumnType } from "../definitions/index.ts";
import type { SqlValue, TableEngine } from "../ports/index.ts";
import { formatTimestamp } from "../time.ts";
import { quoteIdentifier } from "./sql.ts";

export interface ColumnProfile {
  readonly name: string;
  readonly type: ColumnType;
  readonly nulls: number;
  /** Approximate (HyperLogLog, a few per cent off). */
  readonly distinct: number;
  readonly min: number | string | null;
  readonly max: number | string | null;
  readonly mean: number | null;
  readonly std: number | null;
  readonly quantiles: Readonly<Record<string, number>> | null;
  readonly histogram: { readonly edges: readonly number[]; readonly counts: readonly number[] } | null;
  /** Most frequent values; empty for columns marked personal. */
  readonly top: readonly { readonly value: string; readonly count: number }[];
}

export interface Profile {
  readonly rows: number;
  readonly columns: readonly ColumnProfile[];
}

const QUANTILES = { p01: 0.01, p05: 0.05, p25: 0.25, p50: 0.5, p75: 0.75, p95: 0.95, p99: 0.99 } as const;
const BINS = 20;
const TOP = 10;

const isNumber = (type: ColumnType) => type === "int32" || type === "int64" || type === "float64";

/** Column by column statistics of a relation: one scan for all figures, one for all histograms, and one a column for its most frequent values. */
export async function profileSnapshot(
  engine: TableEngine,
  relation: string,
  columns: Readonly<Record<string, Pick<ColumnContract, "type" | "personal">>>,
): Promise<Profile> {
  const entries = Object.entries(columns).map(([name, contract], i) => ({ name, i, quoted: quoteIdentifier(name), ...contract }));
  const figures = await columnFigures(engine, relation, entries);
  const shown = entries.filter(({ personal }) => personal !== true);
  const histograms = await columnHistograms(engine, relation, shown, figures);
  const top = await topValues(engine, relation, shown);
  const number = (value: SqlValue | undefined) => (typeof value === "number" && Number.isFinite(value) ? value : null);
  return {
    rows: Number(figures.n),
    columns: entries.map(({ name, type, i, personal }) => {
      const text = (value: SqlValue | undefined) =>
        value === null || value === undefined || personal === true ? null : extreme(type, value);
      const quantiles = Object.keys(QUANTILES).map((q) => [q, number(figures[`${q}_${i}`])] as const);
      return {
        name,
        type,
        nulls: Number(figures[`nulls_${i}`]),
        distinct: Number(figures[`distinct_${i}`]),
        min: text(figures[`min_${i}`]),
        max: text(figures[`max_${i}`]),
        mean: number(figures[`mean_${i}`]),
        std: number(figures[`std_${i}`]),
        quantiles:
          isNumber(type) && quantiles.every(([, value]) => value !== null)
            ? (Object.fromEntries(quantiles) as Record<string, number>)
            : null,
        histogram: histograms.get(name) ?? null,
        top: top.get(name) ?? [],
      };
    }),
  };
}

interface Entry {
  readonly name: string;
  readonly i: number;
  readonly quoted: string;
  readonly type: ColumnType;
}

const extreme = (type: ColumnType, value: SqlValue): string | number => {
  if (type === "timestamp" && typeof value === "number") return formatTimestamp(value);
  return typeof value === "number" ? value : String(value);
};

async function columnFigures(
  engine: TableEngine,
  relation: string,
  entries: readonly Entry[],
): Promise<Record<string, SqlValue>> {
  const selected = entries.flatMap(({ i, quoted, type }) => [
    `count(*) - count(${quoted}) AS nulls_${i}`,
    `approx_count_distinct(${quoted}) AS distinct_${i}`,
    `min(${quoted}) AS min_${i}`,
    `max(${quoted}) AS max_${i}`,
    ...(isNumber(type)
      ? [
          `avg(${finite(quoted)}) AS mean_${i}`,
          `stddev_samp(${finite(quoted)}) AS std_${i}`,
          ...Object.entries(QUANTILES).map(([q, p]) => `approx_quantile(${finite(quoted)}, ${p}) AS ${q}_${i}`),
        ]
      : []),
  ]);
  const [row] = await engine.rows(`SELECT count(*) AS n, ${selected.join(", ")} FROM ${relation}`);
  return row ?? {};
}

/** NaN and infinities have no place in a mean. */
const finite = (quoted: string) => `CASE WHEN isfinite(${quoted}::DOUBLE) THEN ${quoted}::DOUBLE END`;

async function columnHistograms(
  engine: TableEngine,
  relation: string,
  entries: readonly Entry[],
  figures: Record<string, SqlValue>,
) {
  const found = new Map<string, { edges: number[]; counts: number[] }>();
  const binned = entries.flatMap((entry) => {
    const [low, high] = [Number(figures[`p01_${entry.i}`]), Number(figures[`p99_${entry.i}`])];
    // Between the 1% and 99% quantiles, so that one wild value does not squeeze all others into a bin; the outer bins are open.
    if (!isNumber(entry.type) || figures[`p01_${entry.i}`] === null || !(high > low)) return [];
    return [{ ...entry, edges: Array.from({ length: BINS + 1 }, (_, b) => low + ((high - low) * b) / BINS) }];
  });
  if (binned.length === 0) return found;
  const bins = binned.map(({ i, quoted, edges }) => {
    const [low = 0, high = 0] = [edges[0], edges[BINS]];
    const bin = `least(${BINS - 1}, greatest(0, floor((${finite(quoted)} - ${low}) / ${(high - low) / BINS})))::INTEGER`;
    return `histogram(${bin}) AS h${i}`;
  });
  const unnested = binned.map(({ i }) => `SELECT ${i} AS i, unnest(map_entries(h${i})) AS e FROM h`);
  const rows = await engine.rows(
    `WITH h AS MATERIALIZED (SELECT ${bins.join(", ")} FROM ${relation}) SELECT i, e.key AS bin, e.value AS n FROM (${unnested.join(" UNION ALL ")})`,
  );
  for (const { i, name, edges } of binned) {
    const counts = new Array<number>(BINS).fill(0);
    for (const row of rows) if (row.i === i) counts[Number(row.bin)] = Number(row.n);
    found.set(name, { edges, counts });
  }
  return found;
}

async function topValues(engine: TableEngine, relation: string, entries: readonly Entry[]) {
  const found = new Map<string, { value: string; count: number }[]>();
  const grouped = entries.filter(({ type }) => type === "string" || type === "bool" || type === "int32");
  for (const { name, quoted } of grouped) {
    const rows = await engine.rows(
      `SELECT left(${quoted}::VARCHAR, 100) AS value, count(*) AS n FROM ${relation} WHERE ${quoted} IS NOT NULL GROUP BY ALL ORDER BY n DESC, value LIMIT ${TOP}`,
    );
    found.set(
      name,
      rows.map(({ value, n }) => ({ value: String(value), count: Number(n) })),
    );
  }
  return found;
}
