import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import * as training from "../index.ts";

const guide = readFileSync(new URL("../../../../docs/guides/search.md", import.meta.url), "utf8");
/** What a step's function is given, not what the package exports. */
const GIVEN = new Set(["report"]);

it("docs/guides/search.md offers programs only what orrery/training exports", () => {
  const forPrograms = guide.slice(guide.indexOf("## For programs"));
  const calls = [...`${forPrograms} ${guide.match(/`\w+Pruner\(.*?\)`/g)?.join(" ")}`.matchAll(/`(?:new )?(\w+)\(/g)];
  const named = calls.map(([, name]) => name).filter((name) => !GIVEN.has(name));
  expect(named.length).toBeGreaterThan(8);
  expect(named.filter((name) => !(name in training))).toEqual([]);
});
