import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { onEachDatabase, type TestDatabase } from "../../../test/fixtures/databases.ts";
import { FilesystemArtifactStore } from "../../adapters/artifacts/filesystem.ts";
import { type MetadataStore, VirtualClock } from "../ports/index.ts";
import { parseTimestamp } from "../time.ts";
import { artifactFilePath, artifactFiles, mediaTypeOf } from "./index.ts";
import type { ArtifactFiles } from "./interfaces.ts";

let folder: string;
let database: TestDatabase;
let store: MetadataStore;
let artifacts: FilesystemArtifactStore;
let files: ArtifactFiles;
const clock = new VirtualClock(parseTimestamp("2013-11-01T00:00:00Z"));
const scope = { workspace: "default", project: "flights" };

async function* bytes(...parts: readonly (string | Error)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) {
    if (part instanceof Error) throw part;
    yield Buffer.from(part);
  }
}

const textOf = async (path: string) => {
  const { stream } = await files.read(path);
  return Buffer.concat(await Array.fromAsync<Uint8Array>(stream)).toString();
};
const pathsOf = async (from: string) => (await Array.fromAsync(files.walk(from))).map(({ path }) => path);
const put = async (...paths: readonly string[]) => {
  for (const path of paths) await files.write(path, bytes(path));
};

