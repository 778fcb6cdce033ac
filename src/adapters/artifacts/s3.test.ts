import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { artifactStoreContract } from "../../../test/contracts/artifact-store.contract.ts";
import { startS3Server } from "../../../test/fixtures/s3-server.ts";
import { openS3 } from "./s3.ts";
import { parseS3Address } from "./s3-address.ts";
import { connectS3 } from "./s3-client.ts";
import { sweepS3 } from "./s3-sweep.ts";

process.env.AWS_ACCESS_KEY_ID = "test";
process.env.AWS_SECRET_ACCESS_KEY = "test";

const server = await startS3Server();
afterAll(() => server?.stop());

let buckets = 0;

/** A bucket of its own, with a look behind the store's back. */
async function freshBucket() {
  const url = `s3://bucket-${buckets++}/deep/prefix?endpoint=${server?.endpoint}&region=eu-west-1&forcePathStyle=1`;
  const bucket = await connectS3(parseS3Address(url));
  const { client, library } = bucket;
  await client.send(
    new library.CreateBucketCommand({
      Bucket: bucket.bucket,
      CreateBucketConfiguration: { LocationConstraint: "eu-west-1" },
    }),
  );
  const cache = mkdtempSync(join(tmpdir(), "orrery-s3-cache-"));
  return {
    url,
    cache,
    open: () => openS3({ url, cacheFolder: cache }),
    async keys() {
      const { Contents = [] } = await client.send(new library.ListObjectsV2Command({ Bucket: bucket.bucket }));
      return Contents.map(({ Key = "" }) => Key);
    },
    async uploads() {
      const { Uploads = [] } = await client.send(new library.ListMultipartUploadsCommand({ Bucket: bucket.bucket }));
      return Uploads.length;
    },
    put: (Key: string, Body: string) => client.send(new library.PutObjectCommand({ Bucket: bucket.bucket, Key, Body })),
    bucket,
    beginUpload: (Key: string) => client.send(new library.CreateMultipartUploadCommand({ Bucket: bucket.bucket, Key })),
    end: () => rmSync(cache, { recursive: true, force: true }),
  };
}

async function* megabytes(count: number, failAt = Number.POSITIVE_INFINITY): AsyncGenerator<Uint8Array> {
  for (let each = 0; each < count; each++) {
    if (each === failAt) throw new Error("the sender went away");
    yield randomBytes(1 << 20);
  }
}

