import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { openDuckDb } from "../../src/adapters/tables/duckdb.ts";
import { quoteLiteral } from "../../src/core/data/index.ts";

/** What both sides read: Parquet files that DuckDB wrote, from hashes of row numbers, the same on every machine. */
export interface BenchData {
  readonly folder: string;
  /** entity_id (BIGINT), event_timestamp, created (TIMESTAMP UTC), f0 … f4 (DOUBLE); in order of time. */
  readonly features: readonly string[];
  /** entity_id, event_timestamp. */
  readonly asks: string;
}

export interface BenchSize {
  readonly rows: number;
  readonly entities: number;
  readonly asks: number;
  /** Files of such rows, with other values. */
  readonly views: number;
}

const START = "TIMESTAMP '2026-01-01'";
const DAYS = 60;
/** Evenly spread over [0, 1), by row number and salt. */
const share = (row: string, salt: number) => `(hash(${row} * 1000003 + ${salt}) / 18446744073709551616.0)`;

/**
 * Events of `entities` over 60 days: one row in a thousand has the entity and time of the one before it, and was created later, as a
 * correction is. Asks over the last 50 days; one in a hundred is about nobody known.
 */
export async function makeData(folder: string, { rows, entities, asks, views }: BenchSize): Promise<BenchData> {
  mkdirSync(folder, { recursive: true });
  const engine = await openDuckDb({ memoryLimit: "4GB", tempDirectory: join(folder, "tmp") });
  const write = (name: string, sql: string) => {
    const path = join(folder, name);
    return engine.run(`COPY (${sql}) TO ${quoteLiteral(path)} (FORMAT parquet, COMPRESSION zstd)`).then(() => path);
  };
  const micros = (share: string, days: number) => `to_microseconds(CAST(floor(${share} * ${days * 86_400}) * 1000000 AS BIGINT))`;
  try {
    const features: string[] = [];
    for (let view = 0; view < views; view++) {
      const salt = view * 100;
      // The row before has an even number; 500 of 500,000 odd ones take what it has.
      const drawn = `CASE WHEN range % 1000 = 1 THEN range - 1 ELSE range END`;
      const values = Array.from({ length: 5 }, (_, index) => `${share("range", salt + 10 + index)} - 0.5 AS f${index}`);
      features.push(
        await write(
          `features-${view}.parquet`,
          `SELECT CAST(floor(${share(drawn, salt)} * ${entities}) AS BIGINT) AS entity_id,
             ${START} + ${micros(share(drawn, salt + 1), DAYS)} AS event_timestamp,
             ${START} + ${micros(share(drawn, salt + 1), DAYS)} + to_seconds(range % 1000) AS created,
             ${values.join(", ")}
           FROM range(${rows}) ORDER BY event_timestamp, created, range`,
        ),
      );
    }
    const path = await write(
      "asks.parquet",
      `SELECT CASE WHEN range % 100 = 7 THEN -1 - range ELSE CAST(floor(${share("range", 7)} * ${entities}) AS BIGINT) END AS entity_id,
         ${START} + INTERVAL 10 DAY + ${micros(share("range", 8), DAYS - 10)} AS event_timestamp
       FROM range(${asks})`,
    );
    return { folder, features, asks: path };
  } finally {
    engine.close();
  }
}
