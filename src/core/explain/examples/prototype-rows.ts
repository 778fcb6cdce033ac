import type { Dataset, RowSelection } from "../../training/index.ts";
import { evenSample } from "../sample-rows.ts";
import { rowDistance } from "./row-distance.ts";

export interface PrototypeOptions {
  /** Prototypes at most; 5 unless said. */
  readonly count?: number;
  /** Rows that they are chosen from and for, evenly spaced; 1,000 unless said. Time grows with its square. */
  readonly maxRows?: number;
  /** As of `rowDistance`. */
  readonly weights?: Readonly<Record<string, number>>;
}

export interface PrototypeRow {
  /** Position in the dataset. */
  readonly row: number;
  /** Share of the rows that are nearer to it than to any other prototype. */
  readonly share: number;
}

const DEFAULTS = { count: 5, maxRows: 1_000 };

/**
 * A few rows that stand for many: each step adds the row that brings all rows nearest to their prototype (greedy k-medoids, as the first
 * phase of Kaufman and Rousseeuw's PAM). Fewer where the rows have fewer different values.
 *
 * @throws EXPLAIN_NO_ROWS, EXPLAIN_FEATURE_UNKNOWN, EXPLAIN_WEIGHTS_INVALID
 */
export function prototypeRows(dataset: Dataset, rows: RowSelection, options: PrototypeOptions = {}): PrototypeRow[] {
  const { count, maxRows, weights } = { weights: undefined, ...DEFAULTS, ...options };
  const sample = evenSample(rows, maxRows);
  const distance = rowDistance(dataset, sample, weights);
  const distances = Array.from(sample, (row) => distance.from(row));
  const nearest = new Float64Array(sample.length).fill(Number.POSITIVE_INFINITY);
  const chosen: number[] = [];
  while (chosen.length < count) {
    const best = bestAddition(distances, nearest);
    if (best === null) break;
    chosen.push(best);
    distances[best].forEach((each, i) => {
      nearest[i] = Math.min(nearest[i], each);
    });
  }
  const members = new Float64Array(chosen.length);
  for (let i = 0; i < sample.length; i++) members[nearestOf(chosen, distances, i)] += 1;
  return chosen
    .map((position, i) => ({ row: sample[position], share: members[i] / sample.length }))
    .sort((a, b) => b.share - a.share);
}

/** The row that lowers the sum of distances most; `null` where none does. */
function bestAddition(distances: readonly Float64Array[], nearest: Float64Array): number | null {
  const before = nearest.reduce((sum, each) => sum + each, 0);
  let best: number | null = null;
  let least = before;
  distances.forEach((to, candidate) => {
    let sum = 0;
    for (let i = 0; i < to.length; i++) sum += Math.min(to[i], nearest[i]);
    if (sum < least) [best, least] = [candidate, sum];
  });
  return best;
}

function nearestOf(chosen: readonly number[], distances: readonly Float64Array[], row: number): number {
  let nearest = 0;
  for (let i = 1; i < chosen.length; i++) {
    if (distances[chosen[i]][row] < distances[chosen[nearest]][row]) nearest = i;
  }
  return nearest;
}
