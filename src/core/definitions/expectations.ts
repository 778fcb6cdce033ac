import { type Duration, durationToMicros, type Micros } from "../time.ts";
import type { Severity } from "./columns.ts";

/** What happens where a source as a whole is not as expected: no single row is to blame, so none can be kept apart. */
export type SourceSeverity = Exclude<Severity, "quarantine">;

interface OnViolation<S extends Severity> {
  onViolation?: S;
}

/** How far the rows that are new may lie from the snapshot before them. A limit that is absent is not looked at. */
export interface DistributionOptions extends OnViolation<SourceSeverity> {
  /** Population stability index; by custom 0.1 is a change and 0.25 a great one. Numbers, texts and bools. */
  psi?: number;
  /** Distance of the means in standard deviations of the earlier snapshot. Numbers. */
  mean?: number;
  /** Distance of the shares of null, 0…1. */
  nullShare?: number;
}

/** What is expected of a source's rows together. */
export interface ExpectOptions<K extends string> {
  /** How many rows the source has; stops the ingestion unless told otherwise. */
  rows?: { min?: number; max?: number } & OnViolation<SourceSeverity>;
  /** The newest event (availability where there are no events) is at most so old; warns unless told otherwise. */
  freshWithin?: Duration | ({ atMost: Duration } & OnViolation<SourceSeverity>);
  /** Columns whose values together stand in one row only; null is like no other null. Such rows are kept apart unless told otherwise. */
  unique?: readonly (readonly K[] | ({ columns: readonly K[] } & OnViolation<Severity>))[];
  /** By column; warns unless told otherwise. */
  distribution?: { readonly [C in K]?: DistributionOptions };
}

export interface DistributionExpectation extends Readonly<Omit<DistributionOptions, "onViolation">> {
  readonly severity: SourceSeverity;
}

/** The expectations as data. */
export interface SourceExpectations {
  readonly rows?: { readonly min?: number; readonly max?: number; readonly severity: SourceSeverity };
  readonly freshWithin?: { readonly atMost: Micros; readonly severity: SourceSeverity };
  readonly unique: readonly { readonly columns: readonly string[]; readonly severity: Severity }[];
  readonly distribution: Readonly<Record<string, DistributionExpectation>>;
}

/** @throws TIME_DURATION_INVALID */
export function expectationsOf<K extends string>({
  rows,
  freshWithin,
  unique = [],
  distribution = {},
}: ExpectOptions<K>): SourceExpectations {
  const fresh = typeof freshWithin === "string" ? { atMost: freshWithin } : freshWithin;
  return {
    ...(rows === undefined ? {} : { rows: withSeverity(rows, "stop") }),
    ...(fresh === undefined
      ? {}
      : { freshWithin: { atMost: durationToMicros(fresh.atMost), severity: fresh.onViolation ?? "warn" } }),
    unique: unique.map((each) =>
      "columns" in each
        ? { columns: [...each.columns], severity: each.onViolation ?? "quarantine" }
        : { columns: [...each], severity: "quarantine" },
    ),
    distribution: Object.fromEntries(
      Object.entries<DistributionOptions | undefined>(distribution).flatMap(([column, limits]) =>
        limits === undefined ? [] : [[column, withSeverity(limits, "warn")]],
      ),
    ),
  };
}

function withSeverity<T extends OnViolation<SourceSeverity>>({ onViolation, ...limits }: T, unlessTold: SourceSeverity) {
  return { ...limits, severity: onViolation ?? unlessTold };
}
