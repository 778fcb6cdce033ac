import { existsSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ListeningServer, listeningServer } from "../test-support/tracking-app.ts";

const SECRET = "the contents of a file beside the state";

let server: ListeningServer;
let secretFile: string;
beforeAll(async () => {
  server = await listeningServer();
  secretFile = join(server.stateDirectory, "secret.txt");
  writeFileSync(secretFile, SECRET);
});
afterAll(() => server.close());

interface Raw {
  readonly status: number;
  readonly body: string;
}

/** The path as it is written: fetch would tidy it up. */
function ask(method: string, path: string): Promise<Raw> {
  const { hostname: host, port } = new URL(server.url);
  return new Promise((resolve, reject) => {
    const sent = request({ host, port, method, path, headers: { accept: "text/html" } }, (answer) => {
      let body = "";
      answer.on("data", (chunk) => (body += chunk));
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, body }));
    });
    sent.on("error", reject);
    sent.end();
  });
}

/** Ways upwards, in every way of writing them that a check has missed somewhere. */
const ways = (file: string) => {
  const up = "../".repeat(12);
  const below = file.replace(/^\//, "");
  const written = [
    `${up}${below}`,
    `/${below}`,
    `//${below}`,
    `.${"/".repeat(3)}${up}${below}`,
    `x/../../${up}${below}`,
    `..\\..\\..\\${below.replaceAll("/", "\\")}`,
    `C:\\${below}`,
    `file://${file}`,
    `${up}${below}\u0000.html`,
    `....//....//....//${below}`,
    `..;/..;/${below}`,
  ];
  const encoded = (text: string) => encodeURIComponent(text).replaceAll(".", "%2e");
  return written.flatMap((way) => [
    way.replaceAll("\u0000", "%00").replaceAll("\\", "%5c"),
    encoded(way),
    encoded(encoded(way)),
    way.replaceAll("/", "%2f").replaceAll("\\", "%5c").replaceAll("\u0000", "%00"),
    way.replaceAll("..", "%c0%ae%c0%ae").replaceAll("\\", "/").replaceAll("\u0000", ""),
    way.replaceAll("/", "%252f").replaceAll("\\", "%255c").replaceAll("\u0000", "%2500"),
  ]);
};

const places: Readonly<Record<string, (way: string) => string>> = {
  "the web UI's files": (way) => `/${way}`,
  "the web UI's assets": (way) => `/assets/${way}`,
  "a project's name in MLflow's protocol": (way) => `/projects/${way}/api/2.0/mlflow/experiments/search?max_results=1`,
  "a project's name in the API": (way) => `/api/v1/default/${way}/runs`,
  "a workspace's name": (way) => `/api/v1/${way}/default/runs`,
  "a run's id": (way) => `/api/v1/default/default/runs/${way}/artifacts`,
  "a run's file": (way) => `/api/v1/default/default/runs/x/artifacts/${way}`,
  "a folder in a query": (way) => `/api/v1/default/default/runs/x/artifacts?path=${way}`,
  "a run's id in a query": (way) => `/api/2.0/mlflow/artifacts/list?run_id=${way}`,
  "a model's name": (way) => `/api/v1/default/default/models/${way}/versions/1/report`,
  "an experiment's id": (way) => `/api/v1/default/default/experiments/${way}`,
  "a logged model's id": (way) => `/api/2.0/mlflow/logged-models/${way}`,
  "a token's id": (way) => `/api/v1/default/default/tokens/${way}/revoke`,
};

describe("traversal", () => {
  it.each(Object.keys(places))("by %s leads to no file and no folder", async (place) => {
    for (const file of [secretFile, join(import.meta.dirname, "../../../package.json"), "/etc/passwd"]) {
      for (const way of ways(file)) {
        const path = (places[place] ?? String)(way);
        for (const method of place === "a token's id" ? ["POST"] : ["GET", "PUT"]) {
          const { status, body } = await ask(method, path);
          expect(status, `${method} ${path} ${body.slice(0, 300)}`).toBeLessThan(500);
          for (const inside of [SECRET, "root:x:0", '"name": "orrery"']) expect(body, `${method} ${path}`).not.toContain(inside);
        }
      }
    }
    expect(existsSync(secretFile)).toBe(true);
  });

  it("makes no project of a name that is a path", async () => {
    const statusOf = async (name: string) =>
      (await ask("GET", `/projects/${name}/api/2.0/mlflow/experiments/search?max_results=1`)).status;
    for (const name of ["..", ".", "a/b", "a\\b", "../x", "%2e%2e", "x".repeat(300), "a\u0000b", " ", "*", ""]) {
      const status = await statusOf(encodeURIComponent(name));
      expect([name, status >= 400 && status < 500]).toEqual([name, true]);
    }
    expect([await statusOf("good-name"), await statusOf("%2e%2e")]).toEqual([200, 404]);
  });
});
