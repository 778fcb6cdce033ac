import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { createLogger } from "./create-logger.ts";

const root = mkdtempSync(join(tmpdir(), "orrery-logs-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const MODULE = JSON.stringify(new URL("./create-logger.ts", import.meta.url).href);

describe("a log", () => {
  it("has its bindings on every line, and a child's run and trace", () => {
    const file = join(root, "deep", "log.ndjson");
    const log = createLogger({ level: "info", file, bindings: { process: "test", project: "flights" } });
    log.debug("not at this level");
    log.child({ runId: "run-1", traceId: "abc" }).info({ rows: 3 }, "done");
    expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({
      process: "test",
      project: "flights",
      runId: "run-1",
      traceId: "abc",
      rows: 3,
      pid: process.pid,
    });
  });

  it("leaves secrets out, wherever they stand", () => {
    const file = join(root, "secrets.ndjson");
    const log = createLogger({ level: "info", file, bindings: { token: "s3cret-1" } });
    log.info(
      { authorization: "Bearer s3cret-2", req: { headers: { authorization: "Bearer s3cret-3", cookie: "s3cret-4" } } },
      "asked",
    );
    log
      .child({ password: "s3cret-5" })
      .info({ database: { password: "s3cret-6", host: "db" }, Authorization: "s3cret-7" }, "opened");
    const text = readFileSync(file, "utf8");
    expect(text).not.toContain("s3cret");
    expect(text).toContain('"host":"db"');
  });

  it.skipIf(!existsSync("/dev/full"))("that cannot be written takes nothing down (needs /dev/full)", () => {
    const code = (options: string) => `
      const { createLogger } = await import(${MODULE});
      const log = createLogger({ level: "info", bindings: {}${options} });
      for (let n = 0; n < 100; n++) log.info({ filling: "x".repeat(1000) }, "line");
      await new Promise((resolve) => setTimeout(resolve, 100));
      console.log("alive");`;
    for (const options of ["", ', file: "/dev/full"']) {
      const command = `"$0" --input-type=module-typescript -e "$1" 2>/dev/full`;
      const { stdout, status } = spawnSync("bash", ["-c", command, process.execPath, code(options)], {
        encoding: "utf8",
        timeout: 20_000,
      });
      expect([stdout, status]).toEqual(["alive\n", 0]);
    }
  });
});
