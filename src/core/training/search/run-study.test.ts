import { describe, expect, it } from "vitest";
import { search, separateSearch } from "../../definitions/index.ts";
import { systemClock, VirtualClock } from "../../ports/index.ts";
import { OBJECTIVES } from "./objectives.fixture.ts";
import { halvingPruner } from "./pruning.ts";
import { runStudy, type StudyOptions } from "./run-study.ts";
import { evaluateHere } from "./run-trial.ts";
import { gridSampler, randomSampler } from "./samplers.ts";
import { memoryJournal } from "./study-journal.ts";

const { space, value } = OBJECTIVES.mixed;
const base = {
  space,
  direction: "minimize",
  clock: systemClock,
  budget: { trials: 20 },
  evaluate: evaluateHere((params) => ({ score: value(params) })),
} satisfies StudyOptions;

const fails = (numbers: readonly number[] | "all") =>
  evaluateHere((params, _, { number }) => {
    if (numbers === "all" || numbers.includes(number)) throw new Error(`no luck with ${number}`);
    return { score: value(params) };
  });

describe("running a study", () => {
  it("ends with its budget of trials and knows the best", async () => {
    const { trials, best, end } = await runStudy(base);
    expect([trials.length, end]).toEqual([20, "trials"]);
    const scores = trials.map((trial) => (trial.state === "finished" ? trial.score : Number.NaN));
    expect(best?.score).toBe(Math.min(...scores));
  });

  it("with one worker and the same seed gives the same trials, and several workers as many", async () => {
    const numbersAndParams = async (workers: number) => {
      const evaluate = evaluateHere(async (params, _, { number }) => {
        await new Promise((resolve) => setTimeout(resolve, (number % 3) * 2));
        return { score: value(params) };
      });
      return (await runStudy({ ...base, workers, evaluate })).trials.map(({ number, params }) => ({ number, params }));
    };
    const once = await numbersAndParams(1);
    expect(await numbersAndParams(1)).toEqual(once);
    const parallel = await numbersAndParams(3);
    expect(parallel.map(({ number }) => number)).toEqual(once.map(({ number }) => number));
  });

  it("evaluates no more trials at once than it has workers, and as many when it can", async () => {
    let running = 0;
    let most = 0;
    const evaluate = evaluateHere(async (params) => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 1));
      running -= 1;
      return { score: value(params) };
    });
    await runStudy({ ...base, workers: 3, evaluate });
    expect(most).toBe(3);
  });

  it("writes down trials in the order in which they ended", async () => {
    const journal = memoryJournal();
    const ended: number[] = [];
    const evaluate = evaluateHere(async (params, _, { number }) => {
      await new Promise((resolve) => setTimeout(resolve, number === 0 ? 30 : 1));
      return { score: value(params) };
    });
    await runStudy({
      ...base,
      workers: 2,
      evaluate,
      journal,
      budget: { trials: 5 },
      onTrial: ({ number }) => ended.push(number),
    });
    const written = (await journal.read()).flatMap((record) => (record.kind === "ended" ? [record.trial.number] : []));
    expect(written).toEqual(ended);
    expect(written.indexOf(0)).toBeGreaterThan(written.indexOf(1));
  });

  it("ends when its time is over, and takes up later with what is left of it", async () => {
    const journal = memoryJournal();
    const clock = new VirtualClock(0);
    const evaluate = evaluateHere((params) => {
      clock.advanceTo(clock.now() + 1_000_000);
      return { score: value(params) };
    });
    const first = await runStudy({ ...base, clock, journal, evaluate, budget: { time: 5_000_000 } });
    expect([first.trials.length, first.end]).toEqual([5, "time"]);
    clock.advanceTo(1_000_000_000);
    const second = await runStudy({ ...base, clock, journal, evaluate, budget: { time: 8_000_000 } });
    expect([second.trials.length, second.end]).toEqual([8, "time"]);
  });

  it("ends when the grid does", async () => {
    const { trials, end } = await runStudy({
      ...base,
      space: separateSearch({ kind: search.choice(["c"]), rate: search.log(1e-3, 1), leaves: search.int(2, 3) }).space,
      sampler: gridSampler({ levels: 3 }),
      budget: {},
    });
    expect([trials.length, end]).toEqual([6, "exhausted"]);
  });

  it("ends when nothing has improved for long enough; an improvement too small does not count", async () => {
    const losses = [5, 4, 4, 3.95, 4, 4, 4, 4, 4];
    const evaluate = evaluateHere((_, __, { number }) => ({ score: losses[number] }));
    const ran = async (improvement: number) =>
      (await runStudy({ ...base, evaluate, sampler: randomSampler(), budget: { patience: 3, improvement } })).trials.length;
    expect(await ran(0)).toBe(7);
    expect(await ran(0.1)).toBe(5);
  });

  it("goes on after failed trials and keeps their errors", async () => {
    const { trials, best } = await runStudy({ ...base, evaluate: fails([0, 3, 4, 9]) });
    expect(trials.filter(({ state }) => state === "failed").map(({ number }) => number)).toEqual([0, 3, 4, 9]);
    expect(trials[3]).toMatchObject({ error: { message: "no luck with 3" } });
    expect(best).not.toBeNull();
  });

  it("stops after too many failures in a row with the first of their errors, and goes on from there when it is run again", async () => {
    const journal = memoryJournal();
    await expect(runStudy({ ...base, journal, failures: 3, evaluate: fails([2, 4, 5, 6, 7]) })).rejects.toMatchObject({
      code: "TRAIN_SEARCH_FAILED",
      message: "3 trials in a row failed; trial 4: no luck with 4",
      details: { trial: 4 },
    });
    const { trials } = await runStudy({ ...base, journal, evaluate: base.evaluate });
    expect(trials.map(({ state }) => state).slice(0, 8)).toEqual([
      ...["finished", "finished", "failed", "finished", "failed", "failed", "failed", "finished"],
    ]);
  });

  it("fails when none of its trials finished", async () => {
    await expect(runStudy({ ...base, budget: { trials: 2 }, evaluate: fails("all") })).rejects.toMatchObject({
      code: "TRAIN_SEARCH_FAILED",
      message: "None of 2 trials finished; trial 0: no luck with 0",
    });
  });

  it("counts a score that is not a number as a failed trial", async () => {
    const evaluate = evaluateHere((_, __, { number }) => ({ score: number === 1 ? Number.NaN : number }));
    const { trials } = await runStudy({ ...base, evaluate, budget: { trials: 3 } });
    expect(trials[1]).toMatchObject({ state: "failed", error: { code: "TRAIN_TRIAL_SCORE_INVALID" } });
  });

  it("stops a trial that is not worth going on with, and keeps what it reported", async () => {
    const finals = [1, 5, 0.5, 3];
    const evaluate = evaluateHere((_, report, { number }) => {
      for (let step = 1; step <= 9; step++) report(step, finals[number] + 1 / step);
      return { score: finals[number] };
    });
    const pruner = halvingPruner({ minResource: 1, maxResource: 9 });
    const { trials } = await runStudy({ ...base, evaluate, pruner, budget: { trials: 4 } });
    expect(trials.map(({ state, reports }) => [state, reports.length])).toEqual([
      ["finished", 9],
      ["pruned", 1],
      ["finished", 9],
      ["pruned", 1],
    ]);
  });

  it("does not take reports that go backwards", async () => {
    const evaluate = evaluateHere((_, report) => {
      report(2, 1);
      report(2, 1);
      return { score: 1 };
    });
    await expect(runStudy({ ...base, evaluate, budget: { trials: 1 } })).rejects.toMatchObject({
      details: { error: { code: "TRAIN_PARAMETER_INVALID", message: "Trial 0 reported step 2 after step 2" } },
    });
  });

  it("is cancelled by its signal; the trial that was cut off is the next one's first", async () => {
    const journal = memoryJournal();
    const cancel = new AbortController();
    const evaluate: StudyOptions["evaluate"] = (task, { signal }) =>
      task.number < 3
        ? base.evaluate(task, { signal, timeLeftMs: () => null })
        : new Promise((_, reject) => {
            signal.addEventListener("abort", () => reject(new Error("cut off")));
            cancel.abort();
          });
    const first = await runStudy({ ...base, journal, evaluate, signal: cancel.signal });
    expect([first.trials.length, first.end]).toEqual([3, "cancelled"]);
    const asked = (await journal.read()).findLast((record) => record.kind === "started")?.trial.params;
    const second = await runStudy({ ...base, journal });
    expect(second.trials[3].params).toEqual(asked);
    expect(second.trials).toHaveLength(20);
  });

  it("ends with the journal's error when that cannot be written, after its running trials", async () => {
    const journal = memoryJournal();
    let running = 0;
    const evaluate = evaluateHere(async (params) => {
      running += 1;
      await new Promise((resolve) => setTimeout(resolve, 2));
      running -= 1;
      return { score: value(params) };
    });
    const full = {
      ...journal,
      append: async (record: Parameters<typeof journal.append>[0]) => {
        if (record.kind === "ended" && record.trial.number === 2) throw new Error("disk full");
        await journal.append(record);
      },
    };
    await expect(runStudy({ ...base, journal: full, evaluate, workers: 2 })).rejects.toThrow("disk full");
    expect(running).toBe(0);
  });

  it.each([
    ["an empty space", { space: [] }, "TRAIN_SEARCH_SPACE_INVALID"],
    ["no budget", { budget: {} }, "TRAIN_PARAMETER_INVALID"],
    ["a budget of no trials", { budget: { trials: 0 } }, "TRAIN_PARAMETER_INVALID"],
    ["a budget of no time", { budget: { time: 0 } }, "TRAIN_PARAMETER_INVALID"],
    ["half a trial's patience", { budget: { patience: 0.5 } }, "TRAIN_PARAMETER_INVALID"],
    ["an improvement below 0", { budget: { trials: 1, improvement: -1 } }, "TRAIN_PARAMETER_INVALID"],
    ["no workers", { workers: 0 }, "TRAIN_PARAMETER_INVALID"],
    ["no failures", { failures: 0 }, "TRAIN_PARAMETER_INVALID"],
    ["trials without time", { trialTime: 0 }, "TRAIN_PARAMETER_INVALID"],
  ] as const)("refuses %s", async (_, more: Partial<StudyOptions>, code) => {
    await expect(runStudy({ ...base, ...more })).rejects.toMatchObject({ code });
  });
});
