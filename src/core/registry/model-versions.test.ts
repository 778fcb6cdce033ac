import { describe, expect, test } from "vitest";
import { onEachDatabase } from "../../../test/fixtures/databases.ts";
import { HOUR } from "../time.ts";
import { createRegistry } from "./index.ts";
import { anna, ben, registryForTests, start } from "./test-support/open-registry.ts";

await onEachDatabase((open, engine) => {
  const under = registryForTests(open);
  const source = "s3://bucket/model";
  const unknown = { code: "REGISTRY_VERSION_UNKNOWN", kind: "not-found" };
  const create = (model: string) => under.registry.createVersion(model, { source }, anna);
  const numbers = async (model: string) => (await under.registry.versions(model)).map(({ version }) => version);
  const insertRun = async (id: string) => {
    const scope = { ...under.scope };
    await under.store.db
      .insertInto("experiments")
      .values({
        ...scope,
        id: "7",
        name: "e",
        artifact_location: "x",
        lifecycle: "active",
        deleted_at: null,
        created_at: 0,
        updated_at: 0,
      })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    await under.store.db
      .insertInto("runs")
      .values({
        ...scope,
        id,
        experiment_id: "7",
        parent_run_id: null,
        name: id,
        status: "finished",
        started_at: 0,
        ended_at: null,
        lifecycle: "active",
        deleted_at: null,
        artifact_uri: `mlflow-artifacts:/7/${id}/artifacts`,
        user_name: "",
        actor: "user:anna",
        trace_id: null,
        snapshots: "[]",
        git_commit: null,
        git_diff: null,
      })
      .execute();
  };
  const insertLoggedModel = (id: string, runId: string | null) =>
    under.store.db
      .insertInto("logged_models")
      .values({
        ...under.scope,
        id,
        experiment_id: "7",
        name: "m",
        artifact_location: `mlflow-artifacts:/7/models/${id}/artifacts`,
        status: "ready",
        status_message: null,
        model_type: null,
        source_run_id: runId,
        lifecycle: "active",
        deleted_at: null,
        created_at: 0,
        updated_at: 0,
      })
      .execute();

  describe("a version", () => {
    test("is returned as it was created, and its model has changed with it", async () => {
      const { registry, clock } = under;
      await registry.createModel({ name: "late" });
      clock.advanceTo(start + HOUR);
      const version = await registry.createVersion(
        "late",
        { source, runId: "run-1", runLink: "https://elsewhere/run", modelId: "m-1", description: "first", tags: { t: "1" } },
        anna,
      );
      expect(version).toEqual({
        model: "late",
        version: 1,
        aliases: [],
        tags: { t: "1" },
        runId: "run-1",
        artifact: null,
        source,
        location: source,
        runLink: "https://elsewhere/run",
        modelId: "m-1",
        status: "ready",
        statusMessage: null,
        stage: "None",
        createdAt: start + HOUR,
        updatedAt: start + HOUR,
        actor: "user:anna",
        description: "first",
      });
      expect(await registry.version("late", 1)).toEqual(version);
      expect((await registry.model("late")).updatedAt).toBe(start + HOUR);
    });

    test("needs a model that is there, and tags and texts that can be kept", async () => {
      await expect(create("none")).rejects.toMatchObject({ code: "REGISTRY_MODEL_UNKNOWN" });
      await under.registry.createModel({ name: "late" });
      const add = (more: object) => under.registry.createVersion("late", { source, ...more }, anna);
      await expect(add({ tags: { "": "x" } })).rejects.toMatchObject({ code: "REGISTRY_TAG_INVALID" });
      await expect(add({ description: "\0" })).rejects.toMatchObject({ code: "REGISTRY_TEXT_INVALID" });
      await expect(add({ runLink: "\0" })).rejects.toMatchObject({ code: "REGISTRY_TEXT_INVALID" });
      await expect(add({ runId: "a\0" })).rejects.toMatchObject({ code: "REGISTRY_SOURCE_INVALID" });
      await expect(add({ modelId: "m".repeat(300) })).rejects.toMatchObject({ code: "REGISTRY_SOURCE_INVALID" });
      expect(await numbers("late")).toEqual([]);
    });

    test.each([0, -1, 1.5, Number.NaN, 2 ** 60, 9])("of the number %d is not found", async (version) => {
      const { registry } = under;
      await registry.createModel({ name: "late" });
      await create("late");
      await expect(registry.version("late", version)).rejects.toMatchObject(unknown);
      await expect(registry.deleteVersion("late", version, anna)).rejects.toMatchObject(unknown);
      await expect(registry.restoreVersion("late", version)).rejects.toMatchObject(unknown);
      await expect(registry.setVersionTag("late", version, "a", "b")).rejects.toMatchObject(unknown);
      await expect(registry.deleteVersionTag("late", version, "a")).rejects.toMatchObject(unknown);
      await expect(registry.setStage("late", version, "Staging", false, anna)).rejects.toMatchObject(unknown);
      await expect(
        registry.setAlias({ model: "late", alias: "champion", version, actor: anna, reason: "r" }),
      ).rejects.toMatchObject(unknown);
    });

    test("has a description and tags that change", async () => {
      const { registry, clock } = under;
      await registry.createModel({ name: "late" });
      await create("late");
      await create("late");
      clock.advanceTo(start + HOUR);
      expect(await registry.describeVersion("late", 1, "better")).toMatchObject({
        description: "better",
        updatedAt: start + HOUR,
      });
      await registry.setVersionTag("late", 1, "k", "1");
      await registry.setVersionTag("late", 1, "k", "2");
      await registry.setVersionTag("late", 2, "k", "of the other");
      expect((await registry.version("late", 1)).tags).toEqual({ k: "2" });
      await registry.deleteVersionTag("late", 1, "k");
      await registry.deleteVersionTag("late", 1, "k");
      expect((await registry.versions("late")).map(({ tags }) => tags)).toEqual([{ k: "of the other" }, {}]);
    });

    test("that is deleted loses its aliases, keeps its number and can be restored", async () => {
      const { registry } = under;
      await registry.createModel({ name: "late" });
      await create("late");
      await create("late");
      for (const alias of ["champion", "prod"])
        await registry.setAlias({ model: "late", alias, version: 2, actor: anna, reason: "r" });
      await registry.deleteVersion("late", 2, ben);
      expect(await registry.aliases("late")).toEqual({});
      expect((await registry.promotions("late")).slice(0, 2)).toMatchObject([
        { alias: "prod", decision: "removed", fromVersion: 2, toVersion: 2, actor: "user:ben", reason: "version 2 was deleted" },
        { alias: "champion", decision: "removed" },
      ]);
      await expect(registry.version("late", 2)).rejects.toMatchObject(unknown);
      await expect(registry.deleteVersion("late", 2, ben)).rejects.toMatchObject(unknown);
      expect((await create("late")).version).toBe(3);
      expect(await registry.restoreVersion("late", 2)).toMatchObject({ version: 2, aliases: [] });
      expect(await registry.restoreVersion("late", 2)).toMatchObject({ version: 2 });
      expect(await numbers("late")).toEqual([3, 2, 1]);
    });

    test("registered again after it was deleted is a new one", async () => {
      const { registry } = under;
      const register = () => registry.register("late", { runId: "a", artifact: "1" }, anna);
      expect([await register(), await register()]).toEqual([1, 1]);
      await registry.deleteVersion("late", 1, anna);
      expect(await register()).toBe(2);
    });
  });

  describe("32 versions created at once", () => {
    test("have the numbers 1 to 32, none twice", async () => {
      await under.registry.createModel({ name: "late" });
      const made = await Promise.all(Array.from({ length: 32 }, () => create("late")));
      expect(made.map(({ version }) => version).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 32 }, (_, i) => i + 1));
    });

    // SQLite belongs to one process.
    if (engine === "sqlite") return;
    test("from two stores of one database too", async () => {
      const { another, clock, scope, registry } = under;
      if (another === null) throw new Error("this database may have two stores");
      const other = createRegistry({ store: await another(), clock, scope });
      await registry.createModel({ name: "late" });
      const made = await Promise.all(
        Array.from({ length: 32 }, (_, i) => (i % 2 === 0 ? registry : other).createVersion("late", { source }, anna)),
      );
      expect(made.map(({ version }) => version).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 32 }, (_, i) => i + 1));
      expect(await numbers("late")).toHaveLength(32);
    });
  });

  describe("where a version comes from", () => {
    test("is the model folder of its run when nothing else is said", async () => {
      await insertRun("run-1");
      await under.registry.register("late", { runId: "run-1", artifact: "1" }, anna);
      await under.registry.register("late", { runId: "elsewhere", artifact: "2" }, anna);
      expect((await under.registry.versions("late")).map((each) => each.source)).toEqual([
        "runs:/elsewhere/model",
        "mlflow-artifacts:/7/run-1/artifacts/model",
      ]);
      await expect(under.registry.register("late", { artifact: "3" }, anna)).rejects.toMatchObject({
        code: "REGISTRY_SOURCE_INVALID",
      });
    });

    test("is the run in its source, and the run of its logged model", async () => {
      const { registry } = under;
      await insertRun("run-1");
      await insertLoggedModel("m-1", "run-1");
      await registry.createModel({ name: "late" });
      const add = (given: Parameters<typeof registry.createVersion>[1]) => registry.createVersion("late", given, anna);
      expect(await add({ source: "runs:/run-1/model" })).toMatchObject({ runId: "run-1", location: "runs:/run-1/model" });
      expect(await add({ source: "runs:/of-another-server/model" })).toMatchObject({ runId: null });
      expect(await add({ source: "runs:/run-1/model", runId: "said" })).toMatchObject({ runId: "said" });
      expect(await add({ source, modelId: "m-1" })).toMatchObject({ runId: "run-1", modelId: "m-1" });
      expect(await add({ source: "models:/m-1" })).toMatchObject({
        source: "models:/m-1",
        location: "mlflow-artifacts:/7/models/m-1/artifacts",
        runId: "run-1",
        modelId: "m-1",
      });
      await expect(add({ source: "models:/m-2" })).rejects.toMatchObject({ code: "REGISTRY_SOURCE_INVALID" });
      await expect(add({ source: "models:/m-1", modelId: "m-3" })).rejects.toMatchObject({ code: "REGISTRY_SOURCE_INVALID" });
    });

    test("is another version, by number, alias, stage or as the latest; the files are found when that one is gone", async () => {
      const { registry } = under;
      await registry.createModel({ name: "late" });
      await registry.createVersion("late", { source, runId: "r", modelId: "m" }, anna);
      await registry.createVersion("late", { source: "s3://bucket/second" }, anna);
      await registry.setAlias({ model: "late", alias: "champion", version: 1, actor: anna, reason: "r" });
      await registry.setStage("late", 1, "Production", false, anna);
      await registry.createModel({ name: "copy" });
      const copy = (from: string) => registry.createVersion("copy", { source: from }, anna);
      for (const from of ["models:/late/1", "models:/late@champion", "models:/late/production"])
        expect(await copy(from)).toMatchObject({ source: "models:/late/1", location: source, runId: "r", modelId: "m" });
      expect(await copy("models:/late/latest")).toMatchObject({ source: "models:/late/2", location: "s3://bucket/second" });
      expect(await copy("models:/copy/1")).toMatchObject({ source: "models:/copy/1", location: source });
      for (const from of ["models:/late/3", "models:/late@none", "models:/late/Staging", "models:/none/1", "models:/late/1/x"])
        await expect(copy(from)).rejects.toMatchObject({ code: "REGISTRY_SOURCE_INVALID", details: { reason: "unknown" } });
      await registry.deleteModel("late");
      expect((await registry.version("copy", 1)).location).toBe(source);
    });
  });

  describe("stages", () => {
    const audit = () =>
      under.store.db
        .selectFrom("audit")
        .select(["actor", "action", "target", "details"])
        .where("project", "=", under.scope.project)
        .orderBy("id")
        .execute();

    test("are moved to, others are archived for them, and who did it is kept", async () => {
      const { registry, clock } = under;
      await registry.createModel({ name: "late" });
      for (let i = 0; i < 3; i++) await create("late");
      await registry.setStage("late", 1, "Production", false, anna);
      await registry.setStage("late", 2, "Production", false, anna);
      clock.advanceTo(start + HOUR);
      expect(await registry.setStage("late", 3, "Production", true, ben)).toMatchObject({
        stage: "Production",
        updatedAt: start + HOUR,
      });
      expect((await registry.versions("late")).map(({ stage }) => stage)).toEqual(["Production", "Archived", "Archived"]);
      expect(await audit()).toMatchObject([
        { actor: "user:anna", target: "late@1" },
        { target: "late@2" },
        { actor: "user:ben", target: "late@1", details: '{"from":"Production","to":"Archived"}' },
        { target: "late@2" },
        { action: "models.setStage", target: "late@3", details: '{"from":"None","to":"Production"}' },
      ]);
      for (const stage of ["None", "Archived"] as const)
        await expect(registry.setStage("late", 1, stage, true, anna)).rejects.toMatchObject({ code: "REGISTRY_STAGE_INVALID" });
    });

    test("have a newest version each", async () => {
      const { registry } = under;
      await registry.createModel({ name: "late" });
      for (let i = 0; i < 4; i++) await create("late");
      await registry.setStage("late", 1, "Staging", false, anna);
      await registry.setStage("late", 2, "Staging", false, anna);
      await registry.setStage("late", 3, "Production", false, anna);
      const latest = async (stages?: Parameters<typeof registry.latestByStage>[1]) =>
        (await registry.latestByStage("late", stages)).map(({ version, stage }) => [version, stage]);
      expect(await latest()).toEqual([
        [2, "Staging"],
        [3, "Production"],
        [4, "None"],
      ]);
      expect(await latest([])).toHaveLength(3);
      expect(await latest(["Staging", "Archived"])).toEqual([[2, "Staging"]]);
      await registry.deleteVersion("late", 2, anna);
      expect(await latest(["Staging"])).toEqual([[1, "Staging"]]);
      await expect(registry.latestByStage("none")).rejects.toMatchObject({ code: "REGISTRY_MODEL_UNKNOWN" });
    });
  });

  describe("aliases", () => {
    test("are set, moved and taken away, each with its decision", async () => {
      const { registry } = under;
      await registry.createModel({ name: "late" });
      await create("late");
      await create("late");
      const set = (alias: string, version: number) =>
        registry.setAlias({ model: "late", alias, version, actor: anna, reason: "r" });
      await set("prod", 1);
      await set("prod", 2);
      await set("Prod_2-é", 2);
      expect(await registry.aliases("late")).toEqual({ prod: 2, "Prod_2-é": 2 });
      expect((await registry.version("late", 2)).aliases).toEqual(["Prod_2-é", "prod"]);
      const remove = () => registry.deleteAlias({ model: "late", alias: "prod", actor: ben, reason: "over" });
      expect(await remove()).toMatchObject({
        decision: "removed",
        fromVersion: 2,
        toVersion: 2,
        actor: "user:ben",
        reason: "over",
      });
      expect(await remove()).toBeNull();
      expect(await registry.byAlias("late", "prod")).toBeNull();
      expect((await registry.promotions("late")).map(({ decision }) => decision)).toEqual([
        "removed",
        "promoted",
        "promoted",
        "promoted",
      ]);
      await expect(registry.deleteAlias({ model: "none", alias: "prod", actor: ben, reason: "r" })).rejects.toMatchObject({
        code: "REGISTRY_MODEL_UNKNOWN",
      });
    });

    test.each(["", "a b", "a.b", "a/b", "a@b", "latest", "LATEST", "v1", "V23", "a\0", "x".repeat(256)])(
      "are not called %j",
      async (alias) => {
        await under.registry.createModel({ name: "late" });
        await create("late");
        const set = under.registry.setAlias({ model: "late", alias, version: 1, actor: anna, reason: "r" });
        await expect(set).rejects.toMatchObject({ code: "REGISTRY_ALIAS_INVALID", kind: "invalid" });
        expect(await under.registry.promotions("late")).toEqual([]);
      },
    );

    test("may have 255 characters, and begin with v as long as they are no version", async () => {
      await under.registry.createModel({ name: "late" });
      await create("late");
      for (const alias of ["x".repeat(255), "v1a", "v", "latest_1"])
        await under.registry.setAlias({ model: "late", alias, version: 1, actor: anna, reason: "r" });
    });

    test("have the latest version as one that is always there", async () => {
      await under.registry.createModel({ name: "late" });
      expect(await under.registry.byAlias("late", "latest")).toBeNull();
      await create("late");
      await create("late");
      expect((await under.registry.byAlias("late", "Latest"))?.version).toBe(2);
    });
  });
});
