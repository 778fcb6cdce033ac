import type { RandomStream } from "../random.ts";
import type { BinnedMatrix, CategoryBinning, ColumnBinning, NumberBinning } from "../trees/binning.ts";
import { type Cells, createCells, createHistogram, orderCells, takeCells } from "./cells.ts";
import type { Criterion, Cut, Sample } from "./criterion.ts";

/** A split of a node, on numbers or on categories; `goesLeft` says it by bin. */
export interface Split {
  readonly column: number;
  readonly score: number;
  readonly missingLeft: boolean;
  readonly goesLeft: Uint8Array;
  readonly rule:
    | { readonly kind: "number"; readonly threshold: number }
    | { readonly kind: "category"; readonly codes: readonly number[] };
}

/** The best of a node so far. */
interface Found {
  readonly column: number;
  readonly score: number;
  readonly missingLeft: boolean;
  /** Of numbers, the highest bin that goes left. */
  readonly edge: number;
  /** Of categories, which bins go left. */
  readonly set: Uint8Array | null;
}

export interface SplitSettings {
  /** Columns tried at a node. */
  readonly tried: number;
  readonly minWeight: number;
  /** Draws one threshold a column instead of trying all. */
  readonly randomThresholds: boolean;
}

export type SplitFinder = (
  sample: Sample,
  start: number,
  end: number,
  total: Float64Array,
  random: RandomStream,
) => Split | undefined;

const BINS = 256;

/**
 * Finds the best split of a node among columns drawn at random. Where none of those can be split, more are drawn until one can be
 * (as scikit-learn does it).
 */
export function createSplitFinder(binned: BinnedMatrix, criterion: Criterion, settings: SplitSettings): SplitFinder {
  const histogram = createHistogram(criterion.size);
  const cells = createCells(criterion.size);
  const keys = new Float64Array(BINS);
  const order = Uint32Array.from(binned.columns.keys());
  const cut: Cut = { score: 0, last: -1, missingLeft: false };

  return (sample, start, end, total, random) => {
    let best: Found | undefined;
    for (let tried = 0; tried < order.length; tried++) {
      if (tried >= settings.tried && best !== undefined) break;
      const drawn = tried + random.below(order.length - tried);
      const column = order[drawn];
      order[drawn] = order[tried];
      order[tried] = column;

      const { binning, bins } = binned.columns[column];
      criterion.addRows(sample, start, end, bins, histogram);
      takeCells(histogram, cells, binning.kind === "number" ? binning.valueBins : -1);
      if (cells.count + (cells.hasMissing ? 1 : 0) < 2) continue;
      if (binning.kind === "category") {
        criterion.categoryKeys(cells, keys);
        orderCells(cells, keys);
      }
      const last = cells.hasMissing ? cells.count - 1 : cells.count - 2;
      const at = settings.randomThresholds ? drawCut(cells, binning, last, random) : undefined;
      criterion.bestCut(cells, total, at ?? 0, at ?? last, settings.minWeight, cut);
      if (cut.last < 0 || (best !== undefined && cut.score <= best.score)) continue;
      const { score, missingLeft } = cut;
      const edge = binning.kind === "number" ? middleEdge(cells, binning, cut) : -1;
      best = { column, score, missingLeft, edge, set: binning.kind === "category" ? leftSet(cells, binning, cut) : null };
    }
    return best && splitOf(best, binned.columns[best.column].binning);
  };
}

/**
 * The cut that a threshold makes which is drawn evenly between the node's smallest and largest value; among categories, any cut
 * of their order. A bin knows where it ends but not where its smallest value is: the first one is taken to be as wide as the
 * second.
 */
function drawCut({ bins, count }: Cells, binning: ColumnBinning, last: number, random: RandomStream): number {
  if (binning.kind === "category" || count < 3) return random.below(last + 1);
  const edgeAfter = (cell: number) => binning.edges[(bins[cell] + bins[cell + 1] - 1) >> 1];
  const high = edgeAfter(count - 2);
  const low = 2 * edgeAfter(0) - edgeAfter(1);
  const threshold = low + (high - low) * (random.uint32() / 2 ** 32);
  let cell = 0;
  while (cell < count - 2 && edgeAfter(cell) < threshold) cell++;
  return cell;
}

/** Of the edges between two bins that occur, the middle one: as far from the node's rows on either side as bins can tell. */
function middleEdge({ bins, count }: Cells, { valueBins }: NumberBinning, { last }: Cut): number {
  return last === count - 1 ? valueBins - 1 : (bins[last] + bins[last + 1] - 1) >> 1;
}

/** By bin, 1 for left. Rare categories share a bin, which is put on the right, where categories that a set does not name go. */
function leftSet({ bins, count }: Cells, { valueBins }: CategoryBinning, { last }: Cut): Uint8Array {
  const set = new Uint8Array(BINS);
  for (let i = 0; i <= last; i++) set[bins[i]] = 1;
  if (set[valueBins - 1] === 1) for (let i = 0; i < count; i++) set[bins[i]] ^= 1;
  return set;
}

function splitOf({ column, score, missingLeft, edge, set }: Found, binning: ColumnBinning): Split {
  const { valueBins } = binning;
  if (set !== null && binning.kind === "category") {
    const codes = Array.from(binning.codes).filter((_, bin) => set[bin] === 1);
    return { column, score, missingLeft: set[valueBins] === 1, goesLeft: set, rule: { kind: "category", codes } };
  }
  const goesLeft = new Uint8Array(BINS).fill(1, 0, edge + 1);
  goesLeft[valueBins] = missingLeft ? 1 : 0;
  const threshold = binning.kind === "number" && edge < valueBins - 1 ? binning.edges[edge] : Number.MAX_VALUE;
  return { column, score, missingLeft, goesLeft, rule: { kind: "number", threshold } };
}
