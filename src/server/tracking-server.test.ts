import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { Agent, get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { startTrackingProcess } from "../../test/fixtures/tracking-process.ts";
import { serveTracking, type TrackingServerOptions } from "./tracking-server.ts";

const folder = mkdtempSync(join(tmpdir(), "orrery-tracking-server-"));
afterAll(() => rmSync(folder, { recursive: true }));

const options = (name: string, more: Partial<TrackingServerOptions> = {}): TrackingServerOptions => ({
  stateDirectory: join(folder, name),
  stores: { database: null, artifacts: null },
  project: "default",
  access: { host: "127.0.0.1", token: null },
  port: 0,
  logLevel: "fatal",
  ...more,
});

describe("the tracking server", () => {
  it("has the API's rooms of runs and models for every project, and says of others that it has no project", async () => {
    const server = await serveTracking(options("rooms"));
    try {
      const ask = async (path: string) => {
        const answer = await fetch(`${server.url}/api/v1/default/${path}`);
        return [answer.status, await answer.json()];
      };
      for (const room of ["experiments", "runs", "models", "audit"]) {
        expect(await ask(`default/${room}`)).toMatchObject([200, {}]);
        expect(await ask(`other/${room}`)).toMatchObject([200, {}]);
      }
      for (const room of ["loop", "endpoints", "pipelines", "system"])
        expect(await ask(`default/${room}`)).toMatchObject([404, { code: "SERVER_PROJECT_MISSING" }]);
      expect(await (await fetch(`${server.url}/openapi.json`)).json()).toMatchObject({ openapi: "3.1.0" });
    } finally {
      await server.close();
    }
  });

  it("owns its state folder, and gives it back when it cannot listen", async () => {
    const first = await serveTracking(options("owned"));
    await expect(serveTracking(options("owned"))).rejects.toMatchObject({ code: "STATE_IN_USE" });
    const port = Number(new URL(first.url).port);
    await expect(serveTracking(options("elsewhere", { port }))).rejects.toMatchObject({ code: "SERVER_PORT_IN_USE" });
    await first.close();
    await (await serveTracking(options("elsewhere"))).close();
    await (await serveTracking(options("owned"))).close();
  });

  it("refuses a project that cannot be one, and to be reached from elsewhere without a token", async () => {
    await expect(serveTracking(options("bad", { project: "../up" }))).rejects.toMatchObject({ code: "PROJECT_UNKNOWN" });
    await expect(serveTracking(options("open", { access: { host: "0.0.0.0", token: null } }))).rejects.toMatchObject({
      code: "SERVER_TOKEN_MISSING",
    });
  });

  it("ends as soon as its last answer is out, however long its clients would keep their connections", async () => {
    const server = await serveTracking(options("ends"));
    const upload = { method: "PUT", body: new Uint8Array(3_000_000) };
    const url = `${server.url}/api/2.0/mlflow-artifacts/artifacts/large.bin`;
    await fetch(url, upload);
    const agent = new Agent({ keepAlive: true });
    const ended = await new Promise<Promise<void>>((resolve, reject) => {
      get(url, { agent }, (answer) => {
        // It is told to end while it answers.
        answer.once("data", () => resolve(server.close()));
        answer.resume();
      }).on("error", reject);
    });
    const began = performance.now();
    await ended;
    agent.destroy();
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  it("starts by the command line, keeps files in another folder, ends when asked to, and finds what it had", async () => {
    const state = join(folder, "process");
    const files = join(folder, "files");
    const first = await startTrackingProcess(state, ["--artifacts", files]);
    const made = await fetch(`${first.url}/api/2.0/mlflow/experiments/create`, {
      method: "POST",
      body: '{"name":"kept"}',
      headers: { "content-type": "application/json" },
    });
    expect(made.status).toBe(200);
    await fetch(`${first.url}/api/2.0/mlflow-artifacts/artifacts/a.txt`, { method: "PUT", body: "some bytes" });
    expect(await first.stop()).toBe(0);
    expect(existsSync(join(files, "sha256"))).toBe(true);
    const second = await startTrackingProcess(state, ["--artifacts", files]);
    try {
      const found = await fetch(`${second.url}/api/2.0/mlflow/experiments/get-by-name?experiment_name=kept`);
      expect(found.status).toBe(200);
      expect(await (await fetch(`${second.url}/api/2.0/mlflow-artifacts/artifacts/a.txt`)).text()).toBe("some bytes");
    } finally {
      await second.stop();
    }
  });

  it("takes no upload that is larger than the command line allows", async () => {
    const server = await startTrackingProcess(join(folder, "limited"), ["--max-upload", "1KB"]);
    try {
      const put = (bytes: number) =>
        fetch(`${server.url}/api/2.0/mlflow-artifacts/artifacts/${bytes}.txt`, { method: "PUT", body: "x".repeat(bytes) });
      expect((await put(1_000)).status).toBe(200);
      const refused = await put(1_001);
      expect([refused.status, await refused.json()]).toMatchObject([413, { code: "TRACKING_ARTIFACT_TOO_LARGE" }]);
    } finally {
      await server.stop();
    }
  });
});
