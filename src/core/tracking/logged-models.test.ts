import { describe, expect, test } from "vitest";
import { onEachDatabase } from "../../../test/fixtures/databases.ts";
import { actor, start, trackingForTests } from "./test-support/open-tracking.ts";

await onEachDatabase((open) => {
  const under = trackingForTests(open);
  const models = () => under.tracking.loggedModels;
  const experiment = async () => (await under.tracking.experiments.getOrCreate("late")).id;

  describe("logged models", () => {
    test("a model is pending until it is finalized, with params and tags", async () => {
      const experimentId = await experiment();
      const run = await under.tracking.runs.create({ experimentId, actor });
      const made = await models().create({
        experimentId,
        name: "forest",
        sourceRunId: run.id,
        modelType: "classifier",
        params: { depth: "3" },
        tags: { a: "1" },
      });
      expect(made).toEqual({
        id: made.id,
        experimentId,
        name: "forest",
        artifactLocation: `mlflow-artifacts:/${experimentId}/models/${made.id}/artifacts`,
        status: "pending",
        statusMessage: null,
        lifecycle: "active",
        modelType: "classifier",
        sourceRunId: run.id,
        createdAt: start,
        updatedAt: start,
        params: { depth: "3" },
        tags: { a: "1" },
        metrics: [],
      });
      expect(made.id).toMatch(/^m-[0-9a-z]+$/);
      under.clock.advanceTo(start + 7);
      expect(await models().finalize(made.id, "failed", "out of memory")).toMatchObject({
        status: "failed",
        statusMessage: "out of memory",
        updatedAt: start + 7,
      });
      expect(await models().finalize(made.id, "ready")).toMatchObject({ status: "ready", statusMessage: null });
    });

    test("tags are replaced and deleted; params stay as they are", async () => {
      const { id } = await models().create({ experimentId: await experiment() });
      expect((await models().setTags(id, { a: "1", b: "" })).tags).toEqual({ a: "1", b: "" });
      expect((await models().setTags(id, { a: "2" })).tags).toEqual({ a: "2", b: "" });
      await models().deleteTag(id, "a");
      await expect(models().deleteTag(id, "a")).rejects.toMatchObject({ code: "TRACKING_TAG_UNKNOWN" });
      await models().logParams(id, { depth: "3" });
      await models().logParams(id, { depth: "3", trees: "9" });
      await expect(models().logParams(id, { more: "1", depth: "4" })).rejects.toMatchObject({ code: "TRACKING_PARAM_CHANGED" });
      expect(await models().get(id)).toMatchObject({ params: { depth: "3", trees: "9" }, tags: { b: "" } });
    });

    test("a name that would break a model's URI is refused, none at all is made up", async () => {
      const experimentId = await experiment();
      for (const name of ["a/b", "a:b", "a.b", "a%b", 'a"b', "a'b", "", "two\nlines"])
        await expect(models().create({ experimentId, name })).rejects.toMatchObject({ code: "TRACKING_NAME_INVALID" });
      expect((await models().create({ experimentId })).name).toMatch(/^[a-z]+-[a-z]+-\d+$/);
      await expect(models().create({ experimentId, params: { a: "x".repeat(6_001) } })).rejects.toMatchObject({
        code: "TRACKING_VALUE_TOO_LONG",
      });
    });

    test("the experiment must be there and active", async () => {
      await expect(models().create({ experimentId: "none" })).rejects.toMatchObject({ code: "TRACKING_EXPERIMENT_UNKNOWN" });
      const experimentId = await experiment();
      await under.tracking.experiments.delete(experimentId);
      await expect(models().create({ experimentId })).rejects.toMatchObject({ code: "TRACKING_EXPERIMENT_DELETED" });
    });

    test("a deleted one is not found and takes no changes until it is restored", async () => {
      const experimentId = await experiment();
      const { id } = await models().create({ experimentId });
      await models().delete(id);
      const unknown = { code: "TRACKING_LOGGED_MODEL_UNKNOWN", kind: "not-found" };
      await expect(models().get(id)).rejects.toMatchObject(unknown);
      await expect(models().delete(id)).rejects.toMatchObject(unknown);
      await expect(models().finalize(id, "ready")).rejects.toMatchObject(unknown);
      await expect(models().setTags(id, { a: "1" })).rejects.toMatchObject(unknown);
      await expect(models().logParams(id, { a: "1" })).rejects.toMatchObject(unknown);
      expect((await models().get(id, "all")).lifecycle).toBe("deleted");
      expect((await models().search({ experimentIds: [experimentId] })).items).toEqual([]);
      expect((await models().restore(id)).lifecycle).toBe("active");
      await models().restore(id);
      expect((await models().search({ experimentIds: [experimentId] })).items.map((model) => model.id)).toEqual([id]);
      await expect(models().restore("m-none")).rejects.toMatchObject(unknown);
      await expect(under.of("other").loggedModels.get(id)).rejects.toMatchObject(unknown);
    });
  });
});
