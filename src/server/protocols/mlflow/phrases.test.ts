import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { serveTracking, type TrackingServer } from "../../tracking-server.ts";

const folder = mkdtempSync(join(tmpdir(), "orrery-mlflow-phrases-"));
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

// biome-ignore lint/suspicious/noExplicitAny: answers of many shapes, each looked at by a test
async function answerTo(request: Promise<Response>): Promise<any> {
  return (await request).json();
}
const address = (path: string) => `${server.url}/api/2.0/mlflow${path}`;
const get = (path: string, query: Record<string, string>) => answerTo(fetch(`${address(path)}?${new URLSearchParams(query)}`));
const post = (path: string, body: object) =>
  answerTo(fetch(address(path), { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) }));
const newRun = async (fields: object = {}): Promise<string> =>
  (await post("/runs/create", { experiment_id: "0", ...fields })).run.info.run_id;

describe("MLflow's words, for programs that look for them", () => {
  it.each([
    ["metrics.a >", "Invalid clause(s) in filter string: column 12: "],
    ["foo.bar = 'a'", "Invalid entity type: column 1: "],
    ["attribute.lifecycle_stage = 'a'", "Invalid attribute key 'attribute.lifecycle_stage' specified: column 1: "],
    ["params.a > '1'", "Invalid comparator: column 10: "],
    ["params.a = something", "unidentified quote types used for string value something: column 12: "],
    ["params.a = true", "Invalid clause(s) in filter string: column 12: "],
    ["run_id IN ()", "expected a non-empty list of string values, but got empty list: column 12: "],
    ["run_id IN ('a',,'b')", "expected a non-empty list of string values, but got ill-formed list: column 16: "],
    ["run_id IN (1)", "but got different type in list: column 12: "],
  ])("of the filter %s", async (filter, phrase) => {
    const { error_code, message } = await post("/runs/search", { experiment_ids: ["0"], filter });
    expect(error_code).toBe("INVALID_PARAMETER_VALUE");
    expect(message).toContain(phrase);
  });

  it.each([
    ["metrics.a DESC blah", "Invalid order_by clause 'metrics.a DESC blah': "],
    ["nothing DESC", "Invalid attribute key 'nothing DESC' specified: "],
  ])("of the order %s", async (order, phrase) => {
    const { message } = await post("/runs/search", { experiment_ids: ["0"], order_by: [order] });
    expect(message).toContain(phrase);
  });

  it("of cursors: one that is none, and one of another search", async () => {
    await Promise.all([newRun(), newRun()]);
    const search = (fields: object) => post("/runs/search", { experiment_ids: ["0"], max_results: 1, ...fields });
    const { next_page_token: page_token } = await search({});
    expect((await search({ page_token: "evil" })).message).toMatch(/^Invalid page token, could not base64-decode: /);
    for (const [fields, phrase] of [
      [{ experiment_ids: ["0", "1"] }, "Experiment IDs in the page token do not match"],
      [{ order_by: ["end_time"] }, "Order by in the page token does not match"],
      [{ filter: "metrics.a > 1" }, "Filter string in the page token does not match"],
      [{ run_view_type: "ALL" }, "Invalid page token: "],
    ] as const)
      expect((await search({ page_token, ...fields })).message).toContain(phrase);
  });

  it("of a run's life and values", async () => {
    const id = await newRun({ run_name: "first" });
    const log = (path: string, fields: object) => post(`/runs/${path}`, { run_id: id, ...fields });
    await log("log-parameter", { key: "a", value: "1" });
    expect((await log("log-parameter", { key: "a", value: "2" })).message).toMatch(/^Changing param values is not allowed\. /);
    const twice = await log("log-batch", { params: [1, 2].map((value) => ({ key: "b", value: String(value) })) });
    expect(twice.message).toMatch(/^Duplicate parameter keys have been submitted: /);
    const dataset = (name: string, key: string) => ({
      tags: [{ key, value: "v" }],
      dataset: { name, digest: "d", source_type: "local", source: "s" },
    });
    expect((await log("log-inputs", { datasets: [dataset("n".repeat(501), "k")] })).message).toMatch(
      /^'name' exceeds the maximum length of 500 characters: /,
    );
    expect((await log("log-inputs", { datasets: [dataset("n", "k".repeat(256))] })).message).toMatch(
      /^'key' exceeds the maximum length of 255 characters: /,
    );
    await log("delete", {});
    expect((await log("set-tag", { key: "a", value: "b" })).message).toContain(`The run ${id} must be in the 'active' state.`);
    const named = await post("/runs/create", {
      experiment_id: "0",
      run_name: "one",
      tags: [{ key: "mlflow.runName", value: "two" }],
    });
    expect(named.message).toBe(
      "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values (run_name='one', mlflow.runName='two').",
    );
  });

  it("of the registry", async () => {
    await post("/registered-models/create", { name: "words" });
    const long = await post("/registered-models/set-tag", { name: "words", key: "k", value: "v".repeat(100_001) });
    expect(long.message).toMatch(/^'value' exceeds the maximum length of 100000 characters: /);
    const version = (source: string) => post("/model-versions/create", { name: "words", source });
    expect((await version("mlflow-artifacts:/a/../../b")).message).toContain("If supplying a source as an http, https,");
    expect((await version("file:///etc/passwd")).message).toMatch(/^Invalid model version source: /);
    await version("mlflow-artifacts:/a");
    const archived = await post("/model-versions/transition-stage", {
      name: "words",
      version: "1",
      stage: "Archived",
      archive_existing_versions: true,
    });
    expect(archived.message).toContain("cannot archive existing model versions because 'Archived' is not an Active stage");
  });
});

