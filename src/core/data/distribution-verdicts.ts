import type { ColumnType, DistributionExpectation, SourceDefinition } from "../definitions/index.ts";
import type { TableEngine } from "../ports/index.ts";
import { NUMERIC } from "./column-sql.ts";
import type { IngestEngines } from "./ingest-part.ts";
import { distanceByChance, populationStabilityIndex, stabilityByChance } from "./population-stability.ts";
import type { ExpectationVerdict, Snapshot, SnapshotPart } from "./snapshot.ts";
import { fileList, quoteIdentifier, quoteLiteral } from "./sql.ts";

const DECILES = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9] as const;
const CATEGORIES = 50;

interface Compared {
  readonly column: string;
  readonly type: ColumnType;
  /** Rows as they were delivered, whether they could be known yet or not. */
  readonly earlier: string;
  readonly current: string;
}

/**
 * Rows that are new beside those of the snapshot before. A limit is broken where it is passed by more than chance explains in one of
 * 1000 cases, so that a small increment is not accused of what small samples do.
 */
export async function distributionVerdicts(
  { engine, artifacts }: IngestEngines,
  source: SourceDefinition,
  { added, previous }: { added: readonly SnapshotPart[]; previous: Snapshot | undefined },
): Promise<ExpectationVerdict[]> {
  const verdicts: ExpectationVerdict[] = [];
  const expected = Object.entries(source.expect?.distribution ?? {});
  if (expected.length === 0) return verdicts;
  const rowsOf = async (parts: readonly SnapshotPart[]) => {
    const paths = await Promise.all(parts.map(({ sha256 }) => artifacts.localPath(sha256)));
    return `read_parquet(${fileList(paths)}, hive_partitioning = false)`;
  };
  for (const [column, limits] of expected) {
    const type = source.contracts[column]?.type;
    const hasEarlier = previous !== undefined && previous.parts.length > 0 && previous.columns[column] === type;
    if (type === undefined || !hasEarlier) verdicts.push(...unjudged(column, limits, "no earlier rows to compare with"));
    else if (added.length === 0) verdicts.push(...saidBefore(previous, column, limits));
    else {
      const compared = { column, type, earlier: await rowsOf(previous.parts), current: await rowsOf(added) };
      verdicts.push(...(await compare(engine, compared, limits)));
    }
  }
  return verdicts;
}

const MEASURES = { psi: "psi", mean: "mean", nullShare: "null-share" } as const;
const TITLES = { psi: "PSI", mean: "mean", "null-share": "share of null" } as const;

const limitsOf = (limits: DistributionExpectation) =>
  (["psi", "mean", "nullShare"] as const).flatMap((measure) => {
    const limit = limits[measure];
    return limit === undefined ? [] : [{ rule: MEASURES[measure], limit }];
  });

type Measure = ReturnType<typeof limitsOf>[number]["rule"];

const unjudged = (column: string, limits: DistributionExpectation, why: string): ExpectationVerdict[] =>
  limitsOf(limits).map(({ rule }) => withoutFigure(rule, column, limits, why));

const withoutFigure = (
  rule: Measure,
  column: string,
  { severity }: DistributionExpectation,
  why: string,
): ExpectationVerdict => ({ rule, column, severity, kept: null, observed: null, says: `${TITLES[rule]} of ${column}: ${why}` });

const saidBefore = ({ report }: Snapshot, column: string, limits: DistributionExpectation): ExpectationVerdict[] =>
  unjudged(column, limits, "no new rows").map(
    (each) => report.expectations?.find((before) => before.rule === each.rule && before.column === column) ?? each,
  );

interface Figures {
  readonly rows: number;
  readonly known: number;
  readonly mean: number | null;
  readonly std: number | null;
}

async function compare(engine: TableEngine, compared: Compared, limits: DistributionExpectation): Promise<ExpectationVerdict[]> {
  const { column, type, earlier, current } = compared;
  const [before, now] = [await figures(engine, earlier, column, type), await figures(engine, current, column, type)];
  const verdicts: ExpectationVerdict[] = [];
  for (const { rule, limit } of limitsOf(limits)) {
    const distance =
      rule === "psi"
        ? await stability(engine, compared, before, now)
        : rule === "mean"
          ? meanDistance(before, now)
          : nullDistance(before, now);
    if (distance === null) {
      verdicts.push(withoutFigure(rule, column, limits, "no values to compare"));
      continue;
    }
    const { observed, chance } = distance;
    const kept = observed <= limit || observed <= chance;
    const byChance = kept && observed > limit ? " (no more than chance)" : "";
    const says = `${TITLES[rule]} of ${column} ${FOUND[rule](observed)}, at most ${limit}${byChance}`;
    const { severity } = limits;
    verdicts.push({ rule, column, severity, kept, observed: Number.isFinite(observed) ? observed : null, says });
  }
  return verdicts;
}

