import type { BoostingParams } from "./boosting-params.ts";
import type { NodeLimits, NodeSums } from "./split.ts";
import { nodeGain, subtractSums } from "./split.ts";
import type { ColumnCells } from "./split-limited-numbers.ts";

/** The best set of categories so far; overwritten when a better one is found. */
export interface CategorySplit {
  gain: number;
  /** Bins that go left. */
  bins: readonly number[];
  /** The l2 of both sides. */
  l2: number;
}

type CategoryLeafLimits = Pick<BoostingParams, "minLeafRows" | "minHessian" | "categories">;

/**
 * Few categories: each against all others. Many: put in order by gradient over hessian, smoothed, and cut from either end (Fisher 1958;
 * limits as in LightGBM). Missing is one more category; the bin of those without a bin of their own always goes right.
 */
export function splitCategories(
  cells: ColumnCells,
  node: NodeSums,
  limits: NodeLimits,
  leaf: CategoryLeafLimits,
  best: CategorySplit,
): void {
  const { sums, first, valueBins } = cells;
  const weightOf = (bin: number): number => sums[3 * (first + bin) + 2];
  const ownBins = Array.from({ length: valueBins + 1 }, (_, bin) => bin).filter(
    (bin) => bin !== valueBins - 1 && weightOf(bin) > 0,
  );
  if (ownBins.length <= leaf.categories.oneVsRest) {
    for (const bin of ownBins) tryPrefixes(cells, node, limits, { ...leaf, minGroup: 0 }, [bin], best);
    return;
  }
  const { smoothing, most, minRows } = leaf.categories;
  const rank = (bin: number): number => sums[3 * (first + bin)] / (sums[3 * (first + bin) + 1] + smoothing);
  const ordered = ownBins.filter((bin) => weightOf(bin) >= smoothing).sort((a, b) => rank(a) - rank(b) || a - b);
  const longest = Math.min(most, Math.ceil(ordered.length / 2));
  const penalised = { ...limits, l2: limits.l2 + leaf.categories.l2 };
  const grouped = { ...leaf, minGroup: minRows };
  tryPrefixes(cells, node, penalised, grouped, ordered.slice(0, longest), best);
  tryPrefixes(cells, node, penalised, grouped, ordered.toReversed().slice(0, longest), best);
}

/** Tries the first bin alone, the first two, and so on, whenever `minGroup` more rows have come together. */
function tryPrefixes(
  { sums, first }: ColumnCells,
  node: NodeSums,
  limits: NodeLimits,
  { minLeafRows, minHessian, minGroup }: CategoryLeafLimits & { readonly minGroup: number },
  bins: readonly number[],
  best: CategorySplit,
): void {
  let left: NodeSums = { gradient: 0, hessian: 0, weight: 0 };
  let inGroup = 0;
  for (let i = 0; i < bins.length; i++) {
    const cell = 3 * (first + bins[i]);
    left = {
      gradient: left.gradient + sums[cell],
      hessian: left.hessian + sums[cell + 1],
      weight: left.weight + sums[cell + 2],
    };
    inGroup += sums[cell + 2];
    const right = subtractSums(node, left);
    if (right.weight < Math.max(minLeafRows, minGroup) || right.hessian < minHessian || right.weight === 0) return;
    if (left.weight < minLeafRows || left.hessian < minHessian || inGroup < minGroup) continue;
    inGroup = 0;
    const gain = nodeGain(left, limits) + nodeGain(right, limits);
    if (gain <= best.gain) continue;
    best.gain = gain;
    best.bins = bins.slice(0, i + 1);
    best.l2 = limits.l2;
  }
}
