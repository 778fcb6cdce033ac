import type { Dataset, NumericColumn, RowSelection } from "../../training/index.ts";
import { explainErrors } from "../errors.ts";
import { evenSample, takeRows } from "../sample-rows.ts";
import { quantilePoints } from "./feature-grid.ts";
import { featureAt, type RowFunction } from "./row-function.ts";

export interface EffectOptions {
  /** Intervals at most, with about equally many rows each; 20 unless said. */
  readonly intervals?: number;
  /** Rows taken, evenly spaced; 4,000 unless said. */
  readonly maxRows?: number;
}

export interface EffectPoint {
  /** Upper end of the interval; the first point is the least value and has no interval. */
  readonly value: number;
  /** Rows in the interval. */
  readonly rows: number;
  /** Accumulated effect, 0 on average over the rows. */
  readonly effect: number;
  /** 95% interval: 1.96 standard errors of what was accumulated up to here. */
  readonly low: number;
  readonly high: number;
}

export interface AccumulatedEffects {
  readonly feature: string;
  /** Rows that have a value. */
  readonly rows: number;
  readonly points: readonly EffectPoint[];
}

const DEFAULTS = { intervals: 20, maxRows: 4_000 };
const Z_95 = 1.959964;

/**
 * Accumulated local effects of a numeric feature (Apley and Zhu, "Visualizing the effects of predictor variables in black box
 * supervised learning models", 2020, equations 15 and 16): within each interval, how the prediction of the rows there changes from its
 * lower to its upper end, summed up. Unlike partial dependence it asks only about rows near those that exist.
 *
 * @throws EXPLAIN_FEATURE_UNKNOWN, EXPLAIN_FEATURE_CATEGORICAL, EXPLAIN_NO_ROWS, EXPLAIN_FEATURE_EMPTY
 */
export function accumulatedEffects(
  f: RowFunction,
  dataset: Dataset,
  rows: RowSelection,
  feature: string,
  options: EffectOptions = {},
): AccumulatedEffects {
  const { intervals, maxRows } = { ...DEFAULTS, ...options };
  const index = featureAt(dataset, feature);
  const column = dataset.features[index];
  if (column.kind !== "numeric") {
    throw explainErrors.EXPLAIN_FEATURE_CATEGORICAL(`${feature} is categorical: there is no way between two of its values`);
  }
  const taken = evenSample(rows, maxRows).filter((row) => Number.isFinite(column.values[row]));
  if (taken.length === 0) throw explainErrors.EXPLAIN_FEATURE_EMPTY(`no row taken has a value of ${feature}`);
  const sample = takeRows(dataset, taken);
  const { values } = numeric(sample, index);
  const edges = quantilePoints(values, intervals + 1);
  const interval = values.map((value) => intervalOf(edges, value));

  const setTo = (side: 0 | 1) => {
    const at = Float64Array.from(interval, (k) => edges[Math.min(edges.length - 1, k + side)]);
    return f({ ...sample, features: sample.features.with(index, { ...numeric(sample, index), values: at }) });
  };
  const [below, above] = [setTo(0), setTo(1)];
  const difference = above.map((value, row) => value - below[row]);
  return { feature, rows: sample.rows, points: accumulate(edges, interval, difference) };
}

function accumulate(edges: readonly number[], interval: Float64Array, difference: Float64Array): EffectPoint[] {
  const count = Math.max(1, edges.length - 1);
  const rows = new Float64Array(count);
  const sum = new Float64Array(count);
  interval.forEach((k, row) => {
    rows[k] += 1;
    sum[k] += difference[row];
  });
  const squares = new Float64Array(count);
  interval.forEach((k, row) => {
    squares[k] += (difference[row] - sum[k] / rows[k]) ** 2;
  });

  const effects = new Float64Array(edges.length);
  const variances = new Float64Array(edges.length);
  let centre = 0;
  for (let k = 0; k + 1 < edges.length; k++) {
    const effect = rows[k] === 0 ? 0 : sum[k] / rows[k];
    effects[k + 1] = effects[k] + effect;
    variances[k + 1] = variances[k] + (rows[k] < 2 ? 0 : squares[k] / (rows[k] - 1) / rows[k]);
    centre += (rows[k] * (effects[k] + effects[k + 1])) / 2 / interval.length;
  }
  return edges.map((value, k) => {
    const effect = effects[k] - centre;
    const margin = Z_95 * Math.sqrt(variances[k]);
    return { value, rows: k === 0 ? 0 : rows[k - 1], effect, low: effect - margin, high: effect + margin };
  });
}

/** Interval k lies between edges k and k + 1 and holds its upper edge; the least value is in the first. */
function intervalOf(edges: readonly number[], value: number): number {
  let low = 0;
  let high = edges.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (edges[middle] < value) low = middle;
    else high = middle;
  }
  return low;
}

function numeric({ features }: Dataset, index: number): NumericColumn {
  const column = features[index];
  if (column.kind === "numeric") return column;
  throw explainErrors.EXPLAIN_FEATURE_CATEGORICAL(`${column.id} is categorical`);
}
