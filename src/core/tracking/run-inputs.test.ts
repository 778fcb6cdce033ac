import { describe, expect, test } from "vitest";
import { onEachDatabase } from "../../../test/fixtures/databases.ts";
import type { Dataset } from "./index.ts";
import { actor, trackingForTests } from "./test-support/open-tracking.ts";

const dataset = (name: string, more: Partial<Dataset> = {}): Dataset => ({
  name,
  digest: "d1",
  sourceType: "local",
  source: '{"uri":"flights.csv"}',
  schema: null,
  profile: null,
  ...more,
});
const context = (value: string) => ({ "mlflow.data.context": value });

await onEachDatabase((open) => {
  const under = trackingForTests(open);
  const newRun = (experiment = "late") => under.tracking.runs.create({ experiment, actor });

  describe("what a run read and made", () => {
    test("data sets come back in the order they were logged, with their tags", async () => {
      const { id } = await newRun();
      const train = { dataset: dataset("train", { schema: '{"a":1}', profile: "x".repeat(100_000) }), tags: context("training") };
      const test = { dataset: dataset("test"), tags: {} };
      await under.tracking.logInputs(id, { datasets: [train, test] });
      await under.tracking.logInputs(id, { datasets: [{ dataset: dataset("another"), tags: {} }] });
      expect((await under.tracking.runs.record(id)).datasets).toEqual([train, test, { dataset: dataset("another"), tags: {} }]);
    });

    test("a data set again changes nothing, its tags neither; twice in one call the first counts", async () => {
      const { id } = await newRun();
      const { tracking } = under;
      await tracking.logInputs(id, { datasets: [{ dataset: dataset("train"), tags: context("training") }] });
      await tracking.logInputs(id, { datasets: [{ dataset: dataset("train", { source: "elsewhere" }), tags: { a: "1" } }] });
      expect((await tracking.runs.record(id)).datasets).toEqual([{ dataset: dataset("train"), tags: context("training") }]);
      const twice = ["1", "2"].map((b) => ({ dataset: dataset("test"), tags: { b } }));
      await tracking.logInputs(id, { datasets: twice });
      expect((await tracking.runs.record(id)).datasets[1]?.tags).toEqual({ b: "1" });
    });

    test("models read and made are told apart", async () => {
      const { id } = await newRun();
      await under.tracking.logInputs(id, { models: [{ modelId: "m-1", step: 0 }] });
      await under.tracking.logOutputs(id, [
        { modelId: "m-1", step: 3 },
        { modelId: "m-2", step: 4 },
      ]);
      await under.tracking.logOutputs(id, [{ modelId: "m-2", step: 5 }]);
      expect(await under.tracking.runs.record(id)).toMatchObject({
        modelInputs: [{ modelId: "m-1", step: 0 }],
        modelOutputs: [
          { modelId: "m-1", step: 3 },
          { modelId: "m-2", step: 5 },
        ],
      });
    });

    test("limits of the clients are kept", async () => {
      const { id } = await newRun();
      const refused = (each: Dataset, tags: Record<string, string> = {}) =>
        expect(under.tracking.logInputs(id, { datasets: [{ dataset: each, tags }] })).rejects;
      const invalid = { code: "TRACKING_DATASET_INVALID", kind: "invalid" };
      await refused(dataset("")).toMatchObject(invalid);
      await refused(dataset("a", { digest: "" })).toMatchObject(invalid);
      await refused(dataset("a".repeat(501))).toMatchObject(invalid);
      await refused(dataset("a", { digest: "d".repeat(37) })).toMatchObject(invalid);
      await refused(dataset("a", { source: "s".repeat(65_536) })).toMatchObject(invalid);
      await refused(dataset("a", { schema: "s".repeat(1_048_576) })).toMatchObject(invalid);
      await refused(dataset("a", { profile: "s".repeat(16_777_216) })).toMatchObject(invalid);
      await refused(dataset("a", { source: "a\0b" })).toMatchObject({ code: "TRACKING_VALUE_INVALID" });
      await refused(dataset("a"), { ["k".repeat(256)]: "v" }).toMatchObject({ code: "TRACKING_VALUE_TOO_LONG" });
      await refused(dataset("a"), { k: "v".repeat(501) }).toMatchObject({ code: "TRACKING_VALUE_TOO_LONG" });
      const many = Array.from({ length: 1_001 }, (_, i) => ({ dataset: dataset(`d${i}`), tags: {} }));
      await expect(under.tracking.logInputs(id, { datasets: many })).rejects.toMatchObject({ code: "TRACKING_BATCH_TOO_LARGE" });
      expect((await under.tracking.runs.record(id)).datasets).toEqual([]);
    });
  });

  test("data sets are found by experiment, once a context", async () => {
    const { tracking } = under;
    const [a, b, other] = [await newRun(), await newRun(), await newRun("other")];
    await tracking.logInputs(a.id, { datasets: [{ dataset: dataset("flights"), tags: context("training") }] });
    await tracking.logInputs(b.id, {
      datasets: [
        { dataset: dataset("flights"), tags: { ...context("training"), more: "1" } },
        { dataset: dataset("weather"), tags: {} },
      ],
    });
    await tracking.logInputs(other.id, { datasets: [{ dataset: dataset("flights"), tags: context("test") }] });
    const experimentId = a.experimentId;
    expect(await tracking.searchDatasets([experimentId, experimentId, "none"])).toEqual([
      { experimentId, name: "flights", digest: "d1", context: "training" },
      { experimentId, name: "weather", digest: "d1", context: null },
    ]);
    expect(await tracking.searchDatasets([])).toEqual([]);
    expect(await under.of("other").searchDatasets([experimentId])).toEqual([]);
  });
});
