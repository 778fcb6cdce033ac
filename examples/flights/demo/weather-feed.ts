import { mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import type { DuckDBConnection } from "@duckdb/node-api";

/**
 * The labelled fault, and the only staged thing in the demo: from this day on the weather feed delivers metric units (°C, km/h, km,
 * mm) under the same column names. The contracts' ranges hold either way, so nothing but the values' distribution tells.
 */
export const FAULT = {
  at: "2013-11-08T00:00:00Z",
  source: "weather",
  what: "the weather feed changes from imperial to metric units",
} as const;

const IMPERIAL = "temp, dewp, humid, wind_dir, wind_speed, precip, pressure, visib";
const METRIC = `round((temp - 32) / 1.8, 2) AS temp, round((dewp - 32) / 1.8, 2) AS dewp, humid, wind_dir,
  wind_speed * 1.609344 AS wind_speed, precip * 25.4 AS precip, pressure, visib * 1.609344 AS visib`;

/** Delivers the weather as a feed would: what lies before the replay in one file, then one file a day. */
export class WeatherFeed {
  readonly #connection: DuckDBConnection;
  readonly #original: string;
  readonly #folder: string;

  constructor(connection: DuckDBConnection, original: string, folder: string) {
    this.#connection = connection;
    this.#original = original;
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  async deliverHistory(until: string): Promise<void> {
    await this.#deliver("weather-history", `observed_hour < TIMESTAMP '${until}'`, IMPERIAL);
  }

  /** The file of one day (UTC); its rows become visible hour by hour, as they were published. */
  async deliverDay(day: string): Promise<void> {
    const faulty = `${day}T00:00:00Z` >= FAULT.at;
    await this.#deliver(
      `weather-${day}`,
      `observed_hour >= TIMESTAMP '${day}' AND observed_hour < TIMESTAMP '${day}' + INTERVAL 1 DAY`,
      faulty ? METRIC : IMPERIAL,
    );
  }

  async #deliver(name: string, where: string, columns: string): Promise<void> {
    // Written aside first: a file that matches the source's pattern is whole from the start.
    const unfinished = join(this.#folder, `.${name}.parquet`);
    await this.#connection.run(
      `COPY (SELECT origin, observed_hour, published_at, ${columns} FROM read_parquet('${this.#original}') WHERE ${where} ORDER BY observed_hour, origin)
       TO '${unfinished}' (FORMAT parquet, COMPRESSION zstd)`,
    );
    renameSync(unfinished, join(this.#folder, `${name}.parquet`));
  }
}
