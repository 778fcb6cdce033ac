import type { ParameterValues, SearchSpace } from "../../definitions/index.ts";
import { toOrreryError } from "../../errors.ts";
import type { Micros } from "../../time.ts";
import { trainErrors } from "../errors.ts";
import { seededRandom } from "../random.ts";
import { gridPoints, listPoints } from "./grid.ts";
import { noPruner, type Pruner, pruningLimits } from "./pruning.ts";
import { type Sampler, samplePoint, tpeSampler } from "./samplers.ts";
import { checkPoint, checkSpace, drawPoint, drawValue, pointKey } from "./space.ts";
import {
  type Direction,
  type EndedTrial,
  type FinishedTrial,
  type RunningTrial,
  rankTrials,
  type TrialOutcome,
} from "./trial.ts";

/** What is searched and how. Plain data. */
export interface StudySpec {
  readonly space: SearchSpace;
  readonly direction: Direction;
  readonly sampler: Sampler;
  readonly pruner: Pruner;
  /** From 0 to 2^32 - 1. */
  readonly seed: number;
  /** Points to try before the sampler is asked: defaults, or what was best elsewhere. */
  readonly initial: readonly ParameterValues[];
}

/** A spec with what can be left out. */
export type StudyDefinition = Pick<StudySpec, "space" | "direction"> & Partial<Omit<StudySpec, "space" | "direction">>;

/** What is known when a study begins or is taken up again. */
export interface StudyState {
  readonly ended: readonly EndedTrial[];
  /** Asked for and never ended: asked for again first, under their numbers. */
  readonly interrupted: readonly Omit<RunningTrial, "limits">[];
}

/** How often a sampler is asked for a point that was not tried yet, before the search looks for one itself. */
const ATTEMPTS = 20;
/** Spaces with at most so many points are searched to their end and no further. */
const COUNTED_POINTS = 10_000;

/** TPE without pruning from seed 1, where nothing else is said. */
export const studySpec = (given: StudyDefinition): StudySpec => ({
  space: given.space,
  direction: given.direction,
  sampler: given.sampler ?? tpeSampler(),
  pruner: given.pruner ?? noPruner(),
  seed: given.seed ?? 1,
  initial: given.initial ?? [],
});

/**
 * Trials of one search, asked for and told. Nothing is run, read or written in here: what comes next follows from the spec and
 * from what was told, so that a study taken up from its ended trials goes on as it would have.
 */
export class Study {
  readonly spec: StudySpec;
  readonly #ended: Map<number, EndedTrial>;
  readonly #running = new Map<number, RunningTrial>();
  readonly #interrupted: Omit<RunningTrial, "limits">[];
  readonly #tried: Set<string>;
  /** Points given in advance: the initial ones, and the whole of a grid. */
  readonly #given: Iterator<ParameterValues>;
  /** All points, where they can be counted. */
  readonly #points: readonly ParameterValues[] | null;
  #next: number;

  /** @throws TRAIN_SEARCH_SPACE_INVALID, TRAIN_PARAMETER_INVALID */
  constructor(spec: StudySpec, { ended, interrupted }: StudyState = { ended: [], interrupted: [] }) {
    // An empty space has one point: a candidate as it stands.
    if (spec.space.length > 0) checkSpace(spec.space);
    checkSettings(spec);
    for (const point of spec.initial) checkPoint(spec.space, point);
    this.spec = spec;
    this.#ended = new Map(ended.map((trial) => [trial.number, trial]));
    this.#interrupted = interrupted.toSorted((a, b) => a.number - b.number);
    const begun = [...ended, ...interrupted];
    this.#tried = new Set(begun.map(({ params }) => pointKey(spec.space, params)));
    this.#next = begun.reduce((next, trial) => Math.max(next, trial.number + 1), 0);
    this.#points = spec.sampler.kind === "grid" ? null : listPoints(spec.space, COUNTED_POINTS);
    this.#given = givenPoints(spec);
  }

