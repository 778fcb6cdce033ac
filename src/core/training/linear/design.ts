import { trainErrors } from "../errors.ts";
import type { Matrix } from "../matrix.ts";

/**
 * A matrix as linear solvers read it: only the columns that vary, each to be taken as (x - mean) / scale. The shift costs nothing,
 * because intercepts are never penalised, and makes the solvers indifferent to units; penalties are converted to the new units.
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
 * @throws TRAIN_TOO_FEW_ROWS without rows, TRAIN_WEIGHTS_INVALID, TRAIN_COLUMN_NOT_NUMERIC for columns of category codes,
 * TRAIN_NOT_FINITE for missing values, infinities, and magnitudes whose differences overflow
 */
export function createDesign(matrix: Matrix, weights?: Float64Array): Design {
  const { rows } = matrix;
  if (rows === 0) throw trainErrors.TRAIN_TOO_FEW_ROWS("a linear model cannot be fitted to 0 rows");
  const totalWeight = checkedWeight(weights, rows);
  const kept: { position: number; mean: number; scale: number }[] = [];
  matrix.columns.forEach((column, position) => {
    if (matrix.categories !== undefined && matrix.categories[position] > 0) {
      throw trainErrors.TRAIN_COLUMN_NOT_NUMERIC(
        `${nameOf(matrix, position)} holds categories, which a linear model cannot read`,
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

/** The sum of the weights, or the number of rows. @throws TRAIN_WEIGHTS_INVALID */
export function checkedWeight(weights: Float64Array | undefined, rows: number): number {
  if (weights === undefined) return rows;
  if (weights.length !== rows) throw trainErrors.TRAIN_WEIGHTS_INVALID(`${weights.length} weights for ${rows} rows`);
  let total = 0;
  for (const weight of weights) {
    if (!(weight >= 0)) throw trainErrors.TRAIN_WEIGHTS_INVALID(`a row has weight ${weight}`);
    total += weight;
  }
  if (!(total > 0 && Number.isFinite(total))) throw trainErrors.TRAIN_WEIGHTS_INVALID(`the weights sum to ${total}`);
  return total;
}

export interface Moments {
  readonly mean: number;
  /** 0 where all rows that count are equal. */
  readonly scale: number;
}

/** Weighted mean and standard deviation in two passes. Differences from the first value: a constant's mean is then exactly itself. */
export function momentsOf(values: ArrayLike<number>, weights: Float64Array | undefined, totalWeight: number): Moments {
  const origin = values[0];
  let sum = 0;
  if (weights === undefined) for (let row = 0; row < values.length; row++) sum += values[row] - origin;
  else for (let row = 0; row < values.length; row++) sum += weights[row] * (values[row] - origin);
  const mean = origin + sum / totalWeight;
  const squares = squaredDeviations(values, weights, mean, 1);
  if (squares > 1e-250 && squares < 1e250) return { mean, scale: Math.sqrt(squares / totalWeight) };
  return { mean, scale: extremeScale(values, weights, mean, totalWeight) };
}

function squaredDeviations(values: ArrayLike<number>, weights: Float64Array | undefined, mean: number, unit: number): number {
  let squares = 0;
  for (let row = 0; row < values.length; row++) {
    const deviation = (values[row] - mean) / unit;
    squares += (weights === undefined ? 1 : weights[row]) * deviation * deviation;
  }
  return squares;
}

/** Where squares overflow or vanish, deviations are measured by the largest of them. */
function extremeScale(values: ArrayLike<number>, weights: Float64Array | undefined, mean: number, totalWeight: number): number {
  let largest = 0;
  for (let row = 0; row < values.length; row++) {
    if (weights !== undefined && weights[row] === 0) continue;
    const deviation = Math.abs(values[row] - mean);
    if (!(deviation <= largest)) largest = deviation;
  }
  if (largest === 0 || !Number.isFinite(largest)) return largest;
  return largest * Math.sqrt(squaredDeviations(values, weights, mean, largest) / totalWeight);
}

function notFinite(matrix: Matrix, position: number) {
  const column = matrix.columns[position];
  const row = column.findIndex((value) => !Number.isFinite(value));
  const what = row < 0 ? "values too far apart for 64-bit numbers" : `${column[row]} in row ${row}`;
  return trainErrors.TRAIN_NOT_FINITE(`${nameOf(matrix, position)} has ${what}`);
}

function nameOf(matrix: Matrix, position: number): string {
  return matrix.names === undefined ? `column ${position}` : `column ${matrix.names[position]}`;
}
