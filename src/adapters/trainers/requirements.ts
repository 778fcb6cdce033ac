import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { unpinnedRequirement } from "../../core/ports/index.ts";
import { trainerErrors } from "./errors.ts";

/**
 * A requirements file's text, from a path relative to `folder` or from its lines, with every package pinned to one version.
 * @throws TRAIN_PYTHON_REQUIREMENTS_INVALID, naming the line
 */
export async function readRequirements(requirements: string | readonly string[], folder: string): Promise<string> {
  const [text, name] =
    typeof requirements === "string"
      ? [await readText(resolve(folder, requirements)), requirements]
      : [requirements.join("\n"), "requirements"];
  const unpinned = unpinnedRequirement(text);
  if (unpinned !== null) {
    const { line, content, problem } = unpinned;
    throw trainerErrors.TRAIN_PYTHON_REQUIREMENTS_INVALID(`${name}, line ${line}: "${content}" ${problem}`, {
      details: { line },
    });
  }
  return text;
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw trainerErrors.TRAIN_PYTHON_REQUIREMENTS_INVALID(`the requirements file ${path} cannot be read`, { cause });
  }
}
