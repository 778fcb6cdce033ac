import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createClient } from "../../src/client/index.ts";
import { eventually, orrery, up } from "./orrery-process.ts";

/** Inside the repository, so that `orrery` resolves to it as it does for anybody who installed it. */
const TEMPORARY = join(import.meta.dirname, "../../.orrery");

interface Version {
  readonly current: boolean;
  readonly readers: readonly object[];
  readonly halted: string | null;
}

describe("a project whose feature is defined otherwise after its model was deployed", { timeout: 300_000 }, () => {
  let root: string;
  let project: string;
  const run = (...args: string[]) => orrery(["-p", project, ...args]);
  const json = async <T>(...args: string[]): Promise<T> => JSON.parse((await run("--json", ...args)).out);
  const edit = (from: string, to: string) => {
    const config = join(project, "orrery.config.ts");
    const before = readFileSync(config, "utf8");
    expect(before).toContain(from);
    writeFileSync(config, before.replaceAll(from, to));
  };

  beforeAll(async () => {
    mkdirSync(TEMPORARY, { recursive: true });
    root = await mkdtemp(join(TEMPORARY, "test-view-versions-"));
    project = join(root, "churn");
    expect((await orrery(["init", project])).code).toBe(0);
    expect(await run("train", "churn")).toMatchObject({ code: 0 });
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  const readers = [{ endpoint: "churn", alias: "champion", version: 1 }];

  it("has one version of each view", async () => {
    expect(await json<Version[]>("features", "versions", "usage_recent")).toMatchObject([{ current: true, readers }]);
    expect((await run("features", "versions", "nothing")).err).toContain("FEATURE_VIEW_UNKNOWN");
  });

  it("is told by check that the deployed version goes on, and may be changed", async () => {
    edit('minutes_7d: mean("minutes").over("7d")', 'minutes_7d: mean("minutes").over("9d")');
    const checked = await run("check");
    expect(checked).toMatchObject({ code: 0 });
    expect(checked.out).toContain(
      "endpoint churn, version 1 (champion): usage_recent.minutes_7d is computed otherwise; the version that it was trained on goes on until another one is deployed",
    );
  });

  it("brings both versions up to date, and tells who reads which", async () => {
    expect((await run("features", "materialize")).code).toBe(0);
    const versions = await json<Version[]>("features", "versions", "usage_recent");
    expect(versions).toMatchObject([
      { current: true, readers: [] },
      { current: false, readers, halted: null, unusedSince: null },
    ]);
    expect((await run("features", "versions", "usage_recent")).out).toContain("churn: version 1 (champion)");
    const { views } = await json<{ views: object[] }>("features", "materialize");
    expect(views).toContainEqual(expect.objectContaining({ view: "usage_recent", version: expect.any(String), halted: null }));
  });

  it("answers by the definition that its model was trained on", async () => {
    const running = await up(project);
    try {
      const request = JSON.stringify({ customer_id: "C0034", amount: 9.99 });
      const answer = await eventually(async () => {
        const { code, out } = await run("--json", "predict", "churn", request);
        return code === 0 ? (JSON.parse(out) as object) : null;
      }, "a prediction");
      expect(answer).toMatchObject({ predictions: [{ modelVersion: 1, missing: [] }] });
      const client = createClient({ baseUrl: running.url, workspace: "default", project: "churn" });
      const { items } = await client.features.list();
      expect(items.find(({ name }) => name === "usage_recent")).toMatchObject({ earlierVersions: 1 });
      expect((await client.features.versions({ name: "usage_recent" })).items).toHaveLength(2);
    } finally {
      await running.stop();
    }
  });
});
