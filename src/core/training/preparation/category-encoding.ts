import type { PreparationStep } from "../../definitions/index.ts";
import { trainErrors } from "../errors.ts";
import { type CategoryDraft, type NumberDraft, recoded } from "./draft-column.ts";
import type { FitContext } from "./fit-context.ts";
import type { CategoryEncoding, ColumnSource } from "./fitted-preparation.ts";

type Step<K extends PreparationStep["kind"]> = Extract<PreparationStep, { kind: K }>;

/** What each category of a draft, unseen ones and missing values become. */
export interface CategoryNumbers {
  readonly values: readonly number[];
  readonly unseen: number | null;
  readonly missing: number | null;
}

/** A column that reads an encoding. */
export interface EncodedDraft extends NumberDraft {
  readonly source: Extract<ColumnSource, { kind: "encoded" }>;
}

/** The column of a category's numbers, with an encoding of its own; where missing values were imputed, they get their category's number. */
export function encodedDraft(
  draft: CategoryDraft,
  { values, unseen, missing }: CategoryNumbers,
  { encodings }: FitContext,
  name = draft.name,
): EncodedDraft {
  const imputed = draft.missingAs === null ? missing : values[draft.categories.indexOf(draft.missingAs)];
  const encoding: CategoryEncoding = { categories: draft.categories, values, unseen, missing: imputed };
  return {
    kind: "number",
    name,
    source: { kind: "encoded", feature: draft.feature, encoding: encodings.push(encoding) - 1 },
    maps: [],
    values: Float64Array.from(draft.codes, (code) => (code < 0 ? (imputed ?? Number.NaN) : values[code])),
    isIndicator: false,
  };
}

/** Total weight of each category, and of missing values. */
export function categoryTotals(
  { categories, codes }: CategoryDraft,
  { weights }: FitContext,
): { readonly totals: Float64Array; readonly missing: number; readonly all: number } {
  const totals = new Float64Array(categories.length);
  let missing = 0;
  let all = 0;
  codes.forEach((code, row) => {
    const weight = weights?.[row] ?? 1;
    all += weight;
    if (code < 0) missing += weight;
    else totals[code] += weight;
  });
  return { totals, missing, all };
}

/**
 * Positions in the given order, or in alphabetical order; unseen and missing are missing.
 * @throws TRAIN_PARAMETER_INVALID when the order lacks a category of the training rows
 */
export function ordinal({ order }: Step<"ordinal">, draft: CategoryDraft, context: FitContext): NumberDraft {
  const placed = new Set(order ?? draft.categories);
  const absent = draft.categories.filter((category) => !placed.has(category));
  if (absent.length > 0) {
    throw trainErrors.TRAIN_PARAMETER_INVALID(`ordinal() orders ${draft.name} without ${absent.slice(0, 5).join(", ")}`);
  }
  const ordered = { ...draft, ...recoded(draft.categories, draft.codes, [...placed]) };
  return encodedDraft(ordered, { values: ordered.categories.map((_, place) => place), unseen: null, missing: null }, context);
}

/** Shares of the training rows. Missing values have theirs too, if there were any. */
export function frequencyEncode(draft: CategoryDraft, context: FitContext): NumberDraft {
  const { totals, missing, all } = categoryTotals(draft, context);
  const values = Array.from(totals, (total) => total / all);
  return encodedDraft(draft, { values, unseen: 0, missing: missing / all }, context);
}

/**
 * One column a category, one for the rare ones together (and for unseen ones, unless they are to be nothing), one for missing values.
 * @param others how many columns there are besides
 * @throws TRAIN_TOO_MANY_COLUMNS, TRAIN_MEMORY_WOULD_NOT_SUFFICE
 */
export function oneHot(
  { rare, unseen }: Step<"one-hot">,
  draft: CategoryDraft,
  context: FitContext,
  others: number,
): NumberDraft[] {
  const { totals, missing, all } = categoryTotals(draft, context);
  const { categories, name } = draft;
  const isFrequent = Array.from(totals, (total) => total > 0 && total >= rare * all);
  const frequent = categories.filter((_, code) => isFrequent[code]);
  context.requireRoom(others + frequent.length, `${name} has ${frequent.length} categories with a column each`);
  const rareValue = frequent.length;
  const missingValue = rareValue + 1;
  const nothing = -1;
  let next = 0;
  const encoded = encodedDraft(
    draft,
    {
      values: isFrequent.map((own) => (own ? next++ : rareValue)),
      unseen: unseen === "rare" ? rareValue : nothing,
      missing: missingValue,
    },
    context,
  );
  const columns = frequent.map((category, value) => indicator(encoded, value, `${name}=${category}`));
  if (isFrequent.includes(false)) columns.push(indicator(encoded, rareValue, `${name} is rare`));
  if (missing > 0 && draft.missingAs === null) columns.push(indicator(encoded, missingValue, `${name} is missing`));
  return columns;
}

function indicator({ source, values }: EncodedDraft, value: number, name: string): NumberDraft {
  return {
    kind: "number",
    name,
    source: { ...source, kind: "indicator", value },
    maps: [],
    values: values.map((each) => (each === value ? 1 : 0)),
    isIndicator: true,
  };
}
