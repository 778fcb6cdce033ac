import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seededRandom } from "../random.ts";
import { binMatrix, planBins } from "./binning.ts";
import { numberEdges } from "./number-edges.ts";
import { sortValues } from "./sort-values.ts";

const anyNumber = fc.oneof(
  fc.double({ noNaN: true }),
  fc.integer({ min: -3, max: 3 }),
  fc.double({ min: 1, max: 1 + 2 ** -25 }),
  fc.constant(Number.NaN),
);
const anyColumn = fc.array(anyNumber, { maxLength: 60 }).map((values) => Float64Array.from(values));

function uniform(rows: number, seed: number): Float64Array {
  const random = seededRandom(seed);
  return Float64Array.from({ length: rows }, () => random.uint32() / 2 ** 32);
}

/** Values that a bin of a number column holds most of; all of them weigh about the same. */
function binCounts(column: Float64Array, maxBins: number): number[] {
  const [binned] = binMatrix({ rows: column.length, columns: [column] }, maxBins).columns;
  const counts = new Array<number>(binned.binning.valueBins).fill(0);
  for (const bin of binned.bins) counts[bin]++;
  return counts;
}

describe("sorted values", () => {
  it("are those that a comparison sorts, with their rows", () => {
    fc.assert(
      fc.property(anyColumn, (column) => {
        const sorted = column.filter((x) => !Number.isNaN(x)).sort((a, b) => a - b);
        const { values, rows } = sortValues(column);
        expect(Array.from(values, (x) => x + 0)).toEqual(Array.from(sorted, (x) => x + 0));
        expect(Array.from(rows, (row) => column[row])).toEqual([...values]);
      }),
    );
  });

  it("leave out what is asked, and take every third row where that is asked", () => {
    const column = Float64Array.of(5, 4, 3, 2, 1, 0, -1);
    expect([...sortValues(column, 3).rows]).toEqual([6, 3, 0]);
    expect([...sortValues(column, 1, (row) => row > 1).rows]).toEqual([1, 0]);
  });
});

describe("binning numbers", () => {
  it("puts a value at or below edge b into a bin up to b, and only those", () => {
    fc.assert(
      fc.property(anyColumn, fc.integer({ min: 2, max: 20 }), (column, maxBins) => {
        const [{ binning, bins, hasMissing }] = binMatrix({ rows: column.length, columns: [column] }, maxBins).columns;
        const edges = binning.kind === "number" ? binning.edges : new Float64Array(0);
        expect(edges.length).toBeLessThan(maxBins);
        expect(hasMissing).toBe(column.some(Number.isNaN));
        column.forEach((x, row) => {
          if (Number.isNaN(x)) expect(bins[row]).toBe(binning.valueBins);
          else expect([...edges].map((edge) => x <= edge)).toEqual([...edges].map((_, bin) => bins[row] <= bin));
        });
      }),
    );
  });

  it("tells all distinct values apart where there are at most 255", () => {
    const column = Float64Array.from({ length: 1_000 }, (_, row) => (row * 7) % 255);
    expect(binCounts(column, 255)).toHaveLength(255);
  });

  it("makes bins of about equal weight where there are more", () => {
    const counts = binCounts(uniform(51_000, 1), 255);
    expect(counts).toHaveLength(255);
    for (const count of counts) expect(Math.abs(count - 200)).toBeLessThanOrEqual(1);
  });

  it("leaves the other bins to the rest where one value takes half of the rows", () => {
    const column = uniform(20_000, 2).map((x, row) => (row % 2 === 0 ? 0.5 : x));
    const counts = binCounts(column, 101);
    expect(counts.length).toBe(101);
    expect(Math.max(...counts)).toBeGreaterThanOrEqual(10_000);
    expect(counts.filter((count) => count <= 160)).toHaveLength(100);
  });

  it("takes a row of weight 2 for two rows, and one of weight 0 for none", () => {
    const values = uniform(600, 3);
    const weights = values.map((_, row) => row % 3);
    const repeated = Float64Array.from([...values].flatMap((x, row) => new Array<number>(row % 3).fill(x)));
    expect(numberEdges(values, 50, weights)).toEqual(numberEdges(repeated, 50));
  });

  it("has one bin where nothing differs, or nothing is known", () => {
    expect(planBins(new Float64Array(9).fill(4), 0, 255).valueBins).toBe(1);
    expect(planBins(new Float64Array(9).fill(Number.NaN), 0, 255).valueBins).toBe(1);
    expect(planBins(new Float64Array(0), 0, 255).valueBins).toBe(1);
  });
});

describe("binning categories", () => {
  it("gives the most frequent a bin each, in that order, and the others the last one", () => {
    const codes = Float64Array.of(3, 3, 3, 1, 1, 0, 4, Number.NaN);
    const [{ binning, bins, hasMissing }] = binMatrix({ rows: 8, columns: [codes], categories: [6] }, 4).columns;
    expect(binning).toMatchObject({ kind: "category", codes: Int32Array.of(3, 1, 0), valueBins: 4 });
    expect([...bins]).toEqual([0, 0, 0, 1, 1, 2, 3, 4]);
    expect(hasMissing).toBe(true);
  });

  it("takes 100,000 categories", () => {
    const codes = Float64Array.from({ length: 200_000 }, (_, row) => (row % 2 === 0 ? 7 : row / 2) | 0);
    const binning = planBins(codes, 100_000, 255);
    expect(binning.valueBins).toBe(255);
    expect(binning.kind === "category" && binning.binOf[7]).toBe(0);
  });

  it("counts by weight", () => {
    const binning = planBins(Float64Array.of(0, 0, 1), 2, 255, Float64Array.of(1, 1, 3));
    expect(binning).toMatchObject({ codes: Int32Array.of(1, 0) });
  });
});
