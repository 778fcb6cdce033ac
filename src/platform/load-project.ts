import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { ProjectDefinition } from "../core/definitions/index.ts";
import { defineErrors, OrreryError } from "../core/errors.ts";

export const CONFIG_FILE = "orrery.config.ts";

export const projectFileErrors = defineErrors({
  PROJECT_FILE_MISSING: {
    kind: "not-found",
    hint: "Change into a project's folder, name one with --project, or make one with `orrery init`.",
  },
  PROJECT_FILE_BROKEN: { kind: "invalid", hint: "Fix the file; `npx tsc --noEmit` shows where types do not fit." },
  PROJECT_FILE_EMPTY: { kind: "invalid", hint: "End the file with `export default defineProject({ … })`." },
});

const isProject = (value: unknown): value is ProjectDefinition =>
  typeof value === "object" && value !== null && "kind" in value && value.kind === "project";

/**
 * The project that a folder defines. Importing it runs the folder's own code, as any build file does.
 * @throws PROJECT_FILE_MISSING, PROJECT_FILE_BROKEN, PROJECT_FILE_EMPTY
 */
export async function loadProject(directory: string): Promise<ProjectDefinition> {
  const file = join(resolve(directory), CONFIG_FILE);
  if (!existsSync(file)) throw projectFileErrors.PROJECT_FILE_MISSING(`There is no ${CONFIG_FILE} in ${resolve(directory)}`);
  let module: { default?: unknown };
  try {
    module = await import(pathToFileURL(file).href);
  } catch (cause) {
    const message = cause instanceof Error ? (cause.message.split("\n", 1)[0] ?? "") : String(cause);
    // What a definition was refused for says better what to do than that the file is broken.
    const refused = cause instanceof OrreryError ? { hint: cause.hint, details: { code: cause.code } } : {};
    const code = cause instanceof OrreryError ? ` [${cause.code}]` : "";
    throw projectFileErrors.PROJECT_FILE_BROKEN(`${file} cannot be loaded: ${message}${code}`, { cause, ...refused });
  }
  if (!isProject(module.default)) throw projectFileErrors.PROJECT_FILE_EMPTY(`${file} exports no project`);
  return module.default;
}
