import { randomUUID } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import type { SourceDefinition } from "../definitions/index.ts";
import { OrreryError } from "../errors.ts";
import type { ArtifactStore, TableEngine } from "../ports/index.ts";
import { RAW, ROW, type Rule, typed } from "./contract-rules.ts";
import { dataErrors } from "./errors.ts";
import type { SnapshotPart, Violation } from "./snapshot.ts";
import { fileList, quoteIdentifier, quoteLiteral } from "./sql.ts";

export interface IngestEngines {
  readonly engine: TableEngine;
  readonly artifacts: ArtifactStore;
  readonly tmpDirectory: string;
}

const SAMPLES = 5;
const ROW_GROUP = 32_768;
const PARQUET = "application/vnd.apache.parquet";

/**
 * Takes in one file: typed columns, every row judged by the contract in one scan, good rows to immutable Parquet, quarantined
 * ones to another with the reason. Nothing is left behind where it throws.
 * @throws DATA_COLUMN_MISSING, DATA_EMPTY, DATA_FILE_CORRUPT, DATA_CONTRACT_STOPPED, DATA_NOTHING_LEFT
 */
export async function ingestPart(
  engines: IngestEngines,
  source: SourceDefinition,
  file: { readonly path: string; readonly inputHash: string },
  rules: readonly Rule[],
): Promise<SnapshotPart> {
  const { engine } = engines;
  const staged = quoteIdentifier(`staged_${randomUUID()}`);
  try {
    await stageRows(engine, source, file.path, rules, staged);
    const counts = await countViolations(engine, source, file.path, rules, staged);
    const violations = await sampleViolations(engine, rules, counts.broken, staged);
    const stopped = violations.filter(({ severity }) => severity === "stop");
    if (stopped.length > 0) {
      const list = stopped.map(({ column, rule, rows }) => `${column} (${rule}: ${rows} rows)`).join(", ");
      throw dataErrors.DATA_CONTRACT_STOPPED(`${basename(file.path)} breaks the contract of ${source.name}: ${list}`, {
        details: { violations: stopped },
      });
    }
    if (counts.quarantined === counts.rows) {
      throw dataErrors.DATA_NOTHING_LEFT(`Every row of ${basename(file.path)} breaks the contract of ${source.name}`, {
        details: { violations },
      });
    }
    const columns = Object.keys(source.contracts).map(quoteIdentifier).join(", ");
    const order = source.eventTime === undefined ? ROW : `${quoteIdentifier(source.eventTime)}, ${ROW}`;
    const good = await copyToArtifact(engines, `SELECT ${columns} FROM ${staged} WHERE NOT __quarantined ORDER BY ${order}`);
    const reason = `array_to_string([${quarantining(rules)
      .map(([i, rule]) => `CASE WHEN __v${i} THEN ${quoteLiteral(`${rule.column}: ${rule.rule}`)} END`)
      .join(", ")}], '; ')`;
    const bad =
      counts.quarantined === 0
        ? null
        : await copyToArtifact(
            engines,
            `SELECT ${columns}, ${reason} AS __reason FROM ${staged} WHERE __quarantined ORDER BY ${ROW}`,
          );
    return {
      inputHash: file.inputHash,
      file: basename(file.path),
      sha256: good.sha256,
      bytes: good.bytes,
      rows: counts.rows - counts.quarantined,
      quarantine: bad?.sha256 ?? null,
      quarantined: counts.quarantined,
      nulls: await countNulls(engine, source, staged),
      violations,
    };
  } finally {
    await engine.run(`DROP TABLE IF EXISTS ${staged}`);
  }
}

const quarantining = (rules: readonly Rule[]) => [...rules.entries()].filter(([, { severity }]) => severity === "quarantine");

function fileRelation(source: SourceDefinition, path: string): string {
  if (source.format === "parquet")
    return `(SELECT * EXCLUDE (file_row_number), file_row_number AS ${ROW} FROM read_parquet(${fileList([path])}, file_row_number = true))`;
  // Everything as text first: a bad cell is then a counted violation of one row, not the end of the file.
  return `(SELECT *, row_number() OVER () AS ${ROW} FROM read_csv(${fileList([path])}, header = true, all_varchar = true, nullstr = ['', 'NA'], parallel = false))`;
}

