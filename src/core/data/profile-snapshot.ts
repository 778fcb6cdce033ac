import type { ColumnContract, ColumnType } from "../definitions/index.ts";
import type { SqlValue, TableEngine } from "../ports/index.ts";
import { formatTimestamp } from "../time.ts";
import { NUMERIC } from "./column-sql.ts";
import { topValues } from "./profile-top-values.ts";
import { quoteIdentifier } from "./sql.ts";

export interface ColumnProfile {
  readonly name: string;
  readonly type: ColumnType;
  readonly nulls: number;
  /** Approximate (HyperLogLog, a few per cent off), and never more than there are values. */
  readonly distinct: number;
  /** Timestamps as ISO 8601; texts cut after 100 characters. */
  readonly min: number | string | null;
  readonly max: number | string | null;
  /** Of finite values, like all figures below; null for columns that are no numbers. */
  readonly mean: number | null;
  /** Sample standard deviation (n - 1). */
  readonly std: number | null;
  /** p01, p05, p25, p50, p75, p95, p99: exact, linear between neighbours. */
  readonly quantiles: Readonly<Record<string, number>> | null;
  /** 20 bins of equal width between p01 and p99; the outer two also count what lies beyond. `edges` has one more than `counts`. */
  readonly histogram: { readonly edges: readonly number[]; readonly counts: readonly number[] } | null;
  /** Most frequent values, at most 10; none for columns that hardly repeat a value. */
  readonly top: readonly { readonly value: string; readonly count: number }[];
}

export interface Profile {
  readonly rows: number;
  readonly columns: readonly ColumnProfile[];
}

type ProfiledColumn = Pick<ColumnContract, "type" | "personal">;

interface Entry {
  readonly i: number;
  readonly quoted: string;
  readonly type: ColumnType;
  readonly isShown: boolean;
}

type Figures = Readonly<Record<string, SqlValue>>;

const QUANTILES = { p01: 0.01, p05: 0.05, p25: 0.25, p50: 0.5, p75: 0.75, p95: 0.95, p99: 0.99 } as const;
const BINS = 20;
/** A text in a profile is to be recognised, not to be read. */
const LONGEST = 100;
/** Exact quantiles hold a column's values in memory: so many columns at a time. */
const COLUMNS_A_SCAN = 8;

/**
 * Statistics of a relation's columns in a few scans: one for the figures, one for each eight numeric columns' quantiles, one for
 * the histograms and one for the most frequent values. Columns marked personal show counts and no values.
 */
export async function profileSnapshot(
  engine: TableEngine,
  relation: string,
  columns: Readonly<Record<string, ProfiledColumn>>,
): Promise<Profile> {
  const named = Object.entries(columns);
  const entries = named.map(
    ([name, { type, personal }], i): Entry => ({ i, quoted: quoteIdentifier(name), type, isShown: personal !== true }),
  );
  const numeric = entries.filter(({ type, isShown }) => isShown && NUMERIC.has(type));
  const figures = await columnFigures(engine, relation, entries);
  const rows = Number(figures.n);
  const quantiles = await columnQuantiles(engine, relation, numeric);
  const histograms = await columnHistograms(engine, relation, numeric, quantiles);
  // A column whose values hardly repeat (a key, a name) has no frequent ones, and counting them costs the most.
  const repeating = entries.filter(({ i, isShown, type }) => {
    const distinct = Number(figures[`distinct_${i}`]);
    return isShown && type !== "float64" && type !== "timestamp" && (distinct <= 1_000 || distinct < rows / 2);
  });
  const top = await topValues(engine, relation, repeating);
  return {
    rows,
    columns: named.map(([name, { type }], i) => ({
      name,
      type,
      nulls: Number(figures[`nulls_${i}`]),
      distinct: Math.min(Number(figures[`distinct_${i}`]), rows - Number(figures[`nulls_${i}`])),
      min: extreme(type, figures[`min_${i}`]),
      max: extreme(type, figures[`max_${i}`]),
      mean: finiteNumber(figures[`mean_${i}`]),
      std: finiteNumber(figures[`std_${i}`]),
      quantiles: quantiles.get(i) ?? null,
      histogram: histograms.get(i) ?? null,
      top: top.get(i) ?? [],
    })),
  };
}

