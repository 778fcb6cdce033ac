import type { Micros } from "../time.ts";
import type { DriftReport } from "./drift.ts";
import type { EstimatedPerformance, PerformanceReport } from "./performance.ts";

/** How old a source's newest row was at the end of a window, and how old it may be. */
export interface Freshness {
  readonly source: string;
  /** Event time of the newest row; null when there is none. */
  readonly newest: Micros | null;
  readonly allowed: Micros;
}

/** Everything that monitoring found in one window; JSON. Parts that were not measured are null. */
export interface WindowReport {
  readonly formatVersion: 1;
  readonly start: Micros;
  readonly end: Micros;
  readonly drift: DriftReport | null;
  readonly performance: PerformanceReport | null;
  readonly estimated: EstimatedPerformance | null;
  readonly freshness: readonly Freshness[];
}
