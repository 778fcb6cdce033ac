import {
  BOOSTING_NUMBER_RULES,
  isRecord,
  keepsDirections,
  oneOf,
  type ValueRule,
  type ValueRules,
  wholeFrom,
  zeroOrMore,
} from "../../definitions/index.ts";
import { checkValues } from "../check-values.ts";
import { trainErrors } from "../errors.ts";
import { MOST_BINS } from "../trees/binning.ts";

/** What boosting minimises. binary: log loss; multiclass: log loss over softmax; poisson: deviance of counts, on a logarithmic scale. */
export type BoostingObjective = "squared" | "quantile" | "poisson" | "binary" | "multiclass";

/** How nodes are split on categories. Figures are LightGBM's. */
export interface CategoryLimits {
  /** Added to a category's hessian before categories are put in order; one that weighs less in a node stays right. */
  readonly smoothing: number;
  /** Penalty on top of `l2` where more than one category goes left. */
  readonly l2: number;
  /** At most so many categories go left. */
  readonly most: number;
  /** With so many bins or fewer, each category is tried against all others instead. */
  readonly oneVsRest: number;
  /** Only so many rows (by weight) more make another set worth trying. */
  readonly minRows: number;
}

export interface BoostingParams {
  readonly objective: BoostingObjective;
  /** Which quantile the quantile objective predicts (0…1). */
  readonly quantile: number;
  /** Rounds: each grows one tree, or one a class. */
  readonly trees: number;
  readonly leaves: number;
  /** 0: as deep as the leaves allow. */
  readonly maxDepth: number;
  /** Learning rate. */
  readonly rate: number;
  readonly l1: number;
  readonly l2: number;
  /** Least weight of a leaf's rows: without weights, rows. */
  readonly minLeafRows: number;
  /** Least sum of hessians in a leaf. */
  readonly minHessian: number;
  /** A split must gain more than this. */
  readonly minGain: number;
  /** Bins of values a column (2…255). */
  readonly maxBins: number;
  /** Share of rows that each round sees, drawn without replacement. */
  readonly rowShare: number;
  /** Share of columns that each tree sees. */
  readonly columnShare: number;
  /** Stops when the validation rows have not gained for so many rounds; 0 grows them all. */
  readonly earlyStopping: number;
  /** By column: 1 where the raw output may only rise with it, -1 where it may only fall. Empty: no constraint. */
  readonly monotone: readonly number[];
  /**
   * Groups of columns: only columns of one group stand on a path together. Columns in no group are one more group. Empty: no
   * constraint.
   */
  readonly interactions: readonly (readonly number[])[];
  readonly categories: CategoryLimits;
}

export const BOOSTING_DEFAULTS: BoostingParams = {
  objective: "squared",
  quantile: 0.5,
  trees: 100,
  leaves: 31,
  maxDepth: 0,
  rate: 0.1,
  l1: 0,
  l2: 1,
  minLeafRows: 20,
  minHessian: 1e-3,
  minGain: 0,
  maxBins: MOST_BINS,
  rowShare: 1,
  columnShare: 1,
  earlyStopping: 0,
  monotone: [],
  interactions: [],
  categories: { smoothing: 10, l2: 10, most: 32, oneVsRest: 4, minRows: 100 },
};

const CATEGORY_RULES = {
  smoothing: zeroOrMore,
  l2: zeroOrMore,
  most: zeroOrMore,
  oneVsRest: zeroOrMore,
  minRows: zeroOrMore,
} satisfies Record<keyof CategoryLimits, ValueRule>;

/** Directions and groups are by column: they are checked against the matrix. */
const RULES: ValueRules = {
  ...BOOSTING_NUMBER_RULES,
  objective: oneOf(["squared", "quantile", "poisson", "binary", "multiclass"]),
  maxBins: wholeFrom(2, MOST_BINS),
  categories: { wanted: "an object", accepts: isRecord },
};

/**
 * @param columns how many the matrix has
 * @param isCategory by column
 * @throws TRAIN_PARAMETER_INVALID
 */
export function checkBoostingParams(params: BoostingParams, columns: number, isCategory: (column: number) => boolean): void {
  const { monotone: _, interactions, ...values } = params;
  checkValues("gradient boosting", values, RULES);
  checkValues("gradient boosting: categories", params.categories, CATEGORY_RULES);
  checkMonotone(params, columns, isCategory);
  for (const column of interactions.flat()) {
    if (!(Number.isInteger(column) && column >= 0 && column < columns))
      throw wrong("interactions", column, `one of ${columns} columns`);
  }
}

/** @throws TRAIN_PARAMETER_INVALID */
export function checkThreads(threads: number): void {
  if (!(Number.isInteger(threads) && threads >= 1 && threads <= 64))
    throw wrong("threads", threads, "a whole number from 1 to 64");
}

function checkMonotone({ monotone, objective }: BoostingParams, columns: number, isCategory: (column: number) => boolean): void {
  if (monotone.every((direction) => direction === 0)) return;
  if (!keepsDirections(objective)) {
    throw trainErrors.TRAIN_PARAMETER_INVALID(`gradient boosting: monotone columns do not go with the ${objective} objective`, {
      hint: "Leave `monotone` out, or use the squared, poisson or binary objective.",
    });
  }
  if (monotone.length !== columns) throw wrong("monotone", monotone.length, `one direction for each of ${columns} columns`);
  monotone.forEach((direction, column) => {
    if (direction !== 0 && direction !== 1 && direction !== -1) throw wrong(`monotone[${column}]`, direction, "1, 0 or -1");
    if (direction !== 0 && isCategory(column))
      throw wrong(`monotone[${column}]`, direction, "0, as a column of categories needs");
  });
}

const wrong = (name: string, value: number, wanted: string) =>
  trainErrors.TRAIN_PARAMETER_INVALID(`gradient boosting: ${name} is ${value}, not ${wanted}`);
