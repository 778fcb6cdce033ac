import { describe, expect, test } from "vitest";
import { onEachDatabase } from "../../../test/fixtures/databases.ts";
import { HOUR } from "../time.ts";
import { anna, ben, registryForTests, start } from "./test-support/open-registry.ts";

await onEachDatabase((open) => {
  const under = registryForTests(open);
  const source = "s3://bucket/model";
  const exists = { code: "REGISTRY_MODEL_EXISTS", kind: "conflict" };
  const unknown = { code: "REGISTRY_MODEL_UNKNOWN", kind: "not-found" };

  describe("a registered model", () => {
    test("is returned as it was created, once", async () => {
      const { registry } = under;
      const model = await registry.createModel({
        name: "späte Flüge 🚀",
        description: "late?",
        tags: { team: "ops", __proto__x: "1" },
      });
      expect(model).toEqual({
        name: "späte Flüge 🚀",
        description: "late?",
        createdAt: start,
        updatedAt: start,
        tags: { team: "ops", __proto__x: "1" },
        aliases: {},
      });
      expect(await registry.model("späte Flüge 🚀")).toEqual(model);
      await expect(registry.createModel({ name: "späte Flüge 🚀" })).rejects.toMatchObject(exists);
      await expect(registry.model("Späte Flüge 🚀")).rejects.toMatchObject(unknown);
      expect((await registry.createModel({ name: "another" })).tags).toEqual({});
      expect((await registry.models()).map(({ name }) => name)).toEqual(["another", "späte Flüge 🚀"]);
    });

    test.each(["", "  ", "a/b", "a:b", "deleted:x", ".", "..", "..a", "a\nb", "a\0b", "\ud800", "x".repeat(257)])(
      "is not called %j",
      async (name) => {
        const invalid = { code: "REGISTRY_NAME_INVALID", kind: "invalid" };
        await expect(under.registry.createModel({ name })).rejects.toMatchObject(invalid);
        await under.registry.createModel({ name: "fine" });
        await expect(under.registry.renameModel("fine", name)).rejects.toMatchObject(invalid);
        await expect(under.registry.register(name, { source }, anna)).rejects.toMatchObject(invalid);
        await expect(under.registry.model(name)).rejects.toMatchObject(unknown);
        expect(await under.registry.versions(name)).toEqual([]);
        expect(await under.registry.aliases(name)).toEqual({});
        expect(await under.registry.byAlias(name, "champion")).toBeNull();
      },
    );

    test("may have a name of 256 characters, however many units they take", async () => {
      const name = "🚀".repeat(256);
      expect((await under.registry.createModel({ name })).name).toBe(name);
    });

    test("has tags that are set, replaced and removed", async () => {
      const { registry } = under;
      await registry.createModel({ name: "late" });
      await registry.setModelTag("late", "team", "ops");
      await registry.setModelTag("late", "team", "data");
      await registry.setModelTag("late", "a/b c:d", "");
      expect((await registry.model("late")).tags).toEqual({ team: "data", "a/b c:d": "" });
      await registry.deleteModelTag("late", "team");
      await registry.deleteModelTag("late", "team");
      expect((await registry.model("late")).tags).toEqual({ "a/b c:d": "" });
      await expect(registry.setModelTag("none", "a", "b")).rejects.toMatchObject(unknown);
      await expect(registry.deleteModelTag("none", "a")).rejects.toMatchObject(unknown);
      const invalid = { code: "REGISTRY_TAG_INVALID", kind: "invalid" };
      for (const key of ["", "a\0", "a;b", "../a", "/a", "a//b", "a/", "k".repeat(251)])
        await expect(registry.setModelTag("late", key, "v")).rejects.toMatchObject(invalid);
      for (const value of ["v".repeat(100_001), "\0", "\udc00"])
        await expect(registry.setModelTag("late", "k", value)).rejects.toMatchObject(invalid);
      await registry.setModelTag("late", "k".repeat(250), "v".repeat(100_000));
    });

    test("is described anew", async () => {
      const { registry, clock } = under;
      await registry.createModel({ name: "late" });
      clock.advanceTo(start + HOUR);
      expect(await registry.describeModel("late", "since 2013")).toMatchObject({
        description: "since 2013",
        updatedAt: start + HOUR,
      });
      await expect(registry.describeModel("none", "x")).rejects.toMatchObject(unknown);
      await expect(registry.describeModel("late", "\0")).rejects.toMatchObject({ code: "REGISTRY_TEXT_INVALID" });
    });

    test("is of its project only", async () => {
      await under.registry.createModel({ name: "late" });
      const { createRegistry } = await import("./index.ts");
      const other = createRegistry({ ...under, scope: { ...under.scope, project: "elsewhere" } });
      await expect(other.model("late")).rejects.toMatchObject(unknown);
      await expect(other.renameModel("late", "taken")).rejects.toMatchObject(unknown);
      await expect(other.deleteModel("late")).rejects.toMatchObject(unknown);
    });
  });

  describe("renaming", () => {
    test("keeps versions, tags, aliases, gates, approvals and promotions", async () => {
      const { registry, clock } = under;
      await registry.register("late", { runId: "a", artifact: "1", tags: { t: "1" } }, anna);
      await registry.register("late", { runId: "b", artifact: "2" }, anna);
      await registry.setModelTag("late", "team", "ops");
      const gate = await registry.saveGate({
        model: "late",
        version: 2,
        championVersion: null,
        testSet: "november",
        verdicts: [],
      });
      await registry.approve({ model: "late", version: 2, actor: ben, roles: [], reason: "fine" });
      await registry.setAlias({ model: "late", alias: "champion", version: 1, actor: anna, reason: "first" });
      await registry.setAlias({ model: "late", alias: "champion", version: 2, actor: anna, reason: "second" });
      clock.advanceTo(start + HOUR);
      const renamed = await registry.renameModel("late", "delayed");
      expect(renamed).toMatchObject({
        name: "delayed",
        tags: { team: "ops" },
        aliases: { champion: 2 },
        updatedAt: start + HOUR,
      });
      await expect(registry.model("late")).rejects.toMatchObject(unknown);
      expect(await registry.versions("delayed")).toMatchObject([
        { model: "delayed", version: 2, aliases: ["champion"], updatedAt: start + HOUR },
        { model: "delayed", version: 1, tags: { t: "1" } },
      ]);
      expect(await registry.promotions("delayed")).toMatchObject([{ toVersion: 2 }, { toVersion: 1 }]);
      expect(await registry.promotions("late")).toEqual([]);
      expect(await registry.gates("delayed")).toMatchObject([{ id: gate.id, model: "delayed" }]);
      expect(await registry.approvals("delayed")).toMatchObject([{ actor: "user:ben" }]);
      // The same rows are the same gate under the new name.
      const again = await registry.openGate({ model: "delayed", version: 2, championVersion: null, testSet: "november" }, () =>
        Promise.reject(new Error("must not be asked")),
      );
      expect(again.id).toBe(gate.id);
      expect(
        await registry.rollback({ model: "delayed", alias: "champion", actor: anna, reason: "back", idempotencyKey: "r" }),
      ).toMatchObject({ fromVersion: 2, toVersion: 1 });
    });

    test("to a name that is taken, or of a model that is not there, changes nothing", async () => {
      const { registry } = under;
      await registry.createModel({ name: "a" });
      await registry.createModel({ name: "b" });
      await expect(registry.renameModel("a", "b")).rejects.toMatchObject(exists);
      await expect(registry.renameModel("none", "c")).rejects.toMatchObject(unknown);
      expect((await registry.models()).map(({ name }) => name)).toEqual(["a", "b"]);
    });
  });

  describe("deleting", () => {
    test("hides the model and its versions, and its name can be used again at once", async () => {
      const { registry } = under;
      await registry.register("late", { runId: "a", artifact: "1" }, anna);
      await registry.setAlias({ model: "late", alias: "champion", version: 1, actor: anna, reason: "first" });
      const gate = await registry.saveGate({
        model: "late",
        version: 1,
        championVersion: null,
        testSet: "november",
        verdicts: [],
      });
      await registry.deleteModel("late");
      await expect(registry.model("late")).rejects.toMatchObject(unknown);
      await expect(registry.deleteModel("late")).rejects.toMatchObject(unknown);
      expect(await registry.models()).toEqual([]);
      expect(await registry.versions("late")).toEqual([]);
      expect(await registry.byAlias("late", "champion")).toBeNull();
      await expect(registry.version("late", 1)).rejects.toMatchObject({ code: "REGISTRY_VERSION_UNKNOWN" });
      await expect(registry.describeVersion("late", 1, "x")).rejects.toMatchObject({ code: "REGISTRY_VERSION_UNKNOWN" });

      expect(await registry.register("late", { runId: "a", artifact: "1" }, anna)).toBe(1);
      expect(await registry.promotions("late")).toEqual([]);
      // The new model's version 1 has not been gated on these rows, though the old one's has.
      const opened = await registry.openGate(
        { model: "late", version: 1, championVersion: null, testSet: "november" },
        async () => [],
      );
      expect(opened.id).not.toBe(gate.id);
    });

    test("is undone with aliases and the versions the model had then", async () => {
      const { registry } = under;
      for (const run of ["a", "b", "c"]) await registry.register("late", { runId: run, artifact: run }, anna);
      await registry.setAlias({ model: "late", alias: "champion", version: 1, actor: anna, reason: "first" });
      // In the same microsecond as the model: a virtual clock stands still.
      await registry.deleteVersion("late", 2, anna);
      await registry.deleteModel("late");
      expect(await registry.restoreModel("late")).toMatchObject({ name: "late", aliases: { champion: 1 } });
      expect((await registry.versions("late")).map(({ version }) => version)).toEqual([3, 1]);
      expect(await registry.promotions("late")).toHaveLength(1);
      await expect(registry.restoreModel("late")).rejects.toMatchObject(unknown);
    });

    test("cannot be undone while the name is another's; of several the one deleted last comes back", async () => {
      const { registry, clock } = under;
      for (const description of ["first", "second", "third"]) {
        await registry.createModel({ name: "late", description });
        if (description !== "third") await registry.deleteModel("late");
        clock.advanceTo(clock.now() + HOUR);
      }
      await expect(registry.restoreModel("late")).rejects.toMatchObject(exists);
      await registry.renameModel("late", "kept");
      expect((await registry.restoreModel("late")).description).toBe("second");
      await registry.renameModel("late", "later");
      expect((await registry.restoreModel("late")).description).toBe("first");
      await expect(registry.restoreModel("none\0")).rejects.toMatchObject(unknown);
    });
  });
});