describe.skipIf(server === null)("S3", () => {
  artifactStoreContract("A bucket", async () => {
    const bucket = await freshBucket();
    const store = await bucket.open();
    return {
      store,
      reopen: bucket.open,
      damage: async (sha256) => {
        await bucket.put(`deep/prefix/sha256/${sha256.slice(0, 2)}/${sha256.slice(2)}`, "precioux");
      },
      cleanup: async () => bucket.end(),
    };
  });

  test("keeps each under sha256/<two digits>/<the rest> of the prefix, and nothing else once it is there", async () => {
    const bucket = await freshBucket();
    const store = await bucket.open();
    const small = await store.put("x", "text/plain");
    const large = await store.putStream(megabytes(40), "application/octet-stream");
    expect(large.bytes).toBe(40 << 20);
    const keyOf = ({ sha256 }: { sha256: string }) => `deep/prefix/sha256/${sha256.slice(0, 2)}/${sha256.slice(2)}`;
    expect((await bucket.keys()).sort()).toEqual([keyOf(small), keyOf(large)].sort());
    expect(await bucket.uploads()).toBe(0);
    bucket.end();
  });

  test("nothing is left of a long upload whose sender goes away", async () => {
    const bucket = await freshBucket();
    const store = await bucket.open();
    await expect(store.putStream(megabytes(60, 50), "application/octet-stream")).rejects.toThrow("the sender went away");
    expect(await bucket.keys()).toEqual([]);
    expect(await bucket.uploads()).toBe(0);
    bucket.end();
  });

  test("a file for engines is fetched once, however many ask, and is there when the bucket is not", async () => {
    const bucket = await freshBucket();
    const { sha256 } = await (await bucket.open()).put("for engines", "text/plain");
    const store = await bucket.open();
    const paths = await Promise.all(Array.from({ length: 8 }, () => store.localPath(sha256)));
    expect(new Set(paths).size).toBe(1);
    expect(readdirSync(bucket.cache)).toContain("sha256");
    bucket.end();
  });

  test("what an upload left behind whose process died is removed a day later, and not before", async () => {
    const bucket = await freshBucket();
    const store = await bucket.open();
    const kept = await store.put("kept", "text/plain");
    await bucket.put("deep/prefix/tmp/left", "half");
    await store.parts.put("upload-1", 1, megabytes(1));
    await bucket.beginUpload(`deep/prefix/tmp/${Date.now()}-begun`);
    await sweepS3(bucket.bucket);
    expect([(await bucket.keys()).length, await bucket.uploads()]).toEqual([3, 1]);
    await sweepS3(bucket.bucket, Date.now() + 25 * 60 * 60_000);
    expect(await bucket.keys()).toEqual([`deep/prefix/sha256/${kept.sha256.slice(0, 2)}/${kept.sha256.slice(2)}`]);
    expect(await bucket.uploads()).toBe(0);
    bucket.end();
  });

  test("an object that changed fails whoever reads all of it, at its end", async () => {
    const bucket = await freshBucket();
    const store = await bucket.open();
    const { sha256 } = await store.put("precious", "text/plain");
    await bucket.put(`deep/prefix/sha256/${sha256.slice(0, 2)}/${sha256.slice(2)}`, "precioux");
    await expect(Array.fromAsync(await store.readStream(sha256))).rejects.toMatchObject({ code: "ARTIFACT_CORRUPT" });
    await expect(store.localPath(sha256)).rejects.toMatchObject({ code: "ARTIFACT_CORRUPT" });
    bucket.end();
  });

  test("says which bucket is not there", async () => {
    const url = `s3://no-such-bucket?endpoint=${server?.endpoint}&forcePathStyle=1`;
    const cacheFolder = mkdtempSync(join(tmpdir(), "orrery-s3-cache-"));
    const store = await openS3({ url, cacheFolder });
    await expect(store.put("x", "text/plain")).rejects.toMatchObject({
      code: "ARTIFACT_STORE_BUCKET_MISSING",
      kind: "unavailable",
    });
    rmSync(cacheFolder, { recursive: true });
  });
});

test("an endpoint where nobody listens is unreachable, and no other address is asked", async () => {
  const cacheFolder = mkdtempSync(join(tmpdir(), "orrery-s3-cache-"));
  const store = await openS3({ url: "s3://bucket?endpoint=http://127.0.0.1:9&forcePathStyle=1", cacheFolder });
  await expect(store.put("x", "text/plain")).rejects.toMatchObject({ code: "ARTIFACT_STORE_UNREACHABLE", kind: "unavailable" });
  rmSync(cacheFolder, { recursive: true });
});

describe("the address of a bucket", () => {
  test("names bucket, prefix, endpoint and region", () => {
    expect(parseS3Address("s3://models/a/b?endpoint=http://minio:9000&region=eu-west-1&forcePathStyle=1")).toMatchObject({
      bucket: "models",
      prefix: "a/b/",
      region: "eu-west-1",
      forcePathStyle: true,
    });
  });

  test.each([
    "s3://",
    "http://bucket",
    "s3://bucket?endpoint=file:///etc/passwd",
    "s3://bucket?endpiont=http://x",
    "s3://Bucket With Spaces",
  ])("refuses %s", (url) => {
    expect(() => parseS3Address(url)).toThrow(expect.objectContaining({ code: "ARTIFACT_STORE_SETTING_INVALID" }));
  });
});
