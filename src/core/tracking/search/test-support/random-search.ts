import fc from "fast-check";
import { KEYS, type ModelRun, NUMBERS, TEXTS, TIMES } from "./random-runs.ts";

/**
 * Searches of runs as data: how one is written, and which runs it finds. The brute force shares nothing with the parser and the SQL:
 * it works on the data.
 */
type TextSubject = { readonly room: "param" | "tag" | "text" | "dataset"; readonly key: string };
type NumberSubject = { readonly room: "metric" | "time"; readonly key: string };

type Comparator = "=" | "!=" | ">" | ">=" | "<" | "<=";
export type Predicate =
  | { readonly is: "all" | "any"; readonly parts: readonly Predicate[] }
  | { readonly is: "not"; readonly part: Predicate }
  | { readonly is: "null"; readonly subject: TextSubject | NumberSubject; readonly missing: boolean }
  | { readonly is: "compared"; readonly subject: NumberSubject; readonly by: Comparator; readonly number: number }
  | {
      readonly is: "between";
      readonly subject: NumberSubject;
      readonly low: number;
      readonly high: number;
      readonly not: boolean;
    }
  | { readonly is: "equal"; readonly subject: TextSubject; readonly text: string; readonly not: boolean }
  | {
      readonly is: "like";
      readonly subject: TextSubject;
      readonly text: string;
      readonly not: boolean;
      readonly anyCase: boolean;
    }
  | { readonly is: "listed"; readonly subject: TextSubject; readonly texts: readonly string[]; readonly not: boolean };

export interface Ordering {
  readonly subject: { readonly room: "metric" | "time" | "param" | "tag" | "text"; readonly key: string };
  readonly descending: boolean;
}

const TEXT_ATTRIBUTES = ["run_id", "run_name", "status", "user_id", "parent_run_id"] as const;
const PATTERNS = [
  "%",
  "x%",
  "%X",
  "_",
  "a_b",
  "a\\_b",
  "%\\%",
  "back\\slash",
  "back\\\\s%",
  "É",
  "%i%",
  "\\",
  "finished",
  "FIN%",
] as const;

const key = fc.constantFrom(...KEYS);
const textSubject: fc.Arbitrary<TextSubject> = fc.oneof(
  fc.record({ room: fc.constantFrom("param" as const, "tag" as const), key }),
  fc.record({ room: fc.constant("text" as const), key: fc.constantFrom(...TEXT_ATTRIBUTES) }),
  fc.record({ room: fc.constant("dataset" as const), key: fc.constantFrom("name", "digest", "context") }),
);
const metricSubject = fc.record({ room: fc.constant("metric" as const), key });
const timeSubject = fc.record({ room: fc.constant("time" as const), key: fc.constantFrom("start_time", "end_time") });
const text = fc.constantFrom(...TEXTS, "FINISHED", "running", "run-3", "train", "1");
const milliseconds = fc.constantFrom(...TIMES.map((time) => Math.floor(time / 1_000)), 0.5, 1.5, -1, 1e300);
const comparator = fc.constantFrom<Comparator>("=", "!=", ">", ">=", "<", "<=");

const leaf: fc.Arbitrary<Predicate> = fc.oneof(
  fc.record({
    is: fc.constant("null" as const),
    subject: fc.oneof(textSubject, metricSubject, timeSubject),
    missing: fc.boolean(),
  }),
  fc.record({
    is: fc.constant("compared" as const),
    subject: metricSubject,
    by: comparator,
    number: fc.constantFrom(...NUMBERS),
  }),
  fc.record({
    is: fc.constant("compared" as const),
    subject: metricSubject,
    by: fc.constantFrom<Comparator>("=", "!="),
    number: fc.constant(Number.NaN),
  }),
  fc.record({ is: fc.constant("compared" as const), subject: timeSubject, by: comparator, number: milliseconds }),
  fc.record({
    is: fc.constant("between" as const),
    subject: metricSubject,
    low: fc.constantFrom(...NUMBERS),
    high: fc.constantFrom(...NUMBERS),
    not: fc.boolean(),
  }),
  fc.record({
    is: fc.constant("between" as const),
    subject: timeSubject,
    low: milliseconds,
    high: milliseconds,
    not: fc.boolean(),
  }),
  fc.record({ is: fc.constant("equal" as const), subject: textSubject, text, not: fc.boolean() }),
  fc.record({
    is: fc.constant("like" as const),
    subject: textSubject,
    text: fc.oneof(text, fc.constantFrom(...PATTERNS)),
    not: fc.boolean(),
    anyCase: fc.boolean(),
  }),
  fc.record({
    is: fc.constant("listed" as const),
    subject: textSubject,
    texts: fc.array(text, { minLength: 1, maxLength: 3 }),
    not: fc.boolean(),
  }),
);

