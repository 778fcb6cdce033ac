import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ListeningServer, listeningServer } from "../test-support/tracking-app.ts";

let server: ListeningServer;
let runId: string;
beforeAll(async () => {
  server = await listeningServer();
  const { run } = (await server.ask("POST", "/api/2.0/mlflow/runs/create", { experiment_id: "0" })).body;
  runId = run.info.run_id;
});
afterAll(() => server.close());

const put = (path: string, body: string | Uint8Array<ArrayBuffer>, type = "application/octet-stream") =>
  fetch(`${server.url}/api/2.0/mlflow-artifacts/artifacts/0/${runId}/artifacts/${path}`, {
    method: "PUT",
    body,
    headers: { "content-type": type },
  });
/** Every address under which a file of the run can be had. */
const addresses = (path: string) => [
  `/api/2.0/mlflow-artifacts/artifacts/0/${runId}/artifacts/${path}`,
  `/get-artifact?run_uuid=${runId}&path=${encodeURIComponent(path)}`,
  `/api/v1/default/default/runs/${runId}/artifacts/${path}`,
];

describe("scripts in artifacts (XSS)", () => {
  const files = {
    "page.html": "<script>fetch('/api/v1/default/default/tokens')</script>",
    "image.svg": '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "page.xhtml": '<html xmlns="http://www.w3.org/1999/xhtml"><script>alert(1)</script></html>',
    "feed.xml": '<?xml-stylesheet href="x.xsl"?><x/>',
    "code.js": "alert(1)",
    "notes.txt": "<script>alert(1)</script>",
    "no-name": "<script>alert(1)</script>",
    "page.html;.png": "<script>alert(1)</script>",
    "paper.pdf": "%PDF-1.4",
  };

  it.each(Object.entries(files))(
    "cannot run: %s is given out sandboxed, as a download, wherever it can be had",
    async (name, text) => {
      for (const claimed of ["text/html", "image/svg+xml", "text/html\u00a0; charset=utf-7", "application/octet-stream"]) {
        expect((await put(name, text, claimed)).status, claimed).toBe(200);
        for (const address of addresses(encodeURIComponent(name))) {
          const answer = await fetch(`${server.url}${address}`);
          expect([address, answer.status, await answer.text()]).toEqual([address, 200, text]);
          const given = Object.fromEntries(answer.headers);
          expect(given["content-security-policy"], address).toMatch(/^sandbox; default-src 'none'/);
          expect(given["content-security-policy"], address).not.toMatch(/allow-|unsafe/);
          expect(given["x-content-type-options"], address).toBe("nosniff");
          expect(given["content-disposition"], address).toMatch(/^attachment/);
          expect(given["cross-origin-resource-policy"], address).toBe("same-origin");
        }
      }
    },
  );

  it("cannot run from names, descriptions and tags: those come back as JSON only", async () => {
    const text = "</script><script>alert(1)</script>";
    const made = await server.ask("POST", "/api/2.0/mlflow/registered-models/create", { name: "xss", description: text });
    expect(made.body.registered_model.description).toBe(text);
    for (const address of [
      "/api/2.0/mlflow/registered-models/get?name=xss",
      "/api/v1/default/default/models/xss",
      `/api/v1/default/default/models/${encodeURIComponent(text)}`,
    ]) {
      const answer = await server.ask("GET", address);
      expect(answer.headers.get("content-type")).toMatch(/^application\/json/);
      expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
    }
  });
});

