import type { Client } from "pg";
import { OrreryError } from "../../core/errors.ts";
import type { QueryReader, QueryRows, SourceQuery } from "../../core/ports/index.ts";
import { formatTimestamp } from "../../core/time.ts";
import { readPostgresUrl } from "../metadata/postgres-address.ts";
import { isConnectionLost } from "../metadata/postgres-errors.ts";
import { sourceErrors } from "./errors.ts";

/** What one fetch may hold, about; a wide row counts for many. */
const FETCH_BYTES = 4 * 1024 * 1024;
const MOST_ROWS = 20_000;
const CONNECT_MS = 10_000;

/**
 * Queries on PostgreSQL. All rows come from one read-only transaction that sees the database as of its first moment, through a
 * cursor: the whole result never lies in memory, here or there.
 */
export class PostgresQueryReader implements QueryReader {
  /**
   * @throws SOURCE_ADDRESS_INVALID, SOURCE_CLIENT_MISSING, SOURCE_DENIED, SOURCE_UNREACHABLE, SOURCE_QUERY_FAILED; none of them
   *   holds the address or a value
   */
  async *read(query: SourceQuery): AsyncGenerator<QueryRows> {
    const { client, shown } = await connect(query.url);
    try {
      yield* fetchAll(client, query);
    } catch (error) {
      throw queryError(error, shown);
    } finally {
      // Ends the transaction too, wherever the reader stopped.
      await client.end().catch(() => undefined);
    }
  }
}

async function connect(url: string): Promise<{ client: Client; shown: string }> {
  const { config, shown } = addressOf(url);
  const { default: pg } = await import("pg").catch((cause) => {
    throw sourceErrors.SOURCE_CLIENT_MISSING("The PostgreSQL client is not installed", { cause });
  });
  // Values stay the text that the database sends: a parser would round them.
  const client = new pg.Client({ ...config, connectionTimeoutMillis: CONNECT_MS, types: { getTypeParser: () => String } });
  // An idle connection that breaks is told by the next query.
  client.on("error", () => undefined);
  try {
    await client.connect();
  } catch (error) {
    await client.end().catch(() => undefined);
    throw queryError(error, shown);
  }
  return { client, shown };
}

/** Another application's database: nothing of what Orrery sets for its own. */
function addressOf(url: string) {
  try {
    const { config, schema, shown } = readPostgresUrl(url);
    const hasSchema = new URL(url).searchParams.has("schema");
    const { options: _, ...rest } = config;
    return {
      config: hasSchema ? { ...rest, options: `-c search_path=${schema}` } : rest,
      shown: hasSchema ? shown : shown.replace(/, schema .*$/, ""),
    };
  } catch (error) {
    // The message says what is wrong with the address without saying the address.
    throw sourceErrors.SOURCE_ADDRESS_INVALID(
      error instanceof OrreryError ? error.message : "The database's address cannot be used",
    );
  }
}

async function* fetchAll(client: Client, query: SourceQuery): AsyncGenerator<QueryRows> {
  await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  // Taking a batch in may take longer than a server lets a transaction wait; the whole result is wanted, not its first rows.
  for (const setting of [
    "idle_in_transaction_session_timeout = 0",
    "cursor_tuple_fraction = 1",
    "timezone = 'UTC'",
    "datestyle = 'ISO'",
    "extra_float_digits = 1",
  ])
    await client.query(`SET LOCAL ${setting}`);
  // The columns first, by themselves: whoever reads may miss one that the order needs.
  const { fields } = await client.query({ text: `${subquery(query.query)} LIMIT 0`, rowMode: "array" });
  yield { columns: fields.map(({ name }) => name), rows: [] };
  const { text, values } = statement(query);
  await client.query(`DECLARE source_rows NO SCROLL CURSOR FOR ${text}`, values);
  let count = 1000;
  for (;;) {
    const { fields, rows } = await client.query<(string | null)[]>({
      text: `FETCH FORWARD ${count} FROM source_rows`,
      rowMode: "array",
    });
    if (rows.length > 0) yield { columns: fields.map(({ name }) => name), rows };
    if (rows.length < count) return;
    const characters = rows.reduce((sum, row) => sum + row.reduce((wide, value) => wide + (value?.length ?? 0) + 8, 0), 0);
    count = Math.max(1, Math.min(MOST_ROWS, Math.floor((FETCH_BYTES * rows.length) / characters)));
  }
}

const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;

/** The query as a subquery, which is one SELECT or nothing; on lines of its own, so that a comment at its end stays one. */
const subquery = (query: string) => `SELECT * FROM (\n${query.replace(/;\s*$/, "")}\n) AS source`;

function statement({ query, watermark, order }: SourceQuery): { text: string; values: string[] } {
  const rows = subquery(query);
  const columns = [...new Set([...(watermark === undefined ? [] : [watermark.column]), ...order])].map(quoted);
  const ordered = columns.length === 0 ? "" : ` ORDER BY ${columns.join(", ")}`;
  const start = watermark?.start ?? null;
  if (watermark === undefined || start === null) return { text: `${rows}${ordered}`, values: [] };
  const column = quoted(watermark.column);
  const { condition, value } = {
    timestamp: () => ({ condition: `${column} >= $1::timestamptz`, value: formatTimestamp(Number(start.value)) }),
    int32: () => ({ condition: `${column} >= $1::int8`, value: start.value }),
    int64: () => ({ condition: `${column} >= $1::int8`, value: start.value }),
    float64: () => ({ condition: `${column} >= $1::float8`, value: start.value }),
    // Bytes, as the watermark was found: a language's order would leave rows out.
    string: () => ({ condition: `${column}::text COLLATE "C" >= $1::text`, value: start.value }),
    bool: () => ({ condition: `${column} >= $1::bool`, value: start.value }),
  }[start.type]();
  return { text: `${rows} WHERE ${condition}${ordered}`, values: [value] };
}

function queryError(error: unknown, shown: string): unknown {
  if (error instanceof OrreryError || !(error instanceof Error)) return error;
  const state = "code" in error && typeof error.code === "string" ? error.code : "";
  if (/^(28|42501)/.test(state)) return sourceErrors.SOURCE_DENIED(`The database ${shown} refuses: ${firstLine(error)}`);
  if (state === "3D000") return sourceErrors.SOURCE_QUERY_FAILED(`There is no database ${shown}`);
  if (isConnectionLost(error) || /^(08|53|57|58|40)/.test(state) || /timeout/i.test(error.message))
    return sourceErrors.SOURCE_UNREACHABLE(`The database ${shown} cannot be read: ${firstLine(error)}`);
  if (/^[0-9A-Z]{5}$/.test(state)) return sourceErrors.SOURCE_QUERY_FAILED(`The database ${shown} says: ${firstLine(error)}`);
  return sourceErrors.SOURCE_UNREACHABLE(`The database ${shown} cannot be reached: ${firstLine(error) || state}`);
}

/** An error's other lines may show rows. */
const firstLine = ({ message }: Error): string => message.split("\n", 1)[0] ?? "";
