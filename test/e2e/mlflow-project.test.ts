import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createClient } from "../../src/client/index.ts";
import { findPostgres, testSchema } from "../fixtures/postgres.ts";
import { orrery, type Up, up } from "./orrery-process.ts";

/** Inside the repository, so that `orrery` resolves to it as it does for anybody who installed it. */
const TEMPORARY = join(import.meta.dirname, "../../.orrery");
const { url: postgres, reason } = await findPostgres();

/** What of MLflow's answers is looked at. */
interface Answer {
  readonly experiments?: readonly { readonly name: string; readonly experiment_id: string }[];
  readonly runs?: readonly { readonly data: { readonly metrics?: readonly object[] } }[];
  readonly model_version?: { readonly version: string };
}

for (const database of ["sqlite", "postgres"] as const) {
  const missing = database === "postgres" && postgres === null;
  describe.skipIf(missing)(`a project of orrery up on ${database}${missing ? ` (${reason})` : ""}`, { timeout: 180_000 }, () => {
    const schema = database === "postgres" && postgres !== null ? testSchema(postgres) : null;
    const environment: Record<string, string> = schema === null ? {} : { ORRERY_DATABASE_URL: schema.url };
    let root: string;
    let project: string;
    let running: Up;

    // biome-ignore lint/suspicious/noExplicitAny: answers of many shapes, each looked at by a test
    const call = async (method: string, path: string, body?: object): Promise<{ status: number; body: any }> => {
      const query = method === "GET" && body !== undefined ? `?${new URLSearchParams({ ...body })}` : "";
      const answer = await fetch(`${running.url}/api/2.0/mlflow${path}${query}`, {
        method,
        ...(method === "GET" || body === undefined
          ? {}
          : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
      });
      return { status: answer.status, body: (await answer.json()) as Answer };
    };
    const experiment = async () => {
      const { body } = await call("POST", "/experiments/search", { max_results: 10 });
      const all: readonly { readonly name: string; readonly experiment_id: string }[] = body.experiments;
      const own = all.find(({ name }) => name !== "Default");
      if (own === undefined) throw new Error("the project has no experiment");
      return own;
    };
    const client = () => createClient({ baseUrl: running.url, workspace: "default", project: "churn" });
    const routes = async () =>
      (await client().endpoints.list()).items[0]?.routes.map(({ alias, version }) => `${alias} ${version}`);

    beforeAll(async () => {
      mkdirSync(TEMPORARY, { recursive: true });
      root = mkdtempSync(join(TEMPORARY, "test-mlflow-"));
      project = join(root, "churn");
      expect((await orrery(["init", project])).code).toBe(0);
      running = await up(project, schema === null ? [] : ["--database", schema.url]);
      expect(await orrery(["-p", project, "train", "churn"])).toMatchObject({ code: 0 });
    });
    afterAll(async () => {
      await running?.stop();
      await schema?.drop();
      rmSync(root, { recursive: true, force: true });
    });

    it("shows its runs and versions to MLflow's clients", async () => {
      const found = await call("POST", "/runs/search", {
        experiment_ids: [(await experiment())?.experiment_id],
        max_results: 10,
      });
      expect(found.body.runs.length).toBeGreaterThan(0);
      expect(found.body.runs).toContainEqual(
        expect.objectContaining({ data: expect.objectContaining({ metrics: expect.anything(), params: expect.anything() }) }),
      );
      const champion = await call("GET", "/registered-models/alias", { name: "churn", alias: "champion" });
      expect(champion.body.model_version).toMatchObject({ name: "churn", version: "1", status: "READY" });
      expect(await routes()).toEqual(["champion 1"]);
    });

    it("has a folder for each version that MLflow's clients load, and exports it", async () => {
      const { body } = await call("GET", "/model-versions/get-download-uri", { name: "churn", version: "1" });
      const path = String(body.artifact_uri).replace("mlflow-artifacts:/", "");
      const answer = await fetch(`${running.url}/api/2.0/mlflow-artifacts/artifacts?${new URLSearchParams({ path })}`);
      const { files } = (await answer.json()) as { files: readonly { path: string }[] };
      const names = ["MLmodel", "conda.yaml", "model.onnx", "python_env.yaml", "requirements.txt"];
      expect(files.map((file) => file.path.split("/").at(-1))).toEqual(names);
      const to = join(root, `export-${database}`);
      const exported = await orrery(
        ["-p", project, "models", "export", "churn@1", "--format", "mlflow", "--to", to],
        environment,
      );
      expect(exported).toMatchObject({ code: 0, err: "" });
      expect(readdirSync(to).sort()).toEqual(names);
      expect(readFileSync(join(to, "MLmodel"), "utf8")).toContain("loader_module: mlflow.onnx");
      expect((await orrery(["-p", project, "models", "export", "churn@1", "--format", "pmml", "--to", to])).err).toContain(
        "CLI_ARGUMENT_MISSING",
      );
    });

    it("deploys what an MLflow client points an endpoint's alias at, and refuses what the endpoint cannot answer with", async () => {
      const foreign = await call("POST", "/model-versions/create", { name: "churn", source: "s3://bucket/model" });
      const version = foreign.body.model_version?.version ?? "";
      expect(version).toBe("2");
      const alias = (name: string, to: string) =>
        call("POST", "/registered-models/alias", { name: "churn", alias: name, version: to });
      expect(await alias("champion", version)).toMatchObject({
        status: 400,
        body: { error_code: "INVALID_STATE", code: "PROJECT_VERSION_NOT_PACKAGED" },
      });
      expect(await routes()).toEqual(["champion 1"]);
      // One that answers nothing may point anywhere.
      expect(await alias("experimental", version)).toEqual({ status: 200, body: {} });
      expect(await alias("champion", "1")).toEqual({ status: 200, body: {} });
      const { items } = await client().models.history({ name: "churn" });
      expect(items[0]).toMatchObject({ alias: "champion", toVersion: 1, actor: expect.stringContaining("anonymous") });
      expect(await routes()).toEqual(["champion 1"]);
    });

    it("tracks other projects beside its own", async () => {
      const answer = await fetch(`${running.url}/projects/beside/api/2.0/mlflow/experiments/get?experiment_id=0`);
      expect(await answer.json()).toMatchObject({ experiment: { name: "Default" } });
    });

    // With SQLite the state folder has one owner anyway.
    if (schema !== null)
      it("is run by one process of those that share the database", async () => {
        const refused = await orrery(["-p", project, "--state", join(root, "other-state"), "check"], environment);
        expect(refused.code).toBe(0);
        await expect(up(project, ["--state", join(root, "other-state"), "--database", schema.url])).rejects.toThrow(
          "STATE_CLAIMED",
        );
      });
  });
}
