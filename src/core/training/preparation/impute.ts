import type { PreparationStep } from "../../definitions/index.ts";
import { columnSample, medianOf, modeOf, momentsOf } from "./column-sample.ts";
import { type CategoryDraft, type Draft, mapped, type NumberDraft, recoded } from "./draft-column.ts";
import type { FitContext } from "./fit-context.ts";

type ImputeStep = Extract<PreparationStep, { kind: "impute" }>;

/**
 * Fills what is missing, and marks in a column of its own what was, if any was in training.
 */
export function impute(step: ImputeStep, draft: Draft, context: FitContext): Draft[] {
  return draft.kind === "number" ? imputeNumbers(step, draft, context) : imputeCategories(step, draft, context);
}

function imputeNumbers(step: ImputeStep, draft: NumberDraft, { weights }: FitContext): Draft[] {
  const filled = mapped(draft, { kind: "fill", value: numberToFill(step, draft, weights) });
  if (!step.indicator || !draft.values.some(Number.isNaN)) return [filled];
  const indicator = mapped(draft, { kind: "is-missing" });
  return [filled, { ...indicator, name: `${draft.name} is missing`, isIndicator: true }];
}

function numberToFill({ strategy, value }: ImputeStep, { values }: NumberDraft, weights: Float64Array | undefined): number {
  if (strategy === "constant") return Number(value);
  const sample = columnSample(values, weights);
  if (strategy === "mean") return momentsOf(sample).mean;
  return strategy === "median" ? medianOf(sample) : modeOf(sample);
}

function imputeCategories(step: ImputeStep, draft: CategoryDraft, context: FitContext): Draft[] {
  const category = step.strategy === "constant" ? String(step.value) : mostFrequent(draft, context.weights);
  const withCategory = draft.categories.includes(category) ? draft.categories : [...draft.categories, category].sort();
  const { categories, codes } = recoded(draft.categories, draft.codes, withCategory);
  const code = categories.indexOf(category);
  const filled: CategoryDraft = {
    ...draft,
    categories,
    codes: codes.map((each) => (each < 0 ? code : each)),
    missingAs: category,
  };
  if (!step.indicator || !draft.codes.includes(-1)) return [filled];
  const encoding = context.encodings.push({ categories: [], values: [], unseen: 0, missing: 1 }) - 1;
  return [
    filled,
    {
      kind: "number",
      name: `${draft.name} is missing`,
      source: { kind: "encoded", feature: draft.feature, encoding },
      maps: [],
      values: Float64Array.from(draft.codes, (each) => (each < 0 ? 1 : 0)),
      isIndicator: true,
    },
  ];
}

function mostFrequent({ categories, codes }: CategoryDraft, weights: Float64Array | undefined): string {
  const known = Float64Array.from(codes, (code) => (code < 0 ? Number.NaN : code));
  return categories[modeOf(columnSample(known, weights))] ?? categories[0];
}