export const randomPredicate: fc.Arbitrary<Predicate> = fc.letrec<{ any: Predicate }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    leaf,
    fc.record({
      is: fc.constantFrom("all" as const, "any" as const),
      parts: fc.array(tie("any"), { minLength: 2, maxLength: 3 }),
    }),
    fc.record({ is: fc.constant("not" as const), part: tie("any") }),
  ),
})).any;

export const randomOrder: fc.Arbitrary<readonly Ordering[]> = fc.uniqueArray(
  fc.record({
    subject: fc.oneof(
      { weight: 3, arbitrary: metricSubject },
      { weight: 1, arbitrary: timeSubject },
      { weight: 1, arbitrary: fc.record({ room: fc.constantFrom("param" as const, "tag" as const), key }) },
      { weight: 1, arbitrary: fc.record({ room: fc.constant("text" as const), key: fc.constantFrom(...TEXT_ATTRIBUTES) }) },
    ),
    descending: fc.boolean(),
  }),
  { maxLength: 3, selector: ({ subject }) => `${subject.room} ${subject.key}` },
);

const PREFIXES = {
  metric: ["metrics", "metric"],
  param: ["params", "parameter"],
  tag: ["tags", "tag"],
  dataset: ["dataset", "datasets"],
};

/** `style` chooses among the ways to write the same. */
function writtenSubject({ room, key: name }: { readonly room: string; readonly key: string }, style: number): string {
  if (room === "text" || room === "time") return style % 2 === 0 ? name : `attributes.${name}`;
  const prefix = PREFIXES[room as keyof typeof PREFIXES][style % 2];
  if (/^[A-Za-z][\w.]*$/.test(name) && style % 3 !== 0) return `${prefix}.${name}`;
  const quote = ["`", '"', "'"][style % 3] ?? "`";
  return `${prefix}.${quote}${name.replaceAll(quote, quote + quote)}${quote}`;
}

function writtenText(value: string, style: number): string {
  const quote = style % 2 === 0 ? "'" : '"';
  return `${quote}${value.replaceAll(quote, quote + quote)}${quote}`;
}

const writtenNumber = (value: number): string => String(value);

export function written(predicate: Predicate, style: number): string {
  const word = (keyword: string) => (style % 2 === 0 ? keyword : keyword.toLowerCase());
  const not = (negated: boolean) => (negated ? `${word("NOT")} ` : "");
  switch (predicate.is) {
    case "all":
    case "any":
      return `(${predicate.parts.map((part, place) => written(part, style + place)).join(` ${word(predicate.is === "all" ? "AND" : "OR")} `)})`;
    case "not":
      return `${word("NOT")} ${written(predicate.part, style + 1)}`;
    case "null":
      return `${writtenSubject(predicate.subject, style)} ${word(predicate.missing ? "IS NULL" : "IS NOT NULL")}`;
    case "compared":
      return `${writtenSubject(predicate.subject, style)}${predicate.by}${writtenNumber(predicate.number)}`;
    case "between":
      return `${writtenSubject(predicate.subject, style)} ${not(predicate.not)}${word("BETWEEN")} ${writtenNumber(predicate.low)} ${word("AND")} ${writtenNumber(predicate.high)}`;
    case "equal":
      return `${writtenSubject(predicate.subject, style)} ${predicate.not ? "!=" : "="} ${writtenText(predicate.text, style)}`;
    case "like":
      return `${writtenSubject(predicate.subject, style)} ${not(predicate.not)}${word(predicate.anyCase ? "ILIKE" : "LIKE")} ${writtenText(predicate.text, style)}`;
    case "listed":
      return `${writtenSubject(predicate.subject, style)} ${not(predicate.not)}${word("IN")} (${predicate.texts.map((value, place) => writtenText(value, style + place)).join(", ")})`;
  }
}

export const writtenOrder = (order: readonly Ordering[], style: number): readonly string[] =>
  order.map(
    ({ subject, descending }, place) =>
      `${writtenSubject(subject, style + place)}${descending ? " DESC" : [" ASC", ""][style % 2]}`,
  );

/** All the values it has of a subject: a data set's can be several. */
function valuesOf(
  run: ModelRun,
  { room, key: name }: { readonly room: string; readonly key: string },
): readonly (string | number)[] {
  const present = <V>(value: V | null | undefined): readonly V[] => (value === null || value === undefined ? [] : [value]);
  switch (room) {
    case "metric":
      return present(run.metrics[name]);
    case "param":
      return present(run.params[name]);
    case "tag":
      return present(run.tags[name]);
    case "dataset":
      return run.datasets.flatMap((dataset) => present(dataset[name as "name" | "digest" | "context"]));
    case "time": {
      const time = name === "start_time" ? run.startedAt : run.endedAt;
      return time === null ? [] : [Math.floor(time / 1_000)];
    }
    default: {
      const attributes: Readonly<Record<string, string | null>> = {
        run_id: run.id,
        run_name: run.name,
        status: run.status,
        user_id: run.userName,
        parent_run_id: run.parentRunId,
      };
      return present(attributes[name]);
    }
  }
}

