import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createClient } from "../../src/client/index.ts";
import { eventually, orrery, type Up, up } from "./orrery-process.ts";

/** Inside the repository, so that `orrery` resolves to it as it does for anybody who installed it. */
const TEMPORARY = join(import.meta.dirname, "../../.orrery");

/** The template project's whole life, each step by the command a person would type, in processes of their own. */
describe("a project", { timeout: 180_000 }, () => {
  let root: string;
  let project: string;
  const running: Up[] = [];
  const start = async (args: readonly string[] = []) => {
    const started = await up(project, args);
    running.push(started);
    return started;
  };
  const clientOf = ({ url }: Up) => createClient({ baseUrl: url, workspace: "default", project: "churn" });
  const request = { customer_id: "C0034", amount: 9.99, reference: "C0034-1" };
  const inference = () =>
    (JSON.parse(readFileSync(join(project, ".orrery/run/inference-churn.json"), "utf8")) as { listening: string }).listening;
  const predict = (body: unknown) =>
    fetch(`${inference()}/v1/endpoints/churn/predict`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });

  beforeAll(async () => {
    mkdirSync(TEMPORARY, { recursive: true });
    root = await mkdtemp(join(TEMPORARY, "test-life-"));
    project = join(root, "churn");
  });
  afterAll(async () => {
    // One clean stop ends what earlier kills left behind.
    if (existsSync(join(project, ".orrery"))) await (await up(project)).stop();
    for (const each of running) await each.stop();
    rmSync(root, { recursive: true, force: true });
  });

  it("is written by init, which refuses a folder that is not empty", async () => {
    expect((await orrery(["init", project])).code).toBe(0);
    const again = await orrery(["init", project]);
    expect(again).toMatchObject({ code: 4 });
    expect(again.err).toContain("CLI_FOLDER_NOT_EMPTY");
  });

  it("is found sound by check", async () => {
    expect(await orrery(["-p", project, "check"])).toMatchObject({ code: 0, err: "" });
  });

  it("trains, gates and deploys from the command line without a server", async () => {
    const trained = await orrery(["-p", project, "train", "churn"]);
    expect(trained.err).toBe("");
    expect(trained.out).toMatch(/succeeded deploy/);
    const models = JSON.parse((await orrery(["-p", project, "--json", "models"])).out) as {
      aliases: Record<string, number>;
      gates: { passed: boolean; verdicts: unknown[] }[];
    }[];
    expect(models[0]?.aliases).toEqual({ champion: 1 });
    expect(models[0]?.gates[0]).toMatchObject({ passed: true });
    const card = await orrery(["-p", project, "models", "card", "churn"]);
    expect(card.out).toContain("retention team");
    const runs = JSON.parse((await orrery(["-p", project, "--json", "runs"])).out) as { name: string }[];
    expect(runs.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["baseline", "rule", "logistic-regression", "gradient-boosting"]),
    );
  });

  it("trains again as a second version, which its gate compares with the first", async () => {
    const again = JSON.parse((await orrery(["-p", project, "--json", "run", "train"])).out) as { status: string };
    expect(again.status).toBe("succeeded");
    const models = JSON.parse((await orrery(["-p", project, "--json", "models"])).out) as {
      aliases: Record<string, number>;
      gates: { version: number; championVersion: number | null; passed: boolean }[];
    }[];
    expect(models[0]?.aliases).toEqual({ champion: 1, challenger: 2 });
    expect(models[0]?.gates.find(({ version }) => version === 2)).toMatchObject({ championVersion: 1, passed: true });
  });

  it("refuses to lose a column that what is deployed depends on, unless it is told to take it", async () => {
    const file = join(project, "orrery.config.ts");
    const written = readFileSync(file, "utf8");
    const without = written
      .replace('    plan: string().in(["student", "single", "family"]),\n', "")
      .replace('features: ["plan", "country"]', 'features: ["country"]');
    writeFileSync(file, without);
    try {
      const refused = await orrery(["-p", project, "check"]);
      expect(refused).toMatchObject({ code: 4 });
      expect(refused.err).toContain("customer_info.plan");
      expect(refused.err).toContain("CLI_CHECK_BREAKING");
      expect(refused.out).toContain("view customer_info: is defined otherwise");
      expect(refused.out).toContain("model churn version 1 (champion): customer_info.plan is not in the project any more");
      expect(refused.out).toContain(
        'cannot go on: Feature view "customer_info" reads "plan", which source "customers" does not have',
      );
      expect(await orrery(["-p", project, "check", "--allow-breaking"])).toMatchObject({ code: 0, err: "" });
    } finally {
      writeFileSync(file, written);
    }
    const { changes } = JSON.parse((await orrery(["-p", project, "--json", "check"])).out) as { changes: unknown[] };
    expect(changes).toEqual([]);
  });

  it("answers, explains and shows what it serves; goes on when the control plane is killed; is found again", async () => {
    const first = await start();
    const client = clientOf(first);
    await eventually(async () => ((await predict({ instances: [request] })).ok ? true : null), "the first prediction");
    const [answer] = (
      JSON.parse((await orrery(["-p", project, "predict", "churn", JSON.stringify(request)])).out) as {
        predictions: { id: string; modelVersion: number; missing: string[] }[];
      }
    ).predictions;
    expect(answer).toMatchObject({ modelVersion: 1, missing: [] });
    const explained = await eventually(() => client.predictions.explain({ id: answer?.id ?? "" }), "the logged prediction");
    const sum = explained.contributions.reduce((total, { phi }) => total + phi, explained.base);
    expect(sum).toBeCloseTo(explained.output, 9);
    const other = await client.predictions.counterfactuals({ id: answer?.id ?? "" });
    expect(other).toMatchObject({ outcome: "found", version: 1, immutable: ["customer_info.country"] });
    expect(other.prediction).toBeCloseTo(explained.probability, 12);
    expect(other.changeable).not.toContain("customer_info.country");
    for (const { changes, prediction } of other.counterfactuals) {
      expect(prediction >= 0.25).toBe(other.prediction < 0.25);
      expect(changes.map(({ feature }) => feature)).not.toContain("customer_info.country");
    }
    const told = await orrery(["-p", project, "explain", answer?.id ?? "", "--counterfactuals"]);
    expect(told).toMatchObject({ code: 0, err: "" });
    expect(told.out).toContain("Left as they are: customer_info.country");
    expect(told.out).toMatch(/another decision needs (at least|less than) 0\.250/);
    await expect(client.predictions.counterfactuals({ id: "none" })).rejects.toMatchObject({
      body: { code: "PROJECT_PREDICTION_UNKNOWN" },
    });
    // The second training's version passed its gate too, so it is being tried as a canary.
    expect((await client.loop.get()).stages.find(({ stage }) => stage === "endpoints")).toMatchObject({
      state: "running",
      headline: "canary",
    });
    expect((await client.endpoints.list()).items[0]?.routes.map(({ alias, share }) => [alias, share])).toEqual([
      ["champion", 0.9],
      ["challenger", 0.1],
    ]);

    const before = inference();
    await first.stop("SIGKILL");
    expect((await predict({ instances: [request] })).status).toBe(200);
    const second = await start();
    expect(inference()).toBe(before);
    expect((await clientOf(second).endpoints.list()).items[0]).toMatchObject({ ready: true, url: before });
  });

  it("read and logged the features that the offline join gives", async () => {
    const checked = await orrery(["-p", project, "--json", "features", "check-consistency"]);
    expect(checked).toMatchObject({ code: 0, err: "" });
    const report = JSON.parse(checked.out) as {
      compared: number;
      mismatched: number;
      endpoints: { endpoint: string; predictions: number; changed: string[] }[];
    };
    expect(report.mismatched).toBe(0);
    expect(report.compared).toBeGreaterThan(500);
    expect(report.endpoints).toMatchObject([{ endpoint: "churn", changed: [] }]);
    expect(report.endpoints[0].predictions).toBeGreaterThan(0);
    const metrics = await (await fetch(`${running.at(-1)?.url}/metrics`)).text();
    expect(metrics).toMatch(/orrery_alerts_open\{endpoint="[a-z-]+"\} 0/);
    expect(metrics).toMatch(/orrery_feature_view_age_seconds\{view="usage_recent"\} \d/);
  });

  it("flags an unknown entity with missing features and does not fail", async () => {
    const answer = (await (await predict({ instances: [{ ...request, customer_id: "nobody" }] })).json()) as {
      predictions: { missing: string[]; probability: number }[];
    };
    expect(answer.predictions[0]?.missing).toEqual(["usage_recent", "customer_info"]);
    expect(answer.predictions[0]?.probability).toBeGreaterThan(0);
  });

  it("names the path of a field of the wrong type, and refuses what is no request at all", async () => {
    const wrong = await predict({ instances: [request, { ...request, amount: "much" }] });
    expect(wrong.status).toBe(422);
    expect(await wrong.json()).toMatchObject({
      code: "SERVING_REQUEST_INVALID",
      details: { issues: [{ path: ["instances", 1, "amount"] }] },
    });
    for (const body of [null, [], {}, { instances: [] }, { instances: ["x"] }, { instances: [null] }])
      expect((await predict(body)).status).toBe(422);
    const torn = await fetch(`${inference()}/v1/endpoints/churn/predict`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"instances": [',
    });
    expect(torn.status).toBeLessThan(500);
  });

  it("is refused a second owner of its state folder", async () => {
    await expect(up(project)).rejects.toThrow(/STATE_IN_USE/);
  });

  it("gives Prometheus metrics and OpenAPI", async () => {
    const current = running.at(-1);
    const text = async (url: string) => (await fetch(url)).text();
    expect(await text(`${inference()}/metrics`)).toMatch(/orrery_predictions_total\{[^}]*version="1"[^}]*\} [1-9]/);
    expect(await text(`${current?.url}/metrics`)).toContain("process_cpu_seconds_total");
    const openapi = JSON.parse(await text(`${current?.url}/openapi.json`)) as { paths: Record<string, unknown> };
    expect(Object.keys(openapi.paths)).toContain("/api/v1/{workspace}/{project}/runs");
  });

  it("stops cleanly, taking its inference server along", async () => {
    const url = inference();
    expect(await running.at(-1)?.stop()).toBe(0);
    await expect(fetch(url)).rejects.toThrow();
  });

  it("serves alone, without the control plane", async () => {
    const { spawn } = await import("node:child_process");
    const { CLI } = await import("./orrery-process.ts");
    const alone = spawn(process.execPath, [CLI, "-p", project, "serve", "churn", "--port", "0"], { stdio: "ignore" });
    await eventually(async () => ((await predict({ instances: [request] })).ok ? true : null), "a prediction");
    const gone = once(alone, "exit");
    alone.kill("SIGTERM");
    expect((await gone)[0]).toBe(0);
  });

  it("says in one line that a port is in use", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const { port } = taken.address() as { port: number };
    const failed = await orrery(["-p", project, "up", "--port", String(port)]);
    taken.close();
    expect(failed).toMatchObject({ code: 4 });
    expect(failed.err).toMatch(/^orrery: Port \d+ on 127\.0\.0\.1 is in use \[SERVER_PORT_IN_USE\]\n {2}\S[^\n]+\n$/);
  });

  it("refuses to listen off loopback without a token", async () => {
    expect((await orrery(["-p", project, "up", "--host", "0.0.0.0", "--port", "0"])).err).toContain("SERVER_TOKEN_MISSING");
  });

  it("leaves a newer state folder as it is", async () => {
    const copy = join(root, "newer");
    cpSync(project, copy, { recursive: true });
    const file = join(copy, ".orrery/state.json");
    writeFileSync(file, JSON.stringify({ formatVersion: 99, minCompatibleVersion: 99 }));
    const failed = await orrery(["-p", copy, "runs"]);
    expect(failed).toMatchObject({ code: 4 });
    expect(failed.err).toContain("STATE_FOLDER_NEWER");
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({ formatVersion: 99, minCompatibleVersion: 99 });
  });

  it.each([
    ["a missing file", (folder: string) => rmSync(join(folder, "data/usage.csv")), "DATA_FILE_MISSING"],
    [
      "a column that is not there",
      (folder: string) =>
        writeFileSync(join(folder, "data/usage.csv"), "customer_id,played_at,minuets\nC0034,2026-01-01T00:00:00Z,3\n"),
      "DATA_COLUMN_MISSING",
    ],
    [
      "an empty table",
      (folder: string) => writeFileSync(join(folder, "data/usage.csv"), "customer_id,played_at,minutes\n"),
      "DATA_EMPTY",
    ],
    ["an unknown model", () => undefined, "CLI_NO_PIPELINE_TRAINS"],
  ])("tells of %s by code and hint, without a stack trace, and keeps its state", async (what, spoil, code) => {
    const copy = join(root, what.replaceAll(" ", "-"));
    cpSync(project, copy, { recursive: true });
    spoil(copy);
    const failed = await orrery(["-p", copy, "train", what === "an unknown model" ? "nothing" : "churn"]);
    expect(failed.code).not.toBe(0);
    expect(failed.err).toContain(code);
    expect(failed.err).not.toMatch(/\n\s+at /);
    const models = JSON.parse((await orrery(["-p", copy, "--json", "models"])).out) as { aliases: Record<string, number> }[];
    expect(models[0]?.aliases.champion).toBe(1);
  });
});
