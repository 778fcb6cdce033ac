import { formatTimestamp, type Micros } from "../../core/time.ts";

export const time = formatTimestamp;
export const optionalTime = (at: Micros | null): string | null => (at === null ? null : formatTimestamp(at));

interface Estimate {
  readonly value: number;
  readonly low: number | null;
  readonly high: number | null;
}

/** Metrics as the wire has them: JSON knows no NaN, so what is not finite is left out; a metric without an interval is its own. */
export function estimates(
  metrics: Readonly<Record<string, Estimate | undefined>>,
): Record<string, { value: number; low: number; high: number }> {
  const entries = Object.entries(metrics).flatMap(([name, estimate]) => {
    if (estimate === undefined || !Number.isFinite(estimate.value)) return [];
    const { value, low, high } = estimate;
    return [[name, { value, low: low ?? value, high: high ?? value }] as const];
  });
  return Object.fromEntries(entries);
}

export const finite = (value: number | null | undefined): number | null =>
  typeof value === "number" && Number.isFinite(value) ? value : null;
