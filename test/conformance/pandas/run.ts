/** POST /training-sets from the real pandas and pyarrow, on `orrery up` over the project that `orrery init` writes. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Check } from "../../../scripts/conformance.ts";
import { pythonEnvironment } from "../../../scripts/python-environment.ts";
import { orrery, up } from "../../e2e/orrery-process.ts";

/** Inside the repository, so that the project's import of "orrery" resolves as for anybody who installed it. */
const TEMPORARY = join(import.meta.dirname, "../../../.orrery");

export default async function pandas(check: Check): Promise<void> {
  mkdirSync(TEMPORARY, { recursive: true });
  const root = mkdtempSync(join(TEMPORARY, "conformance-pandas-"));
  const project = join(root, "churn");
  try {
    const made = await orrery(["init", project]);
    if (made.code !== 0) throw new Error(made.err);
    const server = await up(project, ["--no-serve"]);
    try {
      const materialized = await orrery(["-p", project, "features", "materialize"]);
      if (materialized.code !== 0) throw new Error(materialized.err);
      await runPython(check, [join(import.meta.dirname, "training_sets.py"), server.url, join(project, "data")]);
    } finally {
      await server.stop();
    }
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** A check for each line {name, error, figures} that the program prints. */
async function runPython(check: Check, args: readonly string[]): Promise<void> {
  const python = spawn(pythonEnvironment(), args, { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(python, "close");
  let checks = 0;
  for await (const line of createInterface({ input: python.stdout })) {
    const { name, error, figures } = JSON.parse(line);
    checks += 1;
    await check(name, () => {
      if (error !== null) throw new Error(error);
      return figures;
    });
  }
  const [code] = await ended;
  await check("training_sets.py goes to its end", () => {
    if (code !== 0 || checks === 0) throw new Error(`it ended with ${code} after ${checks} checks`);
    return `${checks} checks`;
  });
}
