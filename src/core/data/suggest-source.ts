import { randomUUID } from "node:crypto";
import type { ColumnContract } from "../definitions/index.ts";
import type { TableEngine } from "../ports/index.ts";
import { NUMERIC, ROW } from "./column-sql.ts";
import { type ColumnProfile, profileSnapshot } from "./profile-snapshot.ts";
import { quoteIdentifier } from "./sql.ts";
import { suggestPattern } from "./suggest-pattern.ts";
import { type DeliveredColumn, suggestTypes, typedColumns } from "./suggest-types.ts";

/** What a source's definition could say of rows that were looked at. Every row that was looked at keeps it. */
export interface SuggestedSource {
  readonly rows: number;
  /** Not all rows were looked at. */
  readonly isSample: boolean;
  readonly key: readonly string[];
  readonly eventTime: string | null;
  readonly availableTime: string | null;
  readonly deleted: string | null;
  readonly columns: readonly SuggestedColumn[];
}

export interface SuggestedColumn {
  readonly name: string;
  readonly contract: ColumnContract;
  /** What the suggestion rests on, for people: "no value in 2000 rows". */
  readonly note: string | null;
}

/** So many rows say enough about a source. */
export const MOST_ROWS = 1_000_000;
/** A set is suggested for so few values, each of them in so many rows on average. */
const SET = { values: 20, rowsEach: 20 } as const;
const INTEGER_SET = { values: 10, rowsEach: 50 } as const;
/** So many pairs of columns are tried as a key. */
const PAIRS = 12;

const NAMES = {
  key: /(^|_|[a-z])(id|key|uuid|guid|code|number|no|nr|sku|isbn)$/i,
  personal:
    /(^|_)(e?mail|phone|mobile|first_?name|last_?name|full_?name|surname|address|street|iban|ssn|passport|birth_?(day|date)?|dob)($|_)/i,
  available:
    /(^|_)(available|known|updated|modified|changed|loaded|ingested|received|recorded|processed)(_?(at|on|time|date))?$/i,
  event: /(^|_)(event|occurred|happened|created|ordered|started|scheduled|at|ts|time|timestamp|date|day|when)($|_)/i,
  deleted: /^(is_)?(deleted|removed|tombstone)$/i,
} as const;

const MAIL = "[^@\\s]+@[^@\\s]+\\.[^@\\s]+";

/**
 * Proposes a definition from the rows of `relation`, which has the columns as they were delivered and the row's place: types, what may
 * be null, sets of few values, ranges, patterns, keys, and which times are meant. Of columns that look personal, no value is told.
 */
export async function suggestSource(
  engine: TableEngine,
  relation: string,
  columns: readonly DeliveredColumn[],
  mostRows = MOST_ROWS,
): Promise<SuggestedSource> {
  const delivered = quoteIdentifier(`delivered_${randomUUID()}`);
  const typed = quoteIdentifier(`typed_${randomUUID()}`);
  try {
    const names = [...columns.map(({ column }) => quoteIdentifier(column)), ROW].join(", ");
    await engine.run(`CREATE TEMP TABLE ${delivered} AS SELECT ${names} FROM ${relation} LIMIT ${mostRows + 1}`);
    const types = await suggestTypes(engine, delivered, columns);
    await engine.run(
      `CREATE TEMP TABLE ${typed} AS SELECT * FROM ${typedColumns(delivered, columns, types)} ORDER BY ${ROW} LIMIT ${mostRows}`,
    );
    const [counted] = await engine.rows(`SELECT count(*) AS n FROM ${delivered}`);
    const profile = await profileSnapshot(
      engine,
      typed,
      Object.fromEntries([...types].map(([column, type]) => [column, { type }])),
    );
    const facts = await exactFacts(engine, typed, profile.columns);
    const times = await suggestTimes(engine, typed, facts, profile.rows);
    const key = await suggestKey(engine, typed, facts, profile.rows, times);
    const suggested: SuggestedColumn[] = [];
    for (const each of facts) suggested.push(await suggestColumn(engine, typed, each, { rows: profile.rows, key }));
    const deleted = facts.find(
      ({ profile: { name, type, nulls } }) => type === "bool" && nulls === 0 && NAMES.deleted.test(name),
    );
    return {
      rows: profile.rows,
      isSample: Number(counted?.n) > mostRows,
      key,
      ...times,
      deleted: deleted?.profile.name ?? null,
      columns: suggested,
    };
  } finally {
    await engine.run(`DROP TABLE IF EXISTS ${delivered}`);
    await engine.run(`DROP TABLE IF EXISTS ${typed}`);
  }
}

