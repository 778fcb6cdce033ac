import { execFileSync } from "node:child_process";
import { chownSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type PostgresCluster, postgresBinaries, startCluster } from "../../../test/fixtures/postgres-cluster.ts";
import { systemClock } from "../../core/ports/index.ts";
import { openPostgres } from "./postgres.ts";

const cluster = postgresBinaries();
const openssl = (() => {
  try {
    execFileSync("openssl", ["version"], { stdio: "ignore" });
    return true;
  } catch {
    console.warn("SKIPPED: openssl is not installed; the certificates of the TLS tests are made with it");
    return false;
  }
})();

describe.skipIf(cluster.bin === null || !openssl)(`TLS to PostgreSQL ${cluster.reason}`, () => {
  let folder: string;
  let server: PostgresCluster;
  const certificate = (name: string, host: string) =>
    execFileSync(
      "openssl",
      [
        ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"],
        ...["-subj", `/CN=${host}`, "-addext", `subjectAltName=DNS:${host}`],
        ...["-keyout", join(folder, `${name}.key`), "-out", join(folder, `${name}.pem`)],
      ],
      { stdio: "ignore" },
    );

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "orrery-tls-"));
    certificate("server", "localhost");
    certificate("other", "elsewhere.example");
    server = await startCluster(cluster.bin ?? "");
    const { uid, gid } = statSync(server.data);
    chownSync(folder, uid, gid);
    for (const file of ["server.key", "server.pem"]) chownSync(join(folder, file), uid, gid);
    await server.configure([
      "ssl = on",
      `ssl_cert_file = '${join(folder, "server.pem")}'`,
      `ssl_key_file = '${join(folder, "server.key")}'`,
    ]);
  }, 60_000);
  afterAll(async () => {
    await server?.remove();
    rmSync(folder, { recursive: true });
  });

  const encrypted = async (host: string, query: string) => {
    const url = `postgres://postgres@${host}:${server.port}/postgres?schema=tls&${query}`;
    const store = await openPostgres({ url, clock: systemClock, patience: 1_000 });
    try {
      const { rows } = await sql<{ ssl: number }>`select ssl from pg_stat_ssl where pid = pg_backend_pid()`.execute(store.db);
      return rows[0]?.ssl;
    } finally {
      await store.close();
    }
  };
  const root = (name: string) => `sslrootcert=${join(folder, `${name}.pem`)}`;

  test("encrypts where it is asked to and not otherwise", async () => {
    expect(await encrypted("localhost", "sslmode=require")).toBe(1);
    expect(await encrypted("localhost", `sslmode=verify-full&${root("server")}`)).toBe(1);
    expect(await encrypted("localhost", "sslmode=disable")).toBe(0);
  });

  test("refuses a certificate of nobody it trusts, and one of another name where names are checked", async () => {
    const refused = { code: "STATE_UNREACHABLE", kind: "unavailable" };
    await expect(encrypted("localhost", "sslmode=verify-full")).rejects.toMatchObject(refused);
    await expect(encrypted("localhost", `sslmode=verify-ca&${root("other")}`)).rejects.toMatchObject(refused);
    await expect(encrypted("127.0.0.1", `sslmode=verify-full&${root("server")}`)).rejects.toMatchObject(refused);
    expect(await encrypted("127.0.0.1", `sslmode=verify-ca&${root("server")}`)).toBe(1);
  });
});
