import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ParameterValues, search, separateSearch } from "../../definitions/index.ts";
import { OBJECTIVES } from "./objectives.fixture.ts";
import { halvingPruner, medianPruner } from "./pruning.ts";
import { gridSampler, randomSampler, tpeSampler } from "./samplers.ts";
import { Study, type StudyDefinition, type StudyState, studySpec } from "./study.ts";
import type { TrialOutcome } from "./trial.ts";

const spaceOf = (params: Record<string, unknown>) => separateSearch(params).space;
const mixed = OBJECTIVES.mixed;
const finished = (score: number): TrialOutcome => ({ state: "finished", score, reports: [], detail: null });
const failed: TrialOutcome = {
  state: "failed",
  reports: [],
  error: { code: "X", kind: "internal", message: "crashed", hint: "", details: {} },
};

const studyOf = (more: Partial<StudyDefinition> = {}, state?: StudyState) =>
  new Study(studySpec({ space: mixed.space, direction: "minimize", ...more }), state);

/** Asks for and tells trials one after the other. */
function run(study: Study, trials: number, value = mixed.value): ParameterValues[] {
  const points: ParameterValues[] = [];
  while (points.length < trials) {
    const trial = study.ask(0);
    if (trial === null) break;
    points.push(trial.params);
    study.tell(trial.number, finished(value(trial.params)), 0);
  }
  return points;
}

describe("a study", () => {
  it.each([randomSampler(), tpeSampler(), gridSampler()])(
    "gives the same points for the same seed, others for another (%j)",
    (sampler) => {
      const points = (seed: number) => run(studyOf({ sampler, seed }), 40);
      expect(points(1)).toEqual(points(1));
      if (sampler.kind !== "grid") expect(points(1)).not.toEqual(points(2));
    },
  );

  it("taken up from its ended trials goes on as if it had not been left", () => {
    const whole = run(studyOf(), 40);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 39 }), (left) => {
        const first = studyOf();
        run(first, left);
        expect(run(studyOf({}, { ended: first.ended, interrupted: [] }), 40 - left)).toEqual(whole.slice(left));
      }),
      { numRuns: 15 },
    );
  });

  it("asks again first for what was interrupted, under the same number", () => {
    const first = studyOf();
    run(first, 12);
    const cut = [first.ask(0), first.ask(0)].filter((trial) => trial !== null);
    const second = studyOf({}, { ended: first.ended, interrupted: cut.toReversed() });
    expect([second.ask(0), second.ask(0)]).toMatchObject(cut.map(({ number, params }) => ({ number, params })));
    expect(second.ask(0)?.number).toBe(14);
  });

  it("asks in the direction given: the best is the largest score", () => {
    const study = studyOf({ direction: "maximize" });
    run(study, 30, (params) => -mixed.value(params));
    expect(study.best?.score).toBe(Math.max(...study.ended.map((trial) => (trial.state === "finished" ? trial.score : 0))));
    expect(run(studyOf({ direction: "maximize" }), 30, (params) => -mixed.value(params))).toEqual(run(studyOf(), 30));
  });

  it("gives only points of the space, with the parameters that apply and no others", () => {
    for (const params of run(studyOf({ sampler: tpeSampler() }), 80)) {
      const branch = { a: ["depth"], b: ["shape", "width"], c: ["leaves"] }[String(params.kind)] ?? [];
      expect(Object.keys(params).toSorted()).toEqual(["kind", "rate", ...branch].toSorted());
      expect(Number(params.rate)).toBeGreaterThanOrEqual(1e-4);
      expect(Number(params.rate)).toBeLessThanOrEqual(1);
      for (const whole of ["depth", "leaves"]) if (whole in params) expect(Number.isInteger(params[whole])).toBe(true);
    }
  });

  it.each([randomSampler(), tpeSampler({ startup: 2 })])(
    "tries each point of a countable space once and then has no more (%j)",
    (sampler) => {
      const space = spaceOf({ n: search.int(1, 4), kind: search.choice(["a", "b"]) });
      const points = run(studyOf({ space, sampler }), 100, ({ n }) => Number(n));
      expect(points).toHaveLength(8);
      expect(new Set(points.map((point) => JSON.stringify(point))).size).toBe(8);
    },
  );

  it("takes the whole grid, and nothing after it", () => {
    const space = spaceOf({ x: search.float(0, 1), kind: search.choice(["a", "b"]) });
    const points = run(studyOf({ space, sampler: gridSampler({ levels: 3 }) }), 100, ({ x }) => Number(x));
    expect(points).toEqual([0, 0.5, 1].flatMap((x) => ["a", "b"].map((kind) => ({ x, kind }))));
  });

  it("begins with the points it was given, each once", () => {
    const initial = [
      { kind: "c", rate: 0.1, leaves: 31 },
      { kind: "a", rate: 1, depth: 1 },
      { kind: "c", rate: 0.1, leaves: 31 },
    ];
    expect(run(studyOf({ initial }), 3).slice(0, 2)).toEqual(initial.slice(0, 2));
    expect(run(studyOf({ initial }), 3)[2]).not.toEqual(initial[2]);
  });

  it("gives parallel workers different points, away from those that are running", () => {
    const study = studyOf({ space: OBJECTIVES.branin.space });
    run(study, 20, OBJECTIVES.branin.value);
    const points = Array.from({ length: 8 }, () => JSON.stringify(study.ask(0)?.params));
    expect(new Set(points).size).toBe(8);
  });

  it("stays away from where trials fail", () => {
    const space = spaceOf({ kind: search.choice(["works", "crashes"]), x: search.float(0, 1) });
    const study = studyOf({ space });
    let crashes = 0;
    for (let n = 0; n < 60; n++) {
      const trial = study.ask(0);
      if (trial === null) break;
      if (trial.params.kind === "crashes" && n >= 20) crashes += 1;
      study.tell(trial.number, trial.params.kind === "crashes" ? failed : finished(Number(trial.params.x)), 0);
    }
    expect(crashes).toBeLessThan(8);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])("counts a score of %d as a failure", (score) => {
    const study = studyOf();
    study.ask(0);
    expect(study.tell(0, finished(score), 0)).toMatchObject({ state: "failed", error: { code: "TRAIN_TRIAL_SCORE_INVALID" } });
    expect(study.best).toBeNull();
  });

  it("prefers, of pruned trials, those that came farther, and finished ones to all", () => {
    const space = spaceOf({ kind: search.choice(["early", "late", "end"]), x: search.float(0, 1) });
    const study = studyOf({ space, sampler: tpeSampler({ startup: 20 }) });
    for (let n = 0; n < 60; n++) {
      const trial = study.ask(0);
      if (trial === null) break;
      const { kind } = trial.params;
      const reports = [{ step: kind === "early" ? 1 : 5, value: 0 }];
      study.tell(trial.number, kind === "end" ? finished(10) : { state: "pruned", reports, detail: null }, 0);
    }
    const later = study.ended.slice(20).map(({ params }) => params.kind);
    // By chance it would be a third.
    expect(later.filter((kind) => kind === "end").length).toBeGreaterThan(later.length / 2);
  });
});

