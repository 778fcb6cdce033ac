import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import delays from "../../examples/regression/orrery.config.ts";
import { baseline, type CandidateDefinition, gradientBoosting, python } from "../core/definitions/index.ts";
import { buildPlan, candidateVariants } from "./plans.ts";

const [model] = delays.models;
const [pipeline] = delays.pipelines;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "orrery-plans-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("what is trained for a model", () => {
  const named = (target: "binary" | "multiclass" | "regression", candidates: readonly CandidateDefinition[]) =>
    candidateVariants({ ...model, candidates }, target, null).map(({ name, candidate }) => [
      name,
      candidate.kind === "baseline" ? candidate.params.strategy : candidate.kind,
    ]);

  test("a baseline of its target always, and the rule where the target is binary", () => {
    const learning = [gradientBoosting()];
    const boosting = ["gradient-boosting", "gradient-boosting"];
    expect(named("binary", learning)).toEqual([["baseline", "prior"], ["rule", "rule"], boosting]);
    expect(named("multiclass", learning)).toEqual([["baseline", "prior"], boosting]);
    expect(named("regression", learning)).toEqual([["baseline", "mean"], boosting]);
  });

  test("other baselines that it names, after the one that others are compared with", () => {
    expect(named("regression", [gradientBoosting(), baseline("mean"), baseline("median")])).toEqual([
      ["baseline", "mean"],
      ["baseline-median", "median"],
      ["gradient-boosting", "gradient-boosting"],
    ]);
    expect(named("binary", [baseline(), baseline("best-feature")])).toEqual([
      ["baseline", "prior"],
      ["rule", "rule"],
      ["baseline-best-feature", "best-feature"],
    ]);
  });
});

test("a Python candidate's step is made of its script and its requirements too, where they are there", () => {
  writeFileSync(join(folder, "train me.py"), "");
  const trained = { ...model, candidates: [python("train me.py", { requirements: "absent.txt" }), gradientBoosting()] };
  const config = pathToFileURL(join(folder, "orrery.config.ts")).href;
  const plan = buildPlan(delays, { ...pipeline, model: trained }, { config, previous: {}, suspicion: null });
  const filesOf = (name: string) => plan.steps.find((step) => step.name === name)?.files;
  expect(filesOf("train:train me")).toEqual([config, pathToFileURL(join(folder, "train me.py")).href]);
  expect(filesOf("train:gradient-boosting")).toEqual([config]);
});
