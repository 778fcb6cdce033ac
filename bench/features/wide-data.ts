import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { openDuckDb } from "../../src/adapters/tables/duckdb.ts";
import { quoteLiteral } from "../../src/core/data/index.ts";

/** Columns of the file that `makeWideData` writes, besides entity_id (BIGINT) and event_timestamp. */
export const wideFeatures = (count: number): `f${number}`[] => Array.from({ length: count }, (_, index) => `f${index}` as const);

/** One Parquet file with one row an entity, of the day before 2026, and as many DOUBLE features as asked for. */
export async function makeWideData(folder: string, entities: number, features: number): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, "wide.parquet");
  const engine = await openDuckDb({ memoryLimit: "4GB", tempDirectory: join(folder, "tmp") });
  const values = wideFeatures(features).map((name, index) => `hash(range * 31 + ${index}) / 18446744073709551616.0 AS ${name}`);
  try {
    await engine.run(
      `COPY (SELECT range AS entity_id, TIMESTAMP '2025-12-31' + to_seconds(range % 86400) AS event_timestamp, ${values.join(", ")}
        FROM range(${entities}) ORDER BY event_timestamp, range) TO ${quoteLiteral(path)} (FORMAT parquet, COMPRESSION zstd)`,
    );
  } finally {
    engine.close();
  }
  return path;
}
