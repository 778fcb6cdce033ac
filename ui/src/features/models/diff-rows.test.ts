import { describe, expect, it } from "vitest";
import type { VersionDiff } from "../../../../src/contract/index.ts";
import { diffSections, unknownFeatures } from "./diff-rows.ts";

const same: VersionDiff = {
  model: "m",
  from: 1,
  to: 2,
  params: [],
  metrics: [],
  tags: [],
  data: [],
  trainingSet: null,
  features: { added: [], removed: [], changed: [], unknown: [] },
  code: { commit: null, uncommitted: { from: null, to: null } },
  algorithm: [],
  gates: { from: null, to: null },
};

describe("the sections of a diff", () => {
  it("are none where nothing differs", () => {
    expect(diffSections(same)).toEqual([]);
  });

  it("tell how a metric moved with its sign, and of text that it moved by nothing", () => {
    const metrics: VersionDiff["metrics"] = [
      { key: "roc_auc", from: 0.75, to: 0.875, by: 0.125 },
      { key: "loss", from: 0.5, to: 0.25, by: -0.25 },
      { key: "gain", from: "NaN", to: 1, by: null },
    ];
    expect(diffSections({ ...same, metrics })).toEqual([
      {
        title: "Metrics",
        rows: [
          { key: "ROC AUC", from: "0.750", to: "0.875", by: "+0.125" },
          { key: "loss", from: "0.500", to: "0.250", by: "-0.250" },
          { key: "gain", from: "NaN", to: "1.000" },
        ],
      },
    ]);
  });

  it("count uncommitted lines, not the heads of their files", () => {
    const patch = "--- a/x.ts\n+++ b/x.ts\n@@ -1 +1,2 @@\n-old\n+new\n+more\n same";
    const code = { commit: { key: "commit", from: "a1", to: "b2" }, uncommitted: { from: null, to: patch } };
    expect(diffSections({ ...same, code })[0]?.rows).toEqual([
      { key: "commit", from: "a1", to: "b2" },
      { key: "uncommitted", from: null, to: "3 changed lines that were not committed" },
    ]);
  });

  it("hold features that came, went and changed, and the training set beside the data", () => {
    const features = { added: ["a"], removed: ["b"], changed: [{ feature: "c", from: "float", to: "text" }], unknown: [] };
    const trainingSet = { key: "sha256", from: "x", to: "y" };
    const sections = diffSections({ ...same, features, trainingSet });
    expect(sections.map(({ title, rows }) => [title, rows.map(({ key }) => key)])).toEqual([
      ["Data", ["training set"]],
      ["Features", ["a", "b", "c"]],
    ]);
  });

  it("say whose features are not known", () => {
    const unknown = (versions: number[]) => unknownFeatures({ ...same, features: { ...same.features, unknown: versions } });
    expect(unknown([])).toBe("");
    expect(unknown([1])).toContain("of version 1 are");
    expect(unknown([1, 2])).toContain("of versions 1 and 2 are");
  });
});
