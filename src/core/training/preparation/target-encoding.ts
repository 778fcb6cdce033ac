import type { PreparationStep } from "../../definitions/index.ts";
import { assignKFold, assignStratifiedKFold, type FoldAssignment } from "../splits/folds.ts";
import { type CategoryNumbers, encodedDraft } from "./category-encoding.ts";
import type { CategoryDraft, NumberDraft } from "./draft-column.ts";
import type { FitContext } from "./fit-context.ts";

type TargetEncodeStep = Extract<PreparationStep, { kind: "target-encode" }>;

/**
 * Categories as the smoothed mean of a target among their rows; a column for each class where there are more than two. The encoding
 * that is kept is of all training rows, but the training rows themselves get what the rows of the other folds say: a row that saw its
 * own label would look more certain than any later row can be. Missing values count as a category.
 *
 * @throws TRAIN_TOO_FEW_ROWS
 */
export function targetEncode(step: TargetEncodeStep, draft: CategoryDraft, context: FitContext): NumberDraft[] {
  const assignment = assignFolds(step, context);
  return encodedTargets(context).map(({ values, suffix }) => {
    const sample: TargetSample = { ...withMissing(draft), target: values, weights: context.weights };
    const column = encodedDraft(draft, smoothedMeans(sample, step.smooth), context, `${draft.name}${suffix}`);
    return { ...column, values: outOfFold(sample, step.smooth, assignment, step.folds) };
  });
}

/** Codes with a category of their own for missing values, the last. */
interface CodedRows {
  readonly codes: Int32Array;
  readonly categories: number;
}

export interface TargetSample extends CodedRows {
  readonly target: Float64Array;
  readonly weights: Float64Array | undefined;
}

function withMissing({ codes, categories }: CategoryDraft): CodedRows {
  const missing = categories.length;
  return { codes: codes.map((code) => (code < 0 ? missing : code)), categories: missing + 1 };
}

/** The target itself, or for more than two classes whether it is each. */
function encodedTargets({ target, task }: FitContext): { readonly values: Float64Array; readonly suffix: string }[] {
  const values = Float64Array.from(target.values);
  if (task !== "multiclass") return [{ values, suffix: "" }];
  const classes = values.reduce((highest, each) => Math.max(highest, each), 0) + 1;
  return Array.from({ length: classes }, (_, index) => ({
    values: values.map((each) => (each === index ? 1 : 0)),
    suffix: ` (class ${index})`,
  }));
}

function assignFolds({ folds }: TargetEncodeStep, { target, task, seed }: FitContext): FoldAssignment {
  return task === "regression"
    ? assignKFold(target.values.length, { folds, seed })
    : assignStratifiedKFold(target.values, { folds, seed });
}

/** Every row encoded by the rows of all folds but its own. */
export function outOfFold(
  sample: TargetSample,
  smooth: TargetEncodeStep["smooth"],
  assignment: FoldAssignment,
  folds: number,
): Float64Array {
  const encoded = new Float64Array(sample.codes.length);
  for (let fold = 0; fold < folds; fold++) {
    const { values, missing } = smoothedMeans(sample, smooth, (row) => assignment[row] !== fold);
    for (let row = 0; row < encoded.length; row++) {
      if (assignment[row] === fold) encoded[row] = values[sample.codes[row]] ?? missing ?? Number.NaN;
    }
  }
  return encoded;
}

/**
 * Each category's mean, drawn towards the overall mean: by `smooth` rows of it, or by empirical Bayes (Micci-Barreca, "A preprocessing
 * scheme for high-cardinality categorical attributes", SIGKDD Explorations 3 (2001), equations 5 and 6), where a category weighs the
 * more, the more rows it has and the less its target varies. A category without rows gets the overall mean, and so do unseen ones.
 */
export function smoothedMeans(
  sample: TargetSample,
  smooth: TargetEncodeStep["smooth"],
  counts: (row: number) => boolean = () => true,
): CategoryNumbers {
  const { codes, categories, target, weights } = sample;
  const totals = new Float64Array(categories);
  const sums = new Float64Array(categories);
  for (let row = 0; row < codes.length; row++) {
    if (!counts(row)) continue;
    const weight = weights?.[row] ?? 1;
    totals[codes[row]] += weight;
    sums[codes[row]] += weight * target[row];
  }
  const total = totals.reduce((sum, each) => sum + each, 0);
  const mean = sums.reduce((sum, each) => sum + each, 0) / total;
  if (smooth !== "auto") {
    const smoothed = sums.map((sum, code) => (totals[code] === 0 ? mean : (sum + smooth * mean) / (totals[code] + smooth)));
    return numbersOf(smoothed, mean);
  }

  const squaresWithin = new Float64Array(categories);
  let squares = 0;
  for (let row = 0; row < codes.length; row++) {
    if (!counts(row)) continue;
    const weight = weights?.[row] ?? 1;
    const code = codes[row];
    squaresWithin[code] += weight * (target[row] - sums[code] / totals[code]) ** 2;
    squares += weight * (target[row] - mean) ** 2;
  }
  const variance = squares / total;
  const smoothed = sums.map((sum, code) => {
    const between = variance * totals[code];
    const own = between / (between + squaresWithin[code] / totals[code]);
    return Number.isNaN(own) ? mean : own * (sum / totals[code]) + (1 - own) * mean;
  });
  return numbersOf(smoothed, mean);
}

const numbersOf = (smoothed: Float64Array, mean: number): CategoryNumbers => ({
  values: Array.from(smoothed.subarray(0, -1)),
  missing: smoothed[smoothed.length - 1],
  unseen: mean,
});
