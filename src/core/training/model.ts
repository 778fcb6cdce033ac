import type { CandidateDefinition, MetricName, Payoff } from "../definitions/index.ts";
import type { FeaturePlan } from "../features/index.ts";
import type { Micros } from "../time.ts";

/** How one column of the estimator's matrix is made of one feature. */
export type EncodedColumn =
  /** (x - mean) / scale, with missing replaced by `fill` first; `fill: null` keeps NaN. */
  | {
      readonly kind: "number";
      readonly feature: number;
      readonly fill: number | null;
      readonly mean: number;
      readonly scale: number;
    }
  /** 1 where the feature is missing. */
  | { readonly kind: "missing"; readonly feature: number }
  /** 1 where the feature is this category; `null` stands for rare and unseen ones together. */
  | { readonly kind: "category"; readonly feature: number; readonly category: string | null }
  /** Category by rank (of its smoothed share of positives in training); unseen gets `unseen`, missing NaN. */
  | {
      readonly kind: "rank";
      readonly feature: number;
      readonly ranks: Readonly<Record<string, number>>;
      readonly unseen: number;
    };

/** Fitted on training rows only; plain data. */
export interface FittedPreparation {
  readonly columns: readonly EncodedColumn[];
}

/** One decision tree in flat arrays; node 0 is the root. Output is in log-odds. */
export interface Tree {
  /** Matrix column a node splits on; -1 for a leaf. */
  readonly feature: Int32Array;
  /** Goes left when x <= threshold. */
  readonly threshold: Float64Array;
  readonly left: Int32Array;
  readonly right: Int32Array;
  /** 1 where NaN goes left. */
  readonly missingLeft: Uint8Array;
  /** A leaf's contribution, learning rate included. 0 in inner nodes. */
  readonly value: Float64Array;
  /** Training rows that reached the node. */
  readonly cover: Float64Array;
}

export type FittedEstimator =
  | { readonly kind: "baseline"; readonly probability: number }
  | { readonly kind: "rule"; readonly condition: string }
  | { readonly kind: "logistic-regression"; readonly intercept: number; readonly coefficients: Float64Array }
  | { readonly kind: "gradient-boosting"; readonly baseScore: number; readonly trees: readonly Tree[] };

/** Monotone map from raw probability to calibrated probability: linear between the points, constant outside. */
export interface Calibration {
  readonly kind: "isotonic";
  readonly x: Float64Array;
  readonly y: Float64Array;
}

/** A point estimate and its 95% interval by resampling days. */
export interface MetricEstimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

export type MetricTable = Readonly<Partial<Record<MetricName, MetricEstimate>>>;

export interface Evaluation {
  readonly rows: number;
  readonly positives: number;
  readonly days: number;
  /** Probability from which the charter acts. */
  readonly threshold: number;
  /** A metric is absent where it is undefined (one class, nothing predicted positive). */
  readonly metrics: MetricTable;
}

/** A trained candidate: everything that serving needs, and nothing that has to be executed but the plan's own functions. */
export interface ModelPackage {
  readonly formatVersion: 1;
  readonly model: string;
  readonly candidate: CandidateDefinition;
  readonly plan: FeaturePlan;
  readonly preparation: FittedPreparation;
  readonly estimator: FittedEstimator;
  readonly calibration: Calibration | null;
  readonly decision: { readonly threshold: number; readonly payoff: Payoff };
  readonly trainedAt: Micros;
  readonly labelCutoff: Micros;
  readonly trainingRows: number;
  /** Snapshot id by source. */
  readonly snapshots: Readonly<Record<string, string>>;
  readonly seed: number;
}
