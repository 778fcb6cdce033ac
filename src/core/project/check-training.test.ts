import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  atRandom,
  autoMl,
  baseline,
  bool,
  byTime,
  clip,
  dateParts,
  defineModel,
  entity,
  extraTrees,
  featureView,
  float64,
  frequencyEncode,
  gradientBoosting,
  grouped,
  impute,
  interactions,
  labels,
  linearRegression,
  logisticRegression,
  logTransform,
  minMaxScale,
  oneHot,
  ordinal,
  poissonRegression,
  polynomial,
  powerTransform,
  python,
  quantileScale,
  randomForest,
  robustScale,
  search,
  selectFeatures,
  source,
  standardScale,
  string,
  type TargetType,
  targetEncode,
  timestamp,
  weightBy,
  weightByAge,
} from "../definitions/index.ts";
import { checkTraining } from "./check-training.ts";
import { collectFindings } from "./finding.ts";

/** As it comes from JSON or untyped code: types say nothing. */
const untyped = (value: unknown) => value as never;

const customers = source.csv("customers", {
  path: "customers.csv",
  key: ["id"],
  eventTime: "at",
  columns: { id: string(), plan: string(), minutes: float64(), active: bool(), joined: timestamp(), left: bool() },
});
const usage = featureView("usage", {
  entity: entity("customer", { id: string() }),
  source: customers,
  features: ["plan", "minutes", "active", "joined"],
});

type Options = Parameters<typeof defineModel>[1];

/** What is found wrong with a model that differs from a sound one. */
function found(changes: Partial<Options>, target: TargetType = "binary", directory: string | null = null): string[] {
  const model = defineModel("churn", {
    labels: labels(customers, { left: "left", at: "at" }),
    features: [usage.all()],
    split: byTime({ test: "30d", validation: "30d" }),
    candidates: [target === "regression" ? linearRegression() : logisticRegression()],
    ...changes,
  });
  const findings = collectFindings();
  checkTraining(model, target, directory, findings);
  for (const { hint } of findings.list) expect(hint).not.toBe("");
  return findings.list.map(({ code, message }) => `${code}: ${message}`);
}

/** One finding and no other. */
const only = (code: string, message: RegExp) => [expect.stringMatching(new RegExp(`^${code}: .*${message.source}`))];

const boosting = (params: object) => gradientBoosting(untyped(params));
const forest = (params: object) => randomForest(untyped(params));
const tuned = (settings: object) => logisticRegression({ c: search.log(0.1, 1) }, untyped(settings));

