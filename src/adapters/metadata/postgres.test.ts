import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { metadataStoreContract } from "../../../test/contracts/metadata-store.contract.ts";
import { type CuttingProxy, cuttingProxy } from "../../../test/fixtures/cutting-proxy.ts";
import { findPostgres, runSql, type TestSchema, testSchema } from "../../../test/fixtures/postgres.ts";
import { OrreryError } from "../../core/errors.ts";
import { type MetadataStore, systemClock } from "../../core/ports/index.ts";
import { everyRow, fillEveryTable, readEveryTable } from "./fixtures/every-table.ts";
import { MIGRATIONS, type Migration } from "./migrations/index.ts";
import { openPostgres, type PostgresOptions } from "./postgres.ts";
import { lockKey, readPostgresUrl } from "./postgres-address.ts";
import { restoreInto } from "./restore.ts";
import { openSqlite } from "./sqlite.ts";

const { url, reason } = await findPostgres();

describe.skipIf(url === null)(`on PostgreSQL ${reason}`, () => {
  const server = url ?? "";

  metadataStoreContract("PostgreSQL", async () => {
    const schema = testSchema(server);
    const open = () => openPostgres({ url: schema.url, clock: systemClock });
    const store = await open();
    return {
      store,
      another: open,
      cleanup: async () => {
        await store.close();
        await schema.drop();
      },
    };
  });

  let schema: TestSchema;
  let folder: string;
  const opened: MetadataStore[] = [];
  beforeEach(() => {
    schema = testSchema(server);
    folder = mkdtempSync(join(tmpdir(), "orrery-postgres-"));
  });
  afterEach(async () => {
    for (const store of opened.splice(0)) await store.close();
    await schema.drop();
    rmSync(folder, { recursive: true });
  });

  const open = async (more: Partial<PostgresOptions> = {}) => {
    const store = await openPostgres({ url: schema.url, clock: systemClock, ...more });
    opened.push(store);
    return store;
  };
  const effect = (key: string) => ({ workspace: "w", project: "p", idempotency_key: key, result: "{}", at: 0 });
  const add = (store: MetadataStore, key: string) => store.db.insertInto("effects").values(effect(key)).execute();
  const keys = async (store: MetadataStore) => {
    const rows = await store.db.selectFrom("effects").select("idempotency_key").orderBy("idempotency_key").execute();
    return rows.map((row) => row.idempotency_key);
  };
  const formatOf = async () => {
    const [row] = await runSql(schema.url, "select value from meta where key = 'formatVersion'");
    return Number(row?.value);
  };

  /** A format after the current one, which adds a table; its program's older neighbour may go on. */
  const N = MIGRATIONS.length;
  const compatible: Migration = { formatVersion: N + 1, minCompatibleVersion: N, sql: "CREATE TABLE later (a INTEGER) STRICT;" };
  const breaking: Migration = { ...compatible, minCompatibleVersion: N + 1 };

  describe("formats", () => {
    test("two neighbouring versions of the program share a database during an upgrade", async () => {
      const older = await open();
      await add(older, "before");
      const newer = await open({ migrations: [...MIGRATIONS, compatible], backups: folder });
      await add(older, "of the older");
      await add(newer, "of the newer");
      const another = await open();
      expect(await keys(another)).toEqual(["before", "of the newer", "of the older"]);
      expect(await formatOf()).toBe(N + 1);
    });

    test("a newer format beyond that is refused, to who opens it and to who is at work already", async () => {
      const older = await open();
      await add(older, "before");
      const newer = await open({ migrations: [...MIGRATIONS, breaking], backups: folder });
      await expect(open()).rejects.toMatchObject({ code: "STATE_NEWER", kind: "conflict" });
      await expect(open({ readOnly: true })).rejects.toMatchObject({ code: "STATE_NEWER" });
      await expect(add(older, "too late")).rejects.toMatchObject({ code: "STATE_NEWER" });
      await expect(older.transaction(async () => 1)).rejects.toMatchObject({ code: "STATE_NEWER" });
      await expect(older.backup(join(folder, "copy"))).rejects.toMatchObject({ code: "STATE_NEWER" });
      await add(newer, "after");
      expect(await keys(newer)).toEqual(["after", "before"]);
    });

    test("a database with rows is copied before its format changes, and refused where no folder for the copy was given", async () => {
      await fillEveryTable(await open());
      await expect(open({ migrations: [...MIGRATIONS, breaking] })).rejects.toMatchObject({ code: "STATE_BACKUP_NEEDED" });
      expect(await formatOf()).toBe(N);
      await open({ migrations: [...MIGRATIONS, breaking], backups: folder });
      expect(await formatOf()).toBe(N + 1);
      const copy = await openSqlite({
        path: join(folder, `${schema.name}.format-${N}.backup`),
        clock: systemClock,
        readOnly: true,
      });
      expect(await readEveryTable(copy)).toEqual(everyRow());
      await copy.close();
    });

    test("an empty database needs no copy", async () => {
      await open();
      await open({ migrations: [...MIGRATIONS, breaking] });
      expect(await formatOf()).toBe(N + 1);
    });

    test("a migration that fails half-way leaves the old format and its rows", async () => {
      const store = await open();
      await add(store, "kept");
      const broken = { ...breaking, sql: `${breaking.sql} DELETE FROM effects; INSERT INTO no_such_table VALUES (1);` };
      await expect(open({ migrations: [...MIGRATIONS, broken], backups: folder })).rejects.toMatchObject({
        code: "STATE_MIGRATION_FAILED",
      });
      expect(await formatOf()).toBe(N);
      expect(await keys(store)).toEqual(["kept"]);
      await add(store, "working");
    });

    test("a migration whose process is killed leaves the old format, and the next start migrates", async () => {
      await add(await open(), "kept");
      const slow = { ...breaking, sql: `${breaking.sql} DELETE FROM effects; SELECT pg_sleep(60);` };
      const script = join(folder, "migrate.ts");
      writeFileSync(
        script,
        `import { openPostgres } from ${JSON.stringify(new URL("./postgres.ts", import.meta.url).href)};
         await openPostgres({ url: ${JSON.stringify(schema.url)}, backups: ${JSON.stringify(folder)}, clock: { kind: "system", now: () => 0 }, migrations: ${JSON.stringify([...MIGRATIONS, slow])} });`,
      );
      const migrating = promisify(execFile)(process.execPath, [script], { killSignal: "SIGKILL", timeout: 1_500 });
      await expect(migrating).rejects.toMatchObject({ signal: "SIGKILL" });
      expect(await formatOf()).toBe(N);
      // The server notices the dead client when its statement ends; who waits for the lock may end it.
      await runSql(
        server,
        "select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep(60)%' and pid <> pg_backend_pid()",
      );
      const store = await open({ migrations: [...MIGRATIONS, breaking], backups: folder });
      expect(await keys(store)).toEqual(["kept"]);
      expect(await formatOf()).toBe(N + 1);
    });

    test("several processes that open an empty database at once make it once", async () => {
      const stores = await Promise.all([1, 2, 3, 4].map(() => open()));
      await Promise.all(stores.map((store, index) => add(store, `${index}`)));
      for (const store of stores) expect(await keys(store)).toEqual(["0", "1", "2", "3"]);
    });

    test("a migration waits for the transaction under way and holds up the next", async () => {
      const older = await open();
      let release = () => {};
      const held = new Promise<void>((resolve) => {
        release = resolve;
      });
      const first = older.transaction(async (db) => {
        await db.insertInto("effects").values(effect("under way")).execute();
        await held;
      });
      await sleep(50);
      const migrating = open({ migrations: [...MIGRATIONS, compatible], backups: folder });
      await sleep(200);
      expect(await formatOf()).toBe(N);
      release();
      await first;
      expect(await keys(await migrating)).toEqual(["under way"]);
    });
  });

  describe("moving", () => {
    test("every row of every table moves from SQLite to PostgreSQL and back", async () => {
      const sqlite = await openSqlite({ path: join(folder, "a.db"), clock: systemClock });
      await fillEveryTable(sqlite);
      await sqlite.backup(join(folder, "a.backup"));
      await sqlite.close();
      const postgres = await open();
      await restoreInto(postgres, join(folder, "a.backup"), systemClock);
      expect(await readEveryTable(postgres)).toEqual(everyRow());
      await postgres.backup(join(folder, "b.backup"));
      const back = await openSqlite({ path: join(folder, "b.db"), clock: systemClock });
      await restoreInto(back, join(folder, "b.backup"), systemClock);
      expect(await readEveryTable(back)).toEqual(everyRow());
      await back.close();
    });

    test("a backup of an older format is brought to today's on the way, and the file stays as it was", async () => {
      const path = new URL("./fixtures/format-1.db", import.meta.url).pathname;
      const postgres = await open();
      await restoreInto(postgres, path, systemClock);
      expect(await postgres.db.selectFrom("runs").select(["id", "lifecycle"]).execute()).toEqual([
        { id: "run-1", lifecycle: "active" },
      ]);
    });

    test("a file that is damaged or no backup restores nothing", async () => {
      const path = join(folder, "letter");
      writeFileSync(path, "this is a letter to a friend, not a database ".repeat(100));
      const postgres = await open();
      await expect(restoreInto(postgres, path, systemClock)).rejects.toMatchObject({ code: "STATE_CORRUPT" });
      expect(await readEveryTable(postgres)).toMatchObject({ runs: [], effects: [] });
    });

    test("a row that cannot be stored stops a restore, which leaves nothing behind", async () => {
      const sqlite = await openSqlite({ path: join(folder, "a.db"), clock: systemClock });
      await add(sqlite, "fine");
      await sqlite.db.insertInto("users").values({ workspace: "w", name: "nul\0", created_at: 0, disabled_at: null }).execute();
      await sqlite.backup(join(folder, "a.backup"));
      await sqlite.close();
      const postgres = await open();
      await expect(restoreInto(postgres, join(folder, "a.backup"), systemClock)).rejects.toMatchObject({
        code: "STATE_VALUE_REFUSED",
      });
      expect(await keys(postgres)).toEqual([]);
    });
  });

  describe("what can be wrong with the database", () => {
    const elsewhere = (change: (address: URL) => void) => {
      const address = new URL(schema.url);
      change(address);
      return openPostgres({ url: address.href, clock: systemClock, patience: 300 });
    };

    test("a server that does not answer is unreachable once the patience ends, and no secret is shown", async () => {
      const started = performance.now();
      const attempt = openPostgres({ url: "postgres://ann:hunter2@127.0.0.1:1/ml", clock: systemClock, patience: 300 });
      const error: unknown = await attempt.catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code: "STATE_UNREACHABLE", kind: "unavailable" });
      expect(JSON.stringify([error, String(error), error instanceof Error ? String(error.cause) : ""])).not.toContain("hunter2");
      expect(performance.now() - started).toBeLessThan(5_000);
    });

    test("a database that is not there and a user who is not known are named", async () => {
      const missing = elsewhere((address) => {
        address.pathname = "/no_such_database";
      });
      await expect(missing).rejects.toMatchObject({ code: "STATE_MISSING" });
      const { host, port, database } = readPostgresUrl(server).config;
      const unknown = openPostgres({
        url: `postgres://no_such_user:hunter2@localhost/${database}?host=${host}&port=${port}`,
        clock: systemClock,
      });
      await expect(unknown).rejects.toMatchObject({
        code: "STATE_LOGIN_REFUSED",
        kind: "denied",
        message: expect.not.stringContaining("hunter2"),
      });
    });

    test("a schema with someone else's tables is not touched", async () => {
      await runSql(server, `create schema ${schema.name}; create table ${schema.name}.theirs (a int)`);
      await expect(open()).rejects.toMatchObject({ code: "STATE_CORRUPT" });
      const tables = await runSql(server, `select tablename from pg_tables where schemaname = '${schema.name}'`);
      expect(tables).toEqual([{ tablename: "theirs" }]);
    });

    test("reading what is not there says so and makes nothing", async () => {
      await expect(open({ readOnly: true })).rejects.toMatchObject({ code: "STATE_MISSING" });
      expect(await runSql(server, `select 1 from pg_namespace where nspname = '${schema.name}'`)).toEqual([]);
    });

    test("a store opened for reading sees others' commits and refuses to write", async () => {
      const owner = await open();
      const reader = await open({ readOnly: true });
      await add(owner, "a");
      expect(await keys(reader)).toEqual(["a"]);
      await expect(add(reader, "b")).rejects.toMatchObject({ code: "STATE_READ_ONLY", kind: "denied" });
      await expect(reader.transaction(async () => 1)).rejects.toMatchObject({ code: "STATE_READ_ONLY" });
      const hidden = sql`select nextval('a') from (select set_config('transaction_read_only', 'off', true)) as x`.execute(
        reader.db,
      );
      await expect(hidden).rejects.toThrow();
    });

    test("text with NUL characters and keys too long for an index are the caller's mistake, and name no value", async () => {
      const store = await open();
      await expect(add(store, "a\0b")).rejects.toMatchObject({ code: "STATE_VALUE_REFUSED", kind: "invalid" });
      const long = Array.from({ length: 20_000 }, () => String.fromCharCode(33 + Math.floor(Math.random() * 90))).join("");
      await expect(add(store, long)).rejects.toMatchObject({ code: "STATE_VALUE_REFUSED" });
      await add(store, "taken-secret");
      await expect(add(store, "taken-secret")).rejects.toMatchObject({ message: expect.not.stringContaining("taken-secret") });
    });

    test("a process that is done ends although its store and its claim are open", async () => {
      const script = join(folder, "forget.ts");
      writeFileSync(
        script,
        `import { openPostgres } from ${JSON.stringify(new URL("./postgres.ts", import.meta.url).href)};
         const store = await openPostgres({ url: ${JSON.stringify(schema.url)}, clock: { kind: "system", now: () => 0 } });
         await store.claim("flights");
         console.log((await store.db.selectFrom("meta").selectAll().execute()).length > 0);`,
      );
      const { stdout } = await promisify(execFile)(process.execPath, [script], { timeout: 10_000 });
      expect(stdout.trim()).toBe("true");
      await (await (await open()).claim("flights")).release();
    });
  });

  describe("connections that break", () => {
    /** The message and not the word in "read committed". */
    const COMMIT = "commit\0";
    let proxy: CuttingProxy;
    beforeEach(async () => {
      const { config } = readPostgresUrl(server);
      const port = config.port ?? 5432;
      const host = config.host ?? "localhost";
      proxy = await cuttingProxy(host.startsWith("/") ? { path: `${host}/.s.PGSQL.${port}` } : { host, port });
    });
    afterEach(() => proxy.close());
    const throughProxy = () => {
      const address = new URL(schema.url);
      address.searchParams.set("host", "127.0.0.1");
      address.searchParams.set("port", String(proxy.port));
      return open({ url: address.href });
    };
    /** Ends this test's own connections, of the claim or all: the database may be others' too. */
    const endOwn = (which: "all" | "claims") =>
      runSql(
        schema.url,
        `select count(pg_terminate_backend(pid)) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()
        and application_name like 'orrery %:${process.pid}${which === "claims" ? " %" : "%"}'`,
      );

    test("a read is asked again", async () => {
      const store = await throughProxy();
      await add(store, "a");
      proxy.cutAt('from "effects"', "after");
      expect(await keys(store)).toEqual(["a"]);
      expect(proxy.cuts).toBe(1);
    });

    test("a transaction under way fails and leaves nothing; the next goes through", async () => {
      const store = await throughProxy();
      const work = store.transaction(async (db) => {
        await db.insertInto("effects").values(effect("first")).execute();
        proxy.cutAt("insert into", "after");
        await db.insertInto("effects").values(effect("second")).execute();
      });
      await expect(work).rejects.toMatchObject({ code: "STATE_UNREACHABLE", kind: "unavailable" });
      expect(proxy.cuts).toBe(1);
      expect(await keys(store)).toEqual([]);
      await store.transaction((db) => db.insertInto("effects").values(effect("third")).execute());
      expect(await keys(store)).toEqual(["third"]);
    });

    test("a transaction that cannot begin waits until it can", async () => {
      const store = await throughProxy();
      await add(store, "a");
      for (const when of ["before", "after"] as const) {
        proxy.cutAt("begin isolation level", when);
        await store.transaction((db) => db.insertInto("effects").values(effect(when)).execute());
      }
      expect(proxy.cuts).toBe(2);
      expect(await keys(store)).toEqual(["a", "after", "before"]);
    });

    test("a commit whose answer was lost is looked up: done where it was done", async () => {
      const store = await throughProxy();
      proxy.cutAt(COMMIT, "after");
      await store.transaction((db) => db.insertInto("effects").values(effect("done")).execute());
      expect(proxy.cuts).toBe(1);
      expect(await keys(store)).toEqual(["done"]);
    });

    test("a commit that never reached the server is reported as not done", async () => {
      const store = await throughProxy();
      proxy.cutAt(COMMIT, "before");
      const work = store.transaction((db) => db.insertInto("effects").values(effect("lost")).execute());
      await expect(work).rejects.toMatchObject({ code: "STATE_UNREACHABLE" });
      expect(await keys(store)).toEqual([]);
    });

    test("a lone write is repeated where it was not done, and only there", async () => {
      const store = await throughProxy();
      for (const [text, when] of [
        ["insert into", "before"],
        ["insert into", "after"],
        [COMMIT, "before"],
        [COMMIT, "after"],
      ] as const) {
        proxy.cutAt(text, when);
        await add(store, `${text === COMMIT ? "commit" : text} ${when}`);
      }
      expect(proxy.cuts).toBe(4);
      expect(await keys(store)).toHaveLength(4);
    });

    test("idle connections that the server ends are replaced", async () => {
      const store = await open();
      await add(store, "a");
      await keys(store);
      await endOwn("all");
      await add(store, "b");
      expect(await keys(store)).toEqual(["a", "b"]);
    });

    const codeOfClaim = async (store: MetadataStore) => {
      try {
        await (await store.claim("flights")).release();
        return "free";
      } catch (error) {
        return error instanceof OrreryError ? error.code : "";
      }
    };

    test("a claim whose connection broke is taken again", async () => {
      const store = await open();
      const other = await open();
      const claim = await store.claim("flights");
      const holder = async () => {
        const held = `locktype = 'advisory' and granted and ((classid::bigint << 32) | objid::bigint) = ${lockKey("claim", schema.name, "flights")}`;
        const [row] = await runSql(schema.url, `select pid from pg_locks where ${held}`);
        return Number(row?.pid ?? 0);
      };
      const before = await holder();
      expect(before).toBeGreaterThan(0);
      await endOwn("claims");
      // Asking by a claim of its own would take it away in between.
      await expect.poll(async () => ![0, before].includes(await holder()), { timeout: 20_000 }).toBe(true);
      expect(await codeOfClaim(other)).toBe("STATE_CLAIMED");
      expect(claim.lost.aborted).toBe(false);
      await claim.release();
      expect(await codeOfClaim(other)).toBe("free");
    });

    test("a claim that another took while its connection was broken tells that it is lost", async () => {
      const store = await open();
      const claim = await store.claim("flights");
      // Stands in the queue for the lock, and so gets it before the claim can be taken again.
      const waiting = runSql(schema.url, `select pg_advisory_lock(${lockKey("claim", schema.name, "flights")}), pg_sleep(2)`);
      await sleep(200);
      await endOwn("claims");
      await expect.poll(() => claim.lost.aborted, { timeout: 5_000, interval: 20 }).toBe(true);
      expect(claim.lost.reason).toMatchObject({ code: "STATE_CLAIMED" });
      await waiting;
      await claim.release();
    });
  });

  test("backups read one moment in bounded pages and leave no partial file", async () => {
    const store = await open();
    await store.insertMany(
      store.db,
      "effects",
      Array.from({ length: 5_001 }, (_, index) => effect(`${index}`)),
    );
    await store.backup(join(folder, "copy"));
    const copy = await openSqlite({ path: join(folder, "copy"), clock: systemClock, readOnly: true });
    expect((await keys(copy)).length).toBe(5_001);
    await copy.close();
    expect(existsSync(join(folder, "copy.partial"))).toBe(false);
    await expect(store.backup(join(folder, "no", "such", "folder"))).rejects.toMatchObject({ code: "STATE_READ_ONLY" });
  });
});
