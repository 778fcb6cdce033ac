import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bearer } from "../test-support/guarded-app.ts";
import { type ListeningServer, listeningServer } from "../test-support/tracking-app.ts";

const ADMINISTRATOR = "an-administrators-token";
const API = "/api/v1/default/default";

interface Entry {
  readonly actor: string;
  readonly action: string;
  readonly target: string;
  readonly project: string;
  readonly details: Readonly<Record<string, unknown>>;
}

let server: ListeningServer;
let anna: Record<string, string>;
beforeAll(async () => {
  server = await listeningServer({ access: { host: "127.0.0.1", token: ADMINISTRATOR } });
  await server.ask("POST", `${API}/users`, { name: "anna", role: "admin" }, bearer(ADMINISTRATOR));
  const made = await server.ask("POST", `${API}/tokens`, { user: "anna" }, bearer(ADMINISTRATOR));
  anna = bearer(made.body.secret);
});
afterAll(() => server.close());

const mlflow = async (method: string, path: string, body: unknown, project = "") => {
  const answer = await server.ask(method, `${project}/api/2.0/mlflow${path}`, body, anna);
  expect([path, answer.status, answer.body]).toEqual([path, 200, answer.body]);
  return answer.body;
};
async function trail(): Promise<readonly Entry[]> {
  const { body } = await server.ask("GET", `${API}/audit?limit=1000`, undefined, anna);
  return body.items.reverse();
}
/** What the trail has gained by this work, oldest first. */
async function gained(work: () => Promise<unknown>): Promise<readonly Entry[]> {
  const before = (await trail()).length;
  await work();
  return (await trail()).slice(before);
}
const inShort = (entries: readonly Entry[]) => entries.map(({ actor, action, target }) => [actor, action, target]);

