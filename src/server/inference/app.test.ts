import type { FastifyInstance, InjectOptions } from "fastify";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  champion,
  deploy,
  ENDPOINT,
  instance,
  materializeInto,
  probabilityOf,
  SCOPE,
  type StateFolder,
  stateFolder,
  UNTIL,
} from "../../../test/fixtures/served-endpoint.ts";
import { openLmdb } from "../../adapters/online/lmdb.ts";
import type { OrreryError } from "../../core/errors.ts";
import { createMetrics, createTracer, findTrace, type Metrics, type Tracer } from "../../core/observability/index.ts";
import { type Clock, type OnlineStore, systemClock, VirtualClock } from "../../core/ports/index.ts";
import { createEndpointRuntime, type EndpointRuntime, type PredictionRecord } from "../../core/serving/index.ts";
import { HOUR } from "../../core/time.ts";
import { createInferenceApp } from "./app.ts";

let folder: StateFolder;
let online: OnlineStore;
let tracer: Tracer;
let records: PredictionRecord[];
let metrics: Metrics;
let failures: OrreryError[];
beforeAll(async () => {
  folder = stateFolder();
  online = openLmdb(folder.online);
  await materializeInto(online);
  deploy(folder, 1, [champion(7, -1)]);
  tracer = await createTracer({ directory: `${folder.directory}/traces`, ratio: 0 });
});
afterAll(async () => {
  await tracer.close();
  await online.close();
  folder.remove();
});

async function appOf(changes: { clock?: Clock; token?: string; runtime?: Partial<EndpointRuntime>; deployed?: boolean } = {}) {
  const { clock = systemClock, token = null, deployed = true } = changes;
  const own: PredictionRecord[] = [];
  records = own;
  failures = [];
  metrics = createMetrics();
  const runtime = createEndpointRuntime({
    endpoint: ENDPOINT,
    directory: folder.deployment,
    online,
    scope: SCOPE,
    clock,
    log: {
      append: (record) => void own.push(record as PredictionRecord),
      flushed: async () => undefined,
      close: async () => undefined,
    },
  });
  if (deployed) await runtime.follow();
  return createInferenceApp({
    endpoint: ENDPOINT,
    runtime: { ...runtime, revision: runtime.revision, problem: runtime.problem, ...changes.runtime },
    clock,
    metrics,
    tracer,
    token,
    metricsText: () => metrics.registry.metrics(),
    logState: () => ({ lost: 0, degraded: null }),
    onFailure: (error) => failures.push(error),
  });
}

const PREDICT = `/v1/endpoints/${ENDPOINT}/predict`;
const post = (app: FastifyInstance, payload: unknown, headers: Record<string, string> = {}) =>
  app.inject({ method: "POST", url: PREDICT, payload: payload as object, headers });

