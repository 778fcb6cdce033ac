import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  champion,
  deploy,
  ENDPOINT,
  hashOf,
  instance,
  LATE_RATES,
  materializeInto,
  modelOf,
  plan,
  probabilityOf,
  SCOPE,
  type StateFolder,
  stateFolder,
  UNTIL,
} from "../../../test/fixtures/served-endpoint.ts";
import { openLmdb } from "../../adapters/online/lmdb.ts";
import { type Clock, type EventLog, type OnlineStore, systemClock, VirtualClock } from "../ports/index.ts";
import { HOUR } from "../time.ts";
import { packModel } from "../training/index.ts";
import { modelFile } from "./deployment.ts";
import { createEndpointRuntime } from "./endpoint-runtime.ts";
import type { PredictionRecord } from "./prediction-record.ts";

let store: StateFolder;
let online: OnlineStore;
let folder: StateFolder;
beforeAll(async () => {
  store = stateFolder();
  online = openLmdb(store.online);
  await materializeInto(online);
});
afterAll(async () => {
  await online.close();
  store.remove();
});
beforeEach(() => {
  folder = stateFolder();
});
afterEach(() => folder.remove());

const AT = { at: UNTIL, traceId: null };

function runtimeOf(changes: { clock?: Clock; online?: OnlineStore } = {}) {
  const records: PredictionRecord[] = [];
  const revisions: [number, string | null][] = [];
  const log: EventLog = {
    append: (record) => void records.push(record as PredictionRecord),
    flushed: async () => undefined,
    close: async () => undefined,
  };
  const runtime = createEndpointRuntime({
    endpoint: ENDPOINT,
    directory: folder.deployment,
    online,
    scope: SCOPE,
    log,
    clock: systemClock,
    onRevision: (revision, problem) => void revisions.push([revision, problem?.code ?? null]),
    ...changes,
  });
  return { runtime, records, revisions };
}

const logged = () => new Promise((resolve) => setImmediate(resolve));

