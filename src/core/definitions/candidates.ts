import { type Duration, durationToMicros, type Micros } from "../time.ts";
import type { ModelFileCandidate } from "./model-file.ts";
import type { PythonCandidate } from "./python-candidate.ts";
import { type Searchable, type SearchSpace, separateSearch } from "./search.ts";
import type { FoldDefinition } from "./splits.ts";

/** Predicts the same for everyone, or by one feature only: what a model has to beat. */
export interface BaselineParams {
  /**
   * prior: the classes' shares in training (binary, multiclass); majority: the most frequent class; mean, median: of the values
   * (regression); last-value: the most recent known label; best-feature: a shallow tree on the feature that does best alone.
   */
  readonly strategy: "prior" | "majority" | "mean" | "median" | "last-value" | "best-feature";
}

export interface LogisticRegressionParams {
  /** Inverse strength of the penalty; above 0. */
  readonly c: number;
  /** Share of the penalty that is L1: 0 is ridge, 1 lasso. */
  readonly l1Ratio: number;
}

export interface LinearRegressionParams {
  /** Strength of the penalty (0: least squares): of the sum of squared errors where l1Ratio is 0, of half their mean otherwise, as scikit-learn scales them. */
  readonly alpha: number;
  /** Share of the penalty that is L1: 0 is ridge, 1 lasso. */
  readonly l1Ratio: number;
}

export interface PoissonRegressionParams {
  /** Strength of the L2 penalty. */
  readonly alpha: number;
}

export interface GradientBoostingParams {
  readonly trees: number;
  readonly leaves: number;
  /** Learning rate. */
  readonly rate: number;
  readonly l2: number;
  readonly l1: number;
  readonly minLeafRows: number;
  /** Least sum of hessians in a leaf. */
  readonly minHessian: number;
  /** 0: as deep as the leaves allow. */
  readonly maxDepth: number;
  readonly minGain: number;
  /** Share of rows that each tree sees, drawn without replacement. */
  readonly rowShare: number;
  /** Share of columns that each tree sees. */
  readonly columnShare: number;
  /** Stops when the selection part of validation has not improved for so many trees; 0 grows them all. */
  readonly earlyStopping: number;
  /** What regression minimises. */
  readonly loss: "squared" | "quantile" | "poisson";
  /** Which quantile the quantile loss predicts (0…1). */
  readonly quantile: number;
  /** By feature id or name: 1 where the prediction may only rise with it, -1 where it may only fall. */
  readonly monotone: Readonly<Record<string, 1 | -1>>;
  /** Groups of feature ids or names; only features of one group may stand on a path together. Empty: all may. */
  readonly interactions: readonly (readonly string[])[];
}

export interface ForestParams {
  readonly trees: number;
  /** 0: until leaves are pure or too small. */
  readonly maxDepth: number;
  /**
   * Least weight of a leaf's rows. 5 unless given, as Breiman chose for regression, also for classes: labels of records are noisy, and
   * there leaves of one row make trees twice to four times as large (in memory and in the package) and predict no better: squared error
   * +2% on diabetes, log loss +8% on flights. Clean classes gain by 1 (digits: 97.3% right instead of 96.1%).
   */
  readonly minLeafRows: number;
  /** Columns tried at each node: a share of them (0…1), their square root, or all. auto: the square root for classes, a third for values. */
  readonly maxFeatures: "auto" | "sqrt" | "all" | number;
  /** Each tree sees as many rows as there are, drawn with replacement. */
  readonly bootstrap: boolean;
}

/** How a candidate's ranges are searched. */
export interface SearchSettings {
  readonly sampler: "tpe" | "random" | "grid";
  /** At most so many trials… */
  readonly trials: number;
  /** …and for at most so long. null: no limit of time. */
  readonly time: Micros | null;
  /** Stops trials that are far behind, by successive halving. */
  readonly pruning: boolean;
  /** Processes that trials run in at the same time. */
  readonly workers: number;
  /** A trial that takes longer is ended and counts as failed. */
  readonly trialTime: Micros;
  /** Folds of the training rows: a trial's score is the mean over them. null: one fold like the model's split. */
  readonly folds: FoldDefinition | null;
}

export interface AutoMlParams {
  /** All trials together take at most so long. */
  readonly time: Micros;
  /** At most so many models are blended in the end. */
  readonly ensemble: number;
  readonly workers: number;
  /** Regression of counts or rates, which are at least 0: their logarithm is modelled. */
  readonly counts: boolean;
}

interface Named {
  /** Unique among the model's candidates. */
  readonly name: string;
}

/** A candidate whose parameters may be ranges: those are in `space`, and `params` holds what they start from. */
interface Tunable<P> extends Named {
  readonly params: P;
  /** Absent: nothing is searched. */
  readonly tune?: { readonly space: SearchSpace; readonly settings: SearchSettings };
}

export type BaselineCandidate = Named & { readonly kind: "baseline"; readonly params: BaselineParams };
/** The charter's alternative. */
export type RuleCandidate = Named & { readonly kind: "rule" };
export type LogisticRegressionCandidate = Tunable<LogisticRegressionParams> & { readonly kind: "logistic-regression" };
export type LinearRegressionCandidate = Tunable<LinearRegressionParams> & { readonly kind: "linear-regression" };
export type PoissonRegressionCandidate = Tunable<PoissonRegressionParams> & { readonly kind: "poisson-regression" };
export type GradientBoostingCandidate = Tunable<GradientBoostingParams> & { readonly kind: "gradient-boosting" };
export type ForestCandidate = Tunable<ForestParams> & { readonly kind: "random-forest" | "extra-trees" };
export type AutoMlCandidate = Named & { readonly kind: "auto-ml"; readonly params: AutoMlParams };