function extreme(type: ColumnType, value: SqlValue | undefined): string | number | null {
  if (value === null || value === undefined) return null;
  if (typeof value !== "number") return String(value).slice(0, LONGEST);
  if (type === "timestamp") return formatTimestamp(value);
  return Number.isFinite(value) ? value : String(value);
}

/** Threads add up in any order: the last digits of a sum are not the same each time, so they are cut. */
const finiteNumber = (value: SqlValue | undefined) =>
  typeof value === "number" && Number.isFinite(value) ? Number(value.toPrecision(12)) : null;

/** NaN and infinities have no place in a mean. */
const finite = (quoted: string) => `CASE WHEN isfinite(${quoted}::DOUBLE) THEN ${quoted}::DOUBLE END`;

async function columnFigures(engine: TableEngine, relation: string, entries: readonly Entry[]): Promise<Figures> {
  const selected = entries.flatMap(({ i, quoted, type, isShown }) => [
    `count(*) - count(${quoted}) AS nulls_${i}`,
    `approx_count_distinct(${quoted}) AS distinct_${i}`,
    ...(isShown ? [`min(${quoted}) AS min_${i}`, `max(${quoted}) AS max_${i}`] : []),
    ...(isShown && NUMERIC.has(type)
      ? [`avg(${finite(quoted)}) AS mean_${i}`, `stddev_samp(${finite(quoted)}) AS std_${i}`]
      : []),
  ]);
  const [row] = await engine.rows(`SELECT ${["count(*) AS n", ...selected].join(", ")} FROM ${relation}`);
  return row ?? {};
}

/** Columns without a finite value are not in the result. */
async function columnQuantiles(engine: TableEngine, relation: string, entries: readonly Entry[]) {
  const found = new Map<number, Readonly<Record<string, number>>>();
  const levels = `[${Object.values(QUANTILES).join(", ")}]`;
  for (let start = 0; start < entries.length; start += COLUMNS_A_SCAN) {
    const some = entries.slice(start, start + COLUMNS_A_SCAN);
    const lists = some.map(({ i, quoted }) => `quantile_cont(${finite(quoted)}, ${levels}) AS q${i}`);
    const values = some.flatMap(({ i }) => Object.keys(QUANTILES).map((q, at) => `q${i}[${at + 1}] AS ${q}_${i}`));
    const [row = {}] = await engine.rows(`SELECT ${values.join(", ")} FROM (SELECT ${lists.join(", ")} FROM ${relation})`);
    for (const { i } of some) {
      const named = Object.keys(QUANTILES).map((q) => [q, row[`${q}_${i}`]] as const);
      if (named.some(([, value]) => typeof value !== "number")) continue;
      found.set(i, Object.fromEntries(named.map(([q, value]) => [q, Number(value)])));
    }
  }
  return found;
}

/** Between p01 and p99, so that one wild value does not squeeze all others into one bin. */
async function columnHistograms(
  engine: TableEngine,
  relation: string,
  entries: readonly Entry[],
  quantiles: ReadonlyMap<number, Readonly<Record<string, number>>>,
) {
  const found = new Map<number, { edges: number[]; counts: number[] }>();
  const binned = entries.flatMap(({ i, quoted }) => {
    const { p01 = 0, p99 = 0 } = quantiles.get(i) ?? {};
    return p99 > p01 ? [{ i, quoted, low: p01, width: (p99 - p01) / BINS }] : [];
  });
  if (binned.length === 0) return found;
  for (const { i, low, width } of binned) {
    const edges = Array.from({ length: BINS + 1 }, (_, b) => low + width * b);
    found.set(i, { edges, counts: new Array<number>(BINS).fill(0) });
  }
  const bins = binned.map(
    ({ i, quoted, low, width }) =>
      `histogram(least(${BINS - 1}, greatest(0, floor((${finite(quoted)} - (${low})) / ${width})))::INTEGER) AS h${i}`,
  );
  const unnested = binned.map(({ i }) => `SELECT ${i} AS i, unnest(map_entries(h${i})) AS e FROM h`);
  const rows = await engine.rows(
    `WITH h AS MATERIALIZED (SELECT ${bins.join(", ")} FROM ${relation})
     SELECT i, e.key AS bin, e.value AS n FROM (${unnested.join(" UNION ALL ")})`,
  );
  for (const { i, bin, n } of rows) {
    const counts = found.get(Number(i))?.counts;
    if (counts !== undefined) counts[Number(bin)] = Number(n);
  }
  return found;
}
