import { beforeEach, describe, expect, test } from "vitest";
import { onEachDatabase } from "../../../test/fixtures/databases.ts";
import { metric } from "../definitions/index.ts";
import { HOUR } from "../time.ts";
import type { GateVerdict, Registry } from "./index.ts";
import { anna, registryForTests, start } from "./test-support/open-registry.ts";

await onEachDatabase((open) => {
  const under = registryForTests(open);
  const register = (run: string, model = "late") =>
    under.registry.register(model, { runId: run, artifact: `sha of ${run}` }, anna);
  const promote = (version: number, more: Partial<Parameters<Registry["promote"]>[0]> = {}) =>
    under.registry.promote({
      model: "late",
      alias: "champion",
      version,
      actor: anna,
      reason: "better",
      idempotencyKey: `promote ${version}`,
      ...more,
    });
  const verdicts = (passed: boolean | null): GateVerdict[] => [
    {
      criterion: metric("roc_auc").atLeast(0.7),
      text: "ROC AUC at least 0.7",
      passed,
      observed: 0.72,
      required: 0.7,
      detail: "",
    },
  ];

  describe("versions", () => {
    test("count up from one for each model, and registering the same run and artifact again adds none", async () => {
      expect([await register("a"), await register("b"), await register("a"), await register("a", "other")]).toEqual([1, 2, 1, 1]);
      expect((await under.registry.versions("late")).map(({ version }) => version)).toEqual([2, 1]);
      expect(await under.registry.version("late", 1)).toMatchObject({
        runId: "a",
        artifact: "sha of a",
        actor: "user:anna",
        createdAt: start,
        aliases: [],
      });
    });

    test("that are registered at once get different numbers", async () => {
      const versions = await Promise.all(Array.from({ length: 10 }, (_, run) => register(`run ${run}`)));
      expect(versions.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    });

    test("of an unknown model or number are not found, and names are checked", async () => {
      await register("a");
      await expect(under.registry.version("late", 2)).rejects.toMatchObject({
        code: "REGISTRY_VERSION_UNKNOWN",
        kind: "not-found",
      });
      await expect(under.registry.model("none")).rejects.toMatchObject({ code: "REGISTRY_MODEL_UNKNOWN" });
      expect(await under.registry.versions("none")).toEqual([]);
      for (const name of ["", " ", "a/b", "a:b", "../up", "..up", ".", "a\nb"])
        await expect(under.registry.register(name, { runId: "a", artifact: "b" }, anna)).rejects.toMatchObject({
          code: "REGISTRY_NAME_INVALID",
        });
    });
  });

  describe("promotions", () => {
    beforeEach(async () => {
      for (const run of ["a", "b", "c"]) await register(run);
    });

    test("move the alias and say who, when, from, to and why", async () => {
      await promote(1, { reason: "first" });
      under.clock.advanceTo(start + HOUR);
      await promote(2, { reason: "better by 0.02" });
      expect(await under.registry.aliases("late")).toEqual({ champion: 2 });
      expect((await under.registry.byAlias("late", "champion"))?.aliases).toEqual(["champion"]);
      expect(await under.registry.byAlias("late", "challenger")).toBeNull();
      expect(await under.registry.promotions("late")).toMatchObject([
        {
          fromVersion: 1,
          toVersion: 2,
          decision: "promoted",
          at: start + HOUR,
          actor: "user:anna",
          reason: "better by 0.02",
          gateId: null,
        },
        { fromVersion: null, toVersion: 1, decision: "promoted", at: start, reason: "first" },
      ]);
      expect((await under.registry.models()).map(({ aliases }) => aliases)).toEqual([{ champion: 2 }]);
    });

    test("happen once for a key, however often and however close together they are sent", async () => {
      const [first, ...again] = await Promise.all(Array.from({ length: 6 }, () => promote(1)));
      for (const each of again) expect(each).toEqual(first);
      await promote(2);
      // Sent again after the alias has moved on: it does not move back.
      expect(await promote(1)).toEqual(first);
      expect(await under.registry.aliases("late")).toEqual({ champion: 2 });
      expect(await under.registry.promotions("late")).toHaveLength(2);
    });

    test("refuse a key that decided something else", async () => {
      await promote(1, { idempotencyKey: "k" });
      const reused = { code: "REGISTRY_KEY_REUSED", kind: "conflict" };
      await expect(promote(2, { idempotencyKey: "k" })).rejects.toMatchObject(reused);
      await expect(promote(1, { idempotencyKey: "k", alias: "challenger" })).rejects.toMatchObject(reused);
      expect(await under.registry.aliases("late")).toEqual({ champion: 1 });
    });

    test("of a version that is not there, or without a reason, change nothing", async () => {
      await expect(promote(9)).rejects.toMatchObject({ code: "REGISTRY_VERSION_UNKNOWN" });
      await expect(promote(1, { model: "none" })).rejects.toMatchObject({ code: "REGISTRY_VERSION_UNKNOWN" });
      await expect(promote(1, { reason: " " })).rejects.toMatchObject({
        code: "REGISTRY_REASON_MISSING",
      });
      expect(await under.registry.promotions("late")).toEqual([]);
    });

    test("a rejection is kept and leaves the alias", async () => {
      await promote(1);
      const request = {
        model: "late",
        alias: "champion",
        version: 2,
        actor: anna,
        reason: "worse by carrier",
        idempotencyKey: "r",
      };
      await under.registry.reject(request);
      await under.registry.reject(request);
      expect(await under.registry.aliases("late")).toEqual({ champion: 1 });
      expect((await under.registry.promotions("late"))[0]).toMatchObject({ decision: "rejected", fromVersion: 1, toVersion: 2 });
      expect(await under.registry.promotions("late")).toHaveLength(2);
    });

    test("roll back one version at a time, past rejections and rollbacks, and not further than the first", async () => {
      for (const version of [1, 2, 3]) await promote(version);
      await under.registry.reject({
        model: "late",
        alias: "champion",
        version: 1,
        actor: anna,
        reason: "no",
        idempotencyKey: "r",
      });
      const rollback = (key: string) =>
        under.registry.rollback({ model: "late", alias: "champion", actor: anna, reason: "late alarms", idempotencyKey: key });
      const target = (idempotencyKey: string) =>
        under.registry.rollbackTarget({ model: "late", alias: "champion", idempotencyKey });
      expect(await target("x")).toBe(2);
      expect(await rollback("x")).toMatchObject({ decision: "rolled-back", fromVersion: 3, toVersion: 2 });
      expect(await rollback("x")).toMatchObject({ fromVersion: 3, toVersion: 2 });
      expect([await target("x"), await target("y")]).toEqual([2, 1]);
      expect(await rollback("y")).toMatchObject({ fromVersion: 2, toVersion: 1 });
      await expect(rollback("z")).rejects.toMatchObject({ code: "REGISTRY_NOTHING_TO_ROLL_BACK" });
      expect(await target("z")).toBeNull();
      await promote(3, { idempotencyKey: "again" });
      expect(await rollback("z")).toMatchObject({ fromVersion: 3, toVersion: 1 });
      await expect(
        under.registry.rollback({ model: "late", alias: "none", actor: anna, reason: "r", idempotencyKey: "n" }),
      ).rejects.toMatchObject({ code: "REGISTRY_ALIAS_UNKNOWN" });
    });
  });

  describe("gates", () => {
    beforeEach(async () => {
      for (const run of ["a", "b", "c"]) await register(run);
    });
    const subject = (version: number, testSet = "november", championVersion: number | null = null) => ({
      model: "late",
      version,
      championVersion,
      testSet,
    });

    test("open the test rows once for a version", async () => {
      let opened = 0;
      const judge = (passed: boolean) => async () => {
        opened += 1;
        return verdicts(passed);
      };
      const first = await under.registry.openGate(subject(1), judge(false));
      expect(first).toMatchObject({ passed: false, championVersion: null, openedAt: start, verdicts: verdicts(false) });
      expect(await under.registry.openGate(subject(1), judge(true))).toEqual(first);
      expect(await under.registry.saveGate({ ...subject(1), verdicts: verdicts(true) })).toEqual(first);
      expect(opened).toBe(1);
      await under.registry.openGate(subject(1, "december"), judge(true));
      await under.registry.openGate(subject(2), judge(true));
      expect(opened).toBe(3);
      expect(await under.registry.gates("late")).toHaveLength(3);
      expect(await under.registry.gates("late", 1)).toHaveLength(2);
    });

    test("an undefined criterion does not pass", async () => {
      expect((await under.registry.saveGate({ ...subject(1), verdicts: verdicts(null) })).passed).toBe(false);
    });

    test("of a version that is not there are refused before anything is judged", async () => {
      const judged = under.registry.openGate(subject(9), () => Promise.reject(new Error("must not be asked")));
      await expect(judged).rejects.toMatchObject({ code: "REGISTRY_VERSION_UNKNOWN" });
      await expect(under.registry.gate("gate-none")).rejects.toMatchObject({ code: "REGISTRY_GATE_UNKNOWN" });
    });

    test("let only their own version through, only when passed, and only against the champion of now", async () => {
      const failed = await under.registry.saveGate({ ...subject(1), verdicts: verdicts(false) });
      await expect(promote(1, { gateId: failed.id })).rejects.toMatchObject({ code: "REGISTRY_GATE_NOT_PASSED" });
      const passed = await under.registry.saveGate({ ...subject(2), verdicts: verdicts(true) });
      await expect(promote(1, { gateId: passed.id })).rejects.toMatchObject({ code: "REGISTRY_GATE_UNKNOWN" });
      await promote(3);
      await expect(promote(2, { gateId: passed.id })).rejects.toMatchObject({ code: "REGISTRY_GATE_STALE", kind: "conflict" });
      const now = await under.registry.saveGate({ ...subject(2, "december", 3), verdicts: verdicts(true) });
      expect(await promote(2, { gateId: now.id })).toMatchObject({ gateId: now.id, fromVersion: 3, toVersion: 2 });
    });
  });
});
