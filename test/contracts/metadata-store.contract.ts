import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { MetadataStore } from "../../src/core/ports/index.ts";

export interface MetadataStoreUnderTest {
  readonly store: MetadataStore;
  /** Opens a backup made by the store, for reading. */
  openBackup(path: string): Promise<MetadataStore>;
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
      const copy = await under.openBackup(path);
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
