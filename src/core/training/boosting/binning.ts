/** Bin of missing values; numbers take bins 0 … 254. */
export const MISSING_BIN = 255;
export const BINS = 256;
const MAX_EDGES = MISSING_BIN - 1;
/** Edges are quantiles of at most so many values: more do not move them noticeably. */
const SAMPLE = 200_000;

/** A matrix in 255 quantile bins a column, twice: by row to build histograms, by column to partition rows. */
export interface BinnedMatrix {
  readonly rows: number;
  readonly columns: number;
  /** 32-bit words of a row: four columns each, the first in the lowest byte. */
  readonly wordsPerRow: number;
  readonly byRow: Uint32Array;
  readonly byColumn: readonly Uint8Array[];
  /** Ascending; a value's bin is the number of edges below it, so `bin <= b` means `value <= edges[b]`. */
  readonly edges: readonly Float64Array[];
  readonly hasMissing: readonly boolean[];
}

export function binMatrix(matrix: readonly Float64Array[]): BinnedMatrix {
  const rows = matrix[0]?.length ?? 0;
  const edges = matrix.map(binEdges);
  const byColumn = matrix.map((column, index) => binColumn(column, edges[index]));
  const wordsPerRow = Math.ceil(matrix.length / 4);
  const byRow = new Uint32Array(rows * wordsPerRow);
  byColumn.forEach((bins, column) => {
    const shift = (column % 4) * 8;
    for (let row = 0, word = column >> 2; row < rows; row++, word += wordsPerRow) byRow[word] |= bins[row] << shift;
  });
  return {
    rows,
    columns: matrix.length,
    wordsPerRow,
    byRow,
    byColumn,
    edges,
    hasMissing: byColumn.map((bins) => bins.includes(MISSING_BIN)),
  };
}

/** Between all neighbouring values where there are at most 255 distinct ones, at quantiles otherwise. */
export function binEdges(column: Float64Array): Float64Array {
  const stride = Math.max(1, Math.ceil(column.length / SAMPLE));
  const sample = new Float64Array(Math.ceil(column.length / stride));
  let known = 0;
  for (let row = 0; row < column.length; row += stride) if (!Number.isNaN(column[row])) sample[known++] = column[row];
  const sorted = sample.subarray(0, known).sort();

  const between: number[] = [];
  for (let i = 1; i < known && between.length <= MAX_EDGES; i++) {
    if (sorted[i] !== sorted[i - 1]) between.push(middle(sorted[i - 1], sorted[i]));
  }
  if (between.length <= MAX_EDGES) return Float64Array.from(between);

  const quantiles: number[] = [];
  for (let q = 1; q <= MAX_EDGES; q++) {
    const at = Math.floor((q * known) / (MAX_EDGES + 1));
    const edge = middle(sorted[at - 1], sorted[at]);
    // The largest value as an edge would leave the bin above it empty.
    if (edge !== quantiles.at(-1) && edge < sorted[known - 1]) quantiles.push(edge);
  }
  return Float64Array.from(quantiles);
}

/** Halved before they are added: the sum of two large numbers may overflow. Where rounding gives b, a is the edge. */
function middle(a: number, b: number): number {
  const half = a / 2 + b / 2;
  return half < b ? half : a;
}

function binColumn(column: Float64Array, edges: Float64Array): Uint8Array {
  const bins = new Uint8Array(column.length);
  for (let row = 0; row < column.length; row++) {
    const x = column[row];
    if (Number.isNaN(x)) {
      bins[row] = MISSING_BIN;
      continue;
    }
    let low = 0;
    let high = edges.length;
    while (low < high) {
      const probe = (low + high) >> 1;
      if (x <= edges[probe]) high = probe;
      else low = probe + 1;
    }
    bins[row] = low;
  }
  return bins;
}
