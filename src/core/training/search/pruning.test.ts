import { describe, expect, it } from "vitest";
import { type ParameterValues, search, separateSearch } from "../../definitions/index.ts";
import { systemClock } from "../../ports/index.ts";
import { halvingPruner, medianPruner, noPruner, type Pruner, pruneCheck, pruningLimits, rungs } from "./pruning.ts";
import { runStudy } from "./run-study.ts";
import { evaluateHere } from "./run-trial.ts";
import { randomSampler, tpeSampler } from "./samplers.ts";
import type { EndedTrial, Report } from "./trial.ts";

const ended = (curves: readonly (readonly (number | null)[])[]): EndedTrial[] =>
  curves.map((values, number) => ({
    number,
    params: {},
    startedAt: 0,
    endedAt: 0,
    state: "finished",
    score: 0,
    reports: values.map((value, index): Report => ({ step: index + 1, value })),
    detail: null,
  }));

const halving = halvingPruner({ minResource: 1, maxResource: 9 });

describe("successive halving", () => {
  it("has rungs below the whole resource, each a multiple of the one before", () => {
    const stepsOf = (pruner: Pruner) => (pruner.kind === "halving" ? rungs(pruner) : []);
    expect(stepsOf(halving)).toEqual([1, 3]);
    expect(stepsOf(halvingPruner({ minResource: 5, maxResource: 200, reduction: 4 }))).toEqual([5, 20, 80]);
    expect(stepsOf(halvingPruner({ minResource: 9, maxResource: 9 }))).toEqual([]);
  });

  it("lets the first trial run, and from then on the best third of a rung, at least one", () => {
    expect(pruningLimits(halving, [], "minimize")).toEqual([]);
    expect(pruningLimits(halving, ended([[5]]), "minimize")).toEqual([{ step: 1, worst: 5 }]);
    expect(pruningLimits(halving, ended([[5], [4], [1], [3]]), "minimize")).toEqual([{ step: 1, worst: 1 }]);
    expect(pruningLimits(halving, ended([[5], [4], [1], [3], [2]]), "minimize")).toEqual([{ step: 1, worst: 2 }]);
    expect(pruningLimits(halving, ended([[5], [4], [1], [3], [2]]), "maximize")).toEqual([{ step: 1, worst: 4 }]);
  });

  it("takes the first report at or after a rung, and none that was undefined", () => {
    const reports = (step: number, value: number | null): Report[] => [{ step, value }];
    const [one] = ended([[]]);
    const trials = [
      { ...one, reports: reports(2, 7) },
      { ...one, reports: reports(4, 8) },
      { ...one, reports: reports(3, null) },
    ];
    expect(pruningLimits(halving, trials, "minimize")).toEqual([
      { step: 1, worst: 7 },
      { step: 3, worst: 8 },
    ]);
  });

  it("does not measure against failed trials", () => {
    const [one] = ended([[1]]);
    const failed: EndedTrial = {
      ...one,
      state: "failed",
      error: { code: "X", kind: "internal", message: "", hint: "", details: {} },
    };
    expect(pruningLimits(halving, [failed], "minimize")).toEqual([]);
  });
});

describe("the median rule", () => {
  it("waits for enough trials and past the warm-up, then takes the median at the same step", () => {
    const pruner = medianPruner({ startup: 3, warmup: 2 });
    expect(
      pruningLimits(
        pruner,
        ended([
          [9, 8, 7],
          [9, 6, 5],
        ]),
        "minimize",
      ),
    ).toEqual([]);
    expect(
      pruningLimits(
        pruner,
        ended([
          [9, 8, 7],
          [9, 6, 5],
          [9, 4],
        ]),
        "minimize",
      ),
    ).toEqual([{ step: 2, worst: 6 }]);
  });

  it("says nothing where there is no pruner", () => {
    expect(pruningLimits(noPruner(), ended([[1], [2], [3]]), "minimize")).toEqual([]);
  });
});

describe("the check of a trial's reports", () => {
  const limits = [
    { step: 2, worst: 5 },
    { step: 4, worst: 3 },
  ];
  const stopsAt = (values: readonly (number | null)[], direction: "minimize" | "maximize" = "minimize") => {
    const stops = pruneCheck(limits, direction);
    return values.findIndex((value, index) => stops({ step: index + 1, value })) + 1;
  };

  it("stops a trial at the first limit that it does not meet; an equal value meets it", () => {
    expect(stopsAt([9, 5, 9, 3, 9, 9])).toBe(0);
    expect(stopsAt([9, 6, 1, 1])).toBe(2);
    expect(stopsAt([9, 5, 9, 4])).toBe(4);
    expect(stopsAt([1, 4], "maximize")).toBe(2);
  });

  it("stops a trial whose score is undefined there", () => {
    expect(stopsAt([null, 5, null, null])).toBe(4);
  });

  it("holds a report that skips steps against every limit that it passed", () => {
    const stops = pruneCheck(limits, "minimize");
    expect(stops({ step: 100, value: 4 })).toBe(true);
  });
});

describe("pruning with successive halving", () => {
  /** A learning curve: the loss falls towards the configuration's own limit, faster for some than for others. */
  const MAX_STEP = 81;
  const finalLoss = ({ rate, width }: ParameterValues) => (Math.log10(Number(rate)) + 2) ** 2 + (Number(width) - 0.3) ** 2;
  const lossAt = (params: ParameterValues, step: number) =>
    finalLoss(params) + (2 + Number(params.width)) * (step ** -0.7 - MAX_STEP ** -0.7);
  const { space } = separateSearch({ rate: search.log(1e-4, 1), width: search.float(0, 1) });

  async function searched(pruner: Pruner, sampler: typeof randomSampler, trials: number, seed: number) {
    let units = 0;
    const evaluate = evaluateHere((params, report) => {
      for (let step = 1; step <= MAX_STEP; step++) {
        units += 1;
        report(step, lossAt(params, step));
      }
      return { score: lossAt(params, MAX_STEP) };
    });
    const options = { space, direction: "minimize", clock: systemClock, budget: { trials }, evaluate, seed } as const;
    const { best } = await runStudy({ ...options, pruner, sampler: sampler() });
    return { units, loss: best?.score ?? Number.NaN };
  }

  it.each([
    ["random", randomSampler],
    ["TPE", () => tpeSampler()],
  ] as const)(
    "of %s points finds, from each of 20 seeds, a loss within 0.05 of the full search's for less than a third of the units",
    async (_, sampler) => {
      const pruner = halvingPruner({ minResource: 1, maxResource: MAX_STEP });
      const gaps: number[] = [];
      for (let seed = 0; seed < 20; seed++) {
        const full = await searched(noPruner(), sampler, 50, seed);
        const halved = await searched(pruner, sampler, 50, seed);
        expect(full.units).toBe(50 * MAX_STEP);
        expect(halved.units).toBeLessThan(full.units / 3);
        gaps.push(halved.loss - full.loss);
      }
      expect(gaps.toSorted((a, b) => a - b)[10]).toBeLessThan(0.05);
    },
  );
});
