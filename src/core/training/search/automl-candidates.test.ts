import { describe, expect, it } from "vitest";
import {
  autoMl,
  baseline,
  type CandidateDefinition,
  gradientBoosting,
  logisticRegression,
  poissonRegression,
  python,
  search,
} from "../../definitions/index.ts";
import { VirtualClock } from "../../ports/index.ts";
import { automlCandidates } from "./automl-candidates.ts";
import { runAutoml } from "./run-automl.ts";

const rule: CandidateDefinition = { kind: "rule", name: "rule" };

describe("AutoML searches", () => {
  it("the model's own candidates within their ranges, those without once, and the default kinds", () => {
    const own = [
      baseline(),
      logisticRegression({ c: search.log(0.1, 10) }),
      gradientBoosting({ trees: 60, monotone: { age: 1 } }),
      python("train.py", { requirements: [] }),
      rule,
      autoMl({ time: "1m" }),
    ];
    const candidates = automlCandidates(own, "binary");
    expect(candidates.map(({ name, space }) => [name, space.map((each) => each.name)])).toEqual([
      ["baseline", []],
      ["logistic-regression", ["c"]],
      ["gradient-boosting", []],
      ["train", []],
      ["default logistic-regression", ["c", "l1Ratio"]],
      // The baseline of the model is the same as ours, and is not tried twice.
      ["baseline-best-feature", []],
      ["random-forest", ["minLeafRows", "maxFeatures"]],
      ["extra-trees", ["minLeafRows", "maxFeatures"]],
      ["default gradient-boosting", ["leaves", "rate", "l2", "minLeafRows", "rowShare", "columnShare"]],
    ]);
    expect(candidates[2].definition).toBe(own[2]);
  });

  it("Poisson models where the target counts something", () => {
    const kinds = (own: CandidateDefinition[], counts: boolean) =>
      automlCandidates(own, "regression", { counts }).map(({ definition }) => definition.kind);
    expect(kinds([], true)).toContain("poisson-regression");
    expect(kinds([], false)).not.toContain("poisson-regression");
    expect(kinds([poissonRegression()], false)).toContain("poisson-regression");
    const boosting = automlCandidates([], "regression", { counts: true }).find(({ name }) => name === "gradient-boosting");
    expect(boosting?.definition).toMatchObject({ params: { loss: "poisson" } });
  });

  it("a candidate that stands outside its own ranges from a drawn point, and one without ranges once and on all rows", async () => {
    const own = [gradientBoosting({ rate: search.log(0.3, 0.9) }), gradientBoosting({ trees: 5 }, { name: "small" })];
    const candidates = automlCandidates(own, "binary").filter(({ name }) => own.some((each) => each.name === name));
    expect(candidates[0].defaults).toBeNull();
    const clock = new VirtualClock(0);
    const resources: number[] = [];
    const { trials } = await runAutoml({
      candidates,
      direction: "maximize",
      rungs: 3,
      budget: { trials: 6 },
      clock,
      evaluate: async ({ candidate, params, resource }) => {
        clock.advanceTo(clock.now() + 1);
        if (candidate === "small") resources.push(resource);
        return { score: Number(params.rate ?? 0) };
      },
    });
    expect(resources).toEqual([1]);
    const rates = trials.flatMap(({ candidate, trial }) => (candidate === "small" ? [] : [Number(trial.params.rate)]));
    expect(rates).toHaveLength(5);
    expect(rates.every((rate) => rate >= 0.3 && rate <= 0.9)).toBe(true);
  });
});
