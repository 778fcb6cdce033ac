import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { lockStateFolder, prepareStateFolder, type StatePaths, statePaths } from "./state-folder.ts";

let paths: StatePaths;
beforeEach(() => {
  paths = statePaths(mkdtempSync(join(tmpdir(), "orrery-state-")), { workspace: "w", project: "p" });
  prepareStateFolder(paths);
});
afterEach(() => rmSync(paths.root, { recursive: true, force: true }));

describe("the owner of a state folder", () => {
  test("removes what the last one left half written, and only that", () => {
    writeFileSync(join(paths.tmp, "remote-1"), "half");
    writeFileSync(join(paths.artifacts, "kept"), "whole");
    const lock = lockStateFolder(paths);
    expect(readdirSync(paths.tmp)).toEqual([]);
    expect(existsSync(join(paths.artifacts, "kept"))).toBe(true);
    lock.release();
  });

  test("keeps everybody else out, who removes nothing", () => {
    const lock = lockStateFolder(paths);
    writeFileSync(join(paths.tmp, "rows-1"), "being written");
    expect(() => lockStateFolder(paths)).toThrow(expect.objectContaining({ code: "STATE_IN_USE" }));
    expect(readdirSync(paths.tmp)).toEqual(["rows-1"]);
    lock.release();
    lockStateFolder(paths).release();
  });
});
