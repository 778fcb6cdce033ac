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

/** Every page of the rail, and whether there is anything on it without a project file, as on `orrery server`. */
export const PAGES = [
  { to: "/", label: "Home", needsProject: true },
  { to: "/data", label: "Data", needsProject: true },
  { to: "/features", label: "Features", needsProject: true },
  { to: "/experiments", label: "Experiments", needsProject: false },
  { to: "/runs", label: "Runs", needsProject: false },
  { to: "/models", label: "Models", needsProject: false },
  { to: "/pipelines", label: "Pipelines", needsProject: true },
  { to: "/endpoints", label: "Endpoints", needsProject: true },
  { to: "/monitoring", label: "Monitoring", needsProject: true },
  { to: "/predictions", label: "Predictions", needsProject: true },
  { to: "/system", label: "System", needsProject: true },
  { to: "/settings", label: "Settings", needsProject: false },
] as const satisfies readonly { to: string; label: string; needsProject: boolean }[];

/** The page that an address belongs to; undefined for an address that none has. */
export const pageAt = (pathname: string): (typeof PAGES)[number] | undefined =>
  PAGES.find(({ to }) => pathname === to || (to !== "/" && pathname.startsWith(`${to}/`)));
