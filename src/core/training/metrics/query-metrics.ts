import { trainErrors } from "../errors.ts";
import { averagePrecision } from "./binary-metrics.ts";
import { checkFinite, rowsByScore } from "./rank-rows.ts";

export interface QueryMetricOptions {
  /** Only the first k of each query count; absent: all. */
  readonly k?: number;
  /** What a relevance brings: itself (scikit-learn's) or 2^relevance - 1 (Burges 2005); itself unless said. */
  readonly gain?: "linear" | "exponential";
  /** By query, in ascending order of its number; absent: each query counts alike. */
  readonly queryWeights?: Float64Array;
}

export interface QueryMetric {
  /** Mean over the queries for which it is defined; `undefined` where it is for none. */
  readonly value: number | undefined;
  /** By query, in ascending order of its number; `undefined` where nothing is relevant. */
  readonly byQuery: readonly (number | undefined)[];
}

/**
 * Normalized discounted cumulative gain at k (Järvelin and Kekäläinen 2002): each row's gain over log2(1 + place), over the most that
 * any order would bring. Rows of one score share their places' mean discount (McSherry and Najork 2008, scikit-learn's
 * ndcg_score). A query without a relevant row is left out, where scikit-learn counts it 0.
 * @param relevance at least 0
 * @param queries number of each row's query; rows of a query need not be neighbours
 * @throws TRAIN_EVALUATION_INVALID, TRAIN_PARAMETER_INVALID
 */
export function ndcg(
  relevance: Float64Array,
  scores: Float64Array,
  queries: Int32Array,
  options: QueryMetricOptions = {},
): QueryMetric {
  const { k = Number.POSITIVE_INFINITY, gain = "linear" } = options;
  checkQueries(relevance, scores, queries, k);
  const gains = gain === "linear" ? relevance : relevance.map((each) => 2 ** each - 1);
  checkFinite(gains, "gain");
  const byQuery = rowsByQuery(queries).map((rows) => {
    const own = Float64Array.from(rows, (row) => gains[row]);
    const best = discountedGain(own, own, k);
    return best > 0
      ? discountedGain(
          own,
          Float64Array.from(rows, (row) => scores[row]),
          k,
        ) / best
      : undefined;
  });
  return { value: meanOf(byQuery, options.queryWeights), byQuery };
}

/**
 * Mean average precision: the mean over queries of `averagePrecision` (a relevance above 0 is relevant). A query without a relevant row
 * is left out; one with relevant rows only counts 1.
 * @throws TRAIN_EVALUATION_INVALID
 */
export function meanAveragePrecision(
  relevance: Float64Array,
  scores: Float64Array,
  queries: Int32Array,
  { queryWeights }: Pick<QueryMetricOptions, "queryWeights"> = {},
): QueryMetric {
  checkQueries(relevance, scores, queries, 1);
  const byQuery = rowsByQuery(queries).map((rows) => {
    const labels = Uint8Array.from(rows, (row) => (relevance[row] > 0 ? 1 : 0));
    if (!labels.includes(1)) return undefined;
    if (!labels.includes(0)) return 1;
    return averagePrecision(
      labels,
      Float64Array.from(rows, (row) => scores[row]),
    );
  });
  return { value: meanOf(byQuery, queryWeights), byQuery };
}

function checkQueries(relevance: Float64Array, scores: Float64Array, queries: Int32Array, k: number): void {
  if (scores.length !== relevance.length || queries.length !== relevance.length) {
    throw trainErrors.TRAIN_EVALUATION_INVALID(
      `${relevance.length} relevances, ${scores.length} scores, ${queries.length} queries`,
    );
  }
  checkFinite(scores, "score");
  checkFinite(relevance, "relevance");
  const negative = relevance.findIndex((each) => each < 0);
  if (negative >= 0) throw trainErrors.TRAIN_EVALUATION_INVALID(`the relevance of row ${negative} is ${relevance[negative]}`);
  if (!(k >= 1)) throw trainErrors.TRAIN_PARAMETER_INVALID(`the first ${k} of a query`, { hint: "Give a k of at least 1." });
}

/** Rows of each query, queries in ascending order. */
function rowsByQuery(queries: Int32Array): number[][] {
  const rows = new Map<number, number[]>();
  queries.forEach((query, row) => {
    const own = rows.get(query);
    if (own === undefined) rows.set(query, [row]);
    else own.push(row);
  });
  return Array.from(rows)
    .sort(([a], [b]) => a - b)
    .map(([, own]) => own);
}

function discountedGain(gains: Float64Array, scores: Float64Array, k: number): number {
  const order = rowsByScore(scores);
  let sum = 0;
  for (let first = 0; first < order.length && first < k; ) {
    let end = first;
    let gain = 0;
    let discount = 0;
    while (end < order.length && scores[order[end]] === scores[order[first]]) {
      gain += gains[order[end]];
      if (end < k) discount += 1 / Math.log2(end + 2);
      end++;
    }
    sum += (gain / (end - first)) * discount;
    first = end;
  }
  return sum;
}

function meanOf(byQuery: readonly (number | undefined)[], weights: Float64Array | undefined): number | undefined {
  if (weights !== undefined && weights.length !== byQuery.length) {
    throw trainErrors.TRAIN_EVALUATION_INVALID(`${weights.length} weights for ${byQuery.length} queries`);
  }
  let sum = 0;
  let total = 0;
  byQuery.forEach((value, query) => {
    if (value === undefined) return;
    const weight = weights === undefined ? 1 : weights[query];
    sum += weight * value;
    total += weight;
  });
  return total > 0 ? sum / total : undefined;
}
