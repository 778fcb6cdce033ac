import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { onlineStoreContract } from "../../../test/contracts/online-store.contract.ts";
import { type RedisServer, redisBinary, startRedis } from "../../../test/fixtures/redis-server.ts";
import { openRedis } from "./redis.ts";

const { bin, reason } = redisBinary();
const bytes = (...values: number[]) => Uint8Array.from(values);

describe.skipIf(bin === null)(`on Redis ${reason}`, () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis(bin ?? "");
  });
  afterAll(() => redis.remove());

  onlineStoreContract("Redis", async () => {
    const url = `${redis.url}/3?prefix=${randomUUID()}:`;
    const store = openRedis(url);
    return { store, reopen: async () => openRedis(url), cleanup: () => store.close() };
  });

  test("stores with another prefix or database know nothing of one another", async () => {
    const places = ["/0?prefix=a*:", "/0?prefix=a[b]:", "/1?prefix=a*:"];
    const stores = places.map((place) => openRedis(redis.url + place));
    for (const [index, store] of stores.entries()) await store.putMany([["key", bytes(index)]]);
    for (const [index, store] of stores.entries()) {
      expect(await store.getMany(["key"])).toEqual([bytes(index)]);
      const keys: string[] = [];
      for await (const key of store.keys("")) keys.push(key);
      expect(keys).toEqual(["key"]);
      await store.close();
    }
  });

  test("a key that is given twice in one call keeps what it was given last", async () => {
    const store = openRedis(`${redis.url}?prefix=${randomUUID()}`);
    await store.putMany([
      ["a", bytes(1)],
      ["a", null],
      ["b", null],
      ["b", bytes(2)],
    ]);
    expect(await store.getMany(["a", "b"])).toEqual([null, bytes(2)]);
    await store.close();
  });
});

describe.skipIf(bin === null)(`a Redis that fails ${reason}`, () => {
  const withRedis = async (args: readonly string[], work: (redis: RedisServer) => Promise<void>) => {
    const redis = await startRedis(bin ?? "", ...args);
    try {
      await work(redis);
    } finally {
      await redis.remove();
    }
  };

  test(
    "one that is gone is said to be unreachable, and calls go through again when it is back",
    () =>
      withRedis(["--appendonly", "yes", "--appendfsync", "always"], async (redis) => {
        const store = openRedis(redis.url);
        await store.putMany([["a", bytes(1)]]);
        await redis.kill();
        await expect(store.getMany(["a"])).rejects.toMatchObject({ code: "ONLINE_STORE_UNREACHABLE", kind: "unavailable" });
        await redis.start();
        await expect.poll(() => store.getMany(["a"]).catch(() => null), { timeout: 20_000 }).toEqual([bytes(1)]);
        await store.close();
      }),
    60_000,
  );

  test("one that was never there is unreachable too", () =>
    withRedis([], async (redis) => {
      await redis.kill();
      const store = openRedis(redis.url);
      await expect(store.putMany([["a", bytes(1)]])).rejects.toMatchObject({ code: "ONLINE_STORE_UNREACHABLE" });
      await store.close();
    }));

  test("a wrong password is refused without being repeated", () =>
    withRedis(["--requirepass", "right"], async (redis) => {
      const store = openRedis(redis.url.replace("//", "//:wrong-one@"));
      const refused = await store.getMany(["a"]).catch((error: unknown) => error);
      expect(refused).toMatchObject({ code: "ONLINE_STORE_LOGIN_REFUSED", kind: "denied" });
      expect(String(refused)).not.toContain("wrong-one");
      await store.close();
      const allowed = openRedis(redis.url.replace("//", "//:right@"));
      expect(await allowed.getMany(["a"])).toEqual([null]);
      await allowed.close();
    }));

  test("a full one keeps what it had", () =>
    withRedis(["--maxmemory", "4mb", "--maxmemory-policy", "noeviction"], async (redis) => {
      const store = openRedis(redis.url);
      await store.putMany([["a", bytes(1)]]);
      const large = new Uint8Array(1_000_000);
      const fill = async () => {
        for (let index = 0; index < 20; index++) await store.putMany([[`large ${index}`, large]]);
      };
      await expect(fill()).rejects.toMatchObject({ code: "ONLINE_STORE_FULL" });
      expect(await store.getMany(["a"])).toEqual([bytes(1)]);
      await store.close();
    }));

  test("a replica is not written to", () =>
    withRedis([], (primary) =>
      withRedis(["--replicaof", `127.0.0.1 ${primary.port}`], async (replica) => {
        const store = openRedis(replica.url);
        await expect(store.putMany([["a", bytes(1)]])).rejects.toMatchObject({ code: "ONLINE_STORE_READ_ONLY", kind: "denied" });
        await store.close();
      }),
    ));
});

const refusalOf = (url: string): unknown => {
  try {
    return openRedis(url);
  } catch (error) {
    return error;
  }
};

test.each([
  ["not an address", /no URL/],
  ["http://localhost", /begins with http:/],
  ["redis://localhost/one", /database is no number/],
  ["redis://localhost?ssl=1", /no setting ssl/],
  ["redis://", /names no host/],
  ["redis+unix://", /names no socket/],
])("the address %s is refused with the reason", (url, message) => {
  expect(refusalOf(url)).toMatchObject({ code: "ONLINE_STORE_SETTING_INVALID", message: expect.stringMatching(message) });
});

test("a refused address is not repeated, since it may hold a password", () => {
  expect(refusalOf("redis://user:secret@host/one")).toMatchObject({ code: "ONLINE_STORE_SETTING_INVALID" });
  expect(String(refusalOf("redis://user:secret@host/one"))).not.toContain("secret");
});