  /** By number. */
  get ended(): readonly EndedTrial[] {
    return [...this.#ended.values()].toSorted((a, b) => a.number - b.number);
  }

  get running(): readonly RunningTrial[] {
    return [...this.#running.values()];
  }

  /** The finished trial with the best score; of equal ones the first. */
  get best(): FinishedTrial | null {
    return rankTrials(this.ended, this.spec.direction)[0] ?? null;
  }

  /** The next trial, or null when every point of the grid or of a countable space has been tried. */
  ask(now: Micros): RunningTrial | null {
    const taken = this.#interrupted.shift() ?? this.#begin();
    if (taken === null) return null;
    const limits = pruningLimits(this.spec.pruner, this.ended, this.spec.direction);
    const trial: RunningTrial = { number: taken.number, params: taken.params, startedAt: now, limits };
    this.#running.set(trial.number, trial);
    return trial;
  }

  /** What came of a trial that was asked for. A score that is not a finite number makes it a failed one. */
  tell(number: number, outcome: TrialOutcome, now: Micros): EndedTrial {
    const running = this.#running.get(number);
    if (running === undefined) throw new Error(`trial ${number} is not running`);
    const { params, startedAt } = running;
    const trial: EndedTrial = { number, params, startedAt, endedAt: now, ...checkedOutcome(number, outcome) };
    this.#running.delete(number);
    this.#ended.set(number, trial);
    return trial;
  }

  #begin(): { number: number; params: ParameterValues } | null {
    const number = this.#next;
    const params = this.#newPoint(number);
    if (params === null) return null;
    this.#next += 1;
    this.#tried.add(pointKey(this.spec.space, params));
    return { number, params };
  }

  #newPoint(number: number): ParameterValues | null {
    const { space, sampler, direction, seed } = this.spec;
    const isNew = (point: ParameterValues) => !this.#tried.has(pointKey(space, point));
    for (let given = this.#given.next(); given.done !== true; given = this.#given.next())
      if (isNew(given.value)) return given.value;
    if (sampler.kind === "grid") return null;
    const open = this.#points?.filter(isNew);
    if (open?.length === 0) return null;
    // Every trial has a stream of its own: what it draws does not depend on how many trials this process has seen.
    const random = seededRandom(seed + (number + 1) * 2 ** 32);
    const history = { ended: this.ended, running: this.running, direction };
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const point = samplePoint(space, sampler, history, random);
      if (isNew(point)) return point;
    }
    return open === undefined ? drawPoint(space, (domain) => drawValue(domain, random)) : open[random.below(open.length)];
  }
}

function* givenPoints({ initial, sampler, space }: StudySpec): Generator<ParameterValues> {
  yield* initial;
  if (sampler.kind === "grid") yield* gridPoints(space, sampler.levels);
}

function checkedOutcome(number: number, outcome: TrialOutcome): TrialOutcome {
  if (outcome.state !== "finished" || Number.isFinite(outcome.score)) return outcome;
  const error = trainErrors.TRAIN_TRIAL_SCORE_INVALID(`The score of trial ${number} is ${outcome.score}`);
  return { state: "failed", reports: outcome.reports, error: toOrreryError(error).toJSON() };
}

function checkSettings({ seed, sampler, pruner }: StudySpec): void {
  const atLeast = (name: string, value: number, least: number, whole = true) => {
    if (!(value >= least) || (whole && !Number.isSafeInteger(value)))
      throw trainErrors.TRAIN_PARAMETER_INVALID(
        `${name} is ${value}; it takes ${whole ? "an integer" : "a number"} from ${least}`,
      );
  };
  atLeast("seed", seed, 0);
  if (seed >= 2 ** 32) throw trainErrors.TRAIN_PARAMETER_INVALID(`seed is ${seed}; it takes an integer below 2^32`);
  if (sampler.kind === "grid") atLeast("levels of the grid", sampler.levels, 1);
  if (sampler.kind === "tpe") {
    atLeast("startup of the sampler", sampler.startup, 1);
    atLeast("candidates of the sampler", sampler.candidates, 1);
  }
  if (pruner.kind === "median") {
    atLeast("startup of the pruner", pruner.startup, 1);
    atLeast("warmup of the pruner", pruner.warmup, 0, false);
  }
  if (pruner.kind === "halving") {
    atLeast("reduction of the pruner", pruner.reduction, 2, false);
    atLeast("maxResource of the pruner", pruner.maxResource, pruner.minResource, false);
    if (!(pruner.minResource > 0))
      throw trainErrors.TRAIN_PARAMETER_INVALID(`minResource of the pruner is ${pruner.minResource}; it takes a number above 0`);
  }
}
