import {
  baseline,
  type CandidateDefinition,
  extraTrees,
  gradientBoosting,
  linearRegression,
  logisticRegression,
  type ParameterValues,
  poissonRegression,
  randomForest,
  search,
} from "../../definitions/index.ts";
import { trainErrors } from "../errors.ts";
import type { Task } from "../model.ts";
import type { AutomlCandidate } from "./run-automl.ts";
import { pointFrom } from "./space.ts";

/** As `automlCandidates` has them; the start is always within the ranges. */
export interface DefaultCandidate extends AutomlCandidate {
  readonly definition: CandidateDefinition;
  readonly defaults: ParameterValues;
}

/**
 * What is searched where nobody says: every kind of estimator for the task, the ranges wide enough for small and large data. Costs
 * are rough, in the time of a linear model. Trees are not searched: early stopping finds how many boosting needs, and a forest only
 * gains by more.
 *
 * @param counts regression of counts or rates, which are at least 0: their logarithm is modelled
 */
export function defaultCandidates(task: Task, { counts = false }: { counts?: boolean } = {}): DefaultCandidate[] {
  const everywhere = [
    candidate(0.1, baseline(task === "regression" ? "mean" : "prior")),
    candidate(0.5, baseline("best-feature")),
    candidate(10, randomForest({ trees: 200, ...FOREST_RANGES })),
    candidate(8, extraTrees({ trees: 200, ...FOREST_RANGES })),
    candidate(5, gradientBoosting({ ...BOOSTING_RANGES, ...(counts ? { loss: "poisson" } : {}) })),
  ];
  return [...linearCandidates(task, counts), ...everywhere];
}

function linearCandidates(task: Task, counts: boolean): DefaultCandidate[] {
  if (task !== "regression") {
    const ranges = { c: search.log(1e-4, 1e4), l1Ratio: search.choice([0, 0.5, 1]) };
    return [candidate(1, logisticRegression(ranges))];
  }
  if (counts) return [candidate(1, poissonRegression({ alpha: search.log(1e-6, 10) }))];
  return [
    candidate(1, linearRegression({ alpha: search.log(1e-3, 1e5) }, { name: "ridge" })),
    candidate(
      2,
      linearRegression({ alpha: search.log(1e-5, 10), l1Ratio: search.choice([0.1, 0.5, 0.9, 1]) }, { name: "elastic-net" }),
      {
        alpha: 0.01,
        l1Ratio: 0.5,
      },
    ),
  ];
}

const FOREST_RANGES = {
  minLeafRows: search.logInt(1, 64),
  maxFeatures: search.choice(["auto", 0.2, 0.4, 0.7, "all"]),
};

const BOOSTING_RANGES = {
  trees: 2_000,
  earlyStopping: 50,
  rate: search.log(0.01, 0.3),
  leaves: search.logInt(4, 255),
  minLeafRows: search.logInt(3, 300),
  l2: search.log(1e-3, 100),
  rowShare: search.float(0.5, 1),
  columnShare: search.float(0.3, 1),
};

/** @param start where the search begins, over what the definition says */
function candidate(cost: number, definition: CandidateDefinition, start: ParameterValues = {}): DefaultCandidate {
  const space = "tune" in definition ? (definition.tune?.space ?? []) : [];
  const params: Readonly<Record<string, unknown>> = "params" in definition ? { ...definition.params, ...start } : {};
  const defaults = pointFrom(space, params);
  if (defaults === null) throw trainErrors.TRAIN_PARAMETER_INVALID(`${definition.name} starts outside its own ranges`);
  return { name: definition.name, definition, space, defaults, cost };
}
