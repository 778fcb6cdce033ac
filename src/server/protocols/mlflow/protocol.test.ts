import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serveTracking, type TrackingServer } from "../../tracking-server.ts";

const folder = mkdtempSync(join(tmpdir(), "orrery-mlflow-wire-"));
let server: TrackingServer;
beforeAll(async () => {
  server = await serveTracking({
    stateDirectory: folder,
    stores: { database: null, artifacts: null },
    project: "default",
    access: { host: "127.0.0.1", token: null },
    port: 0,
    logLevel: "fatal",
  });
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: answers of many shapes, each looked at by a test
  readonly body: any;
}

async function call(method: string, path: string, body?: unknown, prefix = ""): Promise<Answer> {
  const query = method === "GET" && body !== undefined ? `?${new URLSearchParams(body as Record<string, string>)}` : "";
  const answer = await fetch(`${server.url}${prefix}/api/2.0/mlflow${path}${query}`, {
    method,
    ...(method === "GET" || body === undefined
      ? {}
      : { body: typeof body === "string" ? body : JSON.stringify(body), headers: { "content-type": "application/json" } }),
  });
  return { status: answer.status, body: await answer.json() };
}
const post = (path: string, body: unknown) => call("POST", path, body);
const get = (path: string, query: Record<string, string>) => call("GET", path, query);
const refusal = (status: number, name: string) => ({ status, body: expect.objectContaining({ error_code: name }) });

async function newRun(fields: object = {}): Promise<string> {
  const { body } = await post("/runs/create", { experiment_id: "0", ...fields });
  return body.run.info.run_id;
}

describe("the wire", () => {
  it.each([
    ["9.0", "Invalid value 9.0 for parameter 'artifact_location' supplied:  Hint: Value was of type 'float'."],
    ["9", "Invalid value 9 for parameter 'artifact_location' supplied:  Hint: Value was of type 'int'."],
    ['{"a": 1.0}', "Invalid value {\"a\":1} for parameter 'artifact_location' supplied:  Hint: Value was of type 'dict'."],
  ])("shows the value %s of a wrong type as it was written", async (value, message) => {
    const response = await fetch(`${server.url}/api/2.0/mlflow/experiments/create`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: `{"name": "one", "artifact_location": ${value}}`,
    });
    expect(await response.json()).toMatchObject({
      error_code: "INVALID_PARAMETER_VALUE",
      message: expect.stringContaining(message),
    });
  });

  it("gives the histories of several runs by run, then by step, and no more points together than are asked for", async () => {
    const ids = [await newRun(), await newRun(), await newRun()].sort();
    const [first = "", second = "", without = ""] = ids;
    for (const [at, id] of [second, first].entries())
      await post("/runs/log-batch", {
        run_id: id,
        metrics: [2, 1].map((step) => ({ key: "loss", value: step + 10 * at, timestamp: 1, step })),
      });
    const bulk = (query: string) => call("GET", `/metrics/get-history-bulk?${query}`);
    const all = [without, second, first, first].map((id) => `run_id=${id}`).join("&");
    const { body } = await bulk(`${all}&metric_key=loss`);
    const seen = (metrics: { run_id: string; step: number; value: number }[]) =>
      metrics.map(({ run_id, step, value }) => [run_id, step, value]);
    const wanted = [
      [first, 1, 11],
      [first, 2, 12],
      [second, 1, 1],
      [second, 2, 2],
    ];
    expect(seen(body.metrics)).toEqual(wanted);
    for (const most of [1, 2, 3])
      expect(seen((await bulk(`${all}&metric_key=loss&max_results=${most}`)).body.metrics)).toEqual(wanted.slice(0, most));
    expect(await bulk(`run_id=${without}&metric_key=loss`)).toEqual({ status: 200, body: {} });
    const tooMany = Array.from({ length: 101 }, (_, at) => `run_id=${at}`).join("&");
    for (const query of [
      "metric_key=loss",
      `run_id=${first}`,
      `${tooMany}&metric_key=loss`,
      `${all}&metric_key=loss&max_results=0`,
    ])
      expect(await bulk(query)).toEqual(refusal(400, "INVALID_PARAMETER_VALUE"));
    // As with get-history, of a run that is not there.
    expect(await bulk("run_id=none&metric_key=loss")).toEqual({ status: 200, body: {} });
  });

  it("has integers as numbers, versions as text, NaN and the infinities as text, and nothing that is empty", async () => {
    const id = await newRun({ start_time: 1_700_000_000_123, user_id: "anna" });
    const points = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1.5].map((value, step) => ({
      key: `m${step}`,
      value: Number.isFinite(value) ? value : String(value),
      timestamp: String(1_700_000_000_000 + step),
      step,
    }));
    expect(await post("/runs/log-batch", { run_id: id, metrics: points })).toEqual({ status: 200, body: {} });
    const { run } = (await get("/runs/get", { run_id: id })).body;
    expect(run.info).toMatchObject({
      run_uuid: id,
      run_id: id,
      start_time: 1_700_000_000_123,
      user_id: "anna",
      status: "RUNNING",
    });
    expect(run.info).not.toHaveProperty("end_time");
    expect(run.data).not.toHaveProperty("params");
    expect(run.inputs).toEqual({});
    expect(run.data.metrics.map(({ value }: { value: unknown }) => value)).toEqual(["NaN", "Infinity", "-Infinity", 1.5]);
    expect(run.data.metrics[0].timestamp).toBe(1_700_000_000_000);

    await post("/registered-models/create", { name: "wire" });
    const { body } = await post("/model-versions/create", { name: "wire", source: "s3://bucket/model" });
    expect(body.model_version).toMatchObject({ version: "1", status: "READY", current_stage: "None" });
    expect(body.model_version).not.toHaveProperty("tags");
  });

  it("takes run_uuid for run_id, numbers of enumerations, versions as numbers, JSON within a JSON text, and no body at all", async () => {
    const id = await newRun();
    expect((await get("/runs/get", { run_uuid: id })).status).toBe(200);
    expect((await post("/runs/update", { run_uuid: id, status: 3, end_time: "1700000000000" })).body.run_info).toMatchObject({
      status: "FINISHED",
      end_time: 1_700_000_000_000,
    });
    await post("/registered-models/create", { name: "numbers" });
    await post("/model-versions/create", { name: "numbers", source: "s3://bucket/model" });
    expect((await post("/registered-models/alias", { name: "numbers", alias: "champion", version: 1 })).body).toEqual({});
    expect((await post("/runs/set-tag", JSON.stringify(JSON.stringify({ run_id: id, key: "a", value: "b" })))).body).toEqual({});
    expect((await get("/runs/get", { run_id: id })).body.run.data.tags).toContainEqual({ key: "a", value: "b" });
    expect((await call("POST", "/experiments/search", "")).status).toBe(200);
  });

  it.each([
    ["/runs/log-metric", { key: "m", value: 1, timestamp: 1 }, "'run_id'"],
    ["/runs/log-metric", { run_id: "x", value: 1, timestamp: 1 }, "'key'"],
    ["/runs/log-metric", { run_id: "x", key: "m", timestamp: 1 }, "'value'"],
    [
      "/runs/log-batch",
      {
        run_id: "x",
        metrics: [
          { key: "a", value: 1, timestamp: 1 },
          { key: "b", value: 1 },
        ],
      },
      "'metrics[1].timestamp'",
    ],
    ["/runs/log-batch", { run_id: "x", params: [{ value: "1" }] }, "'params[0].key'"],
    ["/experiments/create", { name: "" }, "'name'"],
    ["/logged-models/search", {}, "'experiment_ids'"],
    ["/runs/outputs", { run_id: "x" }, "'models'"],
  ])("%s names the field that is missing", async (path, body, field) => {
    const answer = await post(path, body);
    expect(answer).toEqual(refusal(400, "INVALID_PARAMETER_VALUE"));
    expect(answer.body.message).toContain(`Missing value for required parameter ${field}.`);
  });

  it.each([
    ["/runs/log-metric", { run_id: "x", key: "m", value: "much", timestamp: 1 }, "'value'"],
    ["/runs/log-metric", { run_id: "x", key: "m", value: 1, timestamp: 1.5 }, "'timestamp'"],
    ["/runs/log-metric", { run_id: 1, key: "m", value: 1, timestamp: 1 }, "'run_id'"],
    ["/runs/log-batch", { run_id: "x", metrics: "many" }, "'metrics'"],
    ["/runs/log-batch", { run_id: "x", metrics: [1] }, "'metrics'"],
    ["/runs/update", { run_id: "x", status: "DONE" }, "'status'"],
    ["/runs/search", { max_results: 50_001 }, "'max_results'"],
    ["/runs/search", { order_by: [1] }, "'order_by'"],
    ["/experiments/search", { view_type: "SOME" }, "'view_type'"],
    ["/model-versions/transition-stage", { name: "x", version: "one", stage: "Production" }, "'version'"],
  ])("%s names the field that is wrong", async (path, body, field) => {
    const answer = await post(path, body);
    expect(answer).toEqual(refusal(400, "INVALID_PARAMETER_VALUE"));
    expect(answer.body.message).toContain(field);
  });

  it("refuses other types than JSON, what is no JSON, no object, or nested too deep", async () => {
    const send = (body: string, type: string) =>
      fetch(`${server.url}/api/2.0/mlflow/experiments/create`, { method: "POST", body, headers: { "content-type": type } });
    expect((await send("name=x", "application/x-www-form-urlencoded")).status).toBe(400);
    for (const body of ["{", "[]", '"text"', "3", `${'{"a":'.repeat(100)}1${"}".repeat(100)}`, '{"__proto__":{"a":1}}'])
      expect((await send(body, "application/json")).status).toBe(400);
  });

  it("refuses a batch of more than a megabyte, and takes one of less", async () => {
    const id = await newRun();
    const tags = (count: number) => Array.from({ length: count }, (_, at) => ({ key: `k${at}`, value: "v".repeat(8_000) }));
    expect((await post("/runs/log-batch", { run_id: id, tags: tags(100) })).status).toBe(200);
    const answer = await post("/runs/log-batch", { run_id: id, tags: tags(100), padding: "x".repeat(300_000) });
    expect(answer).toEqual(refusal(400, "INVALID_PARAMETER_VALUE"));
  });
});

