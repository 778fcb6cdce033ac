import { checkLengths, columnName } from "../check-matrix.ts";
import { checkWeights } from "../check-target.ts";
import { trainErrors } from "../errors.ts";
import type { Matrix } from "../matrix.ts";

/**
 * A matrix as linear solvers read it: only the columns that vary, each to be taken as (x - mean) / scale. The shift costs
 * nothing, because intercepts are never penalised, and makes the solvers indifferent to units; penalties are converted to the new
 * units.
 */
export interface Design {
  readonly rows: number;
  /** Columns of the matrix, the constant ones included. */
  readonly width: number;
  readonly columns: readonly Float64Array[];
  /** Position in the matrix of each of `columns`. */
  readonly positions: Int32Array;
  readonly means: Float64Array;
  /** Standard deviations, by the rows' weights. */
  readonly scales: Float64Array;
  /** Absent: every row counts once. */
  readonly weights?: Float64Array;
  readonly totalWeight: number;
}

/** Below, the reciprocal overflows: such a column counts as constant. */
const SMALLEST_SCALE = 1e-300;

/**
 * @throws TRAIN_TOO_FEW_ROWS without rows, TRAIN_COLUMN_INVALID, TRAIN_WEIGHTS_INVALID, TRAIN_COLUMN_NOT_NUMERIC for columns of category codes,
 * TRAIN_NOT_FINITE for missing values, infinities, and magnitudes whose differences overflow
 */
export function createDesign(matrix: Matrix, weights?: Float64Array): Design {
  const { rows } = matrix;
  if (rows === 0) throw trainErrors.TRAIN_TOO_FEW_ROWS("a linear model cannot be fitted to 0 rows");
  checkLengths(matrix);
  const totalWeight = checkWeights(weights, rows);
  const kept: { position: number; mean: number; scale: number }[] = [];
  matrix.columns.forEach((column, position) => {
    if (matrix.categories !== undefined && matrix.categories[position] > 0) {
      throw trainErrors.TRAIN_COLUMN_NOT_NUMERIC(
        `${columnName(matrix, position)} holds categories, which a linear model cannot read`,
      );
    }
    const { mean, scale } = momentsOf(column, weights, totalWeight);
    if (!Number.isFinite(mean) || !Number.isFinite(scale)) throw notFinite(matrix, position);
    if (scale > SMALLEST_SCALE) kept.push({ position, mean, scale });
  });
  return {
    rows,
    width: matrix.columns.length,
    columns: kept.map(({ position }) => matrix.columns[position]),
    positions: Int32Array.from(kept, ({ position }) => position),
    means: Float64Array.from(kept, ({ mean }) => mean),
    scales: Float64Array.from(kept, ({ scale }) => scale),
    ...(weights && { weights }),
    totalWeight,
  };
}

/** The design of some of the columns, by their indexes in `design.columns`. */
export function takeColumns(design: Design, indexes: readonly number[]): Design {
  return {
    ...design,
    columns: indexes.map((index) => design.columns[index]),
    positions: Int32Array.from(indexes, (index) => design.positions[index]),
    means: Float64Array.from(indexes, (index) => design.means[index]),
    scales: Float64Array.from(indexes, (index) => design.scales[index]),
  };
}

export interface Moments {
  readonly mean: number;
  /** 0 where all rows that count are equal. */
  readonly scale: number;
}

/**
 * Digits may be lost to a shift from an origin that is so many variances (squared) away; beyond, a second pass takes them from
 * the mean.
 */
const FAR = 1e4;

/** Weighted mean and standard deviation. A constant's mean is exactly itself, and its standard deviation 0. */
export function momentsOf(values: ArrayLike<number>, weights: Float64Array | undefined, totalWeight: number): Moments {
  const origin = values[0];
  const first = sumsFrom(values, weights, origin, 1);
  const shift = first.sum / totalWeight;
  const mean = origin + shift;
  const variance = first.squares / totalWeight - shift ** 2;
  if (variance > 1e-250 && variance < 1e250 && shift ** 2 < FAR * variance) return { mean, scale: Math.sqrt(variance) };
  const { squares } = sumsFrom(values, weights, mean, 1);
  if (squares > 1e-250 && squares < 1e250) return { mean, scale: Math.sqrt(squares / totalWeight) };
  return { mean, scale: extremeScale(values, weights, mean, totalWeight) };
}

/** Weighted sums of (value - origin) / unit and of its square; four at a time, because one sum alone waits for each addition. */
function sumsFrom(values: ArrayLike<number>, weights: Float64Array | undefined, origin: number, unit: number) {
  const sums = new Float64Array(4);
  const squares = new Float64Array(4);
  const count = values.length & ~3;
  const factor = 1 / unit;
  for (let lane = 0; lane < 4; lane++) for (let row = count + lane; row < values.length; row += 4) addTo(row, lane);
  if (weights !== undefined) {
    for (let row = 0; row < count; row++) addTo(row, row & 3);
    return { sum: total(sums), squares: total(squares) };
  }
  let [s0, s1, s2, s3, q0, q1, q2, q3] = [0, 0, 0, 0, 0, 0, 0, 0];
  for (let row = 0; row < count; row += 4) {
    const d0 = (values[row] - origin) * factor;
    const d1 = (values[row + 1] - origin) * factor;
    const d2 = (values[row + 2] - origin) * factor;
    const d3 = (values[row + 3] - origin) * factor;
    s0 += d0;
    s1 += d1;
    s2 += d2;
    s3 += d3;
    q0 += d0 * d0;
    q1 += d1 * d1;
    q2 += d2 * d2;
    q3 += d3 * d3;
  }
  return { sum: total(sums) + (s0 + s1 + (s2 + s3)), squares: total(squares) + (q0 + q1 + (q2 + q3)) };

  function addTo(row: number, lane: number) {
    const difference = (values[row] - origin) * factor;
    const weight = weights === undefined ? 1 : weights[row];
    sums[lane] += weight * difference;
    squares[lane] += weight * difference * difference;
  }
}

const total = (lanes: Float64Array): number => lanes[0] + lanes[1] + (lanes[2] + lanes[3]);

/** Where squares overflow or vanish, deviations are measured by the largest of them. */
function extremeScale(values: ArrayLike<number>, weights: Float64Array | undefined, mean: number, totalWeight: number): number {
  let largest = 0;
  for (let row = 0; row < values.length; row++) {
    if (weights !== undefined && weights[row] === 0) continue;
    const deviation = Math.abs(values[row] - mean);
    if (!(deviation <= largest)) largest = deviation;
  }
  if (largest < SMALLEST_SCALE || !Number.isFinite(largest)) return largest;
  return largest * Math.sqrt(sumsFrom(values, weights, mean, largest).squares / totalWeight);
}

function notFinite(matrix: Matrix, position: number) {
  const column = matrix.columns[position];
  const row = column.findIndex((value) => !Number.isFinite(value));
  const what = row < 0 ? "values too far apart for 64-bit numbers" : `${column[row]} in row ${row}`;
  return trainErrors.TRAIN_NOT_FINITE(`${columnName(matrix, position)} has ${what}`);
}
