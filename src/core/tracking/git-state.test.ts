import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { gitState } from "./index.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "orrery-git-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("the state of the code", () => {
  const git = (...args: string[]) =>
    execFileSync("git", ["-C", folder, "-c", "user.name=t", "-c", "user.email=t@t", ...args])
      .toString()
      .trim();
  const nothing = { commit: null, dirty: false, diff: null, truncated: false };

  test("outside a repository, and in a folder that is not there, there is none", async () => {
    expect(await gitState(folder)).toEqual(nothing);
    expect(await gitState(join(folder, "none"))).toEqual(nothing);
  });

  test("without git on the machine there is none", async () => {
    const path = process.env.PATH;
    process.env.PATH = folder;
    try {
      expect(await gitState(folder)).toEqual(nothing);
    } finally {
      process.env.PATH = path;
    }
  });

  test("a clean tree has its commit, a changed one the difference and the names git does not know", async () => {
    git("init", "-q");
    writeFileSync(join(folder, "a.txt"), "one\n");
    git("add", ".");
    git("commit", "-q", "-m", "first");
    const commit = git("rev-parse", "HEAD");
    expect(await gitState(folder)).toEqual({ ...nothing, commit });
    writeFileSync(join(folder, "a.txt"), "two\n");
    writeFileSync(join(folder, "new.txt"), "new\n");
    const state = await gitState(folder);
    expect(state).toMatchObject({ commit, dirty: true, truncated: false });
    expect(state.diff).toContain("-one\n+two");
    expect(state.diff).toContain("# not in this diff: new.txt");
  });

  test("a repository without a commit is dirty and has none", async () => {
    git("init", "-q");
    writeFileSync(join(folder, "a.txt"), "one\n");
    expect(await gitState(folder)).toMatchObject({ commit: null, dirty: true });
  });

  test("a diff of more than a megabyte is cut and says so", async () => {
    git("init", "-q");
    writeFileSync(join(folder, "a.txt"), "");
    git("add", "a.txt");
    git("commit", "-q", "-m", "first");
    for (const lines of [60_000, 400_000]) {
      writeFileSync(join(folder, "a.txt"), "a line of some length\n".repeat(lines));
      const state = await gitState(folder);
      expect(state.truncated).toBe(true);
      expect(state.diff).toMatch(/cut: the diff is longer than 1000000 bytes\n$/);
      expect(state.diff?.length).toBeLessThan(1_000_100);
    }
  });
});
