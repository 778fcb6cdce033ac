import type { GroupRates } from "./group-rates.ts";

export const DISPARITIES = [
  "demographic_parity_difference",
  "demographic_parity_ratio",
  "equal_opportunity_difference",
  "equal_opportunity_ratio",
  "equalized_odds_difference",
  "equalized_odds_ratio",
] as const;

export type Disparity = (typeof DISPARITIES)[number];

type Rate = "selection_rate" | "true_positive_rate" | "false_positive_rate";

/** What each compares between groups. */
export const COMPARED_RATES: Readonly<Record<Disparity, readonly Rate[]>> = {
  demographic_parity_difference: ["selection_rate"],
  demographic_parity_ratio: ["selection_rate"],
  equal_opportunity_difference: ["true_positive_rate"],
  equal_opportunity_ratio: ["true_positive_rate"],
  equalized_odds_difference: ["true_positive_rate", "false_positive_rate"],
  equalized_odds_ratio: ["true_positive_rate", "false_positive_rate"],
};

/**
 * Differences (greatest less least rate) and ratios (least over greatest) between groups, as fairlearn defines them; of equalized odds the
 * worse of both rates. Absent with fewer than two groups, where a group lacks a rate that is compared, and for a ratio where the
 * greatest rate is 0.
 */
export function disparitiesOf(groups: readonly GroupRates[]): Partial<Record<Disparity, number>> {
  const found: Partial<Record<Disparity, number>> = {};
  for (const disparity of DISPARITIES) {
    const isRatio = disparity.endsWith("_ratio");
    const values = COMPARED_RATES[disparity].map((rate) => compare(groups, rate, isRatio));
    const defined = values.filter((value) => value !== undefined);
    if (defined.length < values.length) continue;
    found[disparity] = isRatio ? Math.min(...defined) : Math.max(...defined);
  }
  return found;
}

function compare(groups: readonly GroupRates[], rate: Rate, isRatio: boolean): number | undefined {
  if (groups.length < 2) return undefined;
  let least = Number.POSITIVE_INFINITY;
  let greatest = Number.NEGATIVE_INFINITY;
  for (const group of groups) {
    const value = group[rate];
    if (value === undefined) return undefined;
    least = Math.min(least, value);
    greatest = Math.max(greatest, value);
  }
  if (!isRatio) return greatest - least;
  return greatest > 0 ? least / greatest : undefined;
}
