import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { makeCertificate, openssl } from "../../../test/fixtures/certificate.ts";
import { type DataRoom, NOW, openDataRoom } from "../../../test/fixtures/data-room.ts";
import { ingest, type Snapshot } from "../../core/data/index.ts";
import { int32, type SourceDefinition, secret, source, string } from "../../core/definitions/index.ts";
import type { SourceInputs } from "../../core/ports/index.ts";
import { HttpFiles, redirectTarget } from "./http.ts";
import { openSourceInputs } from "./open-inputs.ts";
import { isPrivateAddress } from "./private-address.ts";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

let room: DataRoom;
let server: Server;
let origin: string;
/** What was asked, as "path status-relevant headers". */
let asked: IncomingMessage[];
/** What the server does next; the last one stays. */
let answers: Answer[];

const http = new HttpFiles({ waits: [1, 2, 3] });
const inputs: SourceInputs = { ...openSourceInputs(), files: { ...openSourceInputs().files, http, https: http } };
const listen = async (started: Server): Promise<number> => {
  await new Promise<void>((resolve) => started.listen(0, "127.0.0.1", resolve));
  return (started.address() as AddressInfo).port;
};

beforeEach(async () => {
  room = await openDataRoom();
  asked = [];
  answers = [];
  server = createServer((request, response) => {
    asked.push(request);
    const answer = answers.length > 1 ? answers.shift() : answers[0];
    answer?.(request, response);
  });
  origin = `http://127.0.0.1:${await listen(server)}`;
});
afterEach(async () => {
  room.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const send =
  (body: string | Buffer, headers: Record<string, string> = {}): Answer =>
  (_, response) => {
    const bytes = Buffer.from(body);
    response.writeHead(200, { "content-length": String(bytes.length), ...headers }).end(bytes);
  };
const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  (_, response) => {
    response.writeHead(code, headers).end("no");
  };
const take = (of: SourceDefinition, previous?: Snapshot) =>
  ingest({ engine: room.engine, artifacts: room.artifacts, tmpDirectory: room.tmpDirectory, inputs }, of, {
    projectDirectory: room.directory,
    asOf: NOW,
    createdAt: NOW,
    ...(previous === undefined ? {} : { previous }),
  });
const csv = (path = "/a.csv", more: { headers?: Record<string, ReturnType<typeof secret.env>>; maxBytes?: number } = {}) =>
  source.csv("web", { path: `${origin}${path}`, ...more, columns: { n: int32() } });

describe("a file by HTTP as a source", () => {
  test("is read in every format, compressed too, and its folders are columns", async () => {
    answers = [send("n\n1\n2\n")];
    expect(await take(csv())).toMatchObject({ rows: 2, parts: [{ file: "a.csv" }] });
    answers = [send(gzipSync('{"n":3}\n'))];
    const lines = source.jsonLines("web", {
      path: `${origin}/day=2023-01-01/a%20b.jsonl.gz`,
      columns: { n: int32(), day: string() },
    });
    expect(await room.read(await take(lines), lines)).toEqual([{ n: 3, day: "2023-01-01" }]);
    answers = [send(gzipSync("n\n4\n"), { "content-encoding": "gzip" })];
    expect(await room.read(await take(csv()), csv())).toEqual([{ n: 4 }]);
    answers = [send(readFileSync(await room.parquet("x.parquet", "SELECT 5::INTEGER AS n")))];
    const parquet = source.parquet("web", { path: `${origin}/x`, columns: { n: int32() } });
    expect(await room.read(await take(parquet), parquet)).toEqual([{ n: 5 }]);
    expect(asked.every(({ headers }) => headers["accept-encoding"] === "identity")).toBe(true);
    expect(room.leftovers()).toEqual([]);
  });

  test("is not sent again while its ETag says that it is the same", async () => {
    const file: Answer = (request, response) =>
      request.headers["if-none-match"] === '"v1"'
        ? response.writeHead(304).end()
        : send("n\n1\n", { etag: '"v1"' })(request, response);
    answers = [file];
    const first = await take(csv());
    const second = await take(csv(), first);
    expect(asked.map(({ headers }) => headers["if-none-match"])).toEqual([undefined, '"v1"']);
    expect(second.parts).toEqual(first.parts);
    // Under another contract the bytes are wanted again.
    const strict = source.csv("web", { path: `${origin}/a.csv`, columns: { n: int32().between(0, 5) } });
    expect(await take(strict, second)).toMatchObject({ rows: 1 });
    answers = [send("n\n1\n2\n", { etag: '"v2"' })];
    expect(await take(csv(), second)).toMatchObject({ rows: 2 });
    expect(room.leftovers()).toEqual([]);
  });

  test("is asked by its Last-Modified only where that is old enough to tell versions apart", async () => {
    const old = new Date(Date.now() - 60_000).toUTCString();
    answers = [send("n\n1\n", { "last-modified": old })];
    const first = await take(csv());
    answers = [status(304)];
    expect((await take(csv(), first)).parts).toEqual(first.parts);
    expect(asked.at(-1)?.headers["if-modified-since"]).toBe(old);
    answers = [send("n\n1\n", { "last-modified": new Date().toUTCString() })];
    const young = await take(csv());
    answers = [send("n\n2\n")];
    expect(await room.read(await take(csv(), young), csv())).toEqual([{ n: 2 }]);
    expect(asked.at(-1)?.headers["if-modified-since"]).toBeUndefined();
  });

  test("is tried again when the server is busy or breaks off, and never taken for a shorter file", async () => {
    const broken: Answer = (_, response) => {
      response.writeHead(200, { "content-length": "1000" });
      response.write("n\n1\n", () => response.destroy());
    };
    const chunked: Answer = (_, response) => {
      response.writeHead(200, { "transfer-encoding": "chunked" });
      response.write("n\n1\n", () => response.destroy());
    };
    answers = [status(503), broken, chunked, send("n\n1\n2\n3\n")];
    expect(await take(csv())).toMatchObject({ rows: 3 });
    expect(asked).toHaveLength(4);
    answers = [broken];
    await expect(take(csv())).rejects.toMatchObject({ code: "SOURCE_UNREACHABLE", kind: "unavailable" });
    expect(asked).toHaveLength(8);
    expect(room.leftovers()).toEqual([]);
  });

  test("is waited for as long as the server asks", async () => {
    const slow = new HttpFiles({ waits: [60_000] });
    answers = [status(429, { "retry-after": "0" }), send("n\n1\n")];
    const [file] = await slow.list(`${origin}/a.csv`);
    if (file === undefined) throw new Error("no file");
    const to = join(room.directory, "copy");
    await slow.copy(`${origin}/a.csv`, file, { to, known: null, headers: {}, maxBytes: 1e6 });
    expect(readFileSync(to, "utf8")).toBe("n\n1\n");
  });

  test.each([
    [404, "SOURCE_FILE_MISSING"],
    [401, "SOURCE_DENIED"],
    [403, "SOURCE_DENIED"],
    [400, "SOURCE_ANSWER_UNEXPECTED"],
    [206, "SOURCE_ANSWER_UNEXPECTED"],
    [304, "SOURCE_ANSWER_UNEXPECTED"],
  ])("that answers %i is an error at once", async (code, expected) => {
    answers = [status(code)];
    await expect(take(csv())).rejects.toMatchObject({ code: expected, message: expect.stringContaining(`${origin}/a.csv`) });
    expect(asked).toHaveLength(1);
  });

  test("that is larger than allowed is refused, announced or not", async () => {
    answers = [send("n\n1\n2\n3\n")];
    await expect(take(csv("/a.csv", { maxBytes: 5 }))).rejects.toMatchObject({ code: "SOURCE_TOO_LARGE" });
    answers = [(_, response) => response.writeHead(200).end("n\n1\n2\n3\n")];
    await expect(take(csv("/a.csv", { maxBytes: 5 }))).rejects.toMatchObject({ code: "SOURCE_TOO_LARGE" });
    expect(await take(csv("/a.csv", { maxBytes: 8 }))).toMatchObject({ rows: 3 });
    expect(room.leftovers()).toEqual([]);
  });

  test("sends headers from secrets, and shows neither them nor parameters", async () => {
    process.env.ORRERY_TEST_TOKEN = "Bearer s3cret";
    answers = [send("n\n1\n", { etag: '"v"' })];
    const definition = csv("/a.csv?signature=private", { headers: { authorization: secret.env("ORRERY_TEST_TOKEN") } });
    const snapshot = await take(definition);
    expect(asked[0]?.headers.authorization).toBe("Bearer s3cret");
    expect(asked[0]?.url).toBe("/a.csv?signature=private");
    answers = [status(404)];
    const error: unknown = await take(definition).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: "SOURCE_FILE_MISSING" });
    for (const text of [JSON.stringify(snapshot), JSON.stringify(error), String(error)])
      expect(text).not.toMatch(/s3cret|private/);
    delete process.env.ORRERY_TEST_TOKEN;
    await expect(take(definition)).rejects.toMatchObject({ code: "SECRET_MISSING" });
    await expect(
      take(source.csv("web", { path: "http://me:pw@127.0.0.1/a.csv", columns: { n: int32() } })),
    ).rejects.toMatchObject({
      code: "SOURCE_ADDRESS_INVALID",
      message: expect.not.stringContaining("pw"),
    });
  });
});

