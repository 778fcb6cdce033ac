import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Table, tableFromIPC } from "apache-arrow";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Column, ColumnTable } from "../../core/ports/index.ts";
import { readArrow } from "./read-arrow.ts";
import { writeArrow } from "./write-arrow.ts";

let folder: string;
let files = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "orrery-arrow-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const column = (type: "float64" | "int32" | "bool" | "timestamp", values: (number | null)[]): Column => ({
  type,
  values: Float64Array.from(values, (value) => value ?? 0),
  nulls: values.includes(null) ? Uint8Array.from(values, (value) => (value === null ? 1 : 0)) : null,
});

const COLUMNS: Record<string, Column> = {
  float: column("float64", [1.5, null, Number.NEGATIVE_INFINITY]),
  whole: column("int32", [-2_147_483_648, 2, null]),
  large: { type: "int64", values: BigInt64Array.of(9_007_199_254_740_993n, 0n, -1n), nulls: Uint8Array.of(0, 1, 0) },
  yes: column("bool", [1, 0, null]),
  at: column("timestamp", [1_580_702_706_789_001, null, -1]),
  text: { type: "string", values: ["Köln", null, ""] },
};
const table: ColumnTable = { rows: 3, columns: new Map(Object.entries(COLUMNS)) };
const empty: ColumnTable = {
  rows: 0,
  columns: new Map([...table.columns].map(([name, { type }]) => [name, emptyOf(type)])),
};

function emptyOf(type: Column["type"]): Column {
  if (type === "string") return { type, values: [] };
  return type === "int64" ? { type, values: new BigInt64Array(0), nulls: null } : column(type, []);
}

async function written(...tables: readonly ColumnTable[]): Promise<string> {
  const path = join(folder, `${++files}.arrows`);
  await writeArrow(
    path,
    (async function* () {
      yield* tables;
    })(),
  );
  return path;
}

async function read(path: string): Promise<ColumnTable[]> {
  const tables: ColumnTable[] = [];
  for await (const each of readArrow(path)) tables.push(each);
  return tables;
}

test("every type comes back as it went, nulls and all digits", async () => {
  expect(await read(await written(table))).toEqual([table]);
});

test("what is written is one stream of several batches to others too", async () => {
  const decoded: Table = tableFromIPC(readFileSync(await written(table, empty, table)));
  expect([decoded.numRows, decoded.batches.length]).toEqual([6, 2]);
  expect(String(decoded.getChild("large")?.get(3))).toBe("9007199254740993");
});

test("no rows are still columns", async () => {
  expect(await read(await written(empty))).toEqual([empty]);
});

test("bytes that are no Arrow stream, or were cut short, are refused with one line", async () => {
  const whole = readFileSync(await written(table));
  for (const bytes of [Buffer.from("id,at\n1,2\n"), whole.subarray(0, whole.length - 200)]) {
    const path = join(folder, `${++files}.broken`);
    writeFileSync(path, bytes);
    await expect(read(path)).rejects.toMatchObject({ code: "ARROW_STREAM_INVALID" });
  }
});
