import type { PreparationStep, StepFamily } from "../../definitions/index.ts";
import type { Dataset, RowSelection } from "../dataset.ts";
import { trainErrors } from "../errors.ts";
import { findFeature } from "../find-feature.ts";
import type { Matrix, Target } from "../matrix.ts";
import type { Task } from "../model.ts";
import { encodedDraft, frequencyEncode, oneHot, ordinal } from "./category-encoding.ts";
import { createColumnRoom } from "./column-room.ts";
import { columnSample, deviationOf, momentsOf, scaledWeights } from "./column-sample.ts";
import { dateParts } from "./date-parts.ts";
import { type CategoryDraft, type Draft, draftFeatures, draftsOf, mapped, type NumberDraft } from "./draft-column.ts";
import { describeColumns } from "./encode.ts";
import type { FitContext } from "./fit-context.ts";
import type {
  CategoryEncoding,
  ColumnFormula,
  ColumnSource,
  EncodedColumn,
  FittedPreparation,
  NumberMap,
} from "./fitted-preparation.ts";
import { impute, imputes } from "./impute.ts";
import { products } from "./products.ts";
import { rankCategories } from "./rank-categories.ts";
import { clip, minMaxScale, powerTransform, quantileScale, robustScale, standardScale } from "./scaling.ts";
import { selectFeatures } from "./select-features.ts";
import { targetEncode } from "./target-encoding.ts";

/** Linear estimators take finite numbers only; trees take NaN and categories. */
export type EstimatorFamily = "linear" | "tree";

export interface PreparationOptions {
  readonly steps: readonly PreparationStep[];
  readonly family: EstimatorFamily;
  /** Of the rows that are given, in their order. Weights count in all that is learned here. */
  readonly target: Target;
  readonly task: Task;
  /** For the folds of target encoding. */
  readonly seed: number;
  /** Ids of features to leave out. */
  readonly exclude?: readonly string[];
  /** Ids of the features that hold Micros: what dateParts() works on unless it names features. */
  readonly timestamps?: readonly string[];
  /** What trees get for categories that no step encodes: codes for native splits, or ranks of their smoothed target mean. */
  readonly treeCategories?: "native" | "rank";
  /** Bytes that the matrix may take; what the process may have unless said. */
  readonly memoryLimit?: number;
}

export interface FittedColumns {
  readonly preparation: FittedPreparation;
  /** Of the rows that it was fitted on: as `encode` gives it, but for target encoding, which is out of fold. */
  readonly matrix: Matrix;
}

/** Steps that say nothing to trees, which split alike before and after a monotone map, and take missing values and categories as they are. */
const FOR_LINEAR: ReadonlySet<PreparationStep["kind"]> = new Set([
  "impute",
  "standard-scale",
  "min-max-scale",
  "robust-scale",
  "quantile-scale",
  "log-transform",
  "power-transform",
  "one-hot",
]);

/**
 * Learns from `rows` of `dataset` how features become the estimator's columns, and from nothing else.
 *
 * The steps work in their order, each on the columns that the last one left. Then, for linear estimators, what no step took care of:
 * missing numbers become the mean, categories one-hot, and columns that are the same in all rows are left out. For trees, categories stay
 * categories and numbers may be missing. A feature without a value in `rows` is left out. Infinite numbers count as missing. Rows are
 * not looked at in any order: permuted rows give the same preparation, up to rounding, but for the folds of target encoding.
 *
 * @throws TRAIN_NO_FEATURES, TRAIN_TOO_MANY_COLUMNS (over 2,000), TRAIN_MEMORY_WOULD_NOT_SUFFICE, TRAIN_PARAMETER_INVALID,
 *   TRAIN_TOO_FEW_ROWS (fewer than folds)
 */
export function fitPreparation(dataset: Dataset, rows: RowSelection, options: PreparationOptions): FittedColumns {
  const { family, exclude = [], target } = options;
  if (target.values.length !== rows.length) {
    throw trainErrors.TRAIN_PARAMETER_INVALID(`there are ${target.values.length} targets for ${rows.length} rows`);
  }
  const context: FitContext = {
    target,
    task: options.task,
    weights: scaledWeights(target.weights),
    seed: options.seed,
    encodings: [],
    requireRoom: createColumnRoom(rows.length, options.memoryLimit ?? process.availableMemory()),
  };
  context.requireRoom(dataset.features.length - exclude.length, "the features as they are");
  let drafts = draftsOf(dataset, rows, exclude, context.weights);
  for (const step of options.steps) {
    if (!appliesTo(step, family)) continue;
    drafts = applyStep(step, drafts, createScope(step, dataset, options), context);
  }
  const columns = family === "linear" ? finishLinear(drafts, context) : finishTree(drafts, context, options);
  if (columns.length === 0) throw trainErrors.TRAIN_NO_FEATURES("no feature has a usable value in the training rows");
  context.requireRoom(columns.length, "the whole preparation");
  const preparation = withUsedEncodings(columns.map(toColumn), context.encodings);
  const matrix = { rows: rows.length, columns: columns.map(({ values }) => values), ...describeColumns(preparation) };
  return { preparation, matrix };
}

