import { describe, expect, it } from "vitest";
import type { SourceDependents, VersionLineage } from "../../../../src/contract/index.ts";
import { lineagePicture } from "./lineage-picture.ts";

const lineage: VersionLineage = {
  model: "churn",
  version: 2,
  run: {
    id: "r2",
    name: "boosted",
    experimentId: "1",
    parentRunId: null,
    gitCommit: "0123456789abcdef",
    startedAt: "2026-01-01T00:00:00Z",
  },
  loggedModel: null,
  copyOf: null,
  data: [{ source: "calls", id: "snap-1", kind: "snapshot", contentHash: null, asOf: null, rows: 1_200 }],
  erased: [],
  inputModels: [],
};
const made = (version: number, snapshot: string, endpoints: string[] = []): SourceDependents["items"][number] => ({
  model: "churn",
  version,
  aliases: [],
  runId: `r${version}`,
  snapshot,
  endpoints,
});
const titles = (picture: ReturnType<typeof lineagePicture>) => {
  const byKey = new Map(picture.nodes.map((node) => [node.key, node.title]));
  return picture.edges.map(({ from, to, own }) => [byKey.get(from), byKey.get(to), own]);
};

describe("the picture of a version's lineage", () => {
  it("leads from the source over its snapshot and the run to the version", () => {
    const picture = lineagePicture(lineage, []);
    expect(titles(picture)).toEqual([
      ["boosted", "churn 2", true],
      ["calls", "snap-1", true],
      ["snap-1", "boosted", true],
    ]);
    expect(picture.nodes.map(({ title, column, about }) => [title, column, about])).toEqual([
      ["churn 2", 3, "this version"],
      ["boosted", 2, "commit 0123456789ab"],
      ["calls", 0, "source"],
      ["snap-1", 1, "snapshot, 1,200 rows"],
    ]);
  });

  it("leads on to what else was made of the source: from the same snapshot, or from one that is not drawn", () => {
    const items = [made(2, "snap-1", ["score"]), made(1, "snap-1"), made(3, "snap-2")];
    const picture = lineagePicture(lineage, [{ source: "calls", items }]);
    expect(titles(picture).slice(3)).toEqual([
      ["snap-1", "churn 1", false],
      ["calls", "churn 3", false],
    ]);
    expect(picture.nodes[0]?.about).toBe("this version, answers at score");
    expect(picture.rows).toBe(3);
  });

  it("draws no edge to nowhere, gives each node a place of its own and says how many versions it left out", () => {
    const items = Array.from({ length: 40 }, (_, index) => made(index + 3, "snap-9"));
    const picture = lineagePicture(lineage, [{ source: "calls", items }]);
    const keys = new Set(picture.nodes.map(({ key }) => key));
    expect(picture.edges.every(({ from, to }) => keys.has(from) && keys.has(to))).toBe(true);
    expect(new Set(picture.nodes.map(({ column, row }) => `${column} ${row}`)).size).toBe(picture.nodes.length);
    expect([picture.left, picture.rows]).toEqual([29, 12]);
  });

  it("is one node for a version that came from nowhere known", () => {
    const picture = lineagePicture({ ...lineage, run: null, data: [] }, []);
    expect([picture.nodes.length, picture.edges.length, picture.rows]).toEqual([1, 0, 1]);
  });
});
