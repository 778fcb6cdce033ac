import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readPostgresUrl } from "./postgres-address.ts";
import { translated } from "./postgres-format.ts";

describe("a database's address", () => {
  test("has user, password, host, port and database, each with % where it needs one", () => {
    const { config, schema, shown } = readPostgresUrl("postgres://an%40n:p%2Fw%3A@db.example:6543/ml%20ops?schema=flights");
    expect(config).toMatchObject({
      user: "an@n",
      password: "p/w:",
      host: "db.example",
      port: 6543,
      database: "ml ops",
      ssl: false,
    });
    expect(schema).toBe("flights");
    expect(shown).toBe("db.example:6543/ml ops, schema flights");
  });

  test("may be a socket's folder", () => {
    for (const url of ["postgres:///test?host=/var/run/postgresql", "postgresql://%2Fvar%2Frun%2Fpostgresql/test"])
      expect(readPostgresUrl(url).config).toMatchObject({ host: "/var/run/postgresql", port: 5432, database: "test" });
  });

  test("keeps what it was told of the schema by the program rather than by the URL", () => {
    expect(readPostgresUrl("postgres://h/d?schema=a", "b")).toMatchObject({ schema: "b" });
    expect(readPostgresUrl("postgres://h/d").schema).toBe("orrery");
  });

  test.each([
    ["mysql://zed:secret@h/d", "not a postgres:// address"],
    ["zed:secret@h", "not a postgres:// address"],
    ["", "not a postgres:// address"],
    ["postgres://zed:secret@h/d?sslmod=require", '"sslmod" is not one of its parameters'],
    ["postgres://zed:secret@h/d?sslmode=prefer", "sslmode"],
    ["postgres://zed:secret@h/d?sslmode=verify-full&sslrootcert=/secret-no-such-file", "cannot be read"],
    ["postgres://zed:secret@h/d?sslrootcert=/etc/hostname", "no sslmode that uses them"],
    ["postgres://zed:secret@h/d?port=99999", "port"],
    ["postgres://zed:secret@h/d?schema=Robert');DROP", "schema"],
    ["postgres://zed:secret@h/d?schema=pg_catalog", "schema"],
    ["postgres://zed:sec%ret@h/d", "% that encodes nothing"],
  ])("is refused without showing its password: %s", (url, why) => {
    const read = () => readPostgresUrl(url);
    expect(read).toThrow(expect.objectContaining({ code: "STATE_ADDRESS_INVALID", kind: "invalid" }));
    expect(read).toThrow(why);
    expect(read).not.toThrow(/zed|secret@|sec%/);
  });
});

describe("TLS by address", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "orrery-tls-"));
    writeFileSync(join(folder, "root.pem"), "root");
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const ssl = (query: string) => readPostgresUrl(`postgres://h/d?${query}`).config.ssl;

  test("checks nothing, the certificate, or also the name, as libpq's sslmode says", () => {
    const root = `sslrootcert=${join(folder, "root.pem")}`;
    expect(ssl("")).toBe(false);
    expect(ssl("sslmode=disable")).toBe(false);
    expect(ssl("sslmode=require")).toEqual({ rejectUnauthorized: false });
    expect(ssl(`sslmode=require&${root}`)).toEqual({ ca: Buffer.from("root"), checkServerIdentity: expect.any(Function) });
    expect(ssl(`sslmode=verify-ca&${root}`)).toEqual({ ca: Buffer.from("root"), checkServerIdentity: expect.any(Function) });
    expect(ssl(`sslmode=verify-full&${root}`)).toEqual({ ca: Buffer.from("root") });
    expect(ssl("sslmode=verify-full")).toEqual({});
  });
});

describe("SQLite's statements for PostgreSQL", () => {
  test("get types of the same width and lose their tables' options, outside of quotes only", () => {
    expect(
      translated(
        `CREATE TABLE "INTEGER" (a INTEGER, b REAL, c TEXT CHECK (c IN ('TEXT', 'it''s ) STRICT;'))) STRICT, WITHOUT ROWID;\nCREATE TABLE t (d TEXT)\n STRICT;`,
      ),
    ).toBe(
      `CREATE TABLE "INTEGER" (a BIGINT, b DOUBLE PRECISION, c TEXT COLLATE "C" CHECK (c IN ('TEXT', 'it''s ) STRICT;')));\nCREATE TABLE t (d TEXT COLLATE "C");`,
    );
  });
});
