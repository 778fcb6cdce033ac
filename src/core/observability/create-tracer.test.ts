import { once } from "node:events";
import { appendFileSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { createTracer, type RequestTrace, type TracerOptions } from "./create-tracer.ts";
import { findTrace } from "./span-files.ts";

const root = mkdtempSync(join(tmpdir(), "orrery-traces-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;

const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const PARENT = "b7ad6b7169203331";

/** Runs requests under a tracer of their own and gives what was kept of each. */
async function kept(
  options: Partial<TracerOptions>,
  requests: readonly { traceparent?: string; run?: (trace: RequestTrace) => void }[],
) {
  const directory = join(root, String(folders++));
  const tracer = await createTracer({ directory, ratio: 0, ...options });
  const ids = requests.map(({ traceparent, run = (trace) => trace.end({}) }) => {
    const trace = tracer.request("predict", traceparent);
    run(trace);
    return trace.traceId;
  });
  await tracer.close();
  return Promise.all(ids.map((id) => findTrace(directory, id)));
}

describe("a trace", () => {
  it("holds the request and its stages with their times, attributes and order", async () => {
    let now = 0;
    const run = (trace: RequestTrace) => {
      now = performance.now();
      trace.stage("feature-read", now + 1, now + 3, { "orrery.model.version": 2 });
      trace.stage("model", now + 3, now + 4);
      trace.end({ "http.response.status_code": 200 }, null, now + 5);
    };
    const [[request, read, model]] = await kept({ ratio: 1 }, [{ run }]);
    expect(request).toMatchObject({
      name: "predict",
      parentSpanId: null,
      error: null,
      attributes: { "http.response.status_code": 200 },
    });
    expect(read).toMatchObject({ name: "feature-read", parentSpanId: request.spanId, attributes: { "orrery.model.version": 2 } });
    expect(model).toMatchObject({ name: "model", parentSpanId: request.spanId });
    // Spans keep the wall clock's time in floating point milliseconds: a few tenths of a microsecond are lost.
    expect(Math.abs(read.end - read.start - 2_000)).toBeLessThanOrEqual(2);
    expect(Math.abs(read.start - (performance.timeOrigin + now + 1) * 1_000)).toBeLessThanOrEqual(2);
  });

  it("continues the caller's, and does as the caller decided", async () => {
    const [sampled] = await kept({ ratio: 0 }, [{ traceparent: `00-${TRACE_ID}-${PARENT}-01` }]);
    expect(sampled).toMatchObject([{ traceId: TRACE_ID, parentSpanId: PARENT }]);
    const [not] = await kept({ ratio: 1 }, [{ traceparent: `00-${TRACE_ID}-${PARENT}-00` }]);
    expect(not).toEqual([]);
    const [later] = await kept({}, [{ traceparent: `42-${TRACE_ID}-${PARENT}-01-what-the-future-brings` }]);
    expect(later).toMatchObject([{ traceId: TRACE_ID }]);
  });

  it.each([
    "",
    "hello",
    `00-${TRACE_ID}-${PARENT}`,
    `00-${"0".repeat(32)}-${PARENT}-01`,
    `00-${TRACE_ID}-${"0".repeat(16)}-01`,
    `ff-${TRACE_ID}-${PARENT}-01`,
    `00-${TRACE_ID.toUpperCase()}-${PARENT}-01`,
    `00-${TRACE_ID}-${PARENT}-01-more`,
  ])("begins anew where the traceparent is not valid: %j", async (traceparent) => {
    const [spans] = await kept({ ratio: 1 }, [{ traceparent }]);
    expect(spans).toMatchObject([{ parentSpanId: null }]);
    expect(spans[0].traceId).not.toBe(TRACE_ID);
    expect(spans[0].traceId).toMatch(/^[0-9a-f]{32}$/);
  });

  it("is kept of about the share that was asked for", async () => {
    const requests = Array.from({ length: 1_000 }, () => ({}));
    const traces = await kept({ ratio: 0.1, slowMs: 60_000 }, requests);
    const share = traces.filter((spans) => spans.length > 0).length / 1_000;
    // Four standard deviations of a binomial share.
    expect(Math.abs(share - 0.1)).toBeLessThan(4 * Math.sqrt((0.1 * 0.9) / 1_000));
  });

  it("is kept whatever the share when the request failed or was slow, but only so many in a second", async () => {
    const now = performance.now();
    const failing = { run: (trace: RequestTrace) => trace.end({}, "INTERNAL", now) };
    const slow = { run: (trace: RequestTrace) => trace.end({}, null, now + 5_000) };
    const [failed, late, fine] = await kept({ ratio: 0 }, [failing, slow, {}]);
    expect(failed).toMatchObject([{ error: "INTERNAL", attributes: { "error.type": "INTERNAL" } }]);
    expect(late).toHaveLength(1);
    expect(fine).toEqual([]);
    const outage = await kept(
      { ratio: 0 },
      Array.from({ length: 200 }, () => failing),
    );
    expect(outage.filter((spans) => spans.length > 0)).toHaveLength(50);
  });

  it("is not found under an id that is none, in a folder that is not there, and in torn lines", async () => {
    expect(await findTrace(root, "../../etc/passwd")).toEqual([]);
    expect(await findTrace(join(root, "nowhere"), TRACE_ID)).toEqual([]);
    await kept({ ratio: 1 }, [{ traceparent: `00-${TRACE_ID}-${PARENT}-01` }]);
    const directory = join(root, String(folders - 1));
    for (const name of readdirSync(directory))
      appendFileSync(join(directory, name), `{"traceId":"${TRACE_ID}","na\n{"traceId":"${TRACE_ID}`);
    expect(await findTrace(directory, TRACE_ID)).toHaveLength(1);
  });

  it("takes no more room than it may, the oldest going first", async () => {
    const directory = join(root, String(folders++));
    const tracer = await createTracer({ directory, ratio: 1, maxBytes: 80_000 });
    let newest = "";
    for (let n = 0; n < 40; n++) {
      for (let k = 0; k < 20; k++) {
        const trace = tracer.request("predict", undefined);
        trace.end({ filling: "x".repeat(100) });
        newest = trace.traceId;
      }
      await tracer.flush();
    }
    await tracer.close();
    const sizes = readdirSync(directory).map((name) => statSync(join(directory, name)).size);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(90_000);
    expect(await findTrace(directory, newest)).toHaveLength(1);
  });

  it("goes to an OpenTelemetry collector too, as OTLP over HTTP", async () => {
    const bodies: string[] = [];
    const collector = createServer((request, answer) => {
      let body = "";
      request.on("data", (chunk) => (body += chunk));
      request.on("end", () => {
        bodies.push(body);
        answer.setHeader("content-type", "application/json").end("{}");
      });
    }).listen(0, "127.0.0.1");
    await once(collector, "listening");
    const address = collector.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const run = (trace: RequestTrace) => {
      trace.stage("model", performance.now(), performance.now());
      trace.end({ "orrery.instances": 3 }, "INTERNAL");
    };
    await kept({ otlpUrl: `http://127.0.0.1:${port}/v1/traces` }, [{ traceparent: `00-${TRACE_ID}-${PARENT}-01`, run }]);
    collector.close();
    const spans = bodies.flatMap((body) => JSON.parse(body).resourceSpans[0].scopeSpans[0].spans);
    expect(spans.map(({ name }) => name).sort()).toEqual(["model", "predict"]);
    const request = spans.find(({ name }) => name === "predict");
    expect(request).toMatchObject({ traceId: TRACE_ID, parentSpanId: PARENT, kind: 2, status: { code: 2, message: "INTERNAL" } });
    expect(request.attributes).toContainEqual({ key: "orrery.instances", value: { intValue: 3 } });
  });

  it("is lost, and nothing else, when the collector is not there", async () => {
    const [spans] = await kept({ ratio: 1, otlpUrl: "http://127.0.0.1:9/v1/traces" }, [{}]);
    expect(spans).toHaveLength(1);
  });
});
