import type { FeatureSpace } from "./feature-space.ts";
import type { Changes, VariantScorer } from "./row-variants.ts";
import { type Candidate, type Goal, meets, type SearchLimits } from "./search-changes.ts";

/** Combinations of two features' values that are all tried. */
const MOST_PAIRS = 40_000;
/** Values tried between the old and the new one, again and again between the last that fails and the first that holds. */
const STEPS = 16;
const ZOOMS = 8;

/**
 * The same changes, made as small as they can be: none could be taken back alone, and none of at most two features could be smaller
 * (of more features, none alone). Of models without thresholds to within a 10^-9th of the change.
 */
export function shrinkChanges(
  score: VariantScorer,
  spaces: ReadonlyMap<number, FeatureSpace>,
  goal: Goal,
  { changes }: Candidate,
  { costPerChange }: Pick<SearchLimits, "costPerChange">,
): Candidate {
  const cheapest = (variants: readonly Changes[]): Changes | null => {
    const scores = score(variants);
    const holding = variants.filter((_, i) => meets(goal, scores[i]));
    return holding.reduce<Changes | null>((best, each) => (best === null || cost(each) < cost(best) ? each : best), null);
  };
  const cost = (of: Changes): number =>
    Array.from(of).reduce((sum, [feature, cell]) => sum + (spaces.get(feature)?.costOf(cell) ?? 0), of.size * costPerChange);
  const spaceOf = (feature: number): FeatureSpace[] => {
    const space = spaces.get(feature);
    return space === undefined ? [] : [space];
  };

  let current = changes;
  for (;;) {
    const smaller =
      cheapest(withoutOne(current)) ??
      cheapest(smallerPairs(current, spaceOf).filter((each) => cost(each) < cost(current))) ??
      cheapest(smallerOnes(current, spaceOf).filter((each) => cost(each) < cost(current)));
    if (smaller === null) break;
    current = smaller;
  }
  for (const feature of current.keys()) {
    for (const space of spaceOf(feature)) current = refine(score, goal, current, space);
  }
  const reverted = cheapest(withoutOne(current));
  return reverted === null
    ? { changes: current, cost: cost(current) }
    : shrinkChanges(score, spaces, goal, { changes: reverted, cost: 0 }, { costPerChange });
}

function withoutOne(changes: Changes): Changes[] {
  if (changes.size < 2) return [];
  return Array.from(changes.keys(), (feature) => new Map([...changes].filter(([other]) => other !== feature)));
}

type SpacesOf = (feature: number) => readonly FeatureSpace[];

function smallerOnes(changes: Changes, spaceOf: SpacesOf): Changes[] {
  return Array.from(changes.keys()).flatMap((feature) =>
    spaceOf(feature).flatMap(({ candidates }) => candidates.map((cell) => new Map(changes).set(feature, cell))),
  );
}

function smallerPairs(changes: Changes, spaceOf: SpacesOf): Changes[] {
  const [a, b, ...more] = Array.from(changes.keys()).flatMap(spaceOf);
  if (b === undefined || more.length > 0 || a.candidates.length * b.candidates.length > MOST_PAIRS) return [];
  return a.candidates.flatMap((first) =>
    b.candidates.map(
      (second) =>
        new Map([
          [a.feature, first],
          [b.feature, second],
        ]),
    ),
  );
}

/** Moves one number back towards its old value as far as the goal is still met; values between thresholds differ in nothing. */
function refine(score: VariantScorer, goal: Goal, changes: Changes, space: FeatureSpace): Changes {
  const to = changes.get(space.feature);
  if (to === undefined || space.kind !== "numeric" || space.complete || space.step > 0 || Number.isNaN(space.from))
    return changes;
  let [fails, holds] = [space.from, to];
  for (let zoom = 0; zoom < ZOOMS; zoom++) {
    const tried = Array.from({ length: STEPS - 1 }, (_, i) => fails + ((holds - fails) * (i + 1)) / STEPS);
    const scores = score(tried.map((cell) => new Map(changes).set(space.feature, cell)));
    const first = tried.findIndex((cell, i) => space.allows(cell) && meets(goal, scores[i]));
    if (first >= 0) holds = tried[first];
    if (first !== 0) fails = tried[first < 0 ? tried.length - 1 : first - 1];
  }
  return new Map(changes).set(space.feature, holds);
}
