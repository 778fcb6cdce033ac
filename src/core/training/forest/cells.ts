/** Bins of a byte, the one for missing values included. */
const BINS = 256;

/** What a node's rows have in the bins of one column: only the bins that occur, ascending, each with `size` statistics. */
export interface Cells {
  readonly size: number;
  count: number;
  readonly bins: Int32Array;
  /** count x size */
  readonly values: Float64Array;
  /** Statistics of the rows whose value is missing, where `hasMissing`. */
  readonly missing: Float64Array;
  hasMissing: boolean;
}

/**
 * Statistics by bin while a node's rows are read. Which bins occur is kept in bits, so that neither emptying nor reading takes
 * longer than there are rows: most nodes of a forest hold a few.
 */
export interface Histogram {
  readonly size: number;
  /** BINS x size; all 0 between nodes. */
  readonly values: Float64Array;
  /** A bit for each bin that occurs; all 0 between nodes. */
  readonly occupied: Int32Array;
}

export const createHistogram = (size: number): Histogram => ({
  size,
  values: new Float64Array(BINS * size),
  occupied: new Int32Array(BINS / 32),
});

export const createCells = (size: number): Cells => ({
  size,
  count: 0,
  bins: new Int32Array(BINS),
  values: new Float64Array(BINS * size),
  missing: new Float64Array(size),
  hasMissing: false,
});

/** Moves a histogram's bins to cells and leaves it empty. `missingBin` becomes `missing`; -1 keeps it among the others. */
export function takeCells({ values, occupied, size }: Histogram, cells: Cells, missingBin: number): void {
  let count = 0;
  cells.hasMissing = false;
  for (let word = 0; word < occupied.length; word++) {
    let bits = occupied[word];
    occupied[word] = 0;
    while (bits !== 0) {
      const lowest = bits & -bits;
      const bin = 32 * word + 31 - Math.clz32(lowest);
      bits ^= lowest;
      const isMissing = bin === missingBin;
      const target = isMissing ? cells.missing : cells.values;
      const at = isMissing ? 0 : count * size;
      for (let i = 0; i < size; i++) {
        target[at + i] = values[bin * size + i];
        values[bin * size + i] = 0;
      }
      if (isMissing) cells.hasMissing = true;
      else cells.bins[count++] = bin;
    }
  }
  cells.count = count;
}

/** Puts cells in ascending order of their keys; equal ones stay in order. */
export function orderCells(cells: Cells, keys: Float64Array): void {
  const { count, size, bins, values } = cells;
  const order = Array.from({ length: count }, (_, i) => i).sort((a, b) => keys[a] - keys[b] || a - b);
  const oldBins = bins.slice(0, count);
  const oldValues = values.slice(0, count * size);
  order.forEach((from, to) => {
    bins[to] = oldBins[from];
    values.set(oldValues.subarray(from * size, (from + 1) * size), to * size);
  });
}
