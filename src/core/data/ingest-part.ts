import { randomUUID } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { SourceDefinition } from "../definitions/index.ts";
import type { ArtifactStore, PushLog, SourceInputs, TableEngine } from "../ports/index.ts";
import { isExact, ROW, rawColumn, rawName, typedColumn } from "./column-sql.ts";
import type { Rule } from "./contract-rules.ts";
import { type DeliveredRows, deliveredRows, type ReadableDelivery, unreadable } from "./delivered-rows.ts";
import type { DeliveredSchema } from "./delivered-schema.ts";
import type { Delivery } from "./delivery.ts";
import { dataErrors } from "./errors.ts";
import { type KnownRows, unreadColumns } from "./known-rows.ts";
import { withUndeclared } from "./other-columns.ts";
import type { PartOrigin, SnapshotPart, Violation } from "./snapshot.ts";
import { quoteIdentifier, quoteLiteral } from "./sql.ts";
import { watermarkText } from "./watermark.ts";

export interface IngestEngines {
  readonly engine: TableEngine;
  readonly artifacts: ArtifactStore;
  readonly tmpDirectory: string;
  /** Reads sources that are elsewhere. */
  readonly inputs?: SourceInputs;
  /** Reads sources whose rows are pushed. */
  readonly pushed?: Pick<PushLog, "end" | "lastPlace" | "rows">;
  /** SQL that is true for typed rows of a source that are not taken in, because whoever they are of was erased; null where all are. */
  readonly blocked?: (source: SourceDefinition) => string | null;
}

const SAMPLES = 5;
/** A multiple of DuckDB's vectors of 2048 rows; small enough that a filter by event time skips most groups. */
const ROW_GROUP = 49_152;
const PARQUET = "application/vnd.apache.parquet";

/**
 * Takes in one delivery: typed columns, every row judged by the contract in one scan, good rows to immutable Parquet in the order of
 * their events, quarantined ones to another with the reason; rows that are known already are left out before they are judged among
 * the others. Nothing is left behind where it throws.
 * @throws DATA_COLUMN_MISSING, DATA_FILE_CORRUPT, DATA_CONTRACT_STOPPED, DATA_STORE_UNWRITABLE
 */
