import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { type DataRoom, NOW, openDataRoom } from "../../../test/fixtures/data-room.ts";
import { startS3Server } from "../../../test/fixtures/s3-server.ts";
import { ingest, type Snapshot } from "../../core/data/index.ts";
import { int32, type SourceDefinition, source } from "../../core/definitions/index.ts";
import type { RemoteFiles, SourceInputs } from "../../core/ports/index.ts";
import { parseS3Address } from "../artifacts/s3-address.ts";
import { connectS3 } from "../artifacts/s3-client.ts";
import { openSourceInputs } from "./open-inputs.ts";
import { S3Files } from "./s3.ts";

process.env.AWS_ACCESS_KEY_ID = "test";
process.env.AWS_SECRET_ACCESS_KEY = "test";

const server = await startS3Server();
afterAll(() => server?.stop());

let buckets = 0;

describe.skipIf(server === null)("S3 objects as a source", () => {
  let room: DataRoom;
  let bucket: Awaited<ReturnType<typeof connectS3>>;
  let copied: string[];
  let inputs: SourceInputs;
  beforeEach(async () => {
    room = await openDataRoom();
    bucket = await connectS3(parseS3Address(`s3://sources-${buckets++}?endpoint=${server?.endpoint}`));
    await bucket.client.send(new bucket.library.CreateBucketCommand({ Bucket: bucket.bucket }));
    copied = [];
    const s3 = new S3Files({ waits: [1, 2] });
    /** Counts what is really copied. */
    const counting: RemoteFiles = {
      list: (address, isWanted) => s3.list(address, isWanted),
      async copy(address, file, options) {
        const result = await s3.copy(address, file, options);
        if (result !== null) copied.push(file.address);
        return result;
      },
    };
    inputs = { ...openSourceInputs(), files: { ...openSourceInputs().files, s3: counting } };
  });
  afterEach(() => room.close());

  const put = (Key: string, Body: string | Uint8Array, more: { ContentEncoding?: string } = {}) =>
    bucket.client.send(new bucket.library.PutObjectCommand({ Bucket: bucket.bucket, Key, Body, ...more }));
  const address = (path: string) => `s3://${bucket.bucket}/${path}?endpoint=${server?.endpoint}`;
  const csv = (path: string) => source.csv("objects", { path: address(path), columns: { n: int32(), day: int32() } });
  const take = (of: SourceDefinition, previous?: Snapshot) =>
    ingest({ engine: room.engine, artifacts: room.artifacts, tmpDirectory: room.tmpDirectory, inputs }, of, {
      projectDirectory: room.directory,
      asOf: NOW,
      createdAt: NOW,
      ...(previous === undefined ? {} : { previous }),
    });
  const numbers = async (snapshot: Snapshot, of: SourceDefinition) =>
    (await room.read(snapshot, of, {}, "ORDER BY n")).map(({ n, day }) => [n, day]);

  test("are found by key, by pattern and by prefix, and their folders are columns", async () => {
    await put("in/day=1/a.csv", "n\n1\n");
    await put("in/day=2/b.csv.gz", gzipSync("n\n2\n"));
    await put("in/day=2/c.txt", "n\n3\n", {});
    await put("in/day=2/_done/d.csv", "n\n4\n");
    await put("in/day=2/e.json", "{}");
    await put("in/day=3/", "");
    await put("inner/day=4/f.csv", "n\n5\n");
    for (const [path, expected] of [
      ["in/day=1/a.csv", [[1, 1]]],
      [
        "in/day=*/*.csv*",
        [
          [1, 1],
          [2, 2],
        ],
      ],
      [
        "in/**/*.csv",
        [
          [1, 1],
          [4, 2],
        ],
      ],
      [
        "in",
        [
          [1, 1],
          [2, 2],
          [3, 2],
        ],
      ],
      [
        "in/",
        [
          [1, 1],
          [2, 2],
          [3, 2],
        ],
      ],
    ] as const)
      expect(await numbers(await take(csv(path)), csv(path)), path).toEqual(expected);
    expect(room.leftovers()).toEqual([]);
  });

  test("that have not changed are not copied again", async () => {
    await put("in/day=1/a.csv", "n\n1\n");
    await put("in/day=1/b.csv", "n\n2\n");
    const first = await take(csv("in"));
    expect(copied).toHaveLength(2);
    copied = [];
    expect((await take(csv("in"), first)).parts).toEqual(first.parts);
    expect(copied).toEqual([]);
    await put("in/day=1/b.csv", "n\n3\n");
    await put("in/day=1/c.csv", "n\n4\n");
    const second = await take(csv("in"), first);
    expect(copied).toEqual([`s3://${bucket.bucket}/in/day=1/b.csv`, `s3://${bucket.bucket}/in/day=1/c.csv`]);
    expect(await numbers(second, csv("in"))).toEqual([
      [1, 1],
      [3, 1],
      [4, 1],
    ]);
    expect(await numbers(first, csv("in"))).toEqual([
      [1, 1],
      [2, 1],
    ]);
  });

  test("that are compressed on the way only are unpacked", async () => {
    await put("in/day=1/a.csv", gzipSync("n\n1\n"), { ContentEncoding: "gzip" });
    expect(await numbers(await take(csv("in")), csv("in"))).toEqual([[1, 1]]);
  });

  test("of more than one page of a listing are all read", async () => {
    const keys = Array.from({ length: 1005 }, (_, i) => `many/${String(i).padStart(5, "0")}.csv`);
    for (let at = 0; at < keys.length; at += 50)
      await Promise.all(keys.slice(at, at + 50).map((key) => put(key, "n,day\n1,1\n")));
    const files = await new S3Files().list(address("many"), () => true);
    expect(files).toHaveLength(1005);
  }, 60_000);

  test("that were replaced after they were listed are not mixed up", async () => {
    await put("a.csv", "n,day\n1,1\n");
    const s3 = new S3Files({ waits: [] });
    const [file] = await s3.list(address("a.csv"), () => true);
    if (file === undefined) throw new Error("no file");
    await put("a.csv", "n,day\n2,2\n");
    const options = { to: `${room.directory}/copy`, known: null, headers: {}, maxBytes: 1e6 };
    await expect(s3.copy(address("a.csv"), file, options)).rejects.toMatchObject({
      code: "SOURCE_FILE_CHANGED",
      kind: "conflict",
    });
    await expect(s3.copy(address("a.csv"), { ...file, version: null }, { ...options, maxBytes: 3 })).rejects.toMatchObject({
      code: "SOURCE_TOO_LARGE",
    });
  });

  test.each([
    ["nothing matches", () => address("nothing/*.csv"), "SOURCE_FILE_MISSING"],
    ["there is no bucket", () => `s3://no-such-bucket-here/x?endpoint=${server?.endpoint}`, "SOURCE_FILE_MISSING"],
    ["nobody answers", () => `s3://${bucket.bucket}/x?endpoint=http://127.0.0.1:1`, "SOURCE_UNREACHABLE"],
    ["the address is none", () => "s3://x", "SOURCE_ADDRESS_INVALID"],
    ["the address holds credentials", () => `s3://key:secret@${bucket.bucket}/x`, "SOURCE_ADDRESS_INVALID"],
  ])("are an error where %s", async (_, path, code) => {
    const definition = source.csv("objects", { path: path(), columns: { n: int32() } });
    await expect(take(definition)).rejects.toMatchObject({ code, message: expect.not.stringMatching(/secret|artifact/) });
  });
});
