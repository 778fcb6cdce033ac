import type { Micros } from "../../time.ts";
import type { Dataset, RowSelection } from "../dataset.ts";
import { type Estimate, shareEstimate } from "./intervals.ts";

export interface ClassBalance {
  readonly rows: number;
  readonly classes: readonly ClassShare[];
  /** Rows of the most frequent class for one of the rarest; `null` where there is one class only. */
  readonly imbalance: number | null;
  /** Shares of the classes over time, in parts of equally many rows, the oldest first. */
  readonly periods: readonly BalancePeriod[];
}

export interface ClassShare {
  /** Index of the class; for a binary target 0 and 1. */
  readonly class: number;
  readonly rows: number;
  readonly share: Estimate;
}

export interface BalancePeriod {
  readonly from: Micros;
  readonly to: Micros;
  readonly rows: number;
  /** By class, as in `classes`. */
  readonly shares: readonly Estimate[];
}

const PERIODS = 10;

/**
 * How frequent the classes are, and whether that changes over time.
 * @param labels class indexes of the rows, in their order
 */
export function classBalance(dataset: Dataset, rows: RowSelection, labels: ArrayLike<number>): ClassBalance {
  const counts = countLabels(
    labels,
    Array.from({ length: rows.length }, (_, position) => position),
  );
  const classes = [...counts.keys()].sort((a, b) => a - b);
  const sizes = classes.map((each) => counts.get(each) ?? 0);
  return {
    rows: rows.length,
    classes: classes.map((each, index) => ({
      class: each,
      rows: sizes[index],
      share: shareEstimate(sizes[index], rows.length),
    })),
    imbalance: classes.length < 2 ? null : Math.max(...sizes) / Math.min(...sizes),
    periods: periodsOf(dataset, rows, labels, classes),
  };
}

function periodsOf({ at }: Dataset, rows: RowSelection, labels: ArrayLike<number>, classes: readonly number[]): BalancePeriod[] {
  const order = Array.from(rows.keys()).sort((a, b) => at[rows[a]] - at[rows[b]] || a - b);
  const count = Math.min(PERIODS, rows.length);
  return Array.from({ length: count }, (_, period) => {
    const start = Math.floor((period * rows.length) / count);
    const positions = order.slice(start, Math.floor(((period + 1) * rows.length) / count));
    const counts = countLabels(labels, positions);
    return {
      from: at[rows[positions[0]]],
      to: at[rows[positions[positions.length - 1]]],
      rows: positions.length,
      shares: classes.map((each) => shareEstimate(counts.get(each) ?? 0, positions.length)),
    };
  });
}

function countLabels(labels: ArrayLike<number>, positions: readonly number[]): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  for (const position of positions) counts.set(labels[position], (counts.get(labels[position]) ?? 0) + 1);
  return counts;
}
