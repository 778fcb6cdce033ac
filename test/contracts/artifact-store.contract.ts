import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ArtifactStore } from "../../src/core/ports/index.ts";

export interface ArtifactStoreUnderTest {
  readonly store: ArtifactStore;
  /** A second connection to the same artifacts, as another process would have. */
  reopen(): Promise<ArtifactStore>;
  /** Changes a byte of what is stored, behind the store's back. */
  damage(sha256: string): Promise<void>;
  cleanup(): Promise<void>;
}

const hashOf = (bytes: Uint8Array | string) => createHash("sha256").update(bytes).digest("hex");
const NOWHERE = hashOf("never stored");

async function* chunks(...parts: readonly (Uint8Array | string | Error)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) {
    if (part instanceof Error) throw part;
    yield Buffer.from(part);
  }
}

async function allOf(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const found: Uint8Array[] = [];
  for await (const chunk of stream) found.push(chunk);
  return Buffer.concat(found);
}

/** What every ArtifactStore does, wherever it keeps the bytes. */
export function artifactStoreContract(name: string, open: () => Promise<ArtifactStoreUnderTest>): void {
  describe(`${name} as an artifact store`, () => {
    let under: ArtifactStoreUnderTest;
    let scratch: string;
    beforeEach(async () => {
      under = await open();
      scratch = mkdtempSync(join(tmpdir(), "orrery-artifact-"));
    });
    afterEach(async () => {
      rmSync(scratch, { recursive: true });
      await under.cleanup();
    });

    test("gives back the bytes it was given, under their hash", async () => {
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
          const ref = await under.store.put(bytes, "application/octet-stream");
          expect(ref).toEqual({ sha256: hashOf(bytes), bytes: bytes.length, mediaType: "application/octet-stream" });
          expect(Buffer.from(await under.store.read(ref.sha256))).toEqual(Buffer.from(bytes));
        }),
        { numRuns: 20, seed: 1 },
      );
    });

    test("stores text as UTF-8 and counts bytes, not characters", async () => {
      const ref = await under.store.put("naïve ☃", "text/plain");
      expect(ref).toMatchObject({ sha256: hashOf("naïve ☃"), bytes: Buffer.byteLength("naïve ☃") });
      expect(Buffer.from(await under.store.read(ref.sha256)).toString()).toBe("naïve ☃");
    });

    test("does not keep hold of the array it was given", async () => {
      const bytes = Uint8Array.of(1, 2, 3);
      const ref = await under.store.put(bytes, "application/octet-stream");
      bytes.fill(0);
      expect([...(await under.store.read(ref.sha256))]).toEqual([1, 2, 3]);
    });

    test("takes the same content twice, and at the same time, for one", async () => {
      const refs = await Promise.all(Array.from({ length: 8 }, () => under.store.put("same", "text/plain")));
      expect(new Set(refs.map(({ sha256 }) => sha256)).size).toBe(1);
      expect(await under.store.put("same", "text/plain")).toEqual(refs[0]);
    });

    test("shows to another connection at once what it has stored", async () => {
      const { sha256 } = await under.store.put("shared", "text/plain");
      const other = await under.reopen();
      expect(await other.has(sha256)).toBe(true);
      expect(Buffer.from(await other.read(sha256)).toString()).toBe("shared");
    });

    test("takes a finished file over, under the hash of its bytes", async () => {
      const path = join(scratch, "finished.bin");
      writeFileSync(path, "finished");
      const ref = await under.store.putFile(path, "application/x-thing");
      expect(ref).toEqual({ sha256: hashOf("finished"), bytes: 8, mediaType: "application/x-thing" });
      expect(readFileSync(await under.store.localPath(ref.sha256), "utf8")).toBe("finished");
      writeFileSync(path, "finished");
      expect(await under.store.putFile(path, "application/x-thing")).toEqual(ref);
    });

    test("says which artifact is missing, and that a name which is no hash names nothing", async () => {
      expect(await under.store.has(NOWHERE)).toBe(false);
      for (const name of [NOWHERE, "", "../../etc/passwd", `${NOWHERE}/..`, NOWHERE.toUpperCase()]) {
        expect(await under.store.has(name)).toBe(false);
        await expect(under.store.read(name)).rejects.toMatchObject({ code: "ARTIFACT_MISSING", kind: "not-found" });
        await expect(under.store.localPath(name)).rejects.toMatchObject({ code: "ARTIFACT_MISSING" });
      }
    });

    test("stores a stream, however it is cut, as the same bytes at once", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 6 }), async (parts) => {
          const whole = Buffer.concat(parts);
          const ref = await under.store.putStream(chunks(...parts), "application/x-thing");
          expect(ref).toEqual({ sha256: hashOf(whole), bytes: whole.length, mediaType: "application/x-thing" });
          expect(await allOf(await under.store.readStream(ref.sha256))).toEqual(whole);
        }),
        { numRuns: 15, seed: 2 },
      );
    });

    test("stores a stream of many megabytes whole", async () => {
      const block = Buffer.alloc(3_000_001, "0123456789");
      const parts = Array.from({ length: 13 }, (_, number) => Buffer.concat([block, Buffer.from(String(number))]));
      const ref = await under.store.putStream(chunks(...parts), "application/octet-stream");
      const whole = Buffer.concat(parts);
      expect(ref).toMatchObject({ sha256: hashOf(whole), bytes: whole.length });
      expect(hashOf(await allOf(await under.store.readStream(ref.sha256)))).toBe(ref.sha256);
      expect(hashOf(readFileSync(await under.store.localPath(ref.sha256)))).toBe(ref.sha256);
    });

    test.each([
      ["small", "begun"],
      ["large", Buffer.alloc(40_000_000)],
    ])("leaves nothing of a %s stream that fails, and says why it failed", async (_size, begun) => {
      const failing = chunks(begun, new Error("the sender went away"));
      await expect(under.store.putStream(failing, "text/plain")).rejects.toThrow("the sender went away");
      expect(await under.store.has(hashOf(begun))).toBe(false);
      expect(await Array.fromAsync(under.store.list())).toEqual([]);
    });

    test("reads any range of the bytes, both ends included", async () => {
      const bytes = Buffer.from("0123456789");
      const { sha256 } = await under.store.put(bytes, "text/plain");
      await fc.assert(
        fc.asyncProperty(fc.nat({ max: 9 }), fc.nat({ max: 9 }), async (one, other) => {
          const range = { from: Math.min(one, other), to: Math.max(one, other) };
          const found = await allOf(await under.store.readStream(sha256, range));
          expect(found.toString()).toBe(bytes.subarray(range.from, range.to + 1).toString());
        }),
        { numRuns: 12, seed: 3 },
      );
    });

    test("says that an artifact is missing before the first byte of it", async () => {
      await expect(under.store.readStream(NOWHERE)).rejects.toMatchObject({ code: "ARTIFACT_MISSING" });
      await expect(under.store.readStream("../../etc/passwd")).rejects.toMatchObject({ code: "ARTIFACT_MISSING" });
    });

    test("lists what it has with its size, and forgets what is removed, once or twice", async () => {
      const before = Date.now() - 5_000;
      const kept = await under.store.put("kept", "text/plain");
      const gone = await under.store.putStream(chunks("go", "ne"), "text/plain");
      const listed = await Array.fromAsync(under.store.list());
      expect(listed.map(({ sha256, bytes }) => [sha256, bytes]).sort()).toEqual(
        [
          [kept.sha256, 4],
          [gone.sha256, 4],
        ].sort(),
      );
      for (const { writtenAt } of listed) expect(writtenAt.getTime()).toBeGreaterThan(before);
      await under.store.remove(gone.sha256);
      await under.store.remove(gone.sha256);
      await under.store.remove("../../etc/passwd");
      expect(await under.store.has(gone.sha256)).toBe(false);
      await expect(under.store.read(gone.sha256)).rejects.toMatchObject({ code: "ARTIFACT_MISSING" });
      expect((await Array.fromAsync(under.store.list())).map(({ sha256 }) => sha256)).toEqual([kept.sha256]);
      expect(await under.store.put("gone", "text/plain")).toEqual({ ...gone });
      expect(Buffer.from(await under.store.read(gone.sha256)).toString()).toBe("gone");
    });

    test("keeps parts aside until they are dropped: by number, replaced by another of the same number, in no list", async () => {
      const { parts } = under.store;
      const second = await parts.put("upload-1", 2, chunks("wor", "ld"));
      await parts.put("upload-1", 1, chunks("hello"));
      const first = await parts.put("upload-1", 1, chunks("Hello "));
      expect(second).toEqual({ number: 2, sha256: hashOf("world"), bytes: 5 });
      expect(await parts.list("upload-1")).toEqual([first, second]);
      const other = await under.reopen();
      expect(await other.parts.list("upload-1")).toEqual([first, second]);
      const read = await Promise.all([first, second].map(async (part) => allOf(await other.parts.read("upload-1", part))));
      expect(Buffer.concat(read).toString()).toBe("Hello world");
      expect(await Array.fromAsync(under.store.list())).toEqual([]);
      await parts.drop("upload-1");
      await parts.drop("upload-1");
      expect(await parts.list("upload-1")).toEqual([]);
      await expect(parts.read("upload-1", first)).rejects.toMatchObject({ code: "ARTIFACT_MISSING" });
    });

    test("leaves nothing of a part that fails, and takes no name with a path in it", async () => {
      const { parts } = under.store;
      await expect(parts.put("upload-2", 1, chunks("x", new Error("gone")))).rejects.toThrow("gone");
      expect(await parts.list("upload-2")).toEqual([]);
      for (const name of ["../upload-2", "a/b", "", "..", "a\\b", "a\0b"]) {
        await expect(parts.put(name, 1, chunks("x"))).rejects.toMatchObject({ code: "ARTIFACT_MISSING" });
        expect(await parts.list(name)).toEqual([]);
        await parts.drop(name);
      }
    });

    test("refuses to give out bytes that no longer match their hash", async () => {
      const { sha256 } = await under.store.put("precious", "text/plain");
      await under.damage(sha256);
      await expect(under.store.read(sha256)).rejects.toMatchObject({ code: "ARTIFACT_CORRUPT", kind: "internal" });
    });
  });
}