describe("POST predict", () => {
  it("answers each instance with id, probability, decision and who decided", async () => {
    const answer = await post(await appOf(), { instances: [instance("UA", 3), instance("ZZ", 20)] });
    expect(answer.statusCode).toBe(200);
    const { predictions } = answer.json();
    expect(predictions).toEqual([
      {
        id: expect.stringMatching(/^pred-/),
        probability: expect.closeTo(probabilityOf(-1, 0.25, 3), 12),
        decision: false,
        modelVersion: 7,
        alias: "champion",
        missing: [],
      },
      expect.objectContaining({
        probability: expect.closeTo(probabilityOf(-1, 0, 20), 12),
        decision: true,
        missing: ["carrier_recent"],
      }),
    ]);
    await expect.poll(() => records.map(({ id }) => id)).toEqual(predictions.map(({ id }: { id: string }) => id));
  });

  it("says which field of which instance is wrong", async () => {
    const answer = await post(await appOf(), { instances: [instance("UA", 3), { ...instance("UA", 3), carrier: 7 }] });
    expect(answer.statusCode).toBe(422);
    expect(answer.json()).toMatchObject({
      code: "SERVING_REQUEST_INVALID",
      details: { issues: [{ path: ["instances", 1, "carrier"], message: expect.stringContaining("string") }] },
    });
    expect(records).toEqual([]);
  });

  const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
  it.each([
    ["no body", { payload: "" }, 400],
    ["malformed JSON", { payload: '{"instances":[' }, 400],
    ["a body that is no object", { payload: "7" }, 422],
    ["no instances", { payload: "{}" }, 422],
    ["instances that are no list", { payload: '{"instances":{}}' }, 422],
    ["an empty list", { payload: '{"instances":[]}' }, 422],
    ["too many instances", { payload: JSON.stringify({ instances: Array(1_001).fill({}) }) }, 422],
    ["an instance that is no object", { payload: '{"instances":[null]}' }, 422],
    ["an instance that is a list", { payload: '{"instances":[[]]}' }, 422],
    ["an empty instance", { payload: '{"instances":[{}]}' }, 422],
    ["JSON nested a hundred thousand deep", { payload: `{"instances":${deep}}` }, 422],
    ["a field nested a hundred thousand deep", { payload: `{"instances":[{"carrier":${deep},"scheduled":null}]}` }, 422],
    [
      "a reference nested a hundred thousand deep",
      { payload: `{"instances":[{"carrier":"UA","scheduled":null,"reference":${deep}}]}` },
      422,
    ],
    ["a poisoned prototype", { payload: '{"instances":[{"__proto__":{"carrier":"UA"}}]}' }, 400],
    ["a body of more than 4 MiB", { payload: JSON.stringify({ instances: ["x".repeat(5_000_000)] }) }, 413],
    ["another content type", { payload: "carrier=UA", type: "application/x-www-form-urlencoded" }, 415],
    ["no content type", { payload: "{}", type: "" }, 415],
  ])("refuses %s with a code and a hint, and counts it", async (_, { payload, ...more }, status) => {
    const type = "type" in more ? more.type : "application/json";
    const app = await appOf();
    const answer = await app.inject({
      method: "POST",
      url: PREDICT,
      payload,
      headers: type === "" ? {} : { "content-type": type },
    });
    const { code, hint, message } = answer.json();
    expect([answer.statusCode, code]).toEqual([status, status === 422 ? "SERVING_REQUEST_INVALID" : "SERVING_BODY_REFUSED"]);
    expect(hint.length * message.length).toBeGreaterThan(0);
    expect(answer.body).not.toMatch(/at .*\.ts:/);
    expect(await metrics.failures.get()).toMatchObject({ values: [{ labels: { code, endpoint: ENDPOINT }, value: 1 }] });
    expect(failures).toEqual([]);
  });

  it("of another endpoint, and other routes, are not found", async () => {
    const app = await appOf();
    const codeOf = async (request: InjectOptions) => {
      const answer = await app.inject(request);
      return [answer.statusCode, answer.json().code];
    };
    const payload = { instances: [instance("UA", 3)] };
    expect(await codeOf({ method: "POST", url: "/v1/endpoints/other/predict", payload })).toEqual([
      404,
      "SERVING_ENDPOINT_UNKNOWN",
    ]);
    expect(await codeOf({ method: "GET", url: PREDICT })).toEqual([404, "SERVING_ROUTE_UNKNOWN"]);
    expect(await codeOf({ method: "GET", url: "/v1/endpoints/%ff" })).toEqual([400, "SERVING_BODY_REFUSED"]);
  });

  it("that fails for a reason of ours is told to the log in full, and to the caller in one line", async () => {
    const predict = async () => {
      throw new Error("the disk\nis gone");
    };
    const answer = await post(await appOf({ runtime: { predict } }), { instances: [{}] });
    expect([answer.statusCode, answer.json().code, answer.json().message]).toEqual([500, "INTERNAL", "the disk"]);
    expect(failures.map(({ cause }) => cause)).toEqual([expect.objectContaining({ message: "the disk\nis gone" })]);
  });
});

describe("a replay's time", () => {
  const at = (time: string) => ({ "orrery-virtual-time": time });

  it("comes from the header where the clock is virtual, and stays until the next one", async () => {
    const app = await appOf({ clock: new VirtualClock(0) });
    await post(app, { instances: [instance("UA", 3)] }, at("2013-07-01T13:00:00Z"));
    await post(app, { instances: [instance("UA", 3)] });
    await expect.poll(() => records.map((record) => record.at)).toEqual([UNTIL + HOUR, UNTIL + HOUR]);
  });

  it("is ignored where it is not", async () => {
    const app = await appOf();
    expect((await post(app, { instances: [instance("UA", 3)] }, at("2013-07-01T13:00:00Z"))).statusCode).toBe(200);
    await expect.poll(() => records.length).toBe(1);
    expect(Math.abs(records[0].at - systemClock.now())).toBeLessThan(HOUR);
  });

  it("has to be a timestamp", async () => {
    const app = await appOf({ clock: new VirtualClock(0) });
    const answer = await post(app, { instances: [instance("UA", 3)] }, at("soon"));
    expect([answer.statusCode, answer.json().details.issues[0].path]).toEqual([422, ["headers", "orrery-virtual-time"]]);
  });
});

