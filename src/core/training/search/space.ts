import {
  isActive,
  type NumberDomain,
  type ParameterValue,
  type ParameterValues,
  type SearchDomain,
  type SearchSpace,
  searchSpaceProblems,
} from "../../definitions/index.ts";
import { trainErrors } from "../errors.ts";
import type { RandomStream } from "../random.ts";
import { uniform } from "./normal.ts";

/** @throws TRAIN_SEARCH_SPACE_INVALID naming every problem */
export function checkSpace(space: SearchSpace): void {
  const problems = searchSpaceProblems(space);
  if (problems.length > 0) throw trainErrors.TRAIN_SEARCH_SPACE_INVALID(problems.join("; "), { details: { problems } });
}

/** @throws TRAIN_PARAMETER_INVALID when a point given from outside is not one of the space */
export function checkPoint(space: SearchSpace, point: ParameterValues): void {
  const refuse = (problem: string) =>
    trainErrors.TRAIN_PARAMETER_INVALID(`${JSON.stringify(point)} is no point of the search space: ${problem}`);
  const unknown = Object.keys(point).find((name) => !space.some((parameter) => parameter.name === name));
  if (unknown !== undefined) throw refuse(`it has no parameter ${unknown}`);
  for (const { name, domain } of space) {
    if (isActive(domain, point) !== name in point)
      throw refuse(name in point ? `${name} does not apply beside the others` : `${name} is missing`);
    if (name in point && !contains(domain, point[name])) throw refuse(`${name} cannot be ${JSON.stringify(point[name])}`);
  }
}

/** The point of a space that a candidate's parameters make; null where one of them is outside its range. */
export function pointFrom(space: SearchSpace, params: Readonly<Record<string, unknown>>): ParameterValues | null {
  const point: Record<string, ParameterValue> = {};
  for (const { name, domain } of space) {
    if (!isActive(domain, point)) continue;
    const value = params[name];
    if (!isParameterValue(value) || !contains(domain, value)) return null;
    point[name] = value;
  }
  return point;
}

const isParameterValue = (value: unknown): value is ParameterValue =>
  value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean";

function contains(domain: SearchDomain, value: ParameterValue): boolean {
  if (domain.search === "choice") return domain.options.includes(value);
  if (typeof value !== "number" || !(value >= domain.low && value <= domain.high)) return false;
  return domain.search === "float" || Number.isInteger(value);
}

/**
 * A numeric range on the scale it is searched on (the logarithm, for log scales). An integer k is the interval from k - 1/2 to
 * k + 1/2, so that the end points are as likely as the others.
 */
export interface Axis {
  readonly low: number;
  readonly high: number;
  /** The nearest value of the range. */
  value(position: number): number;
  position(value: number): number;
  /** The interval of a value; of no width for floats. */
  cell(value: number): readonly [low: number, high: number];
}

export function axisOf({ search: kind, low, high, scale }: NumberDomain): Axis {
  const into = scale === "log" ? Math.log : (x: number) => x;
  const back = scale === "log" ? Math.exp : (x: number) => x;
  const clamp = (x: number) => Math.min(high, Math.max(low, x));
  const half = kind === "int" ? 0.5 : 0;
  return {
    low: into(low - half),
    high: into(high + half),
    value: (x) => clamp(kind === "int" ? Math.round(back(x)) : back(x)),
    position: into,
    cell: (value) => [into(value - half), into(value + half)],
  };
}

/** A value of the domain, each equally likely on the domain's scale. */
export function drawValue(domain: SearchDomain, random: RandomStream): ParameterValue {
  if (domain.search === "choice") return domain.options[random.below(domain.options.length)];
  const { low, high, value } = axisOf(domain);
  return value(low + (high - low) * uniform(random));
}

/** One point of the space, parameter by parameter; those that do not apply stay out. */
export function drawPoint(space: SearchSpace, draw: (domain: SearchDomain, name: string) => ParameterValue): ParameterValues {
  const values: Record<string, ParameterValue> = {};
  for (const { name, domain } of space) if (isActive(domain, values)) values[name] = draw(domain, name);
  return values;
}

/** The same text for the same point, whatever the order of its values. */
export const pointKey = (space: SearchSpace, values: ParameterValues): string =>
  JSON.stringify(space.map(({ name }) => (name in values ? [values[name]] : [])));
