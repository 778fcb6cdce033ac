import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openSqlite } from "../adapters/metadata/sqlite.ts";
import { approval } from "../core/definitions/index.ts";
import { type MetadataStore, VirtualClock } from "../core/ports/index.ts";
import { createRegistry, type Registry } from "../core/registry/index.ts";
import type { Actor } from "../core/scope.ts";
import { type ModelDecisions, plainDecisions } from "./plain-decisions.ts";

const anna: Actor = { kind: "user", name: "anna" };
const criterion = approval({ by: "operator" });
const asked = { criterion, text: "approval", passed: null, observed: 0, required: 1, detail: "" } as const;

describe("decisions about models without a project", () => {
  let folder: string;
  let store: MetadataStore;
  let registry: Registry;
  let decisions: ModelDecisions;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "orrery-decisions-"));
    const clock = new VirtualClock(0);
    store = await openSqlite({ path: join(folder, "metadata.db"), clock });
    registry = createRegistry({ store, clock, scope: { workspace: "default", project: "late" } });
    decisions = plainDecisions(registry);
    for (const run of ["a", "b"]) await registry.register("late", { runId: run, artifact: run }, anna);
  });
  afterEach(async () => {
    await store.close();
    rmSync(folder, { recursive: true });
  });

  const gate = (version: number, championVersion: number | null = null) =>
    registry.saveGate({ model: "late", version, championVersion, testSet: "november", verdicts: [asked] });
  const approve = (version: number) =>
    decisions.approve({ model: "late", version, actor: anna, roles: ["operator"], reason: "seen" });
  const point = (alias: string, version: number) =>
    decisions.point({
      model: "late",
      alias,
      version,
      actor: anna,
      reason: "r",
      idempotencyKey: `${alias} ${version} ${Math.random()}`,
    });

  test("point any alias at a version that nobody is asked about, there and back", async () => {
    for (const version of [1, 2, 1]) await point("champion", version);
    await point("prod", 2);
    expect(await registry.aliases("late")).toEqual({ champion: 1, prod: 2 });
  });

  test("point none at a version that waits for people, whatever the alias", async () => {
    await gate(1);
    for (const alias of ["champion", "prod"])
      await expect(point(alias, 1)).rejects.toMatchObject({ code: "REGISTRY_APPROVAL_MISSING" });
    expect(await registry.aliases("late")).toEqual({});
  });

  test("promote on approval as the gate would have: the first as champion, the next as challenger", async () => {
    await gate(1);
    expect(await approve(1)).toMatchObject({ promotion: { alias: "champion", fromVersion: null, toVersion: 1, reason: "seen" } });
    await gate(2, 1);
    expect(await approve(2)).toMatchObject({ promotion: { alias: "challenger", toVersion: 2 } });
    expect(await approve(2)).toMatchObject({ approval: { version: 2 }, promotion: null });
  });

  test("promote what was declined once it is approved", async () => {
    await gate(1);
    await registry.decline({ model: "late", version: 1, actor: anna, roles: ["operator"], reason: "not yet" });
    expect(await approve(1)).toMatchObject({ promotion: { alias: "champion", toVersion: 1 } });
  });

  test("keep an approval whose gate has become stale, and promote nothing", async () => {
    await gate(1);
    await point("champion", 2);
    await expect(approve(1)).rejects.toMatchObject({ code: "REGISTRY_GATE_STALE" });
    expect(await registry.approvals("late", 1)).toHaveLength(1);
    expect(await registry.aliases("late")).toEqual({ champion: 2 });
  });

  test("promote nothing where no gate waited", async () => {
    expect(await approve(1)).toMatchObject({ approval: { decision: "approved" }, promotion: null });
  });
});
