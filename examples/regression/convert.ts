/**
 * Makes data/flights.parquet from the flights example's own: departures from LaGuardia, January to March 2013. Where they come from and
 * what is assumed about when things are known stands in ../flights/data/PROVENANCE.md. Run by hand: `node examples/regression/convert.ts`
 */
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";

const flights = join(import.meta.dirname, "../flights/data/flights.parquet");
const out = join(import.meta.dirname, "data/flights.parquet");
const connection = await (await DuckDBInstance.create(":memory:")).connect();
await connection.run(
  `COPY (SELECT flight_id, carrier, dest, distance, departure_hour, weekday, scheduled_minutes, scheduled_departure, published_at,
           dep_delay, cancelled, departed_at, arr_delay, diverted, landed_at
         FROM '${flights}' WHERE origin = 'LGA' AND scheduled_departure < '2013-04-01' ORDER BY scheduled_departure, flight_id)
   TO '${out}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 19)`,
);
