import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { onEachDatabase, type TestDatabase } from "../../../../test/fixtures/databases.ts";
import type { Scope } from "../../scope.ts";
import type { RunSearch } from "./interfaces.ts";
import { searchRunIds } from "./search-runs.ts";
import { EXPERIMENTS, insertRuns, type ModelRun, randomRun } from "./test-support/random-runs.ts";
import { matches, randomOrder, randomPredicate, sorted, written, writtenOrder } from "./test-support/random-search.ts";

// Hundreds of searches with every page walked, on two databases.
vi.setConfig({ testTimeout: 120_000 });

const SEED = 20_261_125;
const sample = (count: number, seed: number, from = 0): readonly ModelRun[] =>
  fc.sample(randomRun, { numRuns: count, seed }).map((run, place) => ({ ...run, id: `run-${from + place}` }));

await onEachDatabase((open) => {
  let database: TestDatabase;
  const runs = sample(150, SEED);
  const scope: Scope = { workspace: "w", project: "p" };
  const neighbour: Scope = { workspace: "w", project: "other" };

  beforeAll(async () => {
    database = await open();
    await insertRuns(database.store, scope, runs);
    await insertRuns(database.store, neighbour, sample(20, SEED + 1, 1_000));
  });
  afterAll(() => database.drop());

  async function allPages(search: RunSearch, limit: number, between?: () => Promise<void>, within = scope): Promise<string[]> {
    const ids: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await searchRunIds(database.store, within, { ...search, limit, cursor });
      expect(page.ids.length).toBeLessThanOrEqual(limit);
      ids.push(...page.ids);
      cursor = page.nextCursor ?? undefined;
      if (cursor !== undefined) await between?.();
    } while (cursor !== undefined);
    return ids;
  }

  const view = fc.constantFrom("active" as const, "deleted" as const, "all" as const);
  const experimentIds = fc.option(fc.subarray([...EXPERIMENTS]), { nil: undefined });
  const inView = (run: ModelRun, wanted: string, experiments: readonly string[] | undefined) =>
    (wanted === "all" || run.lifecycle === wanted) && (experiments === undefined || experiments.includes(run.experimentId));

  it("finds, in order and page by page, what a search of every run by hand finds", { timeout: 120_000 }, async () => {
    let found = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.option(randomPredicate, { nil: null }),
        randomOrder,
        view,
        experimentIds,
        fc.nat(5),
        fc.constantFrom(3, 20, 200),
        async (predicate, order, wanted, experiments, style, limit) => {
          const ids = await allPages(
            {
              filter: predicate === null ? "" : written(predicate, style),
              orderBy: writtenOrder(order, style),
              view: wanted,
              experimentIds: experiments,
            },
            limit,
          );
          const byHand = runs.filter(
            (run) => inView(run, wanted, experiments) && (predicate === null || matches(run, predicate)),
          );
          expect(ids).toEqual(sorted(byHand, order).map(({ id }) => id));
          found += ids.length;
        },
      ),
      { numRuns: 400, seed: SEED },
    );
    // Searches that find nothing would agree whatever is wrong.
    expect(found).toBeGreaterThan(5_000);
  });

  it("repeats none and leaves out none that was there throughout while others are added", { timeout: 120_000 }, async () => {
    let added = 10_000;
    let projects = 0;
    await fc.assert(
      fc.asyncProperty(randomOrder, fc.option(randomPredicate, { nil: null }), fc.nat(1_000), async (order, predicate, seed) => {
        const own: Scope = { workspace: "w", project: `adding ${(projects += 1)}` };
        await insertRuns(database.store, own, runs.slice(0, 40));
        const ids = await allPages(
          { filter: predicate === null ? "" : written(predicate, 0), orderBy: writtenOrder(order, 0) },
          7,
          async () => {
            await insertRuns(database.store, own, sample(3, seed + added, added));
            added += 3;
          },
          own,
        );
        expect(new Set(ids).size).toBe(ids.length);
        const throughout = runs
          .slice(0, 40)
          .filter((run) => run.lifecycle === "active" && (predicate === null || matches(run, predicate)));
        const before = new Set(throughout.map(({ id }) => id));
        expect(ids.filter((id) => before.has(id))).toEqual(sorted(throughout, order).map(({ id }) => id));
      }),
      { numRuns: 40, seed: SEED },
    );
  });

  describe("with so many runs that an index is gone through", () => {
    const crowd: Scope = { workspace: "w", project: "crowd" };
    const many = sample(3_500, SEED + 2).map((run, place) => ({ ...run, startedAt: run.startedAt + (place % 7) }));
    beforeAll(() => insertRuns(database.store, crowd, many));

    it.each([
      ["by start, of one experiment", [], ["1"], "", () => true],
      ["by start, of several", [], ["0", "1", "2"], "tags.a IS NOT NULL", (run: ModelRun) => run.tags.a !== undefined],
      ["by a metric", ["metrics.a DESC"], ["0", "1", "2"], "metrics.a >= 0", (run: ModelRun) => (run.metrics.a ?? -1) >= 0],
      [
        "by a metric, the missing too",
        ["metrics.a"],
        ["0", "2", "1"],
        "metrics.a != 1",
        (run: ModelRun) => run.metrics.a !== undefined && run.metrics.a !== 1,
      ],
      [
        "by a metric that is not NaN",
        ["metrics.a"],
        ["0", "1", "2"],
        "metrics.a != NaN",
        (run: ModelRun) => Number.isNaN(run.metrics.a) === false && run.metrics.a !== undefined,
      ],
      [
        "by a metric that is NaN",
        ["metrics.a DESC"],
        ["0", "1", "2"],
        "metrics.a = NaN",
        (run: ModelRun) => Number.isNaN(run.metrics.a),
      ],
      [
        "by a metric outside of bounds",
        ["metrics.a DESC"],
        ["0", "1", "2"],
        "metrics.a NOT BETWEEN 0 AND 1",
        (run: ModelRun) => run.metrics.a !== undefined && !(run.metrics.a >= 0 && run.metrics.a <= 1),
      ],
      [
        "by a metric within bounds",
        ["metrics.a DESC"],
        ["0", "1", "2"],
        "metrics.a BETWEEN 0 AND 1",
        (run: ModelRun) => run.metrics.a !== undefined && run.metrics.a >= 0 && run.metrics.a <= 1,
      ],
      [
        "by a metric that is missing",
        ["metrics.a"],
        ["0", "1", "2"],
        "metrics.a IS NULL",
        (run: ModelRun) => run.metrics.a === undefined,
      ],
      [
        "by a metric that is there",
        ["metrics.a"],
        ["0", "1", "2"],
        "metrics.a IS NOT NULL",
        (run: ModelRun) => run.metrics.a !== undefined,
      ],
      [
        "by a metric, with another that few have",
        ["metrics.a DESC"],
        ["0", "1", "2"],
        "metrics.select < 0",
        (run: ModelRun) => (run.metrics.select ?? 0) < 0,
      ],
      [
        "by start, with a metric that few have",
        [],
        ["0", "1", "2"],
        "metrics.select = 1 AND metrics.`%` > 0",
        (run: ModelRun) => run.metrics.select === 1 && (run.metrics["%"] ?? 0) > 0,
      ],
      ["by a metric, all", ["metrics.`d.o.t` DESC", "params.a"], ["0", "1", "2"], "", () => true],
    ])("finds the same %s", async (_, orderBy, experiments, filter, holds) => {
      const order = orderBy.map((term) => ({
        subject: {
          room: term.startsWith("metrics") ? ("metric" as const) : ("param" as const),
          key: term.includes("d.o.t") ? "d.o.t" : "a",
        },
        descending: term.endsWith("DESC"),
      }));
      const ids = await allPages({ filter, orderBy, experimentIds: experiments }, 400, undefined, crowd);
      expect(ids).toEqual(
        sorted(
          many.filter((run) => inView(run, "active", experiments) && holds(run)),
          order,
        ).map(({ id }) => id),
      );
    });
  });

  describe("cursors", () => {
    const search: RunSearch = { filter: "metrics.a IS NOT NULL", orderBy: ["metrics.a DESC"], view: "all", limit: 2 };
    it.each([
      ["another filter", { filter: "metrics.a IS NULL" }, "filter"],
      ["another order", { orderBy: ["metrics.a"] }, "order"],
      ["another view", { view: "active" as const }, "scope"],
      ["other experiments", { experimentIds: ["0"] }, "experiments"],
      ["other experiments and another order", { experimentIds: ["0"], orderBy: ["metrics.a"] }, "experiments"],
    ])("belong to one search: not to one with %s, which the error names", async (_, change, reason) => {
      const { nextCursor } = await searchRunIds(database.store, scope, search);
      expect(nextCursor).not.toBeNull();
      await expect(searchRunIds(database.store, scope, { ...search, ...change, cursor: nextCursor ?? "" })).rejects.toMatchObject(
        { code: "TRACKING_CURSOR_INVALID", details: { reason } },
      );
    });

    it("belong to one project", async () => {
      const { nextCursor } = await searchRunIds(database.store, scope, search);
      await expect(searchRunIds(database.store, neighbour, { ...search, cursor: nextCursor ?? "" })).rejects.toMatchObject({
        code: "TRACKING_CURSOR_INVALID",
      });
    });

    it("may go on with another limit", async () => {
      const { ids, nextCursor } = await searchRunIds(database.store, scope, search);
      const rest = await searchRunIds(database.store, scope, { ...search, cursor: nextCursor ?? "", limit: 1_000 });
      const whole = await searchRunIds(database.store, scope, { ...search, limit: 1_000 });
      expect([...ids, ...rest.ids]).toEqual(whole.ids);
    });
  });

  it.each([0, -1, 1.5, 50_001, Number.NaN, Number.POSITIVE_INFINITY])("refuses a page of %s", async (limit) => {
    await expect(searchRunIds(database.store, scope, { limit })).rejects.toMatchObject({ code: "TRACKING_LIMIT_INVALID" });
  });

  describe("SQL injection", () => {
    const ATTACKS = [
      "'; DROP TABLE runs; --",
      "' OR '1'='1",
      "') OR 1=1 --",
      '"; DELETE FROM runs; --',
      "x' UNION SELECT value FROM tags --",
      "\\'; DROP TABLE runs; --",
      "a); DELETE FROM params; (",
      "$1",
      "?",
      "`; DROP TABLE runs; `",
    ];
    const doubled = (text: string, quote: string) => `${quote}${text.replaceAll(quote, quote + quote)}${quote}`;
    const positions: readonly (readonly [string, (attack: string) => RunSearch])[] = [
      ["a value", (attack) => ({ filter: `params.a = ${doubled(attack, "'")}` })],
      ["a value in double quotes", (attack) => ({ filter: `tags.a = ${doubled(attack, '"')}` })],
      ["an attribute's value", (attack) => ({ filter: `run_name = ${doubled(attack, "'")}` })],
      ["a list", (attack) => ({ filter: `run_id IN (${doubled(attack, "'")}, 'x')` })],
      ["a pattern", (attack) => ({ filter: `params.a LIKE ${doubled(attack, "'")} OR params.a ILIKE ${doubled(attack, "'")}` })],
      ["a data set's value", (attack) => ({ filter: `dataset.context = ${doubled(attack, "'")}` })],
      ["a param's key", (attack) => ({ filter: `params.${doubled(attack, "`")} = 'x'` })],
      ["a tag's key in double quotes", (attack) => ({ filter: `tags.${doubled(attack, '"')} IS NOT NULL` })],
      ["a metric's key", (attack) => ({ filter: `metrics.${doubled(attack, "`")} > 0` })],
      ["an experiment's id", (attack) => ({ experimentIds: [attack] })],
    ];
    const unchanged = async () => {
      const counts = await Promise.all(
        (["runs", "params", "tags", "latest_metrics"] as const).map((table) =>
          database.store.db
            .selectFrom(table)
            .where("project", "=", "p")
            .select((each) => each.fn.countAll<number>().as("count"))
            .executeTakeFirstOrThrow(),
        ),
      );
      return counts.map(({ count }) => Number(count));
    };

    it.each(positions)("through %s is text like any other and finds nothing", async (_, search) => {
      const before = await unchanged();
      for (const attack of ATTACKS) expect((await searchRunIds(database.store, scope, search(attack))).ids).toEqual([]);
      expect(await unchanged()).toEqual(before);
    });

    it("through the key of an order is a key nobody has", async () => {
      const before = await unchanged();
      const { ids } = await searchRunIds(database.store, scope, { limit: 1_000 });
      for (const attack of ATTACKS)
        for (const room of ["metrics", "params", "tags"])
          expect(
            (await searchRunIds(database.store, scope, { orderBy: [`${room}.${doubled(attack, "`")} DESC`], limit: 1_000 })).ids,
          ).toEqual(ids);
      expect(await unchanged()).toEqual(before);
    });

    it.each([
      "start_time; DROP TABLE runs",
      "start_time DESC, (SELECT 1)",
      "start_time DESC NULLS LAST",
      "(SELECT value FROM tags)",
      "1",
      "runs.id",
      "started_at",
      "metrics.a) DESC; --",
      "",
    ])("through the order %s is refused", async (term) => {
      await expect(searchRunIds(database.store, scope, { orderBy: [term] })).rejects.toMatchObject({
        code: "TRACKING_ORDER_INVALID",
      });
    });

    it("through a cursor is refused", async () => {
      const search: RunSearch = { orderBy: ["metrics.a DESC"], limit: 1 };
      const { nextCursor } = await searchRunIds(database.store, scope, search);
      const [digest]: unknown[] = JSON.parse(Buffer.from(nextCursor ?? "", "base64url").toString());
      const forged = (...parts: unknown[]) => Buffer.from(JSON.stringify([digest, ...parts])).toString("base64url");
      for (const cursor of [
        forged("1; DROP TABLE runs", 0, "run-1"),
        forged(["NaN) OR (1=1"], 0, "run-1"),
        forged(1, "0) OR (1=1", "run-1"),
        forged(1, 1.5, "run-1"),
        forged(1, null, "run-1"),
        forged(1, 0, null),
        forged(1, 0, "run\0"),
        forged(1, 0),
        forged({ value: 1 }, 0, "run-1"),
        "'; DROP TABLE runs; --",
        "e30",
        "bnVsbA",
        "a".repeat(300_000),
      ])
        await expect(searchRunIds(database.store, scope, { ...search, cursor })).rejects.toMatchObject({
          code: "TRACKING_CURSOR_INVALID",
        });
      // A position of the right shape is a place in this order and nothing more.
      const { ids } = await searchRunIds(database.store, scope, { ...search, cursor: forged(0, 0, "' OR '1'='1"), limit: 1_000 });
      const { ids: all } = await searchRunIds(database.store, scope, { ...search, limit: 1_000 });
      expect(all).toEqual(expect.arrayContaining([...ids]));
    });
  });

  it("answers the largest filter it accepts", async () => {
    const comparisons = Array.from(
      { length: 256 },
      (_, place) => `params.k${place} ${place % 2 === 0 ? "IS NULL" : "NOT ILIKE '%x%'"}`,
    );
    const deep = `${"(NOT ".repeat(32)}metrics.a > 0${")".repeat(32)}`;
    const listed = `run_id NOT IN (${Array.from({ length: 10_000 }, (_, place) => `'${place}'`).join(",")})`;
    for (const filter of [comparisons.join(" OR "), comparisons.join(" AND "), deep, listed])
      expect(Array.isArray((await searchRunIds(database.store, scope, { filter })).ids)).toBe(true);
  });
});
