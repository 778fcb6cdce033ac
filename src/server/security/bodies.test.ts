import { connect } from "node:net";
import { performance } from "node:perf_hooks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isNestedDeeper } from "../json-body.ts";
import { BODY_LIMITS, TIMEOUTS } from "../limits.ts";
import { type ListeningServer, listeningServer } from "../test-support/tracking-app.ts";

let server: ListeningServer;
beforeAll(async () => {
  server = await listeningServer();
});
afterAll(() => server.close());

const API = "/api/v1/default/default";
const MLFLOW = "/api/2.0/mlflow";
const nested = (levels: number) => `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`;
/** The same mistake on the API and in MLflow's protocol. */
const both = (body: string) =>
  Promise.all([server.ask("POST", `${API}/runs`, body), server.ask("POST", `${MLFLOW}/runs/create`, body)]);

describe("deeply nested JSON", () => {
  it.each([65, 1_000, 100_000])("of %i levels is refused with a code, at once", async (levels) => {
    for (const body of [nested(levels), "[".repeat(levels), `{"tags":${"[".repeat(levels)}${"]".repeat(levels)}}`]) {
      for (const answer of await both(body)) {
        expect([answer.status, answer.body.code]).toEqual([
          answer.body.error_code === undefined ? 422 : 400,
          "SERVER_JSON_TOO_DEEP",
        ]);
        expect(answer.body.message).toContain("64");
      }
    }
  });

  it("is found by its brackets outside of strings, however those are written", () => {
    expect([isNestedDeeper(nested(64)), isNestedDeeper(nested(65))]).toEqual([false, true]);
    expect(isNestedDeeper(JSON.stringify({ text: "[".repeat(1_000), 'quo"te\\': "{".repeat(1_000) }))).toBe(false);
    expect(isNestedDeeper(`{"a\\\\":${"[".repeat(70)}`)).toBe(true);
    expect(isNestedDeeper(`"never ends ${"[".repeat(1_000)}`)).toBe(false);
    expect(isNestedDeeper(Array.from({ length: 10_000 }, () => "[]").join(","))).toBe(false);
  });

  it("within a text within JSON is refused too, where old clients send that", async () => {
    const answer = await server.ask("POST", `${MLFLOW}/runs/create`, JSON.stringify(nested(70)));
    expect([answer.status, answer.body.code]).toEqual([400, "SERVER_JSON_TOO_DEEP"]);
  });
});

describe("oversized JSON", () => {
  it("is refused by its length before it is read, and by its bytes where it does not tell", async () => {
    const text = `{"name":"${"x".repeat(BODY_LIMITS.register)}"}`;
    const told = await server.ask("POST", `${MLFLOW}/registered-models/create`, text);
    expect([told.status, told.body.error_code]).toEqual([413, "INVALID_PARAMETER_VALUE"]);
    const untold = await fetch(`${server.url}${API}/models`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: new ReadableStream({
        start(controller) {
          const chunk = new TextEncoder().encode("x".repeat(64 * 1024));
          for (let sent = 0; sent <= BODY_LIMITS.register; sent += chunk.length) controller.enqueue(chunk);
          controller.close();
        },
      }),
      duplex: "half",
    } as RequestInit);
    expect([untold.status, await untold.json()]).toEqual([413, expect.objectContaining({ code: "SERVER_BODY_TOO_LARGE" })]);
  });

  it("has room for what the protocol allows: a data set's profile of 16 MB", () => {
    expect(BODY_LIMITS.track).toBeGreaterThan(17_000_000);
    expect(Math.max(...Object.values(BODY_LIMITS))).toBeLessThan(32 * 1024 * 1024);
  });
});

