import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Run, RunSummary } from "../../src/contract/index.ts";
import { orrery } from "./orrery-process.ts";

/** Inside the repository, so that `orrery` resolves to it as it does for anybody who installed it. */
const TEMPORARY = join(import.meta.dirname, "../../.orrery");

/** A project's own code, in a file that knows of no run and is given none. */
const COSTS = `import { currentRun, logDataset, logMetric, logParams, logText, setTag, startRun } from "orrery/tracking";

const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

export async function noteCosts(name: string, auc: number): Promise<void> {
  await later(10);
  if (currentRun() === undefined) throw new Error("no run");
  logMetric("cost_of_misses", 1 - auc);
  for (const step of [0, 1, 2]) logMetric("what_if", step * auc, { step });
  // The last is a name that the platform has logged by then.
  logParams({ price_list: "2026-11", of: name, candidate: "mine" });
  setTag("noted", "by the project");
  logDataset({ name: "prices", source: "s3://prices/2026-11", context: "evaluation" });
  await logText(\`costs of \${name}\`, "costs/note.txt");
  await startRun({ name: \`\${name} twice as dear\`, params: { factor: 2 } }, async () => {
    await later(5);
    logMetric("cost_of_misses", 2 * (1 - auc));
  });
}
`;

describe("code that a training step calls", { timeout: 180_000 }, () => {
  let root: string;
  let project: string;
  const json = async <T>(...args: string[]): Promise<T> => {
    const { code, out, err } = await orrery(["-p", project, "--json", ...args]);
    if (code !== 0) throw new Error(err);
    return JSON.parse(out) as T;
  };
  const runNamed = async (name: string) => {
    const found = (await json<RunSummary[]>("runs", "--trials", "--limit", "100")).filter((run) => run.name === name);
    expect(found.length).toBeGreaterThan(0);
    return json<Run>("runs", "show", found[0]?.id ?? "");
  };

  beforeAll(async () => {
    mkdirSync(TEMPORARY, { recursive: true });
    root = await mkdtemp(join(TEMPORARY, "test-step-run-"));
    project = join(root, "churn");
    expect((await orrery(["init", project])).code).toBe(0);
    writeFileSync(join(project, "costs.ts"), COSTS);
    const file = join(project, "orrery.config.ts");
    const config = readFileSync(file, "utf8")
      .replace('} from "orrery";', '} from "orrery";\nimport { noteCosts } from "./costs.ts";')
      .replace(
        "  explain: { segments",
        `  onTrained: async ({ name, metrics }) => {
    if (name === "gradient-boosting") throw new Error("out of prices");
    await noteCosts(name, metrics.roc_auc?.value ?? 0);
  },
  explain: { segments`,
      );
    expect(config).toContain("onTrained");
    writeFileSync(file, config);
    const trained = await orrery(["-p", project, "train", "churn"]);
    expect(trained).toMatchObject({ code: 0, err: "" });
    expect(trained.out).toContain("[PROJECT_ON_TRAINED_FAILED]");
  }, 180_000);
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it("finds the run of its own candidate, and what it logs is there beside what the platform logs", async () => {
    for (const name of ["logistic-regression", "baseline", "rule"]) {
      const run = await runNamed(name);
      const auc = run.metrics.roc_auc?.value ?? Number.NaN;
      expect(run.metrics.cost_of_misses?.value).toBeCloseTo(1 - auc, 12);
      expect(run.metrics.what_if?.value).toBeCloseTo(2 * auc, 12);
      expect(run.params).toMatchObject({ price_list: "2026-11", of: name });
      expect(run.tags).toMatchObject({ noted: "by the project" });
      expect(run.artifacts.map(({ path }) => path)).toEqual(expect.arrayContaining(["costs/note.txt", "model.orrery"]));
      expect(run.datasets).toMatchObject([
        { dataset: { name: "churn training set" }, tags: { "mlflow.data.context": "training" } },
        { dataset: { name: "prices" }, tags: { "mlflow.data.context": "evaluation" } },
      ]);
    }
  });

  it("does not spoil a training by a name that the platform uses: the platform's value stays, and a tag tells", async () => {
    const run = await runNamed("logistic-regression");
    expect(run.params.candidate).toBe("logistic-regression");
    expect(run.tags["orrery.refused_params"]).toBe("candidate");
  });

  it("can have runs below its own", async () => {
    const nested = await runNamed("logistic-regression twice as dear");
    const parent = await runNamed("logistic-regression");
    expect(nested).toMatchObject({ parentRunId: parent.id, status: "finished", params: { factor: "2" }, experiment: "churn" });
    expect(nested.metrics.cost_of_misses?.value).toBeCloseTo(2 * (parent.metrics.cost_of_misses?.value ?? 0), 12);
    expect(Date.parse(nested.endedAt ?? "")).toBeGreaterThanOrEqual(Date.parse(nested.startedAt));
  });

  it("that throws fails its candidate only, by name", async () => {
    const run = await runNamed("gradient-boosting");
    expect(run).toMatchObject({ status: "failed", params: { error: "PROJECT_ON_TRAINED_FAILED" } });
    expect(run.params.message).toContain("out of prices");
  });

  it("is recorded again with a step that comes from the cache", async () => {
    const again = await orrery(["-p", project, "train", "churn"]);
    expect(again).toMatchObject({ code: 0, err: "" });
    const runs = (await json<RunSummary[]>("runs", "--trials", "--limit", "100")).filter(({ name }) => name === "baseline");
    expect(runs).toHaveLength(2);
    for (const { metrics } of runs) expect(metrics.cost_of_misses).toBeDefined();
  });
});
