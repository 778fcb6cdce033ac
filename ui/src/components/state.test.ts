import { describe, expect, it } from "vitest";
import { entities } from "../../../src/contract/index.ts";
import { toneOf } from "./state.tsx";

/** Statuses that are meant to look like nothing in particular. */
const CALM = ["idle", "scheduled", "pending", "skipped", "cancelled"];

describe("toneOf", () => {
  it("knows every status of the contract", () => {
    const statuses = [
      entities.stageState.shape.state,
      entities.runSummary.shape.status,
      entities.stepRun.shape.status,
      entities.pipelineRunSummary.shape.status,
      entities.promotion.shape.decision,
      entities.alert.shape.status,
      entities.alert.shape.severity,
    ].flatMap((each): string[] => each.options);
    for (const status of statuses) expect([status, toneOf(status) === "none"]).toEqual([status, CALM.includes(status)]);
  });

  it("makes nothing of a word it does not know", () => expect(toneOf("odd")).toBe("none"));
});
