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
