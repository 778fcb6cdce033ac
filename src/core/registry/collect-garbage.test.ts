import { expect, test } from "vitest";
import { onEachDatabase } from "../../../test/fixtures/databases.ts";
import { HOUR } from "../time.ts";
import { collectRegistryGarbage } from "./index.ts";
import { anna, registryForTests, start } from "./test-support/open-registry.ts";

await onEachDatabase((open) => {
  const under = registryForTests(open);
  const collect = (deletedBefore: number, dryRun = false) =>
    collectRegistryGarbage(under.store, under.scope, deletedBefore, { dryRun });

  test("what was deleted before a time goes for good with all that belongs to it; the rest stays", async () => {
    const { registry, clock, store, scope } = under;
    for (const model of ["old", "late", "kept"])
      for (const run of ["a", "b"]) await registry.register(model, { runId: run, artifact: run, tags: { t: "1" } }, anna);
    for (const model of ["old", "late"]) {
      await registry.setAlias({ model, alias: "champion", version: 2, actor: anna, reason: "r" });
      const gate = await registry.saveGate({ model, version: 2, championVersion: null, testSet: "t", verdicts: [] });
      await registry.reject({
        model,
        alias: "champion",
        version: 2,
        actor: anna,
        reason: "r",
        gateId: gate.id,
        idempotencyKey: model,
      });
      await registry.approve({ model, version: 2, actor: anna, roles: [], reason: "r" });
    }
    await registry.setModelTag("old", "team", "ops");
    await registry.deleteModel("old");
    await registry.deleteVersion("late", 2, anna);
    clock.advanceTo(start + 2 * HOUR);
    await registry.deleteVersion("kept", 1, anna);

    expect(await collect(start)).toEqual({ registeredModels: 0, modelVersions: 0 });
    expect(await collect(start + HOUR, true)).toEqual({ registeredModels: 1, modelVersions: 3 });
    expect(await registry.promotions("late")).not.toEqual([]);
    expect(await collect(start + HOUR)).toEqual({ registeredModels: 1, modelVersions: 3 });
    expect(await collect(start + HOUR)).toEqual({ registeredModels: 0, modelVersions: 0 });

    await expect(registry.restoreModel("old")).rejects.toMatchObject({ code: "REGISTRY_MODEL_UNKNOWN" });
    await expect(registry.restoreVersion("late", 2)).rejects.toMatchObject({ code: "REGISTRY_VERSION_UNKNOWN" });
    expect((await registry.versions("late")).map(({ version }) => version)).toEqual([1]);
    expect(await registry.promotions("late")).toEqual([]);
    expect((await registry.restoreVersion("kept", 1)).tags).toEqual({ t: "1" });
    for (const table of ["gates", "approvals", "promotions", "model_aliases", "registered_model_tags"] as const) {
      const left = await store.db.selectFrom(table).select("workspace").where("project", "=", scope.project).execute();
      expect([table, left.length]).toEqual([table, 0]);
    }
  });

  test("a number whose version is gone for good is not used again", async () => {
    const { registry, clock } = under;
    const create = () => registry.createVersion("late", { source: "s3://b/m" }, anna);
    await registry.createModel({ name: "late" });
    for (let i = 0; i < 3; i++) await create();
    for (const version of [2, 3]) await registry.deleteVersion("late", version, anna);
    clock.advanceTo(start + HOUR);
    await collect(start + HOUR);
    expect((await create()).version).toBe(4);
  });

  test("what is restored in the meantime, or is another project's, is left alone", async () => {
    const { registry, scope, store } = under;
    await registry.register("late", { runId: "a", artifact: "1" }, anna);
    await registry.deleteModel("late");
    const elsewhere = { ...scope, project: "elsewhere" };
    expect(await collectRegistryGarbage(store, elsewhere, start + HOUR, { dryRun: false })).toEqual({
      registeredModels: 0,
      modelVersions: 0,
    });
    await registry.restoreModel("late");
    expect(await collect(start + HOUR)).toEqual({ registeredModels: 0, modelVersions: 0 });
    expect(await registry.versions("late")).toHaveLength(1);
  });
});