function appliesTo(step: PreparationStep, family: EstimatorFamily): boolean {
  const steps: StepFamily = step.for ?? (FOR_LINEAR.has(step.kind) ? "linear" : "all");
  return steps === "all" || steps === family;
}

/** Which columns a step may work on. */
interface StepColumns {
  has(draft: Draft): boolean;
  /** Whether the step names the feature; not where it takes all. */
  readonly named: ReadonlySet<number> | null;
}

/** @throws TRAIN_PARAMETER_INVALID when `on` names no feature, or several */
function createScope(step: PreparationStep, dataset: Dataset, { timestamps = [] }: PreparationOptions): StepColumns {
  const names = step.on ?? (step.kind === "date-parts" ? timestamps : undefined);
  if (names === undefined) return { has: () => true, named: null };
  const ids = dataset.features.map(({ id }) => id);
  const named = new Set(names.map((name) => findFeature(ids, name, `the step ${step.kind}`)));
  return { has: (draft) => draftFeatures(draft).every((feature) => named.has(feature)), named };
}

function applyStep(step: PreparationStep, drafts: readonly Draft[], scope: StepColumns, context: FitContext): Draft[] {
  const inScope = drafts.filter(scope.has);
  switch (step.kind) {
    case "products": {
      const known = new Set(drafts.map(({ name }) => name));
      const factors = inScope.filter(isNumber);
      const added = products(step, factors, context, drafts.length - factors.length);
      return [...drafts, ...added.filter(({ name }) => !known.has(name))];
    }
    case "select-features": {
      const kept = new Set(selectFeatures(step.by, inScope, context));
      return drafts.filter((draft) => !scope.has(draft) || kept.has(draft));
    }
    default: {
      const fits = (draft: Draft) => scope.has(draft) && isFitting(step, draft);
      requireColumns(step, inScope, scope, fits);
      let count = drafts.length;
      return drafts.flatMap((draft) => {
        if (!fits(draft)) return [draft];
        const made = replaced(step, draft, context, count - 1);
        count += made.length - 1;
        return made;
      });
    }
  }
}

type ColumnStep = Exclude<PreparationStep, { kind: "products" | "select-features" }>;

const isNumber = (draft: Draft): draft is NumberDraft => draft.kind === "number";

function isFitting(step: ColumnStep, draft: Draft): boolean {
  switch (step.kind) {
    case "one-hot":
    case "ordinal":
    case "frequency-encode":
    case "target-encode":
      return draft.kind === "category";
    case "impute":
      return (draft.kind === "category" || !draft.isIndicator) && imputes(step, draft);
    default:
      return draft.kind === "number" && !draft.isIndicator;
  }
}

/** A feature that a step names but cannot work on is a mistake; one that has no column (any more) is not. */
function requireColumns(
  step: ColumnStep,
  inScope: readonly Draft[],
  { named }: StepColumns,
  fits: (draft: Draft) => boolean,
): void {
  for (const feature of named ?? []) {
    const own = inScope.filter((draft) => draftFeatures(draft).includes(feature));
    if (own.length === 0 || own.some(fits)) continue;
    const isCategory = own.some(({ kind }) => kind === "category");
    throw trainErrors.TRAIN_PARAMETER_INVALID(
      `the step ${step.kind} works on ${isCategory ? "numbers, and" : "categories, and"} ${own[0].name} holds ${isCategory ? "categories" : "numbers"}`,
      { hint: "Put the step where the column is of its kind, or leave the feature out of its `on`." },
    );
  }
}

/** What a step makes of one column that it fits. */
function replaced(step: ColumnStep, draft: Draft, context: FitContext, others: number): Draft[] {
  if (step.kind === "impute") return impute(step, draft, context);
  return draft.kind === "category"
    ? encodeCategory(step, draft, context, others)
    : [transformNumber(step, draft, context)].flat();
}

function encodeCategory(step: ColumnStep, draft: CategoryDraft, context: FitContext, others: number): Draft[] {
  switch (step.kind) {
    case "one-hot":
      return oneHot(step, draft, context, others);
    case "ordinal":
      return [ordinal(step, draft, context)];
    case "frequency-encode":
      return [frequencyEncode(draft, context)];
    case "target-encode":
      return targetEncode(step, draft, context);
    default:
      return [draft];
  }
}

