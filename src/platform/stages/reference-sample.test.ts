import { describe, expect, it } from "vitest";
import { syntheticDataset, trainOn } from "../../core/explain/explain.fixture.ts";
import type { Dataset } from "../../core/training/index.ts";
import { eraseFromSample, referenceSample, sampleDataset } from "./reference-sample.ts";

describe("a sample of training rows", () => {
  const dataset: Dataset = syntheticDataset(4_000);
  const model = trainOn(dataset).package;
  const rows = Uint32Array.from({ length: 3_000 }, (_, i) => i + 500);

  it("comes back from JSON as the rows that were taken, missing values and categories with them", () => {
    const sample = referenceSample(dataset, rows);
    const back = sampleDataset(JSON.parse(JSON.stringify(sample)), model);
    expect(back.rows).toBe(1_000);
    for (const [index, column] of back.features.entries()) {
      const from = dataset.features[index];
      if (column.kind === "numeric" && from.kind === "numeric") {
        expect([...column.values]).toEqual(Array.from({ length: 1_000 }, (_, i) => from.values[500 + 3 * i]));
      } else if (column.kind === "categorical" && from.kind === "categorical") {
        expect(column.categories).toEqual(from.categories);
        expect([...column.codes]).toEqual(Array.from({ length: 1_000 }, (_, i) => from.codes[500 + 3 * i]));
      } else expect.fail("another kind of column");
    }
  });

  it("loses the rows that were erased from the training set, and those only", () => {
    const sample = referenceSample(dataset, rows);
    const rowAt = (row: number) =>
      Object.fromEntries(
        dataset.features.map((column) => {
          if (column.kind === "numeric") return [column.id, Number.isNaN(column.values[row]) ? null : column.values[row]];
          return [column.id, column.codes[row] < 0 ? null : column.categories[column.codes[row]]];
        }),
      );
    // Rows 500 and 506 are in the sample, 501 is not.
    const left = eraseFromSample(sample, [rowAt(500), rowAt(501), rowAt(506)]);
    const others = Uint32Array.from({ length: 1_000 }, (_, i) => 500 + 3 * i).filter((row) => row !== 500 && row !== 506);
    expect(left).toEqual(referenceSample(dataset, others));
    expect(eraseFromSample(sample, [rowAt(501)])).toBeNull();
  });

  it("has all of few rows, and none of none", () => {
    expect(referenceSample(dataset, Uint32Array.of(3, 5)).rows).toBe(2);
    expect(referenceSample(dataset, new Uint32Array(0)).rows).toBe(0);
  });
});
