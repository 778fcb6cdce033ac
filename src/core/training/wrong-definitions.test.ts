import { describe, expect, it } from "vitest";
import { flightsLike, START, trainingOptions } from "../../../test/fixtures/training-data.ts";
import {
  type AutoMlCandidate,
  autoMl,
  baseline,
  byTime,
  type CandidateDefinition,
  clip,
  extraTrees,
  gradientBoosting,
  impute,
  logisticRegression,
  polynomial,
  randomForest,
  search,
  selectFeatures,
  targetEncode,
  weightBy,
  weightByAge,
} from "../definitions/index.ts";
import { DAY } from "../time.ts";
import { checkCandidate } from "./check-candidate.ts";
import { splitDataset } from "./splits/split-dataset.ts";
import { trainCandidate } from "./train-candidate.ts";
import type { TrainingOptions } from "./training-options.ts";

const dataset = flightsLike(600);
const LATER = START + 1_000 * DAY;
const split = splitDataset(dataset, byTime({ test: "5d", validation: "5d" }), LATER, { seed: 1 });

/** As it comes from JSON or untyped code: types say nothing. */
const untyped = (value: unknown) => value as never;
const train = (candidate: CandidateDefinition, changes: Partial<TrainingOptions> = {}) =>
  trainCandidate(dataset, split, { ...trainingOptions(dataset, candidate), resamples: 0, ...changes });
const refusal = (code: string, message: RegExp) => expect.objectContaining({ code, message: expect.stringMatching(message) });

describe("training refuses", () => {
  it.each<[string, CandidateDefinition, RegExp]>([
    ["no trees", gradientBoosting({ trees: 0 }), /trees is 0, not a whole number from 1 on/],
    [
      "a parameter that there is not",
      gradientBoosting(untyped({ treess: 5 })),
      /treess is no parameter: there are trees, leaves/,
    ],
    ["a quantile that is none", gradientBoosting({ quantile: 3 }), /quantile is 3, not between 0 and 1/],
    ["a direction of 2", gradientBoosting({ monotone: untyped({ distance: 2 }) }), /monotone is {"distance":2}/],
    ["a loss that there is not", gradientBoosting({ loss: untyped("mae") }), /loss is "mae", not "squared" or/],
    ["7 times all features", randomForest({ maxFeatures: 7 }), /maxFeatures is 7, not .*a share above 0/],
    ["a text for features", extraTrees({ maxFeatures: untyped("log2") }), /maxFeatures is "log2"/],
    ["leaves of -1 rows", randomForest({ minLeafRows: -1 }), /minLeafRows is -1/],
    ["a text for yes or no", randomForest({ bootstrap: untyped("yes") }), /bootstrap is "yes", not true or false/],
    ["a strength of 0", logisticRegression({ c: 0 }), /c is 0, not a finite number above 0/],
    ["a strength that JSON makes null", logisticRegression({ c: untyped(null) }), /c is null/],
    ["a share of 2", logisticRegression({ l1Ratio: 2 }), /l1Ratio is 2, not a number from 0 to 1/],
    ["a baseline that there is not", baseline(untyped("nonsense")), /strategy is "nonsense"/],
    ["a kind that there is not", untyped({ kind: "nonsense", name: "n" }), /"nonsense" is no kind of candidate/],
    ["parameters that are missing", untyped({ kind: "gradient-boosting", name: "b" }), /parameters are undefined/],
  ])("a candidate with %s", (_, candidate, message) => {
    expect(() => train(candidate)).toThrow(refusal("TRAIN_PARAMETER_INVALID", message));
  });

  it.each<[string, CandidateDefinition, string, RegExp]>([
    [
      "sampler",
      logisticRegression({ c: search.log(0.1, 1) }, { sampler: untyped("bayes") }),
      "TRAIN_SEARCH_SPACE_INVALID",
      /sampler/,
    ],
    ["range", gradientBoosting({ rate: search.float(0, 3) }), "TRAIN_SEARCH_SPACE_INVALID", /rate could be 0.*rate could be 3/],
    ["blend", autoMl({ time: "1m", ensemble: 0 }), "TRAIN_PARAMETER_INVALID", /ensemble is 0/],
    ["candidate", untyped(null), "TRAIN_PARAMETER_INVALID", /null is no kind/],
  ])("what is searched or trained elsewhere, before it is: a %s that is none", (_, candidate, code, message) => {
    expect(() => checkCandidate(candidate)).toThrow(refusal(code, message));
  });

  it.each<[string, Partial<TrainingOptions>, RegExp]>([
    ["a step of no kind", { prepare: [untyped({ kind: "nonsense" })] }, /"nonsense" is no kind of step/],
    ["a function for a step", { prepare: [untyped(impute)] }, /a function is no kind of step/],
    ["no step at all", { prepare: [untyped(null)] }, /null is no kind of step/],
    ["a strategy that there is not", { prepare: [impute(untyped("middle"))] }, /strategy is "middle", not "mean"/],
    ["a constant without value", { prepare: [impute("constant")] }, /the constant lacks its value/],
    ["bounds that are none", { prepare: [clip({})] }, /neither low nor high/],
    ["products of nothing", { prepare: [polynomial([])] }, /on is \[\]/],
    ["a criterion of no kind", { prepare: [selectFeatures(untyped({ kind: "best", top: 3 }))] }, /"best" is no criterion/],
    ["an option that there is not", { prepare: [targetEncode(untyped({ fold: 3 }))] }, /fold is no parameter/],
    ["a calibration that there is not", { calibrate: untyped("platt") }, /platt calibrates nothing/],
    ["class weights by name", { classWeights: untyped({ yes: 2 }) }, /class weights are {"yes":2}/],
    ["classes that weigh nothing", { classWeights: [0, 0] }, /no class weighs anything/],
    ["a half-life of 0", { rowWeights: weightByAge("0s") }, /half their weight in 0/],
    ["weights of no kind", { rowWeights: untyped({ kind: "luck" }) }, /cannot be weighed by "luck"/],
    ["weights by a feature of no name", { rowWeights: weightBy(untyped(7)) }, /weighed by 7/],
    ["a fraction for a seed", { seed: -1.5 }, /seed is -1.5/],
  ])("a model with %s", (_, changes, message) => {
    expect(() => train(logisticRegression(), changes)).toThrow(refusal("TRAIN_PARAMETER_INVALID", message));
  });

  it.each<[string, unknown, RegExp]>([
    ["of no kind", { kind: "by-luck", test: 0.2, validation: 0.2 }, /"by-luck" is no kind of split/],
    ["without parts", { kind: "random" }, /gives undefined to test/],
    ["by nothing", { kind: "grouped", test: 0.2, validation: 0.2 }, /by is undefined/],
    ["with a fraction for a seed", { kind: "random", test: 0.2, validation: 0.2, seed: 0.5 }, /seed is 0.5/],
  ])("a split %s", (_, wrong, message) => {
    expect(() => splitDataset(dataset, untyped(wrong), LATER, { seed: 1 })).toThrow(refusal("TRAIN_PARAMETER_INVALID", message));
  });

  it("none of what the builders make", () => {
    const blend: AutoMlCandidate = autoMl({ time: "1m" });
    const ranges = gradientBoosting({
      rate: search.log(0.01, 0.3),
      leaves: search.logInt(4, 64),
      loss: search.choice(["squared"]),
    });
    for (const candidate of [baseline(), blend, ranges, randomForest(), extraTrees()])
      expect(() => checkCandidate(candidate)).not.toThrow();
  });
});