function transformNumber(step: ColumnStep, draft: NumberDraft, context: FitContext): NumberDraft | NumberDraft[] {
  switch (step.kind) {
    case "standard-scale":
      return standardScale(draft, context);
    case "min-max-scale":
      return minMaxScale(step, draft, context);
    case "robust-scale":
      return robustScale(step, draft, context);
    case "quantile-scale":
      return quantileScale(step, draft, context);
    case "log-transform":
      return mapped(draft, { kind: "log", signed: step.signed });
    case "power-transform":
      return powerTransform(step, draft, context);
    case "clip":
      return clip(step, draft, context);
    case "date-parts":
      return dateParts(step, draft);
    default:
      return draft;
  }
}

/** Linear estimators take neither categories nor missing values, and nothing from a column that is the same in all rows. */
function finishLinear(drafts: readonly Draft[], context: FitContext): NumberDraft[] {
  let count = drafts.length;
  const numbers = drafts.flatMap((draft): NumberDraft[] => {
    if (draft.kind === "number") return [draft];
    const step = { kind: "one-hot", rare: 0, unseen: "rare" } as const;
    const columns = oneHot(step, draft, context, count - 1);
    count += columns.length - 1;
    return columns;
  });
  return numbers.map((draft) => withoutMissing(draft, context)).filter(({ values }) => varies(values, context));
}

function withoutMissing(draft: NumberDraft, { weights, encodings }: FitContext): NumberDraft {
  if (isFilled(draft, encodings)) return draft;
  const { mean } = momentsOf(columnSample(draft.values, weights));
  return mapped(draft, { kind: "fill", value: Number.isNaN(mean) ? 0 : mean });
}

/** Whether the formula gives a number for every row there can be. */
function isFilled({ source, maps }: ColumnFormula, encodings: readonly CategoryEncoding[]): boolean {
  const fill = maps.findLastIndex(({ kind }) => kind === "fill" || kind === "is-missing");
  return (fill >= 0 || isAlwaysNumber(source, encodings)) && maps.slice(fill + 1).every(keepsNumbers);
}

function isAlwaysNumber(source: ColumnSource, encodings: readonly CategoryEncoding[]): boolean {
  switch (source.kind) {
    case "number":
      return false;
    case "indicator":
      return true;
    case "encoded":
      return encodings[source.encoding].unseen !== null && encodings[source.encoding].missing !== null;
    case "product":
      return source.of.every((factor) => isFilled(factor, encodings));
  }
}

const keepsNumbers = (map: NumberMap): boolean =>
  map.kind === "log" ? map.signed : map.kind === "power" ? map.method === "yeo-johnson" : true;

const varies = (values: Float64Array, { weights }: FitContext): boolean => deviationOf(columnSample(values, weights)) > 0;

interface FinishedColumn extends NumberDraft {
  readonly categories: number;
}

function finishTree(
  drafts: readonly Draft[],
  context: FitContext,
  { treeCategories = "native" }: PreparationOptions,
): FinishedColumn[] {
  return drafts.flatMap((draft): FinishedColumn[] => {
    if (draft.kind === "number") return draft.values.every(Number.isNaN) ? [] : [{ ...draft, categories: 0 }];
    if (treeCategories === "rank" && context.task !== "multiclass") {
      return [{ ...rankCategories(draft, context), categories: 0 }];
    }
    const values = draft.categories.map((_, code) => code);
    const codes = encodedDraft(draft, { values, unseen: null, missing: null }, context);
    return [{ ...codes, categories: draft.categories.length }];
  });
}

const toColumn = ({ name, source, maps, categories = 0 }: NumberDraft & { categories?: number }): EncodedColumn => ({
  name,
  categories,
  source,
  maps,
});

/** Leaves out encodings whose columns were not selected. */
function withUsedEncodings(columns: readonly EncodedColumn[], encodings: readonly CategoryEncoding[]): FittedPreparation {
  const used = new Map<number, number>();
  const renumbered = <F extends ColumnFormula>(formula: F): F => {
    const { source } = formula;
    if (source.kind === "number") return formula;
    if (source.kind === "product") {
      return { ...formula, source: { ...source, of: [renumbered(source.of[0]), renumbered(source.of[1])] } };
    }
    const encoding = used.get(source.encoding) ?? used.size;
    used.set(source.encoding, encoding);
    return { ...formula, source: { ...source, encoding } };
  };
  const rewritten = columns.map(renumbered);
  return { columns: rewritten, encodings: Array.from(used.keys(), (encoding) => encodings[encoding]) };
}
