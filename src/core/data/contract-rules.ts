import type { ColumnContract, Severity, SourceDefinition } from "../definitions/index.ts";
import { SQL_TYPES } from "./column-sql.ts";
import { dataErrors } from "./errors.ts";
import { quoteIdentifier, quoteLiteral } from "./sql.ts";

/** One check of a contract, compiled: a SQL condition that is true for rows that break it. */
export interface Rule {
  readonly column: string;
  readonly rule: string;
  readonly severity: Severity;
  readonly broken: string;
  readonly personal: boolean;
}

/** Prefix under which a column's text as delivered stands beside its typed value, where the two can differ. */
export const RAW = "__raw_";
/** The row's place in its file. */
export const ROW = "__n";

/** A delivered column as its declared type: what cannot be read becomes NULL, and the "type" rule counts it. */
export function typed(column: string, { type }: ColumnContract): string {
  const name = quoteIdentifier(column);
  // By way of TIMESTAMPTZ an offset is honoured, and a text without one is UTC (the session's zone).
  return type === "timestamp" ? `TRY_CAST(${name} AS TIMESTAMPTZ)::TIMESTAMP` : `TRY_CAST(${name} AS ${SQL_TYPES[type]})`;
}

/**
 * Every check of a source's contract. `references` gives, for "source.column", a SQL query of its allowed values.
 * @throws DATA_REFERENCE_UNKNOWN
 */
export function contractRules(source: SourceDefinition, references: ReadonlyMap<string, string>): Rule[] {
  const rules = Object.entries(source.contracts).flatMap(([column, contract]) =>
    columnRules(source, column, contract, references),
  );
  if (source.key.length === 0) return rules;
  const key = source.key.map(quoteIdentifier);
  const anyNull = key.map((name) => `${name} IS NULL`).join(" OR ");
  const rule = { rule: "key", severity: "quarantine", personal: false } as const;
  rules.push({ ...rule, column: source.key.join(", "), broken: anyNull });
  const later = `row_number() OVER (PARTITION BY ${key.join(", ")} ORDER BY ${ROW} DESC) > 1`;
  rules.push({ ...rule, column: source.key.join(", "), rule: "duplicate key", broken: `NOT (${anyNull}) AND ${later}` });
  return rules;
}

function columnRules(
  source: SourceDefinition,
  column: string,
  contract: ColumnContract,
  references: ReadonlyMap<string, string>,
): Rule[] {
  const name = quoteIdentifier(column);
  const raw = quoteIdentifier(RAW + column);
  const rules: Rule[] = [];
  const add = (rule: string, broken: string) =>
    rules.push({ column, rule, severity: contract.severity, broken, personal: contract.personal === true });
  add("type", `${raw} IS NOT NULL AND ${name} IS NULL`);
  if (contract.nullable === false) add("null", `${raw} IS NULL`);
  const { min, max, values, reference, pattern } = contract;
  if (min !== undefined) add("range", `${name} < ${min} OR ${name} > ${max ?? min} OR isnan(${name}::DOUBLE)`);
  if (values !== undefined) {
    const allowed = values.map((value) => (typeof value === "number" ? String(value) : quoteLiteral(value)));
    add("set", `${name} NOT IN (${allowed.join(", ")})`);
  }
  if (pattern !== undefined) add("pattern", `NOT regexp_full_match(${name}, ${quoteLiteral(pattern)})`);
  if (contract.unique === true) add("unique", `${name} IS NOT NULL AND count(*) OVER (PARTITION BY ${name}) > 1`);
  if (reference !== undefined) {
    const allowed = references.get(reference);
    if (allowed === undefined)
      throw dataErrors.DATA_REFERENCE_UNKNOWN(`${source.name}.${column} refers to ${reference}, which is not there`);
    // A left join would repeat rows; IN over a query of distinct non-null values answers true or false for every non-null value.
    add("reference", `${name} IS NOT NULL AND ${name} NOT IN (${allowed})`);
  }
  return rules;
}