interface ColumnFacts {
  readonly profile: ColumnProfile;
  /** Exact; null for numbers with fractions. */
  readonly distinct: number | null;
  readonly isMail: boolean;
}

async function exactFacts(engine: TableEngine, relation: string, columns: readonly ColumnProfile[]): Promise<ColumnFacts[]> {
  const asked = columns.flatMap(({ name, type }, i) => [
    ...(type === "float64" ? [] : [`count(DISTINCT ${quoteIdentifier(name)}) AS d${i}`]),
    ...(type === "string" ? [`bool_and(regexp_full_match(${quoteIdentifier(name)}, '${MAIL}')) AS m${i}`] : []),
  ]);
  const [row = {}] = await engine.rows(`SELECT ${["count(*) AS n", ...asked].join(", ")} FROM ${relation}`);
  return columns.map((profile, i) => ({
    profile,
    distinct: profile.type === "float64" ? null : Number(row[`d${i}`]),
    isMail: row[`m${i}`] === true,
  }));
}

const isUnique = ({ profile, distinct }: ColumnFacts, rows: number) => rows > 1 && profile.nulls === 0 && distinct === rows;

type SuggestedTimes = Pick<SuggestedSource, "eventTime" | "availableTime">;

/**
 * The first column that is named like a key and is one, else any that is one, else two columns that are one together. When rows became
 * known tells versions of one row apart, and is no part of its key.
 */
async function suggestKey(
  engine: TableEngine,
  relation: string,
  facts: readonly ColumnFacts[],
  rows: number,
  { eventTime, availableTime }: SuggestedTimes,
): Promise<string[]> {
  const namedFirst = (some: readonly ColumnFacts[]) =>
    some.toSorted((a, b) => Number(NAMES.key.test(b.profile.name)) - Number(NAMES.key.test(a.profile.name)));
  const usable = facts.filter(({ profile: { type, nulls } }) => nulls === 0 && type !== "float64" && type !== "bool");
  const alone = namedFirst(usable.filter((each) => each.profile.type !== "timestamp" && isUnique(each, rows)));
  if (alone[0] !== undefined) return [alone[0].profile.name];
  const things = usable.filter(({ profile }) => profile.type !== "timestamp");
  const later = ({ profile }: ColumnFacts) => Number(profile.name === availableTime);
  const times = usable.filter(({ profile }) => profile.type === "timestamp").toSorted((a, b) => later(a) - later(b));
  const pairs = namedFirst(things).flatMap((thing, at, all) =>
    [...times, ...all.slice(at + 1)].map((other) => [thing, other] as const),
  );
  // Two columns tell at most as many rows apart as they have values together.
  const possible = pairs.filter(([a, b]) => (a.distinct ?? 0) * (b.distinct ?? 0) >= rows && rows > 1).slice(0, PAIRS);
  for (const [a, b] of possible) {
    const names = [a, b].map(({ profile }) => quoteIdentifier(profile.name)).join(", ");
    const again = await engine.rows(`SELECT 1 AS found FROM ${relation} GROUP BY ${names} HAVING count(*) > 1 LIMIT 1`);
    if (again.length > 0) continue;
    if (later(b) === 0 || eventTime === null) return [a.profile.name, b.profile.name];
    return (await isSeries(engine, relation, a.profile.name, eventTime)) ? [a.profile.name, eventTime] : [a.profile.name];
  }
  return [];
}

/** Most things with several rows have several events: their rows are no versions of one row, but those of one event may be. */
async function isSeries(engine: TableEngine, relation: string, thing: string, eventTime: string): Promise<boolean> {
  const [row] = await engine.rows(
    `SELECT count(*) AS several, count(*) FILTER (events > 1) AS moving FROM (
       SELECT count(DISTINCT ${quoteIdentifier(eventTime)}) AS events FROM ${relation}
       GROUP BY ${quoteIdentifier(thing)} HAVING count(*) > 1)`,
  );
  return Number(row?.moving) * 2 > Number(row?.several);
}

async function suggestTimes(engine: TableEngine, relation: string, facts: readonly ColumnFacts[], rows: number) {
  const times = facts
    .filter(({ profile: { type, nulls } }) => type === "timestamp" && nulls === 0 && rows > 0)
    .map(({ profile }) => profile.name);
  const later = times.find((name) => NAMES.available.test(name));
  const events = times.filter((name) => name !== later);
  const event = events.find((name) => NAMES.event.test(name)) ?? events[0];
  if (event === undefined) return { eventTime: later ?? null, availableTime: null };
  if (later === undefined) return { eventTime: event, availableTime: null };
  const before = await engine.rows(
    `SELECT 1 AS found FROM ${relation} WHERE ${quoteIdentifier(later)} < ${quoteIdentifier(event)} LIMIT 1`,
  );
  // Nothing is known before it happened, but for plans.
  return { eventTime: event, availableTime: before.length === 0 ? later : null };
}

