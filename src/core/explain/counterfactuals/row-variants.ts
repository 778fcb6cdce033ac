import type { FeatureValue } from "../../features/index.ts";
import type { Dataset, FeatureColumn, ModelPackage } from "../../training/index.ts";
import type { RowFunction } from "../dependence/row-function.ts";

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
  let { features } = dataset;
  return (variants) => {
    if (variants.length === 0) return new Float64Array(0);
    let rows: readonly (readonly number[])[] = variants.map((changes) => cells.map((cell, index) => changes.get(index) ?? cell));
    if (recompute !== undefined) {
      const values = rows.map((row) => recompute(row.map((cell, i) => valueOfCell(features[i], plan.features[i].type, cell))));
      // A computed category may be one that nobody has seen before.
      features = features.map((column, index) =>
        withTexts(
          column,
          values.map((row) => row[index]),
        ),
      );
      rows = values.map((row) => features.map((column, index) => cellOf(column, row[index])));
    }
    const columns = features.map((column, index): FeatureColumn => {
      return column.kind === "categorical"
        ? { ...column, codes: Int32Array.from(rows, (row) => row[index]) }
        : { ...column, values: Float64Array.from(rows, (row) => row[index]) };
    });
    return f(rowsOf(columns, variants.length, dataset));
  };
}

/** A dataset of rows that never were: without labels, times or segments. */
export function rowsOf(features: readonly FeatureColumn[], rows: number, { task, classes }: Dataset): Dataset {
  const none = new Float64Array(rows);
  return {
    rows,
    task,
    classes,
    features,
    label: none,
    at: none,
    labelAt: none,
    day: new Int32Array(rows),
    rule: new Uint8Array(rows),
    segments: [],
  };
}
