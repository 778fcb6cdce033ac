import { execFile } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { promisify } from "node:util";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { metadataStoreContract } from "../../../test/contracts/metadata-store.contract.ts";
import { type MetadataStore, systemClock } from "../../core/ports/index.ts";
import { MIGRATIONS, type Migration } from "./migrations/index.ts";
import { openSqlite } from "./sqlite.ts";

const open = (path: string, more: { readOnly?: boolean; migrations?: readonly Migration[] } = {}) =>
  openSqlite({ path, clock: systemClock, ...more });
const fixture = new URL("./fixtures/format-2.db", import.meta.url).pathname;
const FIXTURE_FORMAT = 2;

metadataStoreContract("SQLite", async () => {
  const directory = mkdtempSync(join(tmpdir(), "orrery-sqlite-"));
  const store = await open(join(directory, "metadata.db"));
  return {
    store,
    another: () => open(join(directory, "metadata.db")),
    cleanup: async () => {
      await store.close();
      rmSync(directory, { recursive: true });
    },
  };
});

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "orrery-sqlite-"));
  path = join(folder, "metadata.db");
});
afterEach(() => rmSync(folder, { recursive: true }));

const scope = { workspace: "w", project: "p" };

/** A format after the current one, which adds a table and changes every run's name. */
const next: Migration = {
  formatVersion: MIGRATIONS.length + 1,
  minCompatibleVersion: MIGRATIONS.length + 1,
  sql: "CREATE TABLE later (a INTEGER) STRICT; UPDATE runs SET name = name || ' later';",
};
const namesOf = async ({ db }: MetadataStore) => {
  const rows = await db.selectFrom("runs").select("name").orderBy("id").execute();
  return rows.map(({ name }) => name);
};
const formatOf = (file: string) => {
  const database = new DatabaseSync(file, { readOnly: true });
  const row = database.prepare("SELECT value FROM meta WHERE key = 'formatVersion'").get();
  database.close();
  return Number(row?.value);
};

