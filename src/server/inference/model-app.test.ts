import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import type { FastifyInstance } from "fastify";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { columns, linearFile, mlmodelFile } from "../../../test/fixtures/onnx-models.ts";
import { createMetrics } from "../../core/observability/index.ts";
import { createModelApp, type ModelAppOptions } from "./model-app.ts";
import { takeUp } from "./model-cache.ts";
import { type ServedModel, serveModel } from "./served-model.ts";

let folder: string;
let app: FastifyInstance;
let served: ServedModel;

/** y = 2a + 3b + constant, as version `version`. */
const deploy = (version: string, constant: number) =>
  takeUp(
    folder,
    { identity: version, version, location: "mlflow-artifacts:/0/m" },
    new Map([
      ["MLmodel", new TextEncoder().encode(mlmodelFile({ inputs: columns("a", "b") }))],
      ["model.onnx", linearFile([2, 3], constant)],
    ]),
  );

const open = (options: Partial<ModelAppOptions> = {}): FastifyInstance =>
  createModelApp({
    address: "models:/linear@champion",
    served,
    metrics: createMetrics(),
    token: null,
    anonymous: false,
    metricsText: async () => "orrery_up 1\n",
    ...options,
  });

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "orrery-model-app-"));
  served = serveModel(folder, () => undefined);
  deploy("1", 1);
  await served.look();
  app = open();
});
afterEach(async () => {
  await app.close();
  rmSync(folder, { recursive: true, force: true });
});

const json = { "content-type": "application/json", host: "127.0.0.1" };
const row = { dataframe_split: { columns: ["a", "b"], data: [[10, 1]] } };
const ask = (payload: string | object, headers: Record<string, string> = json, to = app) =>
  to.inject({
    method: "POST",
    url: "/invocations",
    headers,
    payload: typeof payload === "string" ? payload : JSON.stringify(payload),
  });

describe("MLflow's scoring protocol", () => {
  it.each<[string, object]>([
    ["dataframe_split", row],
    ["dataframe_records", { dataframe_records: [{ b: 1, a: 10 }] }],
    ["instances", { instances: [{ a: 10, b: 1 }] }],
    ["inputs by name", { inputs: { a: [10], b: [1] } }],
    ["inputs as objects", { inputs: [{ a: 10, b: 1 }] }],
  ])("answers %s with predictions", async (_, body) => {
    const answer = await ask(body);
    expect(answer.headers["content-type"]).toContain("application/json");
    expect([answer.statusCode, answer.json()]).toEqual([200, { predictions: [{ y: 24 }] }]);
  });

  it("answers CSV, whatever stands beside its content type", async () => {
    for (const type of ["text/csv", "text/csv; charset=utf-8", "text/csv;charset=UTF-8"])
      expect((await ask("a,b\n10,1\n", { ...json, "content-type": type })).json()).toEqual({ predictions: [{ y: 24 }] });
  });

  it("takes NaN and infinite numbers as Python writes them, and says null for what JSON has no number for", async () => {
    const body = '{"dataframe_split": {"columns": ["a", "b"], "data": [[NaN, 1], [Infinity, 1], [10, null]]}}';
    expect((await ask(body)).json()).toEqual({ predictions: [{ y: null }, { y: null }, { y: null }] });
  });

  it("says which column is missing, in MLflow's fields", async () => {
    const answer = await ask({ dataframe_records: [{ a: 1 }] });
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({
      error_code: "BAD_REQUEST",
      message: "Model is missing inputs ['b'].",
      code: "TRAIN_MODEL_INPUT_INVALID",
    });
  });

  it.each([
    ["no JSON", "{"],
    ["a list", "[]"],
    ["nothing", ""],
    ["no format", "{}"],
    ["two formats", '{"inputs": [], "instances": []}'],
    ["records that are none", '{"dataframe_records": [1]}'],
    ["a split without data", '{"dataframe_split": {"columns": ["a"]}}'],
    ["rows of different lengths", '{"dataframe_split": {"columns": ["a", "b"], "data": [[1, 2], [1]]}}'],
    ["a column twice", '{"dataframe_split": {"columns": ["a", "a"], "data": [[1, 2]]}}'],
    ["deep lists", `{"inputs": ${"[".repeat(40)}${"]".repeat(40)}}`],
    ["very deep lists", `{"inputs": ${"[".repeat(1_000_000)}`],
    ["too many rows", `{"inputs": [${"1,".repeat(100_000)}1]}`],
  ])("refuses %s with 400 and words", async (_, body) => {
    const answer = await ask(body);
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ error_code: "BAD_REQUEST", message: expect.stringMatching(/\w/) });
  });

  it("refuses bytes that are no UTF-8", async () => {
    const payload = Buffer.from([0x7b, 0xff, 0xfe, 0x7d]);
    expect((await app.inject({ method: "POST", url: "/invocations", headers: json, payload })).statusCode).toBe(400);
  });

  it.each([
    "text/plain",
    "application/json; charset=latin-1",
    "application/json; format=pandas-split",
    "application/octet-stream",
    "application/jsonx",
  ])("refuses the content type %s with 415", async (type) => {
    expect((await ask("{}", { ...json, "content-type": type })).statusCode).toBe(415);
  });

  it("refuses a body without a content type, and one that is too large", async () => {
    expect(
      (await app.inject({ method: "POST", url: "/invocations", headers: { host: "127.0.0.1" }, payload: "{}" })).statusCode,
    ).toBe(415);
    const large = await ask(`{"inputs": "${"x".repeat(17 * 1024 * 1024)}"}`);
    expect(large.statusCode).toBe(413);
    expect(large.json()).toMatchObject({ error_code: "BAD_REQUEST", code: "SERVING_BODY_REFUSED" });
  });

  it("answers health checks as SageMaker and MLflow's tools ask", async () => {
    for (const url of ["/ping", "/health"]) {
      const answer = await app.inject({ url });
      expect([answer.statusCode, answer.body]).toEqual([200, "\n"]);
    }
    expect((await app.inject({ url: "/version" })).body).toMatch(/^\d+\.\d+\.\d+$/);
    expect((await app.inject({ url: "/readyz" })).json()).toEqual({
      ready: true,
      model: "models:/linear@champion",
      version: "1",
    });
    expect((await app.inject({ url: "/metrics", headers: json })).body).toBe("orrery_up 1\n");
  });

  it("tells what it serves", async () => {
    expect((await app.inject({ url: "/v1/model", headers: json })).json()).toMatchObject({
      version: "1",
      revision: 1,
      signature: { inputs: [{ name: "a", type: "double" }, { name: "b" }] },
    });
  });

  it("is not ready before there is a model", async () => {
    const empty = mkdtempSync(join(tmpdir(), "orrery-model-app-"));
    const nothing = open({ served: serveModel(empty, () => undefined) });
    expect((await nothing.inject({ url: "/ping" })).statusCode).toBe(404);
    expect((await nothing.inject({ url: "/readyz" })).statusCode).toBe(503);
    const answer = await ask(row, json, nothing);
    expect([answer.statusCode, answer.json().error_code]).toEqual([503, "TEMPORARILY_UNAVAILABLE"]);
    await nothing.close();
    rmSync(empty, { recursive: true });
  });
});

