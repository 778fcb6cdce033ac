import { describe, expect, test } from "vitest";
import { onEachDatabase } from "../../../test/fixtures/databases.ts";
import { approval, metric } from "../definitions/index.ts";
import type { Actor } from "../scope.ts";
import { HOUR } from "../time.ts";
import { evaluateGates, type GateVerdict } from "./index.ts";
import { anna, ben, registryForTests, start } from "./test-support/open-registry.ts";

const measured = (passed: boolean | null): GateVerdict => ({
  criterion: metric("roc_auc").atLeast(0.7),
  text: "ROC AUC at least 0.7",
  passed,
  observed: 0.72,
  required: 0.7,
  detail: "",
});
const evaluation = { rows: 1, positives: 1, days: 1, threshold: 0.5, metrics: {} };
/** As a pipeline judges it: with facts, but before people were asked. */
const asked = (criterion = approval({ by: "operator" })): GateVerdict[] =>
  evaluateGates([criterion], {
    target: "binary",
    evaluation,
    baseline: evaluation,
    alternative: null,
    champion: null,
    segments: [],
    latencyMs: null,
  });

await onEachDatabase((open) => {
  const under = registryForTests(open);
  const gate = async (verdicts: readonly GateVerdict[]) => {
    await under.registry.register("late", { runId: "a", artifact: "1" }, anna);
    return under.registry.saveGate({ model: "late", version: 1, championVersion: null, testSet: "november", verdicts });
  };
  const say = (what: "approve" | "decline", actor: Actor, roles: readonly string[], reason = "seen") =>
    under.registry[what]({ model: "late", version: 1, actor, roles, reason });
  const promote = (gateId?: string) =>
    under.registry.promote({
      model: "late",
      alias: "champion",
      version: 1,
      actor: anna,
      reason: "good",
      idempotencyKey: `p ${gateId}`,
      ...(gateId !== undefined && { gateId }),
    });

  describe("a gate that asks for approval", () => {
    test("waits, and then is passed", async () => {
      const { id, state, passed, verdicts } = await gate([measured(true), ...asked()]);
      expect({ state, passed }).toEqual({ state: "waiting", passed: false });
      expect(verdicts[1]).toMatchObject({
        text: "approval by one person with the role operator",
        passed: null,
        observed: 0,
        required: 1,
        detail: "waits: 0 of 1 have approved",
      });
      for (const gateId of [id, undefined])
        await expect(promote(gateId)).rejects.toMatchObject({ code: "REGISTRY_APPROVAL_MISSING", kind: "conflict" });
      expect(await under.registry.promotions("late")).toEqual([]);
      under.clock.advanceTo(start + HOUR);
      expect(await say("approve", ben, ["operator"], "looked at the card")).toEqual({
        id: expect.stringMatching(/^approval-/),
        model: "late",
        version: 1,
        decision: "approved",
        roles: ["operator"],
        at: start + HOUR,
        actor: "user:ben",
        reason: "looked at the card",
      });
      const now = await under.registry.gate(id);
      expect(now).toMatchObject({ state: "passed", passed: true });
      expect(now.verdicts[1]).toMatchObject({ passed: true, observed: 1, detail: "approved by user:ben (looked at the card)" });
      expect(await promote(id)).toMatchObject({ decision: "promoted", gateId: id });
    });

    test("is failed where something measured has failed, whatever people say", async () => {
      for (const passed of [false, null]) {
        const { id, state } = await gate([measured(passed), ...asked()]);
        expect(state).toBe("failed");
        await say("approve", ben, ["operator"]);
        expect((await under.registry.gate(id)).state).toBe("failed");
        await expect(promote(id)).rejects.toMatchObject({ code: "REGISTRY_GATE_NOT_PASSED" });
        await under.registry.deleteModel("late");
      }
    });

    test("needs as many people as it says, and counts nobody twice", async () => {
      const { id } = await gate([measured(true), ...asked(approval({ by: "operator", count: 2 }))]);
      await say("approve", ben, ["operator"]);
      await say("approve", ben, ["operator"]);
      expect((await under.registry.gate(id)).verdicts[1]).toMatchObject({ passed: null, observed: 1, required: 2 });
      await say("approve", anna, ["admin"]);
      expect((await under.registry.gate(id)).passed).toBe(true);
    });

    test("counts only the role it names, and admins; without roles it counts everybody", async () => {
      const { id } = await gate([...asked(), ...asked(approval({ by: "data-scientist" }))]);
      for (const role of ["viewer", "software-engineer"])
        await expect(say("approve", ben, [role])).rejects.toMatchObject({ code: "REGISTRY_APPROVAL_DENIED", kind: "denied" });
      await expect(say("decline", ben, ["viewer"])).rejects.toMatchObject({ code: "REGISTRY_APPROVAL_DENIED" });
      await say("approve", ben, ["data-scientist", "viewer"]);
      expect((await under.registry.gate(id)).verdicts.map(({ passed }) => passed)).toEqual([null, true]);
      await say("approve", anna, []);
      expect((await under.registry.gate(id)).passed).toBe(true);
      expect(await under.registry.approvals("late", 1)).toMatchObject([{ roles: [] }, { roles: ["data-scientist", "viewer"] }]);
      expect(await under.registry.approvals("late", 2)).toEqual([]);
    });

    test("is failed by one word against it, until who said it takes it back", async () => {
      const { id } = await gate([measured(true), ...asked()]);
      await say("approve", anna, ["operator"]);
      await say("decline", ben, ["operator"], "too many alarms");
      const declined = await under.registry.gate(id);
      expect(declined.state).toBe("failed");
      expect(declined.verdicts[1]).toMatchObject({ passed: false, detail: "declined by user:ben (too many alarms)" });
      for (const gateId of [id, undefined])
        await expect(promote(gateId)).rejects.toMatchObject({ code: "REGISTRY_APPROVAL_DECLINED", kind: "conflict" });
      await say("approve", anna, ["operator"]);
      await expect(promote(id)).rejects.toMatchObject({ code: "REGISTRY_APPROVAL_DECLINED" });
      await say("approve", ben, ["operator"]);
      expect(await promote(id)).toMatchObject({ decision: "promoted" });
    });

    test("does not hold up an alias that answers no requests", async () => {
      await gate([measured(true), ...asked()]);
      const request = { model: "late", alias: "candidate", version: 1, actor: anna, reason: "to try" };
      expect(await under.registry.setAlias(request)).toMatchObject({ decision: "promoted" });
    });
  });

  test("a word needs a reason and a version that is there", async () => {
    await gate([measured(true)]);
    await expect(say("approve", ben, [], " ")).rejects.toMatchObject({ code: "REGISTRY_REASON_MISSING" });
    await expect(say("approve", ben, [], "\0")).rejects.toMatchObject({ code: "REGISTRY_TEXT_INVALID" });
    await expect(under.registry.approve({ model: "late", version: 2, actor: ben, roles: [], reason: "r" })).rejects.toMatchObject(
      { code: "REGISTRY_VERSION_UNKNOWN" },
    );
    await under.registry.deleteVersion("late", 1, anna);
    await expect(say("decline", ben, [])).rejects.toMatchObject({ code: "REGISTRY_VERSION_UNKNOWN" });
  });

  test("a version that nobody asked about may be approved all the same", async () => {
    await gate([measured(true)]);
    await say("approve", ben, ["viewer"]);
    expect(await under.registry.approvals("late")).toHaveLength(1);
  });
});
