import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { tableEngineContract } from "../../../test/contracts/table-engine.contract.ts";
import { openDuckDb } from "./duckdb.ts";

tableEngineContract("DuckDB", () => openDuckDb());

describe("DuckDB in a process", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "orrery-duckdb-test-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const HUGE = "SELECT count(*) AS n FROM (SELECT DISTINCT hash(range)::VARCHAR || repeat('x', 100) FROM range(600000))";

  test("is held to its memory and threads, and fetches no extension by itself", async () => {
    const engine = await openDuckDb({ memoryLimit: "100MB", threads: 1 });
    expect(
      await engine.rows(
        "SELECT name, value FROM duckdb_settings() WHERE name IN ('autoinstall_known_extensions', 'autoload_known_extensions', 'memory_limit', 'threads') ORDER BY name",
      ),
    ).toEqual([
      { name: "autoinstall_known_extensions", value: "false" },
      { name: "autoload_known_extensions", value: "false" },
      { name: "memory_limit", value: "95.3 MiB" },
      { name: "threads", value: "1" },
    ]);
    engine.close();
  });

  test("spills what does not fit into memory, and takes its files away but nobody else's", async () => {
    const spill = join(folder, "spill");
    const engine = await openDuckDb({ memoryLimit: "60MB", tempDirectory: spill });
    expect(await engine.rows(HUGE)).toEqual([{ n: 600_000 }]);
    engine.close();
    expect(existsSync(spill)).toBe(false);

    mkdirSync(spill);
    writeFileSync(join(spill, "of-others"), "");
    const again = await openDuckDb({ memoryLimit: "60MB", tempDirectory: spill });
    await again.rows(HUGE);
    again.close();
    expect(readdirSync(spill)).toEqual(["of-others"]);
  });

  test("says that memory is short when a result can neither be held nor spilled, and goes on", async () => {
    const engine = await openDuckDb({ memoryLimit: "30MB" });
    await expect(engine.rows("SELECT list(range::VARCHAR || repeat('x', 100)) AS l FROM range(3000000)")).rejects.toMatchObject({
      code: "TABLE_OUT_OF_MEMORY",
      kind: "unavailable",
    });
    expect(await engine.rows("SELECT 1 AS x")).toEqual([{ x: 1 }]);
    engine.close();
  });

  test("says that the disk takes no more", () => {
    const script = `
      import { openDuckDb } from ${JSON.stringify(new URL("./duckdb.ts", import.meta.url).href)};
      const engine = await openDuckDb();
      const sql = "COPY (SELECT hash(range) AS h FROM range(1000000)) TO '${folder}/x.parquet' (FORMAT parquet)";
      console.log(await engine.run(sql).then(() => "written", (error) => error.code));`;
    // A limit on the size of files fails a write half way, as a full disk does, for any user and without a disk of its own.
    const output = execFileSync("bash", [
      "-c",
      `trap '' XFSZ; ulimit -f 256; exec "$0" --input-type=module -e "$1"`,
      process.execPath,
      script,
    ]);
    expect(output.toString().trim()).toBe("TABLE_DISK_FULL");
  });

  test("once closed refuses questions, and closing it again does nothing", async () => {
    const engine = await openDuckDb();
    engine.close();
    engine.close();
    await expect(engine.rows("SELECT 1 AS x")).rejects.toMatchObject({ code: "TABLE_QUERY_FAILED" });
  });
});
