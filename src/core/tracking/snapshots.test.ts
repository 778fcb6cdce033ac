import { describe, expect, test } from "vitest";
import { onEachDatabase } from "../../../test/fixtures/databases.ts";
import type { Snapshot } from "../data/index.ts";
import { start, trackingForTests } from "./test-support/open-tracking.ts";

await onEachDatabase((open) => {
  const under = trackingForTests(open);

  describe("snapshots", () => {
    const snapshot = (id: string, asOf: number, source = "flights"): Snapshot => ({
      formatVersion: 1,
      id,
      source,
      contentHash: `hash of ${id}`,
      asOf,
      parent: null,
      columns: { carrier: "string" },
      parts: [],
      disjoint: true,
      rows: 3,
      bytes: 100,
      report: { rows: 3, quarantined: 0, violations: [], nullShares: [] },
      createdAt: start,
    });

    test("the latest is the one that knows most, at any time asked for", async () => {
      for (const each of [snapshot("s2", start + 2), snapshot("s1", start + 1), snapshot("w", start + 9, "weather")])
        await under.tracking.saveSnapshot(each);
      expect(await under.tracking.latestSnapshot("flights")).toEqual(snapshot("s2", start + 2));
      expect((await under.tracking.latestSnapshot("flights", start + 1))?.id).toBe("s1");
      expect(await under.tracking.latestSnapshot("flights", start)).toBeNull();
      expect(await under.tracking.latestSnapshot("planes")).toBeNull();
      expect(await under.tracking.getSnapshot("s1")).toEqual(snapshot("s1", start + 1));
      expect((await under.tracking.listSnapshots("flights")).map(({ id }) => id)).toEqual(["s2", "s1"]);
      expect(await under.tracking.listSnapshots()).toHaveLength(3);
    });

    test("saving one twice keeps the first; an unknown one is not found", async () => {
      await under.tracking.saveSnapshot(snapshot("s1", start));
      await under.tracking.saveSnapshot({ ...snapshot("s1", start), rows: 99 });
      expect((await under.tracking.getSnapshot("s1")).rows).toBe(3);
      await expect(under.tracking.getSnapshot("none")).rejects.toMatchObject({ code: "TRACKING_SNAPSHOT_UNKNOWN" });
    });
  });
});
