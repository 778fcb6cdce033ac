import { expect, test } from "vitest";
import { aboutTrainingSet } from "./training-sets.ts";

const set = {
  id: "r1",
  model: "late",
  savedAt: "2024-01-01T00:00:00Z",
  sha256: "0".repeat(64),
  bytes: 10,
  rows: 2,
  labelled: 1,
  asOf: "2024-01-01T00:00:00Z",
  engine: "v1",
  snapshots: [],
};

test("A sound training set is not called irreproducible, also where an earlier release answers, which gives no reasons", () => {
  expect(aboutTrainingSet({ ...set, rebuildable: true, problem: null })).not.toContain("reproducible");
  expect(aboutTrainingSet({ ...set, rebuildable: true })).not.toContain("reproducible");
});

test("What speaks against building it again is said, and no reason is made up where none was given", () => {
  expect(aboutTrainingSet({ ...set, rebuildable: false, problem: "it has no record" })).toContain(
    "no longer reproducible: it has no record",
  );
  expect(aboutTrainingSet({ ...set, rebuildable: false }).split("\n")).toContain("no longer reproducible");
});
