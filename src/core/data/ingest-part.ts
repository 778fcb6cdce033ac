import { randomUUID } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import type { FileFormat, SourceDefinition } from "../definitions/index.ts";
import { OrreryError } from "../errors.ts";
import type { ArtifactStore, TableEngine } from "../ports/index.ts";
import { isExact, ROW, rawColumn, rawName, typedColumn } from "./column-sql.ts";
import type { Rule } from "./contract-rules.ts";
import { dataErrors } from "./errors.ts";
import { nearestName } from "./nearest-name.ts";
import type { SnapshotPart, Violation } from "./snapshot.ts";
import { fileList, quoteIdentifier, quoteLiteral } from "./sql.ts";

export interface IngestEngines {
  readonly engine: TableEngine;
  readonly artifacts: ArtifactStore;
  readonly tmpDirectory: string;
}

export interface InputFile {
  readonly path: string;
  readonly inputHash: string;
}

const SAMPLES = 5;
/** A multiple of DuckDB's vectors of 2048 rows; small enough that a filter by event time skips most groups. */
const ROW_GROUP = 49_152;
const PARQUET = "application/vnd.apache.parquet";

/**
 * Takes in one file: typed columns, every row judged by the contract in one scan, good rows to immutable Parquet in the order of
 * their events, quarantined ones to another with the reason. Nothing is left behind where it throws.
 * @throws DATA_COLUMN_MISSING, DATA_FILE_CORRUPT, DATA_CONTRACT_STOPPED, DATA_STORE_UNWRITABLE
 */
export async function ingestPart(
  engines: IngestEngines,
  source: SourceDefinition,
  file: InputFile,
  rules: readonly Rule[],
): Promise<SnapshotPart> {
  const { engine } = engines;
  const staged = quoteIdentifier(`staged_${randomUUID()}`);
  try {
    await stageRows(engine, source, file.path, rules, staged);
    const counts = await countStaged(engine, source, rules, staged);
    const violations = await sampleViolations(engine, rules, counts.broken, staged);
    const stopped = violations.filter(({ severity }) => severity === "stop");
    if (stopped.length > 0) {
      const list = stopped.map(({ column, rule, rows }) => `${column} (${rule}: ${rows} rows)`).join(", ");
      throw dataErrors.DATA_CONTRACT_STOPPED(`${basename(file.path)} breaks the contract of ${source.name}: ${list}`, {
        details: { violations: stopped },
      });
    }
    const columns = Object.keys(source.contracts).map(quoteIdentifier).join(", ");
    const order = source.eventTime === undefined ? ROW : `${quoteIdentifier(source.eventTime)}, ${ROW}`;
    const good = await copyToArtifact(engines, `SELECT ${columns} FROM ${staged} WHERE NOT __quarantined ORDER BY ${order}`);
    const bad =
      counts.quarantined === 0
        ? null
        : await copyToArtifact(
            engines,
            `SELECT ${columns}, ${reason(rules)} AS __reason FROM ${staged} WHERE __quarantined ORDER BY ${ROW}`,
          );
    return {
      inputHash: file.inputHash,
      file: basename(file.path),
      sha256: good.sha256,
      bytes: good.bytes,
      rows: counts.rows - counts.quarantined,
      quarantine: bad?.sha256 ?? null,
      quarantined: counts.quarantined,
      nulls: counts.nulls,
      violations,
    };
  } finally {
    await engine.run(`DROP TABLE IF EXISTS ${staged}`);
  }
}

/** What rows from elsewhere are written as before they are taken in is CSV. */
const formatOf = ({ origin }: SourceDefinition): FileFormat => (origin.kind === "files" ? origin.format : "csv");

function fileRelation(source: SourceDefinition, path: string): string {
  const files = fileList([path]);
  const format = formatOf(source);
  if (format === "parquet")
    return `(SELECT * EXCLUDE (file_row_number), file_row_number AS ${ROW} FROM read_parquet(${files}, file_row_number = true))`;
  if (format === "json-lines") throw dataErrors.DATA_ORIGIN_MISSING(`Nothing here can read JSON lines of source ${source.name}`);
  // Everything as text first: a bad cell is then a counted violation of one row, not the end of the file.
  return `(SELECT *, row_number() OVER () - 1 AS ${ROW} FROM read_csv(${files}, header = true, all_varchar = true, nullstr = '', parallel = false))`;
}

/** Type of each column that the file holds. */
async function deliveredTypes(engine: TableEngine, source: SourceDefinition, path: string): Promise<Map<string, string>> {
  try {
    const described = await engine.rows(`DESCRIBE SELECT * EXCLUDE (${ROW}) FROM ${fileRelation(source, path)}`);
    return new Map(described.map((row) => [String(row.column_name), String(row.column_type)]));
  } catch (cause) {
    throw unreadable(source, path, cause);
  }
}

/** An engine that has no room is not the file's fault. */
function unreadable(source: SourceDefinition, path: string, cause: unknown): unknown {
  if (!(cause instanceof OrreryError) || cause.kind !== "invalid") return cause;
  return dataErrors.DATA_FILE_CORRUPT(
    `${basename(path)} of source ${source.name} cannot be read as ${formatOf(source)}: ${cause.message}`,
    { cause },
  );
}

const flag = (i: number) => `__v${i}`;
const anyOf = (rules: readonly Rule[], keep: (rule: Rule) => boolean) => {
  const flags = rules.flatMap((rule, i) => (keep(rule) ? [flag(i)] : []));
  return flags.length === 0 ? "false" : `(${flags.join(" OR ")})`;
};
const flags = (rules: readonly Rule[], among: Rule["among"]) =>
  rules.flatMap((rule, i) => (rule.among === among ? [`coalesce(${rule.broken}, false) AS ${flag(i)}`] : []));

