import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  champion,
  deploy,
  ENDPOINT,
  hashOf,
  modelOf,
  type StateFolder,
  stateFolder,
} from "../../../test/fixtures/served-endpoint.ts";
import { packModel } from "../training/index.ts";
import { listRevisions, modelFile, readCurrent, readRevision, readServed, writeDeployment } from "./deployment.ts";

let folder: StateFolder;
beforeEach(() => {
  folder = stateFolder();
});
afterEach(() => folder.remove());

const refusal = (act: () => unknown): unknown => {
  try {
    return act();
  } catch (error) {
    return error;
  }
};

describe("a deployment", () => {
  it("stands in its folder with its models, and the pointer names it", () => {
    expect([readCurrent(folder.deployment), listRevisions(folder.deployment)]).toEqual([null, []]);
    const first = deploy(folder, 1, [champion(1, 0)]);
    const second = deploy(folder, 2, [champion(1, 0, 0.9), { ...champion(2, 1, 0.1), alias: "challenger" }]);
    expect(readCurrent(folder.deployment)).toEqual(second);
    expect(readRevision(folder.deployment, 1)).toEqual(first);
    expect(listRevisions(folder.deployment)).toEqual([2, 1]);
    for (const { artifact } of second.routes) expect(existsSync(modelFile(folder.deployment, artifact))).toBe(true);
    expect(readdirSync(folder.deployment).filter((name) => name.endsWith(".new"))).toEqual([]);
  });

  it("can be written again, also from a resumed run under the same key, and changes nothing", () => {
    const first = deploy(folder, 1, [champion(1, 0)], { idempotencyKey: "run-1" });
    expect(deploy(folder, 1, [champion(1, 0)], { idempotencyKey: "run-1" })).toEqual(first);
    expect(deploy(folder, 2, [champion(1, 0)], { idempotencyKey: "run-1", reason: "resumed" })).toEqual(first);
    const second = deploy(folder, 2, [champion(2, 1)]);
    expect(deploy(folder, 1, [champion(1, 0)], { idempotencyKey: "run-1" })).toEqual(first);
    expect([readCurrent(folder.deployment), listRevisions(folder.deployment)]).toEqual([second, [2, 1]]);
  });

  it("may be answering beside the one before it until it counts", () => {
    expect(readServed(folder.deployment, 0)).toEqual([]);
    const first = deploy(folder, 1, [champion(1, 0)], { at: 10 });
    const second = deploy(folder, 2, [champion(2, 1)], { at: 20 });
    expect(readServed(folder.deployment, 15)).toEqual([second, first]);
    expect(readServed(folder.deployment, 20)).toEqual([second]);
    expect(readServed(folder.deployment, 5)).toEqual([second, first]);
  });

  it("is never replaced by another under its number, or put before a later one", () => {
    deploy(folder, 2, [champion(1, 0)]);
    for (const revision of [1, 2]) {
      expect(refusal(() => deploy(folder, revision, [champion(2, 1)]))).toMatchObject({ code: "SERVING_REVISION_CONFLICT" });
    }
    expect(listRevisions(folder.deployment)).toEqual([2]);
  });

  it.each([
    ["no routes", { routes: [] }],
    ["shares that do not add up", { routes: [{ alias: "champion", version: 1, artifact: "0".repeat(64), share: 0.9 }] }],
    ["a negative share", { routes: [-0.5, 1.5].map((share) => ({ alias: "a", version: 1, artifact: "0".repeat(64), share })) }],
    ["an artifact that could be a path", { routes: [{ alias: "champion", version: 1, artifact: "../../etc/passwd", share: 1 }] }],
    ["revision 0", { revision: 0 }],
  ])("is refused with %s, and nothing is written", (_, changes) => {
    expect(refusal(() => deploy(folder, 1, [champion(1, 0)], changes))).toMatchObject({ code: "SERVING_DEPLOYMENT_INVALID" });
    expect(existsSync(folder.deployment)).toBe(false);
  });

  it("is refused when a model is missing or is not what its hash says; a path is as good as bytes", () => {
    const bytes = packModel(modelOf(0));
    const spec = {
      formatVersion: 1,
      endpoint: ENDPOINT,
      revision: 1,
      scope: { workspace: "default", project: "flights" },
      routes: [{ alias: "champion", version: 1, artifact: hashOf(bytes), share: 1 }],
      at: 0,
      reason: "test",
    } as const;
    for (const models of [new Map(), new Map([[hashOf(bytes), new Uint8Array(3)]])]) {
      expect(refusal(() => writeDeployment(folder.deployment, spec, models))).toMatchObject({
        code: "SERVING_DEPLOYMENT_INVALID",
      });
      expect(readCurrent(folder.deployment)).toBeNull();
    }
    const path = join(folder.directory, "model");
    writeFileSync(path, bytes);
    writeDeployment(folder.deployment, spec, new Map([[hashOf(bytes), path]]));
    expect(hashOf(readFileSync(modelFile(folder.deployment, hashOf(bytes))))).toBe(hashOf(bytes));
  });

  it.each([
    ["half written", '{"formatVersion":1,"rev'],
    ["of a later format", '{"formatVersion":2,"revision":2,"routes":[{}]}'],
    ["another one's content", '{"formatVersion":1,"revision":7,"routes":[]}'],
    ["no object", "null"],
    ["empty", ""],
  ])("that is %s leaves the one before it current, and can be deployed again", (_, content) => {
    const first = deploy(folder, 1, [champion(1, 0)]);
    deploy(folder, 2, [champion(2, 1)]);
    writeFileSync(join(folder.deployment, "revision-000002.json"), content);
    expect(readCurrent(folder.deployment)).toEqual(first);
    expect(refusal(() => readRevision(folder.deployment, 2))).toMatchObject({ code: "SERVING_DEPLOYMENT_BROKEN" });
    const repaired = deploy(folder, 2, [champion(3, 2)]);
    expect(readCurrent(folder.deployment)).toEqual(repaired);
  });

  it("is found without its pointer's help when the pointer is damaged", () => {
    const first = deploy(folder, 1, [champion(1, 0)]);
    writeFileSync(join(folder.deployment, "current"), "\0\0");
    expect(readCurrent(folder.deployment)).toEqual(first);
  });
});
