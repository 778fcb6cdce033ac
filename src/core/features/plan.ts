import type { ColumnType } from "../definitions/index.ts";
import type { Micros } from "../time.ts";

/** A feature's value as models take it: timestamps are microseconds, integers are doubles. */
export type FeatureValue = string | number | boolean | null;

/** A feature's value to the last digit: integers beyond 2^53 are bigints. */
export type ExactValue = FeatureValue | bigint;

export type ColumnTypes = Readonly<Record<string, ColumnType>>;

/** Where a planned feature comes from. */
export type FeatureOrigin =
  | { readonly kind: "view"; readonly view: string; readonly feature: string }
  | { readonly kind: "on-demand"; readonly name: string };

export interface PlannedFeature {
  /** "view.feature" or "on-demand.name": the feature's column name in training sets, logs and reports. */
  readonly id: string;
  readonly type: ColumnType;
  readonly seasonal: boolean;
  readonly origin: FeatureOrigin;
  /** Name of the source behind it, `null` for on-demand features: causes of drift are grouped by it. */
  readonly source: string | null;
}

export interface PlannedView {
  readonly name: string;
  /** The view whose stored values it reads, where this is another name of it. */
  readonly stored?: string;
  /** Request fields with the entity's keys, in the order of the stored view's. */
  readonly keys: readonly string[];
  /** By field. */
  readonly keyTypes: ColumnTypes;
  /** Features of this view that the model or its on-demand functions read. */
  readonly features: readonly string[];
  readonly ttl: Micros | null;
  /** Hash of each feature's definition: online values made by another definition are refused. */
  readonly definitions?: Readonly<Record<string, string>>;
}

export interface PlannedOnDemand {
  readonly name: string;
  /** Argument name of the compute function and the id of the feature behind it. */
  readonly inputs: readonly { readonly name: string; readonly id: string; readonly type: ColumnType }[];
  readonly request: ColumnTypes;
  readonly returns: ColumnType;
  /** Source text of the function, and its sha256: what runs in serving is what ran in training. */
  readonly code: string;
  readonly sha256: string;
}

/** Everything needed to turn a request into a feature vector, as JSON: it travels inside the model package. */
export interface FeaturePlan {
  readonly formatVersion: 1;
  /** The model's inputs, in order. */
  readonly features: readonly PlannedFeature[];
  readonly views: readonly PlannedView[];
  readonly onDemand: readonly PlannedOnDemand[];
  /** Entity keys a request must carry. */
  readonly keys: ColumnTypes;
  /** Other request fields. */
  readonly request: ColumnTypes;
}
