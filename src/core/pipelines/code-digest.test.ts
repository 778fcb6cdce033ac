import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { cacheKey, canonicalJson } from "./cache-key.ts";
import { codeDigest } from "./index.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "orrery-digest-"));
  write("package.json", '{ "name": "project", "type": "module", "imports": { "#own": "./own.ts" } }');
});
afterEach(() => rmSync(folder, { recursive: true }));

let written = 0;
function write(name: string, text: string, root = folder): void {
  const path = join(root, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  // Tests write faster than some file systems tell times apart.
  utimesSync(path, 1_000_000 + ++written, 1_000_000 + written);
}
const url = (name: string, root = folder) => pathToFileURL(join(root, name)).href;
const digest = async (entry = "step.ts", files?: string[]) =>
  (
    await codeDigest(
      url(entry),
      files?.map((file) => url(file)),
    )
  ).sha256;
const files = async (entry = "step.ts") => (await codeDigest(url(entry))).files.map((file) => relative(folder, file)).toSorted();

describe("what a digest covers", () => {
  test("everything that a module loads, however it says so", async () => {
    write(
      "step.ts",
      `import { a } from "./lib/a.ts"; import data from "./data.json" with { type: "json" }; export * from "./again.ts";
       import "#own"; const later = () => import("./later.ts"); const some = (x: string) => import(\`./many/\${x}.ts\`);
       const sql = new URL("./query.sql", import.meta.url); import type { T } from "./types.ts"; import { readFileSync } from "node:fs";`,
    );
    write("lib/a.ts", 'import { b } from "./b.ts"; import { a as self } from "./a.ts"; export const a = b;');
    write("lib/b.ts", 'import "../step.ts"; export const b: number = 1;');
    for (const name of ["data.json", "query.sql", "types.ts", "again.ts", "own.ts", "later.ts", "many/one.ts", "many/two.ts"])
      write(name, "{}");
    expect(await files()).toEqual(
      [
        "again.ts",
        "data.json",
        "later.ts",
        "lib/a.ts",
        "lib/b.ts",
        "many/one.ts",
        "many/two.ts",
        "own.ts",
        "query.sql",
        "step.ts",
      ].toSorted(),
    );
    for (const name of await files()) {
      const before = await digest();
      write(name, `${readFileSync(join(folder, name), "utf8")} `);
      expect(await digest(), name).not.toBe(before);
    }
  });

  test("a helper's helper changes it, a type or an unused file does not", async () => {
    write("step.ts", 'import { a } from "./a.ts"; import type { T } from "./t.ts"; export default a;');
    write("a.ts", 'import { b } from "./b.ts"; export const a = b;');
    write("b.ts", "export const b = 1;");
    write("t.ts", "export type T = 1;");
    const before = await digest();
    write("t.ts", "export type T = 2;");
    write("unused.ts", "2");
    expect(await digest()).toBe(before);
    write("b.ts", "export const b = 2;");
    const changed = await digest();
    expect(changed).not.toBe(before);
    write("b.ts", "export const b = 1;");
    expect(await digest()).toBe(before);
  });

  test("the same code has the same digest in another place", async () => {
    write("step.ts", 'import "./a.ts";');
    write("a.ts", "1");
    const copy = mkdtempSync(join(tmpdir(), "orrery-digest-copy-"));
    cpSync(folder, copy, { recursive: true });
    expect((await codeDigest(url("step.ts", copy))).sha256).toBe(await digest());
    rmSync(copy, { recursive: true });
  });

  test("declared files count, code among them with what it imports", async () => {
    write("step.ts", "export default 1;");
    write("config.ts", 'import "./view.ts";');
    write("view.ts", "1");
    const before = await digest("step.ts", ["config.ts"]);
    expect(before).not.toBe(await digest());
    write("view.ts", "2");
    expect(await digest("step.ts", ["config.ts"])).not.toBe(before);
  });

  test("a package counts by the version installed, and so does what it depends on", async () => {
    write("step.ts", 'import one from "one";');
    const lock = (two: string, unused = "1.0.0") =>
      write(
        "node_modules/.package-lock.json",
        JSON.stringify({
          packages: {
            "node_modules/one": { version: "1.0.0", integrity: "sha512-1", dependencies: { two: "*" } },
            "node_modules/two": { version: "9.9.9" },
            "node_modules/one/node_modules/two": { version: two, peerDependencies: { one: "*", missing: "*" } },
            "node_modules/unused": { version: unused },
          },
        }),
      );
    write("node_modules/one/package.json", '{ "name": "one", "version": "1.0.0", "main": "index.js" }');
    lock("2.0.0");
    expect((await codeDigest(url("step.ts"))).packages).toEqual([
      "node_modules/one@1.0.0",
      "node_modules/one/node_modules/two@2.0.0",
    ]);
    const before = await digest();
    lock("2.0.0", "3.0.0");
    expect(await digest()).toBe(before);
    lock("2.0.1");
    expect(await digest()).not.toBe(before);
  });

  test("without npm's lock a package counts by its own version", async () => {
    write("step.ts", 'import one from "one";');
    write("node_modules/one/package.json", '{ "name": "one", "version": "1.2.3", "main": "index.js" }');
    expect((await codeDigest(url("step.ts"))).packages).toEqual(["node_modules/one@1.2.3"]);
  });

  test("a computed import is told, with its place", async () => {
    write("step.ts", 'import "./load.ts";');
    write("load.ts", "export const load = (path: string) => import(path);");
    expect((await codeDigest(url("step.ts"))).computed).toEqual(["load.ts: import(path)"]);
  });

  test("a missing file, a missing package and text that is no module are named", async () => {
    const missing = { code: "PIPELINE_MODULE_MISSING", kind: "invalid" };
    await expect(digest("none.ts")).rejects.toMatchObject(missing);
    write("step.ts", 'import "./none.ts";');
    await expect(digest()).rejects.toMatchObject(missing);
    write("step.ts", 'import "not-installed";');
    await expect(digest()).rejects.toMatchObject(missing);
    write("step.ts", "import {");
    await expect(digest()).rejects.toMatchObject(missing);
  });
});

describe("a cache key", () => {
  const parts = { codeDigest: "d", params: { a: 1, b: { c: 2, d: 3 } }, needs: { x: [1, 2] } };

  test("does not depend on the order in which objects were made, but on everything else", () => {
    const key = cacheKey(parts);
    expect(cacheKey({ ...parts, params: { b: { d: 3, c: 2 }, a: 1 } })).toBe(key);
    const others = [
      { ...parts, codeDigest: "e" },
      { ...parts, params: { ...parts.params, a: 2 } },
      { ...parts, needs: { x: [2, 1] } },
      { ...parts, environment: "v0 elsewhere" },
    ];
    expect(new Set([key, ...others.map(cacheKey)]).size).toBe(5);
  });

  test("canonical JSON keeps arrays in order and drops what JSON drops", () => {
    expect(canonicalJson({ b: [3, 1], a: { z: null, y: undefined } })).toBe('{"a":{"z":null},"b":[3,1]}');
  });
});