describe("a study that cannot be", () => {
  it.each([
    ["a range without width on a log scale", { space: spaceOf({ x: search.log(0, 1) }) }, "TRAIN_SEARCH_SPACE_INVALID"],
    ["a seed below 0", { seed: -1 }, "TRAIN_PARAMETER_INVALID"],
    ["a seed that is no integer", { seed: 0.5 }, "TRAIN_PARAMETER_INVALID"],
    ["a seed past 32 bits", { seed: 2 ** 32 }, "TRAIN_PARAMETER_INVALID"],
    ["a grid of no levels", { sampler: gridSampler({ levels: 0 }) }, "TRAIN_PARAMETER_INVALID"],
    ["no startup trials", { sampler: tpeSampler({ startup: 0 }) }, "TRAIN_PARAMETER_INVALID"],
    ["no candidates", { sampler: tpeSampler({ candidates: 0 }) }, "TRAIN_PARAMETER_INVALID"],
    ["halving by 1", { pruner: halvingPruner({ minResource: 1, maxResource: 9, reduction: 1 }) }, "TRAIN_PARAMETER_INVALID"],
    ["halving from 0", { pruner: halvingPruner({ minResource: 0, maxResource: 9 }) }, "TRAIN_PARAMETER_INVALID"],
    ["halving downwards", { pruner: halvingPruner({ minResource: 9, maxResource: 1 }) }, "TRAIN_PARAMETER_INVALID"],
    ["a median of none", { pruner: medianPruner({ startup: 0 }) }, "TRAIN_PARAMETER_INVALID"],
    ["an initial point without a parameter", { initial: [{ kind: "a", rate: 0.1 }] }, "TRAIN_PARAMETER_INVALID"],
    ["an initial point with an unknown one", { initial: [{ kind: "a", rate: 0.1, depth: 1, x: 1 }] }, "TRAIN_PARAMETER_INVALID"],
    ["an initial point of two branches", { initial: [{ kind: "a", rate: 0.1, depth: 1, leaves: 3 }] }, "TRAIN_PARAMETER_INVALID"],
    ["an initial point out of bounds", { initial: [{ kind: "a", rate: 2, depth: 1 }] }, "TRAIN_PARAMETER_INVALID"],
    ["an initial point between integers", { initial: [{ kind: "a", rate: 0.1, depth: 1.5 }] }, "TRAIN_PARAMETER_INVALID"],
  ])("%s", (_, more: Partial<StudyDefinition>, code) => {
    expect(() => studyOf(more)).toThrow(expect.objectContaining({ code }));
  });
});