async function suggestColumn(
  engine: TableEngine,
  relation: string,
  facts: ColumnFacts,
  { rows, key }: { readonly rows: number; readonly key: readonly string[] },
): Promise<SuggestedColumn> {
  const { profile, isMail } = facts;
  const { name, type, nulls } = profile;
  const known = rows - nulls;
  const base: ColumnContract = {
    type,
    nullable: nulls === 0 && rows > 0 ? false : { atMost: nullShare(nulls, rows) },
    severity: "quarantine",
  };
  if (known === 0) return { name, contract: base, note: `no value in ${rows} rows` };
  const unique = isUnique(facts, rows) && type !== "timestamp" && type !== "bool";
  const isKey = key.length === 1 && key[0] === name;
  const contract: ColumnContract = unique && !isKey ? { ...base, unique: true } : base;
  if (isMail || NAMES.personal.test(name)) {
    const personal = { ...contract, personal: true as const };
    return {
      name,
      contract: isMail ? { ...personal, pattern: MAIL } : personal,
      note: "looks personal: no value is shown anywhere",
    };
  }
  const values = await suggestSet(engine, relation, facts, known);
  if (values !== null) return { name, contract: { ...contract, values }, note: null };
  if (type === "string") {
    const pattern = await suggestPattern(engine, relation, name);
    return { name, contract: pattern === null ? contract : { ...contract, pattern }, note: null };
  }
  const isIdentifier = unique || key.includes(name) || (NAMES.key.test(name) && type !== "float64");
  const range = NUMERIC.has(type) && !isIdentifier ? suggestRange(profile) : null;
  return range === null
    ? { name, contract, note: null }
    : { name, contract: { ...contract, ...range }, note: `${profile.min} to ${profile.max}` };
}

/** Half as many again as were found, in whole per cent; most columns that are half empty may be empty. */
function nullShare(nulls: number, rows: number): number {
  const share = rows === 0 ? 1 : nulls / rows;
  return share >= 0.5 ? 1 : Math.ceil(share * 150) / 100;
}

async function suggestSet(engine: TableEngine, relation: string, { profile, distinct }: ColumnFacts, known: number) {
  const { name, type } = profile;
  if (distinct === null || (type !== "string" && type !== "int32" && type !== "int64")) return null;
  const { values: most, rowsEach } = type === "string" ? SET : INTEGER_SET;
  if (distinct < 2 || distinct > most || known / distinct < rowsEach) return null;
  const rows = await engine.rows(
    `SELECT DISTINCT ${quoteIdentifier(name)} AS value FROM ${relation} WHERE ${quoteIdentifier(name)} IS NOT NULL ORDER BY value`,
  );
  const values = rows.map(({ value }) => value).filter((value) => typeof value === "string" || typeof value === "number");
  // Texts of a page each are no categories, and integers past 2^53 have no literal.
  return values.length === distinct && values.every((value) => String(value).length <= 60) ? values : null;
}

/** A tenth wider than what was found, in two digits; what was never below zero stays there. */
function suggestRange({ min, max, type }: ColumnProfile): Pick<ColumnContract, "min" | "max"> | null {
  if (typeof min !== "number" || typeof max !== "number") return null;
  const room = (max - min || Math.abs(max) || 1) / 10;
  const low = min >= 0 && min - room < 0 ? 0 : rounded(min - room, Math.floor);
  const high = max <= 0 && max + room > 0 ? 0 : rounded(max + room, Math.ceil);
  const bound = type === "int32" ? 2 ** 31 : Number.MAX_SAFE_INTEGER;
  const limits =
    type === "float64"
      ? { min: low, max: high }
      : { min: Math.max(Math.floor(low), -bound), max: Math.min(Math.ceil(high), bound) };
  return Number.isFinite(limits.min) && Number.isFinite(limits.max) ? limits : null;
}

function rounded(value: number, towards: (value: number) => number): number {
  if (value === 0) return 0;
  const exponent = Math.floor(Math.log10(Math.abs(value))) - 1;
  // As text, so that 0.1 is not 0.1000…01.
  const digits = towards(value / 10 ** exponent);
  return Number.isFinite(digits) ? Number(`${digits}e${exponent}`) : value;
}