describe("code in artifacts: nothing is ever unpickled or executed", () => {
  /** What would make a file here if anybody unpickled, imported or rendered it. */
  const trap = () => join(server.stateDirectory, "caught");

  /** Protocol 0 by hand: os.system("touch …") at load, as cloudpickle models of MLflow are loaded. */
  const pickle = () => `cos\nsystem\n(S'touch ${trap()}'\ntR.`;

  it("a pickle, a module and a malicious MLmodel go up, are registered, looked at and come down as the bytes they were", async () => {
    const files: Record<string, string> = {
      "model/MLmodel": [
        "artifact_path: model",
        "flavors:",
        "  python_function:",
        `    loader_module: os.system("touch ${trap()}")`,
        "    python_version: 3.11.0",
        "    data: python_model.pkl",
        `    env: {conda: "$(touch ${trap()})"}`,
        `extra: !!python/object/apply:os.system ["touch ${trap()}"]`,
        `js: !!js/function "function(){require('fs').writeFileSync('${trap()}','')}"`,
        "bomb: &a [*a, *a]",
      ].join("\n"),
      "model/python_model.pkl": pickle(),
      "model/code/__init__.py": `import os; os.system("touch ${trap()}")`,
      "model/conda.yaml": `dependencies: [pip: ["; touch ${trap()}"]]`,
      "model/requirements.txt": `evil @ file:///$(touch ${trap()})`,
      "model/model.onnx": "\u0008\u0007",
    };
    for (const [path, text] of Object.entries(files)) expect((await put(path, text)).status).toBe(200);
    await server.ask("POST", "/api/2.0/mlflow/registered-models/create", { name: "trap" });
    const source = `mlflow-artifacts:/0/${runId}/artifacts/model`;
    const made = await server.ask("POST", "/api/2.0/mlflow/model-versions/create", { name: "trap", source, run_id: runId });
    expect(made.status).toBe(200);
    await server.ask("POST", "/api/2.0/mlflow/runs/log-model", {
      run_id: runId,
      model_json: JSON.stringify({ flavors: { evil: files["model/MLmodel"] } }),
    });
    await server.ask("POST", "/api/2.0/mlflow/registered-models/alias", { name: "trap", alias: "champion", version: "1" });
    await server.ask("POST", "/api/2.0/mlflow/model-versions/transition-stage", {
      name: "trap",
      version: "1",
      stage: "Production",
      archive_existing_versions: false,
    });
    const base = "/api/v1/default/default/models/trap";
    for (const path of [
      base,
      `${base}/versions/1/report`,
      `${base}/versions/1/exploration`,
      `${base}/versions/1/onnx`,
      `${base}/versions/1/lineage`,
      `${base}/diff?from=1&to=1`,
    ])
      expect((await server.ask("GET", path)).status, path).toBeLessThan(500);
    for (const [path, text] of Object.entries(files)) {
      const answer = await fetch(
        `${server.url}/model-versions/get-artifact?name=trap&version=1&path=${encodeURIComponent(path.slice("model/".length))}`,
      );
      expect([path, answer.status, await answer.text()]).toEqual([path, 200, text]);
    }
    expect(existsSync(trap())).toBe(false);
  });

  it("a shell, a template or a formula in a name, a tag, a filter or a path is text", async () => {
    const texts = [
      `$(touch ${trap()})`,
      `\`touch ${trap()}\``,
      `; touch ${trap()};`,
      `| touch ${trap()}`,
      "#{process.exit(1)}",
      "{{7*7}}",
      "=cmd|'/c calc'!A1",
      "%{(#x)}",
    ];
    for (const text of texts) {
      const answers = [
        await server.ask("POST", "/api/2.0/mlflow/runs/set-tag", { run_id: runId, key: "mlflow.note.content", value: text }),
        await server.ask("POST", "/api/2.0/mlflow/experiments/create", { name: text, tags: [{ key: "t", value: text }] }),
        await server.ask("POST", "/api/2.0/mlflow/runs/search", {
          experiment_ids: ["0"],
          filter: `tags.x = '${text.replaceAll("'", "")}'`,
        }),
        await server.ask("GET", `/get-artifact?run_uuid=${runId}&path=${encodeURIComponent(text)}`),
        await server.ask("GET", `/api/v1/default/default/runs?filter=${encodeURIComponent(text)}`),
      ];
      for (const { status, body } of answers) expect(status, `${text} ${JSON.stringify(body)}`).toBeLessThan(500);
    }
    expect(existsSync(trap())).toBe(false);
    expect((await server.ask("GET", "/health")).body).toBe("OK");
  });

  it("files and tags under the names that Orrery itself uses, with other things in them, are nobody's failure", async () => {
    const { run } = (await server.ask("POST", "/api/2.0/mlflow/runs/create", { experiment_id: "0" })).body;
    const id = run.info.run_id;
    const junk = [
      "",
      "{",
      "null",
      "7",
      "[1]",
      '[{"name":1}]',
      "{}",
      '{"rows":"x"}',
      '{"shap":1,"permutation":{},"segments":[]}',
      "\u0000\u0001",
    ];
    await server.ask("POST", "/api/2.0/mlflow/registered-models/create", { name: "junk" });
    const { model } = (await server.ask("POST", "/api/2.0/mlflow/logged-models", { experiment_id: "0", name: "junk" })).body;
    const { model_id } = model.info;
    for (const text of junk) {
      for (const path of [
        "candidates.json",
        "test.json",
        "explanation.json",
        "exploration.json",
        "card.md",
        "model.onnx",
        "model.orrery",
        "training-set.parquet",
      ])
        await fetch(`${server.url}/api/2.0/mlflow-artifacts/artifacts/0/${id}/artifacts/${path}`, { method: "PUT", body: text });
      const tags = [{ key: "mlflow.modelVersions", value: text }];
      await server.ask("PATCH", `/api/2.0/mlflow/logged-models/${model_id}/tags`, { tags });
      await server.ask("POST", "/api/2.0/mlflow/runs/set-tag", { run_id: id, key: "mlflow.log-model.history", value: text });
      const source = `mlflow-artifacts:/0/${id}/artifacts`;
      const made = await server.ask("POST", "/api/2.0/mlflow/model-versions/create", {
        name: "junk",
        source,
        run_id: id,
        model_id,
      });
      expect([text, made.status]).toEqual([text, 200]);
      const model_json = JSON.stringify({ artifact_path: "m", flavors: {}, utc_time_created: "x", run_id: id });
      const logged = await server.ask("POST", "/api/2.0/mlflow/runs/log-model", { run_id: id, model_json });
      expect([text, logged.status]).toEqual([text, 200]);
      const base = "/api/v1/default/default/models/junk";
      const { version } = made.body.model_version;
      for (const path of ["report", "exploration", "onnx", "lineage"]) {
        const { status, body } = await server.ask("GET", `${base}/versions/${version}/${path}`);
        expect([text, path, status < 500, body]).toEqual([text, path, true, body]);
      }
      expect((await server.ask("GET", `${base}/diff?from=1&to=${version}`)).status).toBe(200);
      expect((await server.ask("GET", `/api/v1/default/default/runs/${id}`)).status).toBe(200);
    }
  });
});
