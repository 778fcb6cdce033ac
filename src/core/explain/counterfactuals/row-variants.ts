import type { FeaturePlan, FeatureValue } from "../../features/index.ts";
import type { Dataset, FeatureColumn, ModelPackage } from "../../training/index.ts";
import type { RowFunction } from "../dependence/row-function.ts";
import { unlabelledRows } from "../sample-rows.ts";

/** A row with some of its cells changed: new cell by position of the feature. */
export type Changes = ReadonlyMap<number, number>;

/** The columns of a dataset, with every category that a row or a constraint names among them. */
export function withCategories(dataset: Dataset, extra: readonly (readonly FeatureValue[])[]): Dataset {
  return { ...dataset, features: dataset.features.map((column, index) => withTexts(column, extra[index])) };
}

function withTexts(column: FeatureColumn, values: readonly FeatureValue[]): FeatureColumn {
  if (column.kind === "numeric") return column;
  const texts = values.flatMap((value) => (value === null ? [] : [String(value)]));
  return { ...column, categories: [...new Set([...column.categories, ...texts])] };
}

/** A feature value as the column's cell: a number (booleans 0 and 1, NaN for missing) or a category's code (-1 for missing). */
export function cellOf(column: FeatureColumn, value: FeatureValue): number {
  if (column.kind === "categorical") return value === null ? -1 : column.categories.indexOf(String(value));
  if (typeof value === "boolean") return Number(value);
  return typeof value === "number" && Number.isFinite(value) ? value : Number.NaN;
}

/** The value that a cell stands for. */
export function valueOfCell(column: FeatureColumn, type: string, cell: number): FeatureValue {
  if (column.kind === "categorical") return cell < 0 ? null : column.categories[cell];
  if (Number.isNaN(cell)) return null;
  return type === "bool" ? cell === 1 : cell;
}

/** Keeps features that are computed from others in step: all values of a row in the plan's order, in and out. */
export type Recompute = (values: readonly FeatureValue[]) => readonly FeatureValue[];

/** Scores variants of one row, all in one call of `f`. */
export type VariantScorer = (variants: readonly Changes[]) => Float64Array;

export function createVariantScorer(
  f: RowFunction,
  { plan }: ModelPackage,
  dataset: Dataset,
  cells: readonly number[],
  recompute?: Recompute,
): VariantScorer {
  return (variants) => {
    if (variants.length === 0) return new Float64Array(0);
    const columns = dataset.features.map((column, index) => columnOf(column, index, cells[index], variants));
    const features = recompute === undefined ? columns : recomputed(columns, plan, variants.length, recompute);
    return f(unlabelledRows(features, variants.length, dataset));
  };
}

function columnOf(column: FeatureColumn, index: number, cell: number, variants: readonly Changes[]): FeatureColumn {
  if (column.kind === "categorical") {
    return { ...column, codes: filled(new Int32Array(variants.length), index, cell, variants) };
  }
  return { ...column, values: filled(new Float64Array(variants.length), index, cell, variants) };
}

function filled<A extends Int32Array | Float64Array>(cells: A, index: number, cell: number, variants: readonly Changes[]): A {
  cells.fill(cell);
  for (let i = 0; i < variants.length; i++) {
    const changed = variants[i].get(index);
    if (changed !== undefined) cells[i] = changed;
  }
  return cells;
}

function recomputed(
  columns: readonly FeatureColumn[],
  { features }: FeaturePlan,
  rows: number,
  recompute: Recompute,
): FeatureColumn[] {
  const values = Array.from({ length: rows }, (_, row) =>
    recompute(
      columns.map((column, index) =>
        valueOfCell(column, features[index].type, column.kind === "categorical" ? column.codes[row] : column.values[row]),
      ),
    ),
  );
  return columns.map((column, index) => {
    const own = values.map((row) => row[index]);
    // A computed category may be one that nobody has seen before.
    const wide = withTexts(column, own);
    return wide.kind === "categorical"
      ? { ...wide, codes: Int32Array.from(own, (value) => cellOf(wide, value)) }
      : { ...wide, values: Float64Array.from(own, (value) => cellOf(wide, value)) };
  });
}