describe("another model at the same address", () => {
  it("is taken up whole, and what has begun ends with the one it began with", async () => {
    const many = { dataframe_split: { columns: ["a", "b"], data: Array.from({ length: 20_000 }, () => [10, 1]) } };
    const began = ask(many);
    await new Promise((resolve) => setTimeout(resolve, 30));
    deploy("2", 100);
    await served.look();
    expect((await ask(row)).json()).toEqual({ predictions: [{ y: 123 }] });
    const { predictions } = (await began).json();
    expect(new Set(predictions.map(({ y }: { y: number }) => y)).size).toBe(1);
  });

  it("that is damaged leaves the good one serving", async () => {
    const damaged = new Map([
      ["MLmodel", new TextEncoder().encode("flavors: {onnx: {}}")],
      ["model.onnx", new Uint8Array(5)],
    ]);
    takeUp(folder, { identity: "3", version: "3", location: "x" }, damaged);
    await served.look();
    expect((await ask(row)).json()).toEqual({ predictions: [{ y: 24 }] });
    expect(served.problem).toMatchObject({ code: "TRAIN_ONNX_INVALID" });
    deploy("4", 2);
    await served.look();
    expect((await ask(row)).json()).toEqual({ predictions: [{ y: 25 }] });
    expect(served.problem).toBeNull();
  });
});

describe("who may ask", () => {
  it("is this machine alone without a token, by its own name", async () => {
    expect((await ask(row, { ...json, host: "rebound.example" })).statusCode).toBe(403);
    expect((await ask(row, { ...json, origin: "https://elsewhere.example" })).json().error_code).toBe("PERMISSION_DENIED");
  });

  it("is who has the token, but for health checks", async () => {
    const guarded = open({ token: "secret" });
    expect((await ask(row, json, guarded)).statusCode).toBe(401);
    expect((await ask(row, { ...json, authorization: "Bearer secret" }, guarded)).statusCode).toBe(200);
    expect((await guarded.inject({ url: "/ping" })).statusCode).toBe(200);
    expect((await guarded.inject({ url: "/v1/model" })).statusCode).toBe(401);
    await guarded.close();
  });

  it("is everybody where that was said", async () => {
    const free = open({ anonymous: true });
    expect((await ask(row, { ...json, host: "model.internal:8080" }, free)).statusCode).toBe(200);
    await free.close();
  });
});

describe("whatever is sent", () => {
  it("is no error of the server's", async () => {
    const types = fc.constantFrom("application/json", "text/csv", "application/json; charset=utf-8", "x/y", "");
    const wrapped = fc
      .tuple(fc.constantFrom("dataframe_split", "dataframe_records", "instances", "inputs", "params"), fc.jsonValue())
      .map(([key, value]) => JSON.stringify({ [key]: value }));
    await fc.assert(
      fc.asyncProperty(types, fc.oneof(wrapped, fc.string(), fc.json()), async (type, body) => {
        const { statusCode } = await ask(body, { ...json, "content-type": type });
        expect([200, 400, 415]).toContain(statusCode);
      }),
      { numRuns: 400 },
    );
  });
});
