import { cpSync, mkdirSync, rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { orrery } from "./orrery-process.ts";

/** Inside the repository, so that `orrery` resolves to it as it does for anybody who installed it. */
const TEMPORARY = join(import.meta.dirname, "../../.orrery");
const EXAMPLES = join(import.meta.dirname, "../../examples");

interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}
interface Run {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly metrics: Readonly<Record<string, Estimate>>;
}
interface Model {
  readonly aliases: Readonly<Record<string, number>>;
  readonly gates: readonly {
    readonly version: number;
    readonly championVersion: number | null;
    readonly passed: boolean;
    readonly verdicts: readonly { readonly text: string; readonly passed: boolean | null; readonly observed: number | null }[];
  }[];
}

let root: string;
beforeAll(async () => {
  mkdirSync(TEMPORARY, { recursive: true });
  root = await mkdtemp(join(TEMPORARY, "test-tasks-"));
  for (const name of ["regression", "multiclass"]) cpSync(join(EXAMPLES, name), join(root, name), { recursive: true });
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const json = async <T>(example: string, ...args: string[]): Promise<T> => {
  const { code, out, err } = await orrery(["-p", join(root, example), "--json", ...args]);
  if (code !== 0) throw new Error(err);
  return JSON.parse(out) as T;
};
const train = (example: string) => json<{ readonly status: string }>(example, "run", "train");
const runsByName = async (example: string) => new Map((await json<Run[]>(example, "runs")).map((run) => [run.name, run]));
const measured = (run: Run | undefined, metric: string) => run?.metrics[metric]?.value ?? Number.NaN;
const report = (example: string, model: string) =>
  json<{
    readonly cardMarkdown: string;
    readonly test: { readonly rows: number; readonly positives: number | null; readonly metrics: Run["metrics"] };
  }>(example, "models", "card", model);

describe("a model of numbers, by the commands a person would type", { timeout: 180_000 }, () => {
  it("is found sound by check", async () => {
    expect(await orrery(["-p", join(root, "regression"), "check"])).toMatchObject({ code: 0, err: "" });
  });

  it("is trained, compared with the mean, gated and registered", async () => {
    expect(await train("regression")).toMatchObject({ status: "succeeded" });
    const runs = await runsByName("regression");
    expect([...runs.keys()]).toEqual(expect.arrayContaining(["baseline", "linear-regression", "gradient-boosting"]));
    expect(runs.has("rule")).toBe(false);
    for (const name of ["linear-regression", "gradient-boosting"]) {
      const run = runs.get(name);
      expect(run?.status).toBe("finished");
      expect(measured(run, "rmse")).toBeLessThan(measured(runs.get("baseline"), "rmse"));
      expect(measured(run, "r2")).toBeGreaterThan(0);
      expect(Object.keys(run?.metrics ?? {})).not.toContain("roc_auc");
    }
    // The mean of what was trained on explains nothing.
    expect(measured(runs.get("baseline"), "r2")).toBeLessThanOrEqual(1e-9);

    const [model] = await json<Model[]>("regression", "models");
    expect(model.aliases).toEqual({ champion: 1 });
    expect(model.gates[0]).toMatchObject({ version: 1, championVersion: null, passed: true });
    expect(model.gates[0]?.verdicts.map(({ text }) => text)).toEqual([
      "root mean squared error better than the baseline by 0.5",
      "R2 at least 0.02",
      "worst mean absolute error by carrier (from 200 rows) at most 40",
      "root mean squared error not worse than the champion's by more than 0.2",
    ]);
  });

  it("has a card that speaks of numbers, and says that it cannot be served yet", async () => {
    const { cardMarkdown, test } = await report("regression", "delay");
    expect(test.positives).toBeNull();
    expect(test.metrics.rmse?.low).toBeLessThan(test.metrics.rmse?.high ?? 0);
    expect(cardMarkdown).toContain("Predicted: delay, a number.");
    expect(cardMarkdown).toContain("root mean squared error better than the baseline by 0.5");
    expect(cardMarkdown).toContain("It cannot be served or monitored yet: its target is regression.");
    expect(cardMarkdown).not.toMatch(/payoff|the probability of|\d positive\b/i);
  });

  it("is compared with the first version when it is trained again", async () => {
    expect(await train("regression")).toMatchObject({ status: "succeeded" });
    const [model] = await json<Model[]>("regression", "models");
    const again = model.gates.find(({ version }) => version === 2);
    expect(again).toMatchObject({ championVersion: 1, passed: true });
    // Trained on the same rows by the same seed: no difference at all.
    expect(again?.verdicts.at(-1)).toMatchObject({ passed: true, observed: 0 });
    expect(model.aliases).toEqual({ champion: 1, challenger: 2 });
  });
});

describe("a model of several classes", { timeout: 180_000 }, () => {
  it("is found sound, trained, gated and registered, selected by its log loss", async () => {
    expect(await orrery(["-p", join(root, "multiclass"), "check"])).toMatchObject({ code: 0, err: "" });
    expect(await train("multiclass")).toMatchObject({ status: "succeeded" });
    const runs = await runsByName("multiclass");
    expect(runs.has("rule")).toBe(false);
    for (const name of ["logistic-regression", "gradient-boosting"]) {
      expect(measured(runs.get(name), "log_loss")).toBeLessThan(measured(runs.get("baseline"), "log_loss"));
      expect(measured(runs.get(name), "roc_auc_ovr")).toBeGreaterThan(0.55);
    }
    expect(measured(runs.get("baseline"), "roc_auc_ovr")).toBe(0.5);
    const [model] = await json<Model[]>("multiclass", "models");
    expect(model.aliases).toEqual({ champion: 1 });
    expect(model.gates[0]?.verdicts).toMatchObject([
      { text: "log loss better than the baseline by 0.01", passed: true },
      { text: "ROC AUC (one against the rest) at least 0.55", passed: true },
    ]);
  });

  it("has a card that speaks of classes", async () => {
    const { cardMarkdown, test } = await report("multiclass", "punctuality");
    expect(test).toMatchObject({ positives: null });
    expect(test.rows).toBeGreaterThan(1_000);
    expect(cardMarkdown).toContain("Predicted: arrival, one of several classes.");
    expect(cardMarkdown).toContain("selected by log_loss");
    expect(cardMarkdown).toContain("It cannot be served or monitored yet: its target is multiclass.");
  });
});
