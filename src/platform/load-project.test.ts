import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, expect, test } from "vitest";
import { CONFIG_FILE, loadProject } from "./load-project.ts";

const library = resolve(import.meta.dirname, "../index.ts");
const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function projectOf(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "orrery-load-"));
  folders.push(folder);
  writeFileSync(join(folder, CONFIG_FILE), `import * as orrery from ${JSON.stringify(library)};\n${text}\n`);
  return folder;
}

test("a definition that is refused says why and what to do, with its code", async () => {
  const twice = `const visits = orrery.source.csv("visits", { path: "-", eventTime: "at", columns: { shop: orrery.string(), n_1h: orrery.string() } });
    orrery.featureView("v", { source: visits, features: ["n_1h"], aggregate: { n: orrery.count().over("1h", "2h") } });`;
  await expect(loadProject(projectOf(twice))).rejects.toMatchObject({
    code: "PROJECT_FILE_BROKEN",
    message: expect.stringMatching(/two features named "n_1h" \[DEFINITION_FEATURE_TWICE\]$/),
    hint: expect.stringContaining("names of their own"),
  });
});

test("a file that throws, and one that exports nothing, say so", async () => {
  await expect(loadProject(projectOf('throw new Error("no luck\\nat all");'))).rejects.toMatchObject({
    code: "PROJECT_FILE_BROKEN",
    message: expect.stringMatching(/cannot be loaded: no luck$/),
  });
  await expect(loadProject(projectOf("export default 1;"))).rejects.toMatchObject({ code: "PROJECT_FILE_EMPTY" });
  await expect(loadProject(join(tmpdir(), "no-such-folder"))).rejects.toMatchObject({ code: "PROJECT_FILE_MISSING" });
});

test("a project says which part of it is missing, and lists may be left out", async () => {
  const refused = async (project: string, code: string, message: RegExp) =>
    expect(loadProject(projectOf(`export default orrery.defineProject(${project});`))).rejects.toMatchObject({
      code: "PROJECT_FILE_BROKEN",
      details: { code },
      message: expect.stringMatching(message),
    });
  const charter = "{ target: { name: 'y', type: 'binary' }, data: [], accept: [] }";
  await refused(`{ charter: ${charter} }`, "DEFINITION_VALUE_INVALID", /has no name/);
  await refused('{ name: "shop" }', "DEFINITION_VALUE_INVALID", /"shop" has no charter/);
  await refused(
    `{ name: "shop", charter: ${charter}, sources: [undefined] }`,
    "DEFINITION_VALUE_INVALID",
    /1 of the project's sources/,
  );
  expect(
    await loadProject(projectOf(`export default orrery.defineProject({ name: "shop", charter: ${charter} });`)),
  ).toMatchObject({
    name: "shop",
    ...{ sources: [], features: [], services: [], models: [], pipelines: [], endpoints: [] },
  });
});

test("a feature that a view does not have is named by who lists it", async () => {
  const view = `const visits = orrery.source.csv("visits", { path: "-", eventTime: "at", columns: { shop: orrery.string(), at: orrery.timestamp(), n: orrery.float64() } });
    const v = orrery.featureView("v", { entity: orrery.entity("shop", { shop: orrery.string() }), source: visits, features: ["n"] });`;
  for (const [text, who] of [
    ['orrery.source.joined("both", { base: visits, features: [v.feature.n, v.feature.m] });', 'Source "both"'],
    ['orrery.featureService("all", { features: [v.feature.n, v.feature.m] });', 'Feature service "all"'],
  ] as const)
    await expect(loadProject(projectOf(`${view}\n${text}`))).rejects.toMatchObject({
      details: { code: "DEFINITION_VALUE_INVALID" },
      message: expect.stringContaining(`${who} lists an unknown feature, number 2`),
    });
});
