import { describe, expect, it } from "vitest";
import { searchSpaceProblems } from "../../definitions/index.ts";
import { VirtualClock } from "../../ports/index.ts";
import { defaultCandidates } from "./default-candidates.ts";
import { runAutoml } from "./run-automl.ts";
import { checkPoint } from "./space.ts";

const kindsOf = (...args: Parameters<typeof defaultCandidates>) =>
  defaultCandidates(...args).map(({ definition }) => definition.kind);

describe("the default candidates", () => {
  it.each([
    ["binary", {}],
    ["multiclass", {}],
    ["regression", {}],
    ["regression", { counts: true }],
  ] as const)(
    "for %s tasks (%j) have spaces without problems that hold what they start from, and names of their own",
    (task, options) => {
      const candidates = defaultCandidates(task, options);
      for (const { space, defaults } of candidates) {
        if (space.length > 0) expect(searchSpaceProblems(space)).toEqual([]);
        checkPoint(space, defaults);
      }
      expect(new Set(candidates.map(({ name }) => name)).size).toBe(candidates.length);
    },
  );

  it("are of every kind that suits the task", () => {
    const trees = ["random-forest", "extra-trees", "gradient-boosting"];
    expect(kindsOf("binary")).toEqual(["logistic-regression", "baseline", "baseline", ...trees]);
    expect(kindsOf("multiclass")).toEqual(kindsOf("binary"));
    expect(kindsOf("regression")).toEqual(["linear-regression", "linear-regression", "baseline", "baseline", ...trees]);
    expect(kindsOf("regression", { counts: true })).toEqual(["poisson-regression", "baseline", "baseline", ...trees]);
  });

  it("can be searched as they are", async () => {
    const clock = new VirtualClock(0);
    const { trials } = await runAutoml({
      candidates: defaultCandidates("binary"),
      direction: "maximize",
      budget: { trials: 30 },
      clock,
      evaluate: async ({ params }) => {
        clock.advanceTo(clock.now() + 1);
        return { score: Number(params.rate ?? 0) };
      },
    });
    expect(trials.slice(0, 6).map(({ candidate }) => candidate)).toEqual([
      ...["baseline", "baseline-best-feature", "logistic-regression", "gradient-boosting", "extra-trees", "random-forest"],
    ]);
    expect(trials.every(({ trial }) => trial.state === "finished")).toBe(true);
  });
});
