import { describe, expect, test } from "vitest";
import { onEachDatabase } from "../../../test/fixtures/databases.ts";
import { HOUR } from "../time.ts";
import { anna, registryForTests, start } from "./test-support/open-registry.ts";

await onEachDatabase((open) => {
  const under = registryForTests(open);

  describe("searching models", () => {
    test("finds them by the filter, with tags, aliases and the newest version of each stage", async () => {
      const { registry } = under;
      for (const name of ["early", "late", "later"])
        await registry.createModel({ name, tags: { team: name === "early" ? "a" : "b" } });
      for (let i = 0; i < 3; i++) await registry.createVersion("late", { source: "s3://b/m", tags: { i: `${i}` } }, anna);
      await registry.setStage("late", 1, "Production", false, anna);
      await registry.setAlias({ model: "late", alias: "champion", version: 3, actor: anna, reason: "r" });
      const found = await registry.searchModels({ filter: "name LIKE 'late%' AND tags.team = 'b'" });
      expect(found.items.map(({ name }) => name)).toEqual(["late", "later"]);
      expect(found.items[0]).toMatchObject({
        tags: { team: "b" },
        aliases: { champion: 3 },
        latestVersions: [
          { version: 1, stage: "Production", tags: { i: "0" } },
          { version: 3, stage: "None", tags: { i: "2" }, aliases: ["champion"] },
        ],
      });
      expect(found.items[1]?.latestVersions).toEqual([]);
    });

    test("goes page by page in any order, and deleted ones are looked for apart", async () => {
      const { registry } = under;
      for (let i = 0; i < 7; i++) await registry.createModel({ name: `m${i}` });
      const names: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await registry.searchModels({ orderBy: ["name DESC"], limit: 3, cursor });
        names.push(...page.items.map(({ name }) => name));
        cursor = page.nextCursor ?? undefined;
      } while (cursor !== undefined);
      expect(names).toEqual(["m6", "m5", "m4", "m3", "m2", "m1", "m0"]);
      await registry.deleteModel("m3");
      expect((await registry.searchModels({ view: "deleted" })).items.map(({ name }) => name)).toEqual(["m3"]);
      expect((await registry.searchModels({})).items).toHaveLength(6);
      await expect(registry.searchModels({ filter: "nonsense" })).rejects.toMatchObject({ code: "TRACKING_FILTER_INVALID" });
      await expect(registry.searchModels({ cursor: "x" })).rejects.toMatchObject({ code: "TRACKING_CURSOR_INVALID" });
    });
  });

  describe("searching versions", () => {
    test("finds them by run, model, source and tag, the last changed first", async () => {
      const { registry, clock } = under;
      for (const [model, runId] of [
        ["a", "r1"],
        ["b", "r1"],
        ["a", "r2"],
      ] as const) {
        clock.advanceTo(clock.now() + HOUR);
        await registry.register(model, { runId, artifact: runId, tags: { [`of-${model}`]: runId } }, anna);
      }
      const found = async (filter?: string) =>
        (await registry.searchVersions({ filter })).items.map(({ model, version }) => `${model}@${version}`);
      expect(await found()).toEqual(["a@2", "b@1", "a@1"]);
      expect(await found("run_id = 'r1'")).toEqual(["b@1", "a@1"]);
      expect(await found("name = 'a' AND run_id IN ('r2', 'r3')")).toEqual(["a@2"]);
      expect(await found("source_path = 'runs:/r1/model'")).toEqual(["b@1", "a@1"]);
      expect(await found("tags.`of-a` = 'r1' OR tags.`of-b` = 'r1'")).toEqual(["b@1", "a@1"]);
      await registry.deleteModel("b");
      await registry.deleteVersion("a", 1, anna);
      expect(await found()).toEqual(["a@2"]);
      expect(clock.now()).toBe(start + 3 * HOUR);
    });

    test("loads a page of a thousand with tags and aliases of each", async () => {
      const { registry } = under;
      await registry.createModel({ name: "late" });
      for (let i = 0; i < 450; i++) await registry.createVersion("late", { source: "s3://b/m", tags: { i: `${i + 1}` } }, anna);
      await registry.setAlias({ model: "late", alias: "x", version: 77, actor: anna, reason: "r" });
      const { items, nextCursor } = await registry.searchVersions({ limit: 1_000 });
      expect(nextCursor).toBeNull();
      expect(items).toHaveLength(450);
      for (const { version, tags, aliases } of items)
        expect([tags, aliases]).toEqual([{ i: `${version}` }, version === 77 ? ["x"] : []]);
    });
  });
});
