import {
  isActive,
  type NumberDomain,
  type ParameterValue,
  type ParameterValues,
  type SearchDomain,
  type SearchSpace,
} from "../../definitions/index.ts";
import { axisOf } from "./space.ts";

/**
 * All combinations, like nested loops in the order of the parameters: the last one changes fastest. A range contributes `levels`
 * values, evenly spaced on its scale from bound to bound (fewer where an integer range has fewer); a parameter that does not
 * apply beside the others contributes none, so that no point comes twice.
 */
export function* gridPoints(space: SearchSpace, levels: number): Generator<ParameterValues> {
  yield* pointsFrom(space, 0, {}, levels);
}

function* pointsFrom(space: SearchSpace, from: number, chosen: ParameterValues, levels: number): Generator<ParameterValues> {
  if (from === space.length) {
    yield chosen;
    return;
  }
  const { name, domain } = space[from];
  if (!isActive(domain, chosen)) {
    yield* pointsFrom(space, from + 1, chosen, levels);
    return;
  }
  const values: readonly ParameterValue[] = domain.search === "choice" ? domain.options : numberLevels(domain, levels);
  for (const value of values) yield* pointsFrom(space, from + 1, { ...chosen, [name]: value }, levels);
}

/** At most `levels` values of a range, from bound to bound; one level is the middle. */
export function numberLevels(domain: NumberDomain, levels: number): number[] {
  const { low, high, search: kind } = domain;
  if (kind === "int" && high - low < levels) return Array.from({ length: high - low + 1 }, (_, k) => low + k);
  const axis = axisOf(domain);
  const first = axis.position(low);
  const last = axis.position(high);
  if (levels === 1) return [axis.value((first + last) / 2)];
  const inner = Array.from({ length: levels - 2 }, (_, k) => axis.value(first + ((last - first) * (k + 1)) / (levels - 1)));
  return [...new Set([low, ...inner, high])];
}

/** Every point of a space that has at most `limit` of them, in the grid's order; null where it has more. */
export function listPoints(space: SearchSpace, limit: number): ParameterValues[] | null {
  const sizes = space.map(({ domain }) => domainSize(domain));
  // Conditions only take points away.
  if (sizes.reduce((product, size) => product * size, 1) > limit) return null;
  return [...gridPoints(space, limit)];
}

function domainSize(domain: SearchDomain): number {
  if (domain.search === "choice") return domain.options.length;
  if (domain.low === domain.high) return 1;
  return domain.search === "int" ? domain.high - domain.low + 1 : Number.POSITIVE_INFINITY;
}
