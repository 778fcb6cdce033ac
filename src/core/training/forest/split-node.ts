import type { RandomStream } from "../random.ts";
import type { BinnedMatrix, CategoryBinning, NumberBinning } from "../trees/binning.ts";
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
 * Finds the best split of a node among columns drawn at random. Where none of those can be split, more are drawn until one can be (as
 * scikit-learn does it).
 */
export function createSplitFinder(binned: BinnedMatrix, criterion: Criterion, settings: SplitSettings): SplitFinder {
  const histogram = createHistogram(criterion.size);
  const cells = createCells(criterion.size);
  const keys = new Float64Array(BINS);
  const order = Uint32Array.from(binned.columns.keys());
  const cut: Cut = { score: 0, last: -1, missingLeft: false };

  return (sample, start, end, total, random) => {
    let best: Split | undefined;
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
      best = binning.kind === "number" ? numberSplit(column, cells, binning, cut) : categorySplit(column, cells, binning, cut);
    }
    return best;
  };
}

/** A threshold between the node's smallest and largest value, all equally likely; among categories, a place in their order. */
function drawCut({ bins, count }: Cells, binning: NumberBinning | CategoryBinning, last: number, random: RandomStream): number {
  if (binning.kind === "category" || count < 3) return random.below(last + 1);
  const { edges } = binning;
  const low = edges[bins[0]];
  const high = edges[bins[count - 1] - 1];
  const threshold = low + (high - low) * (random.uint32() / 2 ** 32);
  let cell = 0;
  while (cell < count - 2 && edges[bins[cell + 1] - 1] < threshold) cell++;
  return cell;
}

function numberSplit(column: number, { bins, count }: Cells, { edges, valueBins }: NumberBinning, cut: Cut): Split {
  const isLast = cut.last === count - 1;
  // Of the edges between two bins that occur, the middle one: as far from the node's rows on either side as bins can tell.
  const edge = isLast ? valueBins - 1 : (bins[cut.last] + bins[cut.last + 1] - 1) >> 1;
  const goesLeft = new Uint8Array(BINS).fill(1, 0, edge + 1);
  if (cut.missingLeft) goesLeft[valueBins] = 1;
  const threshold = isLast ? Number.MAX_VALUE : edges[edge];
  return { column, score: cut.score, missingLeft: cut.missingLeft, goesLeft, rule: { kind: "number", threshold } };
}

/** Rare categories share a bin, which is put on the right, where categories that a set does not name go. */
function categorySplit(column: number, { bins, count }: Cells, { codes, valueBins }: CategoryBinning, cut: Cut): Split {
  const goesLeft = new Uint8Array(BINS);
  for (let i = 0; i <= cut.last; i++) goesLeft[bins[i]] = 1;
  if (goesLeft[valueBins - 1] === 1) for (let i = 0; i < count; i++) goesLeft[bins[i]] ^= 1;
  const hasMissing = bins.subarray(0, count).includes(valueBins);
  return {
    column,
    score: cut.score,
    missingLeft: hasMissing && goesLeft[valueBins] === 1,
    goesLeft,
    rule: { kind: "category", codes: Array.from(codes).filter((_, bin) => goesLeft[bin] === 1) },
  };
}
