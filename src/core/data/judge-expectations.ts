import type { SourceDefinition } from "../definitions/index.ts";
import { partsSince } from "./disjoint-parts.ts";
import { distributionVerdicts } from "./distribution-verdicts.ts";
import { dataErrors } from "./errors.ts";
import { freshnessColumn } from "./expectation-limits.ts";
import type { IngestEngines } from "./ingest-part.ts";
import type { ExpectationVerdict, Snapshot } from "./snapshot.ts";
import { snapshotPaths, snapshotRelation } from "./snapshot-relation.ts";
import { quoteIdentifier, timestampLiteral } from "./sql.ts";

/**
 * What a source expects of its rows together, judged on a snapshot whose rows are counted. What looks at new rows says again what
 * the previous snapshot's report did where nothing is new.
 * @throws DATA_CONTRACT_STOPPED
 */
export async function judgeExpectations(
  engines: IngestEngines,
  source: SourceDefinition,
  snapshot: Snapshot,
  previous: Snapshot | undefined,
): Promise<readonly ExpectationVerdict[]> {
  const relation = async (columns: readonly string[]) =>
    snapshotRelation(snapshot, source, await snapshotPaths(engines.artifacts, snapshot), { columns });
  const added = partsSince(snapshot.parts, previous?.parts ?? []).added;
  const verdicts = [
    ...rowVerdict(source, snapshot),
    ...(await freshnessVerdict(engines, source, snapshot, relation)),
    ...(await uniqueVerdicts(engines, source, snapshot, relation)),
    ...(await distributionVerdicts(engines, source, { added, previous })),
  ];
  const stopped = verdicts.filter(({ severity, kept }) => severity === "stop" && kept === false);
  if (stopped.length > 0) {
    const list = stopped.map(({ says }) => says).join("; ");
    throw dataErrors.DATA_CONTRACT_STOPPED(`Source ${source.name} is not as expected: ${list}`, {
      details: { expectations: stopped },
    });
  }
  return verdicts;
}

type RelationOf = (columns: readonly string[]) => Promise<string>;

function rowVerdict({ expect }: SourceDefinition, { rows }: Snapshot): ExpectationVerdict[] {
  if (expect?.rows === undefined) return [];
  const { min = 0, max = Number.POSITIVE_INFINITY, severity } = expect.rows;
  const bounds = [...(min > 0 ? [`at least ${min}`] : []), ...(Number.isFinite(max) ? [`at most ${max}`] : [])];
  const says = [`${rows} row${rows === 1 ? "" : "s"}`, ...bounds].join(", ");
  return [{ rule: "rows", column: null, severity, kept: rows >= min && rows <= max, observed: rows, says }];
}

async function freshnessVerdict(
  { engine }: IngestEngines,
  source: SourceDefinition,
  { asOf }: Snapshot,
  relation: RelationOf,
): Promise<ExpectationVerdict[]> {
  const column = freshnessColumn(source);
  if (source.expect?.freshWithin === undefined || column === null) return [];
  const { atMost, severity } = source.expect.freshWithin;
  const name = quoteIdentifier(column);
  // Schedules reach into the future: only what has happened tells how fresh a source is.
  const [row] = await engine.rows(
    `SELECT max(${name}) AS newest FROM ${await relation([column])} WHERE ${name} <= ${timestampLiteral(asOf)}`,
  );
  const age = typeof row?.newest === "number" ? asOf - row.newest : null;
  const says = `the newest ${column} is ${age === null ? "in the future" : `${lengthOfTime(age)} old`}, at most ${lengthOfTime(atMost)}`;
  return [{ rule: "freshness", column, severity, kept: age !== null && age <= atMost, observed: age, says }];
}

const UNITS = [
  ["d", 86_400_000_000],
  ["h", 3_600_000_000],
  ["m", 60_000_000],
  ["s", 1_000_000],
] as const;

/** "3d 4h": the greatest unit that fits, and the next. */
function lengthOfTime(micros: number): string {
  const first = UNITS.findIndex(([, unit]) => micros >= unit);
  if (first < 0) return `${micros / 1_000}ms`;
  let left = micros;
  const shown = UNITS.slice(first, first + 2).map(([name, unit]) => {
    const count = Math.floor(left / unit);
    left -= count * unit;
    return [count, name] as const;
  });
  return shown.flatMap(([count, name]) => (count === 0 ? [] : [`${count}${name}`])).join(" ");
}

/** Within one delivery the rows themselves are judged; what several parts have between them can only be told. */
async function uniqueVerdicts(
  { engine }: IngestEngines,
  source: SourceDefinition,
  { parts }: Snapshot,
  relation: RelationOf,
): Promise<ExpectationVerdict[]> {
  if (parts.length < 2) return [];
  const alone = Object.entries(source.contracts).flatMap(([column, { unique, severity }]) =>
    unique === true ? [{ columns: [column], severity }] : [],
  );
  const wanted = [...alone, ...(source.expect?.unique ?? [])].filter(({ columns }) => !holdsKey(source, columns));
  const verdicts: ExpectationVerdict[] = [];
  for (const { columns, severity } of wanted) {
    const names = columns.map(quoteIdentifier).join(", ");
    const known = columns.map((column) => `${quoteIdentifier(column)} IS NOT NULL`).join(" AND ");
    const [row] = await engine.rows(
      `SELECT coalesce(sum(n - 1), 0)::BIGINT AS repeated
       FROM (SELECT count(*) AS n FROM ${await relation(columns)} WHERE ${known} GROUP BY ${names} HAVING count(*) > 1)`,
    );
    const observed = Number(row?.repeated);
    const column = columns.join(", ");
    const says = `${observed} ${observed === 1 ? "row repeats" : "rows repeat"} ${column} of others`;
    const kept = observed === 0;
    verdicts.push({ rule: "unique", column, severity: severity === "stop" ? "stop" : "warn", kept, observed, says });
  }
  return verdicts;
}

/** A row is read once for each key. */
const holdsKey = ({ key }: SourceDefinition, columns: readonly string[]) =>
  key.length > 0 && key.every((column) => columns.includes(column));
