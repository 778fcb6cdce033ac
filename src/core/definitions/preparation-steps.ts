/** Which estimators a step is for. Trees split alike before and after a monotone map and take missing values as they are. */
export type StepFamily = "linear" | "tree" | "all";

/** Which features a step works on, and for which estimators. */
export interface StepScope {
  /**
   * Ids or names of features: the step works on the columns that are made of these alone. Absent: all columns of the kind that the
   * step fits. A step after an encoding works on the encoded columns.
   */
  readonly on?: readonly string[];
  /** Absent: "all", but "linear" for imputing, scaling, log and power transforms, and one-hot. */
  readonly for?: StepFamily;
}

export type ImputeStrategy = "mean" | "median" | "mostFrequent" | "constant";

/** Parts of a timestamp in UTC: month 1…12, day 1…31, dayOfWeek 0 (Monday) … 6, dayOfYear 1…366, hour 0…23, weekend 0 or 1. */
export type DatePart = "year" | "month" | "day" | "dayOfWeek" | "dayOfYear" | "hour" | "minute" | "weekend";

interface Impute extends StepScope {
  readonly kind: "impute";
  readonly strategy: ImputeStrategy;
  /** What "constant" puts in: a number into numbers, a text into categories. */
  readonly value?: number | string;
  /** Adds a column that is 1 where the value was missing, if some were in training. */
  readonly indicator: boolean;
}

interface QuantileScale extends StepScope {
  readonly kind: "quantile-scale";
  readonly output: "uniform" | "normal";
  /** At most so many landmarks of the distribution are kept; never more than training rows. */
  readonly quantiles: number;
}

interface LogTransform extends StepScope {
  readonly kind: "log-transform";
  /** sign(x) ln(1 + |x|), or ln(1 + x), which is missing where x is -1 or less. */
  readonly signed: boolean;
}

interface PowerTransform extends StepScope {
  readonly kind: "power-transform";
  /** Box-Cox takes positive numbers only: others are missing, and training rows may have none. */
  readonly method: "yeo-johnson" | "box-cox";
  /** Scales to mean 0 and variance 1 afterwards. */
  readonly standardize: boolean;
}

interface OneHot extends StepScope {
  readonly kind: "one-hot";
  /** Categories below this share of the training rows (0…1) share one column. */
  readonly rare: number;
  /** Where a category goes that was not seen in training: into the rare ones' column, or nowhere (all columns 0). */
  readonly unseen: "rare" | "none";
}

interface Ordinal extends StepScope {
  readonly kind: "ordinal";
  /** Lowest first, for one feature; absent: in alphabetical order. */
  readonly order?: readonly string[];
}

interface TargetEncode extends StepScope {
  readonly kind: "target-encode";
  /** So many rows of the overall mean are mixed into each category's; "auto" weighs by the variances (empirical Bayes). */
  readonly smooth: number | "auto";
  /** Training rows are encoded from the other folds. */
  readonly folds: number;
}

interface DateParts extends StepScope {
  readonly kind: "date-parts";
  readonly parts: readonly DatePart[];
  /** Periodic parts become a point on a circle (sine and cosine), so that December lies beside January. */
  readonly cyclic: boolean;
  /** Keeps the timestamp itself as a number too. */
  readonly keep: boolean;
}

/** Bounds that values are drawn to, or the shares of training values beyond which they are. */
interface Clip extends StepScope {
  readonly kind: "clip";
  readonly by: "bounds" | "quantiles";
  readonly low?: number;
  readonly high?: number;
}

interface Products extends StepScope {
  readonly kind: "products";
  readonly on: readonly string[];
  /** Squares too; without them only products of columns of different features. */
  readonly squares: boolean;
}

interface SelectFeatures extends StepScope {
  readonly kind: "select-features";
  readonly by: SelectionCriterion;
}

/** `variance`: columns that vary more than `above`. The others keep the `top` best; "l1" those with a coefficient at strength 1 / c, at most `top`. */
export type SelectionCriterion =
  | { readonly kind: "variance"; readonly above: number }
  | { readonly kind: "mutual-information"; readonly top: number }
  | { readonly kind: "f-test"; readonly top: number }
  | { readonly kind: "l1"; readonly c: number; readonly top?: number };

/** One step of a preparation: plain data, fitted on training rows only. Steps work in the order given, each on what the last one left. */
export type PreparationStep =
  | Impute
  | (StepScope & { readonly kind: "standard-scale" })
  | (StepScope & { readonly kind: "min-max-scale"; readonly low: number; readonly high: number })
  | (StepScope & { readonly kind: "robust-scale"; readonly low: number; readonly high: number })
  | QuantileScale
  | LogTransform
  | PowerTransform
  | OneHot
  | Ordinal
  | (StepScope & { readonly kind: "frequency-encode" })
  | TargetEncode
  | DateParts
  | Clip
  | Products
  | SelectFeatures;

