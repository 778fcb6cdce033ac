import type { OrreryError } from "../../core/errors.ts";
import type { MetricsJson } from "../../core/observability/index.ts";

/** What the primary says to a worker. */
export type ToWorker =
  /** Finish and go; `hurry` when nobody comes after it. */
  | { readonly kind: "drain"; readonly hurry: boolean }
  | { readonly kind: "collect"; readonly id: number }
  | { readonly kind: "metrics"; readonly id: number; readonly text: string };

/** What a worker says to the primary. */
export type ToPrimary =
  | { readonly kind: "want-metrics"; readonly id: number }
  | { readonly kind: "collected"; readonly id: number; readonly metrics: MetricsJson }
  | { readonly kind: "drained"; readonly metrics: MetricsJson }
  | { readonly kind: "failed"; readonly error: ReturnType<OrreryError["toJSON"]> };
