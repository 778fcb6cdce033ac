import type { Matrix } from "../matrix.ts";
import { numberEdges } from "./number-edges.ts";
import { ascendingKey } from "./sort-values.ts";

/** Bins of values a column may have; one more holds missing values, so that a bin is a byte. */
export const MOST_BINS = 255;

/** How a column's numbers become bins 0 … valueBins - 1. */
export interface NumberBinning {
  readonly kind: "number";
  /** Ascending; a value's bin is the number of edges below it, so `bin <= b` means `x <= edges[b]`. */
  readonly edges: Float64Array;
  readonly valueBins: number;
}

/** How a column's categories become bins: the most frequent have one each, all others share the last. */
export interface CategoryBinning {
  readonly kind: "category";
  /** Category code of bins 0 … valueBins - 2, most frequent first. Bin valueBins - 1 is the others', and may be empty. */
  readonly codes: Int32Array;
  /** Bin by category code. */
  readonly binOf: Uint8Array;
  readonly valueBins: number;
}

/** Missing values have bin `valueBins`. */
export type ColumnBinning = NumberBinning | CategoryBinning;

export interface BinnedColumn {
  readonly binning: ColumnBinning;
  /** Bin of each row. */
  readonly bins: Uint8Array;
  readonly hasMissing: boolean;
}

export interface BinnedMatrix {
  readonly rows: number;
  readonly columns: readonly BinnedColumn[];
}

/**
 * Sorts each column's values into at most `maxBins` bins: one for each distinct value where those are few enough, of about equal
 * weight otherwise. A row of weight 2 counts as two rows.
 */
export function binMatrix(matrix: Matrix, maxBins: number = MOST_BINS, weights?: Float64Array): BinnedMatrix {
  const columns = matrix.columns.map((column, index) => {
    const binning = planBins(column, matrix.categories?.[index] ?? 0, maxBins, weights);
    const bins = new Uint8Array(matrix.rows);
    return { binning, bins, hasMissing: assignBins(column, binning, bins) };
  });
  return { rows: matrix.rows, columns };
}

/** @param categories how many categories the column's codes stand for; 0 for numbers */
export function planBins(column: Float64Array, categories: number, maxBins: number, weights?: Float64Array): ColumnBinning {
  if (categories > 0) return categoryBinning(column, categories, maxBins, weights);
  const edges = numberEdges(column, maxBins, weights);
  return { kind: "number", edges, valueBins: edges.length + 1 };
}

/** Categories that weigh the same are taken in the order of their codes. */
function categoryBinning(column: Float64Array, categories: number, maxBins: number, weights?: Float64Array): CategoryBinning {
  const weightOf = new Float64Array(categories);
  for (let row = 0; row < column.length; row++) {
    const code = column[row];
    if (!Number.isNaN(code)) weightOf[code] += weights === undefined ? 1 : weights[row];
  }
  const seen = Int32Array.from(weightOf.keys()).filter((code) => weightOf[code] > 0);
  const codes = seen.sort((a, b) => weightOf[b] - weightOf[a] || a - b).slice(0, maxBins - 1);
  const binOf = new Uint8Array(categories).fill(codes.length);
  codes.forEach((code, bin) => {
    binOf[code] = bin;
  });
  return { kind: "category", codes, binOf, valueBins: codes.length + 1 };
}

/**
 * Writes each row's bin.
 * @returns whether a value is missing
 */
export function assignBins(column: Float64Array, binning: ColumnBinning, bins: Uint8Array): boolean {
  return binning.kind === "number" ? assignNumbers(column, binning, bins) : assignCategories(column, binning, bins);
}

function assignCategories(column: Float64Array, { binOf, valueBins }: CategoryBinning, bins: Uint8Array): boolean {
  let hasMissing = false;
  for (let row = 0; row < column.length; row++) {
    const isMissing = Number.isNaN(column[row]);
    bins[row] = isMissing ? valueBins : binOf[column[row]];
    hasMissing ||= isMissing;
  }
  return hasMissing;
}

/** Of a double only the highest bits (sign, exponent, first 8 of the mantissa) are its key: few edges share one. */
const KEY_BITS = 20;

function assignNumbers(column: Float64Array, { edges, valueBins }: NumberBinning, bins: Uint8Array): boolean {
  const belowKey = countEdgesBelowKeys(edges);
  const words = new Uint32Array(column.buffer, column.byteOffset, 2 * column.length);
  let hasMissing = false;
  for (let row = 0; row < column.length; row++) {
    const x = column[row];
    if (Number.isNaN(x)) {
      bins[row] = valueBins;
      hasMissing = true;
      continue;
    }
    let bin = belowKey[keyOf(words[2 * row + 1])];
    while (bin < edges.length && x > edges[bin]) bin++;
    bins[row] = bin;
  }
  return hasMissing;
}

const keyOf = (highWord: number): number => ascendingKey(highWord) >>> (32 - KEY_BITS);

function countEdgesBelowKeys(edges: Float64Array): Uint8Array {
  const counts = new Uint8Array(1 << KEY_BITS);
  const words = new Uint32Array(edges.buffer, edges.byteOffset, 2 * edges.length);
  let from = 0;
  for (let edge = 0; edge < edges.length; edge++) {
    const key = keyOf(words[2 * edge + 1]);
    counts.fill(edge, from, key + 1);
    from = Math.max(from, key + 1);
  }
  return counts.fill(edges.length, from);
}
