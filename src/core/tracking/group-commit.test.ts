import { expect, test } from "vitest";
import { onEachDatabase } from "../../../test/fixtures/databases.ts";
import { defineErrors } from "../errors.ts";
import { groupCommit } from "./group-commit.ts";
import { trackingForTests } from "./test-support/open-tracking.ts";

const errors = defineErrors({ TEST_AWAY: { kind: "unavailable", hint: "Come back." } });

await onEachDatabase((open) => {
  const under = trackingForTests(open);
  const row = (key: string) => ({ workspace: "w", project: "p", idempotency_key: key, result: "{}", at: 0 });
  const stored = async () =>
    (await under.database.store.db.selectFrom("effects").select("idempotency_key").orderBy("idempotency_key").execute()).map(
      ({ idempotency_key }) => idempotency_key,
    );

  test("jobs that come while one commits share the next commit, in their order and to a bounded size", async () => {
    const { store } = under.database;
    const groups: number[][] = [];
    const submit = groupCommit<number, number>({
      store,
      weightOf: () => 8_000,
      work: async (db, jobs) => {
        groups.push([...jobs]);
        await store.insertMany(
          db,
          "effects",
          jobs.map((job) => row(String(job))),
        );
        return jobs.map((job) => (job === 3 ? { error: new Error("refused") } : { result: job * 10 }));
      },
    });
    const outcomes = await Promise.allSettled([1, 2, 3, 4, 5].map(submit));
    expect(groups).toEqual([[1, 2], [3, 4], [5]]);
    expect(outcomes.map((outcome) => (outcome.status === "fulfilled" ? outcome.value : outcome.reason.message))).toEqual([
      10,
      20,
      "refused",
      40,
      50,
    ]);
    expect(await stored()).toEqual(["1", "2", "3", "4", "5"]);
  });

  test("a job that the database refuses fails alone", async () => {
    const { store } = under.database;
    const submit = groupCommit<string, string>({
      store,
      weightOf: () => 1,
      work: async (db, jobs) => {
        await store.insertMany(db, "effects", jobs.map(row));
        return jobs.map((result) => ({ result }));
      },
    });
    await submit("taken");
    const outcomes = await Promise.allSettled(["a", "taken", "b"].map(submit));
    expect(outcomes).toMatchObject([{ value: "a" }, { reason: { code: "STATE_CONFLICT" } }, { value: "b" }]);
    expect(await stored()).toEqual(["a", "b", "taken"]);
    expect(await submit("c")).toBe("c");
  });

  test("where the database is away all fail, once, and the next ones work again", async () => {
    let calls = 0;
    const submit = groupCommit<string, string>({
      store: under.database.store,
      weightOf: () => 1,
      work: async (_db, jobs) => {
        calls++;
        if (calls === 1) throw errors.TEST_AWAY("gone");
        return jobs.map((result) => ({ result }));
      },
    });
    const outcomes = await Promise.allSettled(["a", "b"].map(submit));
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(calls).toBe(1);
    expect(await submit("c")).toBe("c");
  });

  test("a job that is asked for inside a transaction, and not awaited there, is done after it", async () => {
    const { store } = under.database;
    const submit = groupCommit<string, string>({
      store,
      weightOf: () => 1,
      work: async (db, jobs) => {
        await store.insertMany(db, "effects", jobs.map(row));
        return jobs.map((result) => ({ result }));
      },
    });
    let later = Promise.resolve("");
    await store.transaction(async (db) => {
      later = submit("later");
      await store.insertMany(db, "effects", [row("first")]);
    });
    expect(await later).toBe("later");
    expect(await stored()).toEqual(["first", "later"]);
  });
});