export function matches(run: ModelRun, predicate: Predicate): boolean {
  switch (predicate.is) {
    case "all":
      return predicate.parts.every((part) => matches(run, part));
    case "any":
      return predicate.parts.some((part) => matches(run, part));
    case "not":
      return !matches(run, predicate.part);
    default:
  }
  const values = valuesOf(run, predicate.subject);
  // A status is compared without regard to case.
  const asked = (value: string) =>
    predicate.subject.key === "status" && predicate.subject.room === "text" ? value.toLowerCase() : value;
  switch (predicate.is) {
    case "null":
      return (values.length === 0) === predicate.missing;
    case "compared":
      return values.some((value) => compared(Number(value), predicate.by, predicate.number));
    case "between":
      return values.some((value) => (Number(value) >= predicate.low && Number(value) <= predicate.high) !== predicate.not);
    case "equal":
      return values.some((value) => (value === asked(predicate.text)) !== predicate.not);
    case "like":
      return values.some((value) => like(String(value), asked(predicate.text), predicate.anyCase) !== predicate.not);
    case "listed":
      return values.some((value) => predicate.texts.map(asked).includes(String(value)) !== predicate.not);
  }
}

function compared(value: number, by: Comparator, number: number): boolean {
  switch (by) {
    case "=":
      return Number.isNaN(number) ? Number.isNaN(value) : value === number;
    case "!=":
      return Number.isNaN(number) ? !Number.isNaN(value) : value !== number;
    case ">":
      return value > number;
    case ">=":
      return value >= number;
    case "<":
      return value < number;
    case "<=":
      return value <= number;
  }
}

/** Letter by letter, with no regular expression. */
function like(value: string, pattern: string, anyCase: boolean): boolean {
  const fold = (letters: string) => (anyCase ? letters.replace(/[A-Z]/g, (letter) => letter.toLowerCase()) : letters);
  const letters = [...fold(value)];
  const signs: { readonly any: "one" | "many" | null; readonly letter: string }[] = [];
  const given = [...fold(pattern)];
  for (let at = 0; at < given.length; at += 1) {
    const letter = given[at] ?? "";
    const next = given[at + 1] ?? "";
    if (letter === "\\" && ["%", "_", "\\"].includes(next)) {
      signs.push({ any: null, letter: next });
      at += 1;
    } else signs.push({ any: letter === "%" ? "many" : letter === "_" ? "one" : null, letter });
  }
  const from = (sign: number, letter: number): boolean => {
    const wanted = signs[sign];
    if (wanted === undefined) return letter === letters.length;
    if (wanted.any === "many") return from(sign + 1, letter) || (letter < letters.length && from(sign, letter + 1));
    return letter < letters.length && (wanted.any === "one" || letters[letter] === wanted.letter) && from(sign + 1, letter + 1);
  };
  return from(0, 0);
}

/** The order of a search: newest start first and then by id where the terms leave it open. */
export function sorted(runs: readonly ModelRun[], order: readonly Ordering[]): readonly ModelRun[] {
  const tail: readonly Ordering[] = [
    ...(order.some(({ subject }) => subject.key === "start_time" && subject.room === "time")
      ? []
      : [{ subject: { room: "time" as const, key: "start_time" }, descending: true }]),
    { subject: { room: "text" as const, key: "run_id" }, descending: false },
  ];
  return [...runs].sort((a, b) => {
    for (const term of [...order, ...tail]) {
      const difference = compareBy(a, b, term);
      if (difference !== 0) return difference;
    }
    return 0;
  });
}

function compareBy(a: ModelRun, b: ModelRun, { subject, descending }: Ordering): number {
  const [left, right] = [sortValue(a, subject), sortValue(b, subject)];
  const rank = (value: string | number | undefined) => (value === undefined ? 2 : Number.isNaN(value) ? 1 : 0);
  if (rank(left) !== 0 || rank(right) !== 0) return rank(left) - rank(right);
  const difference =
    typeof left === "number"
      ? Number(left > Number(right)) - Number(left < Number(right))
      : Buffer.compare(Buffer.from(left ?? ""), Buffer.from(String(right)));
  return descending ? -difference : difference;
}

/** Times are ordered to the microsecond, though filters see milliseconds. */
function sortValue(run: ModelRun, subject: Ordering["subject"]): string | number | undefined {
  if (subject.room !== "time") return valuesOf(run, subject)[0];
  return (subject.key === "start_time" ? run.startedAt : run.endedAt) ?? undefined;
}
