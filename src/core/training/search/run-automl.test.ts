import { describe, expect, it } from "vitest";
import { type ParameterValues, search, separateSearch } from "../../definitions/index.ts";
import { systemClock, VirtualClock } from "../../ports/index.ts";
import { type AutomlCandidate, type AutomlOptions, type AutomlTrial, runAutoml } from "./run-automl.ts";
import { memoryJournal, type StudyJournal } from "./study-journal.ts";

const candidate = (name: string, cost: number, params: Record<string, unknown>, defaults: ParameterValues): AutomlCandidate => ({
  name,
  cost,
  space: separateSearch(params).space,
  defaults,
});
const prior = candidate("prior", 0.1, {}, {});
const linear = candidate("linear", 1, { c: search.log(0.01, 100) }, { c: 1 });
const boosting = candidate("boosting", 4, { rate: search.log(0.01, 1), leaves: search.int(4, 64) }, { rate: 0.1, leaves: 31 });

/** Less is better; fewer rows cost the richer model more. */
const LOSSES: Readonly<Record<string, (params: ParameterValues, resource: number) => number>> = {
  prior: () => 0.7,
  linear: ({ c }, resource) => 0.5 + (Math.log10(Number(c)) - 1) ** 2 / 50 + (1 - resource) / 20,
  boosting: ({ rate, leaves }, resource) =>
    0.4 + (Math.log10(Number(rate)) + 1.3) ** 2 / 10 + (Number(leaves) - 20) ** 2 / 10_000 + (1 - resource) / 5,
};
const lossOf = ({ candidate: name, params, resource }: AutomlTrial) => LOSSES[name](params, resource);

const base = {
  candidates: [boosting, linear, prior],
  direction: "minimize",
  clock: systemClock,
  budget: { trials: 40 },
  evaluate: async (trial) => ({ score: lossOf(trial) }),
} satisfies AutomlOptions;

const namesOf = (trials: readonly { readonly candidate: string }[]) => trials.map((trial) => trial.candidate);
const countOf = (trials: readonly { readonly candidate: string }[], name: string) =>
  namesOf(trials).filter((each) => each === name).length;

