import type { ParameterValues, SearchSpace } from "../../definitions/index.ts";
import type { OrreryError } from "../../errors.ts";
import { trainErrors } from "../errors.ts";
import { type EnsembleSelection, selectEnsemble } from "./ensemble-selection.ts";
import { openStudy } from "./journaled-study.ts";
import { halvingPruner, noPruner } from "./pruning.ts";
import { checkSettings, DEFAULT_FAILURES, runSearch, type SearchedStudy, type SearchSettings } from "./run-search.ts";
import { searchFailed } from "./run-study.ts";
import { climbRungs, runTrial, type TrialControl, type TrialEvaluator, type TrialScore } from "./run-trial.ts";
import { checkBudget, type SearchEnd } from "./search-budget.ts";
import { studySpec } from "./study.ts";
import { memoryJournal, type StudyJournal } from "./study-journal.ts";
import { type Direction, type EndedTrial, type FinishedTrial, lossOf } from "./trial.ts";

export interface AutomlCandidate {
  readonly name: string;
  /** Empty for a candidate with nothing to search, which is tried once. */
  readonly space: SearchSpace;
  /** A point of the space, tried first; null: the sampler draws the first. */
  readonly defaults: ParameterValues | null;
  /** What one trial costs, beside the others'. */
  readonly cost: number;
}

export interface AutomlTrial {
  readonly candidate: string;
  /** The number within the candidate's own trials. */
  readonly number: number;
  readonly params: ParameterValues;
  /** Share of the training rows (or of whatever makes training cheaper), above 0; 1 for all. */
  readonly resource: number;
}

export interface AutomlOptions extends SearchSettings {
  readonly candidates: readonly AutomlCandidate[];
  readonly direction: Direction;
  readonly seed?: number;
  /** Trials climb so many resources, each `reduction` times the one before, the last all rows; 1 when absent: no climbing. */
  readonly rungs?: number;
  /** Of the trials of a candidate at a rung, the best 1 / reduction go on; 3 when absent. */
  readonly reduction?: number;
  /** Trains and scores on validation rows or by folds, the same for every candidate; `detail` may tell where the predictions are. */
  readonly evaluate: (trial: AutomlTrial, control: TrialControl) => Promise<TrialScore>;
  /** By candidate, where the search shall survive this process. */
  readonly journal?: (candidate: string) => StudyJournal | Promise<StudyJournal>;
  readonly ensemble?: EnsembleOptions;
  readonly onTrial?: (trial: RankedTrial<EndedTrial>) => void;
}

export interface EnsembleOptions {
  /** Of the rows that every finished trial was scored on, in one order. */
  readonly predictionsOf: (trial: RankedTrial) => Promise<Float64Array>;
  /** In the search's direction. */
  readonly score: (predictions: Float64Array) => number;
  /** Trials it is made from: the best ones, and the best of each candidate; 20 when absent. */
  readonly pool?: number;
  /** Members at most, repetitions counted; 25 when absent. */
  readonly size?: number;
}

export interface RankedTrial<T extends EndedTrial = FinishedTrial> {
  readonly candidate: string;
  readonly trial: T;
}

export interface AutomlResult {
  /** Every trial of every candidate, in the order in which they ended. */
  readonly trials: readonly RankedTrial<EndedTrial>[];
  /** Those that finished, best first. */
  readonly leaderboard: readonly RankedTrial[];
  /** Candidates of which no trial finished, with their first error. */
  readonly failed: readonly { readonly candidate: string; readonly error: ReturnType<OrreryError["toJSON"]> }[];
  /** Null where none was asked for or nothing finished. */
  readonly ensemble: Ensemble | null;
  readonly end: SearchEnd;
}

export interface Ensemble {
  readonly score: number;
  /** By falling weight; the weights sum to 1. */
  readonly members: readonly (RankedTrial & { readonly weight: number })[];
}