describe("a candidate is wrong with", () => {
  test.each<[object, RegExp]>([
    [boosting({ trees: 0 }), /trees is 0, not a whole number from 1 on/],
    [boosting({ trees: 10.5 }), /trees is 10.5/],
    [boosting({ trees: "many" }), /trees is "many"/],
    [boosting({ trees: undefined }), /trees is undefined/],
    [boosting({ leaves: 1 }), /leaves is 1/],
    [boosting({ rate: 0 }), /rate is 0, not above 0 and at most 1/],
    [boosting({ l1: -1 }), /l1 is -1/],
    [boosting({ l2: Number.POSITIVE_INFINITY }), /l2 is Infinity/],
    [boosting({ minLeafRows: 0 }), /minLeafRows is 0/],
    [boosting({ minHessian: -1 }), /minHessian is -1/],
    [boosting({ minGain: Number.NaN }), /minGain is NaN/],
    [boosting({ maxDepth: -1 }), /maxDepth is -1/],
    [boosting({ rowShare: 1.5 }), /rowShare is 1.5/],
    [boosting({ columnShare: 0 }), /columnShare is 0/],
    [boosting({ earlyStopping: -1 }), /earlyStopping is -1/],
    [boosting({ quantile: 3 }), /quantile is 3, not between 0 and 1/],
    [boosting({ loss: "mae" }), /loss is "mae"/],
    [boosting({ monotone: { minutes: 2 } }), /monotone is {"minutes":2}/],
    [boosting({ monotone: search.choice([1]) }), /monotone could be 1/],
    [boosting({ interactions: ["minutes"] }), /interactions is \["minutes"\]/],
    [boosting({ treess: 5 }), /treess is no parameter: there are trees, leaves, rate/],
    [forest({ trees: -5 }), /trees is -5/],
    [forest({ maxFeatures: 7 }), /maxFeatures is 7/],
    [forest({ maxFeatures: "log2" }), /maxFeatures is "log2"/],
    [forest({ minLeafRows: -1 }), /minLeafRows is -1/],
    [extraTrees({ bootstrap: untyped(1) }), /bootstrap is 1, not true or false/],
    [extraTrees({ maxDepth: 2.5 }), /maxDepth is 2.5/],
    [logisticRegression({ c: 0 }), /c is 0, not a finite number above 0/],
    [logisticRegression({ c: Number.POSITIVE_INFINITY }), /c is Infinity/],
    [logisticRegression({ l1Ratio: -0.5 }), /l1Ratio is -0.5/],
    [logisticRegression(untyped({ C: 1 })), /C is no parameter: there are c, l1Ratio/],
    [baseline(untyped("nonsense")), /strategy is "nonsense"/],
    [{ kind: "gradient-boosting", name: "b" }, /parameters are undefined/],
    [{ ...boosting({}), name: 7 }, /name is 7, not a text/],
    [{ kind: "nonsense", name: "n" }, /"nonsense" is no kind of candidate: there are baseline/],
    [gradientBoosting, /a function is no kind of candidate/],
    [autoMl({ time: "0s" }), /time is 0/],
    [autoMl({ time: "1m", ensemble: 0 }), /ensemble is 0/],
    [autoMl({ time: "1m", workers: 1000 }), /workers is 1000, not a whole number from 1 to 64/],
    [python("train.py", untyped({})), /requirements is undefined/],
    [python("train.py", { requirements: ["numpy==2.4.6", "pandas>=2"] }), /the requirement pandas>=2 is not pinned/],
    [python("train.py", { requirements: ["", " "] }), /requirements is \["",/],
    [python("train.py", { requirements: [] }), /requirements is \[\]/],
    [python("train.py", { requirements: "a.txt", columns: untyped("x") }), /columns is "x"/],
    [python("train.py", { requirements: "a.txt", timeout: "0s" }), /timeout is 0/],
    [python("train.py", { requirements: "a.txt", memory: "0GB" }), /memory is 0/],
    [python("train.py", { requirements: "a.txt", params: untyped(3) }), /params is 3/],
  ])("%j", (candidate, message) => {
    const code = message.source.startsWith("monotone could") ? "PROJECT_SEARCH_INVALID" : "PROJECT_VALUE_INVALID";
    expect(found({ candidates: [logisticRegression({}, { name: "sound" }), untyped(candidate)] })).toEqual(only(code, message));
  });

  test("parameters of regressions", () => {
    expect(found({ candidates: [linearRegression({ alpha: -1 })] }, "regression")).toEqual(
      only("PROJECT_VALUE_INVALID", /alpha is -1/),
    );
    expect(found({ candidates: [poissonRegression({ alpha: Number.NaN })] }, "regression")).toEqual(
      only("PROJECT_VALUE_INVALID", /alpha is NaN/),
    );
  });

  test("a requirements file that is a folder, or pins no version", () => {
    const folder = mkdtempSync(join(tmpdir(), "orrery-check-"));
    try {
      writeFileSync(join(folder, "train.py"), "");
      writeFileSync(join(folder, "loose.txt"), "numpy==2.4.6\npandas\n");
      const candidates = (requirements: string) => ({ candidates: [python("train.py", { requirements })] });
      expect(found(candidates("."), "binary", folder)).toEqual(only("PROJECT_FILE_MISSING", /needs \., which is not there/));
      expect(found(candidates("loose.txt"), "binary", folder)).toEqual(
        only("PROJECT_VALUE_INVALID", /In loose.txt of the candidate train, line 2, pandas is not pinned/),
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("two mistakes, which are both found", () => {
    expect(found({ candidates: [boosting({ trees: 0, treess: 5 })] })).toHaveLength(2);
  });
});

describe("a search is wrong with", () => {
  test.each<[object, RegExp]>([
    [boosting({ leaves: search.int(0, 5) }), /leaves could be 0, not a whole number from 2 on/],
    [boosting({ rate: search.float(0.1, 3) }), /rate could be 3/],
    [boosting({ leaves: search.float(4, 8) }), /leaves is a whole number.*search.int/],
    [boosting({ leaves: search.choice([]) }), /leaves has no options/],
    [boosting({ loss: search.choice(["squared", "mae"]) }), /loss could be "mae"/],
    [boosting({ leafs: search.int(4, 8) }), /leafs is no parameter/],
    [boosting({ leaves: { search: "guess", low: 4, high: 8 } }), /leaves is of no kind that there is/],
    [boosting({ leaves: { search: "choice", options: 4 } }), /options of leaves are not a list/],
    [boosting({ rate: search.when(untyped({ nope: 1 }), search.float(0.1, 1)) }), /rate depends on nope/],
    [logisticRegression({ l1Ratio: search.float(0, 2) }), /l1Ratio could be 2/],
    [forest({ maxFeatures: search.float(0.1, 7) }), /maxFeatures could be 7/],
    [tuned({ trials: 0 }), /trials is 0/],
    [tuned({ trials: 2.5 }), /trials is 2.5/],
    [tuned({ trails: 10 }), /trails is no parameter: there are sampler, trials/],
    [tuned({ workers: -1 }), /workers is -1/],
    [tuned({ sampler: "bayes" }), /sampler is "bayes", not "tpe" or "random" or "grid"/],
    [tuned({ time: "0s" }), /time is 0/],
    [tuned({ trialTime: "0s" }), /trialTime is 0/],
    [tuned({ pruning: "yes" }), /pruning is "yes"/],
    [{ ...tuned({}), tune: {} }, /its search has no ranges/],
    [{ ...tuned({}), tune: { space: [null], settings: {} } }, /one of its ranges has no name/],
  ])("%j", (candidate, message) => {
    expect(found({ candidates: [untyped(candidate)] })).toEqual(only("PROJECT_SEARCH_INVALID", message));
  });
});

describe("a preparation is wrong with", () => {
  test.each<[object, RegExp]>([
    [{ kind: "nonsense" }, /"nonsense" is no kind of step: there are impute/],
    [standardScale, /a function is no kind of step/],
    [impute(untyped("middle")), /strategy is "middle"/],
    [impute("constant"), /the constant lacks its value/],
    [impute("constant", { value: Number.NaN }), /value is NaN/],
    [impute("mean", { indicator: untyped("yes") }), /indicator is "yes"/],
    [standardScale({ on: [] }), /on is \[\]/],
    [standardScale({ on: untyped("minutes") }), /on is "minutes"/],
    [standardScale({ for: untyped("forest") }), /for is "forest"/],
    [standardScale(untyped({ of: ["minutes"] })), /of is no parameter: there are on, for/],
    [minMaxScale({ low: 1, high: 0 }), /low is 1, not below high, which is 0/],
    [robustScale({ low: -1 }), /low is -1/],
    [robustScale({ low: 0.5, high: 0.5 }), /low is 0.5, not below high/],
    [quantileScale({ quantiles: 1 }), /quantiles is 1/],
    [quantileScale({ output: untyped("gauss") }), /output is "gauss"/],
    [logTransform({ signed: untyped(1) }), /signed is 1/],
    [powerTransform({ method: untyped("log") }), /method is "log"/],
    [oneHot({ rare: 1.5 }), /rare is 1.5/],
    [oneHot({ unseen: untyped("other") }), /unseen is "other"/],
    [ordinal({ order: [] }), /order is \[\]/],
    [ordinal({ order: ["a", "a"] }), /order is \["a","a"\]/],
    [targetEncode({ folds: 1 }), /folds is 1/],
    [targetEncode({ smooth: -3 }), /smooth is -3/],
    [dateParts({ parts: [] }), /parts is \[\]/],
    [dateParts({ parts: untyped(["week"]) }), /parts is \["week"\], not .*year, month/],
    [clip({}), /neither low nor high/],
    [clip({ low: 5, high: 1 }), /low is 5, not at most high, which is 1/],
    [clip({ quantiles: [0.9, 0.1] }), /quantiles are 0.9 and 0.1/],
    [clip({ low: untyped("0") }), /low is "0"/],
    [polynomial([]), /on is \[\]/],
    [interactions(["minutes"]), /need squares/],
    [selectFeatures({ kind: "f-test", top: 0 }), /top is 0/],
    [selectFeatures(untyped({ kind: "mutual-information" })), /top is undefined/],
    [selectFeatures({ kind: "l1", c: 0 }), /c is 0/],
    [selectFeatures({ kind: "variance", above: -1 }), /above is -1/],
    [selectFeatures(untyped({ kind: "best" })), /"best" is no criterion to select by/],
    [selectFeatures(untyped(3)), /3 is no criterion/],
  ])("%j", (step, message) => {
    expect(found({ prepare: [untyped(step)] })).toEqual(only("PROJECT_VALUE_INVALID", message));
  });

  test.each([
    [[standardScale({ on: ["plan"] })], /standard-scale names usage.plan, which holds categories there/],
    [[clip({ low: 0, on: ["plan"] })], /clip names usage.plan/],
    [[targetEncode({ on: ["minutes"] })], /target-encode names usage.minutes, which holds numbers there/],
    [[oneHot({ on: ["joined"] })], /one-hot names usage.joined, which holds timestamps there/],
    [[oneHot(), standardScale({ on: ["plan"] })], /which holds indicators/],
    [[ordinal(), oneHot({ on: ["plan"] })], /which holds numbers there/],
    [[impute("mean", { on: ["plan"] })], /impute names usage.plan/],
    [[impute("constant", { value: "none", on: ["minutes"] })], /impute names usage.minutes/],
    [[polynomial(["plan", "minutes"])], /products names usage.plan, which holds categories there/],
    [[dateParts({ on: ["minutes"] })], /date-parts names usage.minutes/],
    [[standardScale(), dateParts({ on: ["joined"], for: "linear" as const })], /date-parts names usage.joined/],
  ])("a feature that a step cannot work on: %j", (prepare, message) => {
    expect(found({ prepare })).toEqual(only("PROJECT_COLUMN_TYPE", message));
  });

  test.each([
    [[impute("mostFrequent", { on: ["plan", "minutes"] }), frequencyEncode({ on: ["plan"] }), standardScale({ on: ["plan"] })]],
    [[clip({ low: 0, on: ["joined", "active"] }), dateParts({ on: ["joined"], keep: true }), standardScale({ on: ["joined"] })]],
    [[oneHot(), interactions(["plan", "minutes"]), standardScale({ on: ["plan", "minutes"] })]],
    [[oneHot({ on: ["plan"] }), targetEncode({ on: ["plan"], for: "tree" as const })]],
  ])("nothing where each step gets what it works on: %j", (prepare) => {
    expect(found({ prepare })).toEqual([]);
  });

  test("something else than a list", () => {
    expect(found({ prepare: untyped("none") })).toEqual(only("PROJECT_VALUE_INVALID", /preparation is not a list/));
    expect(found({ candidates: untyped({}) })).toEqual(only("PROJECT_VALUE_INVALID", /candidates are not a list/));
  });
});

describe("a model is wrong with", () => {
  test.each<[string, Partial<Options>, string, RegExp]>([
    [
      "weights of a category",
      { rowWeights: weightBy("plan") },
      "PROJECT_COLUMN_TYPE",
      /rowWeights names plan, which is no number/,
    ],
    ["a half-life of 0", { rowWeights: weightByAge("0s") }, "PROJECT_VALUE_INVALID", /half their weight in 0/],
    ["weights of no kind", { rowWeights: untyped("plan") }, "PROJECT_VALUE_INVALID", /cannot be weighed by "plan"/],
    ["classes that weigh nothing", { classWeights: [0, 0] }, "PROJECT_VALUE_INVALID", /no class weighs anything/],
    ["class weights by name", { classWeights: untyped({ yes: 2 }) }, "PROJECT_VALUE_INVALID", /class weights are {"yes":2}/],
    ["a word for class weights", { classWeights: untyped("even") }, "PROJECT_VALUE_INVALID", /class weights are "even"/],
    ["a calibration that there is not", { calibrate: untyped("platt") }, "PROJECT_VALUE_INVALID", /"platt" calibrates nothing/],
    ["a fraction for a seed", { seed: -1.5 }, "PROJECT_VALUE_INVALID", /seed is -1.5, not a whole number/],
    ["a seed beyond 32 bits", { seed: 2 ** 32 }, "PROJECT_VALUE_INVALID", /seed is 4294967296/],
    ["a split of no kind", { split: untyped({ kind: "luck" }) }, "PROJECT_VALUE_INVALID", /"luck" is no kind of split/],
    ["parts of no time", { split: byTime({ test: "0s", validation: "1d" }) }, "PROJECT_VALUE_INVALID", /gives 0 to test/],
    [
      "a text for a share",
      { split: atRandom({ test: untyped("20%"), validation: 0.2 }) },
      "PROJECT_VALUE_INVALID",
      /"20%" to test/,
    ],
    ["a split's seed", { split: atRandom({ test: 0.2, validation: 0.2, seed: -1 }) }, "PROJECT_VALUE_INVALID", /seed is -1/],
    [
      "a misspelt part",
      { split: atRandom(untyped({ test: 0.2, validation: 0.2, sed: 1 })) },
      "PROJECT_VALUE_INVALID",
      /sed is no parameter/,
    ],
    ["groups by nothing", { split: grouped(untyped(7), { test: 0.2, validation: 0.2 }) }, "PROJECT_VALUE_INVALID", /by is 7/],
    [
      "a category that shall rise",
      { candidates: [boosting({ monotone: { plan: 1 } })] },
      "PROJECT_COLUMN_TYPE",
      /monotone\) names plan, which holds categories/,
    ],
  ])("%s", (_, changes, code, message) => {
    expect(found(changes)).toEqual(only(code, message));
  });

  test("directions beside a loss or a target that boosting cannot keep them with", () => {
    const monotone = { minutes: 1 as const };
    expect(found({ candidates: [gradientBoosting({ monotone })] }, "multiclass")).toEqual(
      only("PROJECT_CANDIDATE_UNSUITED", /monotone features, and the charter's target is multiclass/),
    );
    expect(found({ candidates: [gradientBoosting({ monotone, loss: "quantile" })] }, "regression")).toEqual(
      only("PROJECT_VALUE_INVALID", /monotone does not go with the quantile loss/),
    );
    expect(found({ candidates: [gradientBoosting({ monotone })] })).toEqual([]);
  });
});
