import { extraTrees, FOREST_RULES, randomForest, wholeFrom, zeroOrMore } from "../../definitions/index.ts";
import { checkValues } from "../check-values.ts";

export interface ForestParams {
  readonly trees: number;
  /** 0: until leaves are pure or too small. */
  readonly maxDepth: number;
  /** Leaves of a tree, the most useful splits first; 0: as many as there are. */
  readonly maxLeaves: number;
  /** Least weight of a leaf's rows, a row counting as often as it was drawn; up to 1, every row may have its own leaf. */
  readonly minLeafRows: number;
  /** A node of less weight is not split. */
  readonly minSplitRows: number;
  /** Columns tried at each node: a share of them (above 0, up to 1), their square root, all, or what suits the task (see `triedColumns`). */
  readonly maxFeatures: "auto" | "sqrt" | "all" | number;
  /** Each tree sees as many rows as there are, drawn with replacement; otherwise all of them. */
  readonly bootstrap: boolean;
}

/** What a project's `randomForest()` and `extraTrees()` have, with leaves as many as there are. */
export const forestDefaults = (kind: "random-forest" | "extra-trees"): ForestParams => ({
  ...(kind === "extra-trees" ? extraTrees() : randomForest()).params,
  maxLeaves: 0,
  minSplitRows: 2,
});

/** @throws TRAIN_PARAMETER_INVALID */
export const checkForestParams = (params: ForestParams): void =>
  checkValues("forest", params, { ...FOREST_RULES, maxLeaves: wholeFrom(0), minSplitRows: zeroOrMore });

/**
 * How many columns a node tries. "auto" is the square root of the columns for classes and a third of them for values, as Breiman (2001)
 * and R's randomForest have it; scikit-learn tries all for values.
 * @param classes 0 for regression
 */
export function triedColumns(maxFeatures: ForestParams["maxFeatures"], columns: number, classes: number): number {
  if (maxFeatures === "all") return columns;
  const share = maxFeatures === "auto" && classes === 0 ? 1 / 3 : maxFeatures;
  const tried = typeof share === "number" ? share * columns : Math.sqrt(columns);
  return Math.max(1, Math.floor(tried));
}
