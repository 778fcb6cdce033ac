import { describe, expect, test } from "vitest";
import { onEachDatabase } from "../../../test/fixtures/databases.ts";
import { actor, start, trackingForTests } from "./test-support/open-tracking.ts";

await onEachDatabase((open) => {
  const under = trackingForTests(open);
  const experiments = () => under.tracking.experiments;

  describe("experiments", () => {
    test("the default one is made once, with the id that clients expect", async () => {
      await Promise.all([
        experiments().ensureDefault(),
        experiments().ensureDefault(),
        under.of("p").experiments.ensureDefault(),
      ]);
      expect(await experiments().list()).toMatchObject([
        { id: "0", name: "Default", artifactLocation: "mlflow-artifacts:/0", lifecycle: "active", tags: {} },
      ]);
    });

    test("where another is called Default already, the one with id 0 has another name", async () => {
      const other = await experiments().create({ name: "Default" });
      await experiments().ensureDefault();
      expect(other.id).not.toBe("0");
      expect((await experiments().get("0")).name).toBe("Default (0)");
    });

    test("an experiment comes back with its tags, its own place for artifacts and the time it was made", async () => {
      const made = await experiments().create({ name: "late flights ✈", tags: { team: "ops", "note/1": "naïve" } });
      expect(made.id).toBe(String(start));
      expect(await experiments().get(made.id)).toEqual({
        id: made.id,
        name: "late flights ✈",
        artifactLocation: `mlflow-artifacts:/${made.id}`,
        lifecycle: "active",
        createdAt: start,
        updatedAt: start,
        tags: { team: "ops", "note/1": "naïve" },
      });
      expect(await experiments().named("late flights ✈")).toEqual(made);
    });

    test("experiments of the same microsecond have ids of their own", async () => {
      const made = await Promise.all(["a", "b", "c"].map((name) => experiments().create({ name })));
      expect(new Set(made.map(({ id }) => id)).size).toBe(3);
    });

    test("a name belongs to one active experiment of a project", async () => {
      await experiments().create({ name: "a" });
      await expect(experiments().create({ name: "a" })).rejects.toMatchObject({
        code: "TRACKING_EXPERIMENT_EXISTS",
        kind: "conflict",
      });
      await under.of("other").experiments.create({ name: "a" });
    });

    test("however many ask for a name at once, one experiment is made", async () => {
      const made = await Promise.all(Array.from({ length: 8 }, () => experiments().getOrCreate("late")));
      expect(new Set(made.map(({ id }) => id)).size).toBe(1);
      expect(await experiments().list()).toHaveLength(1);
    });

    test("unknown ones are not found, and not those of another project", async () => {
      const { id } = await under.of("other").experiments.create({ name: "a" });
      const unknown = { code: "TRACKING_EXPERIMENT_UNKNOWN", kind: "not-found" };
      await expect(experiments().get(id)).rejects.toMatchObject(unknown);
      await expect(experiments().named("a")).rejects.toMatchObject(unknown);
      await expect(experiments().rename(id, "b")).rejects.toMatchObject(unknown);
      await expect(experiments().delete(id)).rejects.toMatchObject(unknown);
      await expect(experiments().restore(id)).rejects.toMatchObject(unknown);
      await expect(experiments().setTag(id, "a", "b")).rejects.toMatchObject(unknown);
    });

    test("names are 1 to 500 characters on one line", async () => {
      await experiments().create({ name: "x".repeat(500) });
      for (const name of ["", "  ", "two\nlines", "a\0b", "x".repeat(501)])
        await expect(experiments().create({ name })).rejects.toMatchObject({ code: "TRACKING_NAME_INVALID", kind: "invalid" });
    });

    test("renaming keeps the experiment and refuses a name in use", async () => {
      const [a, b] = [await experiments().create({ name: "a" }), await experiments().create({ name: "b" })];
      under.clock.advanceTo(start + 5);
      await experiments().rename(a.id, "c");
      await experiments().rename(a.id, "c");
      expect(await experiments().get(a.id)).toMatchObject({ name: "c", updatedAt: start + 5 });
      await expect(experiments().rename(b.id, "c")).rejects.toMatchObject({ code: "TRACKING_EXPERIMENT_EXISTS" });
      await experiments().delete(a.id);
      await expect(experiments().rename(a.id, "d")).rejects.toMatchObject({ code: "TRACKING_EXPERIMENT_DELETED" });
    });

    test("tags are set, replaced and deleted; long values and missing keys are refused", async () => {
      const { id } = await experiments().create({ name: "a" });
      await experiments().setTag(id, "k", "1");
      await experiments().setTag(id, "k", "2");
      await experiments().setTag(id, "empty", "");
      expect((await experiments().get(id)).tags).toEqual({ empty: "", k: "2" });
      await experiments().deleteTag(id, "k");
      await expect(experiments().deleteTag(id, "k")).rejects.toMatchObject({ code: "TRACKING_TAG_UNKNOWN", kind: "not-found" });
      await expect(experiments().setTag(id, "../up", "x")).rejects.toMatchObject({ code: "TRACKING_NAME_INVALID" });
      await expect(experiments().setTag(id, "k", "x".repeat(20_001))).rejects.toMatchObject({ code: "TRACKING_VALUE_TOO_LONG" });
      await experiments().delete(id);
      await expect(experiments().setTag(id, "k", "1")).rejects.toMatchObject({ code: "TRACKING_EXPERIMENT_DELETED" });
    });
  });

  describe("deleting an experiment", () => {
    const newRun = (experimentId: string) => under.tracking.runs.create({ experimentId, actor });

    test("frees its name at once, and the name finds the active one first, then the one deleted last", async () => {
      const first = await experiments().create({ name: "a" });
      await experiments().delete(first.id);
      expect((await experiments().named("a")).id).toBe(first.id);
      under.clock.advanceTo(start + 1_000);
      const second = await experiments().create({ name: "a" });
      expect((await experiments().named("a")).id).toBe(second.id);
      await experiments().delete(second.id);
      expect((await experiments().named("a")).id).toBe(second.id);
      await experiments().restore(first.id);
      expect((await experiments().named("a")).id).toBe(first.id);
      await expect(experiments().restore(second.id)).rejects.toMatchObject({ code: "TRACKING_EXPERIMENT_EXISTS" });
    });

    test("takes its runs and logged models along; restoring brings back those and nothing that was deleted before", async () => {
      const { id } = await experiments().create({ name: "a" });
      const [kept, gone] = [await newRun(id), await newRun(id)];
      const model = await under.tracking.loggedModels.create({ experimentId: id });
      const goneModel = await under.tracking.loggedModels.create({ experimentId: id });
      // At the same moment of a clock that stands still.
      await under.tracking.runs.delete(gone.id);
      await under.tracking.loggedModels.delete(goneModel.id);
      await experiments().delete(id);
      expect((await under.tracking.runs.record(kept.id)).lifecycle).toBe("deleted");
      await expect(under.tracking.loggedModels.get(model.id)).rejects.toMatchObject({ code: "TRACKING_LOGGED_MODEL_UNKNOWN" });
      await expect(newRun(id)).rejects.toMatchObject({ code: "TRACKING_EXPERIMENT_DELETED", kind: "conflict" });
      await experiments().restore(id);
      expect((await under.tracking.runs.record(kept.id)).lifecycle).toBe("active");
      expect((await under.tracking.runs.record(gone.id)).lifecycle).toBe("deleted");
      expect((await under.tracking.loggedModels.get(model.id)).lifecycle).toBe("active");
      expect((await under.tracking.loggedModels.get(goneModel.id, "all")).lifecycle).toBe("deleted");
    });

    test("only an active one can be deleted and only a deleted one restored", async () => {
      const { id } = await experiments().create({ name: "a" });
      await expect(experiments().restore(id)).rejects.toMatchObject({ code: "TRACKING_EXPERIMENT_UNKNOWN" });
      await experiments().delete(id);
      await expect(experiments().delete(id)).rejects.toMatchObject({ code: "TRACKING_EXPERIMENT_UNKNOWN" });
      expect(await experiments().list()).toEqual([]);
    });
  });
});
