import { mkdtempSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fileList, quoteLiteral } from "../data/index.ts";
import { count, entity, featureService, featureView, float64, int64, onDemand, source, string } from "../definitions/index.ts";
import { HOUR, MINUTE, parseTimestamp } from "../time.ts";
import { askedReferences } from "./feature-references.ts";
import { featuresForRows } from "./features-for-rows.ts";
import type { SnapshotMap } from "./historical-features.ts";
import { openWorkbench, snapshotOf, type Workbench } from "./test-support/snapshots.ts";

const NOON = parseTimestamp("2025-06-01T12:00:00Z");
const trips = source.parquet("trips", {
  path: "trips.parquet",
  key: ["trip"],
  eventTime: "at",
  columns: { trip: int64(), driver: int64(), distance: float64().nullable(), city: string().nullable() },
});
const driving = featureView("driving", {
  entity: entity("driver", { driver: int64() }),
  source: trips,
  features: ["distance", "city"],
  aggregate: { trips: count().over("1h") },
});
const further = onDemand("further", {
  inputs: [driving.feature.distance],
  request: { by: float64() },
  returns: "float64",
  compute: ({ distance, by }) => (distance === null ? null : distance + by),
});
const LARGE = 9_007_199_254_740_993n;
const project = {
  features: [driving.definition],
  services: [featureService("all", { features: [driving.all(), further] })],
  models: [],
};

let bench: Workbench;
let snapshots: SnapshotMap;
beforeAll(async () => {
  bench = await openWorkbench();
  const rows = [
    { trip: 1, driver: 1, distance: 2.5, city: "Köln", at: NOON - 2 * HOUR },
    { trip: 2, driver: 1, distance: null, city: null, at: NOON - 30 * MINUTE },
    { trip: 3, driver: LARGE, distance: 7, city: "Bonn", at: NOON - HOUR },
  ];
  const snapshot = await snapshotOf(bench, trips, [rows], NOON + HOUR);
  snapshots = new Map([["trips", { snapshot, source: trips }]]);
});
afterAll(() => bench.close());

let made = 0;
async function given(query: string): Promise<string> {
  const path = join(bench.tmpDirectory, `given-${++made}.parquet`);
  await bench.engine.run(`COPY (${query}) TO ${quoteLiteral(path)} (FORMAT parquet)`);
  return path;
}

async function ask(files: readonly string[], ids: readonly string[], more: { at?: string; rowsAtOnce?: number } = {}) {
  const directory = mkdtempSync(join(bench.tmpDirectory, "rows-"));
  const features = askedReferences(project, { ids });
  const input = { features, snapshots, files, at: "at", asOf: NOON + HOUR, directory, ...more };
  const answered = await featuresForRows(bench, input);
  const rows = await bench.engine.rows(`SELECT * FROM read_parquet(${fileList(answered.files)})`);
  expect(rows.length).toBe(answered.rows);
  return { rows, files: answered.files };
}

const ids = ["driving.distance", "driving.trips", "driving.city"];

