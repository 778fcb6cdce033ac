import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { PushedRow } from "../../core/ports/index.ts";
import { backupSqlitePushLog, openSqlitePushLog } from "./sqlite.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "orrery-push-log-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const row = (id: string, more: Partial<PushedRow> = {}): PushedRow => ({
  row: JSON.stringify({ id, ...more }),
  key: id,
  problem: null,
  entities: [{ keys: "user", entity: "ann" }],
  ...more,
});
const once = { once: true, at: 1 };

describe("a log of pushed rows", () => {
  test("keeps a row once and tells which ones are new, over openings", async () => {
    const log = openSqlitePushLog(directory);
    expect(await log.append("a", [row("1"), row("1"), row("2")], once)).toEqual([true, false, true]);
    log.close();
    const again = openSqlitePushLog(directory);
    expect(await again.append("a", [row("2"), row("3")], once)).toEqual([false, true]);
    expect(await again.append("b", [row("2")], once), "another source's").toEqual([true]);
    expect(await again.append("b", [row("2")], { once: false, at: 1 }), "where rows have no key").toEqual([true]);
    expect(again.rows("a", { after: 0, upTo: again.end("a") }, 10)).toHaveLength(3);
    again.close();
  });

  test("gives rows in order, the sound ones apart, from any place on", async () => {
    const log = openSqlitePushLog(directory);
    await log.append("a", [row("1"), row("2", { problem: "id: set", key: null, entities: [] }), row("3")], once);
    const end = log.end("a");
    const seqs = (range: Parameters<typeof log.rows>[1], limit = 10) => log.rows("a", range, limit).map(({ seq }) => seq);
    expect(seqs({ after: 0, upTo: end })).toEqual([1, 2, 3]);
    expect(seqs({ after: 0, upTo: end, sound: true })).toEqual([1, 3]);
    expect(seqs({ after: 1, upTo: 2 })).toEqual([2]);
    expect(seqs({ after: 0, upTo: end }, 2)).toEqual([1, 2]);
    log.close();
  });

  test("finds the versions of rows, and all rows of an entity with the versions that went to others", async () => {
    const log = openSqlitePushLog(directory);
    await log.append("a", [row("1"), row("2")], once);
    await log.append("a", [{ ...row("1"), row: "{}", entities: [{ keys: "user", entity: "bob" }] }], once);
    const seqs = (rows: readonly { seq: number }[]) => rows.map(({ seq }) => seq);
    expect(seqs(log.revisedRows("a", { after: 2, upTo: 3 }))).toEqual([1, 3]);
    expect(log.revisedRows("a", { after: 0, upTo: 2 })).toEqual([]);
    expect(seqs(log.rowsOf("a", "user", ["bob"], 3))).toEqual([1, 3]);
    expect(seqs(log.rowsOf("a", "user", ["ann"], 3))).toEqual([1, 2, 3]);
    expect(log.entities("a", "user", "", 10)).toEqual([
      { entity: "ann", rows: 2 },
      { entity: "bob", rows: 1 },
    ]);
    expect(log.entities("a", "user", "ann", 10)).toEqual([{ entity: "bob", rows: 1 }]);
    log.close();
  });

  test("gives no place twice, whatever was erased and copied", async () => {
    const log = openSqlitePushLog(directory);
    expect(log.lastPlace()).toBe(0);
    await log.append("a", [row("1"), row("2")], once);
    log.erase("a", [2]);
    expect([log.end("a"), log.lastPlace()]).toEqual([1, 2]);
    backupSqlitePushLog(directory, join(directory, "copy"));
    const copy = openSqlitePushLog(join(directory, "copy"));
    expect(await copy.append("a", [row("1"), row("3")], once)).toEqual([false, true]);
    expect(copy.end("a")).toBeGreaterThan(2);
    expect([copy.lastPlace(), log.lastPlace()]).toEqual([copy.end("a"), 2]);
    copy.close();
    log.close();
    expect(() => backupSqlitePushLog(join(directory, "none"), join(directory, "other"))).toThrow(
      expect.objectContaining({ code: "PUSH_LOG_WRITE_FAILED" }),
    );
  });

  test("tells whose rows came since, and some of them evenly", async () => {
    const log = openSqlitePushLog(directory);
    const of = (id: number, entity: string) => row(String(id), { entities: [{ keys: "user", entity }] });
    await log.append("a", [of(1, "ann"), of(2, "bob"), of(3, "ann")], once);
    await log.append(
      "a",
      Array.from({ length: 30 }, (_, at) => of(10 + at, `u${10 + at}`)),
      once,
    );
    const end = log.end("a");
    expect(log.touched("a", "user", { after: 0, upTo: 3 }, 10)).toEqual({ rows: 3, entities: 2, some: ["ann", "bob"] });
    expect(log.touched("a", "user", { after: 1, upTo: 2 }, 10)).toEqual({ rows: 1, entities: 1, some: ["bob"] });
    expect(log.touched("a", "user", { after: end, upTo: end }, 10)).toEqual({ rows: 0, entities: 0, some: [] });
    const { some, ...all } = log.touched("a", "user", { after: 0, upTo: end }, 8);
    expect(all).toEqual({ rows: 33, entities: 32 });
    expect(some).toEqual(["ann", "u12", "u16", "u20", "u24", "u28", "u32", "u36"]);
    log.close();
  });

  test("has no index until all of it is made", async () => {
    const log = openSqlitePushLog(directory);
    await log.append("a", [row("1")], once);
    async function* broken() {
      yield [{ ...row("1"), key: "one", seq: 1 }];
      throw new Error("stopped");
    }
    await log.reindex("a", "first", (async function* () {})());
    expect(log.index("a")).toBe("first");
    await expect(log.reindex("a", "second", broken())).rejects.toThrow("stopped");
    expect(log.index("a")).toBeNull();
    log.close();
  });

  test("can be read by another while it is written", async () => {
    const log = openSqlitePushLog(directory);
    const reader = openSqlitePushLog(directory, { readOnly: true });
    await log.append("a", [row("1")], once);
    expect(reader.end("a")).toBe(1);
    await expect(reader.append("a", [row("2")], once)).rejects.toMatchObject({ code: "PUSH_LOG_WRITE_FAILED" });
    reader.close();
    log.close();
  });

  test("takes rows in the order they were given, and none when it is closed or cannot be written", async () => {
    const log = openSqlitePushLog(directory);
    const given = Array.from({ length: 20 }, (_, at) => log.append("a", [row(String(at))], once));
    expect((await Promise.all(given)).flat()).toEqual(Array.from({ length: 20 }, () => true));
    const ids = log.rows("a", { after: 0, upTo: log.end("a") }, 100).map(({ row }) => (JSON.parse(row) as { id: string }).id);
    expect(ids).toEqual(Array.from({ length: 20 }, (_, at) => String(at)));
    const end = log.end("a");
    const db = new DatabaseSync(join(directory, "push.db"));
    db.exec("DROP TABLE entity_rows");
    db.close();
    const unowned = row("20", { entities: [] });
    await expect(log.append("a", [unowned, row("21")], once)).rejects.toMatchObject({ code: "PUSH_LOG_WRITE_FAILED" });
    expect(log.end("a"), "none of them").toBe(end);
    expect(await log.append("a", [unowned], once)).toEqual([true]);
    log.close();
    await expect(log.append("a", [row("22")], once)).rejects.toMatchObject({ code: "PUSH_LOG_WRITE_FAILED" });
  });

  test("of a newer version is refused and left alone", () => {
    openSqlitePushLog(directory).close();
    const db = new DatabaseSync(join(directory, "push.db"));
    db.exec("PRAGMA user_version = 99");
    db.close();
    expect(() => openSqlitePushLog(directory)).toThrow(expect.objectContaining({ code: "PUSH_LOG_NEWER" }));
  });

  test("erases rows, their bytes with them, and gives their places to nobody", async () => {
    const log = openSqlitePushLog(directory);
    const gone = (id: string) => row(id, { entities: [{ keys: "user", entity: "ZZANN" }] });
    await log.append("a", [row("1"), gone("ZZANN2"), row("3"), gone("ZZANN4")], once);
    await log.append("b", [row("1")], once);
    log.erase("a", [2, 4, 5, 99]);
    expect(log.rows("a", { after: 0, upTo: 9 }, 10).map(({ seq }) => seq)).toEqual([1, 3]);
    expect(log.rows("b", { after: 0, upTo: 9 }, 10), "another source's row at one of the places stays").toHaveLength(1);
    expect(log.entities("a", "user", "", 10)).toEqual([{ entity: "ann", rows: 2 }]);
    const bytes = readdirSync(directory).map((name) => readFileSync(join(directory, name), "latin1"));
    expect(bytes.join("")).not.toContain("ZZANN");
    expect(log.lastPlace()).toBe(5);
    expect(await log.append("a", [row("6")], once)).toEqual([true]);
    expect(log.end("a")).toBe(6);
    log.close();
  });
});
