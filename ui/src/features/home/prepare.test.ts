import { describe, expect, it } from "vitest";
import type { StageState } from "../../../../src/contract/index.ts";
import { entities } from "../../../../src/contract/index.ts";
import { STAGES } from "../../components/stages.ts";
import { ORBIT, placeBodies, summarise } from "./prepare.ts";

const stage = (name: StageState["stage"], state: StageState["state"]): StageState => ({
  stage: name,
  state,
  headline: `${name} is ${state}`,
  detail: "",
  updatedAt: null,
});

describe("placeBodies", () => {
  it("has a place for every stage of the contract", () => {
    expect(STAGES.map((place) => place.stage).sort()).toEqual([...entities.stageName.options].sort());
  });

  it("puts all eight on the orbit in the loop's order, the first at the top, whatever order the server gives", () => {
    const bodies = placeBodies([stage("pipelines", "running"), stage("data", "healthy")]);
    expect(bodies.map(({ place }) => place.stage)).toEqual(STAGES.map((place) => place.stage));
    expect(bodies[0]).toMatchObject({ x: ORBIT.x, y: ORBIT.y - ORBIT.ry });
    for (const { x, y } of bodies) {
      expect(((x - ORBIT.x) / ORBIT.rx) ** 2 + ((y - ORBIT.y) / ORBIT.ry) ** 2).toBeCloseTo(1, 12);
    }
    expect(bodies[1]).toMatchObject({ tone: "good", state: { headline: "data is healthy" } });
  });

  it("shows a stage that the server does not mention as idle", () => {
    expect(placeBodies([]).map(({ tone }) => tone)).toEqual(Array(8).fill("none"));
  });
});

describe("summarise", () => {
  it("tells the most pressing first", () => {
    expect(summarise([stage("data", "healthy"), stage("training", "running"), stage("monitoring", "attention")])).toBe(
      "Monitoring asks for attention",
    );
    expect(summarise([stage("data", "attention"), stage("monitoring", "attention")])).toBe(
      "Data and Monitoring ask for attention",
    );
    expect(summarise([stage("data", "healthy"), stage("training", "running")])).toBe("Training is at work");
    expect(summarise([stage("data", "healthy")])).toBe("All is well");
    expect(summarise([])).toBe("Nothing has run yet");
  });
});
