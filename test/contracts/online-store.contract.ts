import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { OnlineStore } from "../../src/core/ports/index.ts";

export interface OnlineStoreUnderTest {
  readonly store: OnlineStore;
  /** A second connection to the same data, as another process would have. */
  reopen(): Promise<OnlineStore>;
  cleanup(): Promise<void>;
}

const bytes = (...values: number[]) => Uint8Array.from(values);
const collect = async (keys: AsyncIterable<string>) => {
  const all: string[] = [];
  for await (const key of keys) all.push(key);
  return all;
};

/** What every OnlineStore does, whatever is behind it. */
export function onlineStoreContract(name: string, open: () => Promise<OnlineStoreUnderTest>): void {
  describe(`${name} as an online store`, () => {
    let under: OnlineStoreUnderTest;
    beforeEach(async () => {
      under = await open();
    });
    afterEach(() => under.cleanup());

    test("answers in the order of the keys, with null where there is nothing", async () => {
      await under.store.putMany([
        ["b", bytes(2)],
        ["a", bytes(1)],
      ]);
      expect(await under.store.getMany(["a", "missing", "b", "a"])).toEqual([bytes(1), null, bytes(2), bytes(1)]);
      expect(await under.store.getMany([])).toEqual([]);
    });

    test("returns values that later reads and writes do not change", async () => {
      await under.store.putMany([
        ["a", bytes(1, 1)],
        ["b", bytes(2, 2)],
      ]);
      const [first] = await under.store.getMany(["a"]);
      await under.store.getMany(["b"]);
      await under.store.putMany([["a", bytes(9, 9)]]);
      expect(first).toEqual(bytes(1, 1));
    });

    test("does not keep hold of the array it was given", async () => {
      const value = bytes(1, 2, 3);
      await under.store.putMany([["a", value]]);
      value.fill(0);
      expect(await under.store.getMany(["a"])).toEqual([bytes(1, 2, 3)]);
    });

    test("removes a key that is put as null, and removing nothing is no error", async () => {
      await under.store.putMany([["a", bytes(1)]]);
      await under.store.putMany([
        ["a", null],
        ["never", null],
      ]);
      expect(await under.store.getMany(["a"])).toEqual([null]);
    });

    test("keeps empty values and values of a megabyte", async () => {
      const large = new Uint8Array(1_000_000).map((_, index) => index % 251);
      await under.store.putMany([
        ["empty", new Uint8Array(0)],
        ["large", large],
      ]);
      const [empty, back] = await under.store.getMany(["empty", "large"]);
      expect(empty?.length).toBe(0);
      expect(Buffer.compare(back ?? new Uint8Array(0), large)).toBe(0);
    });

    test("writes all entries of a call or none", async () => {
      await expect(
        under.store.putMany([
          ["good", bytes(1)],
          ["", bytes(2)],
        ]),
      ).rejects.toMatchObject({ code: "ONLINE_KEY_INVALID" });
      await expect(
        under.store.putMany([
          ["good", bytes(1)],
          ["x".repeat(5_000), bytes(2)],
        ]),
      ).rejects.toMatchObject({ code: "ONLINE_KEY_INVALID" });
      expect(await under.store.getMany(["good"])).toEqual([null]);
    });

    test("lists the keys of a prefix, and no others", async () => {
      const keys = ["a", 'a["', "a[1", "a[10", "a[2", "a[é", "a[\u{1F600}", "b"];
      await under.store.putMany(keys.map((key) => [key, bytes(1)] as const));
      const expected = keys.filter((key) => key.startsWith("a[")).sort();
      expect((await collect(under.store.keys("a["))).sort()).toEqual(expected);
      expect(await collect(under.store.keys("zzz"))).toEqual([]);
      expect(await collect(under.store.keys(""))).toHaveLength(keys.length);
    });

    test("shows another connection what was written", async () => {
      const reader = await under.reopen();
      await under.store.putMany([["a", bytes(7)]]);
      expect(await reader.getMany(["a"])).toEqual([bytes(7)]);
      await reader.close();
    });

    test("ends up as a map would, after any series of writes", async () => {
      const key = fc.constantFrom("k", "k1", "k[", '["a","b"]', "ü");
      const value = fc.option(fc.uint8Array({ maxLength: 40 }), { nil: null });
      await fc.assert(
        fc.asyncProperty(fc.array(fc.array(fc.tuple(key, value), { maxLength: 6 }), { maxLength: 6 }), async (writes) => {
          await under.store.putMany((await collect(under.store.keys(""))).map((each) => [each, null] as const));
          const model = new Map<string, Uint8Array>();
          for (const entries of writes) {
            await under.store.putMany(entries);
            for (const [each, bytesOrNull] of entries) bytesOrNull === null ? model.delete(each) : model.set(each, bytesOrNull);
          }
          const stored = await collect(under.store.keys(""));
          expect(new Set(stored)).toEqual(new Set(model.keys()));
          expect(await under.store.getMany(stored)).toEqual(stored.map((each) => model.get(each)));
        }),
        { numRuns: 30 },
      );
    });
  });
}