describe("an endpoint's runtime", () => {
  it("answers with the model's own figures, in the order asked", async () => {
    deploy(folder, 1, [champion(3, -1)]);
    const { runtime } = runtimeOf();
    await runtime.follow();
    const answers = await runtime.predict([instance("UA", 3), instance("AA", 20), instance("ZZ", 5)], AT);
    const expected = [
      [LATE_RATES.UA, 3, []],
      [LATE_RATES.AA, 20, []],
      [0, 5, ["carrier_recent"]],
    ] as const;
    expected.forEach(([rate, hour, missing], i) => {
      const probability = probabilityOf(-1, rate, hour);
      expect(answers[i].probability).toBeCloseTo(probability, 12);
      expect(answers[i]).toMatchObject({ decision: probability >= 0.5, modelVersion: 3, alias: "champion", missing });
    });
    expect(answers.map(({ id }) => id)).toEqual(answers.map(({ id }) => id).sort());
    expect(new Set(answers.map(({ id }) => id)).size).toBe(3);
  });

  it("logs after answering everything that led to the answer, and only what the model takes", async () => {
    const spec = deploy(folder, 4, [champion(3, -1)]);
    const { runtime, records } = runtimeOf();
    await runtime.follow();
    const asked = instance("UA", 3, { reference: "UA|1", secret: "not the model's business" });
    const [answer] = await runtime.predict([asked], { at: UNTIL + HOUR, traceId: "a".repeat(32) });
    expect(records).toEqual([]);
    await logged();
    const { probability, decision, id } = answer;
    expect(records).toEqual([
      {
        id,
        endpoint: ENDPOINT,
        at: UNTIL + HOUR,
        receivedAt: expect.any(Number),
        reference: "UA|1",
        keys: { carrier: "UA" },
        request: { scheduled: "2013-07-01T03:30:00Z" },
        features: { "carrier_recent.late_rate": 0.25, "on-demand.hour": 3 },
        score: expect.closeTo(-1 + 0.5 + 0.3, 12),
        probability,
        decision,
        version: 3,
        alias: "champion",
        artifact: spec.routes[0].artifact,
        revision: 4,
        missing: [],
        materialized: { carrier_recent: UNTIL },
        latencyUs: { read: expect.any(Number), predict: expect.any(Number), total: expect.any(Number) },
        traceId: "a".repeat(32),
      },
    ]);
    expect(Math.abs(records[0].receivedAt - systemClock.now())).toBeLessThan(HOUR);
  });

  it("keeps a canary's share over many requests, the same thing with the same model, and logs who answered", async () => {
    deploy(folder, 1, [champion(1, -1, 0.8), { ...champion(2, 1, 0.2), alias: "challenger" }]);
    const { runtime, records } = runtimeOf();
    await runtime.follow();
    const asked = Array.from({ length: 1_000 }, (_, i) => instance("UA", i % 24, { reference: `UA|${i}` }));
    const answers = await runtime.predict(asked, AT);
    const again = await runtime.predict(asked, AT);
    expect(again.map(({ alias }) => alias)).toEqual(answers.map(({ alias }) => alias));
    const share = answers.filter(({ alias }) => alias === "challenger").length / 1_000;
    expect(Math.abs(share - 0.2)).toBeLessThan(4 * Math.sqrt((0.2 * 0.8) / 1_000));
    answers.forEach(({ modelVersion, probability }, i) => {
      expect(probability).toBeCloseTo(probabilityOf(modelVersion === 1 ? -1 : 1, 0.25, i % 24), 12);
    });
    await logged();
    const versions = new Map(records.map(({ id, version }) => [id, version]));
    expect(answers.map(({ id }) => versions.get(id))).toEqual(answers.map(({ modelVersion }) => modelVersion));
  });

  it("gives a model that was there alone only its share of the next revision", async () => {
    deploy(folder, 1, [champion(1, -1)]);
    const { runtime } = runtimeOf();
    await runtime.follow();
    deploy(folder, 2, [champion(1, -1, 0.5), { ...champion(2, 1, 0.5), alias: "challenger" }]);
    await runtime.follow();
    const many = Array.from({ length: 200 }, (_, i) => ({ ...instance("UA", 3), reference: `r${i}` }));
    const versions = (await runtime.predict(many, AT)).map(({ modelVersion }) => modelVersion);
    expect(new Set(versions)).toEqual(new Set([1, 2]));
  });

  it("takes up a new revision, and lets what is under way finish on the old one", async () => {
    deploy(folder, 1, [champion(1, 0)]);
    const { runtime, revisions } = runtimeOf();
    await runtime.follow();
    const many = Array.from({ length: 500 }, () => instance("UA", 3));
    const underWay = runtime.predict(many, AT);
    deploy(folder, 2, [champion(2, 1)]);
    await runtime.follow();
    const [after] = await runtime.predict([instance("UA", 3)], AT);
    expect(after.modelVersion).toBe(2);
    expect(new Set((await underWay).map(({ modelVersion }) => modelVersion))).toEqual(new Set([1]));
    expect(revisions).toEqual([
      [1, null],
      [2, null],
    ]);
  });

  it("goes back when the pointer does", async () => {
    deploy(folder, 1, [champion(1, 0)]);
    deploy(folder, 2, [champion(2, 1)]);
    const { runtime } = runtimeOf();
    await runtime.follow();
    writeFileSync(join(folder.deployment, "current"), "1");
    await runtime.follow();
    expect(runtime.revision?.revision).toBe(1);
  });

  it("waits on a virtual clock for the moment from which a revision counts", async () => {
    const clock = new VirtualClock(UNTIL);
    deploy(folder, 1, [champion(1, 0)]);
    const { runtime } = runtimeOf({ clock });
    await runtime.follow();
    deploy(folder, 2, [champion(2, 1)], { at: UNTIL + HOUR });
    await runtime.follow();
    const versionAt = async (at: number) => (await runtime.predict([instance("UA", 3)], { ...AT, at }))[0].modelVersion;
    expect(await versionAt(UNTIL + HOUR - 1)).toBe(1);
    expect(await versionAt(UNTIL + HOUR)).toBe(2);
  });
});

