import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Snapshot, SnapshotDiff, SourceExploration } from "../../src/contract/index.ts";
import { orrery } from "./orrery-process.ts";

/** Inside the repository, so that `orrery` resolves to it as it does for anybody who installed it. */
const TEMPORARY = join(import.meta.dirname, "../../.orrery");

describe("orrery data", { timeout: 120_000 }, () => {
  let root: string;
  let project: string;
  const data = (...args: string[]) => orrery(["-p", project, "data", ...args]);
  const json = async <T>(...args: string[]): Promise<T> => JSON.parse((await data(...args, "--json")).out);
  const edit = (file: string, from: string | RegExp, to: string) => {
    const path = join(project, file);
    const before = readFileSync(path, "utf8");
    const after = before.replace(from, to);
    expect(after).not.toBe(before);
    writeFileSync(path, after);
  };

  beforeAll(async () => {
    mkdirSync(TEMPORARY, { recursive: true });
    root = await mkdtemp(join(TEMPORARY, "test-data-"));
    project = join(root, "churn");
    expect((await orrery(["init", project])).code).toBe(0);
    edit(
      "orrery.config.ts",
      "    country: string(),\n  },",
      '    country: string(),\n  },\n  expect: { rows: { min: 801, onViolation: "warn" } },',
    );
    expect(await orrery(["-p", project, "run", "daily"])).toMatchObject({ code: 0 });
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it("lists snapshots and shows what was expected of one", async () => {
    expect((await json<Snapshot[]>("snapshots")).map(({ source }) => source)).toEqual(["customers", "usage", "renewals"]);
    expect(await json<Snapshot>("show", "customers")).toMatchObject({
      rows: 800,
      expectations: [{ rule: "rows", kept: false, observed: 800, says: "800 rows, at least 801" }],
    });
    expect((await data("show", "customers")).out).toMatch(/800 rows, at least 801\s+warn\s+broken/);
  });

  it("says by its exit code that what is delivered is not as expected, and which source it is", async () => {
    expect(await data("validate", "usage")).toMatchObject({ code: 0 });
    const broken = await data("validate");
    expect(broken.code).toBe(2);
    expect(broken.err).toContain("What customers delivers breaks its contract [CLI_CONTRACT_BROKEN]");
    expect((await data("validate", "customer")).err).toContain('did you mean "customers"?');
  });

  it("profiles a source as text, JSON and a page of its own", async () => {
    const found = await json<SourceExploration>("profile", "renewals", "--target", "cancelled");
    expect(found.target).toMatchObject({ column: "cancelled", task: "binary" });
    expect((await data("profile", "renewals", "--target", "cancelled")).out).toContain("What goes with cancelled");
    const page = join(root, "renewals.html");
    expect(await data("profile", "renewals", "--html", page)).toMatchObject({ code: 0 });
    const html = readFileSync(page, "utf8");
    expect(html).toMatch(/<svg [^>]*aria-label="Histogram of amount">/);
    expect(html).not.toMatch(/<script|https?:\/\//);
    expect((await data("profile", "renewals", "--target", "cancel")).err).toContain("PROJECT_TARGET_UNKNOWN");
  });

  it("tells what changed between the last two snapshots", async () => {
    expect((await data("diff", "customers")).err).toContain("compares two snapshots, and customers has 1");
    edit(
      "orrery.config.ts",
      "    country: string(),\n",
      "    country: string().nullable({ atMost: 0.1 }),\n    vip: bool().nullable(),\n",
    );
    edit("data/customers.csv", /^(.+)$/gm, "$1,");
    edit("data/customers.csv", /^(.*),$/m, "$1,vip");
    expect(await orrery(["-p", project, "run", "daily"])).toMatchObject({ code: 0 });
    expect(await json<SnapshotDiff>("diff", "customers")).toMatchObject({
      added: [{ column: "vip", type: "bool" }],
      removed: [],
      nullability: [{ column: "country", from: 0, to: 0.1 }],
    });
    expect((await data("diff", "customers")).out).toContain("~ country: never null -> null in at most 10%");
    const [of, other] = [await json<Snapshot>("show", "customers"), await json<Snapshot>("show", "usage")];
    expect((await data("diff", of.id, other.id)).err).toContain("PROJECT_SNAPSHOTS_UNLIKE");
  });

  it("judges distributions beside the last snapshot when it validates, and leaves the state as it is", async () => {
    const before = await json<Snapshot[]>("snapshots");
    edit(
      "orrery.config.ts",
      "  columns: { renewal_id",
      "  expect: { distribution: { amount: { mean: 0.1 } } },\n  columns: { renewal_id",
    );
    expect(await data("validate", "renewals")).toMatchObject({ code: 0 });
    edit("data/renewals.csv", /,[\d.]+,(true|false)$/gm, ",99.5,$1");
    const moved = await data("validate", "renewals");
    expect(moved.code).toBe(2);
    expect(moved.out).toMatch(/mean of amount moved by [\d.]+ standard deviations, at most 0.1\s+warn\s+broken/);
    expect(await json<Snapshot[]>("snapshots")).toEqual(before);
  });

  it("suggests a contract for a file that no project declares", async () => {
    const suggested = await orrery(["-p", join(project, "data"), "data", "suggest", "renewals.csv", "--name", "renewed"]);
    expect(suggested).toMatchObject({ code: 0, err: "" });
    expect(suggested.out).toContain('export const renewed = source.csv("renewed", {\n  path: "renewals.csv",');
    expect((await data("suggest")).err).toContain("CLI_ARGUMENT_MISSING");
    expect((await data("suggest", "--query", "SELECT 1")).err).toContain("CLI_ARGUMENT_MISSING");
    expect((await data("suggest", "--postgres", "ORRERY_TEST_NOT_SET", "--query", "SELECT 1")).err).toContain("SECRET_MISSING");
    expect((await data("guess")).err).toContain("CLI_ACTION_UNKNOWN");
  });
});
