import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Check } from "../../../scripts/conformance.ts";
import { pythonEnvironment } from "../../../scripts/python-environment.ts";
import { findPostgres, testSchema } from "../../fixtures/postgres.ts";
import { startTrackingProcess, type TrackingProcess } from "../../fixtures/tracking-process.ts";

const SCRIPTS = [
  "experiments_and_runs.py",
  "metrics_and_params.py",
  "searches.py",
  "artifacts.py",
  "models.py",
  "autologging.py",
] as const;

/** MLflow's own client, unmodified, against `orrery server`: on SQLite, and on PostgreSQL where one answers. */
export default async function mlflow(check: Check): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "orrery-mlflow-"));
  try {
    const python = pythonEnvironment("mlflow");
    await onSqlite(check, python, join(folder, "sqlite"));
    await withToken(check, python, join(folder, "token"));
    await onPostgres(check, python, join(folder, "postgres"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function onSqlite(check: Check, python: string, state: string): Promise<void> {
  let server = await startTrackingProcess(state);
  try {
    for (const script of SCRIPTS) await runScript(check, "SQLite", python, script, server.url);
    await runScript(check, "SQLite, another project", python, "experiments_and_runs.py", `${server.url}/projects/other`);
    await check("SQLite: projects do not see each other", () => projectsAreApart(server));
    await check("SQLite: what was logged is there after a restart", async () => {
      const before = await runsOf(server.url);
      await server.stop();
      server = await startTrackingProcess(state);
      const after = await runsOf(server.url);
      if (before.length === 0 || JSON.stringify(after) !== JSON.stringify(before)) throw new Error("the runs differ");
      return `${after.length} runs`;
    });
  } finally {
    await server.stop();
  }
}

async function withToken(check: Check, python: string, state: string): Promise<void> {
  const token = "a-token-for-this-test-only";
  const server = await startTrackingProcess(state, [], { ORRERY_TOKEN: token });
  try {
    await runScript(check, "token", python, "access.py", server.url, { TOKEN: token });
  } finally {
    await server.stop();
  }
}

async function onPostgres(check: Check, python: string, state: string): Promise<void> {
  const { url } = await findPostgres();
  if (url === null) return;
  const schema = testSchema(url);
  const server = await startTrackingProcess(state, [], { ORRERY_DATABASE_URL: schema.url });
  try {
    for (const script of SCRIPTS) await runScript(check, "PostgreSQL", python, script, server.url);
  } finally {
    await server.stop();
    await schema.drop();
  }
}

async function runsOf(url: string): Promise<readonly unknown[]> {
  const answer = await fetch(`${url}/api/2.0/mlflow/runs/search`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ experiment_ids: ["0"], max_results: 10_000 }),
  });
  const { runs }: { runs?: readonly unknown[] } = JSON.parse(await answer.text());
  return runs ?? [];
}

async function projectsAreApart({ url }: TrackingProcess): Promise<string> {
  const [own, other, none] = await Promise.all([runsOf(url), runsOf(`${url}/projects/other`), runsOf(`${url}/projects/third`)]);
  if (own.length === 0 || other.length === 0 || none.length > 0)
    throw new Error(`${own.length}, ${other.length} and ${none.length} runs`);
  const ids = new Set(own.map((run) => JSON.stringify(run)));
  if (other.some((run) => ids.has(JSON.stringify(run)))) throw new Error("they share runs");
  return "";
}

/** One check for each that the script reports. */
async function runScript(
  check: Check,
  where: string,
  python: string,
  script: string,
  url: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), "orrery-mlflow-home-"));
  const running = spawn(python, [join(import.meta.dirname, script)], {
    // It writes where it runs (mlruns, caches), which is not here.
    cwd: home,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: process.env.PATH ?? "",
      HOME: home,
      MLFLOW_TRACKING_URI: url,
      MLFLOW_DISABLE_TELEMETRY: "true",
      MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING: "false",
      ...environment,
    },
  });
  let said = "";
  running.stderr.on("data", (chunk: Buffer) => {
    said = `${said}${chunk}`.slice(-4_000);
  });
  const ended = new Promise<number | null>((resolve) => running.once("close", resolve));
  let complete = false;
  for await (const line of createInterface({ input: running.stdout })) {
    if (line === "@end") complete = true;
    if (!line.startsWith("@check ")) continue;
    const found: { check: string; figures?: string; error?: string } = JSON.parse(line.slice("@check ".length));
    await check(`${where}: ${found.check}`, () => {
      if (found.error !== undefined) throw new Error(found.error);
      return String(found.figures ?? "");
    });
  }
  const code = await ended;
  rmSync(home, { recursive: true, force: true });
  if (!complete || code !== 0)
    await check(`${where}: ${script} runs to its end`, () => {
      throw new Error(`it ended with ${code}: ${said}`);
    });
}
