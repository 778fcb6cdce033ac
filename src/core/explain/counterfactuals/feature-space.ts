import type { Dataset, FeatureColumn, ModelPackage, RowSelection } from "../../training/index.ts";
import { quantilePoints } from "../dependence/feature-grid.ts";
import type { FeatureConstraint } from "./feature-constraint.ts";
import { shortestDecimal } from "./shortest-decimal.ts";
import { splitBoundaries } from "./split-boundaries.ts";

/** What one feature of the row can become. Cells are numbers (NaN: missing) or codes of the column's categories (-1: missing). */
export interface FeatureSpace {
  readonly feature: number;
  readonly kind: FeatureColumn["kind"];
  readonly from: number;
  /** Cheapest first. */
  readonly candidates: readonly number[];
  /** Whether no value beside the candidates and those between the same boundaries could change the answer. */
  readonly complete: boolean;
  /** New values are whole multiples of it; 0: any number. */
  readonly step: number;
  costOf(cell: number): number;
  /** Whether the constraints' bounds and direction hold. */
  allows(cell: number): boolean;
}

/** Quantiles of the reference rows that are tried where a model has no thresholds. */
const GRID = 40;
/** Categories tried, the most frequent ones, where a constraint does not name them. */
const MOST_CATEGORIES = 100;
/** Values beyond a boundary are rounded to fewer decimals by at most this share of the feature's scale. */
const ROUNDING = 0.01;

/**
 * The values of a feature worth trying: of trees, one for each stretch between thresholds, the nearest one (only crossing a threshold
 * can change the answer); otherwise quantiles of the reference rows; of texts, the categories that the reference rows have.
 *
 * A change costs its size in median absolute deviations of the reference rows (Wachter, Mittelstadt and Russell, 2018), or in ranges where
 * that is 0; another category, or a value where none was, costs 1.
 *
 * @param dataset with the reference rows, and with the row's own category among the column's
 */
export function featureSpace(
  model: ModelPackage,
  dataset: Dataset,
  rows: RowSelection,
  feature: number,
  from: number,
  rule: FeatureConstraint,
): FeatureSpace {
  const column = dataset.features[feature];
  if (column.kind === "categorical") {
    const candidates = allowedCodes(column.codes, rows, rule, column.categories).filter((code) => code !== from);
    const costOf = (cell: number) => (cell === from ? 0 : 1);
    return { feature, kind: "categorical", from, candidates, complete: true, step: 0, costOf, allows: () => true };
  }
  const known = Float64Array.from(rows, (row) => column.values[row]).filter(Number.isFinite);
  const scale = spread(known);
  const costOf = (cell: number) => {
    if (Number.isNaN(from)) return Number.isNaN(cell) ? 0 : 1;
    return Math.abs(cell - from) / scale;
  };
  const { least, most } = boundsOf(rule, from);
  const range = rangeOf(known, from, rule);
  const step = rule.step ?? 0;
  const { boundaries, complete } = splitBoundaries(model, dataset, feature, range);
  const nearest = stretches(boundaries).map(({ low, high }) =>
    nearestWithin(from, Math.max(low, least), Math.min(high, most), step, ROUNDING * scale),
  );
  const grid = complete
    ? []
    : [...quantilePoints(known, GRID), range.low, range.high].map((value) => nearestWithin(value, least, most, step, 0));
  const values = new Set([...nearest, ...grid].flatMap((value) => (value === null || value === from ? [] : [value])));
  return {
    feature,
    kind: "numeric",
    from,
    candidates: Array.from(values).sort((a, b) => costOf(a) - costOf(b) || a - b),
    complete,
    step,
    costOf,
    allows: (cell) => cell >= least && cell <= most,
  };
}

/** From a missing value there is no direction. */
function boundsOf({ min, max, direction }: FeatureConstraint, from: number): { least: number; most: number } {
  const [least, most] = [min ?? Number.NEGATIVE_INFINITY, max ?? Number.POSITIVE_INFINITY];
  if (Number.isNaN(from)) return { least, most };
  return { least: direction === "up" ? Math.max(least, from) : least, most: direction === "down" ? Math.min(most, from) : most };
}

function allowedCodes(
  codes: Int32Array,
  rows: RowSelection,
  { values }: FeatureConstraint,
  categories: readonly string[],
): number[] {
  if (values !== undefined) return values.map((value) => categories.indexOf(value));
  const counts = new Map<number, number>();
  for (const row of rows) if (codes[row] >= 0) counts.set(codes[row], (counts.get(codes[row]) ?? 0) + 1);
  return Array.from(counts.keys())
    .sort((a, b) => (counts.get(b) ?? 0) - (counts.get(a) ?? 0) || a - b)
    .slice(0, MOST_CATEGORIES);
}

/** Median absolute deviation; the range where that is 0; 1 where that is 0 too. */
function spread(known: Float64Array): number {
  if (known.length === 0) return 1;
  const median = middle(known);
  const deviation = middle(known.map((value) => Math.abs(value - median)));
  if (deviation > 0 && Number.isFinite(deviation)) return deviation;
  const { low, high } = extremes(known);
  return high > low && Number.isFinite(high - low) ? high - low : 1;
}

function middle(values: Float64Array): number {
  const sorted = values.slice().sort();
  const half = (sorted.length - 1) / 2;
  return sorted[Math.floor(half)] / 2 + sorted[Math.ceil(half)] / 2;
}

function extremes(values: Iterable<number>): { low: number; high: number } {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return { low, high };
}

/** What the reference rows, the row itself and the bounds span. */
function rangeOf(known: Float64Array, from: number, { min, max }: FeatureConstraint): { low: number; high: number } {
  const { low, high } = extremes(known);
  const all = [low, high, from, min, max].filter((value) => value !== undefined && Number.isFinite(value));
  return all.length === 0 ? { low: 0, high: 0 } : extremes(all.filter((value) => value !== undefined));
}

/** What lies between neighbouring boundaries, and beyond the first and the last. */
function stretches(boundaries: readonly { below: number; above: number }[]): { low: number; high: number }[] {
  if (boundaries.length === 0) return [];
  return Array.from({ length: boundaries.length + 1 }, (_, i) => ({
    low: i === 0 ? Number.NEGATIVE_INFINITY : boundaries[i - 1].above,
    high: i === boundaries.length ? Number.POSITIVE_INFINITY : boundaries[i].below,
  }));
}

/**
 * The number of a stretch nearest to `from`, or one with fewer decimals at most `slack` further in; `null` where the stretch is empty
 * or holds no multiple of the step. From a missing value, the middle of the stretch is as near as any.
 */
function nearestWithin(from: number, low: number, high: number, step: number, slack: number): number | null {
  if (!(low <= high)) return null;
  const start = Number.isNaN(from) ? inside(low, high) : Math.min(high, Math.max(low, from));
  if (step > 0) {
    const near = Math.round(start / step);
    const multiples = [near - 1, near, near + 1].map((count) => count * step).filter((value) => value >= low && value <= high);
    return multiples.sort((a, b) => Math.abs(a - start) - Math.abs(b - start))[0] ?? null;
  }
  if (start === from || slack === 0) return start;
  return start > from
    ? shortestDecimal(start, Math.min(high, start + slack))
    : shortestDecimal(Math.max(low, start - slack), start);
}

function inside(low: number, high: number): number {
  if (!Number.isFinite(low)) return Number.isFinite(high) ? high : 0;
  return Number.isFinite(high) ? low / 2 + high / 2 : low;
}
