import { encodedDraft } from "./category-encoding.ts";
import type { CategoryDraft, NumberDraft } from "./draft-column.ts";
import type { FitContext } from "./fit-context.ts";

/** A category's mean is drawn towards the overall one by as many rows as this. */
const SMOOTHING_ROWS = 10;

/**
 * Categories by the rank of their smoothed target mean: how trees without native categorical splits take them. An unseen category
 * stands where an average one would, between the ranks below the overall mean and those above; missing ones stay missing.
 */
export function rankCategories(draft: CategoryDraft, context: FitContext): NumberDraft {
  const { categories, codes } = draft;
  const { target, weights } = context;
  const totals = new Float64Array(categories.length);
  const sums = new Float64Array(categories.length);
  codes.forEach((code, row) => {
    if (code < 0) return;
    totals[code] += weights?.[row] ?? 1;
    sums[code] += (weights?.[row] ?? 1) * target.values[row];
  });
  const add = (sum: number, each: number) => sum + each;
  const mean = sums.reduce(add, 0) / totals.reduce(add, 0);
  const smoothed = categories.map((_, code) => (sums[code] + SMOOTHING_ROWS * mean) / (totals[code] + SMOOTHING_ROWS));
  const ascending = Array.from(categories.keys()).sort((a, b) => smoothed[a] - smoothed[b] || a - b);
  const values = new Array<number>(categories.length);
  ascending.forEach((code, rank) => {
    values[code] = rank;
  });
  const unseen = smoothed.filter((each) => each < mean).length - 0.5;
  return encodedDraft(draft, { values, unseen, missing: null }, context);
}