describe("redirects", () => {
  test("are followed, with the source's headers to its own origin only", async () => {
    process.env.ORRERY_TEST_TOKEN = "s3cret";
    const elsewhere: IncomingMessage[] = [];
    const other = createServer((request, response) => {
      elsewhere.push(request);
      send("n\n1\n")(request, response);
    });
    const port = await listen(other);
    answers = [status(302, { location: "/moved.csv" }), status(307, { location: `http://127.0.0.1:${port}/there.csv` })];
    const definition = csv("/a.csv", { headers: { "x-api-key": secret.env("ORRERY_TEST_TOKEN") } });
    expect(await take(definition)).toMatchObject({ rows: 1, parts: [{ file: "a.csv" }] });
    expect(asked.map(({ url, headers }) => [url, headers["x-api-key"]])).toEqual([
      ["/a.csv", "s3cret"],
      ["/moved.csv", "s3cret"],
    ]);
    expect(elsewhere.map(({ url, headers }) => [url, headers["x-api-key"]])).toEqual([["/there.csv", undefined]]);
    delete process.env.ORRERY_TEST_TOKEN;
    other.closeAllConnections();
    other.close();
  });

  test("in a circle end", async () => {
    answers = [status(302, { location: "/a.csv" })];
    await expect(take(csv())).rejects.toMatchObject({ code: "SOURCE_REDIRECT_REFUSED" });
    expect(asked).toHaveLength(6);
  });

  test.each(["http://example.com/a", "ftp://example.com/a", "file:///etc/passwd", "http://", "javascript:1"])(
    "from https to %s are not followed",
    (location) => {
      expect(() => redirectTarget(new URL("https://example.com/b"), location, "b")).toThrow(
        expect.objectContaining({ code: "SOURCE_REDIRECT_REFUSED" }),
      );
    },
  );

  test.skipIf(!openssl.found)(`over TLS do not lead out of it ${openssl.reason}`.trimEnd(), async () => {
    const folder = mkdtempSync(join(tmpdir(), "orrery-tls-"));
    const { certFile, keyFile } = makeCertificate(folder, "files");
    const trusted = getCACertificates("default");
    const secure = createTlsServer({ cert: readFileSync(certFile), key: readFileSync(keyFile) }, (request, response) =>
      request.url === "/a.csv"
        ? send("n\n1\n")(request, response)
        : status(302, { location: `${origin}/a.csv` })(request, response),
    );
    const port = await listen(secure);
    const at = (path: string) => source.csv("web", { path: `https://127.0.0.1:${port}${path}`, columns: { n: int32() } });
    await expect(take(at("/a.csv"))).rejects.toMatchObject({
      code: "SOURCE_UNREACHABLE",
      message: expect.stringMatching(/certificate/),
    });
    setDefaultCACertificates([...trusted, readFileSync(certFile, "utf8")]);
    expect(await take(at("/a.csv"))).toMatchObject({ rows: 1 });
    await expect(take(at("/out.csv"))).rejects.toMatchObject({ code: "SOURCE_REDIRECT_REFUSED" });
    setDefaultCACertificates(trusted);
    secure.closeAllConnections();
    secure.close();
    rmSync(folder, { recursive: true });
  });

  test.each([
    ["127.0.0.1", true],
    ["10.1.2.3", true],
    ["172.31.255.255", true],
    ["192.168.1.1", true],
    ["169.254.169.254", true],
    ["100.64.0.1", true],
    ["0.0.0.0", true],
    ["::1", true],
    ["::", true],
    ["fe80::1", true],
    ["fd00::1", true],
    ["::ffff:127.0.0.1", true],
    ["::ffff:8.8.8.8", false],
    ["8.8.8.8", false],
    ["172.32.0.1", false],
    ["2606:4700::1111", false],
  ])("know that %s is private: %s", (address, expected) => {
    expect(isPrivateAddress(address)).toBe(expected);
  });
});
