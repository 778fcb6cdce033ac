import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { type DataRoom, openDataRoom } from "../../../test/fixtures/data-room.ts";
import { findPostgres, runSql, testSchema } from "../../../test/fixtures/postgres.ts";
import { startS3Server } from "../../../test/fixtures/s3-server.ts";
import { suggestFiles, suggestQuery } from "../../core/data/index.ts";
import { parseS3Address } from "../artifacts/s3-address.ts";
import { connectS3 } from "../artifacts/s3-client.ts";
import { HttpFiles } from "./http.ts";
import { openSourceInputs } from "./open-inputs.ts";
import { PostgresQueryReader } from "./postgres.ts";
import { S3Files } from "./s3.ts";

process.env.AWS_ACCESS_KEY_ID = "test";
process.env.AWS_SECRET_ACCESS_KEY = "test";

const { url: database, reason } = await findPostgres();
const s3 = await startS3Server();
afterAll(() => s3?.stop());

let room: DataRoom;
beforeEach(async () => {
  room = await openDataRoom();
});
afterEach(() => room.close());

const http = new HttpFiles({ waits: [1] });
const inputs = { ...openSourceInputs(), files: { s3: new S3Files({ waits: [1] }), http, https: http } };
const files = (path: string) =>
  suggestFiles(room.engine, path, { projectDirectory: room.directory, tmpDirectory: room.tmpDirectory, inputs });

describe.skipIf(database === null)(`a suggestion for a query ${reason}`.trimEnd(), () => {
  const schema = testSchema(database ?? "");
  afterAll(() => schema.drop());
  const suggest = (query: string, url = schema.url) =>
    suggestQuery(
      room.engine,
      { url, query, variable: "SHOP_DATABASE" },
      { reader: new PostgresQueryReader(), tmpDirectory: room.tmpDirectory },
    );

  test("has the types that its rows can be read as, and never the address", async () => {
    await runSql(database ?? "", `create schema ${schema.name}`);
    await runSql(
      schema.url,
      `create table orders as select i as id, i + 9007199254740993 as big, i % 2 = 0 as paid, i / 4.0 as price,
         timestamptz '2026-01-01 00:00:00+00' + i * interval '1 hour' as ordered_at, case when i > 5 then 'x' || i end as note
       from generate_series(1, 50) i`,
    );
    const { name, text, suggested } = await suggest("SELECT * FROM orders;");
    expect(name).toBe("orders");
    expect(suggested).toMatchObject({ rows: 50, isSample: false, key: ["id"], eventTime: "ordered_at" });
    expect(suggested.columns.map(({ name: column, contract }) => `${column} ${contract.type}`)).toEqual([
      "id int32",
      "big int64",
      "paid bool",
      "price float64",
      "ordered_at timestamp",
      "note string",
    ]);
    expect(text).toContain('import { bool, float64, int32, int64, secret, source, string, timestamp } from "orrery";');
    expect(text).toContain('source.postgres("orders", {\n  url: secret.env("SHOP_DATABASE"),\n  query: "SELECT * FROM orders;",');
    expect(text).not.toContain(schema.name);
    expect(room.leftovers()).toEqual([]);
  });

  test("is refused where it finds no rows, has a column twice, is none, or its database does not answer or lets nobody in", async () => {
    await expect(suggest("select 1 as a where false")).rejects.toMatchObject({ code: "DATA_EMPTY" });
    await expect(suggest("select 1 as a, 2 as a")).rejects.toMatchObject({ code: "DATA_QUERY_INVALID" });
    await expect(suggest("delete from orders")).rejects.toMatchObject({ code: "SOURCE_QUERY_FAILED" });
    await expect(suggest("select 1", "postgres://127.0.0.1:1/none")).rejects.toMatchObject({ code: "SOURCE_UNREACHABLE" });
    await expect(suggest("select 1", "mysql://here/none")).rejects.toMatchObject({ code: "SOURCE_ADDRESS_INVALID" });
    expect(room.leftovers()).toEqual([]);
  });
});

describe("a suggestion for a file by HTTP", () => {
  const open = async (status: number, body: string | Buffer) => {
    const server = createServer((_, response) => response.writeHead(status).end(body)).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
  };

  test("is called as the file and keeps the address, and leaves no copy behind", async () => {
    const { origin, server } = await open(
      200,
      gzipSync(`id,amount\n${Array.from({ length: 30 }, (_, i) => `${i},${i}.5`).join("\n")}\n`),
    );
    const { name, text, suggested, files: looked } = await files(`${origin}/orders.csv.gz?v=2`);
    expect({ name, looked }).toEqual({ name: "orders", looked: 1 });
    expect(suggested).toMatchObject({ rows: 30, key: ["id"] });
    expect(text).toContain(`source.csv("orders", {\n  path: "${origin}/orders.csv.gz?v=2",`);
    expect(room.leftovers()).toEqual([]);
    server.close();
  });

  test("is refused where the file is not given, has no rows, or its name says no format", async () => {
    const denied = await open(403, "");
    await expect(files(`${denied.origin}/orders.csv`)).rejects.toMatchObject({ code: "SOURCE_DENIED" });
    denied.server.close();
    const empty = await open(200, "id,amount\n");
    await expect(files(`${empty.origin}/orders.csv`)).rejects.toMatchObject({ code: "DATA_EMPTY" });
    await expect(files(`${empty.origin}/orders`)).rejects.toMatchObject({ code: "DATA_FORMAT_UNKNOWN" });
    empty.server.close();
    await expect(files("http://127.0.0.1:1/orders.csv")).rejects.toMatchObject({ code: "SOURCE_UNREACHABLE" });
    expect(room.leftovers()).toEqual([]);
  });
});

describe.skipIf(s3 === null)("a suggestion for objects", () => {
  test("reads all below a prefix, their folders' names too, and tells how others differ", async () => {
    const bucket = await connectS3(parseS3Address(`s3://suggested?endpoint=${s3?.endpoint}`));
    await bucket.client.send(new bucket.library.CreateBucketCommand({ Bucket: bucket.bucket }));
    const put = (Key: string, Body: string) =>
      bucket.client.send(new bucket.library.PutObjectCommand({ Bucket: bucket.bucket, Key, Body }));
    await put("sales/day=2026-01-01/a.csv", "id,x\n1,1\n2,2\n");
    await put("sales/day=2026-01-02/b.csv", "id,x\n3,1\n");
    await put("sales/day=2026-01-03/c.csv", "id,y\n4,1\n");
    const found = await files(`s3://suggested/sales?endpoint=${s3?.endpoint}`);
    expect(found.suggested.columns.map(({ name, contract }) => [name, contract.type])).toEqual([
      ["id", "int32"],
      ["x", "int32"],
      ["day", "timestamp"],
    ]);
    expect(found).toMatchObject({ name: "sales", files: 2, others: [{ file: "c.csv", differs: "adds y; lacks x" }] });
    await expect(files(`s3://suggested/nothing?endpoint=${s3?.endpoint}`)).rejects.toMatchObject({ code: "SOURCE_FILE_MISSING" });
    expect(room.leftovers()).toEqual([]);
  });
});
