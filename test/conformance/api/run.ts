import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Check } from "../../../scripts/conformance.ts";
import { pythonEnvironment } from "../../../scripts/python-environment.ts";
import { orrery, up } from "../../e2e/orrery-process.ts";
import { startTrackingProcess } from "../../fixtures/tracking-process.ts";

/** Inside the repository, so that a project's `orrery` resolves to it. */
const TEMPORARY = join(import.meta.dirname, "../../../.orrery");
const TOKEN = "a-token-for-this-test-only";
const SECONDS = 45;

/**
 * Schemathesis reads the API's own description (/openapi.json) and asks every route what nobody thought of: limits, wrong types, and sequences
 * of calls. Whatever it asks, no answer is the server's own failure (5xx).
 */
export default async function api(check: Check): Promise<void> {
  const python = pythonEnvironment("schemathesis");
  mkdirSync(TEMPORARY, { recursive: true });
  const folder = mkdtempSync(join(TEMPORARY, "test-api-"));
  const tokenFile = join(folder, "token");
  writeFileSync(tokenFile, TOKEN);
  try {
    await check("orrery server: no 5xx from any route, whatever is sent", async () => {
      const server = await startTrackingProcess(join(folder, "state"), ["--token-file", tokenFile]);
      try {
        return await schemathesis(python, folder, server.url, "default");
      } finally {
        await server.stop();
      }
    });
    await check("orrery up with a trained and served model: no 5xx from any route, whatever is sent", async () => {
      const project = join(folder, "churn");
      for (const args of [
        ["init", project],
        ["-p", project, "train", "churn"],
      ]) {
        const { code, err } = await orrery(args);
        if (code !== 0) throw new Error(err);
      }
      const server = await up(project, ["--token-file", tokenFile]);
      try {
        return await schemathesis(python, folder, server.url, "churn");
      } finally {
        await server.stop();
      }
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs it for a bounded time; returns how many cases it tried. Throws with what it found. */
async function schemathesis(python: string, folder: string, url: string, project: string): Promise<string> {
  const config = join(folder, "schemathesis.toml");
  // Made-up names of workspaces and projects would all be answered with the same 404.
  writeFileSync(config, `[parameters]\nworkspace = "default"\nproject = "${project}"\n`);
  const program = join(dirname(python), "schemathesis");
  // One worker: with two, CPython 3.11 loses count of its own recursion while Hypothesis reads lambdas.
  const limits = ["--max-time", String(SECONDS), "--request-timeout", "30", "--workers", "1"];
  const shown = ["--no-color", "--warnings", "off", "--report-dir", folder];
  const access = ["-H", `Authorization: Bearer ${TOKEN}`];
  const args = [
    "--config-file",
    config,
    "run",
    `${url}/openapi.json`,
    "-c",
    "not_a_server_error",
    ...limits,
    ...shown,
    ...access,
  ];
  const child = spawn(program, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (said += chunk));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  const [, operations] = /Tested: (\d+)/.exec(said) ?? [];
  const [, cases] = /(\d+) generated/.exec(said) ?? [];
  if (code !== 0 || operations === undefined || cases === undefined) throw new Error(said.slice(-6_000));
  // All refused at the door would pass, and say nothing.
  const answer = await fetch(`${url}/api/v1/default/${project}/runs`, { headers: { authorization: `Bearer ${TOKEN}` } });
  if (answer.status !== 200) throw new Error(`the server answers ${answer.status} afterwards`);
  return `${operations} operations, ${cases} cases`;
}