type ImputeOptions = StepScope & { readonly value?: number | string; readonly indicator?: boolean };

/**
 * Replaces missing values. "mean" and "median" are of numbers, "mostFrequent" of numbers and categories (of equally frequent ones the
 * least), "constant" is `value`.
 */
export const impute = (strategy: ImputeStrategy = "median", options: ImputeOptions = {}): PreparationStep => ({
  kind: "impute",
  strategy,
  indicator: true,
  ...options,
});

/** Numbers to mean 0 and variance 1. */
export const standardScale = (scope: StepScope = {}): PreparationStep => ({ kind: "standard-scale", ...scope });

/** Numbers so that the training rows' least and greatest become `low` and `high`; later ones may lie outside. */
export const minMaxScale = (options: StepScope & { low?: number; high?: number } = {}): PreparationStep => ({
  kind: "min-max-scale",
  low: 0,
  high: 1,
  ...options,
});

/** Numbers less their median, in units of the distance between two quantiles (0…1; the quartiles unless said). */
export const robustScale = (options: StepScope & { low?: number; high?: number } = {}): PreparationStep => ({
  kind: "robust-scale",
  low: 0.25,
  high: 0.75,
  ...options,
});

/** Numbers by their place in the training rows' distribution: 0…1, or the normal distribution's value there. */
export const quantileScale = (
  options: StepScope & { output?: QuantileScale["output"]; quantiles?: number } = {},
): PreparationStep => ({ kind: "quantile-scale", output: "uniform", quantiles: 1_000, ...options });

export const logTransform = (options: StepScope & { signed?: boolean } = {}): PreparationStep => ({
  kind: "log-transform",
  signed: true,
  ...options,
});

/** The power of each number's column that brings it closest to a normal distribution. */
export const powerTransform = (
  options: StepScope & { method?: PowerTransform["method"]; standardize?: boolean } = {},
): PreparationStep => ({ kind: "power-transform", method: "yeo-johnson", standardize: true, ...options });

/** One column per category, and one for missing values where training had some. */
export const oneHot = (options: StepScope & { rare?: number; unseen?: OneHot["unseen"] } = {}): PreparationStep => ({
  kind: "one-hot",
  rare: 0,
  unseen: "rare",
  ...options,
});

/** Categories as 0, 1, 2 …; unseen ones are missing. */
export const ordinal = (options: StepScope & { order?: readonly string[] } = {}): PreparationStep => ({
  kind: "ordinal",
  ...options,
});

/** Categories as their share of the training rows; unseen ones are 0. */
export const frequencyEncode = (scope: StepScope = {}): PreparationStep => ({ kind: "frequency-encode", ...scope });

/** Categories as the target's smoothed mean among their training rows (one column a class where there are more than two). */
export const targetEncode = (options: StepScope & { smooth?: TargetEncode["smooth"]; folds?: number } = {}): PreparationStep => ({
  kind: "target-encode",
  smooth: "auto",
  folds: 5,
  ...options,
});

/** Timestamps as parts of the calendar. */
export const dateParts = (
  options: StepScope & { parts?: readonly DatePart[]; cyclic?: boolean; keep?: boolean } = {},
): PreparationStep => ({
  kind: "date-parts",
  parts: ["month", "dayOfWeek", "hour"],
  cyclic: false,
  keep: false,
  ...options,
});

type ClipOptions = StepScope &
  (
    | { readonly low?: number; readonly high?: number; readonly quantiles?: never }
    | { readonly quantiles: readonly [low: number, high: number]; readonly low?: never; readonly high?: never }
  );

/** `clip({ low: 0 })`, `clip({ quantiles: [0.01, 0.99] })`: numbers beyond a bound become the bound. */
export const clip = ({ quantiles, ...options }: ClipOptions): PreparationStep =>
  quantiles === undefined
    ? { kind: "clip", by: "bounds", ...options }
    : { kind: "clip", by: "quantiles", ...options, low: quantiles[0], high: quantiles[1] };

/** Adds the squares of the features' columns and the products of any two of them. */
export const polynomial = (on: readonly string[], scope: Pick<StepScope, "for"> = {}): PreparationStep => ({
  kind: "products",
  on,
  squares: true,
  ...scope,
});

/** Adds the products of the columns of any two of the features; categories have columns to multiply once a step has encoded them. */
export const interactions = (on: readonly string[], scope: Pick<StepScope, "for"> = {}): PreparationStep => ({
  kind: "products",
  on,
  squares: false,
  ...scope,
});

/** Keeps the columns that say most. Categories that no step has encoded take part in mutual information only, and are kept by the others. */
export const selectFeatures = (by: SelectionCriterion, scope: StepScope = {}): PreparationStep => ({
  kind: "select-features",
  by,
  ...scope,
});
