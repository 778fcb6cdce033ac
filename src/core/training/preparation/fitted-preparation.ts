import type { DatePart } from "../../definitions/index.ts";

/**
 * How features become the estimator's matrix: fitted on training rows only; plain data that travels with the model as JSON (so that
 * `null` stands for NaN).
 */
export interface FittedPreparation {
  /** One for each column of the matrix, in its order. */
  readonly columns: readonly EncodedColumn[];
  /** Texts of categorical features as numbers; columns refer to them by position. */
  readonly encodings: readonly CategoryEncoding[];
}

export interface EncodedColumn extends ColumnFormula {
  /** Unique, and made of the ids of the features: "weather.wind", "on-demand.carrier=UA", "weather.wind x plane.seats". */
  readonly name: string;
  /** 0 for numbers; for categories (codes 0 … n-1, NaN for missing and unseen ones) how many there are. */
  readonly categories: number;
}

/** A number of the row, and what is done to it, in order. */
export interface ColumnFormula {
  readonly source: ColumnSource;
  readonly maps: readonly NumberMap[];
}

/** `feature` is a position in the model's plan. Infinite numbers count as missing. */
export type ColumnSource =
  /** A numeric feature: booleans are 0 and 1, timestamps microseconds; NaN where missing. */
  | { readonly kind: "number"; readonly feature: number }
  /** A categorical feature's number by one of the encodings. */
  | { readonly kind: "encoded"; readonly feature: number; readonly encoding: number }
  /** 1 where the encoding gives `value`, else 0. */
  | { readonly kind: "indicator"; readonly feature: number; readonly encoding: number; readonly value: number }
  | { readonly kind: "product"; readonly of: readonly [ColumnFormula, ColumnFormula] };

export interface CategoryEncoding {
  /** Each text once. */
  readonly categories: readonly string[];
  /** The number of each; several may share one. */
  readonly values: readonly number[];
  /** Of any other text. */
  readonly unseen: number | null;
  readonly missing: number | null;
}

/** From one number to one number. NaN stays NaN, but for the first two; what is too large for a number becomes the largest one. */
export type NumberMap =
  /** NaN becomes `value`. */
  | { readonly kind: "fill"; readonly value: number }
  /** NaN becomes 1, all else 0. */
  | { readonly kind: "is-missing" }
  /** (x - center) / scale */
  | { readonly kind: "scale"; readonly center: number; readonly scale: number }
  /** Not below `low`, not above `high`; `null`: no bound. */
  | { readonly kind: "clip"; readonly low: number | null; readonly high: number | null }
  /** sign(x) ln(1 + |x|), or ln(1 + x) with NaN where x is -1 or less. */
  | { readonly kind: "log"; readonly signed: boolean }
  /** Box-Cox gives NaN where x is 0 or less. */
  | { readonly kind: "power"; readonly method: "yeo-johnson" | "box-cox"; readonly lambda: number }
  /** Place among the landmarks, 0 … 1 by linear interpolation, or the normal distribution's value there. */
  | { readonly kind: "quantile"; readonly landmarks: readonly number[]; readonly output: "uniform" | "normal" }
  /** Of microseconds since 1970, in UTC. */
  | { readonly kind: "date-part"; readonly part: DatePart }
  /** sin or cos of 2 pi x / period. */
  | { readonly kind: "wave"; readonly wave: "sine" | "cosine"; readonly period: number };

/** Of an estimator that looks at no feature. */
export const NO_PREPARATION: FittedPreparation = { columns: [], encodings: [] };

/** Positions of the features that a column is made of, each once, in the plan's order. */
export function featuresOf(column: ColumnFormula): readonly number[] {
  const { source } = column;
  if (source.kind !== "product") return [source.feature];
  return [...new Set(source.of.flatMap(featuresOf))].sort((a, b) => a - b);
}
