import type { Target } from "../matrix.ts";
import type { Task } from "../model.ts";
import type { RequireRoom } from "./column-room.ts";
import type { CategoryEncoding } from "./fitted-preparation.ts";

/** What steps are fitted to besides the columns. */
export interface FitContext {
  readonly target: Target;
  readonly task: Task;
  /** Of the training rows, scaled; absent: each counts once. */
  readonly weights: Float64Array | undefined;
  readonly seed: number;
  /** Grows as steps encode categories; columns refer to it by position. */
  readonly encodings: CategoryEncoding[];
  readonly requireRoom: RequireRoom;
}
