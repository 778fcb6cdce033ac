import type { DiscreteColumn } from "./discretize.ts";

export interface MutualInformation {
  /** In nats, of the shares as they are: too high by chance where there are many cells for few rows. */
  readonly plain: number;
  /** Less what independent columns would show on average; not below 0. */
  readonly corrected: number;
}

/**
 * What two columns say about each other: the sum over cells of p(x, y) ln(p(x, y) / (p(x) p(y))). The correction is Miller's ("Note on the
 * bias of information estimates", 1955): entropies are too low by (occupied cells - 1) / (2 rows).
 *
 * @param weights a row of weight 2 counts as two rows
 */
export function mutualInformation(x: DiscreteColumn, y: DiscreteColumn, weights?: Float64Array): MutualInformation {
  const ofX = new Float64Array(x.count);
  const ofY = new Float64Array(y.count);
  const cells = new Map<number, number>();
  let total = 0;
  for (let row = 0; row < x.codes.length; row++) {
    const weight = weights?.[row] ?? 1;
    if (weight === 0) continue;
    const cell = x.codes[row] * y.count + y.codes[row];
    cells.set(cell, (cells.get(cell) ?? 0) + weight);
    ofX[x.codes[row]] += weight;
    ofY[y.codes[row]] += weight;
    total += weight;
  }
  if (total === 0) return { plain: 0, corrected: 0 };
  let sum = 0;
  for (const [cell, weight] of cells) {
    const expected = (ofX[Math.floor(cell / y.count)] * ofY[cell % y.count]) / total;
    sum += (weight / total) * Math.log(weight / expected);
  }
  const plain = Math.max(0, sum);
  const occupied = (counts: Float64Array) => counts.reduce((cells, count) => cells + (count > 0 ? 1 : 0), 0);
  const chance = (cells.size - occupied(ofX) - occupied(ofY) + 1) / (2 * total);
  return { plain, corrected: Math.max(0, plain - chance) };
}