describe("searching over all candidates", () => {
  it("tries every candidate's defaults first, from the cheapest to the dearest", async () => {
    const { trials } = await runAutoml(base);
    expect(trials.slice(0, 3).map(({ candidate: name, trial }) => [name, trial.params])).toEqual([
      ["prior", {}],
      ["linear", { c: 1 }],
      ["boosting", { rate: 0.1, leaves: 31 }],
    ]);
  });

  it("gives the better candidate more of the cost, without forgetting the other; one without parameters is tried once", async () => {
    const { trials, end } = await runAutoml(base);
    expect([trials.length, end]).toEqual([40, "trials"]);
    expect(countOf(trials, "prior")).toBe(1);
    const cost = { boosting: 4 * countOf(trials, "boosting"), linear: countOf(trials, "linear") };
    expect(cost.boosting).toBeGreaterThan(2 * cost.linear);
    expect(cost.linear).toBeGreaterThan(cost.boosting / 10);
  });

  it("turns, of two equal ones, to the one with more left to find", async () => {
    const names = ["a", "b", "c", "d", "e"];
    const wide = candidate(
      "wide",
      1,
      Object.fromEntries(names.map((name) => [name, search.float(0, 1)])),
      Object.fromEntries(names.map((name) => [name, 0])),
    );
    const narrow = candidate("narrow", 1, { a: search.float(0, 1) }, { a: 0 });
    const shareOfNarrow = async (candidates: AutomlCandidate[]) => {
      const { trials } = await runAutoml({ ...base, candidates, budget: { trials: 150 }, evaluate: async () => ({ score: 1 }) });
      return countOf(trials, "narrow") / trials.length;
    };
    // Equal scores leave the ranking in the order given, whose first has twice the share.
    expect(await shareOfNarrow([narrow, { ...narrow, name: "other" }])).toBeGreaterThan(0.55);
    expect(await shareOfNarrow([narrow, wide])).toBeLessThan(0.5);
  });

  it("ranks all that finished, from every candidate", async () => {
    const { leaderboard, trials } = await runAutoml(base);
    expect(leaderboard).toHaveLength(trials.length);
    expect(leaderboard[0].candidate).toBe("boosting");
    const scores = leaderboard.map(({ trial }) => trial.score);
    expect(scores).toEqual(scores.toSorted((a, b) => a - b));
    expect(scores[0]).toBeLessThan(0.41);
    expect(new Set(namesOf(leaderboard))).toEqual(new Set(["boosting", "linear", "prior"]));
  });

  it("gives the same trials for the same seed, with scores in either direction", async () => {
    const points = async (more: Partial<AutomlOptions> = {}) =>
      (await runAutoml({ ...base, ...more })).trials.map(({ candidate: name, trial }) => [name, trial.params]);
    const once = await points();
    expect(await points()).toEqual(once);
    expect(await points({ seed: 2 })).not.toEqual(once);
    expect(await points({ direction: "maximize", evaluate: async (trial) => ({ score: -lossOf(trial) }) })).toEqual(once);
  });

  it("tries parameters on few rows first and goes on only with the best", async () => {
    const asked: AutomlTrial[] = [];
    const evaluate: AutomlOptions["evaluate"] = async (trial) => {
      asked.push(trial);
      return { score: lossOf(trial) };
    };
    const { trials, leaderboard } = await runAutoml({ ...base, evaluate, rungs: 3 });
    const linear = asked.filter(({ candidate }) => candidate === "linear");
    expect(linear.slice(0, 3).map(({ resource }) => resource)).toEqual([1 / 9, 1 / 3, 1]);
    // The one without parameters has nothing to be better than on the way.
    expect(asked.flatMap(({ candidate, resource }) => (candidate === "prior" ? [resource] : []))).toEqual([1]);
    const used = asked.reduce((sum, { resource }) => sum + resource, 0);
    expect(used).toBeLessThan(trials.length * 0.75);
    expect(trials.some(({ trial }) => trial.state === "pruned")).toBe(true);
    expect(leaderboard.every(({ trial }) => trial.state === "finished")).toBe(true);
    expect(leaderboard[0].trial.score).toBeLessThan(0.42);
  });

  it("goes on with the others when one fails every time, and names its first error", async () => {
    const evaluate: AutomlOptions["evaluate"] = async (trial) => {
      if (trial.candidate === "boosting") throw new Error(`no Python for ${trial.number}`);
      return { score: lossOf(trial) };
    };
    const { failed, leaderboard, trials } = await runAutoml({ ...base, evaluate, failures: 3 });
    expect(failed).toEqual([{ candidate: "boosting", error: expect.objectContaining({ message: "no Python for 0" }) }]);
    expect(countOf(trials, "boosting")).toBe(3);
    expect(leaderboard[0].candidate).toBe("linear");
    expect(trials).toHaveLength(40);
  });

  it("fails when every candidate does", async () => {
    const evaluate: AutomlOptions["evaluate"] = async () => {
      throw new Error("no data");
    };
    await expect(runAutoml({ ...base, evaluate, failures: 2 })).rejects.toMatchObject({
      code: "TRAIN_SEARCH_FAILED",
      message: "None of 5 trials finished; trial 0: no data",
    });
  });

  it("ends when its time is over, and with its journals goes on where it stood", async () => {
    const journals = new Map<string, StudyJournal>();
    const journal = (name: string) => {
      const kept = journals.get(name) ?? memoryJournal();
      journals.set(name, kept);
      return kept;
    };
    const clock = new VirtualClock(0);
    let evaluated = 0;
    const evaluate: AutomlOptions["evaluate"] = async (trial) => {
      evaluated += 1;
      clock.advanceTo(clock.now() + 1_000_000);
      return { score: lossOf(trial) };
    };
    const options = { ...base, clock, evaluate, journal };
    const first = await runAutoml({ ...options, budget: { time: 10_000_000 } });
    expect([first.trials.length, first.end, evaluated]).toEqual([10, "time", 10]);
    const second = await runAutoml({ ...options, budget: { time: 25_000_000 } });
    expect([second.trials.length, second.end, evaluated]).toEqual([25, "time", 25]);
    const uncut = await runAutoml({ ...options, journal: () => memoryJournal(), budget: { time: 25_000_000 } });
    const points = ({ trials }: typeof uncut) => trials.map(({ candidate: name, trial }) => [name, trial.params]);
    expect(points(second)).toEqual(points(uncut));
  });

  it("closes the journals it opened, also when it fails", async () => {
    let open = 0;
    const journal = () => {
      open += 1;
      return { ...memoryJournal(), close: async () => void (open -= 1) };
    };
    await runAutoml({ ...base, journal, budget: { trials: 4 } });
    expect(open).toBe(0);
    const evaluate: AutomlOptions["evaluate"] = () => Promise.reject(new Error("no data"));
    await expect(runAutoml({ ...base, journal, evaluate })).rejects.toThrow();
    expect(open).toBe(0);
  });
});

