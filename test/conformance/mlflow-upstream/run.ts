import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Check } from "../../../scripts/conformance.ts";
import { pythonEnvironment } from "../../../scripts/python-environment.ts";
import { findPostgres, testSchema } from "../../fixtures/postgres.ts";
import { startTrackingProcess } from "../../fixtures/tracking-process.ts";

const FILES = [
  "tests/tracking/test_rest_tracking.py",
  "tests/tracking/test_model_registry.py",
  "tests/tracking/test_mlflow_artifacts.py",
  "tests/store/tracking/test_sqlalchemy_store.py",
  "tests/store/model_registry/test_sqlalchemy_store.py",
] as const;

/** Of the applicable tests so many pass at least. */
const WANTED_SHARE = 0.95;

interface Outcome {
  readonly outcome: "passed" | "failed" | "skipped" | "excluded";
  readonly why?: string;
}
type Outcomes = Readonly<Record<string, Outcome>>;

/** By reason the tests: those that cannot apply, and those that fail because Orrery differs. */
interface Exclusions {
  readonly notApplicable: Readonly<Record<string, readonly string[]>>;
  readonly different: Readonly<Record<string, readonly string[]>>;
}

/**
 * MLflow's own tests against `orrery server`, out of a checkout of MLflow that ORRERY_MLFLOW_CHECKOUT names: they are not ours to carry. A test that fails
 * without being named in exclusions.json fails the run, and so does a name there that no test has or that passes.
 */
export default async function mlflowUpstream(check: Check): Promise<void> {
  const checkout = process.env.ORRERY_MLFLOW_CHECKOUT ?? "";
  if (checkout === "") {
    console.warn(
      "SKIPPED mlflow-upstream: set ORRERY_MLFLOW_CHECKOUT to a checkout of MLflow (docs/reference/mlflow-upstream-tests.md)",
    );
    return;
  }
  const absent = FILES.filter((file) => !existsSync(join(checkout, file)));
  if (absent.length > 0) throw new Error(`ORRERY_MLFLOW_CHECKOUT names no checkout of MLflow: it has no ${absent.join(", ")}`);
  const python = pythonEnvironment("mlflow-upstream");
  await testsOn(check, "SQLite", python, checkout, {});
  const { url } = await findPostgres();
  if (url === null) return;
  const schema = testSchema(url);
  try {
    await testsOn(check, "PostgreSQL", python, checkout, { ORRERY_DATABASE_URL: schema.url });
  } finally {
    await schema.drop();
  }
}

async function testsOn(
  check: Check,
  database: string,
  python: string,
  checkout: string,
  environment: Readonly<Record<string, string>>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "orrery-mlflow-upstream-"));
  try {
    const server = await startTrackingProcess(join(folder, "state"), [], environment);
    try {
      await report(check, database, await runPytest(python, checkout, folder, server.url));
    } finally {
      await server.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runPytest(python: string, checkout: string, folder: string, server: string): Promise<Outcomes> {
  const outcomes = join(folder, "outcomes.json");
  const options = [
    "-p",
    "plugin",
    "-p",
    "no:cacheprovider",
    "-q",
    "--no-header",
    "--tb=short",
    "--no-showlocals",
    "--timeout=120",
  ];
  const running = spawn(python, ["-m", "pytest", ...options, "--basetemp", join(folder, "pytest"), ...FILES], {
    cwd: checkout,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      PATH: `${join(python, "..")}:${process.env.PATH ?? ""}`,
      HOME: folder,
      PYTHONPATH: `${import.meta.dirname}:${checkout}`,
      PYTHONDONTWRITEBYTECODE: "1",
      ORRERY_UPSTREAM_URL: server,
      ORRERY_UPSTREAM_OUTCOMES: outcomes,
      // A status that clients repeat for minutes is a failure here.
      MLFLOW_HTTP_REQUEST_MAX_RETRIES: "0",
      MLFLOW_DISABLE_TELEMETRY: "true",
    },
  });
  let said = "";
  for (const stream of [running.stdout, running.stderr])
    stream.on("data", (chunk: Buffer) => {
      said = `${said}${chunk}`.slice(-4_000);
    });
  const code = await new Promise((resolve) => running.once("close", resolve));
  // 1: some tests failed, which the outcomes say.
  if ((code !== 0 && code !== 1) || !existsSync(outcomes)) throw new Error(`pytest ended with ${code}: ${said}`);
  return JSON.parse(readFileSync(outcomes, "utf8"));
}

async function report(check: Check, database: string, outcomes: Outcomes): Promise<void> {
  const exclusions: Exclusions = JSON.parse(readFileSync(join(import.meta.dirname, "exclusions.json"), "utf8"));
  const different = new Set(Object.values(exclusions.different).flat());
  const isDifferent = (test: string) => different.has(test) || different.has(withoutParameters(test));
  const all = Object.entries(outcomes);
  let passed = 0;
  let applicable = 0;
  for (const file of FILES) {
    const own = all.filter(([test]) => test.startsWith(`${file}::`));
    const count = (outcome: Outcome["outcome"]) => own.filter(([, each]) => each.outcome === outcome).length;
    const asExpected = own.filter(([test, each]) => each.outcome === "failed" && isDifferent(test)).length;
    passed += count("passed");
    applicable += count("passed") + count("failed") + count("skipped");
    await check(`${database}: ${file}`, () => {
      const wrong = own.filter(
        ([test, { outcome }]) =>
          outcome === "skipped" || (outcome === "failed" ? !isDifferent(test) : outcome === "passed" && isDifferent(test)),
      );
      if (wrong.length > 0) throw new Error(wrong.map(([test, each]) => `${test} ${each.outcome}: ${each.why ?? ""}`).join("\n"));
      return `${count("passed")} passed, ${asExpected} differ as named, ${count("excluded")} excluded`;
    });
  }
  await check(`${database}: every name in exclusions.json is a test's`, () => {
    const known = new Set(all.flatMap(([test]) => [test, withoutParameters(test)]));
    const unknown = [...Object.values(exclusions.notApplicable).flat(), ...different].filter((test) => !known.has(test));
    if (unknown.length > 0) throw new Error(unknown.join("\n"));
    return "";
  });
  await check(`${database}: at least ${WANTED_SHARE * 100} % of the applicable tests pass`, () => {
    const figures = `${passed} of ${applicable} (${((100 * passed) / applicable).toFixed(1)} %)`;
    if (passed < WANTED_SHARE * applicable) throw new Error(figures);
    return figures;
  });
}

const withoutParameters = (test: string) => test.split("[", 1)[0] ?? test;