describe("errors have MLflow's names and statuses", () => {
  it.each([
    ["GET", "/runs/get", { run_id: "none" }, 404, "RESOURCE_DOES_NOT_EXIST"],
    ["GET", "/experiments/get", { experiment_id: "4711" }, 404, "RESOURCE_DOES_NOT_EXIST"],
    ["GET", "/experiments/get-by-name", { experiment_name: "none" }, 404, "RESOURCE_DOES_NOT_EXIST"],
    ["GET", "/registered-models/get", { name: "none" }, 404, "RESOURCE_DOES_NOT_EXIST"],
    // MLflow does not tell a missing model from a missing alias here.
    ["GET", "/registered-models/alias", { name: "none", alias: "a" }, 400, "INVALID_PARAMETER_VALUE"],
    ["GET", "/model-versions/get", { name: "none", version: "1" }, 404, "RESOURCE_DOES_NOT_EXIST"],
    ["GET", "/logged-models/m-none", {}, 404, "RESOURCE_DOES_NOT_EXIST"],
    ["POST", "/experiments/create", { name: "Default" }, 400, "RESOURCE_ALREADY_EXISTS"],
    ["POST", "/runs/search", { experiment_ids: ["0"], filter: "metrics.a >" }, 400, "INVALID_PARAMETER_VALUE"],
    ["POST", "/runs/search", { experiment_ids: ["0"], page_token: "rubbish" }, 400, "INVALID_PARAMETER_VALUE"],
    ["POST", "/traces", {}, 501, "NOT_IMPLEMENTED"],
    ["GET", "/nothing", {}, 404, "ENDPOINT_NOT_FOUND"],
  ])("%s %s %j", async (method, path, body, status, name) => {
    expect(await call(method, path, body)).toEqual(refusal(status, name));
  });

  it("of an alias that is not set: the caller's mistake, as clients have it", async () => {
    await post("/registered-models/create", { name: "without alias" });
    const answer = await get("/registered-models/alias", { name: "without alias", alias: "champion" });
    expect(answer).toEqual(refusal(400, "INVALID_PARAMETER_VALUE"));
  });

  it("of a deleted experiment: its state, without the status that clients repeat for minutes", async () => {
    const { experiment_id } = (await post("/experiments/create", { name: "deleted soon" })).body;
    await post("/experiments/delete", { experiment_id });
    expect(await post("/runs/create", { experiment_id })).toEqual(refusal(400, "INVALID_STATE"));
  });

  it("of a filter: with the column", async () => {
    const { body } = await post("/runs/search", { experiment_ids: ["0"], filter: "metrics.auc > 'x'" });
    expect(body).toMatchObject({ code: "TRACKING_FILTER_INVALID", details: { column: 15 } });
  });
});

