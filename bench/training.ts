import type { BenchCase } from "./run.ts";
import boosting from "./training/boosting.ts";
import forest from "./training/forest.ts";
import linear from "./training/linear.ts";
import metrics from "./training/metrics.ts";
import scoring from "./training/scoring.ts";

/** One after the other: each pairs its rounds with its peer's, and two at a time would share the processors. */
export default async function training(): Promise<BenchCase[]> {
  const cases: BenchCase[] = [];
  for (const part of [boosting, forest, linear, scoring, metrics]) cases.push(...(await part()));
  return cases;
}
