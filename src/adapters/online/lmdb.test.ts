import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
