import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { orrery } from "./orrery-process.ts";

/** Inside the repository, so that `orrery` resolves to it as it does for anybody who installed it. */
const TEMPORARY = join(import.meta.dirname, "../../.orrery");

/** Text that LightGBM wrote of a model on three of the template's features. */
const [{ content: lightgbmFile }] = (
  JSON.parse(readFileSync(join(import.meta.dirname, "../golden/model-files.json"), "utf8")) as { files: { content: string }[] }
).files;

interface RunSummary {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly parentRunId: string | null;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly metrics: Readonly<Record<string, { readonly value: number }>>;
}

/** The template project with candidates that search, fail and come from elsewhere, by the commands a person would type. */
describe("candidates of a project", { timeout: 240_000 }, () => {
  let root: string;
  let project: string;
  const run = (...args: string[]) => orrery(["-p", project, ...args]);
  const json = async <T>(...args: string[]): Promise<T> => {
    const { code, out, err } = await run("--json", ...args);
    if (code !== 0) throw new Error(err);
    return JSON.parse(out) as T;
  };
  let trained: Awaited<ReturnType<typeof orrery>>;

  beforeAll(async () => {
    mkdirSync(TEMPORARY, { recursive: true });
    root = await mkdtemp(join(TEMPORARY, "test-candidates-"));
    project = join(root, "churn");
    expect((await orrery(["init", project])).code).toBe(0);
    const file = join(project, "orrery.config.ts");
    const config = readFileSync(file, "utf8")
      .replace("logisticRegression,", "logisticRegression,\n  autoMl,\n  kFold,\n  modelFile,\n  python,\n  search,")
      .replace(
        /candidates: \[.*\]/,
        `candidates: [
    baseline(),
    logisticRegression({ c: search.log(0.01, 100) }, { trials: 11, pruning: false }),
    gradientBoosting({ trees: 60, leaves: search.int(4, 8), rate: 0.1 }, { trials: 3, folds: kFold(3) }),
    python("crash.py", { requirements: ["numpy==2.2.0"], name: "crash" }),
    modelFile("models/before.txt"),
    autoMl({ time: "12s", ensemble: 3 }),
  ]`,
      )
      // A gate that nothing passes: there is no champion.
      .replace('metric("roc_auc").atLeast(0.65)', 'metric("roc_auc").atLeast(0.999)');
    writeFileSync(file, config);
    mkdirSync(join(project, "models"));
    writeFileSync(join(project, "models/before.txt"), Buffer.from(lightgbmFile, "base64"));
    trained = await run("train", "churn");
  }, 240_000);
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it("that failed are shown so, with the error's code, and the run goes on", () => {
    expect(trained).toMatchObject({ code: 0, err: "" });
    expect(trained.out).toMatch(/failed +train:crash .*\[TRAIN_PYTHON_\w+\]; the other candidates go on/);
    expect(trained.out).not.toMatch(/succeeded +train:crash/);
    expect(trained.out).toMatch(/succeeded +train:logistic-regression/);
    expect(trained.out).toContain("Not trained: crash");
  });

  it("are listed without their searches' trials, which are there when asked for", async () => {
    const shown = await json<RunSummary[]>("runs");
    expect(shown.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["baseline", "rule", "logistic-regression", "gradient-boosting", "crash"]),
    );
    expect(shown.filter(({ id }) => id.includes("-trial-"))).toEqual([]);
    const all = await json<RunSummary[]>("runs", "--trials", "--limit", "100");
    expect(all.filter(({ id }) => id.includes("-trial-")).length).toBeGreaterThan(11);
    const searched = shown.find(({ name }) => name === "logistic-regression");
    const trials = await json<RunSummary[]>("runs", "--parent", searched?.id ?? "");
    expect(trials).toHaveLength(11);
    expect(trials.map(({ id }) => id).toSorted()).toEqual(
      trials.toSorted((a, b) => Number(a.name.split(" ")[1]) - Number(b.name.split(" ")[1])).map(({ id }) => id),
    );
    for (const trial of trials) {
      expect(trial.metrics.roc_auc?.value).toBeGreaterThan(0.4);
      expect(Date.parse(trial.endedAt)).toBeGreaterThanOrEqual(Date.parse(trial.startedAt));
    }
    expect(new Set(trials.map(({ startedAt }) => startedAt)).size).toBeGreaterThan(5);
  });

  it("can be searched by folds", async () => {
    const boosting = (await json<RunSummary[]>("runs")).find(({ name }) => name === "gradient-boosting");
    const trials = await json<RunSummary[]>("runs", "--parent", boosting?.id ?? "");
    expect(trials).toHaveLength(3);
    expect(trials.every(({ status }) => status === "finished")).toBe(true);
  });

  it("that were trained elsewhere are judged beside the others", async () => {
    const before = (await json<RunSummary[]>("runs")).find(({ name }) => name === "before");
    expect(before?.status).toBe("finished");
    // It learned from other rows, by a rule like that of the template's.
    expect(before?.metrics.roc_auc?.value).toBeGreaterThan(0.55);
  });

  it("of the model take part in AutoML beside the default kinds", async () => {
    const automl = (await json<RunSummary[]>("runs")).find(({ name }) => name === "auto-ml");
    expect(automl?.status).toBe("finished");
    const trials = await json<RunSummary[]>("runs", "--parent", automl?.id ?? "", "--limit", "1000");
    const namesOf = (status: string) =>
      new Set(trials.flatMap((trial) => (trial.status === status ? [trial.name.replace(/ \d+$/, "")] : [])));
    expect([...namesOf("finished")]).toEqual(
      expect.arrayContaining(["logistic-regression", "default logistic-regression", "gradient-boosting", "before"]),
    );
    expect([...namesOf("failed")]).toEqual(["crash"]);
  });

  it("have a card although none passed the gate", async () => {
    const card = await run("models", "card", "churn");
    expect(card).toMatchObject({ code: 0, err: "" });
    expect(card.out).toContain("retention team");
    expect((await run("models", "card", "churn@champion")).err).toContain("CLI_ALIAS_UNKNOWN");
  });

  it("can be taken along as an ONNX file, or it is said why not", async () => {
    const file = join(root, "out", "churn.onnx");
    const exported = await run("models", "export", "churn@1", "--to", file);
    const { runId } = (await json<{ versions: { runId: string }[] }>("models", "show", "churn")).versions[0];
    const { params, artifacts } = await json<{ params: Record<string, string>; artifacts: { path: string; bytes: number }[] }>(
      "runs",
      "show",
      runId,
    );
    const logged = artifacts.find(({ path }) => path === "model.onnx");
    if (logged === undefined) {
      expect(exported.err).toContain("PROJECT_ONNX_MISSING");
      expect(exported.err).toContain(params.onnx_problem);
    } else {
      expect(exported).toMatchObject({ code: 0, err: "" });
      expect(statSync(file).size).toBe(logged.bytes);
    }
    expect((await run("models", "export", "churn")).err).toContain("CLI_ARGUMENT_MISSING");
    expect((await run("models", "export", "churn@9", "--to", file)).code).not.toBe(0);
  });

  it("rest on rows that can be looked at", async () => {
    const explored = await run("explore", "churn");
    expect(explored).toMatchObject({ code: 0, err: "" });
    expect(explored.out).toMatch(/\d+ of the rows that churn version 1 was trained on/);
    expect(explored.out).toMatch(/cancelled +\d+ +0\.\d{3} \[/);
    expect(explored.out).toContain("usage_recent.minutes_7d");
    const { relations } = await json<{ relations: { explained: number }[] }>("explore", "churn@1");
    const explained = relations.map((each) => each.explained);
    expect(explained).toEqual(explained.toSorted((a, b) => b - a));
    expect((await run("explore", "nobody")).err).toContain("REGISTRY_");
  });
});