/** Where nothing varied before, any other mean is infinitely far away. */
const FOUND = {
  psi: (observed: number) => `is ${observed.toPrecision(3)}`,
  mean: (observed: number) =>
    `moved by ${Number.isFinite(observed) ? observed.toPrecision(3) : "more than any"} standard deviations`,
  "null-share": (observed: number) => `moved by ${observed.toPrecision(3)}`,
} as const;

interface Distance {
  readonly observed: number;
  /** What two samples of one distribution stay below. */
  readonly chance: number;
}

async function figures(engine: TableEngine, relation: string, column: string, type: ColumnType): Promise<Figures> {
  const name = quoteIdentifier(column);
  const finite = `CASE WHEN isfinite(${name}::DOUBLE) THEN ${name}::DOUBLE END`;
  const moments = NUMERIC.has(type) ? `avg(${finite}) AS mean, stddev_samp(${finite}) AS std` : "NULL AS mean, NULL AS std";
  const [row] = await engine.rows(`SELECT count(*) AS n, count(${name}) AS known, ${moments} FROM ${relation}`);
  const number = (value: unknown) => (typeof value === "number" && Number.isFinite(value) ? value : null);
  return { rows: Number(row?.n), known: Number(row?.known), mean: number(row?.mean), std: number(row?.std) };
}

function meanDistance(before: Figures, now: Figures): Distance | null {
  if (before.mean === null || before.std === null || now.mean === null) return null;
  const distance = Math.abs(now.mean - before.mean);
  const observed = distance === 0 ? 0 : distance / before.std;
  return { observed, chance: distanceByChance(1, before.known, now.known) };
}

function nullDistance(before: Figures, now: Figures): Distance | null {
  if (before.rows === 0 || now.rows === 0) return null;
  const share = ({ rows, known }: Figures) => 1 - known / rows;
  const pooled = 1 - (before.known + now.known) / (before.rows + now.rows);
  const std = Math.sqrt(pooled * (1 - pooled));
  return { observed: Math.abs(share(now) - share(before)), chance: distanceByChance(std, before.rows, now.rows) };
}

async function stability(
  engine: TableEngine,
  { column, type, earlier, current }: Compared,
  before: Figures,
  now: Figures,
): Promise<Distance | null> {
  if (before.known === 0 || now.known === 0) return null;
  const name = quoteIdentifier(column);
  const { bin, bins } = NUMERIC.has(type) ? await numberBins(engine, earlier, name) : await valueBins(engine, earlier, name);
  const counts = async (relation: string) => {
    const found = new Array<number>(bins).fill(0);
    const rows = await engine.rows(`SELECT ${bin} AS bin, count(*) AS n FROM ${relation} WHERE ${name} IS NOT NULL GROUP BY bin`);
    for (const row of rows) found[Number(row.bin)] = Number(row.n);
    return found;
  };
  const [reference, present] = [await counts(earlier), await counts(current)];
  return {
    observed: populationStabilityIndex(reference, present),
    chance: stabilityByChance(bins, before.known, now.known),
  };
}

/** Between the earlier rows' least value, deciles and greatest value; what lies beyond has a bin of its own on either side. */
async function numberBins(engine: TableEngine, relation: string, name: string): Promise<{ bin: string; bins: number }> {
  const deciles = DECILES.map((_, at) => `q[${at + 1}] AS q${at}`).join(", ");
  const finite = `CASE WHEN isfinite(${name}::DOUBLE) THEN ${name}::DOUBLE END`;
  const [row = {}] = await engine.rows(
    `SELECT low, high, ${deciles}
     FROM (SELECT min(${finite}) AS low, max(${finite}) AS high, quantile_cont(${finite}, [${DECILES.join(", ")}]) AS q FROM ${relation})`,
  );
  const found = [...DECILES.map((_, at) => row[`q${at}`]), row.high].filter((edge) => typeof edge === "number");
  const edges = [...new Set(found)];
  const lowest = typeof row.low === "number" ? [`WHEN ${name} < ${row.low} THEN 0`] : [];
  const upTo = edges.map((edge, at) => `WHEN ${name} <= ${edge} THEN ${at + 1}`);
  return { bin: `CASE ${[...lowest, ...upTo].join(" ")} ELSE ${edges.length + 1} END`, bins: edges.length + 2 };
}

/** The most frequent of the earlier rows' values, and one bin for all others. */
async function valueBins(engine: TableEngine, relation: string, name: string): Promise<{ bin: string; bins: number }> {
  const rows = await engine.rows(
    `SELECT ${name}::VARCHAR AS value FROM ${relation} WHERE ${name} IS NOT NULL
     GROUP BY ${name} ORDER BY count(*) DESC, value LIMIT ${CATEGORIES}`,
  );
  const each = rows.map(({ value }, at) => `WHEN ${quoteLiteral(String(value))} THEN ${at}`);
  return { bin: `CASE ${name}::VARCHAR ${each.join(" ")} ELSE ${rows.length} END`, bins: rows.length + 1 };
}
