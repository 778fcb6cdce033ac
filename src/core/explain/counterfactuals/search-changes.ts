import type { FeatureSpace } from "./feature-space.ts";
import type { Changes, VariantScorer } from "./row-variants.ts";

/** What is wanted of the score. */
export interface Goal {
  readonly kind: "at-least" | "above" | "below";
  readonly value: number;
}

export function meets({ kind, value }: Goal, score: number): boolean {
  return kind === "at-least" ? score >= value : kind === "above" ? score > value : score < value;
}

export interface SearchLimits {
  /** Features changed at most. */
  readonly maxChanges: number;
  /** Scores asked for at most. */
  readonly budget: number;
  /** Unfinished sets of changes that are carried on. */
  readonly beam: number;
  /** What each changed feature costs beyond its distance. */
  readonly costPerChange: number;
}

/** A set of changes and what it costs. */
export interface Candidate {
  readonly changes: Changes;
  readonly cost: number;
}

/** Of one set of features, so many unfinished sets of values are carried on. */
const SAME_FEATURES = 4;

export interface Search {
  /** Sets of changes that meet the goal, the cheapest of each set of features, cheapest first. */
  readonly found: readonly Candidate[];
  readonly evaluations: number;
}

/**
 * Beam search over sets of changes, by how many there are: all single changes first, then one more upon those that promise most for
 * their cost, as long as that can still be cheaper than what was found. Finds the cheapest single change for certain.
 *
 * @param start score of the unchanged row
 */
export function searchChanges(
  score: VariantScorer,
  spaces: readonly FeatureSpace[],
  goal: Goal,
  start: number,
  { maxChanges, budget, beam, costPerChange }: SearchLimits,
): Search {
  const best = new Map<string, Candidate>();
  let bound = Number.POSITIVE_INFINITY;
  let open: Candidate[] = [{ changes: new Map(), cost: 0 }];
  let evaluations = 0;
  for (let size = 1; size <= maxChanges && open.length > 0; size++) {
    const children = extensions(open, spaces, costPerChange, bound, budget - evaluations);
    const scores = score(children.map(({ changes }) => changes));
    evaluations += children.length;
    const unfinished: Promising[] = [];
    children.forEach((child, i) => {
      if (!meets(goal, scores[i])) {
        unfinished.push({ ...child, expected: expectedCost(child.cost, start, scores[i], goal) });
        return;
      }
      const features = featuresKey(child.changes);
      if (child.cost < (best.get(features)?.cost ?? Number.POSITIVE_INFINITY)) best.set(features, child);
      bound = Math.min(bound, child.cost);
    });
    open = mostPromising(unfinished, beam);
  }
  return { found: Array.from(best.values()).sort(cheapestFirst), evaluations };
}

export const cheapestFirst = (a: Candidate, b: Candidate): number =>
  a.cost - b.cost || (featuresKey(a.changes) < featuresKey(b.changes) ? -1 : 1);

export const featuresKey = (changes: Changes): string => [...changes.keys()].sort((a, b) => a - b).join(" ");

interface Promising extends Candidate {
  readonly expected: number;
}

/** One more change upon a candidate: not yet made, because most are too dear. */
interface Extension {
  readonly of: Candidate;
  readonly feature: number;
  readonly cell: number;
  readonly cost: number;
}

/** The cheapest candidates with one more feature changed, each set of changes once; what a budget cuts off is the dearest. */
function extensions(
  open: readonly Candidate[],
  spaces: readonly FeatureSpace[],
  costPerChange: number,
  bound: number,
  budget: number,
): Candidate[] {
  const possible: Extension[] = [];
  for (const of of open) {
    for (const { feature, candidates, costOf } of spaces) {
      if (of.changes.has(feature)) continue;
      for (const cell of candidates) {
        const cost = of.cost + costOf(cell) + costPerChange;
        // Candidates are cheapest first.
        if (cost >= bound) break;
        possible.push({ of, feature, cell, cost });
      }
    }
  }
  const seen = new Set<string>();
  const made: Candidate[] = [];
  for (const { of, feature, cell, cost } of possible.sort((a, b) => a.cost - b.cost)) {
    if (made.length >= budget) break;
    const changes = new Map(of.changes).set(feature, cell);
    const key = changesKey(changes);
    if (seen.has(key)) continue;
    seen.add(key);
    made.push({ changes, cost });
  }
  return made;
}

function changesKey(changes: Changes): string {
  if (changes.size < 2) return Array.from(changes).join();
  const features = [...changes.keys()].sort((a, b) => a - b);
  let key = "";
  for (const feature of features) key += `${feature}:${changes.get(feature)} `;
  return key;
}

/** What going on at the same rate would cost; infinite where the score has not moved towards the goal. */
function expectedCost(cost: number, start: number, score: number, goal: Goal): number {
  const share = (score - start) / (goal.value - start);
  return share > 0 ? cost / share : Number.POSITIVE_INFINITY;
}

/** The best by expected cost, then by cost, not too many of the same features. */
function mostPromising(unfinished: readonly Promising[], beam: number): Candidate[] {
  const ofFeatures = new Map<string, number>();
  const chosen: Candidate[] = [];
  const order = [...unfinished].sort((a, b) => (a.expected === b.expected ? a.cost - b.cost : a.expected - b.expected));
  for (const candidate of order) {
    if (chosen.length === beam) break;
    const key = featuresKey(candidate.changes);
    const count = ofFeatures.get(key) ?? 0;
    if (count === SAME_FEATURES) continue;
    ofFeatures.set(key, count + 1);
    chosen.push(candidate);
  }
  return chosen;
}
