import type { StageState } from "../../../src/contract/index.ts";

export type StageName = StageState["stage"];

/** The loop in its order; where each stage is worked on. */
export const STAGES = [
  { stage: "problem", label: "Problem", to: "/", hash: "charter" },
  { stage: "data", label: "Data", to: "/data" },
  { stage: "features", label: "Features", to: "/features" },
  { stage: "training", label: "Training", to: "/runs" },
  { stage: "models", label: "Models", to: "/models" },
  { stage: "endpoints", label: "Endpoints", to: "/endpoints" },
  { stage: "monitoring", label: "Monitoring", to: "/monitoring" },
  { stage: "pipelines", label: "Pipelines", to: "/pipelines" },
] as const satisfies readonly { stage: StageName; label: string; to: string; hash?: string }[];

export type StagePlace = (typeof STAGES)[number];

/** Where its link leads. */
export const stageLink = (place: StagePlace) => ("hash" in place ? { to: place.to, hash: place.hash } : { to: place.to });

const MISSING: Omit<StageState, "stage"> = { state: "idle", headline: "Nothing yet", detail: "", updatedAt: null };

/** The eight stages in the loop's order with what the server says of each; idle where it says nothing. */
export function inLoopOrder(stages: readonly StageState[]): { place: StagePlace; state: StageState }[] {
  const byName = new Map(stages.map((state) => [state.stage, state]));
  return STAGES.map((place) => ({ place, state: byName.get(place.stage) ?? { stage: place.stage, ...MISSING } }));
}
