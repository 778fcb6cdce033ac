import type { Dataset, FeatureColumn, RowSelection } from "../dataset.ts";
import { applyMap, takeNumbers } from "./encode.ts";
import { type ColumnFormula, featuresOf, type NumberMap } from "./fitted-preparation.ts";

/** A column while steps work on it: its formula, and what that gives for the training rows. */
export interface NumberDraft extends ColumnFormula {
  readonly kind: "number";
  readonly name: string;
  readonly values: Float64Array;
  /** 0 or 1 by what the source is: steps for numbers leave it alone. */
  readonly isIndicator: boolean;
}

/** A categorical feature that no step has made numbers of yet. */
export interface CategoryDraft {
  readonly kind: "category";
  readonly name: string;
  readonly feature: number;
  /** Those of the training rows, in alphabetical order. */
  readonly categories: readonly string[];
  /** Position among the categories by training row; -1: missing. */
  readonly codes: Int32Array;
  /** The category that missing values count as. */
  readonly missingAs: string | null;
}

export type Draft = NumberDraft | CategoryDraft;

/** The features of the training rows as they are; none for a feature without a value there. */
export function draftsOf(
  dataset: Dataset,
  rows: RowSelection,
  exclude: readonly string[],
  weights: Float64Array | undefined,
): Draft[] {
  return dataset.features.flatMap((column, feature): Draft[] => {
    if (exclude.includes(column.id)) return [];
    const draft = column.kind === "numeric" ? numberDraft(column, feature, rows) : categoryDraft(column, feature, rows, weights);
    return draft === null ? [] : [draft];
  });
}

function numberDraft(column: Extract<FeatureColumn, { kind: "numeric" }>, feature: number, rows: RowSelection): Draft | null {
  const values = takeNumbers(column.values, rows);
  if (values.every(Number.isNaN)) return null;
  return { kind: "number", name: column.id, source: { kind: "number", feature }, maps: [], values, isIndicator: false };
}

function categoryDraft(
  column: Extract<FeatureColumn, { kind: "categorical" }>,
  feature: number,
  rows: RowSelection,
  weights: Float64Array | undefined,
): CategoryDraft | null {
  const codes = new Int32Array(rows.length);
  const isSeen = new Uint8Array(column.categories.length);
  for (let i = 0; i < rows.length; i++) {
    const code = column.codes[rows[i]];
    codes[i] = code;
    // A row that weighs nothing is not why there is a category; if it alone has one, that counts as missing.
    if (code >= 0 && weights?.[i] !== 0) isSeen[code] = 1;
  }
  const categories = column.categories.filter((_, code) => isSeen[code] === 1).sort();
  if (categories.length === 0) return null;
  return { kind: "category", name: column.id, feature, ...recoded(column.categories, codes, categories), missingAs: null };
}

/** The same categories by their positions among others. */
export function recoded(
  before: readonly string[],
  codes: Int32Array,
  categories: readonly string[],
): Pick<CategoryDraft, "categories" | "codes"> {
  const positions = new Map(categories.map((category, position) => [category, position]));
  const newCode = before.map((category) => positions.get(category) ?? -1);
  return { categories, codes: codes.map((code) => (code < 0 ? -1 : newCode[code])) };
}

/** The draft after one more map. */
export function mapped(draft: NumberDraft, ...maps: readonly NumberMap[]): NumberDraft {
  const values = draft.values.slice();
  for (const map of maps) applyMap(map, values);
  return { ...draft, maps: [...draft.maps, ...maps], values };
}

/** Features that a draft is made of. */
export const draftFeatures = (draft: Draft): readonly number[] =>
  draft.kind === "category" ? [draft.feature] : featuresOf(draft);
