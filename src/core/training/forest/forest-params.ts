import { trainErrors } from "../errors.ts";

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
  /** Columns tried at each node: a share of them (above 0, up to 1), their square root, or all. */
  readonly maxFeatures: "sqrt" | "all" | number;
  /** Each tree sees as many rows as there are, drawn with replacement; otherwise all of them. */
  readonly bootstrap: boolean;
}

/** The square root of the columns for classes, a third of them for values (Breiman 2001); scikit-learn tries all for values. */
export const forestDefaults = (classes: number): ForestParams => ({
  trees: 100,
  maxDepth: 0,
  maxLeaves: 0,
  minLeafRows: 1,
  minSplitRows: 2,
  maxFeatures: classes === 0 ? 1 / 3 : "sqrt",
  bootstrap: true,
});

/** @throws TRAIN_PARAMETER_INVALID */
export function checkForestParams(params: ForestParams): void {
  const { trees, maxDepth, maxLeaves, minLeafRows, minSplitRows, maxFeatures } = params;
  const whole = (name: string, value: number, least: number) => {
    if (!(Number.isInteger(value) && value >= least)) {
      throw trainErrors.TRAIN_PARAMETER_INVALID(`forest: ${name} is ${value}, not a whole number from ${least} on`);
    }
  };
  whole("trees", trees, 1);
  whole("maxDepth", maxDepth, 0);
  whole("maxLeaves", maxLeaves, 0);
  for (const [name, value] of Object.entries({ minLeafRows, minSplitRows })) {
    if (!(value >= 0 && Number.isFinite(value)))
      throw trainErrors.TRAIN_PARAMETER_INVALID(`forest: ${name} is ${value}, not 0 or more`);
  }
  if (typeof maxFeatures === "number" && !(maxFeatures > 0 && maxFeatures <= 1)) {
    throw trainErrors.TRAIN_PARAMETER_INVALID(`forest: maxFeatures is ${maxFeatures}, not a share above 0 and up to 1`);
  }
}

/** How many columns a node tries. */
export function triedColumns(maxFeatures: ForestParams["maxFeatures"], columns: number): number {
  if (maxFeatures === "all") return columns;
  const tried = maxFeatures === "sqrt" ? Math.sqrt(columns) : maxFeatures * columns;
  return Math.max(1, Math.floor(tried));
}
