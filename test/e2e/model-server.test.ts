import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { mlflowCalls } from "../fixtures/mlflow-calls.ts";
import { columns, linearFile, mlmodelFile } from "../fixtures/onnx-models.ts";
import { startTrackingProcess, type TrackingProcess } from "../fixtures/tracking-process.ts";
import { CLI, eventually, orrery } from "./orrery-process.ts";

const NAME = "linear model";
const ADDRESS = `models:/${NAME}@champion`;

interface Served {
  readonly url: string;
  stop(): Promise<void>;
}

let root: string;
const running: Served[] = [];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "orrery-model-server-"));
});
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
  rmSync(root, { recursive: true, force: true });
});

/** `orrery serve` of a model, until it listens; rejects with what it says where it ends before. */
async function serve(state: string, address: string, ...args: readonly string[]): Promise<Served> {
  const child = spawn(process.execPath, [CLI, "--state", state, "serve", address, "--port", "0", ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, MLFLOW_TRACKING_URI: "", ORRERY_TOKEN: "" },
  });
  let said = "";
  const url = await new Promise<string>((resolve, reject) => {
    child.stderr.on("data", (chunk: Buffer) => (said += chunk));
    child.stdout.on("data", (chunk: Buffer) => {
      said += chunk;
      const found = /"listening":"(http[^"]+)"/.exec(said)?.[1];
      if (found !== undefined) resolve(found);
    });
    child.once("exit", (code) => reject(new Error(`ended with ${code}: ${said}`)));
  });
  const server = {
    url,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, "exit");
      child.kill("SIGTERM");
      await gone;
    },
  };
  running.push(server);
  return server;
}

/** y of 2a + 3b + constant at a = 10, b = 1. */
async function answerOf({ url }: Served): Promise<number> {
  const answer = await fetch(`${url}/invocations`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ dataframe_records: [{ a: 10, b: 1 }] }),
  });
  if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`);
  const { predictions } = (await answer.json()) as { predictions: { y: number }[] };
  return predictions[0]?.y ?? Number.NaN;
}

describe("a model in a registry", { timeout: 120_000 }, () => {
  let state: string;
  let tracking: TrackingProcess;
  beforeEach(async () => {
    state = join(root, "state");
    tracking = await startTrackingProcess(state);
  });
  afterEach(() => tracking.stop("SIGKILL"));

  /** A version with the files of its run's folder "model". */
  async function register(files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
    const calls = mlflowCalls(tracking.url);
    const run = await calls.createRun();
    for (const [path, content] of Object.entries(files)) {
      const answer = await fetch(`${tracking.url}/api/2.0/mlflow-artifacts/artifacts/0/${run}/artifacts/model/${path}`, {
        method: "PUT",
        body: Buffer.from(content),
      });
      expect(answer.status).toBe(200);
    }
    await calls.call("POST", "registered-models/create", { name: NAME }).catch(() => undefined);
    const { model_version } = await calls.call<{ model_version: { version: string } }>("POST", "model-versions/create", {
      name: NAME,
      source: `mlflow-artifacts:/0/${run}/artifacts/model`,
      run_id: run,
    });
    return model_version.version;
  }
  const linear = (constant: number) =>
    register({ MLmodel: mlmodelFile({ inputs: columns("a", "b") }), "model.onnx": linearFile([2, 3], constant) });
  const point = (version: string) =>
    mlflowCalls(tracking.url).call("POST", "registered-models/alias", { name: NAME, alias: "champion", version });
  const versionOf = async ({ url }: Served) => ((await (await fetch(`${url}/v1/model`)).json()) as { version: string }).version;

  it("is served by its alias, and another one once the alias moves, without a request that fails", async () => {
    await point(await linear(1));
    const second = await linear(100);
    // Found through the state folder: nothing else says where the registry is.
    const server = await serve(state, ADDRESS, "--workers", "2");
    const answers = new Map<number, number>();
    const failures: string[] = [];
    let going = true;
    const clients = Array.from({ length: 8 }, async () => {
      while (going) {
        try {
          const y = await answerOf(server);
          answers.set(y, (answers.get(y) ?? 0) + 1);
        } catch (error) {
          failures.push(String(error));
        }
      }
    });
    await eventually(async () => ((answers.get(24) ?? 0) > 50 ? true : null), "answers of the first version");
    await point(second);
    await eventually(async () => ((answers.get(123) ?? 0) > 50 ? true : null), "answers of the second version");
    going = false;
    await Promise.all(clients);
    expect(failures).toEqual([]);
    expect([...answers.keys()].sort()).toEqual([123, 24]);
    expect(await versionOf(server)).toBe("2");
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    for (const version of ["1", "2"])
      expect(metrics).toMatch(new RegExp(`orrery_predictions_total{endpoint="${ADDRESS}",version="${version}",alias=""} \\d`));
  });

  it("goes on answering without its registry, also when it starts again, and follows it when it is back", async () => {
    await point(await linear(1));
    const second = await linear(100);
    const url = new URL(tracking.url);
    const args = ["--tracking-uri", tracking.url];
    const first = await serve(state, ADDRESS, ...args);
    expect(await answerOf(first)).toBe(24);
    await tracking.stop("SIGKILL");
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(await answerOf(first)).toBe(24);
    await first.stop();
    const again = await serve(state, ADDRESS, ...args);
    expect(await answerOf(again)).toBe(24);
    tracking = await startTrackingProcess(state, ["--port", url.port]);
    await point(second);
    await eventually(async () => ((await answerOf(again)) === 123 ? true : null), "the second version");
  });

  it("keeps the good version where the alias moves to one that cannot be served", async () => {
    await point(await linear(1));
    const server = await serve(state, ADDRESS);
    const broken = [
      { MLmodel: "flavors: {sklearn: {pickled_model: model.pkl}, python_function: {loader_module: mlflow.sklearn}}" },
      { MLmodel: mlmodelFile(), "model.onnx": "\x80\x04\x95cposix\nsystem\n." },
      { MLmodel: "flavors: {onnx: {data: ../../../secret}}" },
      { "model.onnx": linearFile([1], 0) },
    ];
    for (const files of broken) {
      await point(await register(files));
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      expect(await answerOf(server)).toBe(24);
      expect(await versionOf(server)).toBe("1");
    }
    await point(await linear(5));
    await eventually(async () => ((await answerOf(server)) === 28 ? true : null), "the good version");
  });

  it("is not fetched from where else its source may point: nobody is called", async () => {
    const callers: string[] = [];
    const elsewhere = createServer((request, answer) => {
      callers.push(request.url ?? "");
      answer.end("{}");
    });
    elsewhere.listen(0, "127.0.0.1");
    await once(elsewhere, "listening");
    const address = elsewhere.address();
    const port = typeof address === "object" ? address?.port : 0;
    const calls = mlflowCalls(tracking.url);
    await calls.call("POST", "registered-models/create", { name: NAME });
    for (const source of [`http://127.0.0.1:${port}/model`, "s3://bucket/model"]) {
      const made = await calls.call<{ model_version: { version: string } }>("POST", "model-versions/create", {
        name: NAME,
        source,
      });
      const address = `models:/${NAME}/${made.model_version.version}`;
      await expect(serve(state, address)).rejects.toThrow("SERVING_MODEL_ELSEWHERE");
    }
    elsewhere.close();
    expect(callers).toEqual([]);
  });

  it("is refused in words where it is not there", async () => {
    await linear(1);
    for (const address of [
      ADDRESS,
      `models:/${NAME}/9`,
      "models:/nobody@champion",
      "models:/m-none",
      "runs:/none/model",
      `models:/${NAME}/Production`,
    ])
      await expect(serve(state, address)).rejects.toThrow("SERVING_MODEL_MISSING");
  });
});

