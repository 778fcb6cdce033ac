import { execFile, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { onlineStoreContract } from "../../../test/contracts/online-store.contract.ts";
import { openLmdb } from "./lmdb.ts";

const freshFolder = () => mkdtempSync(join(tmpdir(), "orrery-lmdb-"));

onlineStoreContract("LMDB", async () => {
  const directory = freshFolder();
  const store = openLmdb(directory);
  return {
    store,
    reopen: async () => openLmdb(directory, { readOnly: true }),
    cleanup: async () => {
      await store.close();
      rmSync(directory, { recursive: true });
    },
  };
});

test("reading a folder that nobody has written says that features are not materialized yet", () => {
  const directory = freshFolder();
  expect(() => openLmdb(join(directory, "none"), { readOnly: true })).toThrow(
    expect.objectContaining({ code: "ONLINE_STORE_MISSING", kind: "unavailable" }),
  );
  rmSync(directory, { recursive: true });
});

test("a folder whose place is taken by a file is a one-line error", () => {
  const directory = freshFolder();
  const file = join(directory, "taken");
  writeFileSync(file, "not a folder");
  expect(() => openLmdb(file)).toThrow(expect.objectContaining({ code: "ONLINE_STORE_FAILED" }));
  rmSync(directory, { recursive: true });
});

test("a store opened for reading refuses to write", async () => {
  const directory = freshFolder();
  const writer = openLmdb(directory);
  await writer.putMany([["a", Uint8Array.of(1)]]);
  const reader = openLmdb(directory, { readOnly: true });
  await expect(reader.putMany([["a", null]])).rejects.toMatchObject({ code: "ONLINE_STORE_READ_ONLY" });
  await reader.close();
  await writer.close();
  rmSync(directory, { recursive: true });
});

test("what was written is there after closing and opening again", async () => {
  const directory = freshFolder();
  const first = openLmdb(directory);
  await first.putMany([["a", Uint8Array.of(1, 2)]]);
  await first.close();
  const second = openLmdb(directory);
  expect(await second.getMany(["a"])).toEqual([Uint8Array.of(1, 2)]);
  await second.close();
  rmSync(directory, { recursive: true });
});

test("what was removed is nowhere in the file once another process has scrubbed it, and everything else is there", async () => {
  const directory = freshFolder();
  const store = openLmdb(directory);
  const value = (of: string, bytes: number) => Buffer.alloc(bytes, of);
  const sizes = [3, 90, 700, 1_900, 2_100, 4_090, 9_000, 70_000];
  const all = Array.from({ length: 2_000 }, (_, i) => [`["v",${i}]`, value(`kept${i};`, sizes[i % sizes.length])] as const);
  await store.putMany(all);
  const gone = sizes.flatMap((bytes, i) =>
    [`["v",${i * 137}ZZUNMISTAKABLEZZ]`, `["z${i}ZZUNMISTAKABLEZZ]`].map(
      (key) => [key, value("ZZUNMISTAKABLEZZ", bytes)] as const,
    ),
  );
  await store.putMany(gone);
  await store.putMany(gone.map(([key]) => [key, null]));
  const reader = openLmdb(directory, { readOnly: true });
  const module = JSON.stringify(new URL("./lmdb.ts", import.meta.url).href);
  const script = `const { openLmdb } = await import(${module}); const store = openLmdb(${JSON.stringify(directory)}); await store.scrub(); await store.close();`;
  const scrubbing = promisify(execFile)(process.execPath, ["--input-type=module", "-e", script]);
  await store.putMany([[`["v",0]`, value("newer;", 50)]]);
  await scrubbing;
  expect(readFileSync(join(directory, "data.mdb")).includes("ZZUNMISTAKABLEZZ")).toBe(false);
  const found = await reader.getMany(all.map(([key]) => key));
  expect(found.map((bytes) => Buffer.from(bytes ?? []).toString())).toEqual([
    value("newer;", 50).toString(),
    ...all.slice(1).map(([, bytes]) => bytes.toString()),
  ]);
  const keys: string[] = [];
  for await (const key of store.keys("")) keys.push(key);
  expect(keys).toHaveLength(all.length);
  await reader.close();
  await store.close();
  rmSync(directory, { recursive: true });
});

test("a small store is scrubbed too, while others read and one of them still has a snapshot from before", async () => {
  const directory = freshFolder();
  const store = openLmdb(directory);
  const gone = Array.from(
    { length: 33 },
    (_, i) => [`["v",${i}ZZUNMISTAKABLEZZ]`, Buffer.alloc(90, "ZZUNMISTAKABLEZZ")] as const,
  );
  const kept = Array.from({ length: 300 }, (_, i) => [`["v",${i}]`, Buffer.alloc(300, `kept${i};`)] as const);
  await store.putMany([...kept, ...gone]);
  const reader = openLmdb(directory, { readOnly: true });
  const reading = reader.keys("")[Symbol.asyncIterator]();
  await reading.next();
  await store.putMany(gone.map(([key]) => [key, null]));
  await store.close();
  const module = JSON.stringify(new URL("./lmdb.ts", import.meta.url).href);
  const folder = JSON.stringify(directory);
  const script = (doing: string, options: string) =>
    `const { openLmdb } = await import(${module}); const store = openLmdb(${folder}, ${options}); ${doing}`;
  const busy = spawn(process.execPath, [
    ...["--input-type=module", "-e"],
    script(`for (;;) { await store.getMany(['["v",1]']); await new Promise(setImmediate); }`, "{ readOnly: true }"),
  ]);
  const scrubbing = promisify(execFile)(process.execPath, [
    ...["--input-type=module", "-e"],
    script("await store.scrub(); await store.close();", "{}"),
  ]);
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  await reading.return?.();
  await scrubbing;
  busy.kill();
  expect(readFileSync(join(directory, "data.mdb")).includes("ZZUNMISTAKABLEZZ")).toBe(false);
  expect((await reader.getMany(kept.map(([key]) => key))).every((value) => value?.length === 300)).toBe(true);
  await reader.close();
  rmSync(directory, { recursive: true });
});

test("keys that were removed are in no page above the records either", async () => {
  const directory = freshFolder();
  const store = openLmdb(directory);
  const key = (row: number) => `k${String(row).padStart(6, "0")}${row % 5 === 0 ? "-unmistakable" : ""}`;
  const rows = Array.from({ length: 9_000 }, (_, row) => row);
  await store.putMany(rows.map((row) => [key(row), Buffer.alloc(150, row % 251)] as const));
  await store.putMany(rows.filter((row) => row % 5 === 0).map((row) => [key(row), null] as const));
  await store.scrub();
  expect(readFileSync(join(directory, "data.mdb")).includes("unmistakable")).toBe(false);
  const left = rows.filter((row) => row % 5 !== 0);
  const found = await store.getMany(left.map(key));
  expect(found.every((value, at) => value?.length === 150 && value[0] === left[at] % 251)).toBe(true);
  await store.close();
  rmSync(directory, { recursive: true });
});
