import { isActive, type ParameterValues, type SearchSpace } from "../../definitions/index.ts";
import type { RandomStream } from "../random.ts";
import { parzenDensity } from "./parzen.ts";
import type { SearchHistory } from "./samplers.ts";
import { drawPoint, drawValue } from "./space.ts";
import { type Direction, type EndedTrial, lossOf } from "./trial.ts";

export interface TpeOptions {
  /** Trials drawn at random before the model is asked. */
  readonly startup: number;
  /** Points drawn from the good trials' density, of which the best by the model is taken. */
  readonly candidates: number;
}

/** The share of trials that counts as good, and the most that do. */
const GOOD_SHARE = 0.1;
const MOST_GOOD = 25;

/**
 * The next point by the tree-structured Parzen estimator: one density l over the best tenth of the trials and one density g over
 * the others; of some points drawn from l, the one where l / g is largest, which is where the expected improvement is. Parameters
 * that apply together are modelled together; those of a branch only by the trials that took it. Running trials count as bad, so
 * that parallel workers spread out (a constant liar), and so do failed ones.
 *
 * Bergstra, Bardenet, Bengio & Kégl, "Algorithms for hyper-parameter optimization", NeurIPS 2011; joint densities as in Falkner,
 * Klein & Hutter, "BOHB", ICML 2018; the constants are those that Watanabe, "Tree-structured Parzen estimator"
 * (arXiv:2304.11127), describes as common.
 */
export function tpePoint(
  space: SearchSpace,
  { startup, candidates }: TpeOptions,
  { ended, running, direction }: SearchHistory,
  random: RandomStream,
): ParameterValues {
  const ranked = ended.filter(({ state }) => state !== "failed").toSorted((a, b) => compareTrials(a, b, direction));
  if (ranked.length < startup) return drawPoint(space, (domain) => drawValue(domain, random));
  const goodTrials = new Set(ranked.slice(0, Math.min(MOST_GOOD, Math.ceil(GOOD_SHARE * ranked.length))));
  const good = [...goodTrials].map(({ params }) => params);
  const bad = [...ended.filter((trial) => !goodTrials.has(trial)), ...running].map(({ params }) => params);

  let point: ParameterValues = {};
  for (const branch of branchesOf(space)) {
    if (!isActive(branch[0].domain, point)) continue;
    const took = ({ [branch[0].name]: value }: ParameterValues) => value !== undefined;
    point = { ...point, ...bestCandidate(branch, good.filter(took), bad.filter(took), candidates, random) };
  }
  return point;
}

/** Parameters under the same condition, which apply together; a branch stands after those it depends on. */
function branchesOf(space: SearchSpace): SearchSpace[] {
  const branches = Map.groupBy(space, ({ domain }) => JSON.stringify(domain.when ?? {}));
  return [...branches.values()];
}

function bestCandidate(
  branch: SearchSpace,
  good: readonly ParameterValues[],
  bad: readonly ParameterValues[],
  candidates: number,
  random: RandomStream,
): ParameterValues {
  const likely = parzenDensity(branch, good);
  const unlikely = parzenDensity(branch, bad);
  let best: ParameterValues = {};
  let bestRatio = Number.NEGATIVE_INFINITY;
  for (let drawn = 0; drawn < candidates; drawn++) {
    const point = likely.draw(random);
    const ratio = likely.logDensity(point) - unlikely.logDensity(point);
    if (ratio <= bestRatio) continue;
    best = point;
    bestRatio = ratio;
  }
  return best;
}

/** Finished trials by score; then pruned ones, those that came farther first, by their last report; ties by number. */
function compareTrials(a: EndedTrial, b: EndedTrial, direction: Direction): number {
  const [stepA, lossA] = progressOf(a, direction);
  const [stepB, lossB] = progressOf(b, direction);
  if (stepA !== stepB) return stepB - stepA;
  if (lossA !== lossB) return lossA - lossB;
  return a.number - b.number;
}

function progressOf(trial: EndedTrial, direction: Direction): readonly [step: number, loss: number] {
  if (trial.state === "finished") return [Number.POSITIVE_INFINITY, lossOf(trial.score, direction)];
  const last = trial.reports.at(-1);
  const value = last?.value ?? null;
  return [last?.step ?? 0, value === null ? Number.POSITIVE_INFINITY : lossOf(value, direction)];
}
