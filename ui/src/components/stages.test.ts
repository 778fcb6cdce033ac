import { describe, expect, it } from "vitest";
import { PAGES, pageAt, STAGES } from "./stages.ts";

describe("the pages of the rail", () => {
  it("are found by their address and by those below it, and by no other", () => {
    expect(pageAt("/")?.label).toBe("Home");
    expect(pageAt("/models/churn")?.label).toBe("Models");
    expect(pageAt("/runs/compare")?.label).toBe("Runs");
    expect(pageAt("/modelsmith")).toBeUndefined();
  });

  it("hold every stage of the loop", () => {
    expect(STAGES.map(({ to }) => pageAt(to)?.to)).toEqual(STAGES.map(({ to }) => to));
  });

  it("are runs, experiments, models and settings where there is no project file", () => {
    const without = PAGES.filter(({ needsProject }) => !needsProject);
    expect(without.map(({ label }) => label)).toEqual(["Experiments", "Runs", "Models", "Settings"]);
  });
});
