import {
  baseline,
  byTime,
  type CandidateDefinition,
  extraTrees,
  gradientBoosting,
  logisticRegression,
  randomForest,
} from "../../../src/core/definitions/index.ts";
import { DAY } from "../../../src/core/time.ts";
import { splitByTime, trainCandidate } from "../../../src/core/training/index.ts";
import { flightsLike, START, trainingOptions } from "../../fixtures/training-data.ts";
import type { ExportCase } from "./export-cases.ts";

const CANDIDATES: readonly CandidateDefinition[] = [
  baseline(),
  baseline("best-feature"),
  logisticRegression(),
  gradientBoosting({ trees: 60, leaves: 15 }),
  randomForest({ trees: 30 }),
  extraTrees({ trees: 30 }),
];

/** Candidates as they are really trained, on few rows and on many, with the preparation and calibration that were fitted for them. */
export const trainedCases = (): ExportCase[] => [4_000, 5_000, 20_000].flatMap(trainOn);

function trainOn(rows: number): ExportCase[] {
  const dataset = flightsLike(rows);
  const split = splitByTime(dataset, byTime({ test: "10d", validation: "20d" }), START + 1_000 * DAY);
  return CANDIDATES.map((candidate) => {
    const { package: model } = trainCandidate(dataset, split, trainingOptions(dataset, candidate));
    return { name: `${candidate.name} trained on ${rows} rows`, model, dataset };
  });
}