describe("health and readiness", () => {
  it("tell alive from ready, and why it is not ready", async () => {
    const app = await appOf({ deployed: false });
    expect((await app.inject("/healthz")).json()).toMatchObject({ ok: true, revision: null, predictionLog: { lost: 0 } });
    const ready = await app.inject("/readyz");
    expect([ready.statusCode, ready.json().code]).toEqual([503, "SERVING_NOT_DEPLOYED"]);
    expect(ready.json().message).toContain("Nothing is deployed");
    expect((await post(app, { instances: [instance("UA", 3)] })).statusCode).toBe(503);
  });

  it("name the revision, and what a request takes", async () => {
    const app = await appOf();
    expect((await app.inject("/readyz")).json()).toEqual({ ready: true, endpoint: ENDPOINT, revision: 1, problem: null });
    expect((await app.inject(`/v1/endpoints/${ENDPOINT}`)).json()).toEqual({
      endpoint: ENDPOINT,
      revision: 1,
      routes: [{ alias: "champion", version: 7, share: 1 }],
      keys: { carrier: "string" },
      request: { scheduled: "timestamp" },
    });
  });
});

describe("access", () => {
  it("needs the token where there is one, for all but health checks", async () => {
    const app = await appOf({ token: "open sesame" });
    const body = { instances: [instance("UA", 3)] };
    for (const authorization of [undefined, "Bearer", "Bearer wrong", "Bearer open sesame!", "Basic open sesame"]) {
      const answer = await post(app, body, authorization === undefined ? {} : { authorization });
      expect([answer.statusCode, answer.json().code]).toEqual([401, "SERVING_TOKEN_REQUIRED"]);
      expect(answer.body).not.toContain("sesame");
    }
    expect((await post(app, body, { authorization: "Bearer open sesame", host: "models.example" })).statusCode).toBe(200);
    expect((await app.inject("/metrics")).statusCode).toBe(401);
    expect((await app.inject("/healthz")).statusCode).toBe(200);
  });

  it("without a token is only by loopback names, so that no page reaches it through a name of its own", async () => {
    const app = await appOf();
    const body = { instances: [instance("UA", 3)] };
    for (const host of ["127.0.0.1:4101", "localhost", "[::1]:4101"])
      expect((await post(app, body, { host })).statusCode).toBe(200);
    for (const headers of [
      { host: "evil.example" },
      { host: "127.0.0.1.evil.example" },
      { host: "localhost", origin: "https://evil.example" },
    ]) {
      const answer = await post(app, body, headers);
      expect([answer.statusCode, answer.json().code]).toEqual([403, "SERVING_HOST_REFUSED"]);
    }
  });
});

describe("what is measured", () => {
  it("are requests, stages by version, predictions, unknown entities", async () => {
    const app = await appOf();
    await post(app, { instances: [instance("UA", 3), instance("ZZ", 3)] });
    await expect.poll(() => records.length).toBe(2);
    const text = (await app.inject("/metrics")).body;
    for (const line of [
      'orrery_inference_request_duration_seconds_count{endpoint="late",status="200"} 1',
      'orrery_predictions_total{endpoint="late",version="7",alias="champion"} 2',
      'orrery_predictions_unknown_entity_total{endpoint="late",view="carrier_recent"} 1',
      ...["validate", "read", "predict", "respond", "log"].map(
        (stage) => `orrery_inference_stage_duration_seconds_count{endpoint="late",version="7",stage="${stage}"} 1`,
      ),
    ]) {
      expect(text).toContain(line);
    }
  });

  it("is traced from the request to the log under the caller's trace, which the log names", async () => {
    const traceId = "0af7651916cd43dd8448eb211c80319c";
    const app = await appOf();
    await post(app, { instances: [instance("UA", 3)] }, { traceparent: `00-${traceId}-b7ad6b7169203331-01` });
    await expect.poll(() => records.map((record) => record.traceId)).toEqual([traceId]);
    await new Promise((resolve) => setTimeout(resolve, 10));
    await tracer.flush();
    const [root, ...stages] = await findTrace(`${folder.directory}/traces`, traceId);
    expect(root).toMatchObject({
      name: "predict",
      parentSpanId: "b7ad6b7169203331",
      attributes: { "orrery.instances": 1, "http.response.status_code": 200 },
      error: null,
    });
    expect(stages.map(({ name }) => name)).toEqual(["validate", "feature-read", "model", "respond", "log"]);
    expect(stages.every(({ parentSpanId }) => parentSpanId === root.spanId)).toBe(true);
  });
});
