import type { CandidateDefinition, MetricName, Payoff } from "../definitions/index.ts";
import type { FeaturePlan, FeatureValue } from "../features/index.ts";
import type { Micros } from "../time.ts";
import type { FittedPreparation } from "./preparation/fitted-preparation.ts";

/** One decision tree in flat arrays; node 0 is the root. */
export interface Tree {
  /** Matrix column a node splits on; -1 for a leaf. */
  readonly feature: Int32Array;
  /** Goes left when x <= threshold. NaN where the node splits on categories. */
  readonly threshold: Float64Array;
  readonly left: Int32Array;
  readonly right: Int32Array;
  /** 1 where NaN goes left. */
  readonly missingLeft: Uint8Array;
  /** A leaf's contribution, learning rate included. 0 in inner nodes. */
  readonly value: Float64Array;
  /** Training rows that reached the node, by their weights. */
  readonly cover: Float64Array;
  /** Absent where no node splits on categories. */
  readonly categorical?: CategoricalSplits;
}

/** A node that splits on categories sends left those whose bit is set, NaN by `missingLeft`, and all others right. */
export interface CategoricalSplits {
  /** First word of the node's set in `words`; -1 for a node that splits on a number or is a leaf. */
  readonly start: Int32Array;
  /** Words of the node's set: code c is bit c % 32 of word start + floor(c / 32); a code past the last word goes right. */
  readonly length: Int32Array;
  readonly words: Uint32Array;
}

/** What is predicted: whether, which, or how much. */
export type Task = "binary" | "multiclass" | "regression";

/**
 * How an estimator's raw output becomes a prediction. identity: it is the prediction (a value, or a probability); logit: log-odds of
 * the positive class; softmax: one logit a class; log: logarithm of the expected value.
 */
export type Link = "identity" | "logit" | "softmax" | "log";

/** Says the same of every row. */
export interface BaselineEstimator {
  readonly kind: "baseline";
  readonly link: Link;
  /** Raw output; one number, or one a class. */
  readonly output: Float64Array;
}

/** The charter's alternative, which only SQL can evaluate. */
export interface RuleEstimator {
  readonly kind: "rule";
  readonly condition: string;
}

/** Raw output k is intercepts[k] + the sum over columns j of coefficients[k * columns + j] * x[j]. */
export interface LinearEstimator {
  readonly kind: "linear";
  readonly link: Link;
  readonly intercepts: Float64Array;
  readonly coefficients: Float64Array;
}

/** Boosted trees and forests alike: raw output k is base[k] + the sum of the trees t with t % base.length = k. A forest's leaves hold their share of the mean. */
export interface TreesEstimator {
  readonly kind: "trees";
  readonly link: Link;
  readonly base: Float64Array;
  readonly trees: readonly Tree[];
}

/** A graph that was trained elsewhere. Takes one float matrix [rows, columns]. */
export interface OnnxEstimator {
  readonly kind: "onnx";
  readonly link: Link;
  /** Numbers a row: 1, or one a class. */
  readonly outputs: number;
  /** The ONNX file. */
  readonly graph: Uint8Array;
}

/** A weighted mean of predictions (not of raw outputs). */
export interface EnsembleEstimator {
  readonly kind: "ensemble";
  readonly link: "identity";
  readonly members: readonly EnsembleMember[];
}

export interface EnsembleMember {
  readonly name: string;
  /** The members' weights sum to 1. */
  readonly weight: number;
  readonly preparation: FittedPreparation;
  readonly estimator: ServableEstimator;
}

export type ServableEstimator = BaselineEstimator | LinearEstimator | TreesEstimator | OnnxEstimator | EnsembleEstimator;
export type FittedEstimator = ServableEstimator | RuleEstimator;

/** Monotone map from raw probability to calibrated probability: linear between the points, constant outside. */
export interface IsotonicCalibration {
  readonly kind: "isotonic";
  readonly x: Float64Array;
  readonly y: Float64Array;
}

/** Calibrated log-odds are slope * log-odds + intercept; slope above 0. */
export interface SigmoidCalibration {
  readonly kind: "sigmoid";
  readonly slope: number;
  readonly intercept: number;
}

/** Probabilities of several classes to the power of 1 / temperature, renormalised; temperature above 0. */
export interface TemperatureCalibration {
  readonly kind: "temperature";
  readonly classes: number;
  readonly temperature: number;
}

/** Each class's probability by a map of its own (`null`: as it is), renormalised. */
export interface OneVsRestCalibration {
  readonly kind: "one-vs-rest";
  readonly classes: readonly (IsotonicCalibration | SigmoidCalibration | null)[];
}

export type Calibration = IsotonicCalibration | SigmoidCalibration | TemperatureCalibration | OneVsRestCalibration;

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
  readonly formatVersion: 2;
  readonly model: string;
  readonly task: Task;
  /** Multiclass: the classes' names, in the order of the outputs. Otherwise empty. */
  readonly classes: readonly string[];
  readonly candidate: CandidateDefinition;
  readonly plan: FeaturePlan;
  readonly preparation: FittedPreparation;
  readonly estimator: FittedEstimator;
  readonly calibration: Calibration | null;
  /** A few training rows' feature values, for estimators that can be explained only by comparing with rows; otherwise empty. */
  readonly background: readonly (readonly FeatureValue[])[];
  readonly decision: { readonly threshold: number; readonly payoff: Payoff };
  readonly trainedAt: Micros;
  readonly labelCutoff: Micros;
  readonly trainingRows: number;
  /** Snapshot id by source. */
  readonly snapshots: Readonly<Record<string, string>>;
  readonly seed: number;
}
