import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { planOf } from "../../../test/fixtures/training-data.ts";
import { openDuckDb } from "../../adapters/tables/duckdb.ts";
import type { ColumnType } from "../definitions/index.ts";
import type { FeaturePlan } from "../features/index.ts";
import type { TableEngine } from "../ports/index.ts";
import { parseTimestamp } from "../time.ts";
import { loadDataset } from "./load-dataset.ts";

let engine: TableEngine;
let directory: string;

beforeAll(async () => {
  engine = await openDuckDb({ threads: 1 });
  directory = mkdtempSync(join(tmpdir(), "orrery-training-"));
});
afterAll(() => {
  engine.close();
  rmSync(directory, { recursive: true, force: true });
});

const TYPES: Record<string, ColumnType> = {
  "view.number": "float64",
  "view.flag": "bool",
  "view.whole": "int64",
  "view.moment": "timestamp",
  'odd."quoted" name': "string",
};
const plan: FeaturePlan = {
  ...planOf({
    rows: 0,
    task: "binary",
    classes: [],
    features: [],
    segments: [],
    label: new Uint8Array(),
    at: new Float64Array(),
    labelAt: new Float64Array(),
    day: new Int32Array(),
    rule: new Uint8Array(),
  }),
  features: Object.entries(TYPES).map(([id, type]) => ({
    id,
    type,
    seasonal: false,
    origin: { kind: "on-demand", name: id },
    source: null,
  })),
};

async function write(name: string, rows: string, label = "BOOLEAN"): Promise<string> {
  const path = join(directory, name);
  const columns = [
    `__row, __reference, __at::TIMESTAMP AS __at, __event_at::TIMESTAMP AS __event_at, __label::${label} AS __label`,
    "__label_at::TIMESTAMP AS __label_at, false AS __censored, __rule::BOOLEAN AS __rule, carrier::VARCHAR AS __segment_carrier",
    'number::DOUBLE AS "view.number", flag::BOOLEAN AS "view.flag", whole::BIGINT AS "view.whole"',
    'moment::TIMESTAMP AS "view.moment", text::VARCHAR AS "odd.""quoted"" name"',
  ];
  const names = "__row, __reference, __at, __event_at, __label, __label_at, __rule, carrier, number, flag, whole, moment, text";
  await engine.run(`COPY (SELECT ${columns.join(", ")} FROM (VALUES ${rows}) AS t(${names})) TO '${path}' (FORMAT parquet)`);
  return path;
}

describe("loadDataset", () => {
  it("reads labelled rows in order of prediction time: strings as categories, all else as numbers, null as missing", async () => {
    const path = await write(
      "some.parquet",
      `(2, 'b', '2013-03-02 10:00:00', '2013-03-02 12:00:00', true, '2013-03-02 15:00:00', true, 'UA', 1.5, true, 7, '2013-01-01 00:00:00', 'x'),
       (3, 'c', '2013-03-03 10:00:00', '2013-03-03 12:00:00', NULL, NULL, false, 'UA', 9, true, 9, NULL, 'never'),
       (1, 'a', '2013-03-01 23:00:00', '2013-03-02 01:00:00', false, '2013-03-02 03:00:00', NULL, NULL, NULL, NULL, NULL, NULL, NULL),
       (4, 'd', '2013-03-04 10:00:00', '2013-03-04 12:00:00', true, '2013-03-04 15:00:00', false, 'AA', -2, false, 8, NULL, 'x')`,
    );
    const dataset = await loadDataset(engine, path, plan, ["carrier"]);
    expect(dataset.rows).toBe(3);
    expect([...dataset.label]).toEqual([0, 1, 1]);
    expect([...dataset.rule]).toEqual([0, 1, 0]);
    expect(dataset.at[0]).toBe(parseTimestamp("2013-03-01T23:00:00Z"));
    expect(dataset.labelAt[0]).toBe(parseTimestamp("2013-03-02T03:00:00Z"));
    // The day of the event, not of the prediction on the evening before.
    expect(dataset.day[0]).toBe(Date.parse("2013-03-02T00:00:00Z") / 86_400_000);
    expect(dataset.segments).toEqual([
      { kind: "categorical", id: "carrier", codes: Int32Array.of(-1, 0, 1), categories: ["UA", "AA"] },
    ]);
    const numbers = dataset.features.map((feature) => (feature.kind === "numeric" ? [...feature.values] : feature.categories));
    expect(numbers).toEqual([
      [Number.NaN, 1.5, -2],
      [Number.NaN, 1, 0],
      [Number.NaN, 7, 8],
      [Number.NaN, parseTimestamp("2013-01-01"), Number.NaN],
      ["x"],
    ]);
    expect(dataset.features.map(({ id }) => id)).toEqual(Object.keys(TYPES));
  });

  it("names the columns that a training set lacks", async () => {
    const path = await write(
      "other.parquet",
      "(1, 'a', '2013-03-01', '2013-03-01', true, '2013-03-02', true, 'UA', 1, true, 7, '2013-01-01', 'x')",
    );
    await expect(loadDataset(engine, path, plan, ["origin"])).rejects.toMatchObject({
      code: "TRAIN_COLUMN_MISSING",
      message: expect.stringContaining("__segment_origin"),
    });
  });

  const rowsWith = (labels: readonly string[]) =>
    labels
      .map(
        (label, i) =>
          `(${i}, 'r', '2013-03-0${i + 1}', '2013-03-0${i + 1}', ${label}, '2013-03-09', NULL, 'UA', 1, true, 7, NULL, 'x')`,
      )
      .join(", ");

  it("reads numbers as the labels of a regression", async () => {
    const path = await write("numbers.parquet", rowsWith(["1.5", "NULL", "-3"]), "DOUBLE");
    const dataset = await loadDataset(engine, path, plan, [], "regression");
    expect(dataset).toMatchObject({ rows: 2, task: "regression", classes: [], label: Float64Array.of(1.5, -3) });
  });

  it("numbers classes in their order: by letters, or by size where all are numbers", async () => {
    const text = await write("text.parquet", rowsWith(["'late'", "'early'", "NULL", "'late'"]), "VARCHAR");
    expect(await loadDataset(engine, text, plan, [], "multiclass")).toMatchObject({
      classes: ["early", "late"],
      label: Int32Array.of(1, 0, 1),
    });
    const numbers = await write("sizes.parquet", rowsWith(["10", "9", "-1"]), "DOUBLE");
    expect(await loadDataset(engine, numbers, plan, [], "multiclass")).toMatchObject({
      classes: ["-1", "9", "10"],
      label: Int32Array.of(2, 1, 0),
    });
  });

  it("refuses identifiers as classes", async () => {
    const path = join(directory, "ids.parquet");
    const some = await write("one.parquet", rowsWith(["'x'"]), "VARCHAR");
    await engine.run(
      `COPY (SELECT * REPLACE (i::VARCHAR AS __label) FROM read_parquet('${some}'), range(1001) AS r(i)) TO '${path}' (FORMAT parquet)`,
    );
    await expect(loadDataset(engine, path, plan, [], "multiclass")).rejects.toMatchObject({
      code: "TRAIN_TARGET_INVALID",
      message: "the label has 1001 classes, and at most 1000 are told apart",
    });
  });

  it("says so when no row has a label", async () => {
    const path = await write(
      "pending.parquet",
      "(1, 'a', '2013-03-01', '2013-03-01', NULL, NULL, true, 'UA', 1, true, 7, '2013-01-01', 'x')",
    );
    await expect(loadDataset(engine, path, plan, [])).rejects.toMatchObject({ code: "TRAIN_TOO_FEW_ROWS" });
  });
});
