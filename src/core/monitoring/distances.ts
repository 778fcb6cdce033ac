import { populationStabilityIndex } from "../data/index.ts";
import { monitorErrors } from "./errors.ts";

type Counts = ArrayLike<number>;

/** Greatest possible Jensen-Shannon distance with natural logarithms. */
export const MAX_JENSEN_SHANNON = Math.sqrt(Math.LN2);

/**
 * Jensen-Shannon distance of two histograms over the same bins: sqrt((KL(p||m) + KL(q||m)) / 2), m = (p + q) / 2, natural
 * logarithm, 0…0.8326 (Endres and Schindelin, "A new metric for probability distributions", 2003; as
 * scipy.spatial.distance.jensenshannon). Empty bins need no filling.
 * @throws MONITOR_DISTRIBUTION_INVALID
 */
export function jensenShannon(reference: Counts, current: Counts): number {
  const { totals } = checked(reference, current);
  let divergence = 0;
  for (let bin = 0; bin < reference.length; bin++) {
    const p = reference[bin] / totals[0];
    const q = current[bin] / totals[1];
    const middle = (p + q) / 2;
    if (p > 0) divergence += p * Math.log(p / middle);
    if (q > 0) divergence += q * Math.log(q / middle);
  }
  return Math.sqrt(Math.max(0, divergence / 2));
}

/**
 * Population stability index: sum of (p - q) ln(p / q). Empty bins are filled, on each side, with 1e-4, or with a millionth of
 * that side's smallest share where it is no greater than 1e-4; not renormalised (as Evidently 0.7 does).
 * @throws MONITOR_DISTRIBUTION_INVALID
 */
export function populationStability(reference: Counts, current: Counts): number {
  checked(reference, current);
  return populationStabilityIndex(reference, current);
}

/**
 * First Wasserstein distance of two samples, in their unit: the area between their empirical distribution functions
 * (Vallender, "Calculation of the Wasserstein distance between probability distributions on the line", 1974; as
 * scipy.stats.wasserstein_distance). Both arrays are sorted ascending, finite and not empty.
 */
export function wasserstein(sortedA: Float64Array, sortedB: Float64Array): number {
  let a = 0;
  let b = 0;
  let previous = Math.min(sortedA[0], sortedB[0]);
  let area = 0;
  while (a < sortedA.length || b < sortedB.length) {
    const next = b >= sortedB.length || (a < sortedA.length && sortedA[a] <= sortedB[b]) ? sortedA[a] : sortedB[b];
    area += Math.abs(a / sortedA.length - b / sortedB.length) * (next - previous);
    previous = next;
    while (a < sortedA.length && sortedA[a] === next) a++;
    while (b < sortedB.length && sortedB[b] === next) b++;
  }
  return area;
}

/** Wasserstein distance in standard deviations of the reference, which counts as 0.001 at least (as Evidently 0.7 does). */
export const normedWasserstein = (sortedReference: Float64Array, sortedCurrent: Float64Array, std: number): number =>
  wasserstein(sortedReference, sortedCurrent) / Math.max(std, 0.001);

function checked(reference: Counts, current: Counts): { totals: readonly [number, number] } {
  const total = (counts: Counts) => {
    let sum = 0;
    for (let bin = 0; bin < counts.length; bin++) sum += counts[bin] >= 0 ? counts[bin] : Number.NaN;
    return sum;
  };
  const totals = [total(reference), total(current)] as const;
  if (reference.length !== current.length || !(totals[0] > 0) || !(totals[1] > 0)) {
    throw monitorErrors.MONITOR_DISTRIBUTION_INVALID(
      `Cannot compare ${reference.length} bins holding ${totals[0]} with ${current.length} bins holding ${totals[1]}`,
    );
  }
  return { totals };
}
