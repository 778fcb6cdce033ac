import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { FilesystemArtifactStore } from "../adapters/artifacts/filesystem.ts";
import { openSqlite } from "../adapters/metadata/sqlite.ts";
import { type MetadataStore, systemClock } from "../core/ports/index.ts";
import { systemActor } from "../core/scope.ts";
import { createTracking, type Tracking } from "../core/tracking/index.ts";
import { loggableKey, loggableName, loggableParams } from "./loggable.ts";

let folder: string;
let store: MetadataStore;
let tracking: Tracking;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "orrery-loggable-"));
  store = await openSqlite({ path: join(folder, "metadata.db"), clock: systemClock });
  const artifacts = new FilesystemArtifactStore(join(folder, "artifacts"));
  tracking = createTracking({ store, artifacts, clock: systemClock, scope: { workspace: "w", project: "p" } });
});
afterAll(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

test("whatever a program calls its metrics, params and reasons can be recorded", async () => {
  const odd = fc.constantFrom(
    "",
    "..",
    "/",
    "//",
    "a//b",
    "../a",
    "a/../..",
    "a/",
    "auc@10",
    "a\0b",
    "two\nlines",
    "ü💥",
    "\ud800",
    "..a",
    "x".repeat(251),
    `${"x".repeat(249)}/y`,
    `${"x".repeat(249)}💥`,
    "y".repeat(6_001),
  );
  await fc.assert(
    fc.asyncProperty(fc.oneof(odd, fc.string({ unit: "binary", maxLength: 20 })), async (text) => {
      const { id } = await tracking.runs.create({ experiment: "e", name: loggableName(text), actor: systemActor("test") });
      await tracking.logMetrics(id, [{ key: loggableKey(text), value: 1 }]);
      await tracking.logParams(id, loggableParams({ [text]: text }));
      expect(Object.keys((await tracking.runs.record(id)).params)).toEqual([loggableKey(text)]);
    }),
    { numRuns: 300, examples: [[""], ["a/../.."], [`${"x".repeat(249)}/y`], ["y".repeat(6_001)], ["\ud800"]] },
  );
});

test("what can be recorded as it is stays as it is", () => {
  for (const key of ["roc_auc", "trainer_auc", "a/b.c d-e:f", "naïve"]) expect(loggableKey(key)).toBe(key);
  expect(loggableParams({ depth: 3, name: "x y\nz", none: null, yes: true })).toEqual({
    depth: 3,
    name: "x y\nz",
    none: null,
    yes: true,
  });
  expect(loggableName("nightly: new data arrived")).toBe("nightly: new data arrived");
  expect(loggableKey("auc@10")).toBe("auc_10");
  expect(loggableParams({ a: "y".repeat(6_001) }).a).toBe(`${"y".repeat(5_999)}…`);
});
