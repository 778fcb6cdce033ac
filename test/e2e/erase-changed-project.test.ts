import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { orrery, type Up, up } from "./orrery-process.ts";

/** Inside the repository, so that `orrery` resolves to it as it does for anybody who installed it. */
const TEMPORARY = join(import.meta.dirname, "../../.orrery");

interface Told {
  readonly state: string;
}

describe("erasing after a column got another name while the control plane runs on", { timeout: 180_000 }, () => {
  let root: string;
  let project: string;
  let running: Up;
  const cli = (...args: string[]) => orrery(["-p", project, ...args]);
  const erase = (key: string, ...more: string[]) => cli("--json", "erase", "customer", "--key", `customer_id=${key}`, ...more);
  const change = (file: string, from: string | RegExp, to: string) => {
    const path = join(project, file);
    const text = readFileSync(path, "utf8");
    expect(text).toMatch(from);
    writeFileSync(path, text.replaceAll(from, to));
  };

  beforeAll(async () => {
    mkdirSync(TEMPORARY, { recursive: true });
    root = await mkdtemp(join(TEMPORARY, "test-erase-changed-"));
    project = join(root, "churn");
    expect((await orrery(["init", project])).code).toBe(0);
    expect((await cli("train", "churn")).out).toContain("succeeded deploy");
    running = await up(project);
    // Its worker has the project as it is now.
    expect((await erase("C0003", "--dry-run")).err).toBe("");
    change(
      "orrery.config.ts",
      /(?<=columns: \{ customer_id: string\(\)\.oneOf\("customers\.customer_id"\), )minutes/g,
      "played_minutes",
    );
    change("orrery.config.ts", /mean\("minutes"\)/g, 'mean("played_minutes")');
    change("data/usage.csv", "played_at,minutes", "played_at,played_minutes");
  });
  afterAll(async () => {
    await running?.stop();
    rmSync(root, { recursive: true, force: true });
  });

  it("is done with parts of the old name only", async () => {
    const done = await erase("C0003", "--yes");
    expect(done.err).toBe("");
    expect((JSON.parse(done.out) as Told).state).toBe("done");
  });

  it("is done with parts of both names", async () => {
    const ran = await cli("run", "daily");
    expect(ran.out).toContain("succeeded materialize");
    const done = await erase("C0005", "--yes");
    expect(done.err).toBe("");
    expect((JSON.parse(done.out) as Told).state).toBe("done");
  });

  it("says where it cannot go on, and goes on when project and files belong together again", async () => {
    change("orrery.config.ts", /played_minutes/g, "listened_minutes");
    const stopped = await erase("C0007", "--yes");
    expect(stopped.err).toContain("ERASE_PROJECT_CHANGED");
    expect(stopped.err).toContain("listened_minutes");
    await running.stop();
    change("data/usage.csv", "played_at,played_minutes", "played_at,listened_minutes");
    running = await up(project);
    const erasures = JSON.parse((await cli("--json", "erase")).out) as Told[];
    expect(erasures.map(({ state }) => state)).toEqual(["done", "done", "done"]);
  });
});