export type CandidateDefinition =
  | BaselineCandidate
  | RuleCandidate
  | LogisticRegressionCandidate
  | LinearRegressionCandidate
  | PoissonRegressionCandidate
  | GradientBoostingCandidate
  | ForestCandidate
  | AutoMlCandidate
  | ModelFileCandidate
  | PythonCandidate;

interface CandidateOptions {
  /** Where a model has two candidates of one kind. */
  readonly name?: string;
}

/** How to search, where a parameter is a range. */
interface TunableOptions extends CandidateOptions {
  readonly sampler?: SearchSettings["sampler"];
  readonly trials?: number;
  readonly time?: Duration;
  readonly pruning?: boolean;
  readonly workers?: number;
  readonly trialTime?: Duration;
  readonly folds?: FoldDefinition;
}

function tunable<P extends object>(
  kind: string,
  defaults: P,
  params: Partial<Searchable<P>>,
  { name = kind, time, trialTime = "30m", ...settings }: TunableOptions,
): Tunable<P> {
  const { fixed, space } = separateSearch({ ...defaults, ...params });
  // What is searched starts from its default.
  const own = { name, params: { ...defaults, ...fixed } };
  if (space.length === 0) return own;
  const defaultSettings = { sampler: "tpe", trials: 40, pruning: true, workers: 2, folds: null } as const;
  return {
    ...own,
    tune: {
      space,
      settings: {
        ...defaultSettings,
        ...settings,
        time: time === undefined ? null : durationToMicros(time),
        trialTime: durationToMicros(trialTime),
      },
    },
  };
}

/** Predicts the training set's share of positives (or the mean) for everyone, unless another strategy is given. */
export const baseline = (strategy: BaselineParams["strategy"] = "prior", options: CandidateOptions = {}): BaselineCandidate => ({
  kind: "baseline",
  name: options.name ?? (strategy === "prior" ? "baseline" : `baseline-${strategy}`),
  params: { strategy },
});

/** Binary or multinomial; L2 unless `l1Ratio` says otherwise. */
export const logisticRegression = (
  params: Partial<Searchable<LogisticRegressionParams>> = {},
  options: TunableOptions = {},
): LogisticRegressionCandidate => ({
  kind: "logistic-regression",
  ...tunable("logistic-regression", { c: 1, l1Ratio: 0 }, params, options),
});

/** Least squares, ridge, lasso or elastic net. */
export const linearRegression = (
  params: Partial<Searchable<LinearRegressionParams>> = {},
  options: TunableOptions = {},
): LinearRegressionCandidate => ({
  kind: "linear-regression",
  ...tunable("linear-regression", { alpha: 1, l1Ratio: 0 }, params, options),
});

/** For counts and rates: the logarithm of the expected value is linear. */
export const poissonRegression = (
  params: Partial<Searchable<PoissonRegressionParams>> = {},
  options: TunableOptions = {},
): PoissonRegressionCandidate => ({
  kind: "poisson-regression",
  ...tunable("poisson-regression", { alpha: 1 }, params, options),
});

const BOOSTING: GradientBoostingParams = {
  trees: 200,
  leaves: 31,
  rate: 0.1,
  l2: 1,
  l1: 0,
  minLeafRows: 20,
  minHessian: 1e-3,
  maxDepth: 0,
  minGain: 0,
  rowShare: 1,
  columnShare: 1,
  earlyStopping: 20,
  loss: "squared",
  quantile: 0.5,
  monotone: {},
  interactions: [],
};

export const gradientBoosting = (
  params: Partial<Searchable<GradientBoostingParams>> = {},
  options: TunableOptions = {},
): GradientBoostingCandidate => ({ kind: "gradient-boosting", ...tunable("gradient-boosting", BOOSTING, params, options) });

const FOREST: ForestParams = { trees: 100, maxDepth: 0, minLeafRows: 5, maxFeatures: "auto", bootstrap: true };

export const randomForest = (params: Partial<Searchable<ForestParams>> = {}, options: TunableOptions = {}): ForestCandidate => ({
  kind: "random-forest",
  ...tunable("random-forest", FOREST, params, options),
});

/** Thresholds are drawn at random, and the best of those is taken. */
export const extraTrees = (params: Partial<Searchable<ForestParams>> = {}, options: TunableOptions = {}): ForestCandidate => ({
  kind: "extra-trees",
  ...tunable("extra-trees", { ...FOREST, bootstrap: false }, params, options),
});

/**
 * Searches over the model's other candidates and all kinds of ours for a given time and blends the best: `autoMl({ time: "10m" })`.
 * `counts`: the target is a count or a rate, and Poisson models are tried.
 */
export const autoMl = (
  params: { time: Duration; ensemble?: number; workers?: number; counts?: boolean },
  options: CandidateOptions = {},
): AutoMlCandidate => ({
  kind: "auto-ml",
  name: options.name ?? "auto-ml",
  params: { ensemble: 10, workers: 2, counts: false, ...params, time: durationToMicros(params.time) },
});
