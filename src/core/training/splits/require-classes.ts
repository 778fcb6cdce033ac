import type { Dataset } from "../dataset.ts";
import { trainErrors } from "../errors.ts";

/** @throws TRAIN_TASK_UNSUPPORTED unless labels are classes */
export function requireClasses({ task }: Dataset, what: string): void {
  if (task !== "regression") return;
  throw trainErrors.TRAIN_TASK_UNSUPPORTED(`${what} needs classes, and the task is regression`, {
    hint: "Split at random, by group or by time: atRandom(…), grouped(…), byTime(…), kFold(…).",
  });
}
