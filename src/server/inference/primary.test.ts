import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  champion,
  deploy,
  ENDPOINT,
  instance,
  materializeCarriers,
  probabilityOf,
  SCOPE,
  type StateFolder,
  stateFolder,
} from "../../../test/fixtures/served-endpoint.ts";
import { listSegments, readSegment } from "../../adapters/events/ndjson.ts";

const PRIMARY = fileURLToPath(new URL("./primary.ts", import.meta.url));
const PREDICT = `/v1/endpoints/${ENDPOINT}/predict`;

let folder: StateFolder;
let children: ChildProcess[];
beforeEach(async () => {
  folder = stateFolder();
  children = [];
  await materializeCarriers(folder);
});
afterEach(async () => {
  for (const child of children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)) {
    child.kill("SIGKILL");
    await once(child, "exit");
  }
  folder.remove();
});

const argumentsOf = (more: readonly string[] = []) => [
  PRIMARY,
  ...["--port", "0", "--workers", "2", "--state-dir", folder.directory],
  ...["--workspace", SCOPE.workspace, "--project", SCOPE.project, "--endpoint", ENDPOINT],
  ...more,
];

interface Server {
  readonly child: ChildProcess;
  readonly url: string;
  readonly pid: number;
}

async function start(more: readonly string[] = []): Promise<Server> {
  const child = spawn(process.execPath, argumentsOf(more), { stdio: ["ignore", "pipe", "ignore"] });
  children.push(child);
  const [line] = await once(child.stdout, "data");
  const { listening, pid } = JSON.parse(String(line));
  return { child, url: listening, pid };
}

/** Starts a server that is expected to refuse. */
async function refused(more: readonly string[]): Promise<{ code: number; stderr: string; stdout: string }> {
  const child = spawn(process.execPath, argumentsOf(more), { stdio: ["ignore", "pipe", "pipe"] });
  children.push(child);
  let stderr = "";
  let stdout = "";
  child.stderr.on("data", (chunk) => (stderr += chunk));
  child.stdout.on("data", (chunk) => (stdout += chunk));
  const [code] = await once(child, "close");
  return { code, stderr, stdout };
}

interface Ready {
  readonly ready?: boolean;
  readonly problem?: { readonly code: string } | null;
  readonly details?: { readonly cause?: string };
}

const get = async (server: Pick<Server, "url">, path: string) => (await (await fetch(`${server.url}${path}`)).json()) as Ready;

