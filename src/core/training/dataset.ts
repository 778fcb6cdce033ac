import type { Micros } from "../time.ts";
import type { Target } from "./matrix.ts";
import type { Task } from "./model.ts";

/** Missing is NaN. Booleans are 0 and 1. */
export interface NumericColumn {
  readonly kind: "numeric";
  readonly id: string;
  readonly values: Float64Array;
}

/** `codes[i]` indexes `categories`; missing is -1. */
export interface CategoricalColumn {
  readonly kind: "categorical";
  readonly id: string;
  readonly codes: Int32Array;
  readonly categories: readonly string[];
}

export type FeatureColumn = NumericColumn | CategoricalColumn;

/** A training set in columns; every array has `rows` elements and the same order. */
export interface Dataset {
  readonly rows: number;
  readonly task: Task;
  /** Multiclass: what the labels' indexes stand for. Otherwise empty. */
  readonly classes: readonly string[];
  readonly features: readonly FeatureColumn[];
  /** Binary: 0 or 1. Multiclass: index of the class. Regression: the value. Only rows whose label is known are in a Dataset. */
  readonly label: Target["values"];
  /** When the prediction would have been made (Micros). */
  readonly at: Float64Array;
  /** When the label became known (Micros). */
  readonly labelAt: Float64Array;
  /** Day of the labelled event (days since 1970): the unit by which intervals are resampled. */
  readonly day: Int32Array;
  /** 1 where the charter's rule would act; `null` where it could not be evaluated counts as 0. */
  readonly rule: Uint8Array;
  readonly segments: readonly CategoricalColumn[];
}

/** Rows of a dataset by index, without copying its columns. */
export type RowSelection = Uint32Array;

/** Disjoint selections. Validation is two parts: one selects (and stops boosting early), the other calibrates. */
export interface DatasetSplit {
  readonly train: RowSelection;
  readonly select: RowSelection;
  readonly calibrate: RowSelection;
  readonly test: RowSelection;
  /** No label known after this moment was trained, selected or calibrated on. */
  readonly labelCutoff: Micros;
  /** Rows left out because their label was not yet known when the next part began. */
  readonly purged: number;
}
