import { createHash, randomBytes } from "node:crypto";
import { appendFileSync, cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { mlflowCalls } from "../fixtures/mlflow-calls.ts";
import { findPostgres, testSchema } from "../fixtures/postgres.ts";
import { startTrackingProcess, type TrackingProcess } from "../fixtures/tracking-process.ts";
import { orrery } from "./orrery-process.ts";

const WRITERS = 16;
const { url: postgres, reason } = await findPostgres();
const hashOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

interface Writer {
  readonly run: string;
  /** Steps that were acknowledged. */
  steps: number;
  /** Hash by path of the files that were acknowledged. */
  readonly files: Map<string, string>;
}

describe("a backup", { timeout: 180_000 }, () => {
  let folder: string;
  const servers: TrackingProcess[] = [];
  const start = async (...args: Parameters<typeof startTrackingProcess>) => {
    const server = await startTrackingProcess(...args);
    servers.push(server);
    return server;
  };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "orrery-backup-"));
  });
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.stop("SIGKILL");
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  const fileUrl = (url: string, { run }: Writer, name: string) =>
    `${url}/api/2.0/mlflow-artifacts/artifacts/0/${run}/artifacts/${name}`;

  async function writers(url: string, isOver: () => boolean): Promise<{ started: Writer[]; ended: Promise<unknown> }> {
    const { call, createRun } = mlflowCalls(url);
    const started = await Promise.all(
      Array.from({ length: WRITERS }, async () => ({ run: await createRun(), steps: 0, files: new Map<string, string>() })),
    );
    const write = async (writer: Writer) => {
      while (!isOver()) {
        const step = writer.steps;
        await call("POST", "runs/log-metric", { run_id: writer.run, key: "m", value: step, timestamp: step, step });
        if (step % 20 === 0) {
          const bytes = randomBytes(10_000);
          const put = await fetch(fileUrl(url, writer, `f${step}.bin`), { method: "PUT", body: bytes });
          expect(put.status).toBe(200);
          writer.files.set(`f${step}.bin`, hashOf(bytes));
        }
        writer.steps += 1;
      }
    };
    return { started, ended: Promise.all(started.map(write)) };
  }

  /** Everything that had been acknowledged is there; whatever else is there is consistent. */
  async function check(url: string, before: readonly Writer[]): Promise<void> {
    const { call, metricSteps } = mlflowCalls(url);
    for (const writer of before) {
      const steps = await metricSteps(writer.run, "m");
      expect(steps.length).toBeGreaterThanOrEqual(writer.steps);
      expect(steps).toEqual(steps.map((_, i) => i));
      const { run } = await call<{ run: { data: { metrics: { value: number }[] } } }>("GET", "runs/get", { run_id: writer.run });
      expect(run.data.metrics[0]?.value).toBe(steps.length - 1);
      const { files = [] } = await call<{ files?: { path: string; file_size: number }[] }>("GET", "artifacts/list", {
        run_id: writer.run,
      });
      for (const path of writer.files.keys()) expect(files.map((each) => each.path)).toContain(path);
      for (const { path } of files) {
        const answer = await fetch(fileUrl(url, writer, path));
        expect([path, answer.status]).toEqual([path, 200]);
        const known = writer.files.get(path);
        if (known !== undefined) expect(hashOf(Buffer.from(await answer.arrayBuffer()))).toBe(known);
      }
    }
  }

  const copyOf = (all: readonly Writer[]): Writer[] =>
    all.map(({ run, steps, files }) => ({ run, steps, files: new Map(files) }));

  it("made under load holds what was acknowledged before, and is consistent where it is restored", async () => {
    const server = await start(join(folder, "state"));
    let over = false;
    const { started, ended } = await writers(server.url, () => over);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const before = copyOf(started);
    expect(await orrery(["--state", join(folder, "state"), "backup", join(folder, "copy")])).toMatchObject({ code: 0 });
    over = true;
    await ended;
    expect(Math.min(...before.map(({ steps }) => steps))).toBeGreaterThan(0);
    expect(existsSync(join(folder, "copy.partial"))).toBe(false);

    const again = await orrery(["--state", join(folder, "state"), "backup", join(folder, "copy")]);
    expect(again.err).toContain("BACKUP_EXISTS");
    const restored = await orrery(["--state", join(folder, "restored"), "restore", join(folder, "copy")]);
    expect(restored).toMatchObject({ code: 0 });
    await check((await start(join(folder, "restored"))).url, before);
    const twice = await orrery(["--state", join(folder, "restored"), "restore", join(folder, "copy")]);
    expect(twice.err).toContain("BACKUP_TARGET_IN_USE");
  });

  it("that was changed is refused, names the file, and nothing is made of it", async () => {
    const server = await start(join(folder, "state"));
    let over = false;
    const { ended } = await writers(server.url, () => over);
    await new Promise((resolve) => setTimeout(resolve, 300));
    over = true;
    await ended;
    expect(await orrery(["--state", join(folder, "state"), "backup", join(folder, "copy")])).toMatchObject({ code: 0 });
    const artifact = readdirSync(join(folder, "copy/artifacts/sha256"), { recursive: true, withFileTypes: true }).find((entry) =>
      entry.isFile(),
    );
    const changes: Record<string, (at: string) => void> = {
      "metadata.db": (at) => appendFileSync(join(at, "metadata.db"), "x"),
      "no JSON": (at) => writeFileSync(join(at, "backup.json"), "{"),
      "is no file of a backup": (at) =>
        writeFileSync(
          join(at, "backup.json"),
          readFileSync(join(at, "backup.json"), "utf8").replace(
            '"files": {',
            '"files": {"../../escaped": {"bytes": 1, "sha256": "0"},',
          ),
        ),
      [artifact?.name ?? "none"]: (at) =>
        writeFileSync(join(artifact?.parentPath.replace(join(folder, "copy"), at) ?? "", artifact?.name ?? ""), "changed"),
      "There is no backup": (at) => rmSync(join(at, "backup.json")),
    };
    for (const [says, change] of Object.entries(changes)) {
      const damaged = join(folder, "damaged");
      cpSync(join(folder, "copy"), damaged, { recursive: true });
      change(damaged);
      const refused = await orrery(["--state", join(folder, "restored"), "restore", damaged]);
      expect([says, refused.code === 0]).toEqual([says, false]);
      expect(refused.err).toContain(says);
      expect(existsSync(join(folder, "restored"))).toBe(false);
      rmSync(damaged, { recursive: true });
    }
  });

  describe.skipIf(postgres === null)(`across databases${postgres === null ? ` (${reason})` : ""}`, () => {
    it("moves a state from SQLite to PostgreSQL and back", async () => {
      const schema = testSchema(postgres ?? "");
      try {
        const first = await start(join(folder, "state"));
        let over = false;
        const { started, ended } = await writers(first.url, () => over);
        await new Promise((resolve) => setTimeout(resolve, 500));
        over = true;
        await ended;
        const at = (name: string) => join(folder, name);
        expect(await orrery(["--state", at("state"), "backup", at("copy-1")])).toMatchObject({ code: 0 });
        expect(await orrery(["--state", at("shared"), "restore", at("copy-1"), "--database", schema.url])).toMatchObject({
          code: 0,
        });
        await check((await start(at("shared"), ["--database", schema.url])).url, started);
        expect(await orrery(["--state", at("shared"), "backup", at("copy-2"), "--database", schema.url])).toMatchObject({
          code: 0,
        });
        const filled = await orrery(["--state", at("other"), "restore", at("copy-2"), "--database", schema.url]);
        expect(filled.err).toContain("STATE_NOT_EMPTY");
        expect(existsSync(at("other"))).toBe(false);
        expect(await orrery(["--state", at("back"), "restore", at("copy-2")])).toMatchObject({ code: 0 });
        await check((await start(at("back"))).url, started);
      } finally {
        for (const server of servers.splice(0)) await server.stop("SIGKILL");
        await schema.drop();
      }
    });
  });
});
