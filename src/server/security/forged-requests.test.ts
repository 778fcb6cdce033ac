import { createServer, type Server } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ListeningServer, listeningServer } from "../test-support/tracking-app.ts";

/** Stands for a service inside the network that only this machine may reach; counts who comes. */
let inner: Server;
let port: number;
let visitors = 0;
let server: ListeningServer;
beforeAll(async () => {
  inner = createServer((socket) => {
    visitors += 1;
    socket.end("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecret");
  });
  port = await new Promise<number>((resolve) =>
    inner.listen(0, "127.0.0.1", () => {
      const address = inner.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    }),
  );
  server = await listeningServer();
});
afterAll(async () => {
  await server.close();
  inner.close();
});

const MLFLOW = "/api/2.0/mlflow";
const ARTIFACTS = "/api/2.0/mlflow-artifacts";
const post = (path: string, body: unknown) => server.ask("POST", `${MLFLOW}${path}`, body);

/** Addresses that lead to the inner service if anybody follows them. */
const places = () => [
  `http://127.0.0.1:${port}/`,
  `https://127.0.0.1:${port}/`,
  `HTTP://127.0.0.1:${port}/x`,
  `http://localhost:${port}/x`,
  `http://[::ffff:127.0.0.1]:${port}/x`,
  `http://2130706433:${port}/x`,
  `http://0x7f.1:${port}/x`,
  `ftp://127.0.0.1:${port}/x`,
  `sftp://127.0.0.1:${port}/x`,
  `s3://127.0.0.1:${port}/x`,
  `s3://bucket/key?endpoint=http://127.0.0.1:${port}`,
  `hdfs://127.0.0.1:${port}/x`,
  `gs://127.0.0.1:${port}/x`,
  `postgresql://127.0.0.1:${port}/x`,
  `mlflow-artifacts://127.0.0.1:${port}/x`,
  `//127.0.0.1:${port}/x`,
  `file://127.0.0.1:${port}/x`,
  `runs:/http://127.0.0.1:${port}/x`,
  `dbfs://127.0.0.1:${port}/x`,
  `gopher://127.0.0.1:${port}/_x`,
];

describe("forged requests (SSRF): the server goes nowhere a client names", () => {
  it("nowhere by an experiment's artifact location", async () => {
    for (const [i, place] of places().entries()) {
      const made = await post("/experiments/create", { name: `location ${i}`, artifact_location: place });
      expect(made.status, place).toBeLessThan(500);
      if (made.status !== 200) continue;
      const { run } = (await post("/runs/create", { experiment_id: made.body.experiment_id })).body;
      const id = run.info.run_id;
      for (const path of [
        `${MLFLOW}/artifacts/list?run_id=${id}`,
        `/get-artifact?run_uuid=${id}&path=x`,
        `/api/v1/default/default/runs/${id}/artifacts`,
        `/api/v1/default/default/runs/${id}/artifacts/x`,
      ])
        expect((await server.ask("GET", path)).status, `${place} ${path}`).toBeLessThan(500);
      const put = await fetch(`${server.url}/api/v1/default/default/runs/${id}/artifacts/x`, { method: "PUT", body: "bytes" });
      expect(put.status, place).toBeLessThan(500);
    }
    expect(visitors).toBe(0);
  });

  it("nowhere by a version's source, or its run link", async () => {
    await post("/registered-models/create", { name: "forged" });
    for (const place of places()) {
      const made = await post("/model-versions/create", { name: "forged", source: place, run_link: place });
      expect(made.status, place).toBeLessThan(500);
      if (made.status !== 200) continue;
      const { version } = made.body.model_version;
      for (const path of [
        `${MLFLOW}/model-versions/get-download-uri?name=forged&version=${version}`,
        `/model-versions/get-artifact?name=forged&version=${version}&path=MLmodel`,
        `/api/v1/default/default/models/forged/versions/${version}/onnx`,
        `/api/v1/default/default/models/forged/versions/${version}/report`,
        `/api/v1/default/default/models/forged/versions/${version}/lineage`,
      ])
        expect((await server.ask("GET", path)).status, `${place} ${path}`).toBeLessThan(500);
    }
    expect(visitors).toBe(0);
  });

  it("nowhere by an artifact's path, a data set's source, a tag or an upload in parts", async () => {
    const { run } = (await post("/runs/create", { experiment_id: "0" })).body;
    const id = run.info.run_id;
    for (const place of places()) {
      const dataset = { name: "d", digest: "1", source_type: "http", source: JSON.stringify({ url: place }) };
      const answers = [
        await post("/runs/log-inputs", { run_id: id, datasets: [{ dataset }] }),
        await post("/runs/set-tag", { run_id: id, key: "mlflow.source.name", value: place }),
        await server.ask("GET", `${ARTIFACTS}/artifacts?path=${encodeURIComponent(place)}`),
        await server.ask("GET", `${ARTIFACTS}/artifacts/${encodeURIComponent(place)}`),
        await server.ask("POST", `${ARTIFACTS}/mpu/create/x`, { path: place, num_parts: 1 }),
        await server.ask("GET", `/get-artifact?run_uuid=${id}&path=${encodeURIComponent(place)}`),
      ];
      for (const { status, body } of answers) expect(status, `${place} ${JSON.stringify(body)}`).toBeLessThan(500);
    }
    expect(visitors).toBe(0);
  });

  it("nowhere by a header, and the addresses it hands out are its own", async () => {
    const headers = {
      "x-forwarded-host": `127.0.0.1:${port}`,
      forwarded: `host=127.0.0.1:${port}`,
      referer: `http://127.0.0.1:${port}/`,
    };
    const asked = await server.ask("POST", `${ARTIFACTS}/mpu/create/x`, { path: "x", num_parts: 2 }, headers);
    expect(asked.status).toBe(200);
    for (const { url } of asked.body.credentials) expect(url).not.toContain(String(port));
    expect(visitors).toBe(0);
  });

  it("would have been noticed: the inner service counts who comes", async () => {
    await fetch(`http://127.0.0.1:${port}/`);
    expect(visitors).toBe(1);
  });
});