export async function ingestPart(
  engines: IngestEngines,
  source: SourceDefinition,
  delivery: ReadableDelivery & Pick<Delivery, "undeclared"> & Pick<SnapshotPart, "inputHash" | "from">,
  rules: readonly Rule[],
  known?: KnownRows,
): Promise<SnapshotPart> {
  const { engine } = engines;
  const staged = quoteIdentifier(`staged_${randomUUID()}`);
  try {
    const blocked = engines.blocked?.(source) ?? null;
    const { schema, isLeftOut } = await stageRows(engine, source, delivery, rules, { staged, known, blocked });
    const { undeclared, retyped } = withUndeclared(schema, delivery.undeclared ?? []);
    const counts = await countStaged(engine, source, rules, staged);
    const violations = await sampleViolations(engine, rules, counts.broken, staged);
    const stopped = violations.filter(({ severity }) => severity === "stop");
    if (stopped.length > 0) {
      const list = stopped.map(({ column, rule, rows }) => `${column} (${rule}: ${rows} rows)`).join(", ");
      throw dataErrors.DATA_CONTRACT_STOPPED(`${delivery.name} breaks the contract of ${source.name}: ${list}`, {
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
      inputHash: delivery.inputHash,
      file: delivery.name,
      sha256: good.sha256,
      bytes: good.bytes,
      rows: counts.rows - counts.quarantined,
      quarantine: bad?.sha256 ?? null,
      quarantined: counts.quarantined,
      nulls: counts.nulls,
      violations,
      ...(isLeftOut ? { leftOut: true } : {}),
      ...(undeclared.length + retyped.length === 0 ? {} : { schema: { undeclared, retyped } }),
      ...fromOf(delivery.from, counts.watermark),
    };
  } finally {
    await engine.run(`DROP TABLE IF EXISTS ${staged}`);
  }
}

const fromOf = (from: PartOrigin | undefined, watermark: string | null): Pick<SnapshotPart, "from"> =>
  from === undefined ? {} : { from: from.kind === "increment" ? { ...from, watermark } : from };

const flag = (i: number) => `__v${i}`;
const anyOf = (rules: readonly Rule[], keep: (rule: Rule) => boolean) => {
  const flags = rules.flatMap((rule, i) => (keep(rule) ? [flag(i)] : []));
  return flags.length === 0 ? "false" : `(${flags.join(" OR ")})`;
};
const flags = (rules: readonly Rule[], among: Rule["among"]) =>
  rules.flatMap((rule, i) => (rule.among === among ? [`coalesce(${rule.broken}, false) AS ${flag(i)}`] : []));

const isQuarantine = ({ severity }: Rule) => severity === "quarantine";

/**
 * SQL of delivered rows: their values as typed, what they were delivered as, a flag for each rule that judges a row by itself, and
 * `__bad` where one of these quarantines it.
 */
export function judgedRows(source: SourceDefinition, rules: readonly Rule[], { relation, types }: DeliveredRows): string {
  const columns = Object.entries(source.contracts).map(([column, { type }]) => ({ column, type, from: types.get(column) ?? "" }));
  const raw = columns.map(({ column, type, from }) => `${rawColumn(column, type, from)} AS ${rawName(column)}`);
  const typed = columns.map(({ column, type, from }) => `${typedColumn(column, type, from)} AS ${quoteIdentifier(column)}`);
  return `SELECT *, ${anyOf(rules, (rule) => rule.among === "row" && isQuarantine(rule))} AS __bad
    FROM (SELECT ${["*", ...flags(rules, "row")].join(", ")}
      FROM (SELECT ${["*", ...typed].join(", ")} FROM (SELECT ${[...raw, ROW].join(", ")} FROM ${relation})))`;
}

/** One pass over the file into a temporary table: values as typed, and a flag for each rule. */
async function stageRows(
  engine: TableEngine,
  source: SourceDefinition,
  delivery: ReadableDelivery,
  rules: readonly Rule[],
  { staged, known, blocked }: { staged: string; known: KnownRows | undefined; blocked: string | null },
): Promise<{ readonly schema: DeliveredSchema; readonly isLeftOut: boolean }> {
  const delivered = await deliveredRows(engine, source, delivery);
  const judged = judgedRows(source, rules, delivered);
  // A column of the declared type needs no copy of what was delivered once its rules are judged: its "type" rule never holds.
  const spent = Object.entries(source.contracts)
    .filter(([column, { type }]) => isExact(type, delivered.types.get(column) ?? "") && type !== "timestamp")
    .map(([column]) => rawName(column));
  const finished = (rows: string) =>
    `SELECT *${spent.length === 0 ? "" : ` EXCLUDE (${spent.join(", ")})`}, ${anyOf(rules, isQuarantine)} AS __quarantined
     FROM (SELECT ${["*", ...flags(rules, "rows")].join(", ")} FROM ${rows})`;
  const all = quoteIdentifier(`all_${randomUUID()}`);
  try {
    // Before they are judged among the others, for whom they are not there.
    const others = blocked === null ? judged : `SELECT * FROM (${judged}) WHERE NOT ${blocked}`;
    if (known === undefined) {
      await engine.run(`CREATE TEMP TABLE ${staged} AS ${finished(`(${others})`)}`);
      return { schema: delivered.schema, isLeftOut: await isOnlyOf(engine, staged, judged, blocked) };
    }
    const unread = unreadColumns(reason(rules, ({ rule }) => rule === "type"));
    await engine.run(`CREATE TEMP TABLE ${all} AS SELECT *, ${unread} AS __unread FROM (${others})`);
    await known.removeFrom(all, ROW);
    await engine.run(`CREATE TEMP TABLE ${staged} AS ${finished(all)}`);
    return { schema: delivered.schema, isLeftOut: await isOnlyOf(engine, staged, judged, blocked) };
  } catch (cause) {
    throw unreadable(source, delivery, cause);
  } finally {
    await engine.run(`DROP TABLE IF EXISTS ${all}`);
  }
}

/** Whether nothing was staged, of rows among which are those of who is blocked. */
async function isOnlyOf(engine: TableEngine, staged: string, rows: string, blocked: string | null): Promise<boolean> {
  if (blocked === null) return false;
  const isAnyIn = async (some: string) => (await engine.rows(`SELECT 1 AS found FROM ${some} LIMIT 1`)).length > 0;
  return !(await isAnyIn(staged)) && (await isAnyIn(`(${rows}) WHERE ${blocked}`));
}

async function countStaged(engine: TableEngine, source: SourceDefinition, rules: readonly Rule[], staged: string) {
  const limited = nullLimits(source);
  const watermark = watermarkText(source);
  const [row] = await engine.rows(
    `SELECT ${[
      "count(*) AS n",
      "count(*) FILTER (WHERE __quarantined) AS q",
      ...rules.map((_, i) => `count(*) FILTER (WHERE ${flag(i)}) AS v${i}`),
      `${watermark === null ? "NULL" : `max(${watermark}) FILTER (WHERE NOT __quarantined)`}::VARCHAR AS w`,
      ...limited.map(
        ({ column }, i) => `count(*) FILTER (WHERE NOT __quarantined AND ${quoteIdentifier(column)} IS NULL) AS n${i}`,
      ),
    ].join(", ")} FROM ${staged}`,
  );
  return {
    rows: Number(row?.n),
    quarantined: Number(row?.q),
    watermark: typeof row?.w === "string" ? row.w : null,
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

/** SQL of everything a quarantined row broke, or one that stops the delivery: "origin: set; distance: range". */
export function reason(
  rules: readonly Rule[],
  keep: (rule: Rule) => boolean = () => true,
  severity: Rule["severity"] = "quarantine",
): string {
  const each = rules.flatMap((rule, i) =>
    rule.severity === severity && keep(rule)
      ? [`CASE WHEN ${flag(i)} THEN ${quoteLiteral(`${rule.column}: ${rule.rule}`)} END`]
      : [],
  );
  return each.length === 0 ? "''" : `concat_ws('; ', ${each.join(", ")})`;
}

/** Writes a query's result as an immutable Parquet artifact. @throws DATA_STORE_UNWRITABLE */
export async function copyToArtifact({ engine, artifacts, tmpDirectory }: IngestEngines, query: string) {
  const path = join(tmpDirectory, `part-${randomUUID()}.parquet`);
  try {
    await mkdir(tmpDirectory, { recursive: true });
  } catch (cause) {
    throw dataErrors.DATA_STORE_UNWRITABLE(`The folder ${tmpDirectory} cannot be made`, { cause });
  }
  try {
    await engine.run(
      `COPY (${query}) TO ${quoteLiteral(path)} (FORMAT parquet, COMPRESSION lz4_raw, ROW_GROUP_SIZE ${ROW_GROUP})`,
    );
    return await artifacts.putFile(path, PARQUET);
  } finally {
    await rm(path, { force: true });
  }
}
