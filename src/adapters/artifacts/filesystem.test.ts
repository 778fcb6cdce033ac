import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { artifactStoreContract } from "../../../test/contracts/artifact-store.contract.ts";
import { FilesystemArtifactStore } from "./filesystem.ts";

const freshFolder = () => mkdtempSync(join(tmpdir(), "orrery-artifacts-"));

artifactStoreContract("A folder", async () => {
  const root = freshFolder();
  const store = new FilesystemArtifactStore(root);
  return {
    store,
    reopen: async () => new FilesystemArtifactStore(root),
    damage: async (sha256) => writeFileSync(await store.localPath(sha256), "precioux"),
    cleanup: async () => rmSync(root, { recursive: true }),
  };
});

describe("a folder of artifacts", () => {
  test("keeps each under sha256/<two digits>/<the rest>, and nothing else once it is written", async () => {
    const root = freshFolder();
    const store = new FilesystemArtifactStore(root);
    const { sha256 } = await store.put("x", "text/plain");
    expect(readFileSync(join(root, "sha256", sha256.slice(0, 2), sha256.slice(2)), "utf8")).toBe("x");
    expect(readdirSync(join(root, "tmp"))).toEqual([]);
    rmSync(root, { recursive: true });
  });

  test("says that it cannot be written, and leaves a file where it was that it could not take over", async () => {
    const root = freshFolder();
    // A file where the folder should be cannot be written into by anyone, the superuser included.
    writeFileSync(join(root, "blocked"), "");
    const store = new FilesystemArtifactStore(join(root, "blocked"));
    await expect(store.put("x", "text/plain")).rejects.toMatchObject({ code: "ARTIFACT_STORE_READ_ONLY", kind: "unavailable" });
    writeFileSync(join(root, "file"), "y");
    await expect(store.putFile(join(root, "file"), "text/plain")).rejects.toMatchObject({ code: "ARTIFACT_STORE_READ_ONLY" });
    expect(readFileSync(join(root, "file"), "utf8")).toBe("y");
    rmSync(root, { recursive: true });
  });

  test("says that a file to take over is not there", async () => {
    const root = freshFolder();
    const store = new FilesystemArtifactStore(root);
    await expect(store.putFile(join(root, "none"), "text/plain")).rejects.toMatchObject({ code: "ARTIFACT_FILE_MISSING" });
    rmSync(root, { recursive: true });
  });

  test("symlink in the store's folder: what it points at is neither read, nor listed, nor removed", async () => {
    const root = freshFolder();
    const outside = freshFolder();
    const store = new FilesystemArtifactStore(root);
    const { sha256 } = await store.put("secret", "text/plain");
    const shard = join(root, "sha256", sha256.slice(0, 2));
    const expectNothing = async () => {
      expect(await store.has(sha256)).toBe(false);
      for (const use of [store.read(sha256), store.readStream(sha256), store.localPath(sha256)])
        await expect(use).rejects.toMatchObject({ code: "ARTIFACT_MISSING" });
      expect(await Array.fromAsync(store.list())).toEqual([]);
      await store.remove(sha256);
      expect(readFileSync(join(outside, sha256.slice(2)), "utf8")).toBe("secret");
    };
    renameSync(join(shard, sha256.slice(2)), join(outside, sha256.slice(2)));
    symlinkSync(join(outside, sha256.slice(2)), join(shard, sha256.slice(2)));
    await expectNothing();
    rmSync(shard, { recursive: true });
    symlinkSync(outside, shard);
    await expectNothing();
    for (const folder of [root, outside]) rmSync(folder, { recursive: true });
  });

  test("the folder itself may be a symlink, to another disk say", async () => {
    const disk = freshFolder();
    const root = join(freshFolder(), "artifacts");
    symlinkSync(disk, root);
    const store = new FilesystemArtifactStore(root);
    const { sha256 } = await store.put("x", "text/plain");
    expect(Buffer.from(await store.read(sha256)).toString()).toBe("x");
    rmSync(disk, { recursive: true });
  });

  test("what a process left aside when it died is removed a day later, and not before", async () => {
    const root = freshFolder();
    const longAgo = new Date(Date.now() - 25 * 60 * 60_000);
    for (const name of ["old", "new"]) {
      mkdirSync(join(root, "parts", name), { recursive: true });
      mkdirSync(join(root, "tmp"), { recursive: true });
      writeFileSync(join(root, "tmp", name), "half");
    }
    for (const path of ["tmp/old", "parts/old"]) utimesSync(join(root, path), longAgo, longAgo);
    await new FilesystemArtifactStore(root).put("x", "text/plain");
    expect([readdirSync(join(root, "tmp")), readdirSync(join(root, "parts"))]).toEqual([["new"], ["new"]]);
    rmSync(root, { recursive: true });
  });

  test("what is put again counts as written now, so that garbage collection leaves it", async () => {
    const root = freshFolder();
    const store = new FilesystemArtifactStore(root);
    const longAgo = new Date(Date.now() - 25 * 60 * 60_000);
    const writtenAt = async () => (await Array.fromAsync(store.list()))[0]?.writtenAt.getTime() ?? 0;
    const { sha256 } = await store.put("x", "text/plain");
    const puts = [() => store.put("x", "text/plain"), () => store.putStream(Readable.from([Buffer.from("x")]), "text/plain")];
    for (const put of puts) {
      utimesSync(await store.localPath(sha256), longAgo, longAgo);
      expect(await writtenAt()).toBeLessThan(Date.now() - 24 * 60 * 60_000);
      await put();
      expect(await writtenAt()).toBeGreaterThan(Date.now() - 60_000);
    }
    rmSync(root, { recursive: true });
  });

  test("when the disk takes no more it says so, leaves nothing partial, and keeps what it had", () => {
    const root = freshFolder();
    const script = `
      import { FilesystemArtifactStore } from ${JSON.stringify(new URL("./filesystem.ts", import.meta.url).href)};
      const store = new FilesystemArtifactStore(${JSON.stringify(join(root, "store"))});
      const code = (promise) => promise.then(() => "stored", (error) => error.code);
      const { sha256 } = await store.put("kept", "text/plain");
      const put = await code(store.put(Buffer.alloc(1 << 20, 8), "application/octet-stream"));
      console.log(JSON.stringify([put, Buffer.from(await store.read(sha256)).toString()]));`;
    // A limit on the size of files fails a write half way, as a full disk does, for any user and without a disk of its own.
    const output = execFileSync("bash", [
      "-c",
      `trap '' XFSZ; ulimit -f 256; exec "$0" --input-type=module -e "$1"`,
      process.execPath,
      script,
    ]);
    expect(JSON.parse(output.toString())).toEqual(["ARTIFACT_STORE_FULL", "kept"]);
    expect(readdirSync(join(root, "store", "tmp"))).toEqual([]);
    rmSync(root, { recursive: true });
  });
});
