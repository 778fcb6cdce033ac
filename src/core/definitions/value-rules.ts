/** What a value given in a definition must be. Definitions may come from JSON or untyped code, so nothing is taken for granted. */
export interface ValueRule {
  /** Ends the sentence "trees is 0, not …". */
  readonly wanted: string;
  /** Only whole numbers do: a range of other numbers cannot be searched. */
  readonly whole?: true;
  accepts(value: unknown): boolean;
}

/** By name. A name that is not there is no parameter. */
export type ValueRules = Readonly<Record<string, ValueRule>>;

const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);

export const wholeFrom = (least: number, most = Number.MAX_SAFE_INTEGER): ValueRule => ({
  wanted: most === Number.MAX_SAFE_INTEGER ? `a whole number from ${least} on` : `a whole number from ${least} to ${most}`,
  whole: true,
  accepts: (value) => isNumber(value) && Number.isSafeInteger(value) && value >= least && value <= most,
});

export const anyNumber: ValueRule = { wanted: "a finite number", accepts: isNumber };

export const aboveZero: ValueRule = {
  wanted: "a finite number above 0",
  accepts: (value) => isNumber(value) && value > 0,
};

export const zeroOrMore: ValueRule = {
  wanted: "a finite number of 0 or more",
  accepts: (value) => isNumber(value) && value >= 0,
};

/** From 0 to 1, both included. */
export const share: ValueRule = {
  wanted: "a number from 0 to 1",
  accepts: (value) => isNumber(value) && value >= 0 && value <= 1,
};

/** A share of which there is something. */
export const positiveShare: ValueRule = {
  wanted: "above 0 and at most 1",
  accepts: (value) => isNumber(value) && value > 0 && value <= 1,
};

export const betweenZeroAndOne: ValueRule = {
  wanted: "between 0 and 1",
  accepts: (value) => isNumber(value) && value > 0 && value < 1,
};

export const yesOrNo: ValueRule = { wanted: "true or false", accepts: (value) => typeof value === "boolean" };

export const someText: ValueRule = {
  wanted: "a text",
  accepts: (value) => typeof value === "string" && value.trim() !== "",
};

export const oneOf = (options: readonly (string | number)[]): ValueRule => ({
  wanted: options.map((option) => JSON.stringify(option)).join(" or "),
  accepts: (value) => (typeof value === "string" || typeof value === "number") && options.includes(value),
});

export const either = (one: ValueRule, other: ValueRule): ValueRule => ({
  wanted: `${one.wanted} or ${other.wanted}`,
  accepts: (value) => one.accepts(value) || other.accepts(value),
});

export const orNull = (rule: ValueRule): ValueRule => ({
  ...rule,
  wanted: `${rule.wanted} or null`,
  accepts: (value) => value === null || rule.accepts(value),
});

/** A parameter that may be left out. */
export const optional = (rule: ValueRule): ValueRule => ({
  ...rule,
  accepts: (value) => value === undefined || rule.accepts(value),
});

/** A list of at least `least` values, none of them twice. */
export const listOf = (rule: ValueRule, least = 1): ValueRule => ({
  wanted: `a list of ${least === 0 ? "" : `${least} or more, each `}${rule.wanted}, none twice`,
  accepts: (value) =>
    Array.isArray(value) && value.length >= least && new Set(value).size === value.length && value.every(rule.accepts),
});

/** An object whose values are all alike. */
export const recordOf = (rule: ValueRule): ValueRule => ({
  wanted: `an object whose values are ${rule.wanted}`,
  accepts: (value) => isRecord(value) && Object.values(value).every(rule.accepts),
});

/** Neither null nor a list. */
export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** "trees is 0, not a whole number from 1 on"; null where the value is as it must be. */
export const valueProblem = (name: string, value: unknown, rule: ValueRule): string | null =>
  rule.accepts(value) ? null : `${name} is ${shown(value)}, not ${rule.wanted}`;

/** What is wrong with values, one sentence each, with those that no rule knows first. */
export function valuesProblems(values: unknown, rules: ValueRules): string[] {
  if (!isRecord(values)) return [`its parameters are ${shown(values)}, not an object`];
  return [
    ...Object.keys(values).flatMap((name) => (Object.hasOwn(rules, name) ? [] : [unknownName(name, rules)])),
    ...Object.keys(rules).flatMap((name) => valueProblem(name, values[name], rules[name]) ?? []),
  ];
}

export function unknownName(name: string, rules: ValueRules): string {
  const known = Object.keys(rules);
  return `${name} is no parameter: there ${known.length === 0 ? "are none" : `are ${known.join(", ")}`}`;
}

/** A value as a message shows it. */
export function shown(value: unknown): string {
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" && typeof value !== "string") return String(value);
  const text = asJson(value);
  return text.length <= 60 ? text : `${text.slice(0, 57)}…`;
}

function asJson(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return "something that is no JSON";
  }
}
