import { type ColumnKind, type PreparationStep, worksOn } from "../../definitions/index.ts";
import type { Dataset } from "../dataset.ts";
import { trainErrors } from "../errors.ts";
import { findFeature } from "../find-feature.ts";
import { frequencyEncode, oneHot, ordinal } from "./category-encoding.ts";
import { dateParts, isTimestamp } from "./date-parts.ts";
import { type CategoryDraft, type Draft, draftFeatures, mapped, type NumberDraft } from "./draft-column.ts";
import type { FitContext } from "./fit-context.ts";
import { impute } from "./impute.ts";
import { products } from "./products.ts";
import { clip, minMaxScale, powerTransform, quantileScale, robustScale, standardScale } from "./scaling.ts";
import { selectFeatures } from "./select-features.ts";
import { targetEncode } from "./target-encoding.ts";

/**
 * The columns after a step.
 * @param timestamps ids of the features that dateParts() works on where it names none
 * @throws what the step throws, and TRAIN_PARAMETER_INVALID when it names no feature, or one whose columns it cannot work on
 */
export function applyStep(
  step: PreparationStep,
  drafts: readonly Draft[],
  dataset: Dataset,
  timestamps: readonly string[],
  context: FitContext,
): Draft[] {
  const named = namedFeatures(step, dataset, timestamps);
  const isInScope = (draft: Draft) => named === null || draftFeatures(draft).every((feature) => named.has(feature));
  switch (step.kind) {
    case "products": {
      const known = new Set(drafts.map(({ name }) => name));
      const factors = drafts.filter((draft) => draft.kind === "number").filter(isInScope);
      const added = products(step, factors, context, drafts.length - factors.length);
      return [...drafts, ...added.filter(({ name }) => !known.has(name))];
    }
    case "select-features": {
      const kept = new Set(selectFeatures(step.by, drafts.filter(isInScope), context));
      return drafts.filter((draft) => !isInScope(draft) || kept.has(draft));
    }
    default:
      requireColumns(step, drafts.filter(isInScope), named);
      return replaceColumns(step, drafts, isInScope, context);
  }
}

/** The features that a step names; `null` where it takes all. */
function namedFeatures(step: PreparationStep, { features }: Dataset, timestamps: readonly string[]): ReadonlySet<number> | null {
  const names = step.on ?? (step.kind === "date-parts" ? timestamps : null);
  if (names === null) return null;
  const ids = features.map(({ id }) => id);
  return new Set(names.map((name) => findFeature(ids, name, `the step ${step.kind}`)));
}

/** Steps that work on one column at a time. */
type ColumnStep = Exclude<PreparationStep, { kind: "products" | "select-features" }>;
type CategoryStep = Extract<ColumnStep, { kind: "one-hot" | "ordinal" | "frequency-encode" | "target-encode" }>;
type NumberStep = Exclude<ColumnStep, CategoryStep | { kind: "impute" }>;

const CATEGORY_STEPS: ReadonlySet<PreparationStep["kind"]> = new Set<CategoryStep["kind"]>([
  "one-hot",
  "ordinal",
  "frequency-encode",
  "target-encode",
]);
const isCategoryStep = (step: ColumnStep): step is CategoryStep => CATEGORY_STEPS.has(step.kind);

const canWorkOn = (step: ColumnStep, draft: Draft): boolean => worksOn(step, columnKind(draft));

function columnKind(draft: Draft): ColumnKind {
  if (draft.kind === "category") return "category";
  if (draft.isIndicator) return "indicator";
  return isTimestamp(draft) ? "timestamp" : "number";
}

/** A feature that a step names but cannot work on is a mistake; one that has no column (any more) is not. */
function requireColumns(step: ColumnStep, inScope: readonly Draft[], named: ReadonlySet<number> | null): void {
  for (const feature of named ?? []) {
    const own = inScope.filter((draft) => draftFeatures(draft).includes(feature));
    if (own.length === 0 || own.some((draft) => canWorkOn(step, draft))) continue;
    const holds = own.some(({ kind }) => kind === "category") ? "categories" : "numbers";
    const wants = step.kind === "date-parts" ? "timestamps as they are" : holds === "numbers" ? "categories" : "numbers";
    throw trainErrors.TRAIN_PARAMETER_INVALID(`the step ${step.kind} works on ${wants}, and ${own[0].name} holds ${holds} here`, {
      hint: "Put the step where the column is of its kind, or leave the feature out of its `on`.",
    });
  }
}

function replaceColumns(
  step: ColumnStep,
  drafts: readonly Draft[],
  isInScope: (draft: Draft) => boolean,
  context: FitContext,
): Draft[] {
  let count = drafts.length;
  return drafts.flatMap((draft) => {
    if (!isInScope(draft) || !canWorkOn(step, draft)) return [draft];
    const made = replaced(step, draft, context, count - 1);
    count += made.length - 1;
    return made;
  });
}

/** What a step makes of a column that it can work on. */
function replaced(step: ColumnStep, draft: Draft, context: FitContext, others: number): readonly Draft[] {
  if (step.kind === "impute") return impute(step, draft, context);
  if (isCategoryStep(step)) return draft.kind === "category" ? encodeCategory(step, draft, context, others) : [draft];
  return draft.kind === "number" ? transformNumber(step, draft, context) : [draft];
}

function encodeCategory(step: CategoryStep, draft: CategoryDraft, context: FitContext, others: number): NumberDraft[] {
  switch (step.kind) {
    case "one-hot":
      return oneHot(step, draft, context, others);
    case "ordinal":
      return [ordinal(step, draft, context)];
    case "frequency-encode":
      return [frequencyEncode(draft, context)];
    case "target-encode":
      return targetEncode(step, draft, context);
  }
}

function transformNumber(step: NumberStep, draft: NumberDraft, context: FitContext): NumberDraft[] {
  switch (step.kind) {
    case "standard-scale":
      return [standardScale(draft, context)];
    case "min-max-scale":
      return [minMaxScale(step, draft, context)];
    case "robust-scale":
      return [robustScale(step, draft, context)];
    case "quantile-scale":
      return [quantileScale(step, draft, context)];
    case "log-transform":
      return [mapped(draft, { kind: "log", signed: step.signed })];
    case "power-transform":
      return [powerTransform(step, draft, context)];
    case "clip":
      return [clip(step, draft, context)];
    case "date-parts":
      return dateParts(step, draft);
  }
}