await onEachDatabase((open) => {
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "orrery-tree-"));
    database = await open(clock);
    store = database.store;
    artifacts = new FilesystemArtifactStore(join(folder, "artifacts"));
    files = artifactFiles(store, artifacts, clock, scope);
  });
  afterEach(async () => {
    await database.drop();
    rmSync(folder, { recursive: true });
  });

  describe("the tree of artifacts", () => {
    test("gives back what was written, with its hash, size and type", async () => {
      const file = await files.write("0/run-1/artifacts/model/MLmodel", bytes("flavors", ": {}"));
      expect(file).toMatchObject({ path: "0/run-1/artifacts/model/MLmodel", bytes: 11, mediaType: "text/plain" });
      expect(await files.stat(file.path)).toEqual(file);
      expect(await textOf(file.path)).toBe("flavors: {}");
      const { stream } = await files.read(file.path, { from: 2, to: 4 });
      expect(Buffer.concat(await Array.fromAsync<Uint8Array>(stream)).toString()).toBe("avo");
    });

    test("a file that comes again takes the place of the first", async () => {
      await files.write("a/b.txt", bytes("one"));
      await files.write("a/b.txt", bytes("two"), "text/x-second");
      expect(await textOf("a/b.txt")).toBe("two");
      expect(await files.stat("a/b.txt")).toMatchObject({ mediaType: "text/x-second" });
      expect(await pathsOf("")).toEqual(["a/b.txt"]);
    });

    test("names bytes that are in the store already", async () => {
      const ref = await artifacts.put("here before", "text/plain");
      expect(await files.place("a/b.txt", ref)).toEqual({ ...ref, path: "a/b.txt" });
      expect(await textOf("a/b.txt")).toBe("here before");
    });

    test("a missing artifact and a folder are unknown at once", async () => {
      await put("a/b.txt");
      for (const path of ["a", "a/c.txt", "a/b.txt/c", "none"]) {
        await expect(files.stat(path)).rejects.toMatchObject({ code: "TRACKING_ARTIFACT_UNKNOWN", kind: "not-found" });
        await expect(files.read(path)).rejects.toMatchObject({ code: "TRACKING_ARTIFACT_UNKNOWN" });
      }
    });

    test("a file of a stream that fails is not there, and the one before it still is", async () => {
      await put("a/b.txt");
      await expect(files.write("a/b.txt", bytes("half", new Error("gone away")))).rejects.toThrow("gone away");
      await expect(files.write("a/c.txt", bytes("half", new Error("gone away")))).rejects.toThrow("gone away");
      expect(await textOf("a/b.txt")).toBe("a/b.txt");
      expect(await pathsOf("")).toEqual(["a/b.txt"]);
      expect(readdirSync(join(folder, "artifacts/tmp"))).toEqual([]);
    });

    test("lists direct children by name, folders without a size", async () => {
      await put("r/a.txt", "r/a/x", "r/a/y/z", "r/a-b", "r/é", "r/Z", "r/b/1", "s/x");
      expect(await files.list("r")).toEqual([
        { path: "Z", isFolder: false, bytes: 3 },
        { path: "a", isFolder: true, bytes: null },
        { path: "a-b", isFolder: false, bytes: 5 },
        { path: "a.txt", isFolder: false, bytes: 7 },
        { path: "b", isFolder: true, bytes: null },
        { path: "é", isFolder: false, bytes: 4 },
      ]);
      expect(await files.list("r/")).toEqual(await files.list("r"));
      expect((await files.list("")).map(({ path }) => path)).toEqual(["r", "s"]);
      expect(await files.list("r/a.txt")).toEqual([]);
      expect(await files.list("none")).toEqual([]);
    });

    test("lists and walks as a tree of folders would, whatever the names", async () => {
      const name = fc.constantFrom("a", "a.b", "a-", "a0", "b", "ü", "\u{1f600}", "\uffee", "%", "_");
      await fc.assert(
        fc.asyncProperty(fc.array(fc.array(name, { minLength: 1, maxLength: 3 }), { maxLength: 12 }), async (wanted) => {
          for (const { path } of await files.list("")) await files.delete(path);
          const there = new Set<string>();
          for (const parts of wanted) {
            const path = parts.join("/");
            const clash = [...there].some((other) => other.startsWith(`${path}/`) || path.startsWith(`${other}/`));
            const written = files.write(path, bytes("x"));
            if (clash) await expect(written).rejects.toMatchObject({ code: "TRACKING_PATH_TAKEN", kind: "conflict" });
            else there.add((await written).path);
          }
          const ordered = [...there].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
          expect(await pathsOf("")).toEqual(ordered);
          for (const folder of ["", "a", "a/a", "ü"]) {
            const prefix = folder === "" ? "" : `${folder}/`;
            const inside = ordered.filter((path) => path.startsWith(prefix)).map((path) => path.slice(prefix.length));
            const names = [...new Set(inside.map((path) => path.split("/")[0] ?? ""))];
            names.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
            const listed = await files.list(folder);
            expect(listed.map(({ path }) => path)).toEqual(names);
            for (const { path, isFolder } of listed) expect(isFolder).toBe(!inside.includes(path));
          }
        }),
        { numRuns: 40, seed: 4 },
      );
    });

    test("lists the parent of a folder with 20,000 files in a few questions", async () => {
      const ref = await artifacts.put("x", "text/plain");
      const row = { ...scope, sha256: ref.sha256, bytes: 1, media_type: "text/plain", written_at: clock.now() };
      const many = Array.from({ length: 20_000 }, (_, number) => ({ ...row, path: `r/many/${number}` }));
      await store.insertMany(store.db, "artifact_files", [...many, { ...row, path: "r/a" }, { ...row, path: "r/z/1" }]);
      let questions = 0;
      const counting: MetadataStore = Object.create(store, {
        db: {
          get() {
            questions += 1;
            return store.db;
          },
        },
      });
      const listed = await artifactFiles(counting, artifacts, clock, scope).list("r");
      expect(listed.map(({ path }) => path)).toEqual(["a", "many", "z"]);
      expect(questions).toBeLessThan(4);
      expect(await pathsOf("r/many")).toHaveLength(20_000);
      expect(await files.list("r/many")).toHaveLength(20_000);
    });

    test("deletes a file, or everything below a folder, and nothing whose name only begins alike", async () => {
      await put("r/a/1", "r/a/b/2", "r/a.txt", "r/ab", "r/c");
      await files.delete("r/a");
      expect(await pathsOf("r")).toEqual(["r/a.txt", "r/ab", "r/c"]);
      await files.delete("r/c");
      await files.delete("r/none");
      expect(await pathsOf("r")).toEqual(["r/a.txt", "r/ab"]);
      await expect(files.delete("")).rejects.toMatchObject({ code: "TRACKING_PATH_INVALID" });
      await expect(files.delete("/")).rejects.toMatchObject({ code: "TRACKING_PATH_INVALID" });
    });

    test("walks a single file, and one folder but not its neighbours", async () => {
      await put("r/a/1", "r/a0", "r/b");
      expect(await pathsOf("r/a")).toEqual(["r/a/1"]);
      expect(await pathsOf("r/b")).toEqual(["r/b"]);
      expect(await pathsOf("r/none")).toEqual([]);
    });

    test("belongs to one project", async () => {
      await put("a/b.txt");
      const other = artifactFiles(store, artifacts, clock, { ...scope, project: "trains" });
      await expect(other.stat("a/b.txt")).rejects.toMatchObject({ code: "TRACKING_ARTIFACT_UNKNOWN" });
      expect(await other.list("")).toEqual([]);
      await other.delete("a");
      expect(await textOf("a/b.txt")).toBe("a/b.txt");
    });

    test("of two that write file and folder of one name at once, one is refused", async () => {
      const written = await Promise.allSettled([put("x/y"), put("x")]);
      expect(written.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
      expect(await pathsOf("")).toHaveLength(1);
    });
  });

  describe("a path in the tree", () => {
    test.each([
      ["traversal", ["..", "../a", "a/../../b", "a/..", "a/./b", "."]],
      ["traversal, encoded", ["%2e%2e/a", "a/%2E%2E/b", "..%2fa", "%2e", "a%2f..%2fb"]],
      ["traversal, encoded twice and more", ["%252e%252e/a", "%25252e%25252e%25252fa", "a%252f..%252f..%252fb"]],
      ["absolute", ["/etc/passwd", "//etc", "%2fetc/passwd", "%252Fetc", "file:///etc/passwd", "a//b", "a/", "/"]],
      ["backslash", ["..\\a", "a\\..\\b", "\\\\host\\share", "a%5cb", "a%255Cb"]],
      ["drive letter", ["C:\\a", "c:/a", "C:a", "%43:/a", "c%3a/a"]],
      ["NUL", ["a\0", "a%00", "a%2500.txt", "%00"]],
      ["control character", ["a\nb", "a\x7fb", "\u0085", "%C2%85"]],
      ["fragment", ["a#b", "a%23b", "a%2523"]],
      ["overlong", ["a".repeat(256), `${"a/".repeat(1_200)}b`, "é".repeat(128), "%".repeat(20_000)]],
      ["empty", [""]],
      ["no text", ["a\ud800"]],
    ])("is refused: %s", async (_hole, paths) => {
      for (const path of paths) {
        const refused = { code: "TRACKING_PATH_INVALID", kind: "invalid" };
        await expect(files.write(path, bytes("x")), path).rejects.toMatchObject(refused);
        await expect(files.stat(path), path).rejects.toMatchObject(refused);
        await expect(files.read(path), path).rejects.toMatchObject(refused);
        await expect(files.uploads.begin(path), path).rejects.toMatchObject(refused);
        expect(await pathsOf("")).toEqual([]);
        // A folder may end in a slash, and "" is the root.
        if (path === "" || path === "a/") continue;
        await expect(files.list(path), path).rejects.toMatchObject(refused);
        await expect(files.delete(path), path).rejects.toMatchObject(refused);
      }
    });

    test("has one form, however often it is encoded", async () => {
      await files.write("run/a b%20c/ü.txt", bytes("x"));
      expect(await pathsOf("")).toEqual(["run/a b c/ü.txt"]);
      for (const path of ["run/a b c/ü.txt", "run/a%20b%20c/%C3%BC.txt", "run/a%2520b%2520c/%25C3%25BC.txt"])
        expect(await textOf(path)).toBe("x");
    });

    test("keeps percent signs that encode no character, and comes out the same a second time", () => {
      for (const path of ["dog%step%100%timestamp%1732512345%x.png", "100%", "50%zz", "%80%ff", "a%1Fb"])
        expect(artifactFilePath(path)).toBe(path);
      fc.assert(
        fc.property(
          fc.array(fc.constantFrom("%", "2", "5", "e", "E", "a", "/", "c", "3", "b"), { maxLength: 30 }),
          (characters) => {
            let once: string;
            try {
              once = artifactFilePath(characters.join(""));
            } catch {
              return;
            }
            expect(artifactFilePath(once)).toBe(once);
            expect(once.split("/")).not.toContain("..");
          },
        ),
        { numRuns: 2_000, seed: 5 },
      );
    });
  });

  describe("an upload in parts", () => {
    test("is at its path when all parts are there, in their order, whatever the order they came in", async () => {
      const { uploads } = files;
      const id = await uploads.begin("a/big.bin");
      const [two, one] = await Promise.all([
        uploads.writePart("a/big.bin", id, 2, bytes("world")),
        uploads.writePart("a/big.bin", id, 1, bytes("Hello ")),
      ]);
      await expect(files.stat("a/big.bin")).rejects.toMatchObject({ code: "TRACKING_ARTIFACT_UNKNOWN" });
      const parts = [
        { number: 2, sha256: two.sha256 },
        { number: 1, sha256: one.sha256 },
      ];
      const file = await uploads.complete("a/big.bin", id, parts);
      expect(file).toMatchObject({ path: "a/big.bin", bytes: 11 });
      expect(await textOf("a/big.bin")).toBe("Hello world");
      await expect(uploads.complete("a/big.bin", id, parts)).rejects.toMatchObject({ code: "TRACKING_UPLOAD_UNKNOWN" });
    });

    test("does not complete with a part missing, changed or left out", async () => {
      const { uploads } = files;
      const id = await uploads.begin("a/big.bin");
      const one = await uploads.writePart("a/big.bin", id, 1, bytes("one"));
      const two = await uploads.writePart("a/big.bin", id, 2, bytes("two"));
      const [first, second] = [
        { number: 1, sha256: one.sha256 },
        { number: 2, sha256: two.sha256 },
      ];
      for (const parts of [
        [],
        [first],
        [second],
        [first, { number: 3, sha256: two.sha256 }],
        [first, { ...second, sha256: one.sha256 }],
      ])
        await expect(uploads.complete("a/big.bin", id, parts)).rejects.toMatchObject({ code: "TRACKING_UPLOAD_INCOMPLETE" });
      await expect(uploads.complete("a/big.bin", id, [first, first])).rejects.toMatchObject({
        code: "TRACKING_UPLOAD_INCOMPLETE",
      });
      for (const number of [0, -1, 1.5, 10_001, Number.NaN])
        await expect(uploads.writePart("a/big.bin", id, number, bytes("x"))).rejects.toMatchObject({
          code: "TRACKING_UPLOAD_INCOMPLETE",
        });
      await uploads.complete("a/big.bin", id, [first, second]);
      expect(await textOf("a/big.bin")).toBe("onetwo");
    });

    test("has an id that is good for its own path and project only", async () => {
      const id = await files.uploads.begin("a/one.bin");
      const { sha256 } = await files.uploads.writePart("a/one.bin", id, 1, bytes("one"));
      const parts = [{ number: 1, sha256 }];
      const elsewhere = artifactFiles(store, artifacts, clock, { ...scope, project: "trains" }).uploads;
      await expect(files.uploads.complete("a/two.bin", id, parts)).rejects.toMatchObject({ code: "TRACKING_UPLOAD_UNKNOWN" });
      await expect(elsewhere.complete("a/one.bin", id, parts)).rejects.toMatchObject({ code: "TRACKING_UPLOAD_UNKNOWN" });
      await elsewhere.abort("a/one.bin", id);
      for (const wrong of ["", "../x", id.toUpperCase(), `${id}0`, "0".repeat(64)])
        await expect(files.uploads.complete("a/one.bin", wrong, parts)).rejects.toMatchObject({
          code: "TRACKING_UPLOAD_UNKNOWN",
        });
      expect(await files.uploads.complete("a/one.bin", id, parts)).toMatchObject({ bytes: 3 });
    });

    test("leaves nothing when it is aborted", async () => {
      const id = await files.uploads.begin("a/one.bin");
      const { sha256 } = await files.uploads.writePart("a/one.bin", id, 1, bytes("one"));
      await files.uploads.abort("a/one.bin", id);
      await files.uploads.abort("a/one.bin", id);
      await expect(files.uploads.complete("a/one.bin", id, [{ number: 1, sha256 }])).rejects.toMatchObject({
        code: "TRACKING_UPLOAD_UNKNOWN",
      });
      expect(readdirSync(join(folder, "artifacts/parts"))).toEqual([]);
      expect(await pathsOf("")).toEqual([]);
    });
  });
});

test("a file's type is that of its name", () => {
  const types = {
    "a.txt": "text/plain",
    "b.pkl": "application/octet-stream",
    "c.PNG": "image/png",
    MLmodel: "text/plain",
    "x/.py": "application/octet-stream",
    "page.html": "text/html",
    none: "application/octet-stream",
  };
  for (const [path, type] of Object.entries(types)) expect(mediaTypeOf(path), path).toBe(type);
});