describe("a model in a folder", { timeout: 60_000 }, () => {
  let folder: string;
  beforeEach(() => {
    folder = join(root, "model");
    mkdirSync(folder);
    writeFileSync(join(folder, "MLmodel"), mlmodelFile({ inputs: columns("a", "b") }));
    writeFileSync(join(folder, "model.onnx"), linearFile([2, 3], 1));
  });

  it("is served without a registry, a project or a token from this machine", async () => {
    expect(await answerOf(await serve(join(root, "state"), folder))).toBe(24);
  });

  it("is not served off this machine without a token, unless that is said", async () => {
    const state = join(root, "state");
    await expect(serve(state, folder, "--host", "0.0.0.0")).rejects.toThrow("SERVING_TOKEN_MISSING");
    const { url } = await serve(state, folder, "--host", "0.0.0.0", "--anonymous");
    expect((await fetch(`http://127.0.0.1:${new URL(url).port}/ping`, { headers: { host: "container:8080" } })).status).toBe(200);
  });

  it("is not read where a link leads out of it", async () => {
    writeFileSync(join(root, "outside.onnx"), linearFile([2, 3], 1));
    rmSync(join(folder, "model.onnx"));
    symlinkSync(join(root, "outside.onnx"), join(folder, "model.onnx"));
    await expect(serve(join(root, "state"), folder)).rejects.toThrow("SERVING_MODEL_ELSEWHERE");
  });
});

describe("what is no model", { timeout: 60_000 }, () => {
  let state: string;
  beforeAll(() => {
    state = mkdtempSync(join(tmpdir(), "orrery-model-server-"));
  });
  afterAll(() => rmSync(state, { recursive: true, force: true }));
  const refusal = async (...args: readonly string[]) => {
    const { code, err } = await orrery(["--state", state, "serve", ...args, "--port", "0"], { MLFLOW_TRACKING_URI: "" });
    expect(code).not.toBe(0);
    return err;
  };

  it("is refused in one line with a hint", async () => {
    expect(await refusal("models:/none@champion")).toContain("SERVING_REGISTRY_MISSING");
    expect(await refusal("models:/none")).toContain("SERVING_MODEL_URI_INVALID");
    expect(await refusal("s3://bucket/model")).toContain("SERVING_MODEL_URI_INVALID");
    expect(await refusal("/nowhere/model")).toContain("SERVING_MODEL_MISSING");
    expect(await refusal("models:/none@champion", "--tracking-uri", "sqlite:///x.db")).toContain("SERVING_REGISTRY_MISSING");
    expect(await refusal("models:/none@champion", "--tracking-uri", "http://127.0.0.1:9")).toContain(
      "SERVING_REGISTRY_UNREACHABLE",
    );
  });
});
