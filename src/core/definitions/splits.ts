import { type Duration, durationToMicros, type Micros } from "../time.ts";

/** Splits by when a label was known, not by when its event happened: the last `test` of it, `validation` before, the rest trains. */
export interface TimeSplit {
  readonly kind: "time";
  readonly test: Micros;
  readonly validation: Micros;
}

interface Shares {
  /** Of the rows (of the groups, where it is grouped): above 0, below 1 together; the rest trains. */
  readonly test: number;
  readonly validation: number;
  /** Absent: the model's. */
  readonly seed?: number;
}

/** Any row may fall in any part: for rows that do not follow each other in time. */
export interface RandomSplit extends Shares {
  readonly kind: "random";
}

/** At random, with the same share of each class in every part. */
export interface StratifiedSplit extends Shares {
  readonly kind: "stratified";
}

/** At random by group: all rows of a group fall in the same part. */
export interface GroupedSplit extends Shares {
  readonly kind: "grouped";
  /** Id or name of the feature, or name of the segment, that tells the groups apart. Rows without one are groups of their own. */
  readonly by: string;
}

export type SplitDefinition = TimeSplit | RandomSplit | StratifiedSplit | GroupedSplit;

export const byTime = (parts: { test: Duration; validation: Duration }): TimeSplit => ({
  kind: "time",
  test: durationToMicros(parts.test),
  validation: durationToMicros(parts.validation),
});
export const atRandom = (parts: Shares): RandomSplit => ({ kind: "random", ...parts });
export const stratified = (parts: Shares): StratifiedSplit => ({ kind: "stratified", ...parts });
export const grouped = (by: string, parts: Shares): GroupedSplit => ({ kind: "grouped", by, ...parts });

interface SeededFolds {
  readonly folds: number;
  /** Shuffled first; without it, folds are runs of rows in their order. */
  readonly shuffle: boolean;
  /** Absent: the model's. */
  readonly seed?: number;
}

export interface KFold extends SeededFolds {
  readonly kind: "k-fold";
}
export interface StratifiedKFold extends SeededFolds {
  readonly kind: "stratified-k-fold";
}
export interface GroupKFold extends SeededFolds {
  readonly kind: "group-k-fold";
  readonly by: string;
}
/** Each fold tests on the rows after those it trains on; a row whose label was not known when the test began is left out. */
export interface TimeFolds {
  readonly kind: "time-folds";
  readonly folds: number;
  /** Time each fold tests on; absent: the whole period in `folds` + 1 parts with equally many rows. */
  readonly test: Micros | null;
  /** Time between the last row trained on and the first tested on. */
  readonly gap: Micros;
}
/** Once for each of `times` seeds. */
export interface RepeatedFolds {
  readonly kind: "repeated";
  readonly times: number;
  readonly folds: KFold | StratifiedKFold | GroupKFold;
}

export type FoldDefinition = KFold | StratifiedKFold | GroupKFold | TimeFolds | RepeatedFolds;

/** Inside each outer fold's training rows, folds again: the inner ones choose, the outer ones judge. */
export interface NestedFolds {
  readonly kind: "nested";
  readonly outer: FoldDefinition;
  readonly inner: FoldDefinition;
}

type FoldOptions = Partial<Omit<SeededFolds, "folds">>;

export const kFold = (folds = 5, options: FoldOptions = {}): KFold => ({ kind: "k-fold", folds, shuffle: true, ...options });
export const stratifiedKFold = (folds = 5, options: FoldOptions = {}): StratifiedKFold => ({
  kind: "stratified-k-fold",
  folds,
  shuffle: true,
  ...options,
});
export const groupKFold = (by: string, folds = 5, options: FoldOptions = {}): GroupKFold => ({
  kind: "group-k-fold",
  by,
  folds,
  shuffle: false,
  ...options,
});
export const timeFolds = (folds = 5, options: { test?: Duration; gap?: Duration } = {}): TimeFolds => ({
  kind: "time-folds",
  folds,
  test: options.test === undefined ? null : durationToMicros(options.test),
  gap: options.gap === undefined ? 0 : durationToMicros(options.gap),
});
export const repeated = (folds: RepeatedFolds["folds"], times: number): RepeatedFolds => ({ kind: "repeated", times, folds });
export const nested = (outer: FoldDefinition, inner: FoldDefinition): NestedFolds => ({ kind: "nested", outer, inner });
