import type { FeatureValue } from "../features/index.ts";
import type { Micros } from "../time.ts";

/** One line of the prediction log: everything that led to one answer. */
export interface PredictionRecord {
  /** Sorts by the machine's time. */
  readonly id: string;
  readonly endpoint: string;
  /** The time it was asked for (virtual in a replay) and the machine's time it arrived. */
  readonly at: Micros;
  readonly receivedAt: Micros;
  /** Key of the row that will hold the truth, where the caller gave it. */
  readonly reference: string | null;
  /** Entity keys and request fields that the model takes, as they came. */
  readonly keys: Readonly<Record<string, unknown>>;
  readonly request: Readonly<Record<string, unknown>>;
  /** By feature id. */
  readonly features: Readonly<Record<string, FeatureValue>>;
  /** Log-odds before calibration. */
  readonly score: number;
  readonly probability: number;
  /** Whether the charter's decision is to act. */
  readonly decision: boolean;
  readonly version: number;
  readonly alias: string;
  readonly artifact: string;
  readonly revision: number;
  /** Views that did not know the entity. */
  readonly missing: readonly string[];
  /** Up to when the online values of each view had been made. Null in records of before it was written down. */
  readonly materialized: Readonly<Record<string, Micros>> | null;
  /** Of the whole slice of instances that was read and scored together; total runs from the request's arrival here to its answers. */
  readonly latencyUs: { readonly read: number; readonly predict: number; readonly total: number };
  readonly traceId: string | null;
}

/** What the caller gets. */
export interface PredictionAnswer {
  readonly id: string;
  readonly probability: number;
  readonly decision: boolean;
  readonly modelVersion: number;
  readonly alias: string;
  readonly missing: readonly string[];
}
