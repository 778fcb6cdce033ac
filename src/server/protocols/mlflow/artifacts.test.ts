import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ArtifactServer, startArtifactServer } from "../../../../test/fixtures/artifact-server.ts";
import { systemActor } from "../../../core/scope.ts";

const TREE = "/api/2.0/mlflow-artifacts/artifacts";
const MPU = "/api/2.0/mlflow-artifacts/mpu";

let folder: string;
let server: ArtifactServer;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "orrery-artifact-routes-"));
  server = await startArtifactServer(folder, { maxUploadBytes: 50_000_000 });
});
afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

const call = (path: string, init?: RequestInit) => fetch(`${server.url}${path}`, init);
const put = (path: string, body: string | Uint8Array<ArrayBuffer>) => call(`${TREE}/${path}`, { method: "PUT", body });
const post = (path: string, body: unknown, headers = {}) =>
  call(path, { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json", ...headers } });
const stored = () => Array.fromAsync(server.artifacts.list());

/** A path exactly as written: fetch would tidy it up. */
const raw = (method: string, path: string, body?: string, type = "application/octet-stream") =>
  new Promise<{ status: number; body: string }>((resolve, reject) => {
    const sent = httpRequest(server.url, { method, path, headers: { "content-type": type } }, (response) => {
      response.setEncoding("utf8");
      response.toArray().then((chunks) => resolve({ status: response.statusCode ?? 0, body: chunks.join("") }), reject);
    });
    sent.on("error", reject).end(body);
  });

const newRun = async (project = "flights") =>
  server.trackingOf(project).runs.create({ experiment: "late", name: "one", actor: systemActor("test") });

describe("the artifact routes of the MLflow protocol", () => {
  test("take files up, list them and give them back", async () => {
    expect(await (await put("a.txt", "0")).json()).toEqual({});
    await put("dir/b.txt", "1");
    expect(await (await call(TREE)).json()).toEqual({
      files: [
        { path: "a.txt", is_dir: false, file_size: 1 },
        { path: "dir", is_dir: true },
      ],
    });
    expect(await (await call(`${TREE}?path=dir`)).json()).toEqual({ files: [{ path: "b.txt", is_dir: false, file_size: 1 }] });
    for (const path of ["dir/b.txt", "none", "dir/none"]) expect(await (await call(`${TREE}?path=${path}`)).json()).toEqual({});
    const found = await call(`${TREE}/dir/b.txt`);
    expect(await found.text()).toBe("1");
    expect(Object.fromEntries(found.headers)).toMatchObject({
      "content-type": "text/plain",
      "content-length": "1",
      "content-disposition": "attachment; filename=b.txt",
      etag: `"${createHash("sha256").update("1").digest("hex")}"`,
    });
  });

  test("take one file of a run by its id, and refuse what says no run, no path, or has no bytes", async () => {
    const { id } = await newRun();
    const upload = (query: Record<string, string>, body?: string) =>
      call(`/projects/flights/api/2.0/mlflow/upload-artifact?${new URLSearchParams(query)}`, {
        method: "POST",
        ...(body === undefined ? {} : { body }),
      });
    const refusals: [Record<string, string>, string][] = [
      [{}, "Request must specify run_uuid."],
      [{ run_uuid: id }, "Request must specify path."],
      [{ run_uuid: id, path: "" }, "Request must specify path."],
      [{ run_uuid: id, path: "../test.txt" }, "Invalid path"],
      [{ run_uuid: id, path: "test.txt" }, "Request must specify data."],
    ];
    for (const [query, message] of refusals) {
      const answer = await upload(query);
      expect([answer.status, await answer.json()]).toMatchObject([400, { error_code: "INVALID_PARAMETER_VALUE", message }]);
    }
    expect((await upload({ run_uuid: "none", path: "test.txt" }, "lost")).status).toBe(404);
    expect(await stored()).toEqual([]);
    expect((await upload({ run_uuid: id, path: "dir/test.txt" }, "hello world")).status).toBe(200);
    const found = await call(`/projects/flights/get-artifact?run_uuid=${id}&path=dir/test.txt`);
    expect(await found.text()).toBe("hello world");
  });

  test("a file is empty, or replaced, as any other", async () => {
    await put("a.bin", "");
    expect((await call(`${TREE}/a.bin`)).headers.get("content-length")).toBe("0");
    await put("a.bin", "second");
    expect(await (await call(`${TREE}/a.bin`)).text()).toBe("second");
  });

  test("a missing artifact is a 404 at once", async () => {
    const began = performance.now();
    for (const path of [`${TREE}/none`, `${TREE}/none/below`, `${TREE}/`.concat("x".repeat(200))]) {
      const found = await call(path);
      expect([found.status, await found.json()]).toMatchObject([404, { code: "TRACKING_ARTIFACT_UNKNOWN" }]);
    }
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  test("give the part that a range asks for, and say where there is none", async () => {
    await put("a.txt", "0123456789");
    const ask = async (range: string, more = {}) => {
      const found = await call(`${TREE}/a.txt`, { headers: { range, ...more } });
      return [found.status, found.headers.get("content-range"), await found.text()];
    };
    expect(await ask("bytes=2-4")).toEqual([206, "bytes 2-4/10", "234"]);
    expect(await ask("bytes=7-")).toEqual([206, "bytes 7-9/10", "789"]);
    expect(await ask("bytes=-3")).toEqual([206, "bytes 7-9/10", "789"]);
    expect(await ask("bytes=-99")).toEqual([206, "bytes 0-9/10", "0123456789"]);
    expect(await ask("bytes=8-99")).toEqual([206, "bytes 8-9/10", "89"]);
    expect(await ask("bytes=10-")).toEqual([416, "bytes */10", ""]);
    expect(await ask("bytes=-0")).toEqual([416, "bytes */10", ""]);
    for (const ignored of ["bytes=4-2", "bytes=0-1,3-4", "lines=1-2", "bytes=-", "bytes=a-b"])
      expect(await ask(ignored)).toEqual([200, null, "0123456789"]);
    expect(await ask("bytes=0-1", { "if-range": '"another"' })).toEqual([200, null, "0123456789"]);
  });

  test("send nothing to who has the file already, and only headers for HEAD", async () => {
    await put("a.txt", "0123456789");
    const head = await call(`${TREE}/a.txt`, { method: "HEAD" });
    expect([head.status, head.headers.get("content-length"), await head.text()]).toEqual([200, "10", ""]);
    const etag = head.headers.get("etag") ?? "";
    const again = await call(`${TREE}/a.txt`, { headers: { "if-none-match": `"x", W/${etag}` } });
    expect([again.status, await again.text()]).toEqual([304, ""]);
    expect((await call(`${TREE}/none`, { method: "HEAD" })).status).toBe(404);
  });

  test("delete a file or a folder", async () => {
    for (const path of ["a/b", "a/c", "ab"]) await put(path, path);
    expect(await (await call(`${TREE}/a`, { method: "DELETE" })).json()).toEqual({});
    expect(await (await call(TREE)).json()).toEqual({ files: [{ path: "ab", is_dir: false, file_size: 2 }] });
    expect((await call(`${TREE}/`, { method: "DELETE" })).status).toBe(400);
  });

  test("refuse a file where a folder is, and the other way round", async () => {
    await put("a/b", "x");
    for (const path of ["a", "a/b/c"]) expect((await put(path, "y")).status).toBe(400);
  });

  test("keep projects apart by the address", async () => {
    await put("a.txt", "flights");
    await call(`/projects/trains${TREE}/a.txt`, { method: "PUT", body: "trains" });
    expect(await (await call(`${TREE}/a.txt`)).text()).toBe("flights");
    expect(await (await call(`/projects/trains${TREE}/a.txt`)).text()).toBe("trains");
    expect(await (await call(`/projects/flights${TREE}/a.txt`)).text()).toBe("flights");
    expect((await call(`/projects/ships${TREE}/a.txt`)).status).toBe(404);
  });

  test("go by the name for a file's type, and name it in the download", async () => {
    const names = [
      ["b.pkl", "application/octet-stream", "attachment; filename=b.pkl"],
      ["d.pdf", "application/pdf", "attachment; filename=d.pdf"],
      ["MLmodel", "text/plain", "attachment; filename=MLmodel"],
      ['a "b".png', "image/png", 'attachment; filename="a \\"b\\".png"'],
      ["ü (1).csv", "text/plain", "attachment; filename*=UTF-8''%C3%BC%20%281%29.csv"],
      ["dog%step%17.png", "image/png", "attachment; filename=dog%step%17.png"],
    ];
    for (const [name = "", type, disposition] of names) {
      const address = `${TREE}/dir/${encodeURIComponent(name)}`;
      await call(address, { method: "PUT", body: "x", headers: { "content-type": "text/html" } });
      const { headers } = await call(address, { headers: { accept: "text/html" } });
      expect([headers.get("content-type"), headers.get("content-disposition")]).toEqual([type, disposition]);
    }
  });

  test("presigned addresses are not to be had, in the words that clients know", async () => {
    const found = await call("/api/2.0/mlflow-artifacts/presigned/a.txt");
    expect([found.status, await found.json()]).toMatchObject([501, { error_code: "NOT_IMPLEMENTED" }]);
  });
});

describe("files of runs, logged models and versions", () => {
  test("of a run are listed from its root and downloaded by id", async () => {
    const { id, artifactUri } = await newRun();
    const root = artifactUri.replace("mlflow-artifacts:/", "");
    await put(`${root}/a.txt`, "0");
    await put(`${root}/dir/b.txt`, "11");
    const list = async (query: string) => (await call(`/api/2.0/mlflow/artifacts/list?${query}`)).json();
    expect(await list(`run_id=${id}`)).toEqual({
      root_uri: artifactUri,
      files: [
        { path: "a.txt", is_dir: false, file_size: 1 },
        { path: "dir", is_dir: true },
      ],
    });
    expect(await list(`run_uuid=${id}&path=dir/`)).toMatchObject({ files: [{ path: "dir/b.txt", is_dir: false, file_size: 2 }] });
    expect(await list(`run_id=${id}&path=a.txt`)).toEqual({ root_uri: artifactUri });
    expect(await (await call(`/get-artifact?run_uuid=${id}&path=dir/b.txt`)).text()).toBe("11");
    expect((await call(`/get-artifact?run_id=${id}&path=none`)).status).toBe(404);
    expect((await call(`/get-artifact?run_id=none&path=a.txt`)).status).toBe(404);
    for (const query of [
      "",
      "run_id=",
      `run_id=${id}&path=../x`,
      `run_id=${id}&path=/x`,
      `run_id=${id}&path=a&path=b`,
      `run_id=${id}&path=C:/x`,
    ])
      expect((await call(`/api/2.0/mlflow/artifacts/list?${query}`)).status, query).toBe(400);
    for (const query of [`run_id=${id}`, "path=a", `run_id=${id}&path=%252e%252e/x`, `run_id=${id}&run_id=${id}&path=a`])
      expect((await call(`/get-artifact?${query}`)).status, query).toBe(400);
  });

  test("of a logged model are listed from its root", async () => {
    const { experimentId } = await newRun();
    const model = await server.trackingOf("flights").loggedModels.create({ experimentId, name: "trees" });
    await put(`${model.artifactLocation.replace("mlflow-artifacts:/", "")}/MLmodel`, "x");
    const found = await call(`/api/2.0/mlflow/logged-models/${model.id}/artifacts/directories`);
    expect(await found.json()).toEqual({
      root_uri: model.artifactLocation,
      files: [{ path: "MLmodel", is_dir: false, file_size: 1 }],
    });
    expect((await call("/api/2.0/mlflow/logged-models/m-none/artifacts/directories")).status).toBe(404);
  });

  test("of a version are downloaded by name and number", async () => {
    const { id, artifactUri } = await newRun();
    await put(`${artifactUri.replace("mlflow-artifacts:/", "")}/model/MLmodel`, "flavors");
    const registry = server.registryOf("flights");
    await registry.createModel({ name: "late" });
    const { version } = await registry.createVersion("late", { source: `${artifactUri}/model`, runId: id }, systemActor("test"));
    const ask = (query: string) => call(`/model-versions/get-artifact?${query}`);
    expect(await (await ask(`name=late&version=${version}&path=MLmodel`)).text()).toBe("flavors");
    expect((await ask(`name=late&version=${version}&path=none`)).status).toBe(404);
    expect((await ask(`name=late&version=99&path=MLmodel`)).status).toBe(404);
    for (const query of ["version=1&path=a", "name=late&path=a", "name=late&version=1", "name=late&version=x&path=a"])
      expect((await ask(query)).status, query).toBe(400);
  });

  test("that lie elsewhere are not fetched from there: no request is forged by a location", async () => {
    const tracking = server.trackingOf("flights");
    const { id: experimentId } = await tracking.experiments.create({ name: "elsewhere", artifactLocation: "s3://bucket/folder" });
    const { id } = await tracking.runs.create({ experimentId, name: "one", actor: systemActor("test") });
    for (const path of [`/api/2.0/mlflow/artifacts/list?run_id=${id}`, `/get-artifact?run_id=${id}&path=a`]) {
      const found = await call(path);
      expect([found.status, await found.json()]).toMatchObject([400, { code: "TRACKING_LOCATION_INVALID" }]);
    }
  });
});

describe("an upload in parts", () => {
  /** As the client does it: parts go to the addresses it was given, with the headers it was given and no others. */
  async function upload(parts: readonly string[], headers = {}, prefix = "") {
    const at = `0/run/artifacts/model`;
    const created = await post(`${prefix}${MPU}/create/${at}`, { path: "/home/anna/big.bin", num_parts: parts.length }, headers);
    const { upload_id, credentials } = (await created.json()) as {
      upload_id: string;
      credentials: { url: string; part_number: number; headers: Record<string, string> }[];
    };
    const sent = await Promise.all(
      credentials.map(async ({ url, part_number, headers: told }, index) => {
        const response = await fetch(url, { method: "PUT", body: parts[index] ?? "", headers: told });
        return { part_number, etag: response.headers.get("etag"), url, status: response.status };
      }),
    );
    const complete = () =>
      post(`${prefix}${MPU}/complete/${at}`, { path: "/home/anna/big.bin", upload_id, parts: sent }, headers);
    const abort = () => post(`${prefix}${MPU}/abort/${at}`, { path: "/home/anna/big.bin", upload_id }, headers);
    return { credentials, sent, complete, abort, upload_id };
  }

  test("is joined when it is completed, and not to be seen before", async () => {
    const { complete, sent } = await upload(["one ", "two ", "three"]);
    expect(sent.map(({ status }) => status)).toEqual([200, 200, 200]);
    const address = `${TREE}/0/run/artifacts/model/big.bin`;
    expect((await call(address)).status).toBe(404);
    expect(await (await complete()).json()).toEqual({});
    expect(await (await call(address)).text()).toBe("one two three");
    expect(readdirSync(join(folder, "artifacts/parts"))).toEqual([]);
  });

  test("leaves nothing when it is aborted, and cannot be completed then", async () => {
    const { complete, abort } = await upload(["one", "two"]);
    expect(await (await abort()).json()).toEqual({});
    expect((await complete()).status).toBe(404);
    expect(readdirSync(join(folder, "artifacts/parts"))).toEqual([]);
    expect(await stored()).toEqual([]);
  });

  test("works under a project's prefix", async () => {
    const { complete, credentials } = await upload(["one", "two"], {}, "/projects/trains");
    expect(credentials[0]?.url.startsWith(`${server.url}/projects/trains/api/2.0/mlflow-artifacts/mpu/part/`)).toBe(true);
    expect((await complete()).status).toBe(200);
    expect(await (await call(`/projects/trains${TREE}/0/run/artifacts/model/big.bin`)).text()).toBe("onetwo");
    expect((await call(`${TREE}/0/run/artifacts/model/big.bin`)).status).toBe(404);
  });

  test("is not completed with other parts than were sent", async () => {
    const { upload_id, sent } = await upload(["one", "two"]);
    const complete = (parts: unknown) =>
      post(`${MPU}/complete/0/run/artifacts/model`, { path: "big.bin", upload_id, parts }).then(({ status }) => status);
    expect(await complete([sent[0]])).toBe(400);
    expect(await complete([sent[0], { ...sent[1], etag: sent[0]?.etag }])).toBe(400);
    expect(await complete([sent[0], { ...sent[1], etag: null }])).toBe(400);
    expect(await complete("all")).toBe(400);
    expect(await complete(undefined)).toBe(400);
    expect(await complete([...sent].reverse())).toBe(200);
  });

  test("asks for a sensible number of parts and a path", async () => {
    for (const body of [
      {},
      { path: "" },
      { path: "a", num_parts: 0 },
      { path: "a", num_parts: 10_001 },
      { path: "a", num_parts: "x" },
      null,
    ])
      expect((await post(`${MPU}/create/a`, body)).status, JSON.stringify(body)).toBe(400);
    for (const path of ["..", "a/..", "/", "x\\.."]) expect((await post(`${MPU}/create/a`, { path })).status, path).toBe(400);
  });

  test("unprotected multipart routes: parts need the token, and are sent with the one that their addresses were asked for with", async () => {
    await server.close();
    server = await startArtifactServer(folder, { token: "secret" });
    const none = await post(`${MPU}/create/a`, { path: "b" });
    expect(none.status).toBe(401);
    const { complete, credentials, sent } = await upload(["one"], { authorization: "Bearer secret" });
    expect(sent.map(({ status }) => status)).toEqual([200]);
    expect((await fetch(credentials[0]?.url ?? "", { method: "PUT", body: "x" })).status).toBe(401);
    for (const step of ["complete", "abort"]) expect((await post(`${MPU}/${step}/a`, {})).status).toBe(401);
    expect((await complete()).status).toBe(200);
  });

  test("unprotected multipart routes: every route says who may call it, and only reading ones may be called by readers", () => {
    expect(server.routes.length).toBeGreaterThan(20);
    for (const [method, url, permission] of server.routes)
      expect([method, url, permission]).toEqual([method, url, method === "GET" || method === "HEAD" ? "read" : "track"]);
  });
});

describe("holes", () => {
  const holes: readonly (readonly [string, readonly string[]])[] = [
    ["path traversal", ["../../metadata.db", "a/../../x", "..", "a/.."]],
    ["path traversal, encoded", ["%2e%2e/%2e%2e/metadata.db", "..%2f..%2fmetadata.db", "a%2f..%2f..%2fx"]],
    ["path traversal, double-encoded", ["%252e%252e/metadata.db", "%252e%252e%252fmetadata.db", "%25252e%25252e%25252fx"]],
    ["absolute path", ["/etc/passwd", "%2fetc/passwd", "%252fetc%252fpasswd", "//etc/passwd"]],
    ["backslash", ["..\\..\\metadata.db", "..%5c..%5cmetadata.db", "a%255c..%255cx"]],
    ["drive letter", ["C:/Windows/win.ini", "C:%5cWindows", "c%3a/x"]],
    ["NUL", ["a%00.txt", "a%2500.txt"]],
    ["overlong name", ["a".repeat(256), `${"a/".repeat(1_500)}x`]],
    ["fragment", ["a%23b", "a%2523b"]],
  ];
  test.each(holes)("%s is refused by every artifact route, and nothing is written", async (_hole, paths) => {
    const before = readdirSync(folder).sort();
    for (const path of paths) {
      for (const method of ["GET", "PUT", "DELETE"]) {
        const { status, body } = await raw(method, `${TREE}/${path}`, method === "PUT" ? "x" : undefined);
        expect([method, path, status >= 400 && status < 500]).toEqual([method, path, true]);
        expect(body).not.toContain("root:");
      }
      for (const step of ["create", "complete", "abort", "part"]) {
        const upload = { upload_id: "0".repeat(64), part_number: 1 };
        const { status } =
          step === "part"
            ? await raw("PUT", `${MPU}/part/${path}?upload_id=${upload.upload_id}&part_number=1`, "x")
            : await raw(
                "POST",
                `${MPU}/${step}/${path}`,
                JSON.stringify({ ...upload, path: "x", parts: [] }),
                "application/json",
              );
        expect(status >= 400 && status < 500, `${step} ${path} ${status}`).toBe(true);
      }
      const listed = await raw("GET", `${TREE}?path=${path.replaceAll("#", "%23")}`);
      expect(listed.status >= 400 && listed.status < 500, `list ${path} ${listed.status}`).toBe(true);
    }
    expect(readdirSync(folder).sort()).toEqual(before);
    expect(await (await call(TREE)).json()).toEqual({});
  });

  test.each(["page.html", "page.htm", "drawing.svg", "page.xhtml", "x.js"])(
    "script in an artifact: %s is sandboxed, an attachment, and not sniffed",
    async (name) => {
      await put(name, "<script>fetch('/api/v1/context')</script>");
      for (const range of [undefined, "bytes=0-3"]) {
        const { headers } = await call(`${TREE}/${name}`, range === undefined ? {} : { headers: { range } });
        expect(Object.fromEntries(headers)).toMatchObject({
          "content-security-policy": "sandbox; default-src 'none'",
          "x-content-type-options": "nosniff",
          "content-disposition": `attachment; filename=${name}`,
        });
      }
    },
  );

  test("header injection: a name cannot end the header it is in", async () => {
    for (const name of ["a%0d%0aset-cookie: x", "a%250d%250aset-cookie: x", "a%E2%80%A8b"]) {
      await raw("PUT", `${TREE}/${name.replaceAll(" ", "%20")}`, "x");
      const found = await call(`${TREE}/${name.replaceAll(" ", "%20")}`);
      expect(found.headers.get("set-cookie")).toBeNull();
      expect(found.status).toBeLessThan(500);
    }
  });

  test("oversized upload: refused by its length before a byte, and by its bytes where it does not tell", async () => {
    const refused = (response: Response) => response.json().then((body) => [response.status, body]);
    const large = new Uint8Array(50_000_001);
    expect(await refused(await put("a.bin", large))).toMatchObject([413, { code: "TRACKING_ARTIFACT_TOO_LARGE" }]);
    const untold = new ReadableStream({
      start(controller) {
        for (let sent = 0; sent < 6; sent += 1) controller.enqueue(new Uint8Array(10_000_000));
        controller.close();
      },
    });
    const init = { method: "PUT", body: untold, duplex: "half" } as RequestInit;
    expect(await refused(await call(`${TREE}/a.bin`, init))).toMatchObject([413, { code: "TRACKING_ARTIFACT_TOO_LARGE" }]);
    expect((await call(`${TREE}/a.bin`)).status).toBe(404);
    expect(await stored()).toEqual([]);
    expect(readdirSync(join(folder, "artifacts/tmp"))).toEqual([]);
    expect((await put("a.bin", "small")).status).toBe(200);
  });

  test("a client that goes away in the middle of an upload leaves nothing", async () => {
    const { port } = new URL(server.url);
    const socket = connect(Number(port), "127.0.0.1");
    socket.write(`PUT ${TREE}/half.bin HTTP/1.1\r\nhost: x\r\ncontent-length: 10000000\r\n\r\n`);
    socket.write(Buffer.alloc(3_000_000));
    const aside = () =>
      readdirSync(join(folder, "artifacts"), { recursive: true }).filter((name) => String(name).startsWith("tmp/"));
    while (!readdirSync(folder).includes("artifacts") || aside().length === 0) await pause(10);
    socket.destroy();
    while (aside().length > 0) await pause(10);
    expect((await call(`${TREE}/half.bin`)).status).toBe(404);
    expect(await stored()).toEqual([]);
  });
});