describe("the trail of changes", () => {
  it("has who made, deleted and restored experiments and runs, in the project it was", async () => {
    let experiment = "";
    let run = "";
    const entries = await gained(async () => {
      experiment = (await mlflow("POST", "/experiments/create", { name: "churn" }, "/projects/other")).experiment_id;
      run = (await mlflow("POST", "/runs/create", { experiment_id: experiment }, "/projects/other")).run.info.run_id;
      await mlflow("POST", "/runs/delete", { run_id: run }, "/projects/other");
      await mlflow("POST", "/runs/restore", { run_id: run }, "/projects/other");
      await mlflow("POST", "/experiments/delete", { experiment_id: experiment }, "/projects/other");
    });
    expect(inShort(entries)).toEqual([
      ["user:anna", "mlflow.experiments.create", "churn"],
      ["user:anna", "mlflow.runs.delete", run],
      ["user:anna", "mlflow.runs.restore", run],
      ["user:anna", "mlflow.experiments.delete", experiment],
    ]);
    expect(entries.map(({ project }) => project)).toEqual(Array(4).fill("other"));
  });

  it("has every change of a registered model, once", async () => {
    const entries = await gained(async () => {
      await mlflow("POST", "/registered-models/create", { name: "late" });
      await mlflow("POST", "/model-versions/create", { name: "late", source: "s3://bucket/model" });
      await mlflow("POST", "/registered-models/alias", { name: "late", alias: "champion", version: "1" });
      await mlflow("POST", "/model-versions/transition-stage", {
        name: "late",
        version: "1",
        stage: "Staging",
        archive_existing_versions: false,
      });
      await mlflow("DELETE", "/registered-models/alias", { name: "late", alias: "champion" });
      await mlflow("POST", "/registered-models/set-tag", { name: "late", key: "owner", value: "anna" });
      await mlflow("POST", "/registered-models/rename", { name: "late", new_name: "later" });
      await mlflow("DELETE", "/registered-models/delete", { name: "later" });
    });
    expect(inShort(entries)).toEqual([
      ["user:anna", "mlflow.registered-models.create", "late"],
      ["user:anna", "mlflow.model-versions.create", "late"],
      ["user:anna", "mlflow.registered-models.alias", "late@1"],
      ["user:anna", "models.setStage", "late@1"],
      ["user:anna", "mlflow.registered-models.alias.delete", "late"],
      ["user:anna", "mlflow.registered-models.set-tag", "late"],
      ["user:anna", "mlflow.registered-models.rename", "late"],
      ["user:anna", "mlflow.registered-models.delete", "later"],
    ]);
    expect(entries[2]?.details).toMatchObject({
      name: "late",
      alias: "champion",
      traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    expect(entries[6]?.details).toMatchObject({ new_name: "later" });
  });

  it("has changes over the API as well, with the token and the trace that they came with", async () => {
    const trace = "0af7651916cd43dd8448eb211c80319c";
    const entries = await gained(async () => {
      await server.ask("POST", `${API}/models`, { name: "by-api" }, { ...anna, traceparent: `00-${trace}-b7ad6b7169203331-01` });
      await server.ask("DELETE", `${API}/models/by-api`, undefined, anna);
    });
    expect(inShort(entries)).toEqual([
      ["user:anna", "models.create", "by-api"],
      ["user:anna", "models.delete", "by-api"],
    ]);
    expect(entries[0]?.details).toMatchObject({ traceId: trace, token: expect.stringMatching(/^token-/) });
  });

  it("has no row for what is logged into a run, looked at or refused: runs carry who started them", async () => {
    const entries = await gained(async () => {
      const { run } = await mlflow("POST", "/runs/create", { experiment_id: "0" });
      const { run_id } = run.info;
      await mlflow("POST", "/runs/log-metric", { run_id, key: "m", value: 1, timestamp: 1 });
      await mlflow("POST", "/runs/log-batch", { run_id, metrics: [{ key: "m", value: 2, timestamp: 2 }] });
      await mlflow("POST", "/runs/set-tag", { run_id, key: "a", value: "b" });
      await mlflow("POST", "/runs/search", { experiment_ids: ["0"] });
      await mlflow("POST", "/runs/update", { run_id, status: "FINISHED" });
      const file = await fetch(`${server.url}/api/2.0/mlflow-artifacts/artifacts/0/${run_id}/artifacts/a.txt`, {
        method: "PUT",
        body: "x",
        headers: anna,
      });
      expect(file.status).toBe(200);
      const log = await server.ask("POST", `${API}/runs/${run_id}/log`, { params: [{ key: "p", value: "1" }] }, anna);
      expect(log.status).toBe(200);
      await server.ask("POST", `${API}/runs`, {}, anna);
      await server.ask("POST", "/api/2.0/mlflow/runs/delete", { run_id: "run-none" }, anna);
      await server.ask("POST", "/api/2.0/mlflow/runs/delete", { run_id }, bearer("wrong"));
    });
    expect(inShort(entries)).toEqual([]);
  });

  it("has who deleted files", async () => {
    const path = "/api/2.0/mlflow-artifacts/artifacts/gone.txt";
    await fetch(`${server.url}${path}`, { method: "PUT", body: "x", headers: anna });
    const entries = await gained(() => fetch(`${server.url}${path}`, { method: "DELETE", headers: anna }));
    expect(inShort(entries)).toEqual([["user:anna", "mlflow-artifacts.artifacts.delete", "gone.txt"]]);
  });

  it("is written before the answer: whoever was told that it is done finds it there", async () => {
    const names = Array.from({ length: 40 }, (_, i) => `at-once-${i}`);
    const entries = await gained(() => Promise.all(names.map((name) => mlflow("POST", "/registered-models/create", { name }))));
    expect(new Set(entries.map(({ target }) => target))).toEqual(new Set(names));
  });

  it("is for administrators", async () => {
    await server.ask("POST", `${API}/users`, { name: "ben", role: "operator" }, anna);
    const { secret } = (await server.ask("POST", `${API}/tokens`, { user: "ben" }, anna)).body;
    expect((await server.ask("GET", `${API}/audit`, undefined, bearer(secret))).status).toBe(403);
  });
});
