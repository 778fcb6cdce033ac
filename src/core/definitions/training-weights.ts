import { type Duration, durationToMicros, type Micros } from "../time.ts";

/**
 * What each class's rows weigh, by the class's index. "balanced": all classes weigh the same together, and all rows together as many as
 * they are.
 */
export type ClassWeights = "balanced" | readonly number[];

/** What rows weigh: as much as a feature says, or less the older they are. Multiplied by the weight of their class. */
export type RowWeights =
  | { readonly kind: "feature"; readonly feature: string }
  | { readonly kind: "age"; readonly halfLife: Micros };

/** Each row weighs what its feature says (0 or more). The feature, by id or name, still is one of the model's. */
export const weightBy = (feature: string): RowWeights => ({ kind: "feature", feature });

/** A row that is `halfLife` older than the newest training row weighs half as much. */
export const weightByAge = (halfLife: Duration): RowWeights => ({ kind: "age", halfLife: durationToMicros(halfLife) });
