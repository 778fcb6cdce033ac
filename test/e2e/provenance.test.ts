import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createClient } from "../../src/client/index.ts";
import { orrery, up } from "./orrery-process.ts";

/** Inside the repository, so that `orrery` resolves to it as it does for anybody who installed it. */
const TEMPORARY = join(import.meta.dirname, "../../.orrery");

interface Listed {
  readonly id: string;
  readonly model: string;
  readonly sha256: string;
  readonly rows: number;
  readonly rebuildable: boolean;
}
interface Traced {
  readonly feature: string;
  readonly columns: readonly string[];
  readonly versions: readonly { readonly model: string; readonly version: number; readonly aliases: readonly string[] }[];
  readonly endpoints: readonly string[];
}

/** What a trained project says of where its models and their data come from. */
describe("a trained project", { timeout: 180_000 }, () => {
  let root: string;
  let project: string;
  let config: string;
  let set: Listed;
  const run = (...args: string[]) => orrery(["-p", project, ...args]);
  const json = async <T>(...args: string[]): Promise<T> => JSON.parse((await run("--json", ...args)).out);
  const hashOf = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");
  const edit = (from: string, to: string) => {
    const before = readFileSync(config, "utf8");
    expect(before).toContain(from);
    writeFileSync(config, before.replace(from, to));
  };

  beforeAll(async () => {
    mkdirSync(TEMPORARY, { recursive: true });
    root = await mkdtemp(join(TEMPORARY, "test-provenance-"));
    project = join(root, "churn");
    config = join(project, "orrery.config.ts");
    expect((await orrery(["init", project])).code).toBe(0);
    expect(await run("train", "churn")).toMatchObject({ code: 0 });
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it("keeps its training set with a record, which every run that learned from it names", async () => {
    const listed = await json<Listed[]>("training-sets");
    expect(listed).toMatchObject([{ model: "churn", rebuildable: true }]);
    [set] = listed;
    expect(set.rows).toBeGreaterThan(1_000);
    const { record } = await json<{ record: { definitions: { views: object }; snapshots: object } }>(
      "training-sets",
      "show",
      set.id,
    );
    expect(Object.keys(record.definitions.views)).toEqual(["usage_recent", "customer_info"]);
    expect(Object.keys(record.snapshots).sort()).toEqual(["customers", "renewals", "usage"]);
    const runs = await json<{ id: string; name: string; tags: Record<string, string> }[]>("runs");
    const learned = runs.filter(({ tags }) => tags["orrery.trainingSet"] === set.id);
    expect(learned.map(({ name }) => name)).toEqual(expect.arrayContaining(["logistic-regression", "gradient-boosting"]));
    const { datasets } = await json<{ datasets: { dataset: { name: string; digest: string } }[] }>("runs", "show", set.id);
    expect(datasets).toMatchObject([{ dataset: { name: "churn training set", digest: set.sha256.slice(0, 36) } }]);
  });

  it("traces features from columns to versions and endpoints", async () => {
    const all = await json<Traced[]>("features", "lineage");
    expect(all.map(({ feature }) => feature)).toEqual(expect.arrayContaining(["usage_recent.minutes_7d", "on-demand.amount"]));
    expect(await json<Traced[]>("features", "lineage", "usage.minutes")).toEqual(
      ["usage_recent.minutes_7d", "usage_recent.minutes_30d"].map((feature) =>
        expect.objectContaining({
          feature,
          columns: expect.arrayContaining(["usage.minutes"]),
          versions: [{ model: "churn", version: 1, aliases: ["champion"] }],
          endpoints: ["churn"],
        }),
      ),
    );
    const table = (await run("features", "lineage", "customers.plan")).out;
    expect(table).toMatch(/customer_info\.plan .*customers\.plan.*churn@1 champion .*churn/);
    expect((await run("features", "lineage", "nothing.of_this_name")).err).toContain("FEATURE_LINEAGE_UNKNOWN");
    expect((await run("models", "lineage", "churn@1")).out).toContain("churn training set");
    expect((await run("models", "dependents", "usage")).out).toContain("churn");
  });

  it("builds its training set again when the project says something else, and after garbage collection", async () => {
    edit('minutes_7d: mean("minutes").over("7d")', 'minutes_9d: mean("minutes").over("9d")');
    edit('rule("usage_recent.minutes_7d < 10")', 'rule("usage_recent.minutes_9d < 10")');
    edit('features: ["plan", "country"]', 'features: ["plan"]');
    edit('immutable: ["customer_info.country"]', "immutable: []");
    edit('requestField("amount", float64())', 'requestField("amount", float64(), { seasonal: true })');
    expect(await run("gc", "--deleted-before", "0s", "--yes")).toMatchObject({ code: 0 });
    const file = join(root, "again", "set.parquet");
    const built = await run("training-sets", "rebuild", set.id, "--to", file);
    expect(built).toMatchObject({ code: 0, err: "" });
    expect(built.out).toContain("the same, byte for byte");
    expect(hashOf(file)).toBe(set.sha256);
  });

  it("is trained again on other features, and compared with the champion as that was defined", async () => {
    edit(
      'metric("roc_auc").betterThanBaseline(0.05),',
      'metric("roc_auc").betterThanBaseline(0.05), metric("roc_auc").notWorseThanChampion(0.3),',
    );
    expect(await run("train", "churn")).toMatchObject({ code: 0, err: "" });
    const { gates } = await json<{ gates: { verdicts: { text: string; passed: boolean; detail: string }[] }[] }>(
      "models",
      "show",
      "churn@2",
    );
    expect(gates[0]?.verdicts.find(({ text }) => text.includes("not worse than the champion's"))).toMatchObject({
      passed: true,
      detail: expect.stringMatching(/^difference /),
    });
  });

  it("builds it again while the control plane runs, over the API too", async () => {
    const running = await up(project, ["--no-serve"]);
    try {
      const file = join(root, "over-http.parquet");
      expect(await run("training-sets", "rebuild", set.id, "--to", file)).toMatchObject({ code: 0, err: "" });
      expect(hashOf(file)).toBe(set.sha256);
      const client = createClient({ baseUrl: running.url, workspace: "default", project: "churn" });
      expect(await client.trainingSets.rebuild({ id: set.id })).toMatchObject({ sha256: set.sha256, rows: set.rows });
      await expect(client.trainingSets.get({ id: "run-none" })).rejects.toMatchObject({ status: 404 });
      // What a page would ask.
      const { items } = await client.features.lineage({ of: "usage.minutes" });
      expect(items.map(({ feature }) => feature)).toEqual(["usage_recent.minutes_9d", "usage_recent.minutes_30d"]);
    } finally {
      await running.stop();
    }
  });

  it("says what is missing when its data is gone, and refuses what it does not know", async () => {
    expect((await run("training-sets", "rebuild", "run-none")).err).toContain("FEATURE_SET_UNKNOWN");
    expect((await run("training-sets", "rebuild")).err).toContain("CLI_ARGUMENT_MISSING");
    rmSync(join(project, ".orrery", "artifacts"), { recursive: true });
    const gone = await run("training-sets", "list");
    expect(gone).toMatchObject({ code: 0, err: "" });
    expect(gone.out).toContain("no: its record cannot be read");
    expect(await json<Listed[]>("training-sets")).toMatchObject([
      { rebuildable: false },
      { id: set.id, sha256: set.sha256, rebuildable: false },
    ]);
    expect((await run("training-sets", "show", set.id)).out).toContain("no longer reproducible: its record cannot be read");
    expect((await run("training-sets", "rebuild", set.id)).err).toContain("ARTIFACT_MISSING");
  });
});