/** One pass over the file into a temporary table: values as typed, and a flag for each rule. */
async function stageRows(
  engine: TableEngine,
  source: SourceDefinition,
  path: string,
  rules: readonly Rule[],
  staged: string,
): Promise<void> {
  const delivered = await deliveredTypes(engine, source, path);
  const columns = Object.entries(source.contracts).map(([column, { type }]) => {
    const from = delivered.get(column);
    if (from === undefined) throw missingColumn(source, path, column, [...delivered.keys()]);
    return { column, type, from };
  });
  const raw = columns.map(({ column, type, from }) => `${rawColumn(column, type, from)} AS ${rawName(column)}`);
  const typed = columns.map(({ column, type, from }) => `${typedColumn(column, type, from)} AS ${quoteIdentifier(column)}`);
  // A column of the declared type needs no copy of what was delivered once its rules are judged: its "type" rule never holds.
  const spent = columns
    .filter(({ type, from }) => isExact(type, from) && type !== "timestamp")
    .map(({ column }) => rawName(column));
  const quarantines = (rule: Rule) => rule.severity === "quarantine";
  const judged = `SELECT *, ${anyOf(rules, (rule) => rule.among === "row" && quarantines(rule))} AS __bad
    FROM (SELECT ${["*", ...flags(rules, "row")].join(", ")}
      FROM (SELECT ${["*", ...typed].join(", ")} FROM (SELECT ${[...raw, ROW].join(", ")} FROM ${fileRelation(source, path)})))`;
  try {
    await engine.run(
      `CREATE TEMP TABLE ${staged} AS
       SELECT *${spent.length === 0 ? "" : ` EXCLUDE (${spent.join(", ")})`}, ${anyOf(rules, quarantines)} AS __quarantined
       FROM (SELECT ${["*", ...flags(rules, "rows")].join(", ")} FROM (${judged}))`,
    );
  } catch (cause) {
    throw unreadable(source, path, cause);
  }
}

async function countStaged(engine: TableEngine, source: SourceDefinition, rules: readonly Rule[], staged: string) {
  const limited = nullLimits(source);
  const [row] = await engine.rows(
    `SELECT ${[
      "count(*) AS n",
      "count(*) FILTER (WHERE __quarantined) AS q",
      ...rules.map((_, i) => `count(*) FILTER (WHERE ${flag(i)}) AS v${i}`),
      ...limited.map(
        ({ column }, i) => `count(*) FILTER (WHERE NOT __quarantined AND ${quoteIdentifier(column)} IS NULL) AS n${i}`,
      ),
    ].join(", ")} FROM ${staged}`,
  );
  return {
    rows: Number(row?.n),
    quarantined: Number(row?.q),
    broken: rules.map((_, i) => Number(row?.[`v${i}`])),
    nulls: Object.fromEntries(limited.map(({ column }, i) => [column, Number(row?.[`n${i}`])])),
  };
}

/** Columns whose share of nulls is limited. */
export const nullLimits = (source: SourceDefinition): { column: string; atMost: number }[] =>
  Object.entries(source.contracts).flatMap(([column, { nullable }]) =>
    nullable === false || nullable.atMost >= 1 ? [] : [{ column, atMost: nullable.atMost }],
  );

async function sampleViolations(
  engine: TableEngine,
  rules: readonly Rule[],
  broken: readonly number[],
  staged: string,
): Promise<Violation[]> {
  const violations: Violation[] = [];
  for (const [i, { column, rule, severity, sample }] of rules.entries()) {
    const rows = broken[i] ?? 0;
    if (rows === 0) continue;
    const samples =
      sample === null
        ? []
        : await engine.rows(
            `SELECT coalesce(left(${sample}::VARCHAR, 100), 'null') AS value FROM ${staged} WHERE ${flag(i)} ORDER BY ${ROW} LIMIT ${SAMPLES}`,
          );
    violations.push({ column, rule, severity, rows, samples: samples.map(({ value }) => String(value)) });
  }
  return violations;
}

/** SQL of everything a quarantined row broke: "origin: set; distance: range". */
function reason(rules: readonly Rule[]): string {
  const each = rules.flatMap(({ column, rule, severity }, i) =>
    severity === "quarantine" ? [`CASE WHEN ${flag(i)} THEN ${quoteLiteral(`${column}: ${rule}`)} END`] : [],
  );
  return `concat_ws('; ', ${each.join(", ")})`;
}

async function copyToArtifact({ engine, artifacts, tmpDirectory }: IngestEngines, query: string) {
  const path = join(tmpDirectory, `part-${randomUUID()}.parquet`);
  try {
    await mkdir(tmpDirectory, { recursive: true });
  } catch (cause) {
    throw dataErrors.DATA_STORE_UNWRITABLE(`The folder ${tmpDirectory} cannot be made`, { cause });
  }
  try {
    await engine.run(`COPY (${query}) TO ${quoteLiteral(path)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${ROW_GROUP})`);
    return await artifacts.putFile(path, PARQUET);
  } finally {
    await rm(path, { force: true });
  }
}

function missingColumn(source: SourceDefinition, path: string, column: string, there: readonly string[]): OrreryError {
  const nearest = nearestName(column, there);
  const guess = nearest === null ? "." : `; did you mean "${nearest}"?`;
  return dataErrors.DATA_COLUMN_MISSING(
    `${basename(path)} of source ${source.name} has no column "${column}"${guess} It has ${there.join(", ")}`,
    { details: { file: path, column, columns: there } },
  );
}