/** The version that answers. */
const predictOnce = async (server: Pick<Server, "url">): Promise<number> => {
  const answer = await fetch(`${server.url}${PREDICT}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ instances: [instance("UA", 3)] }),
    // A worker that is killed takes a connection with it that the primary had just handed over.
    signal: AbortSignal.timeout(1_000),
  });
  const { predictions } = (await answer.json()) as { predictions: { modelVersion: number }[] };
  return predictions[0].modelVersion;
};

const workersOf = ({ pid }: Pick<Server, "pid">): readonly string[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");

/** The status of one prediction over a connection of its own. */
const askAlone = ({ url }: Pick<Server, "url">): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json" };
    const sent = request(`${url}${PREDICT}`, { method: "POST", agent: false, headers }, (answer) => {
      answer.resume();
      answer.on("end", () => resolve(answer.statusCode));
    });
    sent.on("error", reject);
    sent.end(JSON.stringify({ instances: [instance("UA", 3)] }));
  });

/** 32 clients that ask one request after the other until they are told to stop. */
function clients(url: string) {
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  const body = JSON.stringify({ instances: [instance("UA", 3)] });
  const figures = { answered: 0, failures: [] as string[], versions: new Set<number>(), wrong: 0 };
  let going = true;
  const ask = () =>
    new Promise<void>((resolve) => {
      const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
      const sent = request(`${url}${PREDICT}`, { method: "POST", agent, headers }, (answer) => {
        let text = "";
        answer.setEncoding("utf8");
        answer.on("data", (chunk) => (text += chunk));
        answer.on("end", () => {
          if (answer.statusCode === 200) {
            const { modelVersion, probability } = JSON.parse(text).predictions[0];
            figures.answered++;
            figures.versions.add(modelVersion);
            // A version's intercept is its number: what answers is what it says it is.
            if (Math.abs(probability - probabilityOf(modelVersion, 0.25, 3)) > 1e-12) figures.wrong++;
          } else figures.failures.push(`status ${answer.statusCode} ${text}`);
          resolve();
        });
      });
      sent.on("error", (error) => {
        figures.failures.push(error.message);
        resolve();
      });
      sent.end(body);
    });
  const done = Promise.all(
    Array.from({ length: 32 }, async () => {
      while (going) await ask();
    }),
  );
  return {
    figures,
    async stop() {
      going = false;
      await done;
      agent.destroy();
      return figures;
    },
  };
}

const loggedIds = () =>
  listSegments(folder.predictions).flatMap((segment) =>
    readSegment(segment, 0)
      .bytes.toString()
      .split("\n")
      .filter((line) => line !== "")
      .map((line): string => JSON.parse(line).id),
  );

describe("the inference server", () => {
  it("takes up ten revisions under load without a failed or wrong answer, and logs each answer once", async () => {
    deploy(folder, 1, [champion(1, 1)]);
    const server = await start();
    const load = clients(server.url);
    await expect.poll(() => load.figures.versions.has(1)).toBe(true);
    for (let revision = 2; revision <= 11; revision++) {
      deploy(folder, revision, [champion(revision, revision)]);
      // Both workers follow within a second, or the versions that are seen would show it below.
      await expect.poll(() => load.figures.versions.has(revision), { timeout: 2_000 }).toBe(true);
    }
    const { answered, failures, versions, wrong } = await load.stop();
    expect({ failures, wrong }).toEqual({ failures: [], wrong: 0 });
    expect([...versions].sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);

    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    const counted = [...metrics.matchAll(/^orrery_predictions_total\{.*\} (\d+)$/gm)].reduce((sum, [, n]) => sum + Number(n), 0);
    expect(counted).toBe(answered);
    server.child.kill("SIGTERM");
    expect(await once(server.child, "exit")).toEqual([0, null]);
    const ids = loggedIds();
    expect([ids.length, new Set(ids).size]).toEqual([answered, answered]);
    expect(listSegments(folder.predictions).every(({ open }) => !open)).toBe(true);
  }, 60_000);

  it("replaces its workers one by one under load without a failed answer, and counters go on", async () => {
    deploy(folder, 1, [champion(1, 1)]);
    const server = await start();
    const load = clients(server.url);
    const writers = () => new Set(listSegments(folder.predictions).map(({ id }) => id.split("-")[1]));
    for (let round = 1; round <= 2; round++) {
      server.child.kill("SIGHUP");
      await expect.poll(() => writers().size, { timeout: 25_000 }).toBe(2 + 2 * round);
    }
    await expect.poll(() => listSegments(folder.predictions).filter(({ open }) => open).length, { timeout: 15_000 }).toBe(2);
    const { answered, failures, wrong } = await load.stop();
    expect({ failures, wrong }).toEqual({ failures: [], wrong: 0 });
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    expect(metrics).toContain(`orrery_predictions_total{endpoint="late",version="1",alias="champion"} ${answered}`);
  }, 90_000);

  it("replaces a worker that is killed, under the same address", async () => {
    deploy(folder, 1, [champion(1, 1)]);
    const server = await start();
    await expect.poll(() => predictOnce(server)).toBe(1);
    const before = workersOf(server);
    for (const pid of before) process.kill(Number(pid), "SIGKILL");
    await expect.poll(() => predictOnce(server).catch(() => null), { timeout: 10_000 }).toBe(1);
    const after = workersOf(server);
    expect(after.filter((pid) => before.includes(pid))).toEqual([]);
  });

  it("goes on serving when whoever started it is killed", async () => {
    deploy(folder, 1, [champion(1, 1)]);
    const code = `
      const { spawn } = await import("node:child_process");
      const child = spawn(process.execPath, ${JSON.stringify(argumentsOf())}, { stdio: ["ignore", "pipe", "pipe"] });
      child.stdout.pipe(process.stdout);`;
    const parent = spawn(process.execPath, ["--input-type=module", "-e", code], { stdio: ["ignore", "pipe", "inherit"] });
    children.push(parent);
    const [line] = await once(parent.stdout, "data");
    const server = { url: JSON.parse(String(line)).listening, pid: JSON.parse(String(line)).pid };
    try {
      parent.kill("SIGKILL");
      await once(parent, "exit");
      // It writes to its log here, into a pipe that nobody reads any more.
      deploy(folder, 2, [champion(2, 2)]);
      await expect.poll(() => predictOnce(server), { timeout: 3_000 }).toBe(2);
    } finally {
      process.kill(server.pid, "SIGTERM");
      await expect.poll(() => existsSync(`/proc/${server.pid}`), { timeout: 20_000 }).toBe(false);
    }
  }, 40_000);

  it("ends its workers when it is killed itself, after they have logged what they answered", async () => {
    deploy(folder, 1, [champion(1, 1)]);
    const server = await start();
    const load = clients(server.url);
    await expect.poll(() => load.figures.answered).toBeGreaterThan(100);
    const workers = workersOf(server);
    server.child.kill("SIGKILL");
    await expect.poll(() => workers.filter((pid) => existsSync(`/proc/${pid}`)), { timeout: 15_000 }).toEqual([]);
    const { answered } = await load.stop();
    expect(loggedIds().length).toBeGreaterThanOrEqual(answered);
  }, 30_000);

  it("may be killed while it hands connections over: they are answered, and each worker finishes its log", async () => {
    deploy(folder, 1, [champion(1, 1)]);
    const server = await start();
    // The workers take turns: each has answered, and has begun its log.
    for (let turn = 0; turn < 5; turn++) await askAlone(server);
    await expect.poll(() => listSegments(folder.predictions).filter(({ open }) => open).length).toBe(2);
    const workers = workersOf(server);
    for (const pid of workers) process.kill(Number(pid), "SIGSTOP");
    const handles = () => readdirSync(`/proc/${server.pid}/fd`).length;
    let before = 0;
    // What it had open while it started is closed in its own time.
    const closing = async () => (before = handles()) - (await sleep(300).then(handles));
    await expect.poll(closing, { timeout: 10_000 }).toBe(0);
    const asked = workers.map(() => askAlone(server));
    // The primary holds a connection until a worker has said that it took it; here it will not be there to be told.
    await expect.poll(handles, { timeout: 10_000 }).toBe(before + workers.length);
    server.child.kill("SIGKILL");
    await once(server.child, "exit");
    for (const pid of workers) process.kill(Number(pid), "SIGCONT");
    expect(await Promise.all(asked)).toEqual([200, 200]);
    await expect.poll(() => workers.filter((pid) => existsSync(`/proc/${pid}`)), { timeout: 15_000 }).toEqual([]);
    expect(loggedIds().length).toBe(7);
    expect(listSegments(folder.predictions).map(({ open }) => open)).toEqual([false, false]);
  }, 30_000);

  it("keeps the revision it serves when a new one is damaged, and says so", async () => {
    deploy(folder, 1, [champion(1, 1)]);
    const server = await start();
    deploy(folder, 2, [champion(2, 2)]);
    await expect.poll(() => predictOnce(server), { timeout: 3_000 }).toBe(2);
    writeFileSync(join(folder.deployment, "revision-000003.json"), '{"formatVersion":1,');
    writeFileSync(join(folder.deployment, "current"), "3");
    await expect
      .poll(async () => (await get(server, "/readyz")).problem?.code, { timeout: 3_000 })
      .toBe("SERVING_DEPLOYMENT_BROKEN");
    expect(await predictOnce(server)).toBe(2);
  });

  it("starts before there is anything to serve, says why it is not ready, and is once there is", async () => {
    const empty = stateFolder();
    try {
      const server = await start(["--state-dir", empty.directory]);
      expect(await get(server, "/healthz")).toMatchObject({ ok: true, revision: null });
      expect(await get(server, "/readyz")).toMatchObject({ code: "SERVING_NOT_DEPLOYED" });
      deploy(empty, 1, [champion(1, 1)]);
      await expect
        .poll(async () => (await get(server, "/readyz")).details?.cause, { timeout: 3_000 })
        .toBe("ONLINE_STORE_MISSING");
      await materializeCarriers(empty);
      await expect.poll(async () => (await get(server, "/readyz")).ready, { timeout: 10_000 }).toBe(true);
    } finally {
      for (const child of children) {
        child.kill("SIGTERM");
        await once(child, "exit");
      }
      empty.remove();
    }
  }, 30_000);

  it("writes down where it is, and takes that back when it ends", async () => {
    const server = await start();
    const file = join(folder.directory, "run", `inference-${ENDPOINT}.json`);
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({ listening: server.url, pid: server.child.pid });
    server.child.kill("SIGINT");
    expect(await once(server.child, "exit")).toEqual([0, null]);
    expect(existsSync(file)).toBe(false);
  });

  it("refuses a port that is in use, another machine's reach without a token, and options that are none, in one line with a hint", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const address = taken.address();
    const port = typeof address === "object" && address !== null ? String(address.port) : "";
    const cases = [
      [["--port", port], "SERVING_PORT_IN_USE", 4],
      [["--host", "0.0.0.0"], "SERVING_TOKEN_MISSING", 2],
      [["--workers", "none"], "SERVING_OPTION_INVALID", 2],
    ] as const;
    for (const [args, code, exit] of cases) {
      const ended = await refused(args);
      expect(ended.code).toBe(exit);
      expect(ended.stderr).toMatch(new RegExp(`^orrery: .+ \\[${code}\\]\\n  .+\\n$`));
      expect(ended.stdout).toBe("");
    }
    taken.close();
  });
});
