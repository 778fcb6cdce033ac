import { type Attribute, DATASET_FIELDS, type DatasetField, type Entity, type KeyedRoom } from "./entities.ts";
import { type Objection, refuse, type Span } from "./filter-error.ts";
import { COMPARISONS, type Comparison, type FilterTree, type Literal, type Operator, type Path } from "./parse-filter.ts";

export type Subject =
  | { readonly of: "attribute"; readonly name: string; readonly attribute: Attribute }
  | { readonly of: KeyedRoom; readonly key: string }
  | { readonly of: "dataset"; readonly field: DatasetField };

export type TextOperator = "=" | "!=" | "LIKE" | "NOT LIKE" | "ILIKE" | "NOT ILIKE";
export type NumberOperator = (typeof COMPARISONS)[number];

export type Test =
  | { readonly kind: "null"; readonly missing: boolean }
  | { readonly kind: "text"; readonly operator: TextOperator; readonly text: string }
  | { readonly kind: "texts"; readonly within: boolean; readonly texts: readonly string[] }
  | { readonly kind: "number"; readonly operator: NumberOperator; readonly number: number }
  | { readonly kind: "between"; readonly within: boolean; readonly low: number; readonly high: number };

/** A filter whose names and values fit together. */
export type Condition =
  | { readonly kind: "and" | "or"; readonly parts: readonly Condition[] }
  | { readonly kind: "not"; readonly part: Condition }
  | { readonly kind: "test"; readonly subject: Subject; readonly test: Test };

/** Longest text a LIKE may have: both databases match patterns of this length in bounded time. */
export const MAX_PATTERN_CHARACTERS = 8_000;

type Room = "attribute" | "dataset" | KeyedRoom;

const ROOMS: Readonly<Record<string, Room>> = {
  attribute: "attribute",
  attributes: "attribute",
  attr: "attribute",
  run: "attribute",
  metric: "metric",
  metrics: "metric",
  param: "param",
  params: "param",
  parameter: "param",
  parameters: "param",
  tag: "tag",
  tags: "tag",
  dataset: "dataset",
  datasets: "dataset",
};

/** @throws TRACKING_FILTER_INVALID where a name is unknown, or an operator or value does not fit it */
export function checkFilter(source: string, tree: FilterTree, entity: Entity): Condition {
  switch (tree.kind) {
    case "and":
    case "or":
      return { kind: tree.kind, parts: tree.parts.map((part) => checkFilter(source, part, entity)) };
    case "not":
      return { kind: "not", part: checkFilter(source, tree.part, entity) };
    case "comparison": {
      const object = (span: Span, objection: Objection, what: string) => refuse(source, span, objection, what);
      const subject = subjectOf(tree.path, entity, namesOf(entity), object);
      return { kind: "test", subject, test: testOf(tree, subject, object) };
    }
  }
}

export type Objector = (span: Span, objection: Objection, what: string) => Error;

/** By every name an attribute has the attribute. */
export const namesOf = ({ attributes, aliases }: Entity): Readonly<Record<string, string>> => ({
  ...Object.fromEntries(Object.keys(attributes).map((name) => [name, name])),
  ...aliases,
});

/** What a path means, among the names given. `object` makes the error of a path that means nothing. */
export function subjectOf(path: Path, entity: Entity, names: Readonly<Record<string, string>>, object: Objector): Subject {
  const room = path.room === null ? "attribute" : own(ROOMS, path.room);
  const known = roomsOf(entity);
  if (room === undefined || !known.includes(room))
    throw object(path.span, "room", `"${path.room}" is none of ${known.map((each) => `${each}s`).join(", ")}`);
  if (room === "attribute") {
    const name = own(names, path.key);
    const attribute = name === undefined ? undefined : own(entity.attributes, name);
    if (name !== undefined && attribute !== undefined) return { of: room, name, attribute };
    throw object(path.span, "attribute", `there is no attribute "${path.key}"; there are ${Object.keys(names).join(", ")}`);
  }
  if (room !== "dataset") return { of: room, key: path.key };
  const field = DATASET_FIELDS.find((each) => each === path.key);
  if (field !== undefined) return { of: room, field };
  throw object(path.span, "attribute", `a data set has no "${path.key}"; it has ${DATASET_FIELDS.join(", ")}`);
}