describe("a revision that cannot be served", () => {
  const breakages: [string, () => void, string][] = [
    ["half written", () => writeFileSync(join(folder.deployment, "revision-000002.json"), "{"), "SERVING_DEPLOYMENT_BROKEN"],
    [
      "with a damaged model",
      () => writeFileSync(modelFile(folder.deployment, hashOf(packModel(modelOf(1)))), "x"),
      "SERVING_DEPLOYMENT_BROKEN",
    ],
    ["without its model", () => rmSync(modelFile(folder.deployment, hashOf(packModel(modelOf(1))))), "SERVING_DEPLOYMENT_BROKEN"],
  ];

  it.each(breakages)("because it is %s leaves the old one serving, and is told once", async (_, damage, code) => {
    deploy(folder, 1, [champion(1, 0)]);
    const { runtime, revisions } = runtimeOf();
    await runtime.follow();
    deploy(folder, 2, [champion(2, 1)]);
    damage();
    for (let look = 0; look < 3; look++) await runtime.follow();
    expect((await runtime.predict([instance("UA", 3)], AT))[0].modelVersion).toBe(1);
    expect(runtime.problem?.code).toBe(code);
    expect(revisions).toEqual([
      [1, null],
      [2, code],
    ]);
    deploy(folder, 3, [champion(3, 2)]);
    await runtime.follow();
    expect([runtime.revision?.revision, runtime.problem]).toEqual([3, null]);
  });

  it.each(breakages)("because it is %s gives way to the last good one at the start", async (_, damage, code) => {
    deploy(folder, 1, [champion(1, 0)]);
    deploy(folder, 2, [champion(2, 1)]);
    damage();
    const { runtime } = runtimeOf();
    await runtime.follow();
    expect([runtime.revision?.revision, runtime.problem?.code]).toEqual([1, code]);
  });

  it("because it is another endpoint's, or a rule that only SQL can evaluate, is refused", async () => {
    deploy(folder, 1, [champion(1, 0)], { endpoint: "other" });
    const { runtime, revisions } = runtimeOf();
    await runtime.follow();
    const rule = modelOf(0, { estimator: { kind: "rule", condition: "true" } });
    deploy(folder, 2, [{ alias: "champion", version: 2, share: 1, model: rule }]);
    await runtime.follow();
    expect(runtime.revision).toBeNull();
    expect(revisions.map(([, code]) => code)).toEqual(
      expect.arrayContaining(["SERVING_DEPLOYMENT_BROKEN", "TRAIN_RULE_NOT_SERVABLE"]),
    );
  });

  it("because its views are not materialized is taken up once they are", async () => {
    const empty = openLmdb(folder.online);
    deploy(folder, 1, [champion(1, 0)]);
    const { runtime } = runtimeOf({ online: empty });
    await runtime.follow();
    await expect(runtime.predict([instance("UA", 3)], AT)).rejects.toMatchObject({
      code: "SERVING_NOT_DEPLOYED",
      kind: "unavailable",
      details: { cause: "FEATURE_VIEW_NOT_MATERIALIZED" },
    });
    await materializeInto(empty);
    await expect.poll(() => runtime.follow().then(() => runtime.revision?.revision), { timeout: 3_000 }).toBe(1);
    await empty.close();
  });

  it("is nothing at all before the first deployment", async () => {
    const { runtime } = runtimeOf();
    await runtime.follow();
    expect([runtime.revision, runtime.problem]).toEqual([null, null]);
    await expect(runtime.predict([instance("UA", 3)], AT)).rejects.toMatchObject({ code: "SERVING_NOT_DEPLOYED" });
    expect(() => runtime.plan()).toThrow(/Nothing is deployed/);
  });
});

describe("a request", () => {
  it.each([
    ["a field of the wrong type", { ...instance("UA", 3), carrier: 7 }, "carrier"],
    ["no key", { scheduled: "2013-07-01T03:30:00Z" }, "carrier"],
    ["no request field", { carrier: "UA" }, "scheduled"],
    ["a time that is none", { carrier: "UA", scheduled: "yesterday" }, "scheduled"],
    ["an object for a key", { ...instance("UA", 3), carrier: { deep: {} } }, "carrier"],
    ["a reference that is no string", { ...instance("UA", 3), reference: 7 }, "reference"],
    ["an endless reference", { ...instance("UA", 3), reference: "x".repeat(2_000) }, "reference"],
  ])("with %s is refused by its path, and nothing is logged", async (_, asked, field) => {
    deploy(folder, 1, [champion(1, 0, 0.5), { ...champion(2, 1, 0.5), alias: "challenger" }]);
    const { runtime, records } = runtimeOf();
    await runtime.follow();
    await expect(runtime.predict([instance("UA", 3), asked], AT)).rejects.toMatchObject({
      code: "SERVING_REQUEST_INVALID",
      kind: "invalid",
      details: { issues: [{ path: ["instances", 1, field], message: expect.any(String) }] },
    });
    await logged();
    expect(records).toEqual([]);
  });

  it("may leave keys and fields null: features are null, and the view is named", async () => {
    deploy(folder, 1, [champion(1, 0)]);
    const { runtime, records } = runtimeOf();
    await runtime.follow();
    const [answer] = await runtime.predict([{ carrier: null, scheduled: null, reference: null }], AT);
    expect(answer).toMatchObject({ missing: ["carrier_recent"], probability: 0.5, decision: true });
    await logged();
    expect(records[0].features).toEqual({ "carrier_recent.late_rate": null, "on-demand.hour": null });
  });

  it("at a time before what the online store holds is refused, not answered wrongly", async () => {
    deploy(folder, 1, [champion(1, 0)]);
    const { runtime } = runtimeOf();
    await runtime.follow();
    const early = runtime.predict([instance("UA", 3)], { ...AT, at: UNTIL - 48 * HOUR });
    await expect(early).rejects.toMatchObject({ code: "FEATURE_READ_TOO_EARLY" });
  });

  it("takes what the plan says", async () => {
    deploy(folder, 1, [champion(1, 0)]);
    const { runtime } = runtimeOf();
    await runtime.follow();
    expect(runtime.plan()).toEqual(plan);
  });
});