/**
 * Searches over all candidates within a budget. First each candidate's defaults, the cheapest candidate first. Then whoever is
 * behind its share of the cost spent so far: the candidate with the best score has twice the share of the second, which has twice
 * that of the third, and so on, and a share shrinks the longer its space has been searched. So no one is forgotten, and most goes
 * to what does well and has something left to find. Within a candidate TPE chooses, and successive halving gives up early what does
 * badly on few rows. In the end an ensemble is selected from the best.
 *
 * A candidate that fails again and again is dropped and the others go on. With one worker and a budget of trials the same
 * seed gives the same trials.
 *
 * @throws TRAIN_PARAMETER_INVALID, TRAIN_SEARCH_SPACE_INVALID; TRAIN_SEARCH_FAILED when every trial failed; what the journals throw
 */
export async function runAutoml(options: AutomlOptions): Promise<AutomlResult> {
  const { candidates, direction, failures = DEFAULT_FAILURES, ensemble, onTrial } = options;
  checkOptions(options);
  const races: Race[] = [];
  let end: SearchEnd;
  try {
    for (const candidate of candidates) races.push(await openRace(candidate, options));
    end = await runSearch(
      races.map(({ study }) => study),
      options,
      (open) => {
        const left = races.filter((race) => open.includes(race.study) && race.failedInARow < failures);
        return nextRace(left, rankRaces(races, direction))?.study ?? null;
      },
      (trial, study) => {
        for (const race of races)
          if (race.study === study) race.failedInARow = trial.state === "failed" ? race.failedInARow + 1 : 0;
        onTrial?.({ candidate: study.name, trial });
      },
    );
  } finally {
    await Promise.all(races.map(({ journal }) => journal.close()));
  }

  const trials = races
    .flatMap(({ study }) => study.journaled.study.ended.map((trial) => ({ candidate: study.name, trial })))
    .toSorted((a, b) => a.trial.endedAt - b.trial.endedAt);
  const leaderboard = rank(trials, direction);
  if (leaderboard.length === 0 && trials.length > 0)
    throw searchFailed(
      trials.map(({ trial }) => trial),
      `None of ${trials.length} trials finished`,
    );
  return {
    trials,
    leaderboard,
    failed: races.flatMap(failureOf),
    ensemble: ensemble === undefined || leaderboard.length === 0 ? null : await makeEnsemble(leaderboard, ensemble, direction),
    end,
  };
}

/** A candidate in the search. */
interface Race {
  readonly candidate: AutomlCandidate;
  readonly study: SearchedStudy;
  readonly journal: StudyJournal;
  failedInARow: number;
}

function checkOptions({ candidates, rungs = 1, reduction = 3, budget, ...settings }: AutomlOptions): void {
  checkSettings({ budget, ...settings });
  checkBudget(
    budget,
    candidates.some(({ space }) => space.length > 0),
  );
  if (candidates.length === 0) throw trainErrors.TRAIN_NO_CANDIDATE("There are no candidates to search");
  const names = candidates.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw trainErrors.TRAIN_PARAMETER_INVALID(`There are two candidates ${twice}`);
  const free = candidates.find(({ cost }) => !(cost > 0 && Number.isFinite(cost)));
  if (free !== undefined)
    throw trainErrors.TRAIN_PARAMETER_INVALID(`The cost of ${free.name} is ${free.cost}; it takes a number above 0`);
  if (!(Number.isSafeInteger(rungs) && rungs >= 1 && rungs <= 10))
    throw trainErrors.TRAIN_PARAMETER_INVALID(`rungs is ${rungs}; it takes an integer from 1 to 10`);
  if (!(Number.isSafeInteger(reduction) && reduction >= 2))
    throw trainErrors.TRAIN_PARAMETER_INVALID(`reduction is ${reduction}; it takes an integer from 2`);
}

async function openRace(candidate: AutomlCandidate, options: AutomlOptions): Promise<Race> {
  const { direction, seed = 1, rungs = 1, reduction = 3, journal = memoryJournal, clock } = options;
  const { name, space, defaults } = candidate;
  // Steps are whole numbers, so that no share of rows misses its rung by rounding.
  const maxResource = reduction ** (rungs - 1);
  // What is tried once has none of its own to be behind.
  const climbs = rungs > 1 && space.length > 0;
  const pruner = climbs ? halvingPruner({ minResource: 1, maxResource, reduction }) : noPruner();
  const spec = studySpec({ space, direction, seed, pruner, initial: defaults === null ? [] : [defaults] });
  const opened = await journal(name);
  const journaled = await openStudy(spec, opened, clock.now());
  const evaluate: TrialEvaluator = (task, control) =>
    runTrial(task, (report) =>
      climbRungs(pruner, report, (resource) =>
        options.evaluate({ candidate: name, number: task.number, params: task.params, resource }, control),
      ),
    );
  return { candidate, study: { name, journaled, evaluate }, journal: opened, failedInARow: 0 };
}

