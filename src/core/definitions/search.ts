/** What a searched parameter can be set to. */
export type ParameterValue = string | number | boolean | null;

/** One point of a search space: a value by parameter, without those that do not apply. */
export type ParameterValues = Readonly<Record<string, ParameterValue>>;

/** A parameter applies only where each of these choices has one of the values given. */
export type SearchCondition = Readonly<Record<string, readonly ParameterValue[]>>;

interface Conditional {
  readonly when?: SearchCondition;
}

/** Numbers from `low` to `high`, both included; on a log scale each factor of ten is equally likely. */
export interface NumberDomain extends Conditional {
  readonly search: "float" | "int";
  readonly low: number;
  readonly high: number;
  readonly scale: "linear" | "log";
}

export interface ChoiceDomain<T extends ParameterValue = ParameterValue> extends Conditional {
  readonly search: "choice";
  readonly options: readonly T[];
}

export type SearchDomain = NumberDomain | ChoiceDomain;

/** What may stand in the place of a parameter of type T. */
export type DomainOf<T> = (number extends T ? NumberDomain : never) | ChoiceDomain<Extract<T, ParameterValue>>;

/** A candidate's parameters, each fixed or to be searched. */
export type Searchable<P> = { readonly [K in keyof P]: P[K] | DomainOf<P[K]> };

export interface SearchParameter {
  readonly name: string;
  readonly domain: SearchDomain;
}

/** In an order in which a parameter stands after those that it depends on. */
export type SearchSpace = readonly SearchParameter[];

type ConditionGiven = Readonly<Record<string, ParameterValue | readonly ParameterValue[]>>;

const number =
  (kind: NumberDomain["search"], scale: NumberDomain["scale"]) =>
  (low: number, high: number): NumberDomain => ({ search: kind, low, high, scale });

/**
 * Ranges to search instead of fixed parameters:
 * `gradientBoosting({ rate: search.log(0.01, 0.3), leaves: search.int(15, 127) })`. Bounds belong to the range.
 */
export const search = {
  float: number("float", "linear"),
  /** A float on a log scale; bounds above 0. */
  log: number("float", "log"),
  int: number("int", "linear"),
  /** An integer on a log scale; bounds from 1. */
  logInt: number("int", "log"),
  choice: <const T extends ParameterValue>(options: readonly T[]): ChoiceDomain<T> => ({ search: "choice", options }),
  /**
   * Applies only beside certain choices of parameters that stand before it:
   * `l1Ratio: search.when({ penalty: "elastic-net" }, search.float(0, 1))`.
   */
  when: <D extends SearchDomain>(condition: ConditionGiven, domain: D): D => ({
    ...domain,
    when: { ...domain.when, ...listed(condition) },
  }),
};

const listed = (condition: ConditionGiven): SearchCondition =>
  Object.fromEntries(Object.entries(condition).map(([name, value]) => [name, isList(value) ? value : [value]]));

const isList = (value: ParameterValue | readonly ParameterValue[]): value is readonly ParameterValue[] => Array.isArray(value);

export const isSearchDomain = (value: unknown): value is SearchDomain =>
  typeof value === "object" && value !== null && "search" in value;

/** Whether a parameter applies beside the values chosen so far. */
export const isActive = (domain: SearchDomain, values: ParameterValues): boolean =>
  Object.entries(domain.when ?? {}).every(([name, allowed]) => name in values && allowed.includes(values[name]));

/**
 * Parameters apart from ranges. A range that a fixed parameter rules out is left away, and a condition that a fixed parameter
 * meets is taken off.
 */
export function separateSearch(params: Readonly<Record<string, unknown>>): {
  readonly fixed: Readonly<Record<string, unknown>>;
  readonly space: SearchSpace;
} {
  const entries = Object.entries(params);
  const fixed = Object.fromEntries(entries.filter(([, value]) => !isSearchDomain(value)));
  const space = entries.flatMap(([name, domain]) => {
    if (!isSearchDomain(domain)) return [];
    const conditions = Object.entries(domain.when ?? {});
    // Fixed values are of any type; one that is no scalar is in no list.
    const met = ([parent, allowed]: [string, readonly unknown[]]) => !(parent in fixed) || allowed.includes(fixed[parent]);
    if (!conditions.every(met)) return [];
    const left = Object.fromEntries(conditions.filter(([parent]) => !(parent in fixed)));
    const { when: _, ...unconditional } = domain;
    return [{ name, domain: Object.keys(left).length === 0 ? unconditional : { ...unconditional, when: left } }];
  });
  return { fixed, space };
}

/** What is wrong with a search space, one sentence each; empty when it can be searched. */
export function searchSpaceProblems(space: SearchSpace): string[] {
  if (space.length === 0) return ["the search space has no parameters"];
  return space.flatMap(({ name, domain }, index) => {
    const before = space.slice(0, index);
    const twice = before.some((other) => other.name === name) ? [`${name} is there twice`] : [];
    const own = domainProblems(name, domain);
    return [...twice, ...own, ...conditionProblems(name, domain.when ?? {}, before)];
  });
}

function domainProblems(name: string, domain: SearchDomain): string[] {
  switch (domain.search) {
    case "choice":
      return Array.isArray(domain.options) ? choiceProblems(name, domain) : [`the options of ${name} are not a list`];
    case "float":
    case "int":
      return numberProblems(name, domain);
    default:
      // From JSON or untyped code.
      return [`the range of ${name} is of no kind that there is: float, int or choice`];
  }
}

function numberProblems(name: string, { search: kind, low, high, scale }: NumberDomain): string[] {
  if (!Number.isFinite(low) || !Number.isFinite(high)) return [`the bounds of ${name} are not finite numbers`];
  if (!Number.isFinite(high - low)) return [`the bounds of ${name} are too far apart`];
  const problems: string[] = [];
  if (low > high) problems.push(`${name} goes from ${low} to ${high}: the first bound is the lower one`);
  if (scale === "log" && low <= 0) problems.push(`${name} goes from ${low} on a log scale, which has only numbers above 0`);
  if (kind === "int" && !(Number.isSafeInteger(low) && Number.isSafeInteger(high)))
    problems.push(`${name} is an integer, but its bounds ${low} and ${high} are not both integers`);
  return problems;
}

function choiceProblems(name: string, { options }: ChoiceDomain): string[] {
  if (options.length === 0) return [`${name} has no options to choose from`];
  if (options.some((option) => typeof option === "number" && !Number.isFinite(option)))
    return [`an option of ${name} is not a finite number`];
  const repeated = options.find((option, index) => options.indexOf(option) !== index);
  return repeated === undefined ? [] : [`${name} has the option ${JSON.stringify(repeated)} twice`];
}

function conditionProblems(name: string, condition: SearchCondition, before: SearchSpace): string[] {
  return Object.entries(condition).flatMap(([parent, allowed]) => {
    const found = before.find((other) => other.name === parent)?.domain;
    if (found === undefined) return [`${name} depends on ${parent}, which does not stand before it`];
    if (found.search !== "choice") return [`${name} depends on ${parent}, which is not a choice`];
    if (!Array.isArray(allowed) || allowed.length === 0) return [`${name} depends on no value of ${parent}`];
    const unknown = allowed.filter((value) => !found.options.includes(value));
    return unknown.map((value) => `${name} depends on ${parent} being ${JSON.stringify(value)}, which is not one of its options`);
  });
}
