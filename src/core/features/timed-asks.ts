import type { TableEngine } from "../ports/index.ts";
import { ascending } from "./ascending.ts";
import type { AskTable } from "./ask-table.ts";
import { columnOf, type FeatureArray, numbersOf, takeRows } from "./view-rows.ts";

/** Asks in ascending order of time, equal times in their own order. */
export interface TimedAsks {
  readonly at: Float64Array;
  /** Where each ask stands in this order; null: where it stands anyway. */
  readonly ranks: Uint32Array | null;
}

/** Read and sorted when first asked for, and then only once: a join inside the engine needs neither. */
export function timedAsks(engine: TableEngine, asks: AskTable): () => Promise<TimedAsks> {
  let timed: Promise<TimedAsks> | null = null;
  const read = async () => {
    const times = await engine.query(`SELECT __at FROM ${asks.name} ORDER BY __ordinal`);
    return inOrder(numbersOf(columnOf(times, "__at")));
  };
  return () => {
    timed ??= read();
    return timed;
  };
}

function inOrder(at: Float64Array): TimedAsks {
  const order = ascending(at);
  if (order.every((ask, rank) => ask === rank)) return { at, ranks: null };
  const ranks = new Uint32Array(at.length);
  const sorted = new Float64Array(at.length);
  for (let rank = 0; rank < order.length; rank++) {
    ranks[order[rank]] = rank;
    sorted[rank] = at[order[rank]];
  }
  return { at: sorted, ranks };
}

/** Values that are in order of time, in the asks' own. */
export function inAskedOrder(values: Map<string, FeatureArray>, { ranks }: TimedAsks): Map<string, FeatureArray> {
  return ranks === null ? values : new Map(Array.from(values, ([name, column]) => [name, takeRows(column, ranks)]));
}
