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

    test("refuses to give out bytes that no longer match their hash", async () => {
      const { sha256 } = await under.store.put("precious", "text/plain");
      await under.damage(sha256);
      await expect(under.store.read(sha256)).rejects.toMatchObject({ code: "ARTIFACT_CORRUPT", kind: "internal" });
    });
  });
}
