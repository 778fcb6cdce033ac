import type { ColumnContract, Severity, SourceDefinition } from "../definitions/index.ts";
import type { TableEngine } from "../ports/index.ts";
import { NUMERIC, RESERVED, ROW, rawName } from "./column-sql.ts";
import { dataErrors } from "./errors.ts";
import { checkExpectations } from "./expectation-limits.ts";
import { quoteIdentifier, quoteLiteral } from "./sql.ts";

/** One check of a contract, compiled: a SQL condition that is true for rows that break it. */
export interface Rule {
  /** The column, or the key's columns. */
  readonly column: string;
  readonly rule: string;
  readonly severity: Severity;
  readonly broken: string;
  /** Judges a row by itself, or among the others; the latter are judged last and may ask for `__bad`. */
  readonly among: "row" | "rows";
  /** SQL of the offending value, for samples; null where it is personal. */
  readonly sample: string | null;
}

/**
 * Every check of a source's contract. `references` gives, for "source.column", a SQL query of its allowed values.
 * @throws DATA_CONTRACT_INVALID, DATA_REFERENCE_UNKNOWN
 */
export function contractRules(source: SourceDefinition, references: ReadonlyMap<string, string>): Rule[] {
  refuseClashes(source);
  checkExpectations(source);
  const rules = Object.entries(source.contracts).flatMap(([column, contract]) =>
    columnRules(source, column, contract, references),
  );
  rules.push(...uniqueRules(source));
  if (source.key.length === 0) return rules;
  const key = source.key.map(quoteIdentifier);
  const personal = source.key.some((column) => source.contracts[column]?.personal === true);
  const anyNull = key.map((name) => `${name} IS NULL`).join(" OR ");
  rules.push({
    column: source.key.join(", "),
    rule: "key",
    severity: "quarantine",
    broken: `${anyNull} OR ${repeated(versionColumns(source))}`,
    among: "rows",
    sample: personal ? null : together(key),
  });
  return rules;
}

const together = (names: readonly string[]) =>
  `concat_ws(', ', ${names.map((name) => `coalesce(${name}::VARCHAR, 'null')`).join(", ")})`;

/** Values that stand in one row only, over several columns; a null among them is like no other. */
function uniqueRules(source: SourceDefinition): Rule[] {
  return (source.expect?.unique ?? []).map(({ columns, severity }) => {
    const names = columns.map(quoteIdentifier);
    const known = names.map((name) => `${name} IS NOT NULL`).join(" AND ");
    const personal = columns.some((column) => source.contracts[column]?.personal === true);
    const broken = `${known} AND ${sharedWithOthers(source, names)}`;
    return {
      column: columns.join(", "),
      rule: "unique",
      severity,
      broken: source.deleted === undefined ? broken : `NOT coalesce(${quoteIdentifier(source.deleted)}, false) AND ${broken}`,
      among: "rows",
      sample: personal ? null : together(names),
    };
  });
}

/** Versions of one row may repeat its values; of several rows with the same the last sound one stands. */
function sharedWithOthers({ key }: SourceDefinition, names: readonly string[]): string {
  const values = names.join(", ");
  if (key.length === 0) return repeated(names);
  const row = `row(${key.map(quoteIdentifier).join(", ")})`;
  return `${row} IS DISTINCT FROM first_value(${row}) OVER (PARTITION BY ${values} ORDER BY __bad, ${ROW} DESC)`;
}

/** What tells a source's versions of rows apart: rows of one key that become known at different times are versions of one row. */
export function versionColumns({ key, availability, eventTime }: SourceDefinition): string[] {
  const { default: known = eventTime } = availability;
  return [...new Set([...key, ...(known === undefined ? [] : [known])])].map(quoteIdentifier);
}

/** Columns that a row which only says that its key is deleted must have: which one, and since when. */
function neededByDeletion({
  key,
  availability,
  eventTime,
  deleted,
  watermark,
}: SourceDefinition): ReadonlySet<string | undefined> {
  return new Set([...key, availability.default ?? eventTime, deleted, watermark?.column]);
}

/** Of rows with equal values the last sound one stands; a broken one must not push a sound one out. */
const repeated = (columns: readonly string[]) =>
  `row_number() OVER (PARTITION BY ${columns.join(", ")} ORDER BY __bad, ${ROW} DESC) > 1`;

function refuseClashes(source: SourceDefinition): void {
  const seen = new Map<string, string>();
  for (const column of Object.keys(source.contracts)) {
    const other = seen.get(column.toLowerCase());
    if (other !== undefined) {
      throw dataErrors.DATA_CONTRACT_INVALID(
        `${source.name} declares "${other}" and "${column}", which differ only in upper and lower case`,
      );
    }
    if (RESERVED.test(column)) {
      throw dataErrors.DATA_CONTRACT_INVALID(`${source.name} declares "${column}", a name that is kept for Orrery's own columns`);
    }
    seen.set(column.toLowerCase(), column);
  }
}

