import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDuckDb } from "../../adapters/tables/duckdb.ts";
import { quoteLiteral } from "../../core/data/index.ts";
import type { TableEngine } from "../../core/ports/index.ts";
import { jsonRows } from "./json-rows.ts";

describe("entity rows as JSON", () => {
  const directory = mkdtempSync(join(tmpdir(), "orrery-json-rows-"));
  const [path, target] = [join(directory, "given"), join(directory, "rows.parquet")];
  let engine: TableEngine;
  beforeAll(async () => {
    engine = await openDuckDb();
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  async function rowsOf(text: string) {
    writeFileSync(path, text);
    await jsonRows(engine, path, target, ["driver", "at"]);
    return await engine.rows(`SELECT * FROM read_parquet(${quoteLiteral(target)})`);
  }

  test("are an array of objects, or an object on each line", async () => {
    expect(await rowsOf('[{"driver":1},{"driver":2}]')).toEqual([{ driver: 1 }, { driver: 2 }]);
    expect(await rowsOf('{"driver":1}\n{"driver":2}\n')).toEqual([{ driver: 1 }, { driver: 2 }]);
  });

  test("may be none, with the columns that are looked for", async () => {
    expect(await rowsOf(" [ ] ")).toEqual([]);
    const described = await engine.rows(`DESCRIBE SELECT * FROM read_parquet(${quoteLiteral(target)})`);
    expect(described.map((row) => row.column_name)).toEqual(["driver", "at"]);
  });

  test.each(["", " \n", "{", '[{"driver":1}', '[{"driver":secret}]'])(
    "%j is refused with what a body looks like",
    async (text) => {
      await expect(rowsOf(text)).rejects.toMatchObject({
        code: "FEATURE_ROWS_INVALID",
        kind: "invalid",
        hint: expect.stringContaining("array of one object for each row"),
      });
    },
  );
});
