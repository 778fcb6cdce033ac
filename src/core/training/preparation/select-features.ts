import type { PreparationStep } from "../../definitions/index.ts";
import { binsFor, type DiscreteColumn, discretize } from "../exploration/discretize.ts";
import { classSeparation, linearSeparation } from "../exploration/f-test.ts";
import { mutualInformation } from "../exploration/mutual-information.ts";
import { fitLinearRegression } from "../linear/linear-regression.ts";
import { fitLogisticRegression } from "../linear/logistic-regression.ts";
import { columnSample, deviationOf, momentsOf } from "./column-sample.ts";
import type { Draft, NumberDraft } from "./draft-column.ts";
import type { FitContext } from "./fit-context.ts";

type Criterion = Extract<PreparationStep, { kind: "select-features" }>["by"];

/**
 * The columns that a criterion keeps, in their order. Categories without numbers are judged by mutual information only; the other
 * criteria keep them.
 * @throws for "l1" as the linear models
 */
export function selectFeatures(by: Criterion, drafts: readonly Draft[], context: FitContext): Draft[] {
  const kept = new Set<Draft>(by.kind === "mutual-information" ? [] : drafts.filter(({ kind }) => kind === "category"));
  const judged = drafts.filter((draft) => !kept.has(draft));
  const scores = scoreColumns(by, judged, context);
  const best = judged
    .map((draft, index) => ({ draft, score: Number.isNaN(scores[index]) ? 0 : scores[index] }))
    .filter(({ score }) => by.kind === "mutual-information" || by.kind === "f-test" || score > 0)
    .sort((a, b) => b.score - a.score);
  for (const { draft } of best.slice(0, topOf(by))) kept.add(draft);
  return drafts.filter((draft) => kept.has(draft));
}

const topOf = (by: Criterion): number =>
  by.kind === "variance" ? Number.POSITIVE_INFINITY : (by.top ?? Number.POSITIVE_INFINITY);

/** The higher the better; 0 for a column that a threshold turns down. */
function scoreColumns(by: Criterion, drafts: readonly Draft[], context: FitContext): number[] {
  const { target, task, weights } = context;
  switch (by.kind) {
    case "variance":
      return drafts.map((draft) => {
        const { variance } = momentsOf(columnSample(numbersOf(draft), weights));
        return variance > by.above ? variance : 0;
      });
    case "mutual-information": {
      const bins = binsFor(target.values.length);
      const answer = targetColumn(context, bins);
      return drafts.map((draft) => mutualInformation(discreteColumn(draft, bins, weights), answer, weights).corrected);
    }
    case "f-test": {
      const separation = task === "regression" ? linearSeparation : classSeparation;
      return drafts.map((draft) => {
        const values = numbersOf(draft);
        // What varies by rounding only would be divided by nothing.
        return deviationOf(columnSample(values, weights)) === 0 ? 0 : separation(values, target.values, weights);
      });
    }
    case "l1":
      return largestCoefficients(by.c, drafts, context);
  }
}

const numbersOf = (draft: Draft): Float64Array =>
  draft.kind === "number" ? draft.values : Float64Array.from(draft.codes, (code) => (code < 0 ? Number.NaN : code));

function discreteColumn(draft: Draft, bins: number, weights: Float64Array | undefined): DiscreteColumn {
  if (draft.kind === "number") return discretize(draft.values, bins, weights);
  const missing = draft.categories.length;
  return { codes: draft.codes.map((code) => (code < 0 ? missing : code)), count: missing + 1 };
}

function targetColumn({ target, task, weights }: FitContext, bins: number): DiscreteColumn {
  if (task === "regression") return discretize(Float64Array.from(target.values), bins, weights);
  return { codes: Int32Array.from(target.values), count: classesOf(target.values) };
}

const classesOf = (labels: Iterable<number>): number => {
  let highest = 1;
  for (const label of labels) highest = Math.max(highest, label);
  return highest + 1;
};

/** Size of each column's coefficient in a lasso over columns of mean 0 and variance 1; missing values count as the mean. */
function largestCoefficients(c: number, drafts: readonly Draft[], { target, task, weights }: FitContext): number[] {
  const columns = drafts.flatMap((draft) => (draft.kind === "number" ? [standardized(draft, weights)] : []));
  const rows = target.values.length;
  const matrix = { rows, columns };
  const weighted = weights === undefined ? { values: target.values } : { values: target.values, weights };
  const { coefficients } =
    task === "regression"
      ? fitLinearRegression(matrix, standardizedTarget(weighted), { alpha: 1 / (c * totalOf(weights, rows)), l1Ratio: 1 })
      : fitLogisticRegression(matrix, weighted, { c, l1Ratio: 1, classes: classesOf(target.values) });
  return columns.map((_, column) => {
    let largest = 0;
    for (let i = column; i < coefficients.length; i += columns.length) largest = Math.max(largest, Math.abs(coefficients[i]));
    return largest;
  });
}

function standardized({ values }: Pick<NumberDraft, "values">, weights: Float64Array | undefined): Float64Array {
  const sample = columnSample(values, weights);
  const { mean } = momentsOf(sample);
  const deviation = deviationOf(sample) || 1;
  return values.map((value) => (Number.isNaN(value) || sample.total === 0 ? 0 : (value - mean) / deviation));
}

const standardizedTarget = ({ values, weights }: FitContext["target"]): FitContext["target"] => {
  const scaled = standardized({ values: Float64Array.from(values) }, weights);
  return weights === undefined ? { values: scaled } : { values: scaled, weights };
};

const totalOf = (weights: Float64Array | undefined, rows: number): number =>
  weights === undefined ? rows : weights.reduce((sum, weight) => sum + weight, 0);
