import { nearestOnLattice, onLattice, quantileOf } from "./histogram.ts";
import { KEPT_QUANTILES, type NumericProfile } from "./reference.ts";

/** The window's numbers are `factor` x (what the reference would call them) + `offset`. */
export interface AffineChange {
  readonly feature: string;
  readonly factor: number;
  readonly offset: number;
  /** "°F to °C"; null where the map is no well-known change of units. */
  readonly name: string | null;
  /** Drift score (without missing values) before and after the change is undone. */
  readonly before: number;
  readonly after: number;
}

interface Line {
  readonly factor: number;
  readonly offset: number;
}

interface Conversion extends Line {
  readonly name: string;
}

const both = (from: string, to: string, factor: number, offset = 0): Conversion[] => [
  { name: `${from} to ${to}`, factor, offset },
  { name: `${to} to ${from}`, factor: 1 / factor, offset: -offset / factor },
];

/**
 * Exact where the unit is defined so (NIST Special Publication 811, appendix B). Between the customary and the metric system, which
 * feeds confuse most, and the rest: on a coarse lattice one change can pass for another (whole °F in °C times 3.6 are whole numbers
 * again), so the second list is asked only when the first has no answer.
 */
const COMMON: readonly Conversion[] = [
  ...both("miles", "kilometres", 1.609344),
  ...both("°C", "°F", 1.8, 32),
  ...both("inches", "millimetres", 25.4),
  ...both("feet", "metres", 0.3048),
  ...both("inHg", "hPa", 33.86389),
  ...both("pounds", "kilograms", 0.45359237),
];
const OTHERS: readonly Conversion[] = [
  ...both("°C", "K", 1, 273.15),
  ...both("inches", "centimetres", 2.54),
  ...both("m/s", "km/h", 3.6),
  ...both("mph", "m/s", 0.44704),
  ...both("knots", "km/h", 1.852),
  ...both("knots", "m/s", 1.852 / 3.6),
  ...both("knots", "mph", 1.852 / 1.609344),
  ...both("shares", "per cent", 100),
  ...both("seconds", "milliseconds", 1_000),
  ...both("minutes", "seconds", 60),
  ...both("hours", "seconds", 3_600),
];

/** Undoing the change must leave a normal window, and at most this share of the drift. */
const MAX_LEFT = 0.5;
/** On a lattice the less common changes are asked only about drift beyond this score: many hypotheses fit a small drift by chance. */
const MASSIVE = 3;
/** Share of the window's distinct values that must stay distinct on the lattice: a large factor alone puts all of them on its zero. */
const MIN_DISTINCT = 0.8;
/** Share of the window's quantiles' variance that the line must explain. */
const MIN_FIT = 0.995;

/**
 * Looks for a linear map of the reference's numbers that explains a window's drift: a change of units, mostly.
 *
 * Every well-known change is undone in turn, and the one that leaves the least drift is taken when the window is normal
 * without it. A lattice of values proves that even for a single day, whose weather is no copy of the year's. Numbers
 * without one must also lie on a line through the reference's quantiles (5th to 95th percentile, least squares), because a
 * factor alone can make many a shift look normal; there a line without a name is reported too. On the day of the change only some
 * rows are converted: values on the lattice may stay as they are.
 *
 * @param values the window's column; NaN is missing
 * @param scoreOf drift score of values against the reference, without missing ones
 * @returns null when no map explains the drift
 */
export function affineChange(
  profile: NumericProfile,
  values: Float64Array,
  scoreOf: (values: Float64Array) => number,
): AffineChange | null {
  const known = values.filter(Number.isFinite).sort();
  const before = scoreOf(known);
  if (known.length === 0 || before <= 1) return null;
  const line = fitLine(profile, known);
  const undo = (change: Line): number => {
    const inverted = known.map((value) => (value - change.offset) / change.factor);
    if (profile.lattice === null) return scoreOf(inverted);
    return Math.min(Number.POSITIVE_INFINITY, ...undoneOnLattice(profile.lattice, known, inverted).map(scoreOf));
  };
  const explains = (after: number, least = 1) => before > least && after <= 1 && after <= MAX_LEFT * before;

  for (const [conversions, least] of [
    [COMMON, 1],
    [OTHERS, MASSIVE],
  ] as const) {
    const [best] = conversions
      .filter((conversion) => profile.lattice !== null || (line !== null && alike(conversion, line, profile)))
      .map((conversion) => ({ ...conversion, after: undo(conversion) }))
      .sort((a, b) => a.after - b.after);
    if (best !== undefined && explains(best.after, profile.lattice === null ? 1 : least))
      return { feature: profile.id, ...best, before };
  }
  if (line === null) return null;
  const after = undo(line);
  return explains(after) ? { feature: profile.id, ...line, name: null, before, after } : null;
}

/** The window with all values converted back, and with those off the lattice only; without the one that collapses values. */
function undoneOnLattice(lattice: readonly number[], known: Float64Array, inverted: Float64Array): Float64Array[] {
  const distinct = (values: Float64Array): number => new Set(values).size;
  const cells = (values: Float64Array): number =>
    new Set(Float64Array.from(values, (value) => nearestOnLattice(lattice, value))).size;
  const off = Uint8Array.from(known, (value) => (onLattice(lattice, value) ? 0 : 1));
  const some = known.map((value, i) => (off[i] === 1 ? inverted[i] : value));
  const keeps = (converted: Float64Array) => cells(converted) >= MIN_DISTINCT * distinct(converted);
  const convertedOnly = inverted.filter((_, i) => off[i] === 1);
  return [...(keeps(inverted) ? [inverted] : []), ...(keeps(convertedOnly) ? [some] : [])];
}

/** Same slope within 10%, same place within a quarter of the spread. */
function alike(conversion: Line, line: Line, { mean, std }: NumericProfile): boolean {
  const expected = conversion.factor * mean + conversion.offset;
  const actual = line.factor * mean + line.offset;
  const slopes = Math.abs(line.factor / conversion.factor - 1) <= 0.1;
  return slopes && Math.abs(expected - actual) <= 0.25 * Math.abs(conversion.factor) * Math.max(std, 1e-12);
}

function fitLine(profile: NumericProfile, sorted: Float64Array): Line | null {
  const [from, to] = [Math.ceil(0.05 * KEPT_QUANTILES), Math.floor(0.95 * KEPT_QUANTILES)];
  const x = profile.quantiles.slice(from, to);
  const y = x.map((_, i) => quantileOf(sorted, (from + i + 0.5) / KEPT_QUANTILES));
  const mean = (numbers: readonly number[]) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
  const [meanX, meanY] = [mean(x), mean(y)];
  const xx = x.reduce((sum, value) => sum + (value - meanX) ** 2, 0);
  const yy = y.reduce((sum, value) => sum + (value - meanY) ** 2, 0);
  const xy = x.reduce((sum, value, i) => sum + (value - meanX) * (y[i] - meanY), 0);
  if (!(xx > 0) || !(yy > 0) || xy ** 2 / (xx * yy) < MIN_FIT) return null;
  const factor = xy / xx;
  return { factor, offset: meanY - factor * meanX };
}
