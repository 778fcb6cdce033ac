import { describe, expect, it } from "vitest";
import { goldenMetrics, relativeError } from "../../../../test/fixtures/golden-metrics.ts";
import { uniform } from "../../../../test/fixtures/training-data.ts";
import { meanAveragePrecision, ndcg, type QueryMetric } from "./query-metrics.ts";

/** The rows of query_case in make-metrics.py, the queries' rows dealt out in turn. */
function queryRows({ seed, queries, rows, steps }: { seed: number; queries: number; rows: number; steps: number }) {
  const draw = uniform(seed);
  const relevance = new Float64Array(queries * rows);
  const scores = new Float64Array(queries * rows);
  for (let q = 0; q < queries; q++) {
    for (let i = 0; i < rows; i++) {
      const at = i * queries + q;
      const value = draw();
      relevance[at] = Math.floor(draw() * draw() * 5);
      scores[at] = Math.floor((value + relevance[at] / 5) * steps) / steps;
    }
    relevance[q] = 1;
  }
  return { relevance, scores, query: Int32Array.from(relevance, (_, at) => at % queries) };
}

function expectByQuery({ value, byQuery }: QueryMetric, expected: readonly number[]) {
  expect(byQuery).toHaveLength(expected.length);
  byQuery.forEach((each, query) => {
    expect(relativeError(each, expected[query])).toBeLessThan(1e-12);
  });
  const mean = expected.reduce((sum, each) => sum + each, 0) / expected.length;
  expect(relativeError(value, mean)).toBeLessThan(1e-12);
}

describe("metrics of rankings by query", () => {
  it.each(goldenMetrics.queries)("equal scikit-learn's to 1e-12 ($queries queries of $rows rows, $steps steps)", (golden) => {
    const { relevance, scores, query } = queryRows(golden);
    expectByQuery(ndcg(relevance, scores, query), golden.ndcg);
    expectByQuery(ndcg(relevance, scores, query, { k: 5 }), golden.ndcg5);
    expectByQuery(ndcg(relevance, scores, query, { k: 1 }), golden.ndcg1);
    expectByQuery(ndcg(relevance, scores, query, { k: 5, gain: "exponential" }), golden.exponential);
    expectByQuery(meanAveragePrecision(relevance, scores, query), golden.averagePrecision);
  });

  it("leaves out a query where nothing is relevant, and weighs queries as told", () => {
    const relevance = Float64Array.of(0, 0, 1, 0, 0, 1);
    const scores = Float64Array.of(1, 2, 2, 1, 2, 1);
    const query = Int32Array.of(7, 7, 8, 8, 9, 9);
    expect(meanAveragePrecision(relevance, scores, query)).toEqual({ value: 0.75, byQuery: [undefined, 1, 0.5] });
    const weighted = meanAveragePrecision(relevance, scores, query, { queryWeights: Float64Array.of(9, 3, 1) });
    expect(weighted.value).toBeCloseTo((3 + 0.5) / 4, 12);
    expect(ndcg(relevance.fill(0), scores, query)).toEqual({ value: undefined, byQuery: [undefined, undefined, undefined] });
    expect(ndcg(new Float64Array(0), new Float64Array(0), new Int32Array(0)).value).toBeUndefined();
  });

  it("refuses relevance below 0, scores that are not finite, and k below 1", () => {
    const one = Int32Array.of(1);
    const invalid = expect.objectContaining({ code: "TRAIN_EVALUATION_INVALID" });
    expect(() => ndcg(Float64Array.of(-1), Float64Array.of(1), one)).toThrow(invalid);
    expect(() => ndcg(Float64Array.of(1), Float64Array.of(Number.NaN), one)).toThrow(invalid);
    expect(() => ndcg(Float64Array.of(2000), Float64Array.of(1), one, { gain: "exponential" })).toThrow(invalid);
    expect(() => ndcg(Float64Array.of(1), Float64Array.of(1), one, { k: 0 })).toThrow(
      expect.objectContaining({ code: "TRAIN_PARAMETER_INVALID" }),
    );
  });
});