describe("projects", () => {
  it("are apart, each with a Default of its own, and need no making", async () => {
    const id = await newRun();
    const other = "/projects/other";
    expect((await call("GET", "/experiments/get", { experiment_id: "0" }, other)).body.experiment.name).toBe("Default");
    expect(await call("GET", "/runs/get", { run_id: id }, other)).toEqual(refusal(404, "RESOURCE_DOES_NOT_EXIST"));
    const made = (await call("POST", "/runs/create", { experiment_id: "0" }, other)).body.run.info.run_id;
    expect(await get("/runs/get", { run_id: made })).toEqual(refusal(404, "RESOURCE_DOES_NOT_EXIST"));
    expect((await call("GET", "/runs/get", { run_id: made }, "/projects/default")).status).toBe(404);
    expect((await call("GET", "/runs/get", { run_id: id }, "/projects/default")).status).toBe(200);
  });

  it("have names that can be names", async () => {
    for (const name of ["%252e%252e", "a%2fb", ".hidden", "x".repeat(101), "a b", "%00"])
      expect((await call("GET", "/experiments/get", { experiment_id: "0" }, `/projects/${name}`)).status).toBe(404);
  });
});

describe("what clients ask first", () => {
  it("health, version and server-info, in a project too", async () => {
    for (const prefix of ["", "/projects/other"]) {
      expect(await (await fetch(`${server.url}${prefix}/health`)).text()).toBe("OK");
      expect(await (await fetch(`${server.url}${prefix}/version`)).text()).toMatch(/^\d+\.\d+\.\d+$/);
      expect(await (await fetch(`${server.url}${prefix}/api/3.0/mlflow/server-info`)).json()).toMatchObject({
        store_type: "SqlStore",
        workspaces_enabled: false,
        multipart_uploads_enabled: true,
      });
    }
  });
});
