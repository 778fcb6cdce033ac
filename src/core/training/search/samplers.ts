import type { ParameterValues, SearchSpace } from "../../definitions/index.ts";
import type { RandomStream } from "../random.ts";
import { drawPoint, drawValue } from "./space.ts";
import { type TpeOptions, tpePoint } from "./tpe.ts";
import type { Direction, EndedTrial, RunningTrial } from "./trial.ts";

/** How the next point is chosen. Plain data: the study's journal keeps it. */
export type Sampler =
  /** Every combination once, ranges by `levels` values each. */
  { readonly kind: "grid"; readonly levels: number } | { readonly kind: "random" } | ({ readonly kind: "tpe" } & TpeOptions);

/** `levels`: values a numeric range contributes. */
export const gridSampler = ({ levels = 5 }: { levels?: number } = {}): Sampler => ({ kind: "grid", levels });
export const randomSampler = (): Sampler => ({ kind: "random" });
/** Tree-structured Parzen estimator; see `tpePoint`. */
export const tpeSampler = (options: Partial<TpeOptions> = {}): Sampler => ({
  kind: "tpe",
  startup: 10,
  candidates: 24,
  ...options,
});

export interface SearchHistory {
  readonly ended: readonly EndedTrial[];
  readonly running: readonly RunningTrial[];
  readonly direction: Direction;
}

/** The next point by chance or by what the history says; the grid is the study's own. */
export function samplePoint(
  space: SearchSpace,
  sampler: Exclude<Sampler, { kind: "grid" }>,
  history: SearchHistory,
  random: RandomStream,
): ParameterValues {
  return sampler.kind === "tpe"
    ? tpePoint(space, sampler, history, random)
    : drawPoint(space, (domain) => drawValue(domain, random));
}
