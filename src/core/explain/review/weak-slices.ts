import {
  adjustPValues,
  type Dataset,
  denseUnits,
  intervalOf,
  type MetricEstimate,
  type RowSelection,
  unitResamples,
} from "../../training/index.ts";
import { requireRows } from "../sample-rows.ts";
import { type RowLoss, rowLosses } from "./row-losses.ts";
import { type SlicedColumn, slicedColumns } from "./slice-parts.ts";

export interface SliceOptions {
  /** Least rows of a slice in either half; 50 unless said, and never below 1% of them. */
  readonly minRows?: number;
  /** Slices given at most; 5 unless said. */
  readonly count?: number;
  /** Resamples of days behind intervals and p-values; 1,000 unless said. */
  readonly resamples?: number;
  readonly seed?: number;
}

export interface WeakSlice {
  /** All of them hold: "shop.kind is c", "weather.wind > 0.7". */
  readonly conditions: readonly string[];
  /** Rows of the slice in the half that it was confirmed on, and their share of it. */
  readonly rows: number;
  readonly share: number;
  /** Mean loss inside and outside. */
  readonly loss: number;
  readonly lossElsewhere: number;
  /** Inside less outside. */
  readonly excess: MetricEstimate;
  /** Two-sided, corrected for the number of slices that were to be confirmed (Holm). */
  readonly pValue: number;
}

export interface SliceSearch {
  readonly loss: RowLoss;
  /** Slices with enough rows that were looked at. */
  readonly tried: number;
  /** The most suspicious of them, looked at again on the other half. */
  readonly examined: number;
  /** Confirmed there: excess above 0 and p-value below 0.05. Largest excess first. */
  readonly slices: readonly WeakSlice[];
  readonly note: string;
}

const DEFAULTS = { minRows: 50, count: 5, resamples: 1_000, seed: 1 };
const LEAST_SHARE = 0.01;
const EXAMINED = 12;
const SIGNIFICANT = 0.05;
/** A pair has to lose so much more than either of its conditions alone to be worth a second condition. */
const PAIR_GAIN = 1.25;
/** Columns that are crossed with each other: those whose own parts differ most. */
const CROSSED = 24;

/**
 * Where the model is weak: parts of a feature or of two together in which its loss is higher than elsewhere (after Chung et al.,
 * "Slice finder", 2019). Slices are found on every other day and measured on the days between, so that having looked at thousands does
 * not make chance look like weakness; p-values are corrected for those measured. Rows with a harder question have a higher loss too: a weak
 * slice is a place to look, not a proof of a bad model.
 *
 * @param prediction what `predict` gave for these rows, in their order
 * @throws EXPLAIN_NO_ROWS
 */
export function weakSlices(
  dataset: Dataset,
  rows: RowSelection,
  prediction: Float64Array,
  options: SliceOptions = {},
): SliceSearch {
  const { minRows, count, resamples, seed } = { ...DEFAULTS, ...options };
  requireRows(rows);
  const { loss, losses } = rowLosses(dataset, rows, prediction);
  const { isFirst, units, by } = halves(dataset, rows);
  const columns = slicedColumns(dataset, rows);
  const least = Math.max(minRows, Math.ceil((LEAST_SHARE * rows.length) / 2));
  const found = suspicious(columns, losses, isFirst, least);
  const confirmed = found.shortlist.flatMap((slice) => {
    const measured = confirm(slice, columns, losses, isFirst, units, { resamples, seed });
    return measured.rows < least ? [] : [measured];
  });
  const pValues = adjustPValues(confirmed.map(({ pValue }) => pValue));
  const slices = confirmed
    .map((slice, i) => ({ ...slice, pValue: pValues[i] }))
    .filter(({ excess, pValue }) => excess.low > 0 && pValue < SIGNIFICANT)
    .sort((a, b) => b.excess.value - a.excess.value)
    .slice(0, count);
  return {
    loss,
    tried: found.tried,
    examined: confirmed.length,
    slices,
    note:
      `${found.tried} slices of one or two conditions were looked at on half of the ${by}; the ${confirmed.length} most suspicious were ` +
      `measured on the other half, with p-values corrected for their number.`,
  };
}

/** Every other day; every other row where there are too few days to take halves of. */
function halves(dataset: Dataset, rows: RowSelection): { isFirst: Uint8Array; units: Int32Array; by: "days" | "rows" } {
  const days = denseUnits(Int32Array.from(rows, (row) => dataset.day[row]));
  const by = days.count >= 8 ? "days" : "rows";
  const units = by === "days" ? days.index : Int32Array.from(rows, (_, i) => i);
  return { isFirst: Uint8Array.from(units, (unit) => 1 - (unit % 2)), units, by };
}

/** Parts of columns that all hold. */
interface Slice {
  readonly on: readonly { readonly column: number; readonly part: number }[];
  readonly rows: number;
  readonly excess: number;
  /** How sure its loss is higher: excess in standard errors, as if rows were independent. */
  readonly evidence: number;
}

/** Rows, summed losses and summed squares of every cell of parts. */
interface Cells {
  readonly rows: Float64Array;
  readonly sum: Float64Array;
  readonly squares: Float64Array;
}

