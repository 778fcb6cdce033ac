import { encodedDraft, oneHot } from "./category-encoding.ts";
import { columnSample, deviationOf, momentsOf } from "./column-sample.ts";
import { type Draft, mapped, type NumberDraft } from "./draft-column.ts";
import type { FitContext } from "./fit-context.ts";
import type { CategoryEncoding, ColumnFormula, ColumnSource, NumberMap } from "./fitted-preparation.ts";
import { rankCategories } from "./rank-categories.ts";

/** A column as an estimator takes it. */
export interface FinishedColumn extends NumberDraft {
  /** As in a matrix: 0 for numbers. */
  readonly categories: number;
}

/** Linear estimators take neither categories nor missing values, and nothing from a column that is the same in all rows. */
export function finishLinear(drafts: readonly Draft[], context: FitContext): FinishedColumn[] {
  let count = drafts.length;
  const numbers = drafts.flatMap((draft): NumberDraft[] => {
    if (draft.kind === "number") return [draft];
    const step = { kind: "one-hot", rare: 0, unseen: "rare" } as const;
    const columns = oneHot(step, draft, context, count - 1);
    count += columns.length - 1;
    return columns;
  });
  return numbers
    .map((draft) => ({ ...withoutMissing(draft, context), categories: 0 }))
    .filter(({ values }) => varies(values, context));
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

/** Trees take both, and no column that holds nothing. */
export function finishTree(drafts: readonly Draft[], context: FitContext, treeCategories: "native" | "rank"): FinishedColumn[] {
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