describe("JSON that reaches for more than data", () => {
  it.each([
    '{"name":"x","__proto__":{"admin":true}}',
    '{"name":"x","\\u005f_proto__":{"admin":true}}',
    '{"name":"x","tags":{"__proto__":{"admin":true}}}',
    '{"name":"x","constructor":{"prototype":{"admin":true}}}',
  ])("is refused: %s", async (body) => {
    for (const answer of [
      await server.ask("POST", `${API}/experiments`, body),
      await server.ask("POST", `${MLFLOW}/experiments/create`, body),
    ]) {
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.status).toBeLessThan(500);
    }
    expect(({} as Record<string, unknown>).admin).toBeUndefined();
  });

  it.each(["", "{", "nul", "'{}'", "{'a':1}", '{"a":1}}', "\u0000", '{"a":\u0001}', "NaN", "[".repeat(10)])(
    "that is no JSON is refused: %j",
    async (body) => {
      const answer = await server.ask("POST", `${API}/experiments`, body);
      expect([answer.status, answer.body.code]).toEqual([422, "SERVER_REQUEST_INVALID"]);
    },
  );

  it.each(["1e999", "-1e999", "1e308", "123456789012345678901234567890", "-9223372036854775809", "0.5", "-1"])(
    "like the number %s where a whole one belongs, is answered and not broken by",
    async (number) => {
      const created = await server.ask("POST", `${API}/runs`, {});
      const { id } = created.body;
      for (const answer of [
        await server.ask("POST", `${API}/runs/${id}/log`, `{"metrics":[{"key":"m","value":1,"step":${number}}]}`),
        await server.ask("POST", `${API}/runs/${id}/log`, `{"metrics":[{"key":"m","value":1,"at":${number}}]}`),
        await server.ask("POST", `${API}/runs`, `{"startedAt":${number}}`),
        await server.ask("POST", `${MLFLOW}/runs/log-metric`, `{"run_id":"${id}","key":"m","value":1,"timestamp":${number}}`),
        await server.ask(
          "POST",
          `${MLFLOW}/runs/log-metric`,
          `{"run_id":"${id}","key":"m","value":1,"timestamp":1,"step":${number}}`,
        ),
        await server.ask("POST", `${MLFLOW}/runs/search`, `{"experiment_ids":["0"],"max_results":${number}}`),
        await server.ask("POST", `${MLFLOW}/runs/create`, `{"experiment_id":"0","start_time":${number}}`),
      ])
        expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(500);
      expect((await server.ask("GET", `${API}/runs/${id}`)).status).toBe(200);
    },
  );
});

describe("header injection", () => {
  const CRLF = "\r\nset-cookie: a=b\r\n\r\n<script>";

  it("does not work by a path, a query, a trace or an origin that come back", async () => {
    const text = encodeURIComponent(CRLF);
    for (const path of [
      `/nothing/${text}`,
      `${API}/runs/${text}`,
      `${API}/runs?filter=${text}`,
      `${MLFLOW}/runs/get?run_id=${text}`,
    ]) {
      const answer = await server.ask("GET", path);
      expect([path, answer.headers.get("set-cookie"), answer.headers.get("content-type")]).toEqual([
        path,
        null,
        expect.stringContaining("json"),
      ]);
    }
    const traced = await server.ask("GET", `${API}/runs/x`, undefined, {
      traceparent: "00-zz\tset-cookie-01",
      origin: "http://a\tb",
    });
    expect(traced.headers.get("set-cookie")).toBeNull();
  });

  it("does not work by a second request hidden in a first one", async () => {
    const answers = await raw(
      [
        "POST /api/v1/context HTTP/1.1",
        "Host: localhost",
        "Content-Length: 3",
        "Transfer-Encoding: chunked",
        "",
        "0",
        "",
        "GET /healthz HTTP/1.1",
        "Host: localhost",
        "",
        "",
      ].join("\r\n"),
    );
    expect(answers).toMatch(/^HTTP\/1\.1 400 /);
    expect(answers).not.toContain('{"ok":true}');
  });
});

describe("slow clients", () => {
  it("that never say what they want are cut off; those who upload are given time", () => {
    const { server: http } = server.app;
    expect([http.headersTimeout, http.requestTimeout]).toEqual([TIMEOUTS.headers, TIMEOUTS.request]);
    expect(TIMEOUTS.headers).toBeLessThanOrEqual(30_000);
    // 1 GB at 3 Mbit/s.
    expect(TIMEOUTS.request).toBeGreaterThanOrEqual(45 * 60_000);
  });

  it("are cut off for real, silent or dripping", { timeout: 60_000 }, async () => {
    const began = performance.now();
    const [silent, dripping] = await Promise.all([raw(""), raw("GET /healthz HTTP/1.1\r\nHost: localhost\r\n", "x-drip: 1\r\n")]);
    const seconds = (performance.now() - began) / 1_000;
    expect(silent).toMatch(/^(HTTP\/1\.1 408 .*)?$/s);
    expect(dripping).toMatch(/^HTTP\/1\.1 408 /);
    expect(seconds).toBeLessThan((TIMEOUTS.headers + 3 * TIMEOUTS.checkedEvery) / 1_000);
  });
});

/** What the server says to these bytes until it closes the connection; `drip` is sent again every second. */
function raw(text: string, drip?: string): Promise<string> {
  const { hostname, port } = new URL(server.url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    let said = "";
    const dripping = drip === undefined ? undefined : setInterval(() => socket.write(drip), 1_000);
    socket.on("data", (chunk) => (said += chunk));
    socket.on("error", () => undefined);
    socket.on("close", () => {
      clearInterval(dripping);
      resolve(said);
    });
    socket.write(text);
  });
}