describe("what MLflow's clients compare", () => {
  it("a run that began at 0 began then, one that began at no time begins now", async () => {
    const began = async (fields: object) => (await get("/runs/get", { run_id: await newRun(fields) })).run.info.start_time;
    expect(await began({ start_time: 0 })).toBe(0);
    expect(await began({})).toBeGreaterThan(1_700_000_000_000);
  });

  it("the list of versions of a logged model has the spaces that Python puts", async () => {
    await post("/registered-models/create", { name: 'a "b", c' });
    const { model_id, artifact_uri } = (await post("/logged-models", { experiment_id: "0" })).model.info;
    for (const _ of [1, 2]) await post("/model-versions/create", { name: 'a "b", c', source: artifact_uri, model_id });
    const { tags } = (await get(`/logged-models/${model_id}`, {})).model.info;
    const name = '"name": "a \\"b\\", c"';
    const value = `[{${name}, "version": 1}, {${name}, "version": 2}]`;
    expect(tags).toContainEqual({ key: "mlflow.modelVersions", value });
  });

  it("logged models are ordered by a metric on the data sets of a digest", async () => {
    const { experiment_id } = await post("/experiments/create", { name: "digests" });
    const run_id = await newRun({ experiment_id });
    const models: string[] = [];
    for (const [on, off] of [
      [0.1, 0.9],
      [0.5, 0.5],
    ]) {
      const { model_id } = (await post("/logged-models", { experiment_id, source_run_id: run_id })).model.info;
      models.push(model_id);
      const metric = (dataset_digest: string, value: number | undefined) => ({
        key: "auc",
        value,
        timestamp: 1,
        step: 0,
        model_id,
        dataset_name: "data",
        dataset_digest,
      });
      await post("/runs/log-batch", { run_id, metrics: [metric("on", on), metric("off", off)] });
    }
    const ordered = async (dataset_digest: string) => {
      const order_by = [{ field_name: "metrics.auc", ascending: true, dataset_digest }];
      const found = await post("/logged-models/search", { experiment_ids: [experiment_id], order_by });
      return found.models.map((model: { readonly info: { readonly model_id: string } }) => model.info.model_id);
    };
    expect(await ordered("on")).toEqual(models);
    expect(await ordered("off")).toEqual(models.toReversed());
  });
});