function columnRules(
  source: SourceDefinition,
  column: string,
  contract: ColumnContract,
  references: ReadonlyMap<string, string>,
): Rule[] {
  const { type, min, max, values, reference, pattern, severity } = contract;
  const name = quoteIdentifier(column);
  const raw = rawName(column);
  const rules: Rule[] = [];
  const { deleted } = source;
  const unless =
    deleted === undefined || neededByDeletion(source).has(column) ? "" : `NOT coalesce(${quoteIdentifier(deleted)}, false) AND `;
  const add = (rule: string, broken: string, more: Partial<Rule> = {}) =>
    rules.push({
      column,
      rule,
      severity,
      broken: unless === "" ? broken : `${unless}(${broken})`,
      among: "row",
      ...more,
      sample: contract.personal === true ? null : (more.sample ?? name),
    });
  const invalid = (what: string) => dataErrors.DATA_CONTRACT_INVALID(`${source.name}.${column} ${what}`);
  const refuse = (what: string) => invalid(`is a ${type} and cannot have ${what}`);

  add("type", `${raw} IS NOT NULL AND ${name} IS NULL`, { sample: raw });
  if (contract.nullable === false) add("null", `${raw} IS NULL`);
  else if (!(contract.nullable.atMost >= 0 && contract.nullable.atMost <= 1))
    throw invalid(`may be null in a share of ${contract.nullable.atMost}, which is not between 0 and 1`);
  if (min !== undefined || max !== undefined) {
    if (!NUMERIC.has(type)) throw refuse("a range of numbers");
    // An infinite limit is none, and has no literal in SQL.
    const below = Number.isFinite(min) ? [`${name} < ${min}`] : [];
    const above = Number.isFinite(max) ? [`${name} > ${max}`] : [];
    if (Number.isNaN(min) || Number.isNaN(max)) throw refuse("a limit that is no number");
    if (min !== undefined && max !== undefined && min > max)
      throw invalid(`cannot lie between ${min} and ${max}: no number does`);
    if (below.length + above.length > 0) add("range", [...below, ...above].join(" OR "));
  }
  if (values !== undefined) {
    if (type === "timestamp") throw refuse("a set of values");
    if (type !== "string" && values.some((value) => typeof value !== "number" || !Number.isFinite(value)))
      throw refuse("a set with something else in it than numbers");
    if (isOutside(values, min, max)) throw invalid(`has no value in its set that lies between ${min} and ${max}`);
    const allowed = values.map((value) => (type === "string" ? quoteLiteral(String(value)) : String(Number(value))));
    add("set", allowed.length === 0 ? `${name} IS NOT NULL` : `${name} NOT IN (${allowed.join(", ")})`);
  }
  if (pattern !== undefined) add("pattern", `NOT regexp_full_match(${name}::VARCHAR, ${quoteLiteral(pattern)})`);
  if (contract.unique === true) {
    const isKey = source.key.length === 1 && source.key[0] === column;
    const shared = isKey ? repeated(versionColumns(source)) : sharedWithOthers(source, [name]);
    add("unique", `${name} IS NOT NULL AND ${shared}`, { among: "rows" });
  }
  if (reference !== undefined) {
    const allowed = references.get(reference);
    if (allowed === undefined)
      throw dataErrors.DATA_REFERENCE_UNKNOWN(`${source.name}.${column} refers to ${reference}, which is not there`);
    // A join would repeat rows; NOT IN answers true or false for every value because the query holds no null.
    add("reference", `${name} IS NOT NULL AND ${name} NOT IN (${allowed})`);
  }
  return rules;
}

const isOutside = (values: readonly (string | number)[], min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY) =>
  values.length > 0 && values.every((value) => typeof value === "number" && (value < min || value > max));

/**
 * Whether a source's contract makes sense by itself: types, limits, patterns; not what it refers to.
 * @throws DATA_CONTRACT_INVALID, DATA_PATTERN_INVALID
 */
export async function checkContract(engine: TableEngine, source: SourceDefinition): Promise<void> {
  const anything = Object.values(source.contracts).map(({ reference = "" }) => [reference, "SELECT NULL"] as const);
  contractRules(source, new Map(anything));
  await checkPatterns(engine, source);
}

/** @throws DATA_PATTERN_INVALID for a regular expression that the engine does not take */
export async function checkPatterns(engine: TableEngine, source: SourceDefinition): Promise<void> {
  for (const [column, { pattern }] of Object.entries(source.contracts)) {
    if (pattern === undefined) continue;
    try {
      await engine.rows("SELECT regexp_full_match('', $1::VARCHAR) AS matches", [pattern]);
    } catch (cause) {
      throw dataErrors.DATA_PATTERN_INVALID(`The pattern "${pattern}" of ${source.name}.${column} cannot be read`, { cause });
    }
  }
}