async function stageRows(
  engine: TableEngine,
  source: SourceDefinition,
  path: string,
  rules: readonly Rule[],
  staged: string,
): Promise<void> {
  const relation = fileRelation(source, path);
  let there: string[];
  try {
    there = (await engine.rows(`DESCRIBE SELECT * FROM ${relation}`)).map((row) => String(row.column_name));
  } catch (cause) {
    const why = cause instanceof OrreryError ? cause.message : String(cause);
    throw dataErrors.DATA_FILE_CORRUPT(`${basename(path)} of source ${source.name} cannot be read as ${source.format}: ${why}`, {
      cause,
    });
  }
  for (const column of Object.keys(source.contracts))
    if (!there.includes(column)) throw missingColumn(source, path, column, there);
  const columns = Object.entries(source.contracts).flatMap(([column, contract]) => [
    `${typed(column, contract)} AS ${quoteIdentifier(column)}`,
    `${quoteIdentifier(column)} AS ${quoteIdentifier(RAW + column)}`,
  ]);
  const flags = rules.map(({ broken }, i) => `coalesce(${broken}, false) AS __v${i}`);
  const quarantined = quarantining(rules).map(([i]) => `__v${i}`);
  try {
    await engine.run(
      `CREATE TEMP TABLE ${staged} AS SELECT *, ${quarantined.length === 0 ? "false" : quarantined.join(" OR ")} AS __quarantined
       FROM (SELECT *${flags.length === 0 ? "" : `, ${flags.join(", ")}`} FROM (SELECT ${columns.join(", ")}, ${ROW} FROM ${relation}))`,
    );
  } catch (cause) {
    if (!(cause instanceof OrreryError) || cause.kind !== "invalid") throw cause;
    if (/regular expression|regex|missing \)|bad repetition/i.test(cause.message))
      throw dataErrors.DATA_PATTERN_INVALID(`A pattern of ${source.name} is not valid: ${cause.message}`, { cause });
    throw dataErrors.DATA_FILE_CORRUPT(`${basename(path)} of source ${source.name} cannot be read: ${cause.message}`, { cause });
  }
}

async function countViolations(
  engine: TableEngine,
  source: SourceDefinition,
  path: string,
  rules: readonly Rule[],
  staged: string,
) {
  const counts = rules.map((_, i) => `count(*) FILTER (WHERE __v${i}) AS v${i}`);
  const [row] = await engine.rows(
    `SELECT ${["count(*) AS n", "count(*) FILTER (WHERE __quarantined) AS q", ...counts].join(", ")} FROM ${staged}`,
  );
  const rows = Number(row?.n);
  if (rows === 0) throw dataErrors.DATA_EMPTY(`${basename(path)} of source ${source.name} has no rows`);
  return { rows, quarantined: Number(row?.q), broken: rules.map((_, i) => Number(row?.[`v${i}`])) };
}

/** Columns that may be null, up to a share of rows. */
export const nullLimits = (source: SourceDefinition): { column: string; atMost: number }[] =>
  Object.entries(source.contracts).flatMap(([column, { nullable }]) =>
    nullable === false || nullable.atMost >= 1 ? [] : [{ column, atMost: nullable.atMost }],
  );

async function countNulls(engine: TableEngine, source: SourceDefinition, staged: string): Promise<Record<string, number>> {
  const limited = nullLimits(source);
  if (limited.length === 0) return {};
  const counts = limited.map(({ column }, i) => `count(*) FILTER (WHERE ${quoteIdentifier(column)} IS NULL) AS n${i}`);
  const [row] = await engine.rows(`SELECT ${counts.join(", ")} FROM ${staged} WHERE NOT __quarantined`);
  return Object.fromEntries(limited.map(({ column }, i) => [column, Number(row?.[`n${i}`])]));
}

async function sampleViolations(
  engine: TableEngine,
  rules: readonly Rule[],
  broken: readonly number[],
  staged: string,
): Promise<Violation[]> {
  const violations: Violation[] = [];
  for (const [i, { column, rule, severity, personal }] of rules.entries()) {
    const rows = broken[i] ?? 0;
    if (rows === 0) continue;
    const shown = rule === "type" ? RAW + column : column;
    const cell = rule.endsWith("key") ? ROW : quoteIdentifier(shown);
    const samples = personal
      ? []
      : await engine.rows(
          `SELECT left(${cell}::VARCHAR, 100) AS value FROM ${staged} WHERE __v${i} ORDER BY ${ROW} LIMIT ${SAMPLES}`,
        );
    violations.push({
      column,
      rule,
      severity,
      rows,
      samples: samples.map(({ value }) => (value === null ? "null" : String(value))),
    });
  }
  return violations;
}

async function copyToArtifact({ engine, artifacts, tmpDirectory }: IngestEngines, query: string) {
  await mkdir(tmpDirectory, { recursive: true });
  const path = join(tmpDirectory, `part-${randomUUID()}.parquet`);
  try {
    await engine.run(`COPY (${query}) TO ${quoteLiteral(path)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${ROW_GROUP})`);
    return await artifacts.putFile(path, PARQUET);
  } finally {
    await rm(path, { force: true });
  }
}

function missingColumn(source: SourceDefinition, path: string, column: string, there: readonly string[]): OrreryError {
  const nearest = there
    .filter((name) => name !== ROW)
    .map((name) => ({ name, distance: editDistance(name.toLowerCase(), column.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)[0];
  const guess =
    nearest !== undefined && nearest.distance <= Math.max(2, column.length / 3) ? `; did you mean "${nearest.name}"?` : "";
  const columns = there.filter((name) => name !== ROW).join(", ");
  return dataErrors.DATA_COLUMN_MISSING(
    `${basename(path)} of source ${source.name} has no column "${column}"${guess} It has ${columns}`,
  );
}

/** Levenshtein's distance, by rows of its matrix. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
    row = next;
  }
  return row[b.length];
}
