import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createClient } from "../../src/client/index.ts";
import { orrery, type Up, up } from "./orrery-process.ts";

/** Inside the repository, so that `orrery` resolves to it as it does for anybody who installed it. */
const TEMPORARY = join(import.meta.dirname, "../../.orrery");

/** A project whose gate asks for people: what becomes of its versions, by the commands that a person would type. */
describe("a project whose versions are approved", { timeout: 180_000 }, () => {
  let root: string;
  let project: string;
  let running: Up;
  const models = (...args: string[]) => orrery(["-p", project, "models", ...args]);
  const json = async <T>(...args: string[]): Promise<T> => {
    const { code, out, err } = await orrery(["-p", project, "--json", "models", ...args]);
    if (code !== 0) throw new Error(err);
    return JSON.parse(out) as T;
  };
  const client = () => createClient({ baseUrl: running.url, workspace: "default", project: "churn" });

  beforeAll(async () => {
    mkdirSync(TEMPORARY, { recursive: true });
    root = await mkdtemp(join(TEMPORARY, "test-registry-"));
    project = join(root, "churn");
    expect((await orrery(["init", project])).code).toBe(0);
    const file = join(project, "orrery.config.ts");
    const text = readFileSync(file, "utf8");
    const asking = text
      .replace("import {\n", "import {\n  approval,\n")
      .replace("accept: [", 'accept: [\n    approval({ by: "operator" }),');
    expect(asking).toContain('approval({ by: "operator" })');
    writeFileSync(file, asking);
    running = await up(project);
  });
  afterAll(async () => {
    await running?.stop();
    rmSync(root, { recursive: true, force: true });
  });

  it("waits with a version that passed what was measured, and deploys nothing", async () => {
    const trained = await orrery(["-p", project, "train", "churn"]);
    expect(trained).toMatchObject({ code: 0 });
    const model = await client().models.get({ name: "churn" });
    expect(model).toMatchObject({ aliases: {}, promotions: [], gates: [{ version: 1, state: "waiting", passed: false }] });
    expect(model.gates[0]?.verdicts[0]).toMatchObject({ passed: null, waiting: true, required: 1, observed: 0 });
    expect(model.gates[0]?.verdicts.slice(1).every(({ passed }) => passed === true)).toBe(true);
    expect((await client().endpoints.list()).items[0]?.routes).toEqual([]);
    const report = await client().models.report({ name: "churn", version: 1 });
    expect(report.cardMarkdown).not.toContain("approval by");
  });

  it("refuses to promote it, with a reason or without a gate", async () => {
    expect(await models("promote", "churn@1", "--reason", "I know better")).toMatchObject({ code: 4 });
    const refused = client().models.setAlias({ name: "churn", alias: "champion", version: 1, reason: "past the gate" });
    await expect(refused).rejects.toMatchObject({ body: { code: "REGISTRY_APPROVAL_MISSING" } });
  });

  it("does not promote a version that somebody declined", async () => {
    expect(await models("decline", "churn@1", "--reason", "no budget")).toMatchObject({ code: 0 });
    const { err } = await models("promote", "churn@1");
    expect(err).toContain("REGISTRY_APPROVAL_DECLINED");
    expect((await models("history", "churn")).out).toBe("(nothing yet)\n");
  });

  it("promotes and deploys it once it is approved, as the gate would have", async () => {
    const approved = await models("approve", "churn@1", "--reason", "budget found");
    expect(approved).toMatchObject({ code: 0, err: "" });
    expect(approved.out).toContain("churn@champion is now version 1");
    expect((await client().endpoints.list()).items[0]?.routes).toMatchObject([{ alias: "champion", version: 1, share: 1 }]);
    const { out } = await models("history", "churn");
    expect(out).toContain("budget found");
    expect(out).toMatch(/passed\s+approval by one person with the role operator: approved by \S+ \(budget found\)/);
    const again = await json<{ promotion: null }>("approve", "churn@1", "--reason", "again");
    expect(again.promotion).toBeNull();
  });

  it("compares two versions, and tells what was made of what", async () => {
    expect((await orrery(["-p", project, "train", "churn"])).code).toBe(0);
    expect((await models("approve", "churn@2", "--reason", "as good")).out).toContain("churn@challenger is now version 2");
    const diff = await json<{ features: object; gates: { from: { version: number }; to: { version: number } } }>(
      "diff",
      "churn",
      "1",
      "2",
    );
    expect(diff).toMatchObject({ from: 1, to: 2, features: { added: [], removed: [], changed: [], unknown: [] } });
    expect(diff.gates).toMatchObject({ from: { version: 1 }, to: { version: 2 } });
    expect((await models("diff", "churn", "1", "2")).out).toContain("Gates");
    expect(await models("diff", "churn", "1")).toMatchObject({ code: 2 });
    expect(await models("diff", "churn", "1", "9")).toMatchObject({ code: 3 });
    const lineage = await json<{ run: { id: string }; data: { source: string; kind: string; rows: number }[] }>(
      "lineage",
      "churn@1",
    );
    expect(lineage.data.map(({ source }) => source).toSorted()).toEqual(["churn training set", "customers", "renewals", "usage"]);
    expect((await models("lineage", "churn")).out).toContain(lineage.run.id);
    const dependents = await json<{ items: { version: number; endpoints: string[] }[] }>("dependents", "usage");
    expect(dependents.items.map(({ version, endpoints }) => [version, endpoints])).toEqual([
      [1, ["churn"]],
      [2, expect.anything()],
    ]);
    expect((await models("dependents", "nothing")).out).toBe("(nothing yet)\n");
  });

  it("goes back to the version before in one command", async () => {
    expect((await models("promote", "churn@2", "--reason", "canary was fine")).code).toBe(0);
    expect((await client().endpoints.list()).items[0]?.routes[0]).toMatchObject({ alias: "champion", version: 2 });
    const { out } = await models("rollback", "churn", "--reason", "too many alarms");
    expect(out).toContain("churn@champion is version 1 again");
    expect((await client().endpoints.list()).items[0]?.routes).toMatchObject([{ alias: "champion", version: 1, share: 1 }]);
    expect(await models("rollback", "churn")).toMatchObject({ code: 4 });
  });

  it("holds models of other tools too, and says what they do not have", async () => {
    const { models: registry } = client();
    await registry.create({ name: "from elsewhere", description: "a forest", tags: { team: "ops" } });
    const version = await registry.createVersion({ name: "from elsewhere", source: "s3://bucket/model" });
    expect(version).toMatchObject({ version: 1, runId: null, artifact: null });
    expect((await registry.list({ filter: "tags.team = 'ops'" })).items.map(({ name }) => name)).toEqual(["from elsewhere"]);
    await registry.setAlias({ name: "from elsewhere", alias: "prod", version: 1, reason: "first" });
    expect(await registry.report({ name: "from elsewhere", version: 1 })).toMatchObject({ candidates: [], test: null });
    await expect(registry.onnx({ name: "from elsewhere", version: 1 })).rejects.toMatchObject({
      body: { code: "PROJECT_ONNX_MISSING" },
    });
    expect((await models("list")).out).toContain("from elsewhere");
    expect((await models("lineage", "from elsewhere@1")).out).toContain("no run is known of it");
    expect((await models("diff", "from elsewhere", "1", "1")).out).toContain("its package is not here");
    expect((await models("rename", "from elsewhere", "forest")).out).toBe("from elsewhere is now forest\n");
    expect((await models("delete", "forest@1")).code).toBe(0);
    expect((await models("restore", "forest@1")).code).toBe(0);
    expect((await models("delete", "forest@prod")).code).toBe(2);
    expect((await models("delete", "forest")).code).toBe(0);
    expect((await models("show", "forest")).code).toBe(3);
    expect((await models("restore", "forest")).out).toBe("forest is there again\n");
    expect((await models("list", "--filter", "nme = 'x'")).err).toContain("^");
    await expect(registry.setAlias({ name: "churn", alias: "latest", version: 1, reason: "r" })).rejects.toMatchObject({
      body: { code: "REGISTRY_ALIAS_INVALID" },
    });
  });

  it("does not let an endpoint's alias point at what the endpoint cannot answer with", async () => {
    const { models: registry } = client();
    const { version } = await registry.createVersion({ name: "churn", source: "s3://bucket/model" });
    const pointed = registry.setAlias({ name: "churn", alias: "champion", version, reason: "why not" });
    await expect(pointed).rejects.toMatchObject({ body: { code: "PROJECT_VERSION_NOT_PACKAGED" } });
    expect((await registry.get({ name: "churn" })).aliases.champion).toBe(1);
  });
});