/** Trials per parameter, and one parameter more, after which a candidate has half the claim to be searched on. */
const TRIALS_A_PARAMETER = 10;

/** First what was never asked, the cheapest first; then whoever is farthest behind its share. */
function nextRace(open: readonly Race[], ranking: readonly Race[]): Race | null {
  const cheapest = open.filter(isUntried).toSorted((a, b) => a.candidate.cost - b.candidate.cost)[0];
  if (cheapest !== undefined) return cheapest;
  let next: Race | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const [place, race] of ranking.entries()) {
    const used = shareUsed(race, place);
    if (!open.includes(race) || used >= least) continue;
    next = race;
    least = used;
  }
  return next;
}

/** The cost spent, each place in the ranking counting it double, and the more so the longer a small space has been searched. */
function shareUsed(race: Race, place: number): number {
  const { candidate, study } = race;
  const searched = study.journaled.study.ended.length / (TRIALS_A_PARAMETER * (candidate.space.length + 1));
  return costSpent(race) * 2 ** place * (1 + searched);
}

const isUntried = ({ study: { journaled } }: Race): boolean =>
  journaled.study.ended.length === 0 && journaled.study.running.length === 0;

/** Candidates by their best score; those without one last, in their order. */
function rankRaces(races: readonly Race[], direction: Direction): Race[] {
  const lossOfBest = ({ study }: Race) => {
    const best = study.journaled.study.best;
    return best === null ? Number.POSITIVE_INFINITY : lossOf(best.score, direction);
  };
  return races.toSorted((a, b) => {
    const [lossA, lossB] = [lossOfBest(a), lossOfBest(b)];
    return lossA === lossB ? 0 : lossA - lossB;
  });
}

/** What its trials have cost, in the candidates' unit: every resource they were trained on; running ones as if they had finished. */
function costSpent({ candidate, study }: Race): number {
  const { ended, running, spec } = study.journaled.study;
  const maxResource = spec.pruner.kind === "halving" ? spec.pruner.maxResource : 1;
  const units = ended.reduce((sum, { state, reports }) => {
    const climbed = reports.reduce((steps, { step }) => steps + step, 0);
    return sum + climbed / maxResource + (state === "pruned" ? 0 : 1);
  }, 0);
  return candidate.cost * (units + running.length);
}

function rank(trials: readonly RankedTrial<EndedTrial>[], direction: Direction): RankedTrial[] {
  return trials
    .flatMap(({ candidate, trial }) => (trial.state === "finished" ? [{ candidate, trial }] : []))
    .toSorted((a, b) => lossOf(a.trial.score, direction) - lossOf(b.trial.score, direction));
}

function failureOf({ candidate, study }: Race): AutomlResult["failed"] {
  const { ended, best } = study.journaled.study;
  const first = ended.find(({ state }) => state === "failed");
  return best === null && first?.state === "failed" ? [{ candidate: candidate.name, error: first.error }] : [];
}

async function makeEnsemble(
  leaderboard: readonly RankedTrial[],
  { predictionsOf, score, pool = 20, size }: EnsembleOptions,
  direction: Direction,
): Promise<Ensemble> {
  const bestOfEach = new Map(leaderboard.toReversed().map((entry) => [entry.candidate, entry]));
  const entries = leaderboard.filter((entry, place) => place < pool || bestOfEach.get(entry.candidate) === entry);
  const predictions = await Promise.all(entries.map(predictionsOf));
  const selected: EnsembleSelection = selectEnsemble(predictions, score, direction, size);
  const members = entries.map((entry, index) => ({ ...entry, weight: selected.weights[index] }));
  return {
    score: selected.score,
    members: members.filter(({ weight }) => weight > 0).toSorted((a, b) => b.weight - a.weight),
  };
}
