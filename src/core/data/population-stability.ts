type Counts = ArrayLike<number>;

/**
 * Population stability index of two histograms over the same bins, neither of them empty: sum of (p - q) ln(p / q). Empty bins are
 * filled, on each side, with 1e-4, or with a millionth of that side's smallest share where it is no greater than 1e-4; not
 * renormalised (as Evidently 0.7 does).
 */
export function populationStabilityIndex(reference: Counts, current: Counts): number {
  const expected = filledShares(reference);
  const actual = filledShares(current);
  return expected.reduce((sum, p, bin) => sum + (p - actual[bin]) * Math.log(p / actual[bin]), 0);
}

function filledShares(counts: Counts): Float64Array {
  let total = 0;
  for (let bin = 0; bin < counts.length; bin++) total += counts[bin];
  const shares = Float64Array.from(counts, (count) => count / total);
  const smallest = shares.reduce((least, share) => (share > 0 && share < least ? share : least), 1);
  const fill = smallest <= 1e-4 ? smallest / 1e6 : 1e-4;
  return shares.map((share) => (share === 0 ? fill : share));
}

/** z of a one-sided 99.9%. */
const Z = 3.0902323;

/**
 * The index that two samples of one distribution stay below in 999 of 1000 cases: PSI / (1 / n + 1 / m) is about chi-squared with
 * bins - 1 degrees of freedom (Yurdakul, "Statistical properties of population stability index", 2018), whose quantile is taken
 * from Wilson and Hilferty's approximation (1931).
 */
export function stabilityByChance(bins: number, reference: number, current: number): number {
  const degrees = Math.max(1, bins - 1);
  const spread = 2 / (9 * degrees);
  return degrees * (1 - spread + Z * Math.sqrt(spread)) ** 3 * (1 / reference + 1 / current);
}

/** The distance that two means, in standard deviations, or two shares with this pooled `std` stay below by chance, two-sided 99.9%. */
export const distanceByChance = (std: number, reference: number, current: number): number =>
  3.2905267 * std * Math.sqrt(1 / reference + 1 / current);