describe("formats", () => {
  test("an older format is migrated after a copy was put beside it", async () => {
    copyFileSync(fixture, path);
    const store = await open(path, { migrations: [...MIGRATIONS, next] });
    expect(await namesOf(store)).toEqual(["naïve 🚀 later", " later"]);
    await store.close();
    expect(formatOf(path)).toBe(next.formatVersion);
    expect(formatOf(`${path}.format-${FIXTURE_FORMAT}.backup`)).toBe(FIXTURE_FORMAT);
  });

  test("a newer format is refused and left as it was", async () => {
    const newer = await open(path, { migrations: [...MIGRATIONS, next] });
    await newer.close();
    const before = readFileSync(path);
    await expect(open(path)).rejects.toMatchObject({ code: "STATE_NEWER", kind: "conflict" });
    await expect(open(path, { readOnly: true })).rejects.toMatchObject({ code: "STATE_NEWER" });
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  test("a newer format that says it is compatible is opened", async () => {
    const compatible = { ...next, minCompatibleVersion: MIGRATIONS.length };
    await (await open(path, { migrations: [...MIGRATIONS, compatible] })).close();
    const store = await open(path);
    expect(await store.db.selectFrom("runs").selectAll().execute()).toEqual([]);
    await store.close();
    expect(formatOf(path)).toBe(next.formatVersion);
  });

  test("a migration that fails half-way leaves the old format and its rows", async () => {
    copyFileSync(fixture, path);
    const broken = { ...next, sql: `${next.sql} INSERT INTO no_such_table VALUES (1);` };
    await expect(open(path, { migrations: [...MIGRATIONS, broken] })).rejects.toMatchObject({ code: "STATE_MIGRATION_FAILED" });
    const store = await open(path);
    expect(await namesOf(store)).toEqual(["naïve 🚀", ""]);
    await store.close();
    expect(formatOf(path)).toBe(MIGRATIONS.length);
  });

  test("a migration whose process is killed leaves the old format, and the next start migrates", async () => {
    copyFileSync(fixture, path);
    const slow = {
      ...next,
      sql: `${next.sql} WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000000000) INSERT INTO later SELECT max(i) FROM n;`,
    };
    const script = join(folder, "migrate.ts");
    writeFileSync(
      script,
      `import { openSqlite } from ${JSON.stringify(new URL("./sqlite.ts", import.meta.url).href)};
       await openSqlite({ path: ${JSON.stringify(path)}, clock: { kind: "system", now: () => 0 }, migrations: ${JSON.stringify([...MIGRATIONS, slow])} });`,
    );
    const migrating = promisify(execFile)(process.execPath, [script], { killSignal: "SIGKILL", timeout: 1_500 });
    await expect(migrating).rejects.toMatchObject({ signal: "SIGKILL" });
    expect(existsSync(`${path}.format-${FIXTURE_FORMAT}.backup`)).toBe(true);
    expect(formatOf(path)).toBe(FIXTURE_FORMAT);
    const store = await open(path, { migrations: [...MIGRATIONS, next] });
    expect(await namesOf(store)).toEqual(["naïve 🚀 later", " later"]);
    await store.close();
  });
});

describe("what can be wrong with the file", () => {
  test("something that is no database is corrupt, and is not touched", async () => {
    writeFileSync(path, "this is a letter to a friend, not a database ".repeat(100));
    const before = readFileSync(path);
    await expect(open(path)).rejects.toMatchObject({ code: "STATE_CORRUPT" });
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(readdirSync(folder)).toEqual(["metadata.db"]);
  });

  test("another program's database is corrupt, and is not touched", async () => {
    const other = new DatabaseSync(path);
    other.exec("CREATE TABLE theirs (a)");
    other.close();
    await expect(open(path)).rejects.toMatchObject({ code: "STATE_CORRUPT" });
    const again = new DatabaseSync(path);
    expect(again.prepare("SELECT name FROM sqlite_schema").all()).toHaveLength(1);
    again.close();
  });

  test("a damaged page is corrupt, in one line", async () => {
    copyFileSync(fixture, path);
    const bytes = readFileSync(path);
    bytes.fill(0xff, 4096, bytes.length);
    writeFileSync(path, bytes);
    const opened = open(path).then((store) => store.db.selectFrom("runs").selectAll().execute());
    await expect(opened).rejects.toMatchObject({ code: "STATE_CORRUPT", message: expect.not.stringContaining("\n") });
  });

  test("reading what is not there says so and makes nothing", async () => {
    await expect(open(path, { readOnly: true })).rejects.toMatchObject({ code: "STATE_MISSING", kind: "not-found" });
    expect(readdirSync(folder)).toEqual([]);
  });

  test("a folder that is not there cannot be opened for writing", async () => {
    await expect(open(join(folder, "none", "metadata.db"))).rejects.toMatchObject({ code: "STATE_READ_ONLY" });
  });

  test("a full disk is named, the transaction is undone and reading goes on", async () => {
    const store = await open(path);
    const row = (key: string) => ({ ...scope, idempotency_key: key, result: "x".repeat(100_000), at: 0 });
    await store.db.insertInto("effects").values(row("before")).execute();
    // SQLite's own limit on the file's size fails in the same place and way as a full disk.
    const pages = await sql<{ page_count: number }>`pragma page_count`.execute(store.db);
    await sql`pragma max_page_count = ${sql.lit((pages.rows[0]?.page_count ?? 0) + 30)}`.execute(store.db);
    const filling = store.transaction(async (db) => {
      for (let each = 0; each < 50; each++)
        await db
          .insertInto("effects")
          .values(row(`${each}`))
          .execute();
    });
    await expect(filling).rejects.toMatchObject({ code: "STATE_DISK_FULL", kind: "unavailable" });
    expect(await store.db.selectFrom("effects").select("idempotency_key").execute()).toEqual([{ idempotency_key: "before" }]);
    await store.transaction((db) => db.deleteFrom("effects").execute());
    await store.close();
  });
});

describe("long reads", () => {
  const count = (store: MetadataStore, to: number) =>
    sql<{ most: number }>`select max(i) as most from
      (with recursive n (i) as (select 1 union all select i + 1 from n where i < ${to}) select i from n)`.execute(store.db);

  /** Until then the writer answers, and holds up reads when it writes. */
  const readerIsOpen = (store: MetadataStore) =>
    expect
      .poll(() =>
        store.transaction(async (db) => {
          await db.deleteFrom("alerts").execute();
          const read = store.db
            .selectFrom("alerts")
            .selectAll()
            .execute()
            .then(() => true);
          return Promise.race([read, new Promise((resolve) => setTimeout(resolve, 50, false))]);
        }),
      )
      .toBe(true);

  test("do not hold up short ones", async () => {
    const store = await open(path);
    await readerIsOpen(store);
    let done = 0;
    const long = [1, 2].map(() => count(store, 8_000_000).then(() => done++));
    for (let each = 0; each < 20; each++) await store.db.selectFrom("effects").selectAll().execute();
    expect(done).toBe(0);
    await Promise.all(long);
    await store.close();
  });

  test("more than there are threads are all answered, those too that are asked before the end", async () => {
    const store = await open(path);
    await readerIsOpen(store);
    const sizes = Array.from({ length: 40 }, (_, index) => 1_000 * (1 + ((index * 7) % 40)));
    const asked = Promise.all(sizes.map((size) => count(store, size)));
    await new Promise((resolve) => setImmediate(resolve));
    await store.close();
    expect((await asked).map(({ rows }) => rows[0]?.most)).toEqual(sizes);
    await expect(count(store, 1)).rejects.toThrow();
  });
});

describe("processes", () => {
  test("a store opened for reading sees the owner's commits and refuses to write", async () => {
    const owner = await open(path);
    const reader = await open(path, { readOnly: true });
    await owner.db
      .insertInto("effects")
      .values({ ...scope, idempotency_key: "a", result: "1", at: 0 })
      .execute();
    expect(await reader.db.selectFrom("effects").select("result").execute()).toEqual([{ result: "1" }]);
    await expect(reader.db.deleteFrom("effects").execute()).rejects.toMatchObject({ code: "STATE_READ_ONLY", kind: "denied" });
    await expect(reader.transaction(async () => 1)).rejects.toMatchObject({ code: "STATE_READ_ONLY" });
    await reader.close();
    await owner.close();
  });

  test("two processes that write lose nothing", async () => {
    await (await open(path)).close();
    const script = join(folder, "write.ts");
    writeFileSync(
      script,
      `import { openSqlite } from ${JSON.stringify(new URL("./sqlite.ts", import.meta.url).href)};
       const store = await openSqlite({ path: ${JSON.stringify(path)}, clock: { kind: "system", now: () => 0 } });
       await store.db.insertInto("effects").values({ workspace: "w", project: "p", idempotency_key: "counter", result: "", at: 0 }).onConflict((oc) => oc.doNothing()).execute();
       for (let i = 0; i < 100; i++) await store.transaction(async (db) => {
         const { at } = await db.selectFrom("effects").select("at").executeTakeFirstOrThrow();
         await db.updateTable("effects").set({ at: at + 1 }).execute();
       });`,
    );
    await Promise.all([1, 2].map(() => promisify(execFile)(process.execPath, [script])));
    const store = await open(path);
    expect(await store.db.selectFrom("effects").select("at").execute()).toEqual([{ at: 200 }]);
    await store.close();
  });

  test("a process that is done ends although its store is open", async () => {
    const script = join(folder, "forget.ts");
    writeFileSync(
      script,
      `import { openSqlite } from ${JSON.stringify(new URL("./sqlite.ts", import.meta.url).href)};
       const store = await openSqlite({ path: ${JSON.stringify(path)}, clock: { kind: "system", now: () => 0 } });
       console.log((await store.db.selectFrom("meta").selectAll().execute()).length > 0);`,
    );
    const { stdout } = await promisify(execFile)(process.execPath, [script], { timeout: 10_000 });
    expect(stdout.trim()).toBe("true");
  });
});

test("what was changed and deleted is nowhere in the files once they are scrubbed, while others read", async () => {
  const store = await open(path);
  const effect = { ...scope, idempotency_key: "k", result: "ZZUNMISTAKABLEZZ".repeat(400), at: 1 };
  await store.db.insertInto("effects").values(effect).execute();
  await store.db.updateTable("effects").set({ result: "other" }).execute();
  const reading = Promise.all(Array.from({ length: 50 }, () => store.db.selectFrom("effects").selectAll().execute()));
  await store.scrub();
  await reading;
  for (const name of readdirSync(folder)) expect(readFileSync(join(folder, name)).includes("ZZUNMISTAKABLEZZ"), name).toBe(false);
  expect(await store.db.selectFrom("effects").select("result").execute()).toEqual([{ result: "other" }]);
  await store.close();
});
