import type { DuckDBConnection } from "@duckdb/node-api";

/** One question to the endpoint: is this flight going to be late? */
export interface FlightRequest {
  /** When it is asked: two hours before the scheduled departure (ISO 8601). */
  readonly at: string;
  readonly body: string;
}

const COLUMNS = [
  "flight_id",
  "carrier",
  "tailnum",
  "origin",
  "dest",
  "distance",
  "departure_hour",
  "weekday",
  "scheduled_minutes",
] as const;

/** Every flight that is asked about between two times, cancelled and diverted ones too, in the order of asking. */
export async function readFlightRequests(
  connection: DuckDBConnection,
  flights: string,
  from: string,
  to: string,
): Promise<FlightRequest[]> {
  const reader = await connection.runAndReadAll(
    `SELECT strftime(scheduled_departure - INTERVAL 2 HOUR, '%Y-%m-%dT%H:%M:%SZ') AS "at", strftime(scheduled_departure, '%Y-%m-%dT%H:%M:%SZ') AS scheduled_departure, ${COLUMNS.join(", ")}
     FROM read_parquet('${flights}')
     WHERE scheduled_departure - INTERVAL 2 HOUR >= TIMESTAMP '${from}' AND scheduled_departure - INTERVAL 2 HOUR < TIMESTAMP '${to}'
     ORDER BY "at", flight_id`,
  );
  return reader.getRowObjectsJson().map(({ at, flight_id, ...fields }) => ({
    at: String(at),
    body: JSON.stringify({ instances: [{ ...fields, reference: flight_id }] }),
  }));
}
