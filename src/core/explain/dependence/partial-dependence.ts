import type { Dataset, RowSelection } from "../../training/index.ts";
import { explainErrors } from "../errors.ts";
import { evenSample, takeRows } from "../sample-rows.ts";
import { featureGrid, type GridPoint, givenGrid } from "./feature-grid.ts";
import { featureAt, type RowFunction, withFeatureSet } from "./row-function.ts";

export interface DependenceOptions {
  /** Points of the grid at most; 20 unless said. */
  readonly points?: number;
  /** Where to look instead. */
  readonly grid?: readonly (number | string)[];
  /** Rows taken, evenly spaced; 1,000 unless said. */
  readonly maxRows?: number;
  /** Single rows whose own curves are given; 30 unless said. */
  readonly curves?: number;
}

export interface DependencePoint extends GridPoint {
  /** Mean prediction when all rows have this value. */
  readonly mean: number;
  /** 95% interval of the mean: 1.96 standard errors over the rows. */
  readonly low: number;
  readonly high: number;
}

export interface PartialDependence {
  readonly feature: string;
  readonly kind: "numeric" | "categorical";
  readonly rows: number;
  readonly points: readonly DependencePoint[];
  /** Individual conditional expectation: the prediction of single rows at each point. */
  readonly curves: readonly (readonly number[])[];
}

const DEFAULTS = { points: 20, maxRows: 1_000, curves: 30 };
const Z_95 = 1.959964;

/**
 * Partial dependence (Friedman, "Greedy function approximation", 2001, section 8.2) and individual conditional expectation
 * (Goldstein et al., "Peeking inside the black box", 2015): what the model predicts on average, and for single rows, when one feature is
 * set to a value and all others stay. Where features go together it asks about rows that do not exist: look at `rows` of each
 * point, and at accumulated local effects.
 *
 * @throws EXPLAIN_FEATURE_UNKNOWN, EXPLAIN_NO_ROWS, EXPLAIN_FEATURE_EMPTY when no row has a value
 */
export function partialDependence(
  f: RowFunction,
  dataset: Dataset,
  rows: RowSelection,
  feature: string,
  options: DependenceOptions = {},
): PartialDependence {
  const { points, maxRows, curves, grid } = { ...DEFAULTS, ...options };
  const index = featureAt(dataset, feature);
  const sample = takeRows(dataset, evenSample(rows, maxRows));
  const column = sample.features[index];
  const places = grid === undefined ? featureGrid(column, points) : givenGrid(column, grid);
  if (places.length === 0) throw explainErrors.EXPLAIN_FEATURE_EMPTY(`no row taken has a value of ${feature}`);
  const predictions = places.map(({ value }) => f(withFeatureSet(sample, index, value)));
  const shown =
    curves === 0
      ? []
      : evenSample(
          Uint32Array.from({ length: sample.rows }, (_, row) => row),
          curves,
        );
  return {
    feature,
    kind: column.kind,
    rows: sample.rows,
    points: places.map((place, i) => ({ ...place, ...meanOf(predictions[i]) })),
    curves: Array.from(shown, (row) => predictions.map((values) => values[row])),
  };
}

/** Curves that begin at 0: how each row departs from its prediction at the first point, which shows where rows differ. */
export const centredCurves = ({ curves }: PartialDependence): number[][] =>
  curves.map((curve) => curve.map((value) => value - curve[0]));

export interface PairDependence {
  readonly features: readonly [string, string];
  readonly rows: number;
  readonly first: readonly GridPoint[];
  readonly second: readonly GridPoint[];
  /** Mean prediction by point of the first feature, then of the second. */
  readonly mean: readonly (readonly number[])[];
  /**
   * Friedman's H-squared on the grid (Friedman and Popescu, 2008, equation 44): share of the pair's variation that is neither feature's
   * own, 0 to 1; null where the pair does not vary.
   */
  readonly interaction: number | null;
}

/**
 * Partial dependence on two features together.
 * @throws as `partialDependence`
 */
export function pairDependence(
  f: RowFunction,
  dataset: Dataset,
  rows: RowSelection,
  features: readonly [string, string],
  options: Omit<DependenceOptions, "grid" | "curves"> = {},
): PairDependence {
  const { points, maxRows } = { ...DEFAULTS, points: 10, maxRows: 300, ...options };
  const [a, b] = features.map((feature) => featureAt(dataset, feature));
  const sample = takeRows(dataset, evenSample(rows, maxRows));
  const [first, second] = [featureGrid(sample.features[a], points), featureGrid(sample.features[b], points)];
  const empty = first.length === 0 ? features[0] : second.length === 0 ? features[1] : null;
  if (empty !== null) throw explainErrors.EXPLAIN_FEATURE_EMPTY(`no row taken has a value of ${empty}`);
  const mean = first.map(({ value }) => {
    const fixed = withFeatureSet(sample, a, value);
    return second.map((other) => meanOf(f(withFeatureSet(fixed, b, other.value))).mean);
  });
  return { features, rows: sample.rows, first, second, mean, interaction: interactionOf(mean, first, second) };
}

function interactionOf(
  mean: readonly (readonly number[])[],
  first: readonly GridPoint[],
  second: readonly GridPoint[],
): number | null {
  const shareOf = (points: readonly GridPoint[]) => {
    const total = points.reduce((sum, { rows }) => sum + rows, 0);
    return points.map(({ rows }) => rows / total);
  };
  const [p, q] = [shareOf(first), shareOf(second)];
  const byFirst = mean.map((line) => line.reduce((sum, value, j) => sum + q[j] * value, 0));
  const bySecond = second.map((_, j) => mean.reduce((sum, line, i) => sum + p[i] * line[j], 0));
  const centre = byFirst.reduce((sum, value, i) => sum + p[i] * value, 0);
  let together = 0;
  let beyond = 0;
  mean.forEach((line, i) => {
    line.forEach((value, j) => {
      const weight = p[i] * q[j];
      together += weight * (value - centre) ** 2;
      beyond += weight * (value - byFirst[i] - bySecond[j] + centre) ** 2;
    });
  });
  // Differences of nearly equal means leave a rest of about 1e-16 of their size.
  return together > 1e-24 * Math.max(1, centre ** 2) ? beyond / together : null;
}

function meanOf(values: Float64Array): { mean: number; low: number; high: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const margin = values.length > 1 ? Z_95 * Math.sqrt(squares / (values.length - 1) / values.length) : 0;
  return { mean, low: mean - margin, high: mean + margin };
}