describe("the ensemble at the end", () => {
  const truth = Float64Array.of(0, 1, 0, 1);
  const bias: Readonly<Record<string, number>> = { prior: 0.5, linear: 0.2, boosting: -0.1 };
  const predictionsOf: NonNullable<AutomlOptions["ensemble"]>["predictionsOf"] = async ({ candidate: name, trial }) =>
    truth.map((value) => value + (bias[name] ?? 0) * (1 + trial.number / 100));
  const score = (predictions: Float64Array) =>
    predictions.reduce((sum, value, row) => sum + (value - truth[row]) ** 2, 0) / truth.length;

  it("has members from the pool with weights that sum to 1, the heaviest first, and scores no worse than the best of them", async () => {
    const { ensemble, leaderboard } = await runAutoml({ ...base, ensemble: { predictionsOf, score, pool: 5 } });
    const members = ensemble?.members ?? [];
    const weights = members.map(({ weight }) => weight);
    expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 12);
    expect(weights).toEqual(weights.toSorted((a, b) => b - a));
    expect(new Set(namesOf(members))).toEqual(new Set(["boosting", "linear"]));
    const singles = await Promise.all(leaderboard.map(async (entry) => score(await predictionsOf(entry))));
    expect(ensemble?.score).toBeLessThan(Math.min(...singles));
  });

  it("is made from the best trials and from the best of each candidate only", async () => {
    const asked: string[] = [];
    const { leaderboard } = await runAutoml({
      ...base,
      ensemble: {
        pool: 4,
        score,
        predictionsOf: async (entry) => {
          asked.push(`${entry.candidate} ${entry.trial.number}`);
          return predictionsOf(entry);
        },
      },
    });
    const labels = leaderboard.map(({ candidate: name, trial }) => `${name} ${trial.number}`);
    const bestOf = (name: string) => labels.find((label) => label.startsWith(name)) ?? "";
    expect(new Set(asked)).toEqual(new Set([...labels.slice(0, 4), bestOf("linear"), bestOf("prior")]));
  });

  it("is none where none was asked for", async () => {
    expect((await runAutoml(base)).ensemble).toBeNull();
  });
});

describe("what cannot be searched", () => {
  it.each([
    ["no candidates", { candidates: [] }, "TRAIN_NO_CANDIDATE"],
    ["two candidates of one name", { candidates: [prior, linear, linear] }, "TRAIN_PARAMETER_INVALID"],
    ["a candidate that costs nothing", { candidates: [{ ...linear, cost: 0 }] }, "TRAIN_PARAMETER_INVALID"],
    ["defaults outside the space", { candidates: [{ ...linear, defaults: { c: 1_000 } }] }, "TRAIN_PARAMETER_INVALID"],
    ["a wrong range", { candidates: [candidate("linear", 1, { c: search.log(0, 1) }, { c: 1 })] }, "TRAIN_SEARCH_SPACE_INVALID"],
    ["no budget", { budget: {} }, "TRAIN_PARAMETER_INVALID"],
    ["no rungs", { rungs: 0 }, "TRAIN_PARAMETER_INVALID"],
    ["a reduction by 1", { reduction: 1 }, "TRAIN_PARAMETER_INVALID"],
  ] as const)("%s", async (_, more: Partial<AutomlOptions>, code) => {
    await expect(runAutoml({ ...base, ...more })).rejects.toMatchObject({ code });
  });
});
