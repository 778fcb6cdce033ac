import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { OBJECTIVES, type Objective } from "./objectives.fixture.ts";
import { randomSampler, type Sampler, tpeSampler } from "./samplers.ts";
import { Study, studySpec } from "./study.ts";

interface Golden {
  readonly seeds: number;
  readonly trials: number;
  readonly best: Readonly<Record<string, { readonly tpe: readonly number[]; readonly random: readonly number[] }>>;
}

// test/golden/make-search.py: what Optuna's samplers find.
const golden: Golden = JSON.parse(readFileSync(new URL("../../../../test/golden/search.json", import.meta.url), "utf8"));

/** @param workers trials that run at once: so many are asked for before the first of them is told */
function bestOf({ space, value }: Objective, sampler: Sampler, seed: number, workers: number): number {
  const study = new Study(studySpec({ space, direction: "minimize", sampler, seed }));
  for (let n = 0; n < golden.trials; n++) {
    study.ask(0);
    if (study.running.length < workers) continue;
    const [{ number, params }] = study.running;
    study.tell(number, { state: "finished", score: value(params), reports: [], detail: null }, 0);
  }
  return study.best?.score ?? Number.NaN;
}

const bestBySeed = (objective: Objective, sampler: Sampler, workers = 1) =>
  Array.from({ length: golden.seeds }, (_, seed) => bestOf(objective, sampler, seed, workers));

/** How often a value of `a` is less than one of `b`; ties count half. */
function winShare(a: readonly number[], b: readonly number[]): number {
  let wins = 0;
  for (const x of a) for (const y of b) wins += x < y ? 1 : x === y ? 0.5 : 0;
  return wins / (a.length * b.length);
}

const median = (values: readonly number[]) => values.toSorted((x, y) => x - y)[Math.floor(values.length / 2)];

// 100 seeds of 60 trials each.
describe.each(Object.entries(OBJECTIVES))("TPE on %s", (name, objective) => {
  const ours = bestBySeed(objective, tpeSampler());

  it("finds better points than random search", () => {
    const random = bestBySeed(objective, randomSampler());
    expect(median(ours)).toBeLessThan(median(random));
    expect(winShare(ours, random)).toBeGreaterThan(0.8);
  });

  it("finds better points than random search also with four workers at once", () => {
    const random = bestBySeed(objective, randomSampler(), 4);
    expect(winShare(bestBySeed(objective, tpeSampler(), 4), random)).toBeGreaterThan(0.75);
  });

  it("is on a par with Optuna's TPE: the share of wins is a half, within two standard errors of equal samplers", () => {
    const { tpe } = golden.best[name];
    const standardError = Math.sqrt((2 * golden.seeds + 1) / (12 * golden.seeds ** 2));
    expect(winShare(ours, tpe)).toBeGreaterThan(0.5 - 2 * standardError);
  });

  it("is random search with Optuna's results as long as it knows nothing", () => {
    const { random } = golden.best[name];
    const startupOnly = bestBySeed(objective, tpeSampler({ startup: golden.trials }));
    // Both ways: four standard errors of equal samplers.
    expect(Math.abs(winShare(startupOnly, random) - 0.5)).toBeLessThan(0.165);
  });
});
