import { appendFileSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Snapshot } from "../../src/contract/index.ts";
import { orrery } from "./orrery-process.ts";

/** Inside the repository, so that `orrery` resolves to it as it does for anybody who installed it. */
const TEMPORARY = join(import.meta.dirname, "../../.orrery");

describe("a project that only materializes its features", { timeout: 120_000 }, () => {
  let root: string;
  let project: string;
  const run = (...args: string[]) => orrery(["-p", project, ...args]);
  const snapshots = async (): Promise<Snapshot[]> => JSON.parse((await run("data", "snapshots", "--json")).out);

  beforeAll(async () => {
    mkdirSync(TEMPORARY, { recursive: true });
    root = await mkdtemp(join(TEMPORARY, "test-materialized-"));
    project = join(root, "churn");
    expect((await orrery(["init", project])).code).toBe(0);
    expect(await run("features", "materialize")).toMatchObject({ code: 0 });
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it("has the snapshots that its features are of on record, and can look into them", async () => {
    const found = await snapshots();
    expect(found.map(({ source }) => source).sort()).toEqual(["customers", "renewals", "usage"]);
    expect(found).toContainEqual(expect.objectContaining({ source: "customers", rows: 800 }));
    expect(await run("data", "profile", "customers")).toMatchObject({ code: 0 });
  });

  it("records only a source whose rows are others when it materializes again", async () => {
    const before = await snapshots();
    expect(await run("features", "materialize")).toMatchObject({ code: 0 });
    expect((await snapshots()).map(({ id }) => id)).toEqual(before.map(({ id }) => id));
    const file = join(project, "data/customers.csv");
    const row = readFileSync(file, "utf8").split("\n")[1] ?? "";
    appendFileSync(file, `${row.replace(/^[^,]+/, "C9999")}\n`);
    expect(await run("features", "materialize")).toMatchObject({ code: 0 });
    const known = new Set(before.map(({ id }) => id));
    expect((await snapshots()).filter(({ id }) => !known.has(id))).toMatchObject([{ source: "customers", rows: 801 }]);
  });
});