function suspicious(
  columns: readonly SlicedColumn[],
  losses: Float64Array,
  isFirst: Uint8Array,
  least: number,
): { tried: number; shortlist: Slice[] } {
  const total = cellsOf(null, losses, isFirst, 1);
  const judge = (cells: Cells, cell: number, on: Slice["on"]): Slice[] => {
    if (cells.rows[cell] < least || total.rows[0] - cells.rows[cell] < least) return [];
    return [{ on, rows: cells.rows[cell], ...compare(cells, cell, total) }];
  };
  const singles = columns.flatMap(({ part, conditions }, column) => {
    const cells = cellsOf((i) => part[i], losses, isFirst, conditions.length);
    return conditions.flatMap((_, at) => judge(cells, at, [{ column, part: at }]));
  });
  const alone = new Map(singles.map(({ on: [{ column, part }], excess }) => [`${column} ${part}`, excess]));
  const crossed = mostVaried(singles, columns.length);
  let tried = singles.length;
  const pairs = crossed.flatMap((a, i) =>
    crossed.slice(i + 1).flatMap((b) => {
      const width = columns[b].conditions.length;
      const cellOfRow = (row: number) => columns[a].part[row] * width + columns[b].part[row];
      const cells = cellsOf(cellOfRow, losses, isFirst, columns[a].conditions.length * width);
      return Array.from(cells.rows.keys()).flatMap((cell) => {
        const on = [
          { column: a, part: Math.floor(cell / width) },
          { column: b, part: cell % width },
        ];
        const judged = judge(cells, cell, on);
        tried += judged.length;
        const parents = on.map(({ column, part }) => alone.get(`${column} ${part}`) ?? 0);
        return judged.filter(({ excess }) => parents.every((parent) => excess > PAIR_GAIN * parent));
      });
    }),
  );
  const ordered = [...singles, ...pairs].filter(({ excess }) => excess > 0).sort((a, b) => b.evidence - a.evidence);
  return { tried, shortlist: withoutTwins(ordered).slice(0, EXAMINED) };
}

/** A feature and a segment may say the same: of slices with the same rows the first is kept. */
function withoutTwins(slices: readonly Slice[]): Slice[] {
  const seen = new Set<string>();
  return slices.filter(({ rows, excess }) => {
    const key = `${rows} ${excess}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

function cellsOf(cellOf: ((row: number) => number) | null, losses: Float64Array, isFirst: Uint8Array, count: number): Cells {
  const rows = new Float64Array(count);
  const sum = new Float64Array(count);
  const squares = new Float64Array(count);
  for (let i = 0; i < losses.length; i++) {
    if (isFirst[i] === 0) continue;
    const cell = cellOf === null ? 0 : cellOf(i);
    rows[cell] += 1;
    sum[cell] += losses[i];
    squares[cell] += losses[i] * losses[i];
  }
  return { rows, sum, squares };
}

/** Welch's t of a cell against all other rows. */
function compare(cells: Cells, cell: number, total: Cells): { excess: number; evidence: number } {
  const inside = moments(cells.rows[cell], cells.sum[cell], cells.squares[cell]);
  const outside = moments(
    total.rows[0] - cells.rows[cell],
    total.sum[0] - cells.sum[cell],
    total.squares[0] - cells.squares[cell],
  );
  const excess = inside.mean - outside.mean;
  const error = Math.sqrt(inside.variance / inside.rows + outside.variance / outside.rows);
  return { excess, evidence: error > 0 ? excess / error : 0 };
}

function moments(rows: number, sum: number, squares: number): { rows: number; mean: number; variance: number } {
  const mean = sum / rows;
  return { rows, mean, variance: Math.max(0, squares / rows - mean * mean) };
}

/** Columns by the evidence of their worst part. */
function mostVaried(singles: readonly Slice[], columns: number): number[] {
  const worst = new Float64Array(columns);
  for (const { on, evidence } of singles) worst[on[0].column] = Math.max(worst[on[0].column], Math.abs(evidence));
  return Array.from(worst.keys())
    .sort((a, b) => worst[b] - worst[a] || a - b)
    .slice(0, CROSSED);
}

function confirm(
  { on }: Slice,
  columns: readonly SlicedColumn[],
  losses: Float64Array,
  isFirst: Uint8Array,
  units: Int32Array,
  options: { readonly resamples: number; readonly seed: number },
): WeakSlice {
  const held = Int32Array.from(units.keys()).filter((i) => isFirst[i] === 0);
  const { count, index } = denseUnits(held.map((i) => units[i]));
  const inside = { rows: new Float64Array(count), sum: new Float64Array(count) };
  const outside = { rows: new Float64Array(count), sum: new Float64Array(count) };
  held.forEach((i, place) => {
    const side = on.every(({ column, part }) => columns[column].part[i] === part) ? inside : outside;
    side.rows[index[place]] += 1;
    side.sum[index[place]] += losses[i];
  });
  const mean = ({ rows, sum }: typeof inside, weights: Float64Array | null) => weighted(sum, weights) / weighted(rows, weights);
  const differences: number[] = [];
  for (const weights of unitResamples(count, options)) {
    const difference = mean(inside, weights) - mean(outside, weights);
    if (Number.isFinite(difference)) differences.push(difference);
  }
  const [loss, lossElsewhere] = [mean(inside, null), mean(outside, null)];
  const rows = weighted(inside.rows, null);
  return {
    conditions: on.map(({ column, part }) => columns[column].conditions[part]),
    rows,
    share: rows / held.length,
    loss,
    lossElsewhere,
    excess: intervalOf(loss - lossElsewhere, differences, [], options),
    pValue: twoSided(differences),
  };
}

const weighted = (values: Float64Array, weights: Float64Array | null): number =>
  values.reduce((sum, value, unit) => sum + value * (weights === null ? 1 : weights[unit]), 0);

/** As `pairedBootstrap` counts it; 1 where nothing was resampled. */
function twoSided(differences: readonly number[]): number {
  const below = differences.filter((each) => each <= 0).length;
  const above = differences.filter((each) => each >= 0).length;
  return Math.min(1, (2 * (Math.min(below, above) + 1)) / (differences.length + 1));
}
