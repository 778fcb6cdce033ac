import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { restoreInto } from "../../src/adapters/metadata/restore.ts";
import { openSqlite } from "../../src/adapters/metadata/sqlite.ts";
import { type Database, type MetadataStore, type MetricTable, type OnConflict, systemClock } from "../../src/core/ports/index.ts";

type Rest<Table extends keyof Database & string> = [
  table: Table,
  rows: readonly Database[Table][],
  onConflict?: OnConflict<Database[Table]>,
];

export interface MetadataStoreUnderTest {
  readonly store: MetadataStore;
  /** Another store on the same database, as another process would open it. */
  another(): Promise<MetadataStore>;
  cleanup(): Promise<void>;
}

const scope = { workspace: "w", project: "p" };
const deletable = { lifecycle: "active" as const, deleted_at: null, created_at: 1, updated_at: 1 };
const experiment = {
  ...scope,
  ...deletable,
  id: "experiment-1",
  name: "late",
  artifact_location: "mlflow-artifacts:/experiment-1",
};
const registeredModel = { ...scope, ...deletable, name: "late", deleted_name: null, last_version: 0, description: "" };
const effect = (key: string, at = 0) => ({ ...scope, idempotency_key: key, result: "{}", at });

/** What every MetadataStore does, whatever is behind it. */
export function metadataStoreContract(name: string, open: () => Promise<MetadataStoreUnderTest>): void {
  describe(`${name} as a metadata store`, () => {
    let under: MetadataStoreUnderTest;
    let folder: string;
    beforeEach(async () => {
      under = await open();
      folder = mkdtempSync(join(tmpdir(), "orrery-metadata-contract-"));
    });
    afterEach(async () => {
      await under.cleanup();
      rmSync(folder, { recursive: true });
    });

    const count = async (store: MetadataStore = under.store) => {
      const row = await store.db
        .selectFrom("effects")
        .select((each) => each.fn.countAll<number>().as("rows"))
        .executeTakeFirstOrThrow();
      return Number(row.rows);
    };

    test("says its format in the table meta", async () => {
      const meta = await under.store.db.selectFrom("meta").selectAll().execute();
      const values = new Map(meta.map(({ key, value }) => [key, value]));
      expect(Number(values.get("formatVersion"))).toBeGreaterThanOrEqual(1);
      expect(Number(values.get("minCompatibleVersion"))).toBeGreaterThanOrEqual(1);
    });

    test("is scrubbed without losing a row, while others write", async () => {
      const rows = Array.from({ length: 300 }, (_, index) => effect(`k${index}`, index));
      await under.store.transaction((db) => under.store.insertMany(db, "effects", rows));
      await under.store.db.deleteFrom("effects").where("at", "<", 100).execute();
      const writing = under.store.db.insertInto("effects").values(effect("meanwhile")).execute();
      await Promise.all([writing, under.store.scrub()]);
      expect(await count()).toBe(201);
      await under.store.scrub();
      expect(await count()).toBe(201);
    });

    test("returns what was stored, with times of today's size, text of any script and nulls as they were", async () => {
      const run = {
        ...scope,
        id: "run-1",
        experiment_id: "experiment-1",
        parent_run_id: null,
        name: "naïve 🚀 'quoted'",
        status: "running" as const,
        started_at: 1_795_488_717_725_811,
        ended_at: null,
        lifecycle: "active" as const,
        deleted_at: null,
        artifact_uri: "mlflow-artifacts:/experiment-1/run-1/artifacts",
        user_name: "",
        actor: "me",
        trace_id: null,
        snapshots: "[]",
        git_commit: null,
        git_diff: null,
      };
      await under.store.transaction(async (db) => {
        await db.insertInto("experiments").values(experiment).execute();
        await db.insertInto("runs").values(run).execute();
      });
      expect(await under.store.db.selectFrom("runs").selectAll().execute()).toEqual([run]);
    });

    test("shows a read what was committed before it was asked", async () => {
      for (let at = 0; at < 20; at++) {
        await under.store.db
          .insertInto("effects")
          .values(effect(`key-${at}`))
          .execute();
        expect(await count()).toBe(at + 1);
      }
    });

    test("rolls a transaction back as a whole when its work throws, and goes on", async () => {
      await expect(
        under.store.transaction(async (db) => {
          await db.insertInto("effects").values(effect("a")).execute();
          throw new Error("thought better of it");
        }),
      ).rejects.toThrow("thought better of it");
      expect(await count()).toBe(0);
      await under.store.transaction((db) => db.insertInto("effects").values(effect("a")).execute());
      expect(await count()).toBe(1);
    });

    test("rolls back when a statement fails, and names the conflict", async () => {
      await under.store.db.insertInto("effects").values(effect("taken")).execute();
      await expect(
        under.store.transaction(async (db) => {
          await db.insertInto("effects").values(effect("new")).execute();
          await db.insertInto("effects").values(effect("taken")).execute();
        }),
      ).rejects.toMatchObject({ code: "STATE_CONFLICT", kind: "conflict" });
      expect(await count()).toBe(1);
    });

    test("does not show what is not committed to a read beside the transaction", async () => {
      let seen = -1;
      await under.store.transaction(async (db) => {
        await db.insertInto("effects").values(effect("a")).execute();
        seen = await count();
      });
      expect(seen).toBe(0);
      expect(await count()).toBe(1);
    });

    test("runs transactions one after another, so that none loses another's update", async () => {
      await under.store.db.insertInto("effects").values(effect("counter", 0)).execute();
      const increment = () =>
        under.store.transaction(async (db) => {
          const { at } = await db
            .selectFrom("effects")
            .select("at")
            .where("idempotency_key", "=", "counter")
            .executeTakeFirstOrThrow();
          await new Promise((resolve) => setImmediate(resolve));
          await db
            .updateTable("effects")
            .set({ at: at + 1 })
            .where("idempotency_key", "=", "counter")
            .execute();
        });
      await Promise.all(Array.from({ length: 25 }, increment));
      const { at } = await under.store.db.selectFrom("effects").select("at").executeTakeFirstOrThrow();
      expect(at).toBe(25);
    });

    test("lets reads through while a transaction is open", async () => {
      let release = () => {};
      const held = new Promise<void>((resolve) => {
        release = resolve;
      });
      const transaction = under.store.transaction(async (db) => {
        await db.insertInto("effects").values(effect("a")).execute();
        await held;
      });
      // The first reads may still wait for the reader's connection; one asked during the transaction must not wait for its end.
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(await count()).toBe(0);
      release();
      await transaction;
      expect(await count()).toBe(1);
    });

    test("refuses a write beside the transaction it runs in instead of waiting for itself", async () => {
      const nested = under.store.transaction(async () => {
        await under.store.db.insertInto("effects").values(effect("a")).execute();
      });
      await expect(nested).rejects.toMatchObject({ code: "STATE_TRANSACTION_NESTED" });
      await expect(under.store.transaction(() => under.store.transaction(async () => 1))).rejects.toMatchObject({
        code: "STATE_TRANSACTION_NESTED",
      });
      expect(await under.store.transaction(async () => "still working")).toBe("still working");
    });

    test("keeps equal names apart by workspace and project", async () => {
      for (const other of [scope, { workspace: "w", project: "other" }, { workspace: "other", project: "p" }]) {
        await under.store.db
          .insertInto("registered_models")
          .values({ ...registeredModel, ...other })
          .execute();
      }
      const again = under.store.db.insertInto("registered_models").values(registeredModel).execute();
      await expect(again).rejects.toMatchObject({ code: "STATE_CONFLICT" });
    });

    test("refuses a row whose parent is not there", async () => {
      const orphan = under.store.db
        .insertInto("params")
        .values({ ...scope, run_id: "none", key: "a", value: "1" })
        .execute();
      await expect(orphan).rejects.toMatchObject({ code: "STATE_CONFLICT" });
    });

    test("backs up a consistent copy while transactions are committed", async () => {
      let stop = false;
      const pairs = (async () => {
        for (let pair = 0; !stop; pair++) {
          await under.store.transaction(async (db) => {
            await db
              .insertInto("effects")
              .values(effect(`${pair}-left`))
              .execute();
            await db
              .insertInto("effects")
              .values(effect(`${pair}-right`))
              .execute();
          });
        }
      })();
      const path = join(folder, "copy");
      await under.store.backup(path);
      stop = true;
      await pairs;
      const copy = await openSqlite({ path, clock: systemClock, readOnly: true });
      const copied = await count(copy);
      await copy.close();
      expect(copied % 2).toBe(0);
      expect(copied).toBeLessThanOrEqual(await count());
    });

    test("does not overwrite a file with a backup", async () => {
      const path = join(folder, "copy");
      await under.store.backup(path);
      await expect(under.store.backup(path)).rejects.toMatchObject({ code: "STATE_BACKUP_EXISTS" });
    });

    test("keeps what 32 transactions at once add to one row, from two stores of the same database", async () => {
      const other = await under.another();
      await under.store.db.insertInto("effects").values(effect("counter", 0)).execute();
      const add = (store: MetadataStore) =>
        store.transaction(async (db) => {
          const { at } = await db.selectFrom("effects").select("at").executeTakeFirstOrThrow();
          await db
            .updateTable("effects")
            .set({ at: at + 1 })
            .execute();
        });
      await Promise.all(Array.from({ length: 32 }, (_, index) => add(index % 2 === 0 ? under.store : other)));
      expect(await under.store.db.selectFrom("effects").select("at").execute()).toEqual([{ at: 32 }]);
      await other.close();
    });

    test("does not commit a transaction one of whose statements failed, whatever its work made of the error", async () => {
      await under.store.db.insertInto("effects").values(effect("taken")).execute();
      const swallowing = under.store.transaction(async (db) => {
        await db.insertInto("effects").values(effect("new")).execute();
        await db
          .insertInto("effects")
          .values(effect("taken"))
          .execute()
          .catch(() => undefined);
      });
      await expect(swallowing).rejects.toMatchObject({ code: "STATE_CONFLICT" });
      expect(await count()).toBe(1);
    });

    test("compares text by code point and LIKE by case", async () => {
      for (const key of ["é", "a", "Z", "z", "😀", "A", "ab%c", "aBc"])
        await under.store.db.insertInto("effects").values(effect(key)).execute();
      const keys = (rows: readonly { idempotency_key: string }[]) => rows.map((row) => row.idempotency_key);
      const effects = under.store.db.selectFrom("effects").select("idempotency_key").orderBy("idempotency_key");
      expect(keys(await effects.execute())).toEqual(["A", "Z", "a", "aBc", "ab%c", "z", "é", "😀"]);
      expect(keys(await effects.where("idempotency_key", ">", "a").execute())).toEqual(["aBc", "ab%c", "z", "é", "😀"]);
      expect(keys(await effects.where("idempotency_key", "like", "a%").execute())).toEqual(["a", "aBc", "ab%c"]);
      expect(keys(await effects.where("idempotency_key", "like", "AB%").execute())).toEqual([]);
      const escaped = sql<boolean>`idempotency_key like ${"%\\%%"} escape '\\'`;
      expect(keys(await effects.where(escaped).execute())).toEqual(["ab%c"]);
      const anyCase = sql<boolean>`lower(idempotency_key) like lower(${"AB%"})`;
      expect(keys(await effects.where(anyCase).execute())).toEqual(["aBc", "ab%c"]);
    });

    test("answers with numbers: counts, sums, averages, comparisons and whole numbers up to 2^53-1", async () => {
      await under.store.db
        .insertInto("effects")
        .values([effect("a", Number.MAX_SAFE_INTEGER), effect("b", 1)])
        .execute();
      const { rows } = await sql`
        select max(at) as most, min(at) as least, count(*) as rows, sum(case when at = 1 then at else 2 end) as total,
          avg(case when at = 1 then 1.5 else 2.5 end) as mean, exists (select 1 from effects) as some, max(at) = 1 as none
        from effects`.execute(under.store.db);
      expect(rows).toEqual([{ most: Number.MAX_SAFE_INTEGER, least: 1, rows: 2, total: 3, mean: 2, some: 1, none: 0 }]);
    });

    describe("many rows at once", () => {
      const metric = (step: number, more: Partial<MetricTable> = {}): MetricTable => ({
        ...scope,
        run_id: "run-1",
        key: "loss",
        step,
        logged_at: 1_795_488_717_725_811,
        value: step / 3,
        is_nan: 0,
        low: null,
        high: null,
        ...more,
      });
      const stored = (table: "metrics" | "latest_metrics" = "metrics") =>
        under.store.db.selectFrom(table).selectAll().orderBy("key").orderBy("step").execute();
      const insert = <Table extends keyof Database & string>(...[table, rows, onConflict]: Rest<Table>) =>
        under.store.insertMany(under.store.db, table, rows, onConflict);

      test("come back as they were, 10,000 of them", async () => {
        const rows = Array.from({ length: 10_000 }, (_, step) => metric(step));
        await insert("metrics", rows);
        expect(await stored()).toEqual(rows);
      });

      test("keep infinities, NaN flags, the smallest and the greatest numbers, nulls and text of any script", async () => {
        const rows = [
          metric(-Number.MAX_SAFE_INTEGER, { value: Number.POSITIVE_INFINITY, low: Number.NEGATIVE_INFINITY }),
          metric(0, { value: 0, is_nan: 1, low: 0.1 + 0.2 }),
          metric(1, { value: Number.MAX_VALUE, high: Number.MIN_VALUE }),
          metric(2, { key: "ta{r,g}e\"t\\ NULL 😀 'é'\n", value: -1e-300 }),
          metric(3, { key: "ta{r,g}e\"t\\ NULL 😀 'é'\n", value: 1e21 }),
          metric(Number.MAX_SAFE_INTEGER, { key: "z" }),
        ];
        await insert("metrics", rows);
        expect(await stored()).toEqual(rows);
      });

      test("are one row or none as well", async () => {
        await insert("metrics", []);
        expect(await stored()).toEqual([]);
        await insert("metrics", [metric(1)]);
        expect(await stored()).toEqual([metric(1)]);
      });

      test("are all there or none, within a transaction and beside one", async () => {
        const rows = [metric(1), metric(2), metric(1)];
        await expect(insert("metrics", rows)).rejects.toMatchObject({ code: "STATE_CONFLICT" });
        const within = under.store.transaction((db) => under.store.insertMany(db, "metrics", rows));
        await expect(within).rejects.toMatchObject({ code: "STATE_CONFLICT" });
        expect(await stored()).toEqual([]);
        const undone = under.store.transaction(async (db) => {
          await under.store.insertMany(db, "metrics", [metric(1), metric(2)]);
          throw new Error("thought better of it");
        });
        await expect(undone).rejects.toThrow("thought better of it");
        expect(await stored()).toEqual([]);
        await under.store.transaction((db) => under.store.insertMany(db, "metrics", [metric(1), metric(2)]));
        expect(await stored()).toEqual([metric(1), metric(2)]);
      });

      test("leave a row that is there already as it is when told to ignore it", async () => {
        await insert("metrics", [metric(1, { low: 5 })]);
        await insert("metrics", [metric(0), metric(1, { low: 6 }), metric(2), metric(2)], "ignore");
        expect(await stored()).toEqual([metric(0), metric(1, { low: 5 }), metric(2)]);
      });

      test("take a row's place where they are greater, compared as a tuple", async () => {
        const latest = {
          key: ["workspace", "project", "run_id", "key"],
          update: ["step", "logged_at", "value", "is_nan", "low", "high"],
        } as const;
        await insert("latest_metrics", [
          metric(5, { key: "a", value: 1 }),
          metric(5, { key: "b", value: 1 }),
          metric(5, { key: "c", value: 1 }),
        ]);
        await insert(
          "latest_metrics",
          [
            metric(4, { key: "a", value: 9, logged_at: 9 }),
            metric(5, { key: "b", value: 2 }),
            metric(6, { key: "c", value: 0, logged_at: 1 }),
            metric(1, { key: "d" }),
          ],
          { ...latest, whereGreater: ["step", "logged_at", "value"] },
        );
        expect((await stored("latest_metrics")).map(({ key, step, value }) => [key, step, value])).toEqual([
          ["a", 5, 1],
          ["b", 5, 2],
          ["c", 6, 0],
          ["d", 1, 1 / 3],
        ]);
        await insert("latest_metrics", [metric(0, { key: "c", value: 7 })], latest);
        expect((await stored("latest_metrics"))[2]).toEqual(metric(0, { key: "c", value: 7 }));
      });

      test("are refused where one misses what the table asks for", async () => {
        await expect(insert("metrics", [metric(1), metric(2, { is_nan: 2 })])).rejects.toMatchObject({ code: "STATE_CONFLICT" });
        await expect(insert("metrics", [metric(1), metric(2, { value: Number.NaN })])).rejects.toMatchObject({
          code: "STATE_CONFLICT",
        });
        await expect(insert("metrics", [metric(1), metric(0.5)])).rejects.toMatchObject({
          code: "STATE_VALUE_REFUSED",
          kind: "invalid",
        });
        const orphans = [1, 2].map((each) => ({ ...scope, run_id: "none", key: `${each}`, value: "" }));
        await expect(insert("params", orphans)).rejects.toMatchObject({ code: "STATE_CONFLICT" });
        expect(await stored()).toEqual([]);
      });
    });

    describe("claims", () => {
      test("let one at a time run something, and the next when it is released", async () => {
        const claim = await under.store.claim("flights");
        await expect(under.store.claim("flights")).rejects.toMatchObject({ code: "STATE_CLAIMED", kind: "conflict" });
        const other = await under.another();
        await expect(other.claim("flights")).rejects.toMatchObject({ code: "STATE_CLAIMED" });
        const elsewhere = await other.claim("other");
        await claim.release();
        await claim.release();
        const next = await other.claim("flights");
        await claim.release();
        await expect(under.store.claim("flights")).rejects.toMatchObject({ code: "STATE_CLAIMED" });
        expect([claim.lost.aborted, next.lost.aborted]).toEqual([false, false]);
        await next.release();
        await elsewhere.release();
        await other.close();
      });

      test("end with their store", async () => {
        const other = await under.another();
        await other.claim("flights");
        await other.close();
        await (await under.store.claim("flights")).release();
      });
    });

    test("is restored from its backup into an empty store of either engine, and into no other", async () => {
      await under.store.transaction(async (db) => {
        await db.insertInto("experiments").values(experiment).execute();
        await db
          .insertInto("experiment_tags")
          .values({ ...scope, experiment_id: experiment.id, key: "é", value: "1" })
          .execute();
        await under.store.insertMany(
          db,
          "effects",
          Array.from({ length: 5_000 }, (_, at) => effect(`key-${at}`, at)),
        );
      });
      const path = join(folder, "copy");
      await under.store.backup(path);
      await expect(restoreInto(under.store, path, systemClock)).rejects.toMatchObject({ code: "STATE_NOT_EMPTY" });
      await expect(restoreInto(under.store, join(folder, "none"), systemClock)).rejects.toMatchObject({ code: "STATE_MISSING" });
      const everything = async (store: MetadataStore) => ({
        experiments: await store.db.selectFrom("experiments").selectAll().execute(),
        tags: await store.db.selectFrom("experiment_tags").selectAll().execute(),
        effects: await store.db.selectFrom("effects").selectAll().orderBy("at").execute(),
      });
      const before = await everything(under.store);
      const sqlite = await openSqlite({ path: join(folder, "restored.db"), clock: systemClock });
      await restoreInto(sqlite, path, systemClock);
      expect(await everything(sqlite)).toEqual(before);
      await sqlite.close();
      for (const table of ["effects", "experiment_tags", "experiments"] as const)
        await under.store.db.deleteFrom(table).execute();
      await restoreInto(under.store, path, systemClock);
      expect(await everything(under.store)).toEqual(before);
    });

    test("answers a question it does not understand with an error and keeps working", async () => {
      await expect(sql`select nothing from nowhere`.execute(under.store.db)).rejects.toMatchObject({
        code: "STATE_QUERY_FAILED",
      });
      expect(await count()).toBe(0);
    });

    test("finishes what was asked before it closes, and refuses what is asked after", async () => {
      const asked = under.store.db.insertInto("effects").values(effect("a")).execute();
      await asked;
      await under.store.close();
      await expect(count()).rejects.toThrow();
      await under.store.close();
    });
  });
}
