import { mkdirSync, rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createClient } from "../../src/client/index.ts";
import { createTracker } from "../../src/client/tracking/index.ts";
import type { Experiment, RunComparison, RunSummary } from "../../src/contract/index.ts";
import { orrery, type Up, up } from "./orrery-process.ts";

/** Inside the repository, so that `orrery` resolves to it as it does for anybody who installed it. */
const TEMPORARY = join(import.meta.dirname, "../../.orrery");

/** Runs by the commands a person would type, by the client, and by plain HTTP, against one server. */
describe("runs", { timeout: 120_000 }, () => {
  let root: string;
  let project: string;
  let server: Up;
  const ids: string[] = [];
  const run = (...args: string[]) => orrery(["-p", project, ...args]);
  const json = async <T>(...args: string[]): Promise<T> => {
    const { code, out, err } = await run("--json", ...args);
    if (code !== 0) throw new Error(err);
    return JSON.parse(out) as T;
  };
  const names = async (...args: string[]) => (await json<RunSummary[]>("runs", "list", ...args)).map(({ name }) => name);
  const client = () => createClient({ baseUrl: server.url, workspace: "default", project: "churn" });
  const path = (id: string, file: string) => `/api/v1/default/churn/runs/${id}/artifacts/${file}`;
  /** fetch tidies paths before it sends them. */
  const raw = (method: string, url: string, body?: string | Buffer, headers: Record<string, string> = {}) =>
    new Promise<{ status: number; headers: Record<string, unknown>; body: Buffer }>((resolve, reject) => {
      const { hostname, port } = new URL(server.url);
      const sent = request({ hostname, port, method, path: url, headers }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on("data", (chunk: Buffer) => chunks.push(chunk));
        answer.on("end", () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks) }));
      });
      sent.on("error", reject);
      sent.end(body);
    });

  beforeAll(async () => {
    mkdirSync(TEMPORARY, { recursive: true });
    root = await mkdtemp(join(TEMPORARY, "test-runs-"));
    project = join(root, "churn");
    expect((await orrery(["init", project])).code).toBe(0);
    server = await up(project, ["--no-serve"]);
    const tracker = createTracker({ url: server.url, spool: join(root, "spool") });
    for (const [i, auc] of [0.7, 0.9, Number.NaN, 0.8].entries())
      await tracker.startRun(
        { experiment: i < 3 ? "churn" : "other one's", name: `r${i}`, params: { depth: i, kind: "trees" } },
        (each) => {
          ids.push(each.id);
          each.logMetric("auc", auc);
          if (i === 1) each.setTag("best", "yes");
        },
      );
  });
  afterAll(async () => {
    await server?.stop();
    rmSync(root, { recursive: true, force: true });
  });

  it("are searched by filter, order and experiment", async () => {
    expect(await names("--filter", "metrics.auc > 0.75", "--order-by", "metrics.auc DESC")).toEqual(["r1", "r3"]);
    expect(await names("--order-by", "metrics.auc ASC, attributes.start_time DESC")).toEqual(["r0", "r3", "r1", "r2"]);
    expect(await names("--filter", "params.depth = '0' OR tags.best IS NOT NULL")).toEqual(["r1", "r0"]);
    expect(await names("--experiment", "other one's")).toEqual(["r3"]);
    expect(await names("--experiment", "none of that name")).toEqual([]);
    expect(await names("--limit", "2")).toEqual(["r3", "r2"]);
  });

  it("point at the column where a filter is wrong", async () => {
    const wrong = await run("runs", "--filter", "metrics.auc > 'high'");
    expect(wrong.code).toBe(2);
    expect(wrong.err).toContain("TRACKING_FILTER_INVALID");
    const [filter = "", mark = ""] = wrong.err.split("\n");
    expect(filter.trim()).toBe("metrics.auc > 'high'");
    expect(filter.slice(mark.indexOf("^"), mark.indexOf("^") + mark.trim().length)).toBe("'high'");
    // Where the command itself puts something around what was typed, the mark stays where it was.
    const below = await run("runs", "--parent", ids[0] ?? "", "--filter", "metrics.auc > 'high'");
    expect(below.err.split("\n").slice(0, 2)).toEqual([filter, mark]);
  });

  it("are compared by what differs", async () => {
    const compared = await json<RunComparison>("runs", "compare", ids[0] ?? "", ids[1] ?? "", ids[2] ?? "");
    expect(compared.params.filter(({ differs }) => differs)).toEqual([{ name: "depth", values: ["0", "1", "2"], differs: true }]);
    expect(compared.metrics).toEqual([{ name: "auc", values: [0.7, 0.9, "NaN"], differs: true }]);
    const shown = await run("runs", "compare", ids[0] ?? "", ids[1] ?? "");
    expect(shown.out).toContain("depth");
    expect(shown.out).not.toContain("kind");
    expect(await run("runs", "compare", ids[0] ?? "")).toMatchObject({ code: 2 });
    expect(await run("runs", "compare", ids[0] ?? "", "run-nobody")).toMatchObject({ code: 3 });
  });

  it("are shown with what is no finite number", async () => {
    expect((await run("runs", "show", ids[2] ?? "")).out).toMatch(/auc +NaN/);
  });

  it("are deleted, listed as such, and brought back", async () => {
    const [first = ""] = ids;
    expect(await run("runs", "delete", first)).toMatchObject({ code: 0 });
    expect(await names()).not.toContain("r0");
    expect(await names("--deleted")).toEqual(["r0"]);
    await expect(client().runs.logBatch({ id: first, tags: [{ key: "a", value: "b" }] })).rejects.toMatchObject({
      body: { code: "TRACKING_RUN_DELETED" },
    });
    expect((await raw("PUT", path(first, "a.txt"), "x")).status).toBe(409);
    expect(await run("runs", "restore", first)).toMatchObject({ code: 0 });
    expect(await names()).toContain("r0");
  });

  it("go and come back with their experiment, whose name can be used again", async () => {
    expect(await run("experiments", "delete", "other one's")).toMatchObject({ code: 0 });
    expect(await names()).not.toContain("r3");
    const again = await client().experiments.create({ name: "other one's", tags: { why: "again" } });
    expect((await run("experiments", "restore", "other one's")).code).toBe(4);
    await client().experiments.update({ id: again.id, name: "renamed" });
    expect(await run("experiments", "restore", "other one's")).toMatchObject({ code: 0 });
    expect(await names()).toContain("r3");
    const all = await json<Experiment[]>("experiments");
    expect(all.map(({ name }) => name)).toEqual(expect.arrayContaining(["churn", "other one's", "renamed"]));
    expect(all.find(({ name }) => name === "renamed")?.tags).toEqual({ why: "again" });
    const found = await json<Experiment[]>("experiments", "--filter", "name LIKE 'ren%'");
    expect(found.map(({ id }) => id)).toEqual([again.id]);
    expect(await run("experiments", "delete", "never was")).toMatchObject({ code: 3 });
  });

  it("refuse what a command cannot do", async () => {
    for (const args of [
      ["runs", "dance"],
      ["runs", "toString"],
      ["runs", "delete"],
      ["experiments", "delete"],
      ["experiments", "x"],
    ])
      expect(await run(...args)).toMatchObject({ code: 2, out: "" });
  });

  it("keep tags of names with slashes, dots and spaces, and let them go again", async () => {
    const [, id = ""] = ids;
    const key = "a/b.c d:e";
    await client().runs.logBatch({
      id,
      tags: [{ key, value: "1" }],
      metrics: [{ key: "deep/er", value: "Infinity", step: 3, at: 5 }],
    });
    expect((await client().runs.get({ id })).tags[key]).toBe("1");
    expect((await client().runs.metricHistory({ id, key: "deep/er" })).items).toEqual([
      { value: "Infinity", low: null, high: null, step: 3, at: 5 },
    ]);
    await client().runs.deleteTag({ id, key });
    expect((await client().runs.get({ id })).tags).not.toHaveProperty([key]);
  });

  it("give their files as they came, whole and in ranges, and 404 at once where there is none", async () => {
    const [, id = ""] = ids;
    const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i % 251));
    const put = await raw("PUT", path(id, "model/a%20b.bin"), bytes, { "content-type": "application/x-model" });
    expect(JSON.parse(put.body.toString())).toMatchObject({
      path: "model/a b.bin",
      bytes: 300_000,
      mediaType: "application/x-model",
    });
    const whole = await raw("GET", path(id, "model/a%20b.bin"));
    expect(whole.body.equals(bytes)).toBe(true);
    expect(whole.headers).toMatchObject({ "content-type": "application/x-model", "content-length": "300000" });
    const part = await raw("GET", path(id, "model/a%20b.bin"), undefined, { range: "bytes=1000-1999" });
    expect(part.status).toBe(206);
    expect(part.body.equals(bytes.subarray(1_000, 2_000))).toBe(true);
    expect((await raw("GET", path(id, "model/a%20b.bin"), undefined, { range: "bytes=300000-" })).status).toBe(416);
    expect(await client().artifacts.list({ id })).toEqual({ items: [{ path: "model", isFolder: true, bytes: null }] });
    expect(await client().artifacts.list({ id, path: "model" })).toEqual({
      items: [{ path: "a b.bin", isFolder: false, bytes: 300_000 }],
    });
    const began = performance.now();
    expect((await raw("GET", path(id, "nothing.bin"))).status).toBe(404);
    expect((await raw("GET", path("run-nobody", "nothing.bin"))).status).toBe(404);
    expect(performance.now() - began).toBeLessThan(1_000);
    expect((await raw("GET", path(id, "x").replace("/churn/", "/another/"))).status).toBe(404);
  });

  it.each(["../x", "a/../../x", "%2e%2e/x", "%252e%252e/x", "a%5C..%5C..%5Cx", "%2Fetc%2Fpasswd", "a%00b", "a//b", "C:%5Cx"])(
    "refuse the path %s in every route of their files",
    async (file) => {
      const [, id = ""] = ids;
      const before = await client().artifacts.list({ id });
      for (const method of ["PUT", "GET"]) {
        const { status } = await raw(method, path(id, file), method === "PUT" ? "evil" : undefined);
        expect(status).toBeGreaterThanOrEqual(400);
        expect(status).toBeLessThan(500);
      }
      expect((await raw("GET", `/api/v1/default/churn/runs/${id}/artifacts?path=${file}`)).status).toBeGreaterThanOrEqual(400);
      expect(await client().artifacts.list({ id })).toEqual(before);
    },
  );

  it("give a page of HTML as an attachment that may do nothing", async () => {
    const [, id = ""] = ids;
    await raw("PUT", path(id, "page.html"), "<script>alert(1)</script>", { "content-type": "text/html" });
    const { headers } = await raw("GET", path(id, "page.html"));
    expect(headers["content-security-policy"]).toContain("sandbox");
    expect(headers["content-disposition"]).toContain("attachment");
    expect(headers["x-content-type-options"]).toBe("nosniff");
  });

  it("are in OpenAPI, files too", async () => {
    const openapi = JSON.parse((await raw("GET", "/openapi.json")).body.toString()) as {
      paths: Record<string, Record<string, unknown>>;
    };
    expect(Object.keys(openapi.paths["/api/v1/{workspace}/{project}/runs/{id}"] ?? {}).sort()).toEqual([
      "delete",
      "get",
      "patch",
    ]);
    expect(Object.keys(openapi.paths["/api/v1/{workspace}/{project}/runs/{id}/artifacts/{*}"] ?? {})).toEqual(
      expect.arrayContaining(["get", "put"]),
    );
  });
});
