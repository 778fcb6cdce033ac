/** The feature server against an unmodified Feast client: `online_store: {type: remote}`. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Check } from "../../../scripts/conformance.ts";
import { pythonEnvironment } from "../../../scripts/python-environment.ts";
import { openOnline } from "../../../src/adapters/online/open-online.ts";
import { systemClock } from "../../../src/core/ports/index.ts";
import { featureServerArguments } from "../../../src/server/feature-process.ts";
import { eventually, orrery, up } from "../../e2e/orrery-process.ts";
import { copyOnline, openFeatureRoom, SCOPE } from "../../fixtures/feature-room.ts";

const TOKEN = "a-token-of-the-conformance-run";

export default async function feast(check: Check): Promise<void> {
  const state = mkdtempSync(join(tmpdir(), "orrery-feast-"));
  const room = await openFeatureRoom(systemClock.now());
  try {
    const online = openOnline({ url: null, directory: join(state, "online", SCOPE.workspace, SCOPE.project) });
    await copyOnline(room.online, online);
    await online.close();
    await withServer(state, {}, (url) => runPython(check, ["read_features.py", url]));
    await withServer(state, { ORRERY_TOKEN: TOKEN }, (url) => runPython(check, ["ask_with_token.py", url, TOKEN]));
  } finally {
    await room.close();
    rmSync(state, { recursive: true, force: true });
  }
  await withProject((url) => runPython(check, ["write_features.py", url]));
}

const PUSHED = `
const ratings = source.push("ratings", {
  key: ["event_id"],
  eventTime: "rated_at",
  columns: { event_id: string(), driver_id: int64(), rating: float64().between(0, 5).nullable(), trips: int64().nullable(), note: string().nullable() },
});
const states = source.push("states", {
  key: ["driver_id", "event_timestamp"],
  eventTime: "event_timestamp",
  columns: { driver_id: int64(), rating: float64().between(0, 5).nullable(), trips: int64().nullable(), note: string().nullable() },
});
const driver = entity("driver", { driver_id: int64() });
const rated = featureView("rated", {
  entity: driver,
  source: ratings,
  aggregate: { ratings_1h: count().over("1h"), mean_rating: mean("rating").over("1h") },
});
const state = featureView("state", { entity: driver, source: states, features: ["rating", "trips", "note"] });
export default defineProject({`;

/** A project of its own under a control plane, with sources that rows are pushed to beside others; its feature server's address. */
async function withProject(work: (url: string) => Promise<void>): Promise<void> {
  // Inside the repository, so that `orrery` resolves to it as it does for anybody who installed it.
  const temporary = join(import.meta.dirname, "../../../.orrery");
  mkdirSync(temporary, { recursive: true });
  const root = mkdtempSync(join(temporary, "feast-"));
  try {
    const project = join(root, "drivers");
    const made = await orrery(["init", project]);
    if (made.code !== 0) throw new Error(made.err);
    const path = join(project, "orrery.config.ts");
    const text = readFileSync(path, "utf8")
      .replace("  float64,", "  float64,\n  int64,")
      .replace("export default defineProject({", PUSHED)
      .replace("sources: [", "sources: [ratings, states, ")
      .replace(/features: \[(?=[^\]]*\],\n {2}models)/, "features: [rated, state, ");
    writeFileSync(path, text);
    const running = await up(project);
    try {
      const place = join(project, ".orrery/run/feature-server.json");
      const { listening } = await eventually(async () => JSON.parse(readFileSync(place, "utf8")), "the feature server");
      await work(listening);
    } finally {
      await running.stop();
    }
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

async function withServer(
  state: string,
  environment: Readonly<Record<string, string>>,
  work: (url: string) => Promise<void>,
): Promise<void> {
  const args = featureServerArguments({ stateDirectory: state, scope: SCOPE, host: "127.0.0.1", port: 0, workers: 1 });
  const server = spawn(process.execPath, args, {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...environment },
  });
  const [line] = await once(createInterface({ input: server.stdout }), "line");
  try {
    await work(JSON.parse(String(line)).listening);
  } finally {
    const gone = once(server, "exit");
    server.kill("SIGTERM");
    await gone;
  }
}

/** A check for each line {name, error, figures} that the program prints. */
async function runPython(check: Check, [program, ...args]: readonly string[]): Promise<void> {
  const python = spawn(pythonEnvironment("feast"), [join(import.meta.dirname, program), ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
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
  await check(`${program} goes to its end`, () => {
    if (code !== 0 || checks === 0) throw new Error(`it ended with ${code} after ${checks} checks`);
    return `${checks} checks`;
  });
}