function roomsOf({ rooms, datasets }: Entity): readonly Room[] {
  const keyed = (["metric", "param", "tag"] as const).filter((room) => rooms[room] !== undefined);
  return ["attribute", ...keyed, ...(datasets ? (["dataset"] as const) : [])];
}

/** Not what every object inherits, such as "constructor". */
const own = <V>(record: Readonly<Record<string, V>>, key: string): V | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined;

function testOf(comparison: Comparison, subject: Subject, object: Objector): Test {
  const { operator } = comparison;
  if (operator === "IS NULL" || operator === "IS NOT NULL") return { kind: "null", missing: operator === "IS NULL" };
  if (subject.of === "metric") return numberTest(comparison, { whole: false, nan: true }, object);
  if (subject.of === "attribute" && subject.attribute.type === "number")
    return numberTest(comparison, { whole: subject.attribute.whole, nan: false }, object);
  const stored = subject.of === "attribute" && subject.attribute.type === "text" ? subject.attribute.stored : undefined;
  return textTest(comparison, stored ?? ((text) => text), object);
}

function textTest(
  { operator, operatorSpan, values, path }: Comparison,
  stored: (text: string) => string,
  object: Objector,
): Test {
  const texts = () => values.map((value) => stored(textOf(value, operator, object)));
  switch (operator) {
    case "IN":
    case "NOT IN":
      return { kind: "texts", within: operator === "IN", texts: texts() };
    case "LIKE":
    case "NOT LIKE":
    case "ILIKE":
    case "NOT ILIKE": {
      const [pattern = ""] = texts();
      if (pattern.length > MAX_PATTERN_CHARACTERS)
        throw object(values[0]?.span ?? operatorSpan, "value", `a pattern has at most ${MAX_PATTERN_CHARACTERS} characters`);
      return { kind: "text", operator, text: pattern };
    }
    case "=":
    case "!=": {
      const [text = ""] = texts();
      return { kind: "text", operator, text };
    }
    default:
      throw object(operatorSpan, "operator", `"${operator}" compares numbers, and "${path.key}" is text; use ${TEXT_OPERATORS}`);
  }
}

const TEXT_OPERATORS = "=, !=, LIKE, ILIKE, IN or IS NULL";
const NUMBER_OPERATORS = `${COMPARISONS.join(", ")}, BETWEEN or IS NULL`;

function numberTest(
  { operator, operatorSpan, values, path }: Comparison,
  allowed: { readonly whole: boolean; readonly nan: boolean },
  object: Objector,
): Test {
  const comparison = COMPARISONS.find((each) => each === operator);
  const between = operator === "BETWEEN" || operator === "NOT BETWEEN";
  if (comparison === undefined && !between)
    throw object(
      operatorSpan,
      "operator",
      `"${operator}" compares texts, and "${path.key}" is a number; use ${NUMBER_OPERATORS}`,
    );
  const numbers = values.map((value) => {
    const number = allowed.whole ? wholeOf(value, operator, object) : numberOf(value, operator, object);
    if (Number.isNaN(number) && !(allowed.nan && (operator === "=" || operator === "!=")))
      throw object(value.span, "value", `NaN is neither greater nor less than a number; compare with = or !=, and metrics only`);
    return number;
  });
  const [first = 0, second = 0] = numbers;
  if (comparison !== undefined) return { kind: "number", operator: comparison, number: first };
  return { kind: "between", within: operator === "BETWEEN", low: first, high: second };
}

function textOf(value: Literal, operator: Operator, object: Objector): string {
  if (value.kind === "text") return value.text;
  throw object(value.span, operator.endsWith("IN") ? "list" : "value", `expected a text in quotes after "${operator}"`);
}

function numberOf(value: Literal, operator: Operator, object: Objector): number {
  if (value.kind === "number") return value.value;
  throw object(value.span, "value", `expected a number after "${operator}"; numbers stand without quotes`);
}

function wholeOf(value: Literal, operator: Operator, object: Objector): number {
  if (value.kind === "number" && value.whole) return value.value;
  if (value.kind === "text" && /^[-+]?\d+$/.test(value.text)) return Number(value.text);
  throw object(value.span, "value", `expected a whole number after "${operator}"`);
}
