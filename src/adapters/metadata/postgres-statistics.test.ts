import { describe, expect, test } from "vitest";
import { findPostgres, runSql, testSchema } from "../../../test/fixtures/postgres.ts";
import { systemClock } from "../../core/ports/index.ts";
import { openPostgres } from "./postgres.ts";

const { url, reason } = await findPostgres();

describe.skipIf(url === null)(`tables that grow on PostgreSQL ${reason}`.trimEnd(), () => {
  const open = async () => {
    const schema = testSchema(url ?? "");
    return { schema, store: await openPostgres({ url: schema.url, clock: systemClock }) };
  };
  const effects = (count: number, from: number) =>
    Array.from({ length: count }, (_, i) => ({
      workspace: "w",
      project: "p",
      idempotency_key: `k${from + i}`,
      result: "{}",
      at: 0,
    }));

  test("are looked at once they have rows, before the server does so by itself", async () => {
    const { schema, store } = await open();
    const known = async () =>
      Number((await runSql(schema.url, "select reltuples from pg_class where oid = 'effects'::regclass"))[0]?.reltuples);
    try {
      await store.insertMany(store.db, "effects", effects(400, 0));
      expect(await known()).toBeLessThanOrEqual(0);
      await store.insertMany(store.db, "effects", effects(400, 400));
      await expect.poll(known, { timeout: 10_000, interval: 50 }).toBe(800);
    } finally {
      await store.close();
      await schema.drop();
    }
  });

  test("do not hold up closing", async () => {
    const { schema, store } = await open();
    await store.insertMany(store.db, "effects", effects(600, 0));
    await store.close();
    await schema.drop();
  });
});
