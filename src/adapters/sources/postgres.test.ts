import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { at, type DataRoom, NOW, openDataRoom } from "../../../test/fixtures/data-room.ts";
import { liveHeap } from "../../../test/fixtures/live-heap.ts";
import { findPostgres, runSql, type TestSchema, testSchema } from "../../../test/fixtures/postgres.ts";
import { ingest, type Snapshot } from "../../core/data/index.ts";
import {
  bool,
  float64,
  int32,
  int64,
  type SourceDefinition,
  secret,
  source,
  string,
  timestamp,
} from "../../core/definitions/index.ts";
import { readPostgresUrl } from "../metadata/postgres-address.ts";
import { openSourceInputs } from "./open-inputs.ts";
import { PostgresQueryReader } from "./postgres.ts";

const { url: database, reason } = await findPostgres();
const ADDRESS = "ORRERY_TEST_SOURCE_ADDRESS";
const address = secret.env(ADDRESS);

describe.skipIf(database === null)(`a PostgreSQL query as a source ${reason}`.trimEnd(), () => {
  const url = database ?? "";
  let schema: TestSchema;
  let room: DataRoom;
  const sql = (text: string) => runSql(schema.url, text);
  const take = (of: SourceDefinition, previous?: Snapshot, asOf = NOW) =>
    ingest({ engine: room.engine, artifacts: room.artifacts, tmpDirectory: room.tmpDirectory, inputs: openSourceInputs() }, of, {
      projectDirectory: room.directory,
      asOf,
      createdAt: NOW,
      ...(previous === undefined ? {} : { previous }),
    });

  beforeAll(async () => {
    schema = testSchema(url);
    await runSql(url, `create schema ${schema.name}`);
  });
  afterAll(() => schema.drop());
  beforeEach(async () => {
    room = await openDataRoom();
    process.env[ADDRESS] = schema.url;
  });
  afterEach(async () => {
    room.close();
    delete process.env[ADDRESS];
    await sql("drop table if exists orders");
  });

  test("notes the query's columns that are not declared, also where the rows are the same as before", async () => {
    const of = (query: string) => source.postgres("noted", { url: address, query, columns: { id: int32() } });
    const plain = await take(of("select 1 as id"));
    expect(plain.report.schema).toBeUndefined();
    const noted = await take(of("select 1 as id, now() as since, 'x' as \"Größe\""), plain);
    expect(noted.parts[0]?.sha256).toBe(plain.parts[0]?.sha256);
    expect(noted.report.schema).toEqual({
      undeclared: [
        { column: "since", type: null },
        { column: "Größe", type: null },
      ],
      retyped: [],
    });
    expect((await take(of("select 1 as id"), noted)).report.schema).toBeUndefined();
  });

  test("gives every type its value: all digits, all characters, all moments", async () => {
    const types = source.postgres("types", {
      url: address,
      query: `
        select 1 as id, 9223372036854775807::int8 as big, 12345.678901234567890::numeric as exact, '0.1'::float8 as x, true as yes,
               timestamptz '2023-03-26 03:30:00.123456+02' as instant, timestamp '2023-03-26 02:30:00' as naive, date '2023-01-02' as day,
               E'é😀"\\n,\\t''' as text, '{"a": [1]}'::jsonb as json, 'NA' as na
        union all
        select 2, -9223372036854775808, 'NaN', 'NaN', false, 'infinity', null, null, '', null, null
        union all
        select 3, null, 1e20, 'Infinity', null, null, null, null, null, null, null -- a comment at its end`,
      columns: {
        id: int32(),
        big: int64().nullable(),
        exact: float64().nullable(),
        x: float64().nullable(),
        yes: bool().nullable(),
        instant: timestamp().nullable().onViolation("warn"),
        naive: timestamp().nullable(),
        day: timestamp().nullable(),
        text: string().nullable(),
        json: string().nullable(),
        na: string().nullable(),
      },
    });
    const snapshot = await take(types);
    const none = { instant: null, naive: null, day: null, json: null, na: null };
    expect(await room.read(snapshot, types, {}, "ORDER BY id")).toEqual([
      {
        id: 1,
        big: 9223372036854775807n,
        exact: 12345.678901234567,
        x: 0.1,
        yes: true,
        instant: at("2023-03-26T01:30:00.123456Z"),
        naive: at("2023-03-26T02:30:00Z"),
        day: at("2023-01-02T00:00:00Z"),
        text: `é😀"\n,\t'`,
        json: '{"a": [1]}',
        na: "NA",
      },
      { ...none, id: 2, big: -9223372036854775808n, exact: null, x: null, yes: false, text: "" },
      { ...none, id: 3, big: null, exact: 1e20, x: Number.POSITIVE_INFINITY, yes: null, text: null },
    ]);
    expect(snapshot.report.violations).toEqual([
      { column: "instant", rule: "type", severity: "warn", rows: 1, samples: ["infinity"] },
    ]);
  });

  const orders = (query = "select * from orders", overlap?: "10m") =>
    source.postgres("orders", {
      url: address,
      query,
      key: ["id"],
      availableTime: "changed_at",
      columns: { id: int64(), state: string().in(["new", "paid", "sent"]), amount: float64() },
      watermark: overlap === undefined ? "changed_at" : { column: "changed_at", overlap },
    });
  const table = "create table orders (id bigint, state text, amount numeric(12,2), changed_at timestamptz)";

  test("is asked again from its watermark on, and a repeated increment adds nothing", async () => {
    await sql(
      `${table}; insert into orders values (1, 'new', 9.99, '2023-05-01 10:00:00.000001+00'), (2, 'new', 5, '2023-05-01 10:00:00.000002+00')`,
    );
    const definition = orders("select * from orders;");
    const first = await take(definition);
    expect(first).toMatchObject({ rows: 2, disjoint: true });
    expect((await take(definition, first)).parts).toEqual(first.parts);
    // One with the very watermark where the last increment ended, one a microsecond later, one change of a known row.
    await sql(`insert into orders values (3, 'new', 1, '2023-05-01 10:00:00.000002+00'), (4, 'new', 1, '2023-05-01 10:00:00.000003+00');
      update orders set state = 'paid', changed_at = '2023-05-02 00:00:00+00' where id = 1`);
    const second = await take(definition, first);
    expect(second).toMatchObject({ rows: 4, disjoint: false, parent: first.id });
    expect(second.parts[1]).toMatchObject({ rows: 3, quarantined: 0 });
    expect(await room.read(second, definition, { columns: ["id", "state"] }, "ORDER BY id")).toEqual([
      { id: 1, state: "paid" },
      { id: 2, state: "new" },
      { id: 3, state: "new" },
      { id: 4, state: "new" },
    ]);
    const before = at("2023-05-01T12:00:00Z");
    expect(await room.read(second, definition, { columns: ["id", "state"], asOf: before }, "WHERE id = 1")).toEqual([
      { id: 1, state: "new" },
    ]);
    expect((await take(definition, second)).parts).toEqual(second.parts);
  });

  test("finds a transaction that committed late, as far back as the overlap goes", async () => {
    await sql(`${table}; insert into orders values (1, 'new', 1, '2023-05-01 10:00:00+00')`);
    const definition = orders(undefined, "10m");
    const first = await take(definition);
    await sql("insert into orders values (2, 'new', 1, '2023-05-01 09:55:00+00'), (3, 'new', 1, '2023-05-01 09:45:00+00')");
    const second = await take(definition, first);
    expect(second.parts.map(({ rows }) => rows)).toEqual([1, 1]);
  });

  test("goes on by numbers and by texts too, whatever the database's language", async () => {
    await sql(
      "create table orders (id bigint, name text); insert into orders values (9007199254740992, 'Z'), (9007199254740993, 'a')",
    );
    const columns = { id: int64(), name: string() };
    const query = "select * from orders";
    for (const watermark of ["id", "name"] as const) {
      const definition = source.postgres("orders", { url: address, query, key: ["id"], columns, watermark });
      const first = await take(definition);
      await sql("insert into orders values (9007199254740994, 'é')");
      const second = await take(definition, first);
      expect(second.parts.map(({ rows }) => rows)).toEqual([2, 1]);
      await sql("delete from orders where name = 'é'");
    }
  });

  test("without a watermark is read whole, and its unchanged rows are the same parts", async () => {
    await sql(`${table}; insert into orders select n, 'new', n, '2023-01-01' from generate_series(1, 1000) n`);
    const { watermark: _, ...whole } = orders();
    const first = await take(whole);
    await sql(
      "create table shuffled as select * from orders order by random(); drop table orders; alter table shuffled rename to orders",
    );
    const second = await take(whole, first);
    expect(second.parts).toEqual(first.parts);
    await sql("delete from orders where id > 10");
    expect(await take(whole, second)).toMatchObject({ rows: 10 });
  });

  test("sees one moment of the database, however long it takes", async () => {
    await sql(`${table}; insert into orders select n, 'new', n, '2023-01-01' from generate_series(1, 30000) n`);
    const reader = new PostgresQueryReader();
    let rows = 0;
    for await (const batch of reader.read({ url: schema.url, query: "select * from orders", order: ["id"] })) {
      if (rows === 0) await sql("update orders set state = 'sent'; insert into orders values (0, 'new', 0, '2023-01-01')");
      rows += batch.rows.length;
      expect(batch.rows.every(([, state]) => state === "new")).toBe(true);
    }
    expect(rows).toBeGreaterThanOrEqual(30_000);
  });

  test("of a million rows is read in constant memory", async () => {
    const held: number[] = [];
    const timer = setInterval(() => held.push(liveHeap()), 250);
    const query = "select n as id, repeat('x', 200) || n % 1000 as text from generate_series(1, 1000000) n";
    const many = source.postgres("many", { url: address, query, columns: { id: int32(), text: string() } });
    const snapshot = await take(many);
    clearInterval(timer);
    expect(snapshot).toMatchObject({ rows: 1_000_000 });
    // The rows alone are 200 MB of text.
    expect(Math.max(...held) - Math.min(...held)).toBeLessThan(60e6);
  }, 120_000);

  test("takes rows of megabytes one by one", async () => {
    const query = "select n as id, repeat('x', 8000000) as text from generate_series(1, 20) n";
    const reader = new PostgresQueryReader();
    const sizes: number[] = [];
    for await (const { rows } of reader.read({ url: schema.url, query: `${query} limit 5`, order: ["id"] }))
      sizes.push(rows.length);
    expect(sizes).toEqual([0, 5]);
  });

  test.each([
    ["writes", "insert into orders values (1) returning *", "SOURCE_QUERY_FAILED", /syntax error/],
    ["calls what writes", "select nextval('numbers') as id", "SOURCE_QUERY_FAILED", /read-only/],
    ["is two", "select 1 as id; drop table orders", "SOURCE_QUERY_FAILED", /syntax error/],
    [
      "ends its parentheses",
      "select 1 as id) as a; drop table orders; --",
      "SOURCE_QUERY_FAILED",
      /multiple commands|syntax error/,
    ],
    ["names what is not there", "select * from nothing", "SOURCE_QUERY_FAILED", /"nothing" does not exist/],
    [
      "fails on the way",
      "select 1 / (n - 5000) as id from generate_series(1, 9000) n",
      "SOURCE_QUERY_FAILED",
      /division by zero/,
    ],
    ["lacks a column", "select 1 as idd", "DATA_COLUMN_MISSING", /did you mean "idd"/],
    ["has a column twice", "select 1 as id, 2 as id", "DATA_QUERY_INVALID", /two columns "id"/],
    ["has no rows", "select 1 as id where false", "DATA_EMPTY", /has no rows/],
  ])("that %s is an error and leaves nothing behind", async (_, query, code, message) => {
    await sql(`${table}; create sequence if not exists numbers`);
    const definition = source.postgres("bad", { url: address, query, key: ["id"], columns: { id: int32() } });
    await expect(take(definition)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    expect(room.leftovers()).toEqual([]);
    expect(await sql("select count(*)::int as n from orders")).toEqual([{ n: 0 }]);
  });

  test("whose connection is cut on the way takes nothing in", async () => {
    await sql(`${table}; insert into orders select n, 'new', n, '2023-01-01' from generate_series(1, 30000) n`);
    const reader = new PostgresQueryReader();
    const cut = async () => {
      for await (const { rows } of reader.read({
        url: schema.url,
        query: "select *, pg_backend_pid() as pid from orders",
        order: [],
      }))
        if (rows[0] !== undefined) await runSql(url, `select pg_terminate_backend(${rows[0].at(-1)})`);
    };
    await expect(cut()).rejects.toMatchObject({ code: "SOURCE_UNREACHABLE", kind: "unavailable" });
  });

  test("ends its session when whoever reads stops", async () => {
    const name = `reader ${process.pid}`;
    const own = new URL(schema.url);
    own.searchParams.set("application_name", name);
    for await (const { rows } of new PostgresQueryReader().read({
      url: own.href,
      query: "select generate_series(1, 50000) as n",
      order: [],
    }))
      if (rows.length > 0) break;
    expect(await sql(`select count(*)::int as n from pg_stat_activity where application_name = '${name}'`)).toEqual([{ n: 0 }]);
  });

  test("never shows the password: not where the address is wrong, nobody answers or nobody lets in, and not in a snapshot", async () => {
    const PASSWORD = "s3cret-and-long";
    const shown: string[] = [];
    const telling = async (value: string | undefined) => {
      if (value === undefined) delete process.env[ADDRESS];
      else process.env[ADDRESS] = value;
      const error: unknown = await take(orders()).catch((thrown) => thrown);
      const text = (each: unknown): string =>
        each instanceof Error ? `${each.message} ${JSON.stringify(each)} ${each.stack} ${text(each.cause)}` : String(each);
      shown.push(text(error));
      return error;
    };
    expect(await telling(undefined)).toMatchObject({ code: "SECRET_MISSING" });
    expect(await telling(`postgres://me:${PASSWORD}@host:port/db`)).toMatchObject({ code: "SOURCE_ADDRESS_INVALID" });
    expect(await telling(`mysql://me:${PASSWORD}@host/db`)).toMatchObject({ code: "SOURCE_ADDRESS_INVALID" });
    expect(await telling(`postgres://me:${PASSWORD}@127.0.0.1:1/db`)).toMatchObject({ code: "SOURCE_UNREACHABLE" });
    const own = readPostgresUrl(schema.url).config;
    /** The tests' database, by whatever way it is reached. */
    const as = (user: string) => {
      const at = new URL(schema.url);
      if (at.hostname === "") at.searchParams.set("host", String(own.host));
      return `postgres://${user}:${PASSWORD}@${at.host || "localhost"}${at.pathname}${at.search}`;
    };
    expect(await telling(as("nobody_by_this_name"))).toMatchObject({ code: "SOURCE_DENIED", kind: "denied" });
    expect(shown.join("\n")).not.toContain(PASSWORD);

    await sql(`${table}; insert into orders values (1, 'new', 1, '2023-05-01')`);
    process.env[ADDRESS] = as(String(own.user));
    const snapshot = await take(orders());
    expect(JSON.stringify(snapshot)).not.toMatch(new RegExp(`${PASSWORD}|postgres:`));
  });
});