describe("features for rows", () => {
  test("give each row its own columns and the features as of its time, in the rows' order, twice where a row is there twice", async () => {
    const at = (hours: number) => `TIMESTAMP '2025-06-01 ${12 + hours}:00:00'`;
    const path =
      await given(`SELECT * FROM (VALUES ('b', 1, ${at(0)}), ('a', ${LARGE}, ${at(0)}), ('b', 1, ${at(0)}), ('c', 1, ${at(-1)}),
      ('d', NULL, ${at(0)}), ('e', 5, ${at(0)})) AS t(label, driver, "at")`);
    const { rows } = await ask([path], ids);
    expect(
      rows.map(({ label, "driving.distance": distance, "driving.trips": trips, "driving.city": city }) => [
        label,
        distance,
        trips,
        city,
      ]),
    ).toEqual([
      ["b", null, 1, null],
      ["a", 7, 0, "Bonn"],
      ["b", null, 1, null],
      ["c", 2.5, 0, "Köln"],
      ["d", null, 0, null],
      ["e", null, 0, null],
    ]);
    expect(Object.keys(rows[0])).toEqual(["label", "driver", "at", ...ids]);
  });

  test("are the same in one go and a few rows at a time, over one file and over several", async () => {
    const all = `SELECT i AS n, CASE i % 3 WHEN 0 THEN 1 WHEN 1 THEN ${LARGE} END AS driver, TIMESTAMP '2025-06-01 12:30:00' - to_minutes(i * 7) AS "at" FROM range(50) AS t(i)`;
    const whole = await ask([await given(all)], ids);
    const few = await ask([await given(all)], ids, { rowsAtOnce: 7 });
    const files = [await given(`${all} WHERE i < 20`), await given(`${all} WHERE i < 0`), await given(`${all} WHERE i >= 20`)];
    const several = await ask(files, ids);
    expect(whole.rows.length).toBe(50);
    expect(few.files.length).toBe(8);
    expect(few.rows).toEqual(whole.rows);
    expect(several.rows).toEqual(whole.rows);
    const again = await ask([await given(all)], ids);
    expect(readFileSync(again.files[0]).equals(readFileSync(whole.files[0]))).toBe(true);
  });

  test("no rows are still the columns", async () => {
    const { files } = await ask([await given(`SELECT 1::BIGINT AS driver, now()::TIMESTAMP AS "at" WHERE false`)], ids);
    const described = await bench.engine.rows(`DESCRIBE SELECT * FROM read_parquet(${fileList(files)})`);
    expect(described.map(({ column_name: name, column_type: type }) => [name, type])).toEqual([
      ["driver", "BIGINT"],
      ["at", "TIMESTAMP"],
      ["driving.distance", "DOUBLE"],
      ["driving.trips", "BIGINT"],
      ["driving.city", "VARCHAR"],
    ]);
  });

  test("take keys and times as data frames have them: floats with NaN, nanoseconds, zones and text", async () => {
    const times = [
      "TIMESTAMP_NS '2025-06-01 12:00:00.000000001'",
      "TIMESTAMPTZ '2025-06-01 14:00:00+02'",
      "'2025-06-01T14:00:00+02:00'",
      "'2025-06-01 12:00:00'",
    ];
    for (const time of times) {
      const path = await given(
        `SELECT d AS driver, 1.5 AS by, ${time} AS "at" FROM (VALUES (1.0::DOUBLE), ('NaN'), (NULL)) AS t(d)`,
      );
      const { rows } = await ask([path], ["driving.trips", "on-demand.further"]);
      expect(rows.map((row) => row["driving.trips"])).toEqual([1, 0, 0]);
    }
  });

  test.each([
    [`SELECT 1 AS "at", 1 AS driver`, 'Column "at" of the rows is INTEGER, and 1 of its values are no timestamp, such as 1'],
    [
      `SELECT 1.5::DOUBLE AS driver, now()::TIMESTAMP AS "at"`,
      'Column "driver" of the rows is DOUBLE, and 1 of its values are no int64, such as 1.5',
    ],
    [`SELECT 'one' AS driver, now()::TIMESTAMP AS "at"`, "such as one"],
    [`SELECT 1 AS driver`, 'Column "at" of the rows is missing'],
    [`SELECT now()::TIMESTAMP AS "at"`, 'Column "driver" of the rows is missing'],
  ])("%s is refused: %s", async (query, message) => {
    await expect(ask([await given(query)], ids)).rejects.toMatchObject({
      code: "FEATURE_ROWS_INVALID",
      message: expect.stringContaining(message),
    });
  });

  test("no rows at all have no features, and are no mistake", async () => {
    const none = await given(`SELECT NULL AS driver, NULL AS by, NULL AS "at" WHERE false`);
    expect((await ask([none], ["driving.trips", "on-demand.further"])).rows).toEqual([]);
  });

  test("a row without a time, a column named like a feature, and a feature that there is not are refused", async () => {
    const timeless = await given(`SELECT 1 AS driver, NULL::TIMESTAMP AS "at"`);
    await expect(ask([timeless], ids)).rejects.toMatchObject({
      code: "FEATURE_ROWS_INVALID",
      message: '1 of the rows have no time in column "at"',
      hint: expect.stringContaining("Every entity row"),
    });
    const taken = await given(`SELECT 1 AS driver, now()::TIMESTAMP AS "at", 1 AS "DRIVING.trips"`);
    await expect(ask([taken], ids)).rejects.toMatchObject({ code: "FEATURE_DUPLICATE" });
    expect(() => askedReferences(project, { ids: ["driving.nothing"] })).toThrow(
      expect.objectContaining({ code: "FEATURE_UNKNOWN" }),
    );
    expect(() => askedReferences(project, { service: "none" })).toThrow(
      expect.objectContaining({ code: "FEATURE_SERVICE_UNKNOWN" }),
    );
  });
});
